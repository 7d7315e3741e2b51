//! CRLs: encoded as for publication, and built field by field, so that a test can make one thing wrong at a
//! time.
use super::x509::extension::crl_number;
use super::x509::octets::{sequence, tlv};
use super::x509::{
    CertificateList, CrlEntry, CrlReason, Extension, Name, SerialNumber, SignatureAlgorithm, TbsCertList,
    TbsCertListBuilder, UnixTime,
};

/// An entry with this serial number, revoked at time 500.
pub(crate) fn entry(number: &[u8], reason: Option<CrlReason>) -> CrlEntry {
    CrlEntry {
        serial_number: SerialNumber::from_be_octets(number).unwrap(),
        revocation_date: UnixTime(500),
        reason,
        invalidity_date: None,
    }
}

/// A TBSCertList of this issuer with these times.
pub(crate) fn tbs_cert_list(
    algorithm: SignatureAlgorithm,
    issuer: &Name,
    (this_update, next_update): (UnixTime, UnixTime),
    entries: impl IntoIterator<Item = CrlEntry>,
    extensions: Vec<Extension>,
) -> TbsCertList {
    let mut list = TbsCertListBuilder::new(algorithm, issuer.clone(), this_update, next_update);
    entries.into_iter().for_each(|entry| list.push(&entry));
    list.encode(extensions)
}

/// A CRL with this number by `CN=a`, valid from time 1000 to 2000, with an invalid signature.
pub(crate) fn crl(number: u64, entries: impl IntoIterator<Item = CrlEntry>) -> CertificateList {
    let (algorithm, issuer) = (SignatureAlgorithm::ECDSA_SHA256, Name::parse("CN=a").unwrap());
    let times = (UnixTime(1000), UnixTime(2000));
    CertificateList::encode_signed(
        tbs_cert_list(algorithm, &issuer, times, entries, vec![crl_number(number)]),
        &[1; 64],
    )
}

/// The encoded fields of a CRL, each replaceable.
#[derive(Clone, Debug)]
pub(crate) struct CrlBuilder {
    pub(crate) version: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) outer_signature: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) this_update: Vec<u8>,
    pub(crate) next_update: Vec<u8>,
    pub(crate) entries: Option<Vec<u8>>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) raw_extensions: Vec<Vec<u8>>,
    pub(crate) has_empty_list: bool,
}

impl CrlBuilder {
    /// A CRL for a week from `this_update`, without entries and extensions.
    pub(crate) fn new(issuer: &Name, this_update: UnixTime) -> Self {
        let signature = SignatureAlgorithm::ECDSA_SHA256.to_der();
        Self {
            version: vec![2, 1, 1],
            outer_signature: signature.clone(),
            signature,
            issuer: issuer.as_der().to_vec(),
            this_update: this_update.to_der(),
            next_update: this_update.plus_days(7).to_der(),
            entries: None,
            extensions: Vec::new(),
            raw_extensions: Vec::new(),
            has_empty_list: false,
        }
    }

    /// Replaces the extension of this type, or adds it.
    pub(crate) fn put(&mut self, extension: Extension) {
        self.extensions.retain(|one| one.oid != extension.oid);
        self.extensions.push(extension);
    }

    /// Returns the CRL in DER, with an invalid signature.
    pub(crate) fn unsigned_der(&self) -> Vec<u8> {
        let mut list: Vec<Vec<u8>> = self.extensions.iter().map(Extension::to_der).collect();
        list.extend(self.raw_extensions.clone());
        let without = list.is_empty() && !self.has_empty_list;
        let extensions = if without { Vec::new() } else { tlv(0xa0, &tlv(0x30, &list.concat())) };
        let entries = self.entries.as_ref().map(|entries| tlv(0x30, entries)).unwrap_or_default();
        let tbs = sequence(&[
            &self.version,
            &self.signature,
            &self.issuer,
            &self.this_update,
            &self.next_update,
            &entries,
            &extensions,
        ]);
        sequence(&[&tbs, &self.outer_signature, &tlv(3, &[0, 1, 2, 3])])
    }
}
