//! Reads the fields of a CRL other than its entries, without reading the entries, which may be a million.
use super::extension::CrlNumber;
use super::octets::{INTEGER, SEQUENCE, tlv};
use super::{CertificateList, MalformedDer, Name, UnixTime};
use std::io::{self, Read, Seek, SeekFrom};

/// Maximum length in octets of the part before the entries, and of the part after them. Names, extensions and the
/// signature take a few kilobytes at most.
const LONGEST: u64 = 64 * 1024;

/// Issuer, times and number of a CRL. Neither the entries nor the signature were checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CrlSummary {
    /// The CRL without its entries.
    bare: CertificateList,
    after_entries: u64,
}

impl CrlSummary {
    /// Reads the parts before and after the entries.
    ///
    /// # Errors
    /// When the source cannot be read; [`io::ErrorKind::InvalidData`] when it is not exactly one CRL in DER. Defects
    /// within the entries are not found.
    pub fn read(source: &mut (impl Read + Seek)) -> io::Result<Self> {
        let total = source.seek(SeekFrom::End(0))?;
        let head = part(source, 0, total.min(LONGEST))?;
        let frame = Frame::find(&head, total).ok_or_else(|| malformed("it does not begin like one"))?;
        let rest = total.saturating_sub(frame.entries_end);
        if rest > LONGEST {
            return Err(malformed("too much stands after its entries"));
        }
        let tail = part(source, frame.entries_end, rest)?;
        let within = frame.tbs_end.saturating_sub(frame.entries_end);
        let (extensions, signature) = usize::try_from(within)
            .ok()
            .and_then(|within| tail.split_at_checked(within))
            .ok_or_else(|| malformed("its entries are longer than itself"))?;
        let tbs = tlv(SEQUENCE, &[frame.fields, extensions].concat());
        let list = CertificateList::from_der(&tlv(SEQUENCE, &[&tbs, signature].concat()));
        let bare = list.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Self { bare, after_entries: rest })
    }

    /// `issuer`
    #[must_use]
    pub fn issuer(&self) -> &Name {
        self.bare.tbs().issuer()
    }

    /// `thisUpdate`
    #[must_use]
    pub fn this_update(&self) -> UnixTime {
        self.bare.tbs().this_update()
    }

    /// `nextUpdate`
    #[must_use]
    pub fn next_update(&self) -> Option<UnixTime> {
        self.bare.tbs().next_update()
    }

    /// `cRLNumber`; `None` when absent, malformed, or beyond 64 bits.
    #[must_use]
    pub fn crl_number(&self) -> Option<CrlNumber> {
        self.bare.tbs().crl_number()
    }

    /// `deltaCRLIndicator`, as [`crate::x509::TbsCertList::base_crl_number`].
    #[must_use]
    pub fn base_crl_number(&self) -> Option<CrlNumber> {
        self.bare.tbs().base_crl_number()
    }

    /// Returns the number of octets after the entries: extensions, signature algorithm and signature.
    #[must_use]
    pub(crate) fn after_entries(&self) -> u64 {
        self.after_entries
    }
}

fn malformed(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, MalformedDer::new("CertificateList", reason))
}

fn part(source: &mut (impl Read + Seek), at: u64, length: u64) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(at))?;
    let mut octets = Vec::new();
    source.take(length).read_to_end(&mut octets)?;
    Ok(octets)
}

/// Positions of the parts of a CRL, as offsets from its beginning.
struct Frame<'a> {
    /// Fields of the TBSCertList before `revokedCertificates`.
    fields: &'a [u8],
    /// End of `revokedCertificates`, or the position where it would be.
    entries_end: u64,
    tbs_end: u64,
}

