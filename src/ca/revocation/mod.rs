//! Revocation, hold and release of certificates, of all certificates for a key, and of CAs with the CAs below
//! them.
mod key_revocation;
mod revoke;
mod revoke_authority;
mod taking_over;

pub use key_revocation::{KeyRevocation, Unrecorded};
pub use revoke::Revoked;
pub use revoke_authority::{AffectedAuthority, RevokedAuthority};

use super::Engine;

/// Revocation, hold and release.
#[derive(Clone, Copy)]
pub struct Revocations<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// Revocation, hold and release of certificates and CAs.
    #[must_use]
    pub fn revocation(&self) -> Revocations<'_> {
        Revocations { engine: self }
    }
}
