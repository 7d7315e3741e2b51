//! Digests that X.509 and OCSP use as identifiers.
use aws_lc_rs::digest::{self, Algorithm};
use std::fmt;

fn digest_of(algorithm: &'static Algorithm, octets: &[u8]) -> Vec<u8> {
    digest::digest(algorithm, octets).as_ref().to_vec()
}

/// SHA-1, 20 octets. Used only as an identifier where a protocol requires it, never for signatures.
#[must_use]
pub(crate) fn sha1(octets: &[u8]) -> Vec<u8> {
    digest_of(&digest::SHA1_FOR_LEGACY_USE_ONLY, octets)
}

/// SHA-256, 32 octets.
#[must_use]
pub(crate) fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, octets).as_ref());
    out
}

/// SHA-384, 48 octets.
#[must_use]
pub(crate) fn sha384(octets: &[u8]) -> Vec<u8> {
    digest_of(&digest::SHA384, octets)
}

/// SHA-512, 64 octets.
#[must_use]
pub(crate) fn sha512(octets: &[u8]) -> Vec<u8> {
    digest_of(&digest::SHA512, octets)
}

/// SHA-256 over a DER certificate, written `sha256:HEX`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Returns the fingerprint of these octets.
    #[must_use]
    pub fn of(octets: &[u8]) -> Self {
        Self(sha256(octets))
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        let octets = base16ct::mixed::decode_vec(digits).ok()?;
        octets.try_into().ok().map(Self)
    }

    /// Returns 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        base16ct::lower::encode_string(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.to_hex())
    }
}
