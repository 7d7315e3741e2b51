//! Reasons why a value is refused.

/// The reason why a value is refused, as the end of a sentence. The caller adds where the value comes from.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Reason(String);

impl From<String> for Reason {
    fn from(words: String) -> Self {
        Self(words)
    }
}

impl From<&str> for Reason {
    fn from(words: &str) -> Self {
        Self(words.to_owned())
    }
}

/// Returns the words, for a longer sentence.
impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}
