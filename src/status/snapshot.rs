//! One published state, opened for lookups.
use super::base::Base;
use super::delta_file::Delta;
use super::entry::Entry;
use super::manifest::{FileIdentity, FilePart};
use super::{EveryStatus, PublishedAuthority, StatusEntry, StatusError, StatusReader};
use crate::audit::Head;
use crate::index::CertificateState;
use crate::x509::{CertificateId, IssuerId, SerialNumber, UnixTime};
use std::sync::Arc;

/// The status of every certificate at one moment. It does not change. Of the base there is only the table in memory, 53
/// octets for some 170 certificates, of the delta every change: 4 MiB with serial numbers of 17 octets are 17 MB.
#[derive(Debug)]
pub struct StatusSnapshot {
    pub(super) base: Arc<Base>,
    pub(super) delta: Option<Delta>,
    pub(super) authorities: Arc<[PublishedAuthority]>,
    /// The file that the CAs were read from.
    pub(super) authorities_file: FilePart,
    pub(super) change: u64,
    pub(super) time: UnixTime,
    pub(super) manifest: FileIdentity,
    pub(super) head: Option<Head>,
}

impl StatusSnapshot {
    /// Returns the newest audit record of the index at that time.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// Passes the state of every certificate to `visit`, in no order. A certificate that changed after the base
    /// was made is passed once, with its newer state. This reads the whole base and compares it with its digests.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn for_each(
        &self,
        visit: &mut dyn FnMut(CertificateId, CertificateState),
    ) -> Result<(), StatusError> {
        let changes = self.delta.as_ref().map(Delta::changes);
        for (issuer, entry) in changes.map(|changes| changes.all()).unwrap_or_default() {
            visit(CertificateId { issuer, serial_number: entry.serial.to_number()? }, entry.state);
        }
        self.base.for_each(&mut |issuer, entry| {
            let id = CertificateId { issuer: *issuer, serial_number: entry.serial.to_number()? };
            if changes.is_none_or(|changes| changes.find(&id).is_none()) {
                visit(id, entry.state);
            }
            Ok(())
        })
    }
}

impl StatusReader for StatusSnapshot {
    fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
        let changed = self.delta.as_ref().and_then(|delta| delta.changes().find(id));
        changed.map_or_else(|| self.base.entry(id), |entry| Ok(Some(entry.into())))
    }

    fn authorities(&self) -> &[PublishedAuthority] {
        &self.authorities
    }

    fn change(&self) -> u64 {
        self.change
    }

    fn time(&self) -> UnixTime {
        self.time
    }

    fn is_damaged(&self) -> bool {
        self.base.is_damaged()
    }
}

impl EveryStatus for StatusSnapshot {
    /// This reads a part of the base and compares it with its digests.
    fn each_of(
        &self,
        issuer: &IssuerId,
        visit: &mut dyn FnMut(SerialNumber, StatusEntry) -> bool,
    ) -> Result<(), StatusError> {
        let mut goes_on = true;
        let mut pass = |entry: &Entry| -> Result<(), StatusError> {
            if goes_on {
                goes_on = visit(entry.serial.to_number()?, entry.into());
            }
            Ok(())
        };
        let changes = self.delta.as_ref().map(|delta| delta.changes().all()).unwrap_or_default();
        let mut changes =
            changes.into_iter().filter(|(of, _)| of == issuer).map(|(_, entry)| entry).peekable();
        self.base.each_of(issuer, &mut |entry| {
            let mut is_replaced = false;
            while let Some(change) = changes.next_if(|change| change.serial <= entry.serial) {
                is_replaced |= change.serial == entry.serial;
                pass(&change)?;
            }
            if is_replaced { Ok(()) } else { pass(&entry) }
        })?;
        changes.try_for_each(|change| pass(&change))
    }
}
