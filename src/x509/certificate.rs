//! `Certificate` and `TBSCertificate` (RFC 5280 §4.1).
use super::extension::{self, Extension};
use super::octets::{SEQUENCE, sequence, tlv};
use super::{
    Fingerprint, GeneralName, MalformedDer, Name, SerialNumber, SignatureAlgorithm, Signed,
    SubjectPublicKeyInfo, Validity, pem, sha256, verify, verify_old,
};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader, Tagged};

/// Identifies an issuer: SHA-256 over its prepared name (RFC 5280 §7.1), followed by its DER SubjectPublicKeyInfo.
/// The identifier does not depend on the string types in which a certificate writes the name.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct IssuerId(pub [u8; 32]);

impl IssuerId {
    /// Returns the identifier of the issuer with this name and key.
    #[must_use]
    pub fn of(subject: &Name, key: &SubjectPublicKeyInfo) -> Self {
        Self(sha256(&[subject.prepared().as_octets(), key.as_der()].concat()))
    }

    /// Returns the identifier that was used before names were compared by their values: SHA-256 over the octets of
    /// the name, followed by the key.
    #[must_use]
    pub fn by_octets(subject: &Name, key: &SubjectPublicKeyInfo) -> Self {
        Self(sha256(&[subject.as_der(), key.as_der()].concat()))
    }
}

/// Issuer and serial number, which together identify one certificate.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CertificateId {
    /// Issuer.
    pub issuer: IssuerId,
    /// `serialNumber`
    pub serial_number: SerialNumber,
}

/// An encoded TBSCertificate and its decoded fields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TbsCertificate {
    der: Vec<u8>,
    version: u8,
    serial_number: SerialNumber,
    signature: SignatureAlgorithm,
    issuer: Name,
    validity: Validity,
    subject: Name,
    public_key: SubjectPublicKeyInfo,
    extensions: Vec<Extension>,
}

impl TbsCertificate {
    /// Encodes a version 3 TBSCertificate with these fields. The extensions keep the order given.
    #[must_use]
    pub fn encode(
        serial_number: SerialNumber,
        signature: SignatureAlgorithm,
        issuer: Name,
        validity: Validity,
        subject: Name,
        public_key: SubjectPublicKeyInfo,
        extensions: Vec<Extension>,
    ) -> Self {
        let list: Vec<Vec<u8>> = extensions.iter().map(Extension::to_der).collect();
        let der = sequence(&[
            &[0xa0, 3, 2, 1, 2],
            &serial_number.to_der(),
            &signature.to_der(),
            issuer.as_der(),
            &validity.to_der(),
            subject.as_der(),
            public_key.as_der(),
            &if list.is_empty() { Vec::new() } else { tlv(0xa3, &tlv(SEQUENCE, &list.concat())) },
        ]);
        Self { der, version: 2, serial_number, signature, issuer, validity, subject, public_key, extensions }
    }

    /// Reads exactly one TBSCertificate.
    ///
    /// # Errors
    /// When the octets are malformed, the serial number is not positive, or the key or signature algorithm is not
    /// supported.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        Self::read(octets)
            .map_err(|error| if error.what == "ASN.1" { error.reading("TBSCertificate") } else { error })
    }

    fn read(octets: &[u8]) -> Result<Self, MalformedDer> {
        let mut reader = SliceReader::new(octets)?;
        let tbs = reader.sequence(|fields| {
            let mut version = 0;
            let mut element = fields.tlv_bytes()?;
            if element.first() == Some(&0xa0) {
                version = u8::from_der(AnyRef::from_der(element)?.value())?;
                element = fields.tlv_bytes()?;
            }
            let integer = AnyRef::from_der(element)?;
            integer.tag().assert_eq(der::Tag::Integer)?;
            let serial_number = SerialNumber::from_integer_contents(integer.value())
                .map_err(|error| MalformedDer::new("serialNumber", error.to_string()))?;
            let signature = SignatureAlgorithm::from_der(fields.tlv_bytes()?)?;
            let issuer = Name::from_der(fields.tlv_bytes()?)?;
            let validity = Validity::from_der(fields.tlv_bytes()?)?;
            let subject = Name::from_der(fields.tlv_bytes()?)?;
            let public_key = SubjectPublicKeyInfo::from_der(fields.tlv_bytes()?)?;
            let mut extensions = Vec::new();
            while !fields.is_finished() {
                let element = fields.tlv_bytes()?;
                match element.first() {
                    Some(0x81 | 0x82 | 0xa1 | 0xa2) => {}
                    Some(0xa3) => extensions = Extension::list_from_der(AnyRef::from_der(element)?.value())?,
                    _ => return Err(MalformedDer::new("TBSCertificate", "an unexpected element")),
                }
            }
            Ok(Self {
                der: octets.to_vec(),
                version,
                serial_number,
                signature,
                issuer,
                validity,
                subject,
                public_key,
                extensions,
            })
        })?;
        reader.finish()?;
        Ok(tbs)
    }

    /// Returns the octets that are signed, DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// `version`: 2 means v3.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version
    }

    /// `serialNumber`
    #[must_use]
    pub fn serial_number(&self) -> &SerialNumber {
        &self.serial_number
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

    /// `validity`
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// `subject`
    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// `subjectPublicKeyInfo`
    #[must_use]
    pub fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    /// `extensions` in order.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Returns the first extension of this type.
    #[must_use]
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// Returns the names of the subjectAltName; empty when the extension is absent or malformed.
    #[must_use]
    pub fn subject_alt_names(&self) -> Vec<GeneralName> {
        self.extension(extension::SUBJECT_ALT_NAME)
            .and_then(|extension| GeneralName::list_from_der(&extension.value).ok())
            .unwrap_or_default()
    }

    /// Returns the identifier of the issuer that this certificate's subject and key form.
    #[must_use]
    pub fn as_issuer(&self) -> IssuerId {
        IssuerId::of(&self.subject, &self.public_key)
    }

    /// Tells whether `issuer` of this certificate is the same name as `subject` of the given certificate.
    #[must_use]
    pub(crate) fn names_as_issuer(&self, issuer: &Self) -> bool {
        self.issuer.is_same_as(&issuer.subject)
    }

    /// Tells whether issuer and subject are the same name (RFC 5280 §3.2).
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.names_as_issuer(self)
    }
}

