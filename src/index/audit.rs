//! Audit records. They are stored beside the records they describe and written in the same transactions.
use super::IndexError;
use crate::audit::{AuditEvent, AuditRecord, Head};

/// Reads the audit records as they are stored. [`crate::audit`] verifies their hash chain.
pub trait AuditReader: Send + Sync {
    /// Returns the sequence number and digest of the newest audit record, which are stored apart from the
    /// records. The default is returned when there is no record.
    ///
    /// # Errors
    /// Every method of this trait fails when the store cannot be read.
    fn audit_head(&self) -> Result<Head, IndexError>;

    /// Passes the audit records to `visit` in order, from sequence number `from` (the first is 1), until
    /// `visit` returns false.
    fn audit_records(&self, from: u64, visit: &mut dyn FnMut(AuditRecord) -> bool) -> Result<(), IndexError>;
}

/// Writes audit events that come with no other change.
pub trait AuditIndex: Send + Sync {
    /// Records an event that changes nothing else: a refusal, a publication, a responder certificate.
    ///
    /// # Errors
    /// Every method of this trait fails when the store cannot be read or written.
    fn record_event(&self, event: AuditEvent) -> Result<(), IndexError>;

    /// Records such events, in one transaction where the store supports that.
    fn record_events(&self, events: Vec<AuditEvent>) -> Result<(), IndexError> {
        events.into_iter().try_for_each(|event| self.record_event(event))
    }
}
