//! CAs: made, renewed, given new keys, taken over from elsewhere, certified once more.
mod above;
mod adopt;
mod adopted;
mod coming_back;
mod creating;
mod crossing;
mod elsewhere;
mod new_key;
mod rekeying;
mod renewal;
mod supplementing;
mod waiting;

pub use adopt::{AdoptedAuthority, AdoptedKey, Adoption, AdoptionPlan, PriorCertificate};
pub use creating::{CreatedAuthority, NewAuthority};
pub use crossing::{Crossing, Links};
pub use rekeying::AuthorityRekeying;
#[cfg(test)]
pub(crate) use rekeying::RekeyedAuthority;
pub use renewal::AuthorityRenewal;
#[cfg(test)]
pub(crate) use renewal::RenewedAuthority;
pub use waiting::Arrival;

use super::Engine;

/// How CAs come to be, and what follows them.
#[derive(Clone, Copy)]
pub struct Lifecycle<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// CAs: how they come to be and are followed by others.
    #[must_use]
    pub fn lifecycle(&self) -> Lifecycle<'_> {
        Lifecycle { engine: self }
    }
}
