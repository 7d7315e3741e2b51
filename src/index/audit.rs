//! Audit records, in the same store and the same transactions as what they tell of.
use super::IndexError;
use crate::audit::{AuditEvent, AuditRecord, Head};

/// The audit records as they are stored; [`crate::audit`] says whether their chain holds.
pub trait AuditReader: Send + Sync {
    /// The newest audit record, as noted apart from the records themselves; the default when there is none.
    ///
    /// # Errors
    /// When the store cannot be read; so below.
    fn audit_head(&self) -> Result<Head, IndexError>;

    /// Hands the audit records from sequence number `from` (the first is 1) to `visit`, in order, until it
    /// returns false.
    fn audit_records(&self, from: u64, visit: &mut dyn FnMut(AuditRecord) -> bool) -> Result<(), IndexError>;
}

/// Records of what changes nothing else.
pub trait AuditIndex: Send + Sync {
    /// Records an event that changes nothing else: a refusal, a publication, a responder certificate.
    ///
    /// # Errors
    /// When the store cannot be read or written; so below.
    fn record_event(&self, event: AuditEvent) -> Result<(), IndexError>;

    /// Records such events, where the store can in one transaction.
    fn record_events(&self, events: Vec<AuditEvent>) -> Result<(), IndexError> {
        events.into_iter().try_for_each(|event| self.record_event(event))
    }
}
