//! Errors of the index.
use super::{KeyConflict, StoreError, TransitionError};
use crate::error::{Code, Problem, Remedy, remedy};
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, IssuerId, UnixTime};

/// Error of an index.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The serial number is already assigned.
    #[error("the serial number {} is taken", .0.serial_number)]
    SerialInUse(CertificateId),
    /// No such certificate is on record.
    #[error("no certificate with serial number {} is on record", .0.serial_number)]
    NotFound(CertificateId),
    /// Another process changed the record first.
    #[error("certificate {} was changed by somebody else meanwhile", .0.serial_number)]
    Conflict(CertificateId),
    /// The state machine does not allow the change of state.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// A CA of that name or key exists.
    #[error("there is a CA named {0} already")]
    AuthorityExists(String),
    /// The subject belongs to a CA or subscriber with another key.
    #[error("the name `{subject}` is that of {bearer}, which has another key")]
    NameTaken {
        /// The name that was asked for.
        subject: String,
        /// The CA or certificate that has the name.
        bearer: String,
    },
    /// No CA of this identity is on record.
    #[error("no CA of this name and key is on record (identity {:.16})", base16ct::lower::encode_string(&.0 .0))]
    UnknownAuthority(IssuerId),
    /// The issuer, or one of its issuers, is expired or revoked. The text says which and why.
    #[error("{0}")]
    IssuerUnfit(String),
    /// The key of the certificate that was to be signed or released must not be certified.
    #[error("{conflict}")]
    KeyRefused {
        /// The certificate that was to be signed or released.
        id: CertificateId,
        /// The reason.
        conflict: KeyConflict,
    },
    /// Another certificate for the key of a renewal was recorded since the renewal was decided.
    #[error("another command has issued {} for its key meanwhile", .by.serial_number)]
    RenewedMeanwhile {
        /// The certificate that was to be signed.
        id: CertificateId,
        /// The certificate of the other command, which may be pending.
        by: CertificateId,
    },
    /// The clock is behind the time of the newest signature.
    #[error("the clock says {now}, which is before the newest record of something signed, at {newest}")]
    ClockBehind {
        /// The time that the clock shows.
        now: UnixTime,
        /// The time of the newest signature.
        newest: UnixTime,
    },
    /// The CRL number is not the one that was taken for this CRL.
    #[error("CRL number {0} is not free to be used")]
    CrlNumber(CrlNumber),
    /// The index was restored from a backup, and nobody has accepted it yet.
    #[error(
        "this is an index from a backup of {backup}, and what happened since is not complete in it: nothing is issued or released until it is accepted"
    )]
    NotAccepted {
        /// When the backup was made.
        backup: UnixTime,
    },
    /// The file of the index cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IndexError {
    pub(crate) fn code_and_hint(&self) -> (Code, Remedy) {
        match self {
            Self::KeyRefused { .. } => (Code::PolicyKeyReused, "make a request with a new key".into()),
            Self::Store(error) => error.code_and_hint(),
            Self::SerialInUse(_) => {
                (Code::IndexSerialInUse, "run the command again; it takes another number".into())
            }
            Self::NotFound(_) => (Code::IndexNotFound, remedy::Record::List.into()),
            Self::Conflict(_) => (Code::IndexConflict, "look at it again, then repeat the command".into()),
            Self::Transition(_) => (Code::IndexTransition, remedy::Record::Show.into()),
            Self::AuthorityExists(_) => (Code::AuthorityExists, remedy::Record::OtherAuthorityName.into()),
            Self::NameTaken { .. } => (Code::PolicyNameOfACa, remedy::Request::OtherNameOfTheCa.into()),
            Self::RenewedMeanwhile { .. } => {
                (Code::RenewalMeanwhile, "look at it, then repeat the command if it is still due".into())
            }
            Self::UnknownAuthority(_) => (Code::AuthorityNotFound, remedy::Record::Authorities.into()),
            Self::IssuerUnfit(_) => (Code::IssuerUnfit, remedy::Record::OtherIssuer.into()),
            Self::ClockBehind { .. } => (Code::ClockBehind, remedy::Home::SetClock.into()),
            Self::CrlNumber(_) => (Code::CrlNumber, remedy::Record::NextCrlNumber.into()),
            Self::NotAccepted { .. } => (Code::RestoreNotAccepted, remedy::Home::AcceptRestored.into()),
        }
    }
}

impl From<IndexError> for Problem {
    fn from(error: IndexError) -> Self {
        if let IndexError::KeyRefused { conflict, .. } = error {
            return conflict.into();
        }
        let (code, hint) = error.code_and_hint();
        Self::of(code, error).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

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
