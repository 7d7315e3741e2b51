//! Signing: signers for CAs, responders and subscribers, stores of CA keys, and sources of passphrases.
//!
//! No public function signs plain octets. A CA's key ([`CaSigner`]) signs certificates and CRLs that are on record,
//! and certification requests for itself. A responder's key ([`ResponseSigner`]) signs OCSP responses. A subscriber's
//! key ([`SubscriberKey`]) signs certification requests for itself. None of the three can be made from a key of
//! another kind. A private key signs only an `Admitted`, which `admit.rs` alone makes.
mod admit;
mod age;
mod ca_keys;
mod ca_signer;
mod contents;
mod core_dump;
mod error;
mod octets;
mod opened_key;
mod private_key;
mod random;
mod request;
mod response_signer;
mod secret;
mod soft_key;
mod subscriber_key;

pub use self::age::{AgeFileStore, EnvelopeIdentity, EnvelopeRecipient, OpenWith, SealFor};
pub(crate) use self::age::{Envelope, EnvelopeError, KeyFile, Sealing};
pub(crate) use ca_keys::{CaKeys, DiscardKeys, ImportKeys, InspectKeys, KeyPlace, KeyRef, Mark};
pub use ca_signer::CaSigner;
pub use core_dump::forbid_core_dumps;
pub(crate) use error::MarkError;
pub use error::{KeyError, SigningError};
pub(crate) use octets::read_up_to;
pub use opened_key::OpenedKey;
pub use random::{random_nonce, random_passphrase};
pub(crate) use random::{random_octets, random_salt, random_serial};
pub(crate) use response_signer::PlainKey;
pub use response_signer::{EncodedResponseData, ResponseSigner};
pub use secret::{
    InvalidSecretSpec, Nobody, PassphraseSources, Secret, SecretPurpose, SecretSource, SecretSpec,
};
pub use subscriber_key::SubscriberKey;

#[cfg(test)]
pub(crate) use {admit::Admitted, ca_signer::LocalSigner, private_key::PrivateKey, soft_key::SoftKey};

/// The supertrait that keeps other crates from implementing [`CaSigner`].
pub(crate) mod sealed {
    /// A signer of this crate.
    pub trait Sealed {}
}
