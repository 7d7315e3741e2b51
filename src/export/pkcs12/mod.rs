//! PKCS#12 (RFC 7292): the key of a subscriber with its certificate and chain, and trust anchors for Java.
//!
//! This module encodes the octets. Libraries provide ciphers, digests and random numbers. Both kinds of protection
//! open in OpenSSL, Java, NSS and GnuTLS; OpenSSL 3 asks for `-legacy` with the old one.
mod bag;
mod derivation;
mod protection;

pub use protection::Protection;

use super::oid;
use super::signed_data::DATA;
use crate::ca::Published;
use crate::signing::{KeyError, Secret};
use crate::x509::Certificate;
use crate::x509::octets::{INTEGER, OCTET_STRING, sequence, tlv};
use bag::{attributes, certificate_bag, shrouded_key_bag};
use der::asn1::ObjectIdentifier;
use zeroize::Zeroizing;

const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");

/// A private key with its certificate and chain.
pub struct Holding<'a> {
    /// The private key, PKCS#8 in DER.
    pub key: Zeroizing<Vec<u8>>,
    /// The certificate of this key.
    pub certificate: &'a Published<Certificate>,
    /// The certificates of its issuers, the direct issuer first.
    pub chain: &'a [Published<Certificate>],
    /// The friendly name, under which programs show it.
    pub friendly_name: &'a str,
}

/// A passphrase that every program encodes in the same octets.
#[derive(Clone)]
pub struct Passphrase(Secret);

/// The reason to refuse a passphrase: programs encode other characters, and the empty passphrase, differently.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a passphrase of PKCS#12 has ASCII characters only, and at least one: programs differ in how they read others"
)]
pub struct UnsuitablePassphrase;

impl Passphrase {
    /// Accepts printable ASCII.
    ///
    /// # Errors
    /// When the text has any other character, or is empty.
    pub fn new(secret: Secret) -> Result<Self, UnsuitablePassphrase> {
        let suits = !secret.is_empty() && secret.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if suits { Ok(Self(secret)) } else { Err(UnsuitablePassphrase) }
    }

    fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Encodes a key with its certificate and chain. The certificates are encrypted like the key.
///
/// # Errors
/// [`KeyError::Cryptography`] when the random generator or the library fails.
pub fn holding(
    holding: &Holding<'_>,
    passphrase: &Passphrase,
    protection: Protection,
) -> Result<Vec<u8>, KeyError> {
    let own = attributes(Some(holding.friendly_name), Some(holding.certificate), false);
    let mut certificates = vec![certificate_bag(holding.certificate, &own)];
    for above in holding.chain {
        let name = above.tbs().subject().common_name();
        certificates.push(certificate_bag(above, &attributes(name.as_deref(), None, false)));
    }
    let shrouded = protection.encrypt(&holding.key, passphrase)?;
    let key = shrouded_key_bag(&shrouded.algorithm, &shrouded.octets, &own);
    let contents =
        [encrypted(&tlv_sequence(&certificates), passphrase, protection)?, content(&tlv_sequence(&[key]))];
    envelope(&contents, passphrase, protection)
}

/// Encodes certificates that Java takes for trust anchors: each has Oracle's attribute `trustedKeyUsage`. The text
/// beside each certificate names its entry.
///
/// # Errors
/// As [`holding`].
pub fn trust_store(
    anchors: &[(String, Published<Certificate>)],
    passphrase: &Passphrase,
    protection: Protection,
) -> Result<Vec<u8>, KeyError> {
    let bags: Vec<Vec<u8>> = anchors
        .iter()
        .map(|(name, certificate)| certificate_bag(certificate, &attributes(Some(name), None, true)))
        .collect();
    envelope(&[encrypted(&tlv_sequence(&bags), passphrase, protection)?], passphrase, protection)
}

fn tlv_sequence(elements: &[Vec<u8>]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(sequence(&elements.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

/// `ContentInfo` of type `data`.
fn content(octets: &[u8]) -> Vec<u8> {
    sequence(&[&oid(DATA), &tlv(0xa0, &tlv(OCTET_STRING, octets))])
}

/// `ContentInfo` of type `encryptedData` (RFC 5652 §8).
fn encrypted(octets: &[u8], passphrase: &Passphrase, protection: Protection) -> Result<Vec<u8>, KeyError> {
    let sealed = protection.encrypt(octets, passphrase)?;
    let contents = sequence(&[&oid(DATA), &sealed.algorithm, &tlv(0x80, &sealed.octets)]);
    let data = sequence(&[&tlv(INTEGER, &[0]), &contents]);
    Ok(sequence(&[&oid(ENCRYPTED_DATA), &tlv(0xa0, &data)]))
}

/// `PFX` with a MAC over these contents.
fn envelope(
    contents: &[Vec<u8>],
    passphrase: &Passphrase,
    protection: Protection,
) -> Result<Vec<u8>, KeyError> {
    let safe = sequence(&contents.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mac = protection.mac(&safe, passphrase)?;
    Ok(sequence(&[&tlv(INTEGER, &[3]), &content(&safe), &mac]))
}
