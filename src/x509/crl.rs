//! `CertificateList` and `TBSCertList` (RFC 5280 §5.1).
use super::encode_signed::frame;
use super::extension::{self, CrlNumber, Extension};
use super::octets::{SEQUENCE, first_element};
use super::{
    CrlReason, MalformedDer, Name, SerialNumber, SignatureAlgorithm, Signed, SubjectPublicKeyInfo, UnixTime,
    read_time, verify, verify_old,
};
use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use std::ops::Range;

/// One entry of `revokedCertificates`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CrlEntry {
    /// `userCertificate`
    pub serial_number: SerialNumber,
    /// `revocationDate`
    pub revocation_date: UnixTime,
    /// `reasonCode`; `None` instead of `unspecified`.
    pub reason: Option<CrlReason>,
    /// `invalidityDate`
    pub invalidity_date: Option<UnixTime>,
}

/// An encoded TBSCertList and its decoded fields, except for its entries.
///
/// A list may have a million entries. Its octets are therefore held once: signing places them within the octets of
/// the [`CertificateList`], without a copy.
#[derive(Clone, Debug)]
pub struct TbsCertList {
    pub(super) octets: Vec<u8>,
    /// Range of the TBSCertList within `octets`.
    pub(super) place: Range<usize>,
    pub(super) signature: SignatureAlgorithm,
    pub(super) issuer: Name,
    pub(super) this_update: UnixTime,
    pub(super) next_update: Option<UnixTime>,
    pub(super) extensions: Vec<Extension>,
    /// Range of the elements of `revokedCertificates`, counted from the beginning of the TBSCertList; `None` when the
    /// field is absent.
    pub(super) entries: Option<Range<usize>>,
}

/// Compares the octets, which hold everything.
impl PartialEq for TbsCertList {
    fn eq(&self, other: &Self) -> bool {
        self.as_der() == other.as_der()
    }
}

impl Eq for TbsCertList {}

impl TbsCertList {
    /// Reads exactly one version 2 TBSCertList.
    ///
    /// # Errors
    /// When the octets are malformed.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        Self::from_octets(octets.to_vec())
    }

    /// As [`TbsCertList::from_der`], with octets that are kept without a copy.
    ///
    /// # Errors
    /// When the octets are malformed.
    pub(crate) fn from_octets(octets: Vec<u8>) -> Result<Self, MalformedDer> {
        let mut tbs = Self::read(&octets)?;
        (tbs.place, tbs.octets) = (0..octets.len(), octets);
        Ok(tbs)
    }

    /// Decodes the octets without copying them.
    fn read(octets: &[u8]) -> Result<Self, MalformedDer> {
        Self::read_fields(octets)
            .map_err(|error| if error.what == "ASN.1" { error.reading("TBSCertList") } else { error })
    }

    fn read_fields(octets: &[u8]) -> Result<Self, MalformedDer> {
        let mut reader = SliceReader::new(octets)?;
        let tbs = reader.sequence(|fields| {
            if u8::decode(fields)? != 1 {
                return Err(MalformedDer::new("TBSCertList", "the version is not v2"));
            }
            let signature = SignatureAlgorithm::from_der(fields.tlv_bytes()?)?;
            let issuer = Name::from_der(fields.tlv_bytes()?)?;
            let this_update = read_time(fields)?;
            let mut tbs = Self {
                octets: Vec::new(),
                place: 0..0,
                signature,
                issuer,
                this_update,
                next_update: None,
                extensions: Vec::new(),
                entries: None,
            };
            if matches!(fields.peek_byte(), Some(0x17 | 0x18)) {
                tbs.next_update = Some(read_time(fields)?);
            }
            if fields.peek_byte() == Some(SEQUENCE) {
                let element = fields.tlv_bytes()?;
                let end = usize::try_from(u32::from(fields.position())).unwrap_or(usize::MAX);
                let length = AnyRef::from_der(element)?.value().len();
                tbs.entries = Some(end.saturating_sub(length)..end);
            }
            if !fields.is_finished() {
                let element = fields.tlv_bytes()?;
                if element.first() != Some(&0xa0) {
                    return Err(MalformedDer::new("TBSCertList", "an unexpected element"));
                }
                tbs.extensions = Extension::list_from_der(AnyRef::from_der(element)?.value())?;
            }
            Ok(tbs)
        })?;
        reader.finish()?;
        Ok(tbs)
    }

    /// Returns the octets that are signed, DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        self.octets.get(self.place.clone()).unwrap_or_default()
    }

    /// `signature`: the algorithm.
    #[must_use]
    pub fn signature(&self) -> SignatureAlgorithm {
        self.signature
    }

    /// `issuer`
    #[must_use]
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// `thisUpdate`
    #[must_use]
    pub fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// `nextUpdate`
    #[must_use]
    pub fn next_update(&self) -> Option<UnixTime> {
        self.next_update
    }

    /// `crlExtensions` in order.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// `cRLNumber`; `None` when absent, malformed, or beyond 64 bits.
    #[must_use]
    pub fn crl_number(&self) -> Option<CrlNumber> {
        let extension = self.extensions.iter().find(|extension| extension.oid == extension::CRL_NUMBER)?;
        extension::read_number(&extension.value).ok()
    }

    /// `deltaCRLIndicator`: the number of the complete CRL that a delta CRL is based on; `None` for a complete CRL. A
    /// value that is malformed or beyond 64 bits is 0, which no CRL of ours is based on.
    #[must_use]
    pub fn base_crl_number(&self) -> Option<CrlNumber> {
        let extension =
            self.extensions.iter().find(|extension| extension.oid == extension::DELTA_CRL_INDICATOR)?;
        Some(extension::read_number(&extension.value).unwrap_or(0))
    }

    /// Tells whether `revokedCertificates` is present. The field must be absent when there are no entries.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn has_entries(&self) -> bool {
        self.entries.is_some()
    }

    /// Returns the elements of `revokedCertificates`, one after the other.
    pub(super) fn entry_octets(&self) -> &[u8] {
        self.as_der().get(self.entries.clone().unwrap_or_default()).unwrap_or_default()
    }

    /// Returns every entry in order. Each entry is decoded when the iterator reaches it.
    pub fn entries(&self) -> impl Iterator<Item = Result<CrlEntry, MalformedDer>> + '_ {
        let mut rest = self.entry_octets();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (entry, remaining) = read_entry(rest);
            rest = remaining;
            Some(entry)
        })
    }

    /// Returns the entry for this serial number.
    #[must_use]
    pub fn find(&self, serial_number: &SerialNumber) -> Option<CrlEntry> {
        self.entries().filter_map(Result::ok).find(|entry| entry.serial_number == *serial_number)
    }
}

