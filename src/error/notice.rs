//! What is said beside what was done.
use super::{Remedy, in_words};

/// Something that was done all the same and should be known, and what to do about it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Notice {
    /// What should be known, a sentence without a full stop.
    pub message: String,
    /// What to do; may be empty.
    pub remedy: Remedy,
}

impl Notice {
    /// Each of these, which say nothing of what to do.
    pub(crate) fn each(messages: Vec<String>) -> Vec<Self> {
        messages.into_iter().map(Self::from).collect()
    }

    /// The same, with what to do.
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
