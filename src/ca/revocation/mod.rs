//! Revocation, hold and release of certificates, of all certificates for a key, and of CAs with the CAs below
//! them.
mod key_revocation;
mod replacement;
mod revoke;
mod revoke_authority;
mod several;
mod taking_over;

pub use key_revocation::{KeyRevocation, Unrecorded};
pub use replacement::ChainStatuses;
pub use revoke::Revoked;
pub use revoke_authority::{AffectedAuthority, RevokedAuthority};
pub use several::{ChangedStates, StateChange};

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
