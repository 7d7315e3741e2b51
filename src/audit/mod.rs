//! Audit log: what the CA did and refused, and for whom. Records are only appended, and each is linked to the one
//! before by a hash.
mod acts;
mod chain;
mod encoding;
mod event;
mod text;

pub use acts::{Act, Acts};
pub use chain::AuditRecord;
pub use chain::Verifier;
pub(crate) use chain::{Chain, Digest, Head};
pub(crate) use encoding::encoded_text;
pub(crate) use event::COMMAND;
pub use event::{Actor, AuditEvent, Outcome};