impl<'a> Frame<'a> {
    fn find(head: &'a [u8], total: u64) -> Option<Self> {
        let list = Header::at(head, 0).filter(|list| list.tag == SEQUENCE && list.end == total)?;
        let tbs = Header::at(head, list.contents).filter(|tbs| tbs.tag == SEQUENCE && tbs.end <= total)?;
        let mut at = tbs.contents;
        // version, signature, issuer, thisUpdate
        for tags in [&[INTEGER][..], &[SEQUENCE], &[SEQUENCE], &[0x17, 0x18]] {
            let field = Header::at(head, at).filter(|field| tags.contains(&field.tag))?;
            at = field.end;
        }
        if let Some(next_update) = Header::at(head, at).filter(|next| matches!(next.tag, 0x17 | 0x18)) {
            at = next_update.end;
        }
        let range = usize::try_from(tbs.contents).ok()?..usize::try_from(at).ok()?;
        let revoked = Header::at(head, at).filter(|revoked| revoked.tag == SEQUENCE && at < tbs.end);
        let entries_end = revoked.map_or(at, |revoked| revoked.end);
        Some(Self { fields: head.get(range)?, entries_end, tbs_end: tbs.end })
            .filter(|frame| frame.entries_end <= frame.tbs_end)
    }
}

/// Identifier and length of an element. They are read here without the DER reader, which asks for whole elements: of
/// a CRL only the first octets are in memory, and its end is found from the lengths alone.
pub(super) struct Header {
    pub(super) tag: u8,
    /// Offset of its contents.
    pub(super) contents: u64,
    /// Offset of its end.
    pub(super) end: u64,
}

impl Header {
    pub(super) fn at(octets: &[u8], at: u64) -> Option<Self> {
        let (&[tag, first], rest) = octets.get(usize::try_from(at).ok()?..)?.split_first_chunk::<2>()?;
        let (count, length) = match first {
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let octets = rest.get(..count)?;
                (count, octets.iter().fold(0, |length, octet| length << 8 | u64::from(*octet)))
            }
            0x80.. => return None,
            short => (0, u64::from(short)),
        };
        let contents = at.checked_add(2)?.checked_add(u64::try_from(count).ok()?)?;
        Some(Self { tag, contents, end: contents.checked_add(length)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, entry};
    use std::io::Cursor;

    fn crl(entries: u32, next_number: u64) -> Vec<u8> {
        let entries = (1..=entries).map(|number| entry(&number.to_be_bytes(), None));
        testing::crl(next_number, entries).as_der().to_vec()
    }

    /// Source that counts the octets that are read.
    struct Counted(Cursor<Vec<u8>>, usize);

    impl Read for Counted {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.0.read(into)?;
            self.1 += count;
            Ok(count)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn the_outline_says_what_the_whole_list_says_and_the_entries_are_not_read() {
        // C1
        // [0] { cRLNumber }, ecdsa-with-SHA256, BIT STRING
        let after = 17 + 12 + 67;
        for entries in [0, 1, 3, 100, 100_000] {
            let octets = crl(entries, 300);
            let whole = CertificateList::from_der(&octets).unwrap();
            let mut source = Counted(Cursor::new(octets), 0);
            let outline = CrlSummary::read(&mut source).unwrap();
            assert_eq!(
                (outline.issuer(), outline.this_update(), outline.next_update(), outline.crl_number()),
                (whole.tbs().issuer(), UnixTime(1000), Some(UnixTime(2000)), Some(300))
            );
            assert!(source.1 < 140_000, "{} octets were read", source.1);
            assert_eq!(outline.after_entries(), after, "the same, whatever stands before");
        }
    }

    #[test]
    fn what_is_cut_or_longer_or_no_list_is_refused() {
        // C7
        let octets = crl(3, 7);
        for end in 0..octets.len() {
            assert!(CrlSummary::read(&mut Cursor::new(&octets[..end])).is_err(), "{end}");
        }
        for other in [&[&octets[..], &[0]].concat(), &b"no list"[..], &[0x30, 0], &[0x30, 0x84, 255, 255]] {
            let error = CrlSummary::read(&mut Cursor::new(other)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{other:?}");
        }
    }

    #[test]
    fn garbled_lists_do_no_harm() {
        let octets = crl(3, 7);
        for at in 0..octets.len() {
            for octet in [0, 0x30, 0x7f, 0x80, 0x84, 0xff] {
                let mut garbled = octets.clone();
                garbled[at] = octet;
                let _ = CrlSummary::read(&mut Cursor::new(garbled));
            }
        }
    }
}
