//! Checks of the index: it opens and is intact, its audit chain, and the certificates on record.
use super::finding::{Finding, Mending};
use super::issued::IssuedFiles;
use super::{Examination, FindingCode, Looked, Seen, Unseen, compromised, counted};
use crate::audit::{AuditRecord, Verifier};
use crate::ca::waits_for_ceremony;
use crate::error::{Code, Remedy, Shown as _, remedy};
use crate::home::quoted;
use crate::index::{Authority, CertificateRecord, CertificateState, DamageKind, Examined, IssuanceIndex};
use crate::x509::CertificateId;

/// Number of the newest certificates whose signatures and files are compared without `deep`; they take a second or
/// two.
pub(super) const NEWEST: usize = 10_000;

/// Returns the remedy for an index that is damaged or lost records. No command repairs such an index.
fn restore(examination: &Examination<'_>) -> remedy::Repair {
    remedy::Repair::Restore(examination.home.directory().to_owned())
}

/// Returns the remedy for an index that is older than the published data. Nothing is published from it.
pub(super) fn bring_back(examination: &Examination<'_>) -> remedy::Repair {
    remedy::Repair::BringBackOrRestore(examination.home.directory().to_owned())
}

pub(super) fn check_index(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let file = examination.index_file.shown().to_string();
    let index = match &examination.index {
        Ok(index) => *index,
        Err(problem) => {
            if ![Code::HomeWrongUser, Code::HomeUnsafe].contains(&problem.code) {
                let message = problem.message.trim_start_matches(&file).trim_start();
                let remedy = of_unopened(examination, problem.code, &problem.hint);
                findings
                    .push(Finding::error(FindingCode::Unopened(problem.code), file, message).remedy(remedy));
            }
            return Err(Unseen::NoIndex((*problem).clone()));
        }
    };
    let head = index.audit_head()?;
    let pending = without_asked_for(examination, index.pending()?, findings)?;
    if pending > 0 {
        pending_rows(index, pending, findings)?;
    }
    if let Some(restored) = index.restored()? {
        let message = format!(
            "was restored at {} from a backup of {}, and nothing is issued or released until that is accepted",
            restored.at, restored.backup
        );
        findings.push(
            Finding::warning(FindingCode::RestoreNotAccepted, "index.db", message)
                .remedy(remedy::Repair::AcceptRestored),
        );
    }
    Ok(format!("{}, change {}", counted_records(head.sequence), index.change_number().unwrap_or_default())
        .into())
}

fn counted_records(count: u64) -> String {
    format!("{count} audit records")
}

fn of_unopened(examination: &Examination<'_>, code: Code, hint: &Remedy) -> Remedy {
    let keys = std::fs::read_dir(examination.home.keys_directory());
    let has_keys = keys.is_ok_and(|mut keys| keys.next().is_some());
    match code {
        Code::IndexMissing if !has_keys => remedy::Repair::Init(Box::default()).into(),
        Code::IndexMissing => remedy::Repair::BringIndexBack(examination.home.directory().to_owned()).into(),
        Code::IndexDamaged => restore(examination).into(),
        Code::IndexFailed => format!("ls -l {}", quoted(examination.index_file)).into(),
        _ => hint.clone(),
    }
}

/// Returns how many of these certificates no request for a ceremony asks for, and notes the others.
fn without_asked_for(
    examination: &Examination<'_>,
    pending: Vec<CertificateId>,
    findings: &mut Vec<Finding>,
) -> Result<usize, Unseen> {
    if pending.is_empty() {
        return Ok(0);
    }
    let all = examination.authorities()?;
    let waits = |id: &CertificateId| {
        let issuer = all.iter().find(|one| one.issuer == id.issuer);
        // one that cannot be read is found by the check of the home's files
        issuer.is_some_and(|one| {
            waits_for_ceremony(examination.publisher, &one.name, &id.serial_number).unwrap_or(false)
        })
    };
    let (waiting, lost): (Vec<_>, Vec<_>) = pending.into_iter().partition(waits);
    if !waiting.is_empty() {
        let message = format!(
            "has {} asked for in a ceremony, whose answer is not here",
            counted(waiting.len(), "certificate")
        );
        findings.push(
            Finding::note(FindingCode::IndexPending, "index.db", message)
                .remedy(remedy::Repair::LookAtStatus),
        );
    }
    Ok(lost.len())
}

