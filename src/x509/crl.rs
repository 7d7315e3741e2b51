//! `CertificateList` and `TBSCertList` (RFC 5280 §5.1).
use super::extension::{self, CrlNumber, Extension};
use super::octets::{SEQUENCE, put_header, tlv};
use super::{
    CrlReason, MalformedDer, Name, SerialNumber, SignatureAlgorithm, Signed, SubjectPublicKeyInfo, UnixTime,
    read_time, verify,
};
use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, Tagged};

/// One entry of `revokedCertificates`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CrlEntry {
    /// `userCertificate`
    pub serial_number: SerialNumber,
    /// `revocationDate`
    pub revocation_date: UnixTime,
    /// `reasonCode`; absent rather than `unspecified`.
    pub reason: Option<CrlReason>,
    /// `invalidityDate`
    pub invalidity_date: Option<UnixTime>,
}

impl CrlEntry {
    /// Appends the entry's DER.
    fn put(&self, out: &mut Vec<u8>) {
        let mut contents = self.serial_number.to_der();
        contents.extend(self.revocation_date.to_der());
        let mut extensions =
            self.reason.and_then(extension::reason_code).map(|e| e.to_der()).unwrap_or_default();
        if let Some(at) = self.invalidity_date {
            extensions.extend(extension::invalidity_date(at).to_der());
        }
        if !extensions.is_empty() {
            put_header(&mut contents, SEQUENCE, extensions.len());
            contents.extend(extensions);
        }
        put_header(out, SEQUENCE, contents.len());
        out.extend(contents);
    }
}

/// An encoded TBSCertList and what it says, its entries aside.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TbsCertList {
    der: Vec<u8>,
    signature: SignatureAlgorithm,
    issuer: Name,
    this_update: UnixTime,
    next_update: Option<UnixTime>,
    extensions: Vec<Extension>,
    /// Where the elements of `revokedCertificates` stand in `der`; `None` when the field is absent.
    entries: Option<std::ops::Range<usize>>,
}

/// Collects entries one by one, as DER only, so that a million of them cost 50 octets each.
#[derive(Debug)]
pub struct TbsCertListBuilder {
    signature: SignatureAlgorithm,
    issuer: Name,
    this_update: UnixTime,
    next_update: UnixTime,
    entries: Vec<u8>,
}

impl TbsCertListBuilder {
    /// A list without entries.
    #[must_use]
    pub fn new(
        signature: SignatureAlgorithm,
        issuer: Name,
        this_update: UnixTime,
        next_update: UnixTime,
    ) -> Self {
        Self { signature, issuer, this_update, next_update, entries: Vec::new() }
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: &CrlEntry) {
        entry.put(&mut self.entries);
    }

    /// Encodes version 2 with these extensions; without entries the field is left out.
    #[must_use]
    pub fn encode(self, extensions: Vec<Extension>) -> TbsCertList {
        let list: Vec<Vec<u8>> = extensions.iter().map(Extension::to_der).collect();
        let mut head = vec![2, 1, 1];
        head.extend(self.signature.to_der());
        head.extend_from_slice(self.issuer.as_der());
        head.extend(self.this_update.to_der());
        head.extend(self.next_update.to_der());
        if !self.entries.is_empty() {
            put_header(&mut head, SEQUENCE, self.entries.len());
        }
        let tail = tlv(0xa0, &tlv(SEQUENCE, &list.concat()));
        let length = head.len() + self.entries.len() + tail.len();
        let mut der = Vec::with_capacity(length + 6);
        put_header(&mut der, SEQUENCE, length);
        der.extend(head);
        let start = der.len();
        let entries = (!self.entries.is_empty()).then(|| start..start + self.entries.len());
        der.extend_from_slice(&self.entries);
        der.extend(tail);
        TbsCertList {
            der,
            signature: self.signature,
            issuer: self.issuer,
            this_update: self.this_update,
            next_update: Some(self.next_update),
            extensions,
            entries,
        }
    }
}

