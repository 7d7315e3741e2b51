//! What the CA did and refused, for whom: append-only, each record bound to the one before it by a hash.
mod chain;
mod event;

pub use chain::{AuditRecord, Break, Chain, Digest};
pub use event::{Actor, AuditEvent, Outcome};
