//! Files of `age-encryption.org/v1`: CA keys at rest, and streams such as backups.
mod envelope;
mod mark;
mod store;

pub(crate) use envelope::{Envelope, EnvelopeError, Sealing};
pub use envelope::{EnvelopeIdentity, EnvelopeRecipient, OpenWith, SealFor};
pub use store::AgeFileStore;
