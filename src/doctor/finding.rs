//! What is found, how bad it is, and what mends it.
use super::FindingCode;
use crate::error::{Remedy, remedy};
use crate::home;
use crate::x509::CertificateId;
use std::fmt;
use std::path::PathBuf;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Worth knowing; nothing has to be done.
    Note,
    /// Will become an error, or keeps something from working well.
    Warning,
    /// Somebody is told something wrong or nothing at all, or cannot be told that all is safe.
    Error,
}

/// `error`, `warning`, `note`
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Something that is wrong, or worth knowing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// What kind of finding it is.
    pub code: FindingCode,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a CA, a certificate as `CA/SERIAL`, a file.
    pub object: String,
    /// One sentence without a full stop that begins with the object.
    pub message: String,
    /// What follows from it for whoever uses the programs.
    pub consequence: Option<Consequence>,
    /// What mends it, or what to do where no command does.
    pub remedy: Remedy,
    /// How [`super::mend_files`] and [`super::mend_records`] mend it; `None` where a person has to decide.
    pub mending: Option<Mending>,
}

/// What a finding makes necessary.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Consequence {
    /// Who has a certificate signed names its profile.
    ProfileIsNamed,
}

/// What mends a finding: safe, and harmless to do twice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Mending {
    /// Change the permission bits of a file of the home.
    Mode(home::Finding),
    /// Make a directory with this mode.
    Directory(PathBuf, u32),
    /// Write a file of this text where there is none.
    File(PathBuf, String),
    /// Remove what a writer left behind.
    Leftover(PathBuf),
    /// Remove a directory in which a backup was being made or restored.
    Workplace(PathBuf),
    /// Keep space for revoking.
    Reserve,
    /// Abandon what is pending while nobody signs.
    Pending,
    /// Publish the status of the latest change.
    Status,
    /// Publish the whole status anew.
    WholeStatus,
    /// Publish a CA's certificate and chain.
    Authority(String),
    /// Keep these certificates of a CA in `issued/`.
    Issued(String, Vec<CertificateId>),
    /// Write a CA's CRL in PEM from the published one in DER.
    CrlPem(String),
    /// Take over as revoked what a CA's CRL has revoked.
    Revocations(String),
    /// Publish a CA's CRL; needs its key.
    Crl(String),
    /// Issue a CA's responder certificate; needs its key.
    Responder(String),
}

impl Mending {
    /// Whether it needs no index.
    pub(super) fn is_of_files(&self) -> bool {
        matches!(
            self,
            Self::Mode(_)
                | Self::Directory(..)
                | Self::File(..)
                | Self::Leftover(_)
                | Self::Workplace(_)
                | Self::Reserve
        )
    }
}

impl Finding {
    /// An error about something. The message goes on after the object.
    pub(super) fn error(code: FindingCode, object: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::of(Severity::Error, code, object, message)
    }

    /// A warning.
    pub(super) fn warning(code: FindingCode, object: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::of(Severity::Warning, code, object, message)
    }

    /// A note.
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

    /// With what follows from it.
    pub(super) fn consequence(self, consequence: Consequence) -> Self {
        Self { consequence: Some(consequence), ..self }
    }

    /// With what to do.
    pub(super) fn remedy(mut self, remedy: impl Into<Remedy>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// With what mends it; the remedy is that, unless another command is named.
    pub(super) fn mending(mut self, mending: Mending) -> Self {
        if self.remedy.is_empty() {
            self.remedy = remedy::Repair::Fix.into();
        }
        self.mending = Some(mending);
        self
    }
}

/// How many findings of one code are told one by one.
const MOST: usize = 50;

/// Leaves the first of each code, and says how many more there are.
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
