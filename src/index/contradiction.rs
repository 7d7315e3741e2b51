//! Comparison of a CRL that a CA signed with the CA's index. It detects a revocation that somebody removed by
//! editing a row.
use super::StoreError;
use super::{Authority, CertificateReader, CertificateState, IndexError, IndexReader};
use crate::x509::{CertificateId, CrlEntry, CrlListing, SerialNumber, compare_serials};
use std::cmp::Ordering;

/// Compares a CA's last signed CRL with the entries of its next CRL. Both have their entries in order of serial
/// number.
pub(crate) struct Comparison<'a> {
    list: &'a CrlListing,
    at: usize,
    missing: Vec<usize>,
}

impl<'a> Comparison<'a> {
    /// Starts a comparison with this CRL, before its first entry.
    pub(crate) fn with(list: &'a CrlListing) -> Self {
        Self { list, at: 0, missing: Vec::new() }
    }

    /// Passes the entry at this position of the last CRL, which the next one has unchanged, unless it is not the next
    /// one there. Returns whether it did.
    pub(crate) fn passes(&mut self, found: Option<usize>) -> bool {
        let is_next = found == Some(self.at);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes the following entry of the next CRL.
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

    /// Returns the serial numbers that the last CRL revokes permanently and that are missing from the next CRL
    /// although they must be on it.
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

/// Returns whether a certificate that a CRL revoked may be absent from the next CRL. It may when the index has
/// it as revoked too, and the certificate had expired when that CRL was made (C3). The notAfter of the
/// certificate itself counts, not the column beside it.
pub(crate) fn need_not_be_listed(
    index: &dyn CertificateReader,
    authority: &Authority,
    list: &CrlListing,
    serial_number: &SerialNumber,
) -> Result<bool, IndexError> {
    let id = CertificateId { issuer: authority.issuer, serial_number: serial_number.clone() };
    let record = match index.certificate(&id) {
        // A row that was tampered with may not even be readable.
        Err(IndexError::Store(StoreError::Damaged(_))) => None,
        record => record?,
    };
    Ok(record.is_some_and(|record| {
        let end = record.certificate.as_ref().map_or(record.validity, |one| one.tbs().validity()).not_after;
        is_final(&record.state) && end < list.this_update()
    }))
}

/// Returns whether a certificate is revoked permanently, and not on hold.
pub(crate) fn is_final(state: &CertificateState) -> bool {
    matches!(state, CertificateState::Revoked(revocation) if !revocation.is_hold())
}

/// Returns the serial numbers that a CRL of a CA revokes permanently and that the CA's next CRL would lack
/// although they must be on it. The caller reads the CRL before calling this, so that the index is at least as
/// new as the CRL.
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
