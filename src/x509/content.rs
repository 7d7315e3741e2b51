//! Recognises octets of another kind than expected, so that the message can name what was given.
use super::octets::{elements_of, first_element};
use super::{Certificate, CertificateList, CertificationRequest, pem};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Tag};
use std::fmt;

/// Kind of a file, by its PEM label or by the shape of its DER.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// `Certificate` (RFC 5280)
    Certificate,
    /// `CertificateList` (RFC 5280)
    Crl,
    /// `CertificationRequest` (RFC 2986)
    Request,
    /// A private key in any format, encrypted or not.
    PrivateKey,
    /// `SubjectPublicKeyInfo`, or an SSH public key.
    PublicKey,
    /// `PFX` (RFC 7292): a certificate with its private key.
    Pkcs12,
    /// `ContentInfo` (RFC 5652), usually a bundle of certificates.
    Pkcs7,
    /// Text in UTF-16, as some Windows editors and shells write it.
    Utf16,
    /// An empty file.
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
    /// Returns the kind of these octets; `None` when it cannot be recognised.
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

    /// Returns the kind that a PEM label stands for.
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
