//! Audit records. They are stored beside the records they describe and written in the same transactions.
use super::IndexError;
use crate::audit::{AuditEvent, AuditRecord, Head};
use crate::x509::UnixTime;
use std::ops::RangeInclusive;

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

    /// Passes the records of these times on, both ends included, like [`Self::audit_records`]. Each record is looked at,
    /// because clocks go back.
    fn audit_within(
        &self,
        from: u64,
        times: RangeInclusive<UnixTime>,
        visit: &mut dyn FnMut(AuditRecord) -> bool,
    ) -> Result<(), IndexError> {
        self.audit_records(from, &mut |record| !times.contains(&record.event.at) || visit(record))
    }

    /// Passes the records on whose object, or one of whose details, is exactly this text, like
    /// [`Self::audit_records`].
    fn audit_naming(
        &self,
        text: &str,
        from: u64,
        visit: &mut dyn FnMut(AuditRecord) -> bool,
    ) -> Result<(), IndexError> {
        self.audit_records(from, &mut |record| !record.event.names(text) || visit(record))
    }
}

/// Returns the sequence number of the first audit record at or after `time`, provided that the times of the
/// records rise.
///
/// # Errors
/// When the store cannot be read.
pub fn first_audit_at<R: AuditReader + ?Sized>(index: &R, time: UnixTime) -> Result<u64, IndexError> {
    let (mut first, mut end) = (1, index.audit_head()?.sequence.saturating_add(1));
    while first < end {
        let middle = first.midpoint(end);
        let mut is_before = false;
        index.audit_records(middle, &mut |record| {
            is_before = record.event.at < time;
            false
        })?;
        if is_before { first = middle.saturating_add(1) } else { end = middle }
    }
    Ok(first)
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
