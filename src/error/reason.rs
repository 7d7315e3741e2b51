//! Why a value is refused.

/// Why a value is refused: words that end a sentence about it. Whoever knows where the value stands says where.
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

/// To go on a sentence.
impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}
