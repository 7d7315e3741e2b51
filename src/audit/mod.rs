//! What the CA did and refused, for whom: append-only, each record bound to the one before it by a hash.
mod chain;
mod encoding;
mod event;
mod text;

pub use chain::{AuditRecord, Break, Chain, Digest, Head, Verifier};
pub use encoding::MalformedEvent;
pub use event::{Actor, AuditEvent, Outcome};
