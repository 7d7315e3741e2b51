//! The life cycle of CAs: creation, renewal, new keys, adoption from elsewhere, cross-certification.
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

/// Life cycle of CAs.
#[derive(Clone, Copy)]
pub struct Lifecycle<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// Life cycle of CAs: creation, renewal, rekeying, adoption.
    #[must_use]
    pub fn lifecycle(&self) -> Lifecycle<'_> {
        Lifecycle { engine: self }
    }
}
