//! Files of `age-encryption.org/v1`: CA keys at rest, and streams such as backups.
mod envelope;
mod files;
mod mark;
mod store;

pub(crate) use envelope::{Envelope, EnvelopeError, Sealing};
pub use envelope::{EnvelopeIdentity, EnvelopeRecipient, OpenWith, SealFor};
pub(crate) use files::KeyFile;
pub use store::AgeFileStore;
