//! What can go wrong with the index.
use super::{KeyConflict, TransitionError};
use crate::error::{Code, Problem, Shown as _};
use crate::repository::WriteError;
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, IssuerId, SerialNumber, UnixTime};
use std::path::PathBuf;

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
    /// Another process holds the index for longer than the wait allows.
    #[error("the index is held by another process")]
    Busy,
    /// There is something in the place of a new index.
    #[error("{} exists already", .0.shown())]
    Exists(PathBuf),
    /// There is no index in this place.
    #[error("{} does not exist", .0.shown())]
    Missing(PathBuf),
    /// The index is of a version that this program does not know.
    #[error("the index has schema version {found}; this program knows {known}")]
    Schema {
        /// In the file.
        found: i64,
        /// Known here.
        known: i64,
    },
    /// What was published does not come from an earlier state of this index.
    #[error(
        "the status published up to audit record {published} was not made from this index: an older copy of the index may have been restored"
    )]
    NotContinued {
        /// The audit record that was the newest when it was published.
        published: u64,
    },
    /// Something shows that there was a later state of this index; says what.
    #[error("{0}: the index is an older copy")]
    OlderCopy(String),
    /// What was signed or published revokes what is not revoked in the index.
    #[error(
        "the index contradicts {evidence}: {} there {} not so in the index, among them {}",
        counted(*count), if *count == 1 { "is" } else { "are" }, listed(first)
    )]
    Contradicts {
        /// What says otherwise.
        evidence: Evidence,
        /// The CA.
        authority: String,
        /// How many certificates.
        count: usize,
        /// The first of them.
        first: Vec<SerialNumber>,
    },
    /// The status cannot be published.
    #[error("the status is not published: {0}")]
    NotPublished(String),
    /// The index was restored, and nobody has accepted that yet.
    #[error(
        "this is an index from a backup of {backup}, and what happened since is not complete in it: nothing is issued or released until it is accepted"
    )]
    NotAccepted {
        /// When the backup was made.
        backup: UnixTime,
    },
    /// What is stored contradicts itself.
    #[error("what is stored is damaged: {0}")]
    Damaged(String),
    /// The disk is full.
    #[error("there is no space left on the disk: {0}")]
    NoSpace(String),
    /// The database failed.
    #[error("the index cannot be used: {0}")]
    Backend(String),
}

/// What an index is compared with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Evidence {
    /// A CRL that the CA signed.
    Crl(CrlNumber, String),
    /// What is published for responders.
    Status(String),
    /// The index's own audit records.
    Audit(String),
}