pub(super) fn read_entry(octets: &[u8]) -> (Result<CrlEntry, MalformedDer>, &[u8]) {
    match first_element(octets) {
        Ok(element) => {
            let entry = decode_entry(element).map_err(|error| error.reading("CRL entry"));
            (entry, octets.get(element.len()..).unwrap_or_default())
        }
        Err(error) => (Err(MalformedDer::from(error).reading("CRL entry")), &[]),
    }
}

pub(super) fn decode_entry(element: &[u8]) -> Result<CrlEntry, MalformedDer> {
    let mut reader = SliceReader::new(element)?;
    let entry = reader.sequence(|fields| {
        let integer = AnyRef::decode(fields)?;
        integer.tag().assert_eq(Tag::Integer)?;
        let serial_number = SerialNumber::from_integer_contents(integer.value())
            .map_err(|error| MalformedDer::new("CRL entry", error.to_string()))?;
        let revocation_date = read_time(fields)?;
        let mut entry = CrlEntry { serial_number, revocation_date, reason: None, invalidity_date: None };
        if !fields.is_finished() {
            for extension in Extension::list_from_der(fields.tlv_bytes()?)? {
                match extension.oid {
                    extension::REASON_CODE => {
                        let reason = extension.value.last().copied().and_then(CrlReason::from_number);
                        entry.reason =
                            Some(reason.ok_or_else(|| MalformedDer::new("CRL entry", "unknown reason"))?);
                    }
                    extension::INVALIDITY_DATE => {
                        entry.invalidity_date = Some(read_time(&mut SliceReader::new(&extension.value)?)?);
                    }
                    _ if extension.critical => {
                        return Err(MalformedDer::new("CRL entry", "an unknown critical extension"));
                    }
                    _ => {}
                }
            }
        }
        Ok::<_, MalformedDer>(entry)
    })?;
    reader.finish()?;
    Ok(entry)
}

/// A signed CRL. Its octets are kept as received.
#[derive(Clone, Debug, Eq)]
pub struct CertificateList {
    /// TBSCertList whose `octets` are the whole CRL.
    tbs: TbsCertList,
    signature: Vec<u8>,
}

