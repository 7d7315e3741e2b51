//! Files of `age-encryption.org/v1`: CA keys at rest, and streams such as backups.
mod envelope;
mod mark;
mod store;

pub use envelope::{
    Envelope, EnvelopeError, EnvelopeIdentity, EnvelopeRecipient, OpenWith, SealFor, Sealing,
};
pub use store::{AgeFileStore, InvalidWorkFactor};
