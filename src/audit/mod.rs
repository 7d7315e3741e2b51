//! Audit log: what the CA did and refused, and for whom. Records are only appended, and each is linked to the one
//! before by a hash.
mod chain;
mod encoding;
mod event;
mod text;

pub use chain::Verifier;
pub(crate) use chain::{AuditRecord, Chain, Digest, Head};
pub use event::{Actor, AuditEvent, Outcome};
