//! Revoking, holding, releasing: certificates, all that is relied on for a key, and CAs with what falls with them.
mod falling;
mod key_revocation;
mod revoke;
mod taking_over;

pub use falling::{Fallen, RevokedAuthority};
pub use key_revocation::{KeyRevocation, Unrecorded};
pub use revoke::Revoked;

use super::Engine;

/// What is not to be trusted any more, or again.
#[derive(Clone, Copy)]
pub struct Revocations<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// What is not to be trusted any more.
    #[must_use]
    pub fn revocation(&self) -> Revocations<'_> {
        Revocations { engine: self }
    }
}
