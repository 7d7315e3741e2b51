//! What the errors of the modules below mean to a person.
use crate::error::{Exit, Problem};
use crate::index::TransitionError;
use crate::lint::Finding;
use crate::repository::PublishError;

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Write(error) if error.is_for_want_of_space() => {
                Self::new(Exit::Failure, "disk.full", error.to_string())
                    .hint("make room; what is on record is published by the next command")
            }
            PublishError::Write(error) => Self::new(Exit::Failure, "file.write", error.to_string()).hint(
                "make room or mend the permissions; what is on record is published by the next command",
            ),
            PublishError::Older { .. } => Self::new(Exit::Integrity, "crl.older", error.to_string())
                .hint("another process published meanwhile; `genfic-ca crl show CA` shows the list in force"),
            PublishError::NotRead { .. } => Self::new(Exit::Failure, "file.read", error.to_string())
                .hint("see to the limit of open files and to memory, then try again"),
            PublishError::Unreadable { .. } => {
                Self::new(Exit::Integrity, "file.unreadable", error.to_string())
                    .hint("move the file away if it is not one of this CA's, then try again; `genfic-ca doctor` names the command")
            }
            PublishError::Busy => Self::new(Exit::Busy, "publish.busy", error.to_string())
                .hint("wait for the other command to end, then try again"),
            PublishError::Home(problem) => problem,
        }
    }
}

impl From<TransitionError> for Problem {
    fn from(error: TransitionError) -> Self {
        let (exit, code) = match &error {
            TransitionError::AlreadyRevoked(_) => (Exit::Exists, "certificate.revoked"),
            TransitionError::AlreadyHeld(_) => (Exit::Exists, "certificate.held"),
            TransitionError::NotARevocationReason => (Exit::Usage, "usage"),
            TransitionError::PendingHold | TransitionError::NotHeld | TransitionError::KnownByNumber => {
                (Exit::Refused, "certificate.not-held")
            }
        };
        Self::new(exit, code, error.to_string())
    }
}

/// Findings of our own rules over what we were about to sign: a defect of a profile or of this program.
pub(super) fn lint_problem(findings: &[Finding]) -> Problem {
    let list: Vec<String> = findings
        .iter()
        .map(|finding| format!("{} ({}, {})", finding.message, finding.rule, finding.citation))
        .collect();
    Problem::new(Exit::Refused, "lint", format!("what would be signed breaks {}", list.join("; ")))
        .hint("nothing was signed; mend the profile or the request")
}
