//! What a profile asks of an optional part of a certificate.

/// Whether a part of a certificate, an attribute of the subject or the name constraints, must, may or must not be
/// present.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Presence {
    Required,
    #[default]
    Optional,
    Forbidden,
}

impl Presence {
    /// Reads `required`, `optional` or `forbidden`.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        match word {
            "required" => Ok(Self::Required),
            "optional" => Ok(Self::Optional),
            "forbidden" => Ok(Self::Forbidden),
            _ => Err("must be \"required\", \"optional\" or \"forbidden\"".to_owned()),
        }
    }
}
