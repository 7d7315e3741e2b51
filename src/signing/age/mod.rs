//! Files of `age-encryption.org/v1`: CA keys at rest, and streams such as backups.
mod armor;
mod at_rest;
mod envelope;
mod file_key;
mod files;
pub(super) mod mark;
mod moving;
mod protection;
mod recipient;
mod reencrypt;
mod resealed;
mod sealed_key;
mod store;

pub(crate) use armor::unarmored;
pub(crate) use envelope::{Envelope, EnvelopeError, Sealing};
pub use envelope::{EnvelopeIdentity, EnvelopeRecipient, OpenWith, SealFor};
pub(crate) use files::{KeyFile, files_in};
pub(crate) use mark::move_former_marks;
pub use protection::{Protection, Stanza};
#[cfg(test)]
pub(crate) use recipient::generated;
pub use recipient::{KeyRecipient, PluginQuestions, Plugins};
pub use sealed_key::{SealKeyFor, SealedKey};
pub use store::{AgeFileStore, InvalidWorkFactor};
