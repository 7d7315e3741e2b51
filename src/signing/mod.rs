//! The client side of signing: who can sign what, where keys are kept, and where passphrases come from.
//!
//! Nothing here takes octets to sign. A CA's key ([`CaSigner`]) signs certificates and CRLs that are on record and
//! requests for itself; a responder's ([`ResponseSigner`]) answers of OCSP; a subscriber's ([`SubscriberKey`]) requests
//! for itself. None of the three can be had for a key of another kind. What a private key is given at last is an
//! `Admitted`, which `admit.rs` alone makes.
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

/// What keeps [`CaSigner`] to this crate.
pub(crate) mod sealed {
    /// A signer of this crate.
    pub trait Sealed {}
}
