//! The sections of single CAs, `[authority.NAME]`.
use super::sections::{DAY, HOUR, span};
use crate::document::Section;
use crate::signing::{InvalidRecipient, RecipientText, SecretSpec};

/// `[authority.NAME]`: settings of one CA; `None` means those of the general sections.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuthorityConfig {
    /// Source of the passphrase.
    pub passphrase_from: Option<SecretSpec>,
    /// Whether the key is kept offline; by default only a root's is.
    pub offline: Option<bool>,
    /// Seconds from thisUpdate to nextUpdate of the CA's CRLs.
    pub crl_next_update: Option<i64>,
    /// Seconds from thisUpdate to nextUpdate of the delta CRLs that are made beside its complete ones; `None` where
    /// none are made.
    pub delta_crl_next_update: Option<i64>,
    /// The recipients to which its key is encrypted when it is made; none for a passphrase.
    pub recipients: Vec<RecipientText>,
}

impl AuthorityConfig {
    pub(super) fn read(section: &mut Section) -> Self {
        Self {
            passphrase_from: super::source(section, "passphrase_from"),
            offline: section.get("offline"),
            crl_next_update: span(section, "crl_next_update", HOUR, 1100 * DAY),
            delta_crl_next_update: span(section, "delta_crl_next_update", HOUR, 35 * DAY),
            recipients: if section.has("recipients") {
                section.require_list_as("recipients", "recipient", |text| {
                    text.parse().map_err(|error: InvalidRecipient| error.to_string())
                })
            } else {
                Vec::new()
            },
        }
    }
}
