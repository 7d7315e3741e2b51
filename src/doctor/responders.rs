//! Checks of responder certificates and their keys, as the daemon would load them.
use super::finding::{Finding, Mending};
use super::{Examination, FindingCode, Looked, Unseen, counted, only_files};
use crate::error::remedy;
use crate::index::{Authority, CertificateRecord, CertificateState, Index};
use crate::status::PublishedAuthority;
use crate::x509::{Certificate, CertificateId, UnixTime};

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let index = examination.index()?;
    let (all, hierarchy) = (examination.authorities()?, examination.hierarchy()?);
    let mut count: usize = 0;
    for authority in &all {
        // no responder is needed for an external CA, a CA without OCSP, a retired CA, or a CA that is expired or
        // revoked
        let needs_none = hierarchy
            .is_retired(authority, examination.now)
            .and_then(|is_retired| Ok(is_retired || !hierarchy.still_current(authority, examination.now)?));
        if authority.is_external() || !authority.serves_ocsp || needs_none? {
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
            findings.extend(of_one(index, authority, responder.certificate(), examination.now)?);
        }
        let told = findings
            .iter()
            .any(|one| one.object == authority.name && one.code == FindingCode::ResponderUnusable);
        if responders.is_empty() && !told {
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
    index: &dyn Index,
    authority: &Authority,
    certificate: &Certificate,
    now: UnixTime,
) -> Result<Option<Finding>, Unseen> {
    let tbs = certificate.tbs();
    let id = CertificateId { issuer: authority.issuer, serial_number: tbs.serial_number().clone() };
    let state = index.status(&id)?;
    let validity = tbs.validity();
    let half = validity.not_before.plus(validity.not_after.0.saturating_sub(validity.not_before.0) / 2);
    let name = &authority.name;
    let serial = tbs.serial_number();
    let end = validity.not_after;
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
        Some(CertificateState::Issued) if now > end => Finding::error(
            FindingCode::ResponderLapsed,
            name,
            format!("has a responder certificate that lapsed at {end}: nothing is answered"),
        ),
        Some(CertificateState::Issued) if now < validity.not_before => Finding::error(
            FindingCode::ResponderFuture,
            name,
            format!("has a responder certificate that is not valid before {}", validity.not_before),
        ),
        Some(CertificateState::Issued) if now >= half => Finding::warning(
            FindingCode::ResponderDue,
            name,
            format!("has a responder certificate past half its life; it lapses at {end}"),
        ),
        Some(CertificateState::Issued) => return Ok(None),
    };
    Ok(Some(offered(finding, authority)))
}
