//! Two commands that renew one certificate at the same time: the second takes what the first has issued. It is decided
//! in the transaction that records the certificate, which compares the certificates for the key with those of before.
use super::{Former, placing};
use crate::cli::Renew;
use crate::commands::values::record as record_fields;
use crate::report::Report;
use crate::session::Session;
use genfic_ca::ca::Renewal;
use genfic_ca::error::Problem;
use genfic_ca::index::{CertificateRecord, CertificateState, first_audit_at};
use genfic_ca::profile::Applicant;
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

/// How long a certificate that another command is about to issue is waited for, and the time between two looks.
const WAIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Returns what the record is asked beside: the certificates for the key. One that is pending is not among them, since
/// it may be the renewal of another command. With a new key there is nothing to compare.
pub(in crate::commands) fn renewal(
    session: &Session,
    former: &Former,
    applicant: &Applicant,
) -> Result<Option<Renewal>, Problem> {
    let key = applicant.public_key.digest();
    if former.record.key != Some(key) {
        return Ok(None);
    }
    let uses = session.engine().record().key_uses(&key)?.into_iter();
    let known = uses.filter(|one| one.state != CertificateState::Pending).map(|one| one.id).collect();
    Ok(Some(Renewal { former: former.record.id.clone(), decided_beside: known }))
}

/// Returns the certificate that another command has issued in place of this one since then, once it is issued.
pub(in crate::commands) fn newer(
    session: &Session,
    former: &Former,
    renewal: &Renewal,
) -> Result<Option<CertificateRecord>, Problem> {
    let (engine, begun) = (session.engine(), Instant::now());
    let key = former.record.key.unwrap_or_default();
    loop {
        let (mut found, mut is_pending) = (None, false);
        for one in engine.record().key_uses(&key)? {
            if one.is_abandoned || renewal.decided_beside.contains(&one.id) {
                continue;
            }
            let Some(record) = engine.record().certificate(&one.id)? else { continue };
            if engine.hierarchy().is_one_holder(&record, &former.record)? {
                is_pending |= one.state == CertificateState::Pending;
                found = Some(record).filter(|_| one.state == CertificateState::Issued).or(found);
            }
        }
        if found.is_some() || !is_pending || begun.elapsed() > WAIT {
            return Ok(found);
        }
        thread::sleep(PAUSE);
    }
}

/// Returns the report of a certificate that another command has renewed meanwhile. The output of `-o` has it then.
pub(super) fn report(
    session: &Session,
    args: &Renew,
    word: &str,
    newer: CertificateRecord,
) -> Result<Report, Problem> {
    let newer = Former::of(session, args, newer)?;
    let id = newer.id();
    let file = session.issued_file(&newer.record);
    let now = session.engine().now();
    let result = json!({
        "certificates": [record_fields(&newer.record, file.as_deref(), now)],
        "refused": [],
        "renewed_meanwhile": true,
    });
    let text = format!(
        "{word} was renewed already {}, by another command: {id}, which is valid until {}",
        at_by(session, &newer)?,
        newer.record.validity.not_after
    );
    placing::brought(session, args, &newer, || true, Report::seen(result, text))
}

/// Returns when a certificate was issued, and by whom, as the audit log has it.
fn at_by(session: &Session, one: &Former) -> Result<String, Problem> {
    let (record, id, mut told) = (session.engine().record(), one.id(), None);
    let first = first_audit_at(record, one.record.validity.not_before)?;
    record.audit_naming(&id, first, &mut |found| {
        if found.event.action == "certificate.issued" && found.event.object == id {
            told = Some(format!("at {} by {}", found.event.at, found.event.actor));
        }
        told.is_none()
    })?;
    Ok(told.unwrap_or_else(|| "meanwhile".to_owned()))
}
