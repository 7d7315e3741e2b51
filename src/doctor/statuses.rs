//! Comparison of the status published for responders with the index.
use super::finding::{Finding, Mending};
use super::records::bring_back;
use super::{Examination, FindingCode, Looked, Unseen, due, only_files};
use crate::index::StoreError;
use crate::status::{StatusComparison, StatusError};
use crate::x509::CertificateId;

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let index = examination.index()?;
    examination.authorities()?;
    only_files(&examination.home.status_directory())?;
    match examination.status.compare(index) {
        Ok(comparison) => {
            judge(examination, &comparison, findings);
            return Ok(format!("{} certificates as of {}", comparison.compared, comparison.time).into());
        }
        Err(StatusError::Store(StoreError::Missing(_))) => findings.push(due::status_missing()),
        Err(error @ StatusError::NotContinued { .. }) => findings.push(
            Finding::error(
                FindingCode::IndexRestored,
                "index.db",
                format!("is older than what is published: {error}"),
            )
            .remedy(bring_back(examination)),
        ),
        // the damage is in the index, and another check reports it
        Err(StatusError::Store(StoreError::Damaged(fault))) if index.status_rows(0, &mut |_| {}).is_err() => {
            return Err(Unseen::Damaged(fault));
        }
        Err(StatusError::Store(StoreError::Busy)) => return Err(Unseen::Publishing),
        Err(error) => findings.push(due::status_damaged(&error)),
    }
    Ok("what is published".to_owned().into())
}

fn judge(examination: &Examination<'_>, comparison: &StatusComparison, findings: &mut Vec<Finding>) {
    for lost in &comparison.lost {
        let message = "is published as revoked and not revoked on record: the index has lost a revocation";
        findings.push(
            Finding::error(FindingCode::StatusLostRevocation, named(examination, lost), message)
                .remedy(bring_back(examination)),
        );
    }
    let differing = comparison.differing.iter().map(|id| named(examination, id));
    for name in differing.chain(comparison.authorities.iter().cloned()) {
        findings.push(
            Finding::error(FindingCode::StatusDiffers, name, "is published otherwise than it is on record")
                .mending(Mending::WholeStatus),
        );
    }
    if !comparison.is_current {
        findings.push(due::status_stale());
    }
    let limit = examination.settings().ocsp.max_status_age;
    findings.extend(due::status_age(comparison.time, limit, examination.now));
}

fn named(examination: &Examination<'_>, id: &CertificateId) -> String {
    let authorities = examination.authorities().unwrap_or_default();
    let name = authorities.iter().find(|authority| authority.issuer == id.issuer);
    format!("{}/{}", name.map_or("", |authority| authority.name.as_str()), id.serial_number)
}
