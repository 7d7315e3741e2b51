//! Signing: signers for CAs, responders and subscribers, stores of CA keys, and sources of passphrases and PINs.
//!
//! No public function signs plain octets. A CA's key ([`CaSigner`]) signs certificates and CRLs that are on record,
//! and certification requests for itself. A responder's key ([`ResponseSigner`]) signs OCSP responses. A subscriber's
//! key ([`SubscriberKey`]) signs certification requests for itself. None of the three can be made from a key of
//! another kind. A private key signs only an `Admitted`, which `admit.rs` alone makes.
mod administering;
mod admit;
mod age;
mod brought_key;
mod ca_keys;
mod ca_signer;
mod contents;
#[cfg(test)]
pub(crate) mod contract;
mod core_dump;
mod error;
mod file_key_text;
mod found_key;
mod keystore;
mod moving;
mod octets;
mod offline;
mod opened_key;
mod pkcs11;
mod private_key;
mod random;
mod recipient_text;
mod request;
mod response_signer;
mod secret;
mod soft_key;
mod subscriber_key;
mod used_serials;
mod vault;

pub(crate) use self::administering::AdministerKeys;
pub use self::administering::{KeyDescription, KeyLimits, KeyProtection, LimitsChange};
pub(crate) use self::admit::{answers_octets, enrolment_octets};
pub use self::age::{
    AgeFileStore, EnvelopeIdentity, EnvelopeRecipient, InvalidWorkFactor, KeyRecipient, OpenWith,
    PluginQuestions, Plugins, Protection, SealFor, SealKeyFor, SealedKey, Stanza,
};
pub(crate) use self::age::{Envelope, EnvelopeError, KeyFile, Sealing, move_former_marks, unarmored};
pub use brought_key::BroughtKey;
pub(crate) use ca_keys::{
    CaKeys, DiscardKeys, ImportKeys, InspectKeys, KeyPlace, KeyRef, Mark, ProtectKeys, Reencrypted,
    RememberSignatures, ToBeShown,
};
pub use ca_signer::CaSigner;
pub use core_dump::forbid_core_dumps;
pub(crate) use error::MarkError;
pub use error::{KeyError, SigningError};
pub(crate) use file_key_text::is_file_key;
pub use found_key::{FileContents, FindKeys, FoundKey};
pub use keystore::Keystore;
pub use moving::{AwaitedKey, KeyHolder};
pub(crate) use moving::{ComingKey, KeyBelongings, MoveKeys, ProposedEnvelope, UsedElsewhere};
pub(crate) use octets::read_up_to;
pub(crate) use offline::OfflineKeys;
pub use opened_key::OpenedKey;
pub use pkcs11::{InvalidTokenUri, TokenStore, TokenUri};
pub use random::{random_nonce, random_passphrase};
pub(crate) use random::{random_octets, random_salt, random_serial, random_words};
pub use recipient_text::{InvalidRecipient, RecipientText};
pub(crate) use request::request_info;
pub use response_signer::{EncodedResponseData, PresentResponder, ResponseSigner};
pub(crate) use response_signer::{PlainKey, ResponderTokens};
pub(crate) use secret::Unattended;
pub use secret::{
    Aside, InvalidSecretSpec, Mistyped, NewPassphrases, Nobody, PassphraseOrders, PassphrasePolicy,
    PassphraseSources, Secret, SecretPurpose, SecretSource, SecretSpec, TRIES, open_with,
};
pub use subscriber_key::{HeldKey, SubscriberKey};
pub(crate) use used_serials::UsedSerials;
pub(crate) use vault::{ForKey, KeyVault, MoveKeyFiles, TokenKeys, VaultKey};

use std::path::{Path, PathBuf};

/// Returns the paths of the files of a key in a home's directory of keys, whether or not they exist. No signer is asked:
/// also when none is there, these are files that nobody moves away.
pub(crate) fn files_of_key(directory: &Path, key: &KeyRef) -> Vec<PathBuf> {
    [self::age::files_in(directory, key), pkcs11::files_in(directory, key)].concat()
}

#[cfg(test)]
pub(crate) use {
    self::age::generated as generated_recipient, admit::Admitted, ca_signer::LocalSigner,
    private_key::PrivateKey, soft_key::SoftKey,
};

/// The supertrait that keeps other crates from implementing [`CaSigner`].
pub(crate) mod sealed {
    /// A signer of this crate.
    pub trait Sealed {}
}
