//! What the next complete CRL of a CA says otherwise than the last one, found while its entries are met in order.
use crate::x509::{CrlEntry, CrlListing, SerialNumber, compare_serials};
use std::cmp::Ordering;

/// Most differences that are kept: a delta CRL of more would be none for anybody.
const MOST: usize = 100_000;

/// The differences, so far.
pub(super) struct Difference<'l> {
    last: &'l CrlListing,
    at: usize,
    found: Option<Found>,
}

/// The differences of two CRLs, in the order of serial numbers.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Found {
    /// Entries of the next CRL that the last one does not have, or has otherwise.
    pub(super) entries: Vec<CrlEntry>,
    /// Entries of the last CRL that the next one does not have.
    pub(super) left: Vec<CrlEntry>,
}

impl Found {
    fn is_short(&self) -> bool {
        self.entries.len().saturating_add(self.left.len()) < MOST
    }
}

impl<'l> Difference<'l> {
    /// Begins with the first entry of the last CRL. Differences are kept when they are `wanted`.
    pub(super) fn from(last: &'l CrlListing, wanted: bool) -> Self {
        Self { last, at: 0, found: wanted.then(Found::default) }
    }

    /// Returns what the last CRL has of the same certificate as the next entry of the next CRL, where that is something else.
    pub(super) fn otherwise(&self, entry: &CrlEntry, der: &[u8]) -> Option<CrlEntry> {
        match self.last.element(self.at) == Some(der) {
            true => None,
            false => self.last.find(&entry.serial_number),
        }
    }

    /// Meets the next entry of the next CRL, and its DER. Returns where the same entry is on the last CRL, when it comes
    /// next there.
    pub(super) fn meet(&mut self, entry: &CrlEntry, der: &[u8]) -> Option<usize> {
        // nearly every entry stands there as before
        if self.last.element(self.at) == Some(der) {
            let found = self.at;
            self.at = self.at.saturating_add(1);
            return Some(found);
        }
        let mut is_there = false;
        while let Some(found) = self.last.serial_octets(self.at) {
            match compare_serials(found, entry.serial_number.as_be_octets()) {
                Ordering::Less => self.leave(self.at),
                Ordering::Equal => is_there = self.last.element(self.at) == Some(der),
                Ordering::Greater => break,
            }
            self.at = self.at.saturating_add(1);
        }
        if !is_there {
            self.found = self.found.take().filter(Found::is_short);
            self.found.iter_mut().for_each(|found| found.entries.push(entry.clone()));
        }
        None
    }

    fn leave(&mut self, at: usize) {
        self.found = self.found.take().filter(Found::is_short);
        self.found.iter_mut().for_each(|found| found.left.extend(self.last.entry(at)));
    }

    /// Returns the differences, after the last entry was met; `None` when they are too many, or were not wanted.
    pub(super) fn finish(mut self) -> Option<Found> {
        (self.at..self.last.len()).for_each(|at| self.leave(at));
        self.found
    }
}

/// Returns the serial numbers of these entries.
pub(super) fn serials(entries: &[CrlEntry]) -> Vec<SerialNumber> {
    entries.iter().map(|entry| entry.serial_number.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{crl, entry, tbs_cert_list};
    use crate::x509::{CrlReason, Name, SignatureAlgorithm, UnixTime};

    fn found(last: &[CrlEntry], next: &[CrlEntry]) -> Option<Found> {
        let last = CrlListing::of(&crl(1, last.iter().cloned()));
        let mut difference = Difference::from(&last, true);
        for one in next {
            let (algorithm, issuer) = (SignatureAlgorithm::ECDSA_SHA256, Name::parse("CN=a").unwrap());
            let times = (UnixTime(0), UnixTime(1));
            let list = tbs_cert_list(algorithm, &issuer, times, [one.clone()], Vec::new());
            let der = CrlListing::of(&crate::x509::CertificateList::encode_signed(list, &[1; 64]));
            let _ = difference.meet(one, der.element(0).unwrap());
        }
        difference.finish()
    }

    #[test]
    fn what_came_changed_or_left_is_found_and_nothing_else() {
        // C5
        let reasons = [None, Some(CrlReason::CertificateHold), Some(CrlReason::KeyCompromise)];
        // each of three certificates is absent, or there with a reason, before and after
        let lists = |mut code: usize| {
            let mut list = Vec::new();
            for number in 1..=3_u8 {
                if let Some(reason) = reasons.get(code % 4) {
                    list.push(entry(&[number, 0], *reason));
                }
                code /= 4;
            }
            list
        };
        for before in 0..64 {
            for after in 0..64 {
                let (last, next) = (lists(before), lists(after));
                let has =
                    |list: &[CrlEntry], serial| list.iter().any(|one: &CrlEntry| one.serial_number == serial);
                let entries = next.iter().filter(|one| !last.contains(one)).cloned().collect();
                let left =
                    last.iter().filter(|one| !has(&next, one.serial_number.clone())).cloned().collect();
                assert_eq!(found(&last, &next), Some(Found { entries, left }), "{before} {after}");
            }
        }
    }
}
