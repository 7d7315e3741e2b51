//! Where the key of a CA is, as its URI on record says.
use super::Authority;

impl Authority {
    /// Scheme of the URI of a key that was moved to media outside of this home.
    pub const OFFLINE: &str = "offline";

    /// Returns whether the CA's key was moved to media outside of this home.
    #[must_use]
    pub fn has_key_on_media(&self) -> bool {
        self.is_in(Self::OFFLINE)
    }

    /// Returns whether the signer that listens has the CA's key.
    #[must_use]
    pub fn has_key_in_service(&self) -> bool {
        self.is_in("signer")
    }

    /// Returns whether the CA's key is in a token.
    #[must_use]
    pub fn has_key_in_token(&self) -> bool {
        self.is_in("pkcs11")
    }

    fn is_in(&self, store: &str) -> bool {
        self.key.split_once(':').is_some_and(|(scheme, _)| scheme == store)
    }

    /// Returns the location of the key without the scheme of the key store, for display.
    #[must_use]
    pub fn key_name(&self) -> &str {
        self.key.split_once(':').map_or(&*self.key, |(_, name)| name)
    }
}
