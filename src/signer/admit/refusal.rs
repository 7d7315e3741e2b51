//! Refusals as values: the broken rule, where it comes from, and what to do.
use crate::error::{Code, Problem};
use crate::lint::LintFinding;
use crate::signer::{Failure, RecordError};
use crate::x509::SerialNumber;
use std::fmt;

/// Most rules that are named in one refusal.
const SHOWN: usize = 20;

/// Why the signer does not sign something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    /// The code, which is an error of its own for each rule.
    pub(crate) code: Code,
    /// The source of the rule.
    pub(crate) citation: &'static str,
    /// What is wrong, one sentence without a full stop.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: &'static str,
    /// The entries whose end the signer does not know, with [`Code::SignerCrlEntryUnknown`]: the client shows their
    /// certificates, or keeps them.
    pub(crate) unknown: Vec<SerialNumber>,
}

impl Refusal {
    pub(in crate::signer) fn new(
        code: Code,
        citation: &'static str,
        message: impl Into<String>,
        hint: &'static str,
    ) -> Self {
        Self { code, citation, message: message.into(), hint, unknown: Vec::new() }
    }

    /// Returns the refusal of what the key was not made for.
    pub(in crate::signer) fn beyond(code: Code, citation: &'static str, message: impl Into<String>) -> Self {
        let hint =
            "ask for less, or use another CA; the security administrator can widen what the key is for";
        Self::new(code, citation, message, hint)
    }

    pub(super) fn malformed(what: &str, reason: impl fmt::Display) -> Self {
        let hint = "this program never asks for it: see who used the account of the CA, and when";
        Self::new(Code::SignerMalformed, "RFC 5280 §4.1, §5.1", format!("it is no {what}: {reason}"), hint)
    }

    pub(super) fn linted(findings: &[LintFinding]) -> Self {
        let citation = findings.first().map_or("RFC 5280", |one| one.citation);
        let lines = findings.iter().take(SHOWN).map(|one| format!("{} ({})", one.message, one.rule));
        let message = lines.collect::<Vec<_>>().join("; ");
        Self::new(Code::SignerLint, citation, message, "correct what is to be signed")
    }
}

impl From<RecordError> for Refusal {
    fn from(error: RecordError) -> Self {
        let hint = "nothing is signed until the record can be read: check the disk, and the signer's journal";
        Self::new(Code::SignerRecord, "the signer's own record", error.to_string(), hint)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the signer refuses: {} ({})", self.message, self.citation)
    }
}

impl std::error::Error for Refusal {}

/// The refusal as it comes over to the client.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::NotAdmitted {
            code: refusal.code.code().to_owned(),
            message: refusal.to_string(),
            hint: refusal.hint.to_owned(),
            unknown: refusal.unknown.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let hint = refusal.hint;
        Self::of(refusal.code, refusal).hint(hint)
    }
}
