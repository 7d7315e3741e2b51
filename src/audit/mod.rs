//! What the CA did and refused, for whom: append-only, each record bound to the one before it by a hash.
mod chain;
mod encoding;
mod event;
mod text;

pub use chain::Verifier;
pub(crate) use chain::{AuditRecord, Chain, Digest, Head};
pub use event::{Actor, AuditEvent, Outcome};
