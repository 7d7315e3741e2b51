//! Warnings that accompany the result of a successful operation.
use super::{Remedy, in_words};

/// A warning about an operation that was done, with its remedy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Notice {
    /// The warning, a sentence without a full stop.
    pub message: String,
    /// The remedy; may be empty.
    pub remedy: Remedy,
}

impl Notice {
    /// Returns a notice without a remedy for each message.
    pub(crate) fn each(messages: Vec<String>) -> Vec<Self> {
        messages.into_iter().map(Self::from).collect()
    }

    /// Returns the same notice with this remedy.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<Remedy>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }
}

impl From<String> for Notice {
    fn from(message: String) -> Self {
        Self { message: in_words(message), remedy: Remedy::NONE }
    }
}

impl From<&str> for Notice {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}
