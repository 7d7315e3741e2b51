//! Findings, with severity and repair.
use super::FindingCode;
use crate::error::{Remedy, remedy};
use crate::home;
use crate::x509::CertificateId;
use std::fmt;
use std::path::PathBuf;

/// Severity of a finding.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Information; nothing has to be done.
    Note,
    /// A state that will become an error, or that impairs the operation.
    Warning,
    /// A state in which relying parties get wrong status or none, or in which the check itself is impossible.
    Error,
}

/// Writes `error`, `warning` or `note`.
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A fault, or a piece of information.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The kind.
    pub code: FindingCode,
    /// The severity.
    pub severity: Severity,
    /// The object: a CA, a certificate as `CA/SERIAL`, or a file.
    pub object: String,
    /// The message: one sentence without a full stop that begins with the object.
    pub message: String,
    /// A consequence for users of the programs.
    pub consequence: Option<Consequence>,
    /// The command that repairs it, or advice where no command does.
    pub remedy: Remedy,
    /// The repair that [`super::mend_files`] and [`super::mend_records`] make; `None` where a person has to decide.
    pub mending: Option<Mending>,
}

/// A consequence of a finding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Consequence {
    /// Users have to name the profile when they have a certificate signed.
    ProfileIsNamed,
}

/// A repair that is safe, and harmless when done twice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mending {
    /// Change the permission bits of a file of the home.
    Mode(home::AccessFinding),
    /// Create a directory with this mode.
    Directory(PathBuf, u32),
    /// Write a missing file with this text.
    File(PathBuf, String),
    /// Remove a temporary file that a writer left behind.
    Leftover(PathBuf),
    /// Remove a directory in which a backup was being made or restored.
    Workplace(PathBuf),
    /// Fill the reserve of disk space for revoking.
    ReserveFile,
    /// Abandon pending records while no other process signs.
    Pending,
    /// Publish the status of the latest change.
    Status,
    /// Publish the whole status anew.
    WholeStatus,
    /// Publish a CA's certificate and chain.
    Authority(String),
    /// Write these certificates of a CA into `issued/`.
    Issued(String, Vec<CertificateId>),
    /// Write a CA's CRL in PEM from the published one in DER.
    CrlPem(String),
    /// Record the revocations that only a CA's CRL has.
    Revocations(String),
    /// Publish a CA's CRL; needs its key.
    Crl(String),
    /// Issue a CA's responder certificate; needs its key.
    Responder(String),
}

impl Mending {
    /// Returns whether the repair needs no index.
    pub(super) fn is_of_files(&self) -> bool {
        matches!(
            self,
            Self::Mode(_)
                | Self::Directory(..)
                | Self::File(..)
                | Self::Leftover(_)
                | Self::Workplace(_)
                | Self::ReserveFile
        )
    }
}

impl Finding {
    /// Returns an error about this object. The message continues after the object.
    pub(super) fn error(code: FindingCode, object: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::of(Severity::Error, code, object, message)
    }

    /// Returns a warning about this object.
    pub(super) fn warning(code: FindingCode, object: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::of(Severity::Warning, code, object, message)
    }

    /// Returns a note about this object.
    pub(super) fn note(code: FindingCode, object: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::of(Severity::Note, code, object, message)
    }

    pub(super) fn of(
        severity: Severity,
        code: FindingCode,
        object: impl Into<String>,
        message: impl fmt::Display,
    ) -> Self {
        let object = object.into();
        let message = format!("{object} {message}");
        Self { code, severity, object, message, consequence: None, remedy: Remedy::NONE, mending: None }
    }

    /// Returns the finding with this consequence.
    pub(super) fn consequence(self, consequence: Consequence) -> Self {
        Self { consequence: Some(consequence), ..self }
    }

    /// Returns the finding with this remedy.
    pub(super) fn remedy(mut self, remedy: impl Into<Remedy>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Returns the finding with this repair. The remedy is the same, unless another one was set.
    pub(super) fn mending(mut self, mending: Mending) -> Self {
        if self.remedy.is_empty() {
            self.remedy = remedy::Repair::Fix.into();
        }
        self.mending = Some(mending);
        self
    }
}

/// Bound of the findings of one code that are reported one by one.
const MOST: usize = 50;

/// Keeps the first findings of each code, and adds how many more there are.
pub(super) fn shortened(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    let mut more: Vec<(Finding, usize)> = Vec::new();
    for finding in findings {
        if kept.iter().filter(|one| one.code == finding.code).count() < MOST {
            kept.push(finding);
        } else if let Some((_, count)) = more.iter_mut().find(|(one, _)| one.code == finding.code) {
            *count += 1;
        } else {
            more.push((finding, 1));
        }
    }
    kept.extend(more.into_iter().map(|(finding, count)| Finding {
        object: "others".into(),
        message: format!("{count} more are like this"),
        consequence: None,
        mending: None,
        ..finding
    }));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_findings_of_a_kind_are_told_as_fifty_and_a_number() {
        let mut all: Vec<Finding> = (0..1000)
            .map(|number| Finding::error(FindingCode::CrlOwed, number.to_string(), "is wrong"))
            .collect();
        all.push(Finding::note(FindingCode::CrlDue, "it", "is strange"));
        let told = shortened(all);
        assert_eq!(told.len(), 52);
        assert_eq!(told[51].message, "950 more are like this");
        assert_eq!(told[0].message, "0 is wrong");
    }
}
