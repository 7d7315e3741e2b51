//! The life cycle of CAs: creation, renewal, new keys, adoption from elsewhere, cross-certification.
mod adopt;
mod adopted;
mod brought_to_signer;
mod ceremony;
mod ceremony_answer;
mod ceremony_cross;
mod ceremony_responder;
mod coming_back;
mod comparison;
mod creating;
mod cross_certification;
mod cross_comparison;
mod exporting;
mod external_ca;
mod issuer_path;
mod keys;
mod moving;
mod new_key;
mod passphrase;
mod pending_request;
mod rekeying;
mod renewal;
mod retiring;
mod supplementing;
mod taken_to_media;

pub use adopt::{AdoptedAuthority, AdoptedKey, Adoption, AdoptionPlan, PriorCertificate};
pub use ceremony::{CeremonyPlan, CeremonyRequest};
pub use ceremony_answer::CeremonyOutcome;
pub use comparison::ExpectedAuthority;
pub use creating::{ConfirmEnvelope, CreatedAuthority, NewAuthority};
pub use cross_certification::{CrossCertification, KeyRolloverCertificates};
pub use exporting::{KeyExport, KeyOnMedia};
pub use keys::{KeyWhere, ListedKey};
pub use moving::{MovedKey, ProposedMove};
pub use passphrase::ReencryptedKey;
pub use pending_request::SubordinateCertificate;
pub use rekeying::AuthorityRekeying;
#[cfg(test)]
pub(crate) use rekeying::RekeyedAuthority;
pub use renewal::AuthorityRenewal;
#[cfg(test)]
pub(crate) use renewal::RenewedAuthority;
pub use retiring::{RetiredAuthority, RetirementImpact};
pub use taken_to_media::KeyTakenToMedia;

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
