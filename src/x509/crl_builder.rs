//! Encoder of a TBSCertList (RFC 5280 §5.1.2), which writes the entries one by one into one buffer.
use super::extension::{Extension, put_invalidity_date, put_reason_code};
use super::octets::{SEQUENCE, put_header, tlv};
use super::{CrlEntry, CrlReason, Name, SignatureAlgorithm, TbsCertList, UnixTime};

/// Encodes entries one by one. The builder keeps their DER only, about 50 octets an entry, because a list may have a
/// million of them.
#[derive(Debug)]
pub(crate) struct TbsCertListBuilder {
    signature: SignatureAlgorithm,
    issuer: Name,
    this_update: UnixTime,
    next_update: UnixTime,
    entries: Vec<u8>,
    /// Contents of the entry that is being encoded, without its header.
    entry: Vec<u8>,
    /// Extensions of that entry.
    extensions: Vec<u8>,
}

impl TbsCertListBuilder {
    /// Returns a builder without entries.
    #[must_use]
    pub(crate) fn new(
        signature: SignatureAlgorithm,
        issuer: Name,
        this_update: UnixTime,
        next_update: UnixTime,
    ) -> Self {
        let (entries, entry, extensions) = Default::default();
        Self { signature, issuer, this_update, next_update, entries, entry, extensions }
    }

    /// Adds an entry.
    pub(crate) fn push(&mut self, entry: &CrlEntry) {
        self.put(entry);
    }

    /// Adds an entry, and returns its DER.
    pub(crate) fn put(&mut self, entry: &CrlEntry) -> &[u8] {
        let start = self.entries.len();
        let (contents, extensions) = (&mut self.entry, &mut self.extensions);
        contents.clear();
        extensions.clear();
        entry.serial_number.put(contents);
        entry.revocation_date.put(contents);
        if let Some(reason) = entry.reason.filter(|reason| *reason != CrlReason::Unspecified) {
            put_reason_code(extensions, reason);
        }
        if let Some(at) = entry.invalidity_date {
            put_invalidity_date(extensions, at);
        }
        if !extensions.is_empty() {
            put_header(contents, SEQUENCE, extensions.len());
            contents.extend_from_slice(extensions);
        }
        put_header(&mut self.entries, SEQUENCE, contents.len());
        self.entries.extend_from_slice(contents);
        self.entries.get(start..).unwrap_or_default()
    }

    /// Replaces the entry that was added last, whose DER has this length, and returns the DER of this one.
    pub(crate) fn put_instead(&mut self, entry: &CrlEntry, length: usize) -> &[u8] {
        self.entries.truncate(self.entries.len().saturating_sub(length));
        self.put(entry)
    }

    /// Encodes a version 2 list with these extensions. Without entries, `revokedCertificates` is left out.
    #[must_use]
    pub(crate) fn encode(self, extensions: Vec<Extension>) -> TbsCertList {
        let list: Vec<Vec<u8>> = extensions.iter().map(Extension::to_der).collect();
        let mut fields = vec![2, 1, 1];
        fields.extend(self.signature.to_der());
        fields.extend_from_slice(self.issuer.as_der());
        fields.extend(self.this_update.to_der());
        fields.extend(self.next_update.to_der());
        if !self.entries.is_empty() {
            put_header(&mut fields, SEQUENCE, self.entries.len());
        }
        let tail = tlv(0xa0, &tlv(SEQUENCE, &list.concat()));
        let length = self.entries.len();
        let mut head = Vec::with_capacity(fields.len() + 6);
        put_header(&mut head, SEQUENCE, fields.len() + length + tail.len());
        head.extend(fields);
        let entries = (length > 0).then(|| head.len()..head.len() + length);
        let mut octets = self.entries;
        octets.extend(tail);
        // the list is moved once within its buffer, without a second buffer
        octets.splice(..0, head);
        TbsCertList {
            place: 0..octets.len(),
            octets,
            signature: self.signature,
            issuer: self.issuer,
            this_update: self.this_update,
            next_update: Some(self.next_update),
            extensions,
            entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::{SerialNumber, extension};

    fn builder() -> TbsCertListBuilder {
        let issuer = Name::parse("CN=a").unwrap();
        TbsCertListBuilder::new(SignatureAlgorithm::ECDSA_SHA256, issuer, UnixTime(1000), UnixTime(2000))
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