impl PartialEq for CertificateList {
    fn eq(&self, other: &Self) -> bool {
        self.as_der() == other.as_der()
    }
}

impl CertificateList {
    /// Reads exactly one CRL.
    ///
    /// # Errors
    /// When the octets are malformed, or the outer and inner signature algorithms differ.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        Self::from_octets(octets.to_vec())
    }

    /// Reads exactly one CRL, whose octets are kept without a copy: it may have a million entries.
    ///
    /// # Errors
    /// As [`CertificateList::from_der`].
    pub(crate) fn from_octets(octets: Vec<u8>) -> Result<Self, MalformedDer> {
        let signed = Signed::from_der(&octets).map_err(|error| error.reading("CertificateList"))?;
        let mut tbs = TbsCertList::read(signed.tbs)?;
        if SignatureAlgorithm::from_der(signed.algorithm)? != tbs.signature {
            return Err(MalformedDer::new("CertificateList", "outer and inner signature algorithm differ"));
        }
        let start = octets.len().saturating_sub(AnyRef::from_der(&octets)?.value().len());
        tbs.place = start..start.saturating_add(signed.tbs.len());
        let signature = signed.signature.to_vec();
        tbs.octets = octets;
        Ok(Self { tbs, signature })
    }

    /// Adds the algorithm and this signature to a TBSCertList. The signature is not verified here;
    /// [`CertificateList::is_signed_by`] verifies it.
    #[must_use]
    pub fn encode_signed(mut tbs: TbsCertList, signature: &[u8]) -> Self {
        let length = tbs.place.len();
        let (head, tail) = frame(length, tbs.signature, signature);
        let place = head.len()..head.len().saturating_add(length);
        tbs.octets.truncate(tbs.place.end);
        tbs.octets.extend(tail);
        // the list is moved once within its buffer, without a second buffer
        tbs.octets.splice(..tbs.place.start, head);
        tbs.place = place;
        Self { tbs, signature: signature.to_vec() }
    }

    /// Returns the DER octets.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.tbs.octets
    }

    /// Returns the part that is signed.
    #[must_use]
    pub fn tbs(&self) -> &TbsCertList {
        &self.tbs
    }

    /// Returns the range of the elements of `revokedCertificates` within [`CertificateList::as_der`].
    pub(super) fn entries_in_der(&self) -> Range<usize> {
        let within = self.tbs.entries.clone().unwrap_or_default();
        let start = self.tbs.place.start;
        start.saturating_add(within.start)..start.saturating_add(within.end)
    }

    /// Tells whether the signature verifies with this key.
    #[must_use]
    pub fn is_signed_by(&self, key: &SubjectPublicKeyInfo) -> bool {
        verify(key, self.tbs.signature, self.tbs.as_der(), &self.signature)
    }

    /// Tells whether the signature verifies with this key, which may be a short RSA key ([`verify_old`]). Meant for
    /// CRLs of CAs that were taken over.
    #[must_use]
    pub(crate) fn was_signed_by(&self, key: &SubjectPublicKeyInfo) -> bool {
        verify_old(key, self.tbs.signature, self.tbs.as_der(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode_signed;
    use super::*;
    use crate::testing::{entry, tbs_cert_list};

    fn list(entries: u8) -> TbsCertList {
        let (algorithm, issuer) = (SignatureAlgorithm::ECDSA_SHA256, Name::parse("CN=a").unwrap());
        let entries = (0..entries).map(|number| entry(&[number, 1], None));
        let times = (UnixTime(1000), UnixTime(2000));
        tbs_cert_list(algorithm, &issuer, times, entries, vec![extension::crl_number(7)])
    }

    #[test]
    fn a_sealed_list_is_the_one_that_is_read_from_its_octets() {
        // C1
        for entries in [0, 1, 200] {
            let tbs = list(entries);
            let octets = encode_signed(tbs.as_der(), tbs.signature(), &[9; 64]);
            let sealed = CertificateList::encode_signed(tbs.clone(), &[9; 64]);
            let read = CertificateList::from_der(&octets).unwrap();
            assert_eq!((sealed.as_der(), &read), (octets.as_slice(), &sealed));
            assert_eq!((read.tbs(), &read.signature), (&tbs, &sealed.signature));
            assert_eq!(read.tbs().entries().count(), usize::from(entries));
            assert!(sealed.tbs().entries().eq(tbs.entries()));
            let again = CertificateList::encode_signed(read.tbs().clone(), &[9; 64]);
            assert_eq!(again, read);
        }
    }
}
