//! One thing that was done or refused.
use crate::x509::UnixTime;
use std::fmt;

/// Who acted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Actor {
    /// The effective user: its name, or its number when it has none.
    pub user: String,
    /// Who became that user, when it is known (login user, `SUDO_USER`).
    pub on_behalf_of: Option<String>,
    /// Process number.
    pub process: u32,
}

impl Actor {
    /// An actor known by name only.
    #[must_use]
    pub fn named(user: &str) -> Self {
        Self { user: user.into(), on_behalf_of: None, process: 0 }
    }
}

/// `alice as genfic-ca`, or the user alone.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.on_behalf_of {
            Some(person) if *person != self.user => write!(f, "{person} as {}", self.user),
            _ => f.write_str(&self.user),
        }
    }
}

/// How it ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused or failed: the problem's code, for example `policy.weak-key`.
    Refused(String),
}

/// An event to be recorded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEvent {
    /// When, by the clock of the command.
    pub at: UnixTime,
    /// Who.
    pub actor: Actor,
    /// What, dotted: `certificate.intended`, `certificate.issued`, `certificate.revoked`, `crl.published`,
    /// `authority.created`, `responder.issued`, or a command's name for refusals.
    pub action: String,
    /// On what: a CA's name, or `NAME/SERIAL`.
    pub object: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Particulars as name and value, in order; no secrets.
    pub details: Vec<(String, String)>,
}
