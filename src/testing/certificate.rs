//! Certificates built field by field, so that a test can make one thing wrong at a time.
use super::key::TestKey;
use super::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, Purpose, authority_key_identifier, ocsp_no_check,
    subject_key_identifier_for,
};
use super::x509::octets::{sequence, tlv};
use super::x509::{
    Certificate, Extension, Name, SerialNumber, SignatureAlgorithm, SubjectPublicKeyInfo, TbsCertificate,
    UnixTime, Validity,
};

/// The encoded fields of a certificate, each replaceable.
#[derive(Clone, Debug)]
pub(crate) struct CertificateBuilder {
    pub(crate) version: Vec<u8>,
    pub(crate) serial_number: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) outer_signature: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) validity: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
    pub(crate) unique_identifiers: Vec<u8>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) raw_extensions: Vec<Vec<u8>>,
}

impl CertificateBuilder {
    /// A certificate with serial number 1, issued by its subject, valid until 2096, without extensions.
    pub(crate) fn new(subject: &Name, key: &SubjectPublicKeyInfo) -> Self {
        let signature = SignatureAlgorithm::ECDSA_SHA256.to_der();
        let validity = Validity { not_before: UnixTime(0), not_after: UnixTime(4_000_000_000) };
        Self {
            version: vec![0xa0, 3, 2, 1, 2],
            serial_number: vec![2, 1, 1],
            outer_signature: signature.clone(),
            signature,
            issuer: subject.as_der().to_vec(),
            validity: validity.to_der(),
            subject: subject.as_der().to_vec(),
            public_key: key.as_der().to_vec(),
            unique_identifiers: Vec::new(),
            extensions: Vec::new(),
            raw_extensions: Vec::new(),
        }
    }

    /// The fields of an existing certificate.
    pub(crate) fn of(tbs: &TbsCertificate) -> Self {
        Self::new(tbs.subject(), tbs.public_key())
            .number(tbs.serial_number())
            .named_by(tbs.issuer())
            .valid(tbs.validity().not_before, tbs.validity().not_after)
            .with(tbs.extensions().to_vec())
            .signature(tbs.signature())
    }

    pub(crate) fn number(mut self, number: &SerialNumber) -> Self {
        self.serial_number = number.to_der();
        self
    }

    pub(crate) fn named(mut self, subject: &Name) -> Self {
        self.subject = subject.as_der().to_vec();
        self
    }

    /// Sets `issuer`.
    pub(crate) fn named_by(mut self, issuer: &Name) -> Self {
        self.issuer = issuer.as_der().to_vec();
        self
    }

    /// Sets `issuer` to the name of this CA, and adds the CA's key identifier.
    pub(crate) fn issued_by(self, issuer: &Certificate) -> Self {
        let identifier = authority_key_identifier(&issuer.key_identifier());
        self.named_by(issuer.tbs().subject()).with([identifier])
    }

    pub(crate) fn valid(mut self, not_before: UnixTime, not_after: UnixTime) -> Self {
        self.validity = Validity { not_before, not_after }.to_der();
        self
    }

    /// Appends these extensions.
    pub(crate) fn with(mut self, extensions: impl IntoIterator<Item = Extension>) -> Self {
        self.extensions.extend(extensions);
        self
    }

    /// Adds the subjectKeyIdentifier of its key.
    pub(crate) fn identified(self) -> Self {
        let key = SubjectPublicKeyInfo::from_der(&self.public_key).unwrap();
        self.with([subject_key_identifier_for(&key)])
    }

    /// Adds the extensions of a CA certificate.
    pub(crate) fn into_ca(self, path_length: Option<u8>) -> Self {
        let usage = KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN);
        self.with([BasicConstraints { ca: true, path_length }.to_extension(), usage.to_extension()])
            .identified()
    }

    /// Adds the extensions of a delegated responder certificate.
    pub(crate) fn into_responder(self) -> Self {
        let purpose = ExtendedKeyUsage(vec![Purpose::OCSP_SIGNING]);
        self.with([KeyUsage::DIGITAL_SIGNATURE.to_extension(), purpose.to_extension(), ocsp_no_check()])
            .identified()
    }

    /// Sets the signature algorithm.
    pub(crate) fn signature(mut self, algorithm: SignatureAlgorithm) -> Self {
        self.signature = algorithm.to_der();
        self.outer_signature = algorithm.to_der();
        self
    }

    /// Replaces the extension of this type, or adds it.
    pub(crate) fn put(&mut self, extension: Extension) {
        match self.extensions.iter_mut().find(|one| one.oid == extension.oid) {
            Some(one) => *one = extension,
            None => self.extensions.push(extension),
        }
    }

    /// Returns the TBSCertificate in DER.
    pub(crate) fn tbs_der(&self) -> Vec<u8> {
        let mut list: Vec<Vec<u8>> = self.extensions.iter().map(Extension::to_der).collect();
        list.extend(self.raw_extensions.clone());
        let extensions = if list.is_empty() { Vec::new() } else { tlv(0xa3, &tlv(0x30, &list.concat())) };
        sequence(&[
            &self.version,
            &self.serial_number,
            &self.signature,
            &self.issuer,
            &self.validity,
            &self.subject,
            &self.public_key,
            &self.unique_identifiers,
            &extensions,
        ])
    }

    pub(crate) fn tbs(&self) -> TbsCertificate {
        TbsCertificate::from_der(&self.tbs_der()).unwrap()
    }

    /// Returns the certificate in DER, with an invalid signature.
    pub(crate) fn unsigned_der(&self) -> Vec<u8> {
        self.der(&[1, 2, 3])
    }

    pub(crate) fn unsigned(&self) -> Certificate {
        Certificate::from_der(&self.unsigned_der()).unwrap()
    }

    /// Signs with this key, whoever is named as the issuer.
    pub(crate) fn signed_by(self, key: &TestKey) -> Certificate {
        Certificate::from_der(&self.signed_der(key)).unwrap()
    }

    /// Signs with this key and returns the certificate in DER.
    pub(crate) fn signed_der(self, key: &TestKey) -> Vec<u8> {
        let signed = self.signature(key.algorithm());
        signed.der(&key.sign(&signed.tbs_der()))
    }

    /// Signs with `sign`, which gets the TBSCertificate in DER.
    pub(crate) fn signed(&self, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Certificate {
        Certificate::from_der(&self.der(&sign(&self.tbs_der()))).unwrap()
    }

    fn der(&self, signature: &[u8]) -> Vec<u8> {
        let bits = tlv(3, &[&[0], signature].concat());
        sequence(&[&self.tbs_der(), &self.outer_signature, &bits])
    }
}

impl TestKey {
    /// Signs a certificate, whoever is named as the issuer.
    pub(crate) fn certify(&self, tbs: &TbsCertificate) -> Certificate {
        Certificate::from_der(&self.encode_signed(tbs.as_der())).unwrap()
    }
}
