//! Telling what octets are that were given in the place of something else, so that the message can say so.
use super::octets::{elements_of, first_element};
use super::{Certificate, CertificateList, CertificationRequest, pem};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Tag};
use std::fmt;

/// What a file is, by its PEM label or the shape of its DER.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// `Certificate` (RFC 5280)
    Certificate,
    /// `CertificateList` (RFC 5280)
    Crl,
    /// `CertificationRequest` (RFC 2986)
    Request,
    /// A private key, in whichever format, encrypted or not.
    PrivateKey,
    /// `SubjectPublicKeyInfo`, or a key of SSH.
    PublicKey,
    /// `PFX` (RFC 7292): a certificate with its private key.
    Pkcs12,
    /// `ContentInfo` (RFC 5652): a bundle of certificates, as a rule.
    Pkcs7,
    /// Text in UTF-16, as some editors and shells of Windows write it.
    Utf16,
    /// Nothing at all.
    Nothing,
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "a certificate",
            Self::Crl => "a CRL",
            Self::Request => "a certification request",
            Self::PrivateKey => "a private key",
            Self::PublicKey => "a public key",
            Self::Pkcs12 => "a PKCS#12 file",
            Self::Pkcs7 => "a PKCS#7 file",
            Self::Utf16 => "text in UTF-16",
            Self::Nothing => "empty",
        })
    }
}

impl Content {
    /// What these octets are; `None` when that cannot be told.
    #[must_use]
    pub fn of(octets: &[u8]) -> Option<Self> {
        if octets.is_empty() {
            return Some(Self::Nothing);
        }
        if octets.starts_with(&[0xff, 0xfe]) || octets.starts_with(&[0xfe, 0xff]) {
            return Some(Self::Utf16);
        }
        if [&b"ssh-"[..], b"ecdsa-sha2-"].iter().any(|start| octets.starts_with(start)) {
            return Some(Self::PublicKey);
        }
        if octets.starts_with(b"age-encryption.org/") {
            return Some(Self::PrivateKey);
        }
        let blocks = pem::decode_file(octets, "").ok()?;
        blocks.iter().find_map(|block| match block.label.as_str() {
            "" => Self::of_der(&block.der),
            label => Self::of_label(label),
        })
    }

    /// What a PEM label stands for.
    #[must_use]
    pub(crate) fn of_label(label: &str) -> Option<Self> {
        Some(match label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Self::Certificate,
            "X509 CRL" => Self::Crl,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::Request,
            "PKCS7" | "CMS" => Self::Pkcs7,
            "PKCS12" => Self::Pkcs12,
            _ if label.ends_with("PRIVATE KEY") || label == "AGE ENCRYPTED FILE" => Self::PrivateKey,
            _ if label.ends_with("PUBLIC KEY") => Self::PublicKey,
            _ => return None,
        })
    }

    fn of_der(der: &[u8]) -> Option<Self> {
        if Certificate::from_der(der).is_ok() {
            return Some(Self::Certificate);
        }
        if CertificateList::from_der(der).is_ok() {
            return Some(Self::Crl);
        }
        if CertificationRequest::from_der(der).is_ok() {
            return Some(Self::Request);
        }
        let fields: der::Result<Vec<AnyRef<'_>>> =
            elements_of(first_element(der).ok()?).ok()?.into_iter().map(AnyRef::from_der).collect();
        let fields = fields.ok()?;
        let tags: Vec<Tag> = fields.iter().map(der::Tagged::tag).collect();
        let begins_with = |field: Option<&AnyRef<'_>>, oid: &str| {
            let begun = field.and_then(|field| first_element(field.value()).ok());
            let found = begun.and_then(|octets| ObjectIdentifier::from_der(octets).ok());
            found.is_some_and(|found: ObjectIdentifier| found.to_string().starts_with(oid))
        };
        match tags.as_slice() {
            // PFX, ContentInfo
            [Tag::Integer, Tag::Sequence, ..] if begins_with(fields.get(1), "1.2.840.113549.1.7.") => {
                Some(Self::Pkcs12)
            }
            [Tag::ObjectIdentifier, ..] => Some(Self::Pkcs7),
            // PrivateKeyInfo, ECPrivateKey, RSAPrivateKey, EncryptedPrivateKeyInfo
            [Tag::Integer, Tag::Sequence, Tag::OctetString, ..]
            | [Tag::Integer, Tag::OctetString, ..]
            | [
                Tag::Integer,
                Tag::Integer,
                Tag::Integer,
                Tag::Integer,
                Tag::Integer,
                Tag::Integer,
                Tag::Integer,
                Tag::Integer,
                Tag::Integer,
            ]
            | [Tag::Sequence, Tag::OctetString] => Some(Self::PrivateKey),
            [Tag::Sequence, Tag::BitString] => Some(Self::PublicKey),
            _ => None,
        }
    }
}
