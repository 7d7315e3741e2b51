//! Errors of the published status.
use crate::error::{Code, Problem, Remedy, Shown as _, remedy};
use crate::home::WriteError;
use crate::index::{IndexError, StoreError};
use crate::x509::SerialNumber;
use crate::x509::extension::CrlNumber;
use std::path::PathBuf;

/// Error of a reader or writer of the published status.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The published status was not made from an earlier state of this index.
    #[error(
        "the status published up to audit record {published} was not made from this index: an older copy of the index may have been restored"
    )]
    NotContinued {
        /// Sequence number of the audit record that was the newest when the status was published.
        published: u64,
    },
    /// There was a later state of this index. The text says what shows it.
    #[error("{0}: the index is an older copy")]
    OlderCopy(String),
    /// A CRL or status revokes certificates that are not revoked in the index.
    #[error(
        "the index contradicts {evidence}: {} there {} not so in the index, among them {}",
        counted(*count), if *count == 1 { "is" } else { "are" }, listed(first)
    )]
    Contradicts {
        /// What contradicts the index.
        evidence: SignedEvidence,
        /// The name of the CA.
        authority: String,
        /// Number of these certificates.
        count: usize,
        /// The first of their serial numbers.
        first: Vec<SerialNumber>,
    },
    /// The status cannot be published.
    #[error("the status is not published: {0}")]
    NotPublished(String),
    /// A file that the manifest names is not there or too short, as while the directory is being copied.
    #[error("the published status is not whole: {} is missing or cut short", .0.shown())]
    Incomplete(PathBuf),
    /// A file of signed answers is not taken; the text says why. Answers that were taken before say themselves until when they
    /// count.
    #[error("{0}")]
    Answers(String),
    /// The status was published in the form of an earlier version.
    #[error("{} is of an earlier version of the programs: the status has to be published again", .0.shown())]
    Former(PathBuf),
    /// A status file, or the file of the index, cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index that is to be published cannot be read.
    #[error(transparent)]
    Index(IndexError),
}

impl From<IndexError> for StatusError {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Store(error) => Self::Store(error),
            error => Self::Index(error),
        }
    }
}

impl From<WriteError> for StatusError {
    fn from(error: WriteError) -> Self {
        Self::Store(error.into())
    }
}

impl From<super::entry::Malformed> for StatusError {
    fn from(_: super::entry::Malformed) -> Self {
        Self::Store(StoreError::Damaged("the published status".to_owned()))
    }
}

impl From<rusqlite::Error> for StatusError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Something signed or published that an index is compared with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignedEvidence {
    /// A CRL that the CA signed.
    Crl(CrlNumber, String),
    /// The status published for responders.
    Status(String),
    /// The index's own audit records.
    Audit(String),
}

impl std::fmt::Display for SignedEvidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Crl(number, name) => write!(f, "CRL {number} that {name} signed"),
            Self::Status(name) => write!(f, "the status published of what {name} issued"),
            Self::Audit(name) => write!(f, "its own audit records of what {name} revoked"),
        }
    }
}

fn counted(count: usize) -> String {
    format!("{count} certificate{} revoked", if count == 1 { "" } else { "s" })
}

fn listed(serials: &[SerialNumber]) -> String {
    let texts: Vec<String> = serials.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

impl StatusError {
    fn code_and_hint(&self) -> (Code, Remedy) {
        match self {
            Self::Store(error) => error.code_and_hint(),
            Self::Index(error) => error.code_and_hint(),
            Self::NotContinued { .. } | Self::OlderCopy(_) => {
                (Code::IndexRestored, remedy::Home::OlderIndex.into())
            }
            Self::Contradicts { evidence: SignedEvidence::Crl(..), .. } => {
                (Code::IndexContradictsCrl, remedy::Home::TakeOverRevocations.into())
            }
            Self::Contradicts { evidence: SignedEvidence::Status(_), .. } => {
                (Code::IndexContradictsStatus, remedy::Home::RevokeAgain.into())
            }
            Self::Contradicts { evidence: SignedEvidence::Audit(_), .. } => {
                (Code::IndexContradictsAudit, remedy::Home::RevokeAgain.into())
            }
            Self::Incomplete(_) | Self::Answers(_) => StoreError::Backend(String::new()).code_and_hint(),
            Self::Former(_) => (Code::StatusNotPublished, remedy::Record::SyncStatus.into()),
            Self::NotPublished(_) => (Code::StatusNotPublished, remedy::Record::PublishStatus.into()),
        }
    }
}

impl From<StatusError> for Problem {
    fn from(error: StatusError) -> Self {
        let (code, hint) = error.code_and_hint();
        Self::of(code, error).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    fn contradicted(evidence: SignedEvidence) -> StatusError {
        let first = vec!["4a".parse().unwrap(), "4b".parse().unwrap()];
        StatusError::Contradicts { evidence, authority: "a".into(), count: 2, first }
    }

    #[test]
    fn a_contradiction_names_what_it_is_with_how_much_and_what_mends_it() {
        let problem = Problem::from(contradicted(SignedEvidence::Crl(7, "genfic-system".into())));
        assert_eq!((problem.exit, problem.code.code()), (Exit::Integrity, "index.contradicts-crl"));
        let message = "the index contradicts CRL 7 that genfic-system signed: 2 certificates revoked there are \
                       not so in the index, among them 4a, 4b";
        assert_eq!(problem.message, message);
        assert_eq!(problem.hint, remedy::Home::TakeOverRevocations.into());
    }

    #[test]
    fn every_problem_says_what_to_do() {
        for error in [
            StatusError::NotContinued { published: 7 },
            StatusError::OlderCopy("CRL 7 of a is not on record".into()),
            StatusError::NotPublished("status/: denied".into()),
            StatusError::Incomplete("status/delta-7.status".into()),
            StatusError::Former("status/manifest.json".into()),
            StatusError::from(IndexError::CrlNumber(3)),
            StatusError::from(IndexError::Store(StoreError::Busy)),
            contradicted(SignedEvidence::Status("a".into())),
            contradicted(SignedEvidence::Audit("a".into())),
        ] {
            let problem = Problem::from(error);
            assert!(!problem.hint.is_empty() && !problem.message.ends_with('.'), "{problem:?}");
        }
    }
}
