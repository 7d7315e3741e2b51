//! A list that a CA signed, against its index: nobody takes a revocation back by changing a row.
use super::StoreError;
use super::{Authority, CertificateReader, CertificateState, IndexError, IndexReader};
use crate::x509::{CertificateId, CrlEntry, CrlListing, SerialNumber, compare_serials};
use std::cmp::Ordering;

/// A CA's last signed list, while it is compared with what the next list is to have. Entries come by serial number,
/// as those of the list do.
pub(crate) struct Comparison<'a> {
    list: &'a CrlListing,
    at: usize,
    missing: Vec<usize>,
}

impl<'a> Comparison<'a> {
    /// With this list, before the first entry.
    pub(crate) fn with(list: &'a CrlListing) -> Self {
        Self { list, at: 0, missing: Vec::new() }
    }

    /// Goes on to an entry of the next list.
    pub(crate) fn meet(&mut self, entry: &CrlEntry) {
        let serial = entry.serial_number.as_be_octets();
        while let Some(listed) = self.list.serial_octets(self.at) {
            match compare_serials(listed, serial) {
                Ordering::Less => self.missing.push(self.at),
                Ordering::Equal => {
                    if !entry.is_final() {
                        self.missing.push(self.at);
                    }
                    self.at += 1;
                    return;
                }
                Ordering::Greater => return,
            }
            self.at += 1;
        }
    }

    /// The serial numbers that the list revokes for good and that the next one has not, and must have.
    pub(crate) fn finish(
        mut self,
        index: &dyn CertificateReader,
        authority: &Authority,
    ) -> Result<Vec<SerialNumber>, IndexError> {
        self.missing.extend(self.at..self.list.len());
        let mut serials = Vec::new();
        for entry in self.missing.iter().filter_map(|at| self.list.entry(*at)).filter(CrlEntry::is_final) {
            if !need_not_be_listed(index, authority, self.list, &entry.serial_number)? {
                serials.push(entry.serial_number);
            }
        }
        Ok(serials)
    }
}

/// Whether a certificate that a list revoked may be absent from the next: it is revoked in the index too, and had
/// ended when that list was made (C3). What it says itself of its end counts, not what is kept beside it.
pub(crate) fn need_not_be_listed(
    index: &dyn CertificateReader,
    authority: &Authority,
    list: &CrlListing,
    serial_number: &SerialNumber,
) -> Result<bool, IndexError> {
    let id = CertificateId { issuer: authority.issuer, serial_number: serial_number.clone() };
    let record = match index.certificate(&id) {
        // a row that was tampered with may not even be readable
        Err(IndexError::Store(StoreError::Damaged(_))) => None,
        record => record?,
    };
    Ok(record.is_some_and(|record| {
        let end = record.certificate.as_ref().map_or(record.validity, |one| one.tbs().validity()).not_after;
        is_final(&record.state) && end < list.this_update()
    }))
}

/// Revoked for good: there is no way back from there.
pub(crate) fn is_final(state: &CertificateState) -> bool {
    matches!(state, CertificateState::Revoked(revocation) if !revocation.is_hold())
}

/// The serial numbers that a list of a CA revokes for good and that the CA's next list would lack although they have
/// to be on it. The list is to be read before this is asked.
///
/// # Errors
/// When the index cannot be read.
pub(crate) fn contradicting(
    index: &dyn IndexReader,
    authority: &Authority,
    list: &CrlListing,
) -> Result<Vec<SerialNumber>, IndexError> {
    let mut comparison = Comparison::with(list);
    index.revoked(&authority.issuer, &mut |entry| comparison.meet(&entry))?;
    comparison.finish(index, authority)
}
