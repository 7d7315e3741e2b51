//! Problems, as shown to people, for the errors of the modules below.
use crate::error::{Code, Problem, remedy};
use crate::index::TransitionError;
use crate::lint::LintFinding;
use crate::repository::PublishError;
use crate::signing::MarkError;

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Write(error) if error.is_for_want_of_space() => Self::of(Code::DiskFull, error)
                .hint("make room; what is on record is published by the next command"),
            PublishError::Write(error) => Self::of(Code::FileNotWritten, error).hint(
                "make room or mend the permissions; what is on record is published by the next command",
            ),
            PublishError::Older { .. } => Self::of(Code::CrlOlder, error).hint(remedy::Record::CrlInForce),
            PublishError::NotRead { .. } => Self::of(Code::FileNotRead, error)
                .hint("see to the limit of open files and to memory, then try again"),
            PublishError::Unreadable { .. } => {
                Self::of(Code::FileUnreadable, error).hint(remedy::Record::MoveAside)
            }
            PublishError::Busy => {
                Self::of(Code::PublishBusy, error).hint("wait for the other command to end, then try again")
            }
            PublishError::Home(problem) => problem,
        }
    }
}

impl From<MarkError> for Problem {
    fn from(error: MarkError) -> Self {
        match error {
            MarkError::Key(error) => error.into(),
            MarkError::Unreadable { path, reason } | MarkError::NotAFile { path, reason } => {
                PublishError::Unreadable { path, reason }.into()
            }
            MarkError::NotRead { path, source } => PublishError::NotRead { path, source }.into(),
            MarkError::Write(error) => PublishError::Write(error).into(),
            MarkError::Busy => PublishError::Busy.into(),
        }
    }
}

impl From<TransitionError> for Problem {
    fn from(error: TransitionError) -> Self {
        let code = match &error {
            TransitionError::AlreadyRevoked(_) => Code::CertificateRevokedBefore,
            TransitionError::AlreadyHeld(_) => Code::CertificateHeld,
            TransitionError::NotARevocationReason => Code::Usage,
            TransitionError::PendingHold | TransitionError::NotHeld | TransitionError::KnownByNumber => {
                Code::CertificateNotHeld
            }
        };
        Self::of(code, error)
    }
}

/// The problem that our own rules found faults in what was about to be signed: a defect of a profile or of
/// this program.
pub(super) fn lint_problem(findings: &[LintFinding]) -> Problem {
    let list: Vec<String> = findings
        .iter()
        .map(|finding| format!("{} ({}, {})", finding.message, finding.rule, finding.citation))
        .collect();
    Problem::new(Code::LintRefused, format!("what would be signed breaks {}", list.join("; ")))
        .hint("nothing was signed; mend the profile or the request")
}
