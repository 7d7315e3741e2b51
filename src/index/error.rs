//! What can go wrong with the index.
use super::{KeyConflict, StoreError, TransitionError};
use crate::error::{Exit, Problem};
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, IssuerId, UnixTime};

/// What can go wrong with the index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The serial number is taken.
    #[error("the serial number {} is taken", .0.serial_number)]
    SerialInUse(CertificateId),
    /// No such certificate.
    #[error("no certificate with serial number {} is on record", .0.serial_number)]
    NotFound(CertificateId),
    /// Somebody else changed the record first.
    #[error("certificate {} was changed by somebody else meanwhile", .0.serial_number)]
    Conflict(CertificateId),
    /// The change of state is against the rules.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// A CA of that name or key exists.
    #[error("there is a CA named {0} already")]
    AuthorityExists(String),
    /// A CA's name would be borne by somebody else too.
    #[error("the name `{subject}` is that of {bearer}, which has another key")]
    NameTaken {
        /// The name.
        subject: String,
        /// Who has it.
        bearer: String,
    },
    /// No CA of this identity is on record.
    #[error("no CA of this name and key is on record (identity {})", hex(.0))]
    UnknownAuthority(IssuerId),
    /// The issuer, or one above it, is expired or revoked; says which and why.
    #[error("{0}")]
    IssuerUnfit(String),
    /// The key of what was to be signed, or released, is not certified for it.
    #[error("{conflict}")]
    KeyRefused {
        /// What was to be signed or released.
        id: CertificateId,
        /// Why not.
        conflict: KeyConflict,
    },
    /// The clock stands before what was signed last.
    #[error("the clock says {now}, which is before the newest record of something signed, at {newest}")]
    ClockBehind {
        /// What the clock says.
        now: UnixTime,
        /// When that was signed.
        newest: UnixTime,
    },
    /// The CRL number is not the one that was taken for this list.
    #[error("CRL number {0} is not free to be used")]
    CrlNumber(CrlNumber),
    /// The index was restored, and nobody has accepted that yet.
    #[error(
        "this is an index from a backup of {backup}, and what happened since is not complete in it: nothing is issued or released until it is accepted"
    )]
    NotAccepted {
        /// When the backup was made.
        backup: UnixTime,
    },
    /// The file that it is in cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn hex(issuer: &IssuerId) -> String {
    issuer.0.iter().take(8).map(|octet| format!("{octet:02x}")).collect()
}

impl From<IndexError> for Problem {
    fn from(error: IndexError) -> Self {
        let message = error.to_string();
        let (exit, code, hint) = match error {
            IndexError::KeyRefused { conflict, .. } => return conflict.into(),
            IndexError::Store(error) => return error.into(),
            IndexError::SerialInUse(_) => {
                (Exit::Failure, "index.serial-in-use", "run the command again; it takes another number")
            }
            IndexError::NotFound(_) => {
                (Exit::NotFound, "index.not-found", "`genfic-ca list` shows what is on record")
            }
            IndexError::Conflict(_) => {
                (Exit::Busy, "index.conflict", "look at it again, then repeat the command")
            }
            IndexError::Transition(_) => {
                (Exit::Refused, "index.transition", "`genfic-ca show` says where it stands")
            }
            IndexError::AuthorityExists(_) => (
                Exit::Exists,
                "authority.exists",
                "choose another name; `genfic-ca authorities` lists those that are taken",
            ),
            IndexError::NameTaken { .. } => (
                Exit::Refused,
                "policy.name-of-a-ca",
                "clients find issuers by their names: give another subject (--subject), or make the request anew with one",
            ),
            IndexError::UnknownAuthority(_) => {
                (Exit::NotFound, "authority.not-found", "`genfic-ca authorities` lists the CAs")
            }
            IndexError::IssuerUnfit(_) => {
                (Exit::Refused, "issuer.unfit", "use another CA; `genfic-ca authorities --tree` shows them")
            }
            IndexError::ClockBehind { .. } => (
                Exit::Integrity,
                "clock.behind",
                "set the clock; nothing is signed with a clock that stands before what was signed. `genfic-ca clock status` says more",
            ),
            IndexError::CrlNumber(_) => (
                Exit::Integrity,
                "crl.number",
                "run `genfic-ca crl publish` again, which takes a new number; where that is refused too, the number noted beside the CA's key is too large, and `genfic-ca doctor` says how to go on",
            ),
            IndexError::NotAccepted { .. } => (
                Exit::Integrity,
                "restore.not-accepted",
                "revoking, CRLs and OCSP work; see what `genfic-ca audit show` says was restored, then run `genfic-ca backup accept`",
            ),
        };
        Problem::new(exit, code, message).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_says_what_to_do() {
        for error in [
            IndexError::Store(StoreError::Busy),
            IndexError::CrlNumber(3),
            IndexError::NotAccepted { backup: UnixTime(0) },
            IndexError::ClockBehind { now: UnixTime(0), newest: UnixTime(1) },
        ] {
            let problem = Problem::from(error);
            assert!(!problem.hint.is_empty() && !problem.message.ends_with('.'), "{problem:?}");
        }
        assert_eq!(Problem::from(IndexError::CrlNumber(3)).exit, Exit::Integrity);
    }
}
