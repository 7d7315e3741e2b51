//! The life cycle of CAs: creation, renewal, new keys, adoption from elsewhere, cross-certification.
mod adopt;
mod adopted;
mod coming_back;
mod creating;
mod cross_certification;
mod external_ca;
mod issuer_path;
mod new_key;
mod pending_request;
mod rekeying;
mod renewal;
mod supplementing;

pub use adopt::{AdoptedAuthority, AdoptedKey, Adoption, AdoptionPlan, PriorCertificate};
pub use creating::{CreatedAuthority, NewAuthority};
pub use cross_certification::{CrossCertification, KeyRolloverCertificates};
pub use pending_request::SubordinateCertificate;
pub use rekeying::AuthorityRekeying;
#[cfg(test)]
pub(crate) use rekeying::RekeyedAuthority;
pub use renewal::AuthorityRenewal;
#[cfg(test)]
pub(crate) use renewal::RenewedAuthority;

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
