//! A CRL in which serial numbers can be looked up: its octets, and an index of where each entry begins.
use super::crl::decode_entry;
use super::crl_summary::Header;
use super::extension::CrlNumber;
use super::octets::{INTEGER, SEQUENCE};
use super::{CertificateList, CrlEntry, CrlReason, SerialNumber, UnixTime};
use std::cmp::Ordering;
use std::sync::Arc;

/// Entries of a CRL by serial number. The index takes four octets an entry besides the octets of the list.
///
/// An entry whose extensions cannot be understood is listed too: as revoked at `thisUpdate`, without a reason.
#[derive(Clone)]
pub struct CrlListing {
    octets: Arc<[u8]>,
    /// Offsets of the entries in rising order of serial number; each serial number once.
    entries: Box<[u32]>,
    number: CrlNumber,
    this_update: UnixTime,
}

/// Leaves the entries out.
impl std::fmt::Debug for CrlListing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrlListing").field("number", &self.number).field("entries", &self.len()).finish()
    }
}

impl CrlListing {
    /// Indexes a list whose signature was verified. Only elements without a readable serial number are left out.
    #[must_use]
    pub fn of(list: &CertificateList) -> Self {
        let octets: Arc<[u8]> = list.as_der().into();
        let region = list.entries_in_der();
        let mut entries = Vec::new();
        let mut at = region.start;
        while at < region.end {
            let place = u64::try_from(at).unwrap_or(u64::MAX);
            let Some(entry) = Header::at(&octets, place).filter(|entry| entry.tag == SEQUENCE) else { break };
            let Some(end) = usize::try_from(entry.end).ok().filter(|end| *end <= region.end) else { break };
            if let Ok(offset) = u32::try_from(at)
                && serial_at(&octets, offset).is_some()
            {
                entries.push(offset);
            }
            at = end;
        }
        let order = |a: &u32, b: &u32| compare(key_at(&octets, *a), key_at(&octets, *b));
        if !entries.is_sorted_by(|a, b| order(a, b) == Ordering::Less) {
            entries.sort_by(order);
            entries.dedup_by(|a, b| order(a, b) == Ordering::Equal);
        }
        let (number, this_update) = (list.tbs().crl_number().unwrap_or(0), list.tbs().this_update());
        Self { octets, entries: entries.into_boxed_slice(), number, this_update }
    }

    /// Returns the whole CRL, DER.
    #[must_use]
    pub fn octets(&self) -> &Arc<[u8]> {
        &self.octets
    }

    /// `cRLNumber`; 0 when the CRL has none.
    #[must_use]
    pub fn number(&self) -> CrlNumber {
        self.number
    }

    /// `thisUpdate`
    #[must_use]
    pub fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// Returns the number of serial numbers listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Tells whether no serial number is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the entry for this serial number.
    #[must_use]
    pub fn find(&self, serial_number: &SerialNumber) -> Option<CrlEntry> {
        let wanted = serial_number.as_be_octets();
        let at = self.entries.binary_search_by(|at| compare(key_at(&self.octets, *at), wanted)).ok()?;
        self.entry(at)
    }

    /// Returns the entry at this position in the order of serial numbers.
    #[must_use]
    pub fn entry(&self, at: usize) -> Option<CrlEntry> {
        let serial = self.serial_octets(at)?;
        decode_entry(self.element(at)?).ok().or_else(|| {
            Some(CrlEntry {
                serial_number: SerialNumber::from_be_octets(serial).ok()?,
                revocation_date: self.this_update,
                reason: None,
                invalidity_date: None,
            })
        })
    }

    /// Returns the DER of the entry at this position in the order of serial numbers.
    pub(crate) fn element(&self, at: usize) -> Option<&[u8]> {
        let offset = *self.entries.get(at)?;
        let header = Header::at(&self.octets, offset.into())?;
        self.octets.get(usize::try_from(offset).ok()?..usize::try_from(header.end).ok()?)
    }

    /// Returns the serial number at this position in the order of serial numbers: its octets without leading zeros.
    pub(crate) fn serial_octets(&self, at: usize) -> Option<&[u8]> {
        serial_at(&self.octets, *self.entries.get(at)?)
    }
}