impl std::fmt::Display for Evidence {
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

fn hex(issuer: &IssuerId) -> String {
    issuer.0.iter().take(8).map(|octet| format!("{octet:02x}")).collect()
}

impl From<WriteError> for IndexError {
    fn from(error: WriteError) -> Self {
        if error.is_for_want_of_space() {
            Self::NoSpace(error.to_string())
        } else {
            Self::Backend(error.to_string())
        }
    }
}

/// What to do with an index that is an older copy.
const RESTORED_HINT: &str = "bring the newest index back; or, when it is lost for good, move the home aside and run `genfic-ca backup restore` with --published naming what was moved; `genfic-ca doctor` prints the commands";

/// What to do with an index that takes back what a CRL says.
const CONTRADICTED_HINT: &str = "nothing that takes a revocation back is published; `genfic-ca doctor --fix` takes the CRL's entries over as revoked; find out who changed the index: `genfic-ca audit verify`, `genfic-ca audit show`";

/// The same where no CRL has it.
const REVOKE_AGAIN_HINT: &str = "nothing that takes a revocation back is published; find out who changed the index: `genfic-ca audit show`; then revoke them again, or bring the right index back";

impl From<IndexError> for Problem {
    fn from(error: IndexError) -> Self {
        let error = match error {
            IndexError::KeyRefused { conflict, .. } => return conflict.into(),
            other => other,
        };
        let (code, hint) = match &error {
            IndexError::KeyRefused { .. } => (Code::PolicyKeyReused, "make a request with a new key"),
            IndexError::SerialInUse(_) => {
                (Code::IndexSerialInUse, "run the command again; it takes another number")
            }
            IndexError::NotFound(_) => (Code::IndexNotFound, "`genfic-ca list` shows what is on record"),
            IndexError::Conflict(_) => (Code::IndexConflict, "look at it again, then repeat the command"),
            IndexError::Transition(_) => (Code::IndexTransition, "`genfic-ca show` says where it stands"),
            IndexError::AuthorityExists(_) => (
                Code::AuthorityExists,
                "choose another name; `genfic-ca authorities` lists those that are taken",
            ),
            IndexError::NameTaken { .. } => (
                Code::PolicyNameOfACa,
                "clients find issuers by their names: give another subject (--subject), or make the request anew with one",
            ),
            IndexError::UnknownAuthority(_) => {
                (Code::AuthorityNotFound, "`genfic-ca authorities` lists the CAs")
            }
            IndexError::IssuerUnfit(_) => {
                (Code::IssuerUnfit, "use another CA; `genfic-ca authorities --tree` shows them")
            }
            IndexError::ClockBehind { .. } => (
                Code::ClockBehind,
                "set the clock; nothing is signed with a clock that stands before what was signed. `genfic-ca clock status` says more",
            ),
            IndexError::CrlNumber(_) => (
                Code::CrlNumber,
                "run `genfic-ca crl publish` again, which takes a new number; where that is refused too, the number noted beside the CA's key is too large, and `genfic-ca doctor` says how to go on",
            ),
            IndexError::Busy => (Code::IndexBusy, "wait for the other command to end, then try again"),
            IndexError::Exists(_) => (Code::IndexExists, "use the index that is there, or another home"),
            IndexError::Missing(_) => (
                Code::IndexMissing,
                "run `genfic-ca init` in a new home, or name the home with --home; where there were CAs, `genfic-ca doctor` says more",
            ),
            IndexError::Schema { .. } => {
                (Code::IndexSchema, "use the version of genfic-ca that wrote it, or a newer one")
            }
            IndexError::NotContinued { .. } => (Code::IndexRestored, RESTORED_HINT),
            IndexError::OlderCopy(_) => (Code::IndexRestored, RESTORED_HINT),
            IndexError::Contradicts { evidence: Evidence::Crl(..), .. } => {
                (Code::IndexContradictsCrl, CONTRADICTED_HINT)
            }
            IndexError::Contradicts { evidence: Evidence::Status(_), .. } => {
                (Code::IndexContradictsStatus, REVOKE_AGAIN_HINT)
            }
            IndexError::Contradicts { evidence: Evidence::Audit(_), .. } => {
                (Code::IndexContradictsAudit, REVOKE_AGAIN_HINT)
            }
            IndexError::NotPublished(_) => (
                Code::StatusNotPublished,
                "see that status/ can be written, then run `genfic-ca ocsp sync`; what is not published is not handed out",
            ),
            IndexError::NotAccepted { .. } => (
                Code::RestoreNotAccepted,
                "revoking, CRLs and OCSP work; see what `genfic-ca audit show` says was restored, then run `genfic-ca backup accept`",
            ),
            IndexError::Damaged(_) => (
                Code::IndexDamaged,
                "run `genfic-ca doctor`, which says what is damaged; keep the files as they are, and restore the index from a backup",
            ),
            IndexError::NoSpace(_) => (
                Code::DiskFull,
                "make room; nothing that is on record is lost, and the next command goes on from there",
            ),
            IndexError::Backend(_) => (
                Code::IndexFailed,
                "look at owner and mode of the file, free space and the limit of open files, or run `genfic-ca doctor`; then try again",
            ),
        };
        Problem::of(code, error).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    fn contradicted(evidence: Evidence) -> IndexError {
        let first = vec!["4a".parse().unwrap(), "4b".parse().unwrap()];
        IndexError::Contradicts { evidence, authority: "a".into(), count: 2, first }
    }

    #[test]
    fn a_contradiction_names_what_it_is_with_how_much_and_what_mends_it() {
        let problem = Problem::from(contradicted(Evidence::Crl(7, "genfic-system".into())));
        assert_eq!((problem.exit, problem.code.code()), (Exit::Integrity, "index.contradicts-crl"));
        let message = "the index contradicts CRL 7 that genfic-system signed: 2 certificates revoked there are \
                       not so in the index, among them 4a, 4b";
        assert_eq!(problem.message, message);
        assert!(problem.hint.contains("`genfic-ca doctor --fix`"), "{}", problem.hint);
    }

    #[test]
    fn every_problem_says_what_to_do() {
        for error in [
            IndexError::Busy,
            IndexError::Missing("index.db".into()),
            IndexError::Schema { found: 2, known: 1 },
            IndexError::CrlNumber(3),
            IndexError::NotContinued { published: 7 },
            IndexError::OlderCopy("CRL 7 of a is not on record".into()),
            IndexError::NotPublished("status/: denied".into()),
            contradicted(Evidence::Status("a".into())),
            contradicted(Evidence::Audit("a".into())),
            IndexError::NotAccepted { backup: UnixTime(0) },
            IndexError::ClockBehind { now: UnixTime(0), newest: UnixTime(1) },
            IndexError::NoSpace("index.db".into()),
        ] {
            let problem = Problem::from(error);
            assert!(!problem.hint.is_empty() && !problem.message.ends_with('.'), "{problem:?}");
        }
        assert_eq!(Problem::from(IndexError::CrlNumber(3)).exit, Exit::Integrity);
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let unwritten = IndexError::from(WriteError { path: "delta-1.db".into(), source: full });
        assert_eq!(Problem::from(unwritten).code.code(), "disk.full");
    }
}
