//! The hash chain: pure.
use super::AuditEvent;

/// SHA-256 of a record and everything before it.
pub type Digest = [u8; 32];

/// An event at its place in the chain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditRecord {
    /// Sequence number; the first is 1 and none is left out.
    pub sequence: u64,
    /// What happened.
    pub event: AuditEvent,
    /// Digest of the record before it; zeros before the first.
    pub previous: Digest,
    /// Digest of this record.
    pub digest: Digest,
}

/// Where and how a chain is broken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Break {
    /// to be written
    #[error("record {0} was changed")]
    Changed(u64),
}

/// to be written
#[derive(Debug, Default)]
pub struct Chain;