impl TbsCertList {
    /// Reads exactly one version 2 TBSCertList.
    ///
    /// # Errors
    /// When the octets are malformed.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        Self::read(octets)
            .map_err(|error| if error.what == "ASN.1" { error.reading("TBSCertList") } else { error })
    }

    fn read(octets: &[u8]) -> Result<Self, MalformedDer> {
        let mut reader = SliceReader::new(octets)?;
        let tbs = reader.sequence(|fields| {
            if u8::decode(fields)? != 1 {
                return Err(MalformedDer::new("TBSCertList", "the version is not v2"));
            }
            let signature = SignatureAlgorithm::from_der(fields.tlv_bytes()?)?;
            let issuer = Name::from_der(fields.tlv_bytes()?)?;
            let this_update = read_time(fields)?;
            let mut tbs = Self {
                der: octets.to_vec(),
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

    /// The octets that are signed.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// `signature`, the algorithm.
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

    /// Whether `revokedCertificates` is present; it never is when there are no entries.
    #[must_use]
    pub fn has_entries(&self) -> bool {
        self.entries.is_some()
    }

    /// Every entry in order, decoded as it is reached.
    pub fn entries(&self) -> impl Iterator<Item = Result<CrlEntry, MalformedDer>> + '_ {
        let range = self.entries.clone().unwrap_or_default();
        let mut rest = self.der.get(range).unwrap_or_default();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (entry, remaining) = read_entry(rest);
            rest = remaining;
            Some(entry)
        })
    }

    /// The entry for this serial number.
    #[must_use]
    pub fn find(&self, serial_number: &SerialNumber) -> Option<CrlEntry> {
        self.entries().filter_map(Result::ok).find(|entry| entry.serial_number == *serial_number)
    }
}

fn read_entry(octets: &[u8]) -> (Result<CrlEntry, MalformedDer>, &[u8]) {
    let element = SliceReader::new(octets).and_then(|mut reader| reader.tlv_bytes());
    match element {
        Ok(element) => {
            let entry = decode_entry(element).map_err(|error| error.reading("CRL entry"));
            (entry, octets.get(element.len()..).unwrap_or_default())
        }
        Err(error) => (Err(MalformedDer::from(error).reading("CRL entry")), &[]),
    }
}

fn decode_entry(element: &[u8]) -> Result<CrlEntry, MalformedDer> {
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

/// A signed CRL, its octets as received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateList {
    der: Vec<u8>,
    tbs: TbsCertList,
    signature: Vec<u8>,
}

impl CertificateList {
    /// Reads exactly one CRL.
    ///
    /// # Errors
    /// When the octets are malformed or outer and inner signature algorithm differ.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let signed = Signed::from_der(octets).map_err(|error| error.reading("CertificateList"))?;
        let tbs = TbsCertList::from_der(signed.tbs)?;
        if SignatureAlgorithm::from_der(signed.algorithm)? != tbs.signature {
            return Err(MalformedDer::new("CertificateList", "outer and inner signature algorithm differ"));
        }
        Ok(Self { der: octets.to_vec(), tbs, signature: signed.signature.to_vec() })
    }

    /// The octets.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// What was signed.
    #[must_use]
    pub fn tbs(&self) -> &TbsCertList {
        &self.tbs
    }

    /// Whether this key made the signature.
    #[must_use]
    pub fn is_signed_by(&self, key: &SubjectPublicKeyInfo) -> bool {
        verify(key, self.tbs.signature, self.tbs.as_der(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> TbsCertListBuilder {
        let issuer = Name::parse("CN=a").unwrap();
        TbsCertListBuilder::new(SignatureAlgorithm::EcdsaSha256, issuer, UnixTime(1000), UnixTime(2000))
    }

    #[test]
    fn an_empty_list_has_no_entries_element_at_all() {
        // C2
        let tbs = builder().encode(vec![extension::crl_number(7)]);
        assert!(!tbs.has_entries());
        assert_eq!(TbsCertList::from_der(tbs.as_der()), Ok(tbs.clone()));
        assert_eq!(tbs.crl_number(), Some(7));
    }

    #[test]
    fn entries_survive_a_round_trip_and_unspecified_is_left_out() {
        // C2, C4
        let entry = |number: u8, reason, invalidity_date| CrlEntry {
            serial_number: SerialNumber::from_be_octets(&[number]).unwrap(),
            revocation_date: UnixTime(500),
            reason,
            invalidity_date,
        };
        let entries = [
            entry(0x80, None, None),
            entry(2, Some(CrlReason::KeyCompromise), Some(UnixTime(400))),
            entry(3, Some(CrlReason::CertificateHold), None),
        ];
        let mut list = builder();
        entries.iter().for_each(|entry| list.push(entry));
        list.push(&entry(4, Some(CrlReason::Unspecified), None));
        let tbs = list.encode(vec![extension::crl_number(1)]);
        let decoded = TbsCertList::from_der(tbs.as_der()).unwrap();
        assert_eq!(decoded, tbs);
        let mut read: Vec<CrlEntry> = decoded.entries().map(Result::unwrap).collect();
        assert_eq!(read.pop().unwrap().reason, None);
        assert_eq!(read, entries);
        assert_eq!(decoded.find(&entries[1].serial_number).as_ref(), Some(&entries[1]));
    }
}
