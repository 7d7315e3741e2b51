//! Checks of responder certificates and their keys, as the daemon would load them.
use super::finding::{Finding, Mending};
use super::{Examination, FindingCode, Looked, Unseen, counted, due, only_files};
use crate::ca::responder_is_asked_for;
use crate::error::remedy;
use crate::index::{Authority, CertificateRecord, CertificateState};
use crate::status::PublishedAuthority;
use crate::x509::{Certificate, CertificateId};

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let index = examination.index()?;
    let (all, hierarchy) = (examination.authorities()?, examination.hierarchy()?);
    let mut count: usize = 0;
    for authority in &all {
        if !hierarchy.needs_responder(authority, examination.now)? {
            continue;
        }
        let names = index.names_of_issuer(&authority.issuer)?;
        let published = PublishedAuthority::of(authority, &all, names);
        if let Ok(name) = authority.name.parse() {
            only_files(&examination.home.ocsp_directory(&name))?;
        }
        let (responders, faults) = examination.responders.load(&published);
        for fault in faults {
            findings.push(offered(
                Finding::error(
                    FindingCode::ResponderUnusable,
                    &authority.name,
                    format!("has a responder that cannot be used: {fault}"),
                ),
                authority,
            ));
        }
        for responder in &responders {
            count += 1;
            findings.extend(of_one(examination, authority, responder.certificate())?);
        }
        let told = findings
            .iter()
            .any(|one| one.object == authority.name && one.code == FindingCode::ResponderUnusable);
        if responders.is_empty() && !told && responder_is_asked_for(examination.publisher, &authority.name) {
            let message =
                "has certificates that name its OCSP responder, whose certificate a ceremony is asked for";
            findings.push(Finding::note(FindingCode::ResponderMissing, &authority.name, message));
        } else if responders.is_empty() && !told {
            let message = "has certificates that name its OCSP responder, and has none";
            findings.push(offered(
                Finding::error(FindingCode::ResponderMissing, &authority.name, message),
                authority,
            ));
        }
    }
    let believed = index.responders(examination.now)?;
    let requested = believed.iter().filter(|one| one.requested);
    findings.extend(requested.clone().map(|one| of_request(&one.record)));
    Ok(format!(
        "{}, {} that clients believe, {} of them made for requests",
        counted(count, "responder"),
        counted(believed.len(), "certificate"),
        requested.count()
    )
    .into())
}

/// Returns the note about a responder certificate issued for a request: the holder of its key can answer for the CA.
fn of_request(record: &CertificateRecord) -> Finding {
    let CertificateRecord { authority, id, validity, .. } = record;
    let message = format!(
        "has a responder certificate {} that was made for a request; whoever has its key answers until {}, \
         revoked or not",
        id.serial_number, validity.not_after
    );
    Finding::note(FindingCode::ResponderRequested, authority, message)
        .remedy(remedy::Repair::ReplaceKey(authority.clone()))
}

fn offered(finding: Finding, authority: &Authority) -> Finding {
    finding
        .remedy(remedy::Repair::Responder(authority.name.clone()))
        .mending(Mending::Responder(authority.name.clone()))
}

fn of_one(
    examination: &Examination<'_>,
    authority: &Authority,
    certificate: &Certificate,
) -> Result<Option<Finding>, Unseen> {
    let tbs = certificate.tbs();
    let id = CertificateId { issuer: authority.issuer, serial_number: tbs.serial_number().clone() };
    let state = examination.index()?.status(&id)?;
    let validity = tbs.validity();
    let name = &authority.name;
    let serial = tbs.serial_number();
    let finding = match state {
        None => Finding::error(
            FindingCode::ResponderUnrecorded,
            name,
            format!("has a responder certificate {serial} that is not on record"),
        ),
        Some(CertificateState::Revoked(_) | CertificateState::Pending) => Finding::error(
            FindingCode::ResponderRevoked,
            name,
            format!("has a responder certificate {serial} that is revoked or was abandoned"),
        ),
        Some(CertificateState::Issued) => {
            let offline = authority.is_offline_unless_configured();
            let (begins, ends) = (validity.not_before, validity.not_after);
            let life = examination.settings().responder_lifetime(name, offline, begins, ends);
            return Ok(
                due::responder_times(name, &life, examination.now).map(|late| offered(late, authority))
            );
        }
    };
    Ok(Some(offered(finding, authority)))
}