impl CrlEntry {
    /// Tells whether the revocation is permanent: the reason is neither `certificateHold` nor `removeFromCRL`.
    #[must_use]
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self.reason, Some(CrlReason::CertificateHold | CrlReason::RemoveFromCrl))
    }
}

/// Compares serial numbers as numbers, by their octets without leading zeros.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn key_at(octets: &[u8], entry: u32) -> &[u8] {
    serial_at(octets, entry).unwrap_or_default()
}

/// Returns the serial number of the entry at this offset, without leading zeros; `None` when it is not a positive
/// INTEGER of up to 20 octets.
fn serial_at(octets: &[u8], entry: u32) -> Option<&[u8]> {
    let entry = Header::at(octets, entry.into())?;
    let serial = Header::at(octets, entry.contents).filter(|serial| serial.tag == INTEGER)?;
    let range = usize::try_from(serial.contents).ok()?..usize::try_from(serial.end).ok()?;
    let contents = octets.get(range).filter(|contents| contents.len() <= 20)?;
    let start = contents.iter().position(|octet| *octet != 0)?;
    contents.get(start..).filter(|_| contents.first().is_some_and(|first| *first < 0x80))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::crl;

    fn entry(serial: &str, reason: Option<CrlReason>) -> CrlEntry {
        CrlEntry {
            serial_number: serial.parse().unwrap(),
            revocation_date: UnixTime(500),
            reason,
            invalidity_date: None,
        }
    }

    fn listing(entries: &[CrlEntry]) -> CrlListing {
        CrlListing::of(&crl(7, entries.iter().cloned()))
    }

    #[test]
    fn every_entry_is_found_in_whatever_order_the_list_has_them_and_nothing_else_is() {
        let serials = ["0100", "ff", "01", "7fffffffffffffffffffffffffffffffffffffff", "80", "4a00"];
        let entries: Vec<CrlEntry> = serials.iter().map(|serial| entry(serial, None)).collect();
        let listing = listing(&entries);
        assert_eq!((listing.len(), listing.number(), listing.this_update()), (6, 7, UnixTime(1000)));
        for one in &entries {
            assert_eq!(listing.find(&one.serial_number).as_ref(), Some(one));
        }
        for other in ["02", "fe", "0101", "4a", "4a0001"] {
            assert_eq!(listing.find(&other.parse().unwrap()), None, "{other}");
        }
        let ordered: Vec<String> =
            (0..6).map(|at| listing.entry(at).unwrap().serial_number.to_string()).collect();
        assert_eq!(ordered, ["01", "80", "ff", "0100", "4a00", serials[3]]);
        assert!(listing.entry(6).is_none());
    }

    #[test]
    fn an_empty_list_lists_nothing() {
        let listing = listing(&[]);
        assert!(listing.is_empty() && listing.find(&"01".parse().unwrap()).is_none());
    }

    #[test]
    fn what_is_on_hold_or_taken_off_is_not_revoked_for_good() {
        // C4
        for (reason, is_final) in [
            (None, true),
            (Some(CrlReason::KeyCompromise), true),
            (Some(CrlReason::CertificateHold), false),
            (Some(CrlReason::RemoveFromCrl), false),
        ] {
            assert_eq!(entry("01", reason).is_final(), is_final, "{reason:?}");
        }
    }

    #[test]
    fn an_entry_that_says_more_than_is_understood_is_listed_all_the_same() {
        let known = listing(&[entry("4a", Some(CrlReason::KeyCompromise)), entry("4b", None)]);
        let mut octets = known.octets().to_vec();
        // reasonCode 2.5.29.21 becomes 2.5.29.99, which is not defined
        let at = octets.windows(3).position(|three| three == [0x55, 0x1d, 0x15]).unwrap();
        octets[at + 2] = 0x63;
        let listing = CrlListing::of(&CertificateList::from_der(&octets).unwrap());
        assert_eq!(listing.len(), 2);
        assert!(listing.find(&"4a".parse().unwrap()).unwrap().is_final());
    }
}