/// A signed certificate. Its octets are kept as received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: TbsCertificate,
    signature_algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads exactly one certificate.
    ///
    /// # Errors
    /// When the octets are malformed, or the outer and inner signature algorithms differ.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let signed = Signed::from_der(octets).map_err(|error| error.reading("Certificate"))?;
        let tbs = TbsCertificate::from_der(signed.tbs)?;
        let signature_algorithm = SignatureAlgorithm::from_der(signed.algorithm)?;
        if signature_algorithm != tbs.signature {
            return Err(MalformedDer::new("Certificate", "outer and inner signature algorithm differ"));
        }
        Ok(Self { der: octets.to_vec(), tbs, signature_algorithm, signature: signed.signature.to_vec() })
    }

    /// Reads the first certificate of a PEM text, or one DER certificate.
    ///
    /// # Errors
    /// When there is no certificate, or it is malformed.
    pub fn from_pem_or_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let blocks = pem::decode_file(octets, "CERTIFICATE")
            .map_err(|error| MalformedDer::new("Certificate", error.to_string()))?;
        let block = blocks
            .iter()
            .find(|block| block.label == "CERTIFICATE")
            .ok_or_else(|| MalformedDer::new("Certificate", "there is no CERTIFICATE block"))?;
        Self::from_der(&block.der)
    }

    /// Returns the DER octets. The method is not public, like the PEM form: programs receive the octets of published
    /// certificates only.
    #[must_use]
    pub(crate) fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Returns one `CERTIFICATE` PEM block.
    #[must_use]
    pub(crate) fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// Returns the part that is signed.
    #[must_use]
    pub fn tbs(&self) -> &TbsCertificate {
        &self.tbs
    }

    /// `signatureAlgorithm`
    #[must_use]
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    /// Returns the signature octets.
    #[cfg(test)]
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Returns the SHA-256 of the DER octets.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// Tells whether the signature verifies with this key.
    #[must_use]
    pub fn is_signed_by(&self, key: &SubjectPublicKeyInfo) -> bool {
        verify(key, self.signature_algorithm, self.tbs.as_der(), &self.signature)
    }

    /// Tells whether the signature verifies with this key, which may be a short RSA key ([`verify_old`]). Meant for
    /// certificates of CAs that were taken over.
    #[must_use]
    pub(crate) fn was_signed_by(&self, key: &SubjectPublicKeyInfo) -> bool {
        verify_old(key, self.signature_algorithm, self.tbs.as_der(), &self.signature)
    }

    /// Tells whether basicConstraints say that this is a CA certificate.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        extension::BasicConstraints::of(&self.tbs).is_some_and(|constraints| constraints.ca)
    }

    /// Returns the subjectKeyIdentifier octets, or the RFC 7093 identifier when the extension is missing.
    #[must_use]
    pub fn key_identifier(&self) -> Vec<u8> {
        extension::subject_key_identifier(&self.tbs).unwrap_or_else(|| self.tbs.public_key.key_identifier())
    }
}
