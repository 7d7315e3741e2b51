//! What a signer with a memory of its own is shown before it signs a CRL: the last CRL and the ends of certificates,
//! where it does not know them. So homes, and records, that are older than its memory need nobody's help.
use crate::ca::Engine;
use crate::error::Problem;
use crate::index::Authority;
use crate::signing::KeyRef;
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CrlListing, SerialNumber, compare_serials};
use std::cmp::Ordering;

/// The entries of a CRL that the next one leaves out, found while its entries are met in order.
pub(super) struct LeftOut<'l> {
    last: &'l CrlListing,
    at: usize,
    serials: Vec<SerialNumber>,
}

impl<'l> LeftOut<'l> {
    /// Begins with the first entry of the last CRL.
    pub(super) fn of(last: &'l CrlListing) -> Self {
        Self { last, at: 0, serials: Vec::new() }
    }

    /// Passes the entry at this position of the last CRL, which the new one has next, unless it is not the
    /// next one there. Returns whether it did.
    pub(super) fn passes(&mut self, found: Option<usize>) -> bool {
        let is_next = found == Some(self.at);
        self.at = self.at.saturating_add(is_next.into());
        is_next
    }

    /// Meets the next entry of the new CRL.
    pub(super) fn meet(&mut self, serial: &SerialNumber) {
        while let Some(found) = self.last.serial_octets(self.at) {
            match compare_serials(found, serial.as_be_octets()) {
                Ordering::Less => self.serials.extend(SerialNumber::from_be_octets(found)),
                Ordering::Equal => {}
                Ordering::Greater => return,
            }
            self.at = self.at.saturating_add(1);
        }
    }

    /// Returns the serial numbers, after the last entry was met.
    pub(super) fn finish(mut self) -> Vec<SerialNumber> {
        for at in self.at..self.last.len() {
            let found = self.last.serial_octets(at).unwrap_or_default();
            self.serials.extend(SerialNumber::from_be_octets(found));
        }
        self.serials
    }
}

/// The last CRL of a CA: its number, what the next leaves out of it, and its octets.
pub(super) struct Before {
    /// cRLNumber.
    pub(super) number: CrlNumber,
    /// Serial numbers of entries that the next CRL does not have.
    pub(super) left_out: Vec<SerialNumber>,
}

impl Engine {
    /// Shows the signer the last CRL, where it does not know that: by it the signer tells whether a responder is
    /// revoked, and which serial numbers were used. Before each certificate of a CA.
    pub(in crate::ca) fn show_last_crl(&self, authority: &Authority) -> Result<(), Problem> {
        let number = self.index().highest_crl_number(&authority.issuer)?;
        self.show_signer(authority, &Before { number, left_out: Vec::new() })
    }

    /// Shows the signer what it has to know before it signs the CRL after this one. Where that fails, the signer says so
    /// when it is to sign.
    pub(super) fn show_signer(&self, authority: &Authority, before: &Before) -> Result<(), Problem> {
        let Some(signer) = self.keys().remembering() else { return Ok(()) };
        let key = KeyRef::of(authority);
        let Ok(wanted) = signer.to_be_shown(&key, before.number, &before.left_out) else { return Ok(()) };
        if wanted.crl
            && let Some(crl) = self.publisher().published_crl(&authority.name)?
        {
            let _ = signer.show_crl(&key, &authority.certificate, crl.as_der());
        }
        let mut found = Vec::new();
        for serial_number in wanted.certificates {
            let id = CertificateId { issuer: authority.issuer, serial_number };
            found.extend(self.index().certificate(&id)?.and_then(|record| record.certificate));
        }
        if !found.is_empty() {
            let _ = signer.show_certificates(&key, &authority.certificate, &found);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{crl, entry};

    #[test]
    fn what_the_next_crl_leaves_out_is_found_in_order() {
        let numbers: [&[u8]; 5] = [&[1], &[3], &[0x80], &[1, 0], &[2, 0]];
        let last = CrlListing::of(&crl(1, numbers.map(|number| entry(number, None))));
        let serial = |number: &[u8]| SerialNumber::from_be_octets(number).unwrap();
        for kept in 0..32_u8 {
            let is_kept = |at: usize| kept >> at & 1 == 1;
            let mut left_out = LeftOut::of(&last);
            let mut expected = Vec::new();
            for (at, number) in numbers.iter().enumerate() {
                if is_kept(at) {
                    left_out.meet(&serial(number));
                } else {
                    expected.push(serial(number));
                }
                // one that the last CRL does not have
                if at == 2 {
                    left_out.meet(&serial(&[0x81]));
                }
            }
            assert_eq!(left_out.finish(), expected, "{kept:b}");
        }
    }
}
