//! Comparison of the status published for responders with the index.
use super::finding::{Finding, Mending};
use super::records::bring_back;
use super::{Examination, FindingCode, Looked, Unseen, only_files};
use crate::error::remedy;
use crate::index::StoreError;
use crate::status::{StatusComparison, StatusError};
use crate::x509::CertificateId;

const SYNC: remedy::Repair = remedy::Repair::PublishStatus;

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let index = examination.index()?;
    examination.authorities()?;
    only_files(&examination.home.status_directory())?;
    let object = "status/";
    match examination.status.compare(index) {
        Ok(comparison) => {
            judge(examination, &comparison, findings);
            return Ok(format!("{} certificates as of {}", comparison.compared, comparison.time).into());
        }
        Err(StatusError::Store(StoreError::Missing(_))) => findings.push(
            Finding::error(
                FindingCode::StatusMissing,
                object,
                "has no published status: responders answer nothing",
            )
            .remedy(SYNC)
            .mending(Mending::Status),
        ),
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
        Err(error) => findings.push(
            Finding::error(FindingCode::StatusDamaged, object, format!("cannot be read: {error}"))
                .mending(Mending::WholeStatus),
        ),
    }
    Ok("what is published".to_owned().into())
}

fn judge(examination: &Examination<'_>, comparison: &StatusComparison, findings: &mut Vec<Finding>) {
    let object = "status/";
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
        findings.push(
            Finding::error(
                FindingCode::StatusStale,
                object,
                "lacks the latest changes: responders do not know of them",
            )
            .remedy(SYNC)
            .mending(Mending::Status),
        );
    }
    let limit = examination.settings().ocsp.max_status_age;
    let age = examination.now.0.saturating_sub(comparison.time.0);
    let told = format!("was last confirmed at {}", comparison.time);
    if age > limit {
        let message = format!("{told}, too long ago for a responder to answer from it");
        findings.push(
            Finding::error(FindingCode::StatusOld, object, message).remedy(SYNC).mending(Mending::Status),
        );
    } else if age > limit / 2 {
        let message = format!("{told}, and responders soon stop to answer from it; does the timer run");
        findings.push(
            Finding::warning(FindingCode::StatusOld, object, message).remedy(SYNC).mending(Mending::Status),
        );
    } else if age < -300 {
        let message = format!("{told}, which is in the future");
        findings.push(
            Finding::error(FindingCode::StatusFuture, object, message).remedy(SYNC).mending(Mending::Status),
        );
    }
}

fn named(examination: &Examination<'_>, id: &CertificateId) -> String {
    let authorities = examination.authorities().unwrap_or_default();
    let name = authorities.iter().find(|authority| authority.issuer == id.issuer);
    format!("{}/{}", name.map_or("", |authority| authority.name.as_str()), id.serial_number)
}
