//! An event: something that was done or refused.
use crate::x509::UnixTime;
use std::fmt;

/// Person and process that acted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Actor {
    /// Effective user: the user name, or the number when there is no name.
    pub user: String,
    /// Person who became the effective user: the login user, or the real user who started `sudo`; `somebody unknown`
    /// where there is one who cannot be told.
    pub on_behalf_of: Option<String>,
    /// Process number.
    pub process: u32,
}

impl Actor {
    /// Returns an actor of whom only the name is known.
    #[must_use]
    pub fn named(user: &str) -> Self {
        Self { user: user.into(), on_behalf_of: None, process: 0 }
    }
}

/// Writes `alice as genfic-ca`, or the user only.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.on_behalf_of {
            Some(person) if *person != self.user => write!(f, "{person} as {}", self.user),
            _ => f.write_str(&self.user),
        }
    }
}

/// Result of an action.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The action was done.
    Done,
    /// The action was refused or failed, with the code of the problem, for example `policy.weak-key`.
    Refused(String),
}

/// Name of the detail by which the first event of a command names it.
pub(crate) const COMMAND: &str = "command";

/// Event to be recorded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEvent {
    /// Time by the clock of the command.
    pub at: UnixTime,
    /// Actor.
    pub actor: Actor,
    /// Action with dots: `certificate.intended`, `certificate.issued`, `certificate.revoked`, `crl.published`,
    /// `authority.requested`, `responder.installed`; or the name of a refused command.
    pub action: String,
    /// Object of the action: the name of a CA, or `NAME/SERIAL`.
    pub object: String,
    /// Result.
    pub outcome: Outcome,
    /// Details as names and values, in order. They contain no secrets.
    pub details: Vec<(String, String)>,
}

impl AuditEvent {
    /// Returns the command that begins with this event.
    #[must_use]
    pub fn begins(&self) -> Option<&str> {
        self.detail(COMMAND)
    }

    /// Returns the value of a detail.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// Whether the object, or the value of a detail, is this text.
    #[must_use]
    pub(crate) fn names(&self, text: &str) -> bool {
        self.object == text || self.details.iter().any(|(_, value)| value == text)
    }
}