fn pending_rows(
    index: &dyn IssuanceIndex,
    pending: usize,
    findings: &mut Vec<Finding>,
) -> Result<(), Unseen> {
    let free = index.nobody_is_signing()?.is_some();
    let what = counted(pending, "certificate");
    findings.push(if free {
        let message = format!("has {what} that a command did not live to sign; they are to be abandoned");
        Finding::warning(FindingCode::IndexPending, "index.db", message).mending(Mending::Pending)
    } else {
        Finding::note(FindingCode::IndexPending, "index.db", format!("has {what} being signed at the moment"))
            .remedy(remedy::Repair::LookAtStatus)
    });
    Ok(())
}

pub(super) fn check_audit(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let index = examination.index()?;
    let head = index.audit_head()?;
    let mut verifier = Verifier::new(Some(head));
    let mut broken = |fault: String| {
        findings.push(
            Finding::error(
                FindingCode::AuditBroken,
                "index.db",
                format!("has a broken audit chain: {fault}"),
            )
            .remedy(remedy::Repair::CompareIndex),
        );
    };
    let mut count: u64 = 0;
    let read = index.audit_records(1, &mut |record: AuditRecord| {
        count += 1;
        if let Err(fault) = verifier.check(&record) {
            broken(fault.to_string());
        }
        true
    });
    match read {
        Ok(()) => {
            if let Err(fault) = verifier.finish() {
                broken(fault.to_string());
            }
        }
        Err(error) => broken(error.to_string()),
    }
    Ok(counted_records(count).into())
}

pub(super) fn check_certificates(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let index = examination.index()?;
    let known = examination.authorities().is_ok();
    let authorities = examination.authorities().unwrap_or_default();
    let mut files = IssuedFiles::list(examination, &authorities);
    let (mut count, mut compared, mut by_number): (usize, usize, usize) = (0, 0, 0);
    let limit = if examination.deep { usize::MAX } else { NEWEST };
    let outcome = index.examine(&mut |examined| match examined {
        Examined::Damage(damage) => {
            let code = match damage.kind {
                DamageKind::Storage => FindingCode::IndexStorage,
                DamageKind::Reference => FindingCode::IndexReference,
                DamageKind::Record => FindingCode::IndexRecord,
            };
            findings.push(Finding::error(code, damage.place, damage.fault).remedy(restore(examination)));
        }
        Examined::Certificate(record) => {
            count += 1;
            by_number += usize::from(record.serial_only);
            let closely = compared < limit;
            compared += usize::from(closely && known);
            if closely && known && !is_by_its_issuer(&record, &authorities) {
                let object = format!("{}/{}", record.authority, record.id.serial_number);
                findings.push(
                    Finding::error(
                        FindingCode::IndexSignature,
                        object,
                        "is not signed by the CA it is on record under",
                    )
                    .remedy(restore(examination)),
                );
            }
            files.meet(&record, closely, examination);
        }
    });
    if let Err(error) = outcome {
        findings.push(
            Finding::error(FindingCode::IndexStorage, "index.db", format!("cannot be read through: {error}"))
                .remedy(restore(examination)),
        );
    }
    let kept = files.finish(examination, &authorities, findings);
    let listed = compromised::check(examination, findings)?;
    let is_part = compared < count;
    let unread = if is_part && !known { " (the CAs cannot be read)" } else { "" };
    let by_number = match by_number {
        0 => String::new(),
        number => format!(" ({number} known by number alone)"),
    };
    let what = format!(
        "{} on record{by_number}, {kept}, {listed}, {} compared{unread}",
        counted(count, "certificate"),
        counted(compared, "signature")
    );
    Ok(Seen { what, newest_of: (is_part && known).then_some(count) })
}

fn is_by_its_issuer(record: &CertificateRecord, authorities: &[Authority]) -> bool {
    let Some(certificate) = &record.certificate else {
        // a record that has only the serial number cannot be compared
        return record.serial_only || record.state != CertificateState::Issued;
    };
    let issuer = authorities.iter().find(|authority| authority.issuer == record.id.issuer);
    issuer.is_some_and(|issuer| {
        let tbs = issuer.certificate.tbs();
        certificate.tbs().names_as_issuer(tbs) && certificate.was_signed_by(tbs.public_key())
    })
}
