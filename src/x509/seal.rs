//! X.509 `SIGNED`: `SEQUENCE { toBeSigned, signatureAlgorithm, signature BIT STRING }`, the structure that
//! certificates, CRLs, requests and OCSP responses share. Its signature is verified over the octets received.
use super::algorithm::Verification;
use super::octets::{SEQUENCE, put_header};
use super::{MalformedDer, SignatureAlgorithm, SubjectPublicKeyInfo};
use aws_lc_rs::signature::ParsedPublicKey;
use der::asn1::BitStringRef;
use der::{Decode, Reader, SliceReader};

/// Encodes the signed structure from the octets that were signed, the algorithm and the signature, DER.
#[must_use]
pub fn seal(tbs: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    let (head, tail) = frame(tbs.len(), algorithm, signature);
    [head.as_slice(), tbs, &tail].concat()
}

/// Returns the octets before and after the signed part, which is `length` octets long.
pub(super) fn frame(length: usize, algorithm: SignatureAlgorithm, signature: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut tail = algorithm.to_der();
    put_header(&mut tail, 0x03, signature.len() + 1);
    tail.push(0);
    tail.extend_from_slice(signature);
    let mut head = Vec::new();
    put_header(&mut head, SEQUENCE, length + tail.len());
    (head, tail)
}

/// Parts of a signed structure, as received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// The part that is signed: one whole DER element.
    pub tbs: &'a [u8],
    /// `signatureAlgorithm`, one whole DER element.
    pub algorithm: &'a [u8],
    /// Signature octets.
    pub signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Splits a signed structure into its parts.
    ///
    /// # Errors
    /// When the octets are not exactly one such structure, or the BIT STRING has unused bits.
    pub(crate) fn from_der(octets: &'a [u8]) -> Result<Self, MalformedDer> {
        let mut reader = SliceReader::new(octets)?;
        let signed = reader.sequence(|parts| {
            let tbs = parts.tlv_bytes()?;
            let algorithm = parts.tlv_bytes()?;
            let signature = BitStringRef::decode(parts)?;
            let signature = signature.as_bytes().ok_or(der::Tag::BitString.value_error())?;
            Ok::<_, der::Error>(Self { tbs, algorithm, signature })
        })?;
        reader.finish()?;
        Ok(signed)
    }
}

/// Tells whether `signature` over `message` was made with the private key of `key`.
#[must_use]
pub fn verify(
    key: &SubjectPublicKeyInfo,
    algorithm: SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    is_valid(key.algorithm().verification(algorithm), key, message, signature)
}

/// Tells the same as [`verify`], but also accepts RSA keys of 1024 to 2047 bits. Meant for what was signed before the
/// CA was taken over. Somebody who can factor such a key can have made the signature too.
#[must_use]
pub(crate) fn verify_old(
    key: &SubjectPublicKeyInfo,
    algorithm: SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    is_valid(key.algorithm().old_verification(algorithm), key, message, signature)
}

/// Tells whether [`verify_old`] supports this key and algorithm. It supports neither RSA keys below 1024 or above
/// 8192 bits, nor SHA-384 with an RSA key below 2048 bits.
#[must_use]
pub(crate) fn can_verify_old(key: &SubjectPublicKeyInfo, algorithm: SignatureAlgorithm) -> bool {
    key.algorithm().is_verified_as_old(algorithm)
}

fn is_valid(
    verification: Option<Verification>,
    key: &SubjectPublicKeyInfo,
    message: &[u8],
    signature: &[u8],
) -> bool {
    verification
        .and_then(|(_, by)| ParsedPublicKey::new(by, key.key_octets()).ok())
        .is_some_and(|parsed| parsed.verify_sig(message, signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::Certificate;

    /// Certificate with an RSA key of 1024 bits, self-signed with SHA-256 (`openssl req -x509 -newkey rsa:1024`).
    const SHORT: &str = "\
-----BEGIN CERTIFICATE-----
MIIB/jCCAWegAwIBAgIUO1RMo3lFs7GRczsrsEN0nHdZICEwDQYJKoZIhvcNAQEL
BQAwEDEOMAwGA1UEAwwFc2hvcnQwIBcNMjYxMTIxMTk1NzAwWhgPMjEyNjEwMjgx
OTU3MDBaMBAxDjAMBgNVBAMMBXNob3J0MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB
iQKBgQCejfEhkcysgacSBKqvJiITu4E9Fht2JxIiRRGJ3bzdUhgTf20Gy8IgmLWx
A1jP8LPFplk+88q/ebeODNJKK/h7caSL8ngejAUskZWXbQnm7K0IIhz1M3YdVBQ5
zPxgUeF9W4RGbZuLjw/g/iPasaCDou11+meolUIUcLaQQsnLBwIDAQABo1MwUTAd
BgNVHQ4EFgQUwuaF6YY7r8vLjRfOX4+pWXuAQcYwHwYDVR0jBBgwFoAUwuaF6YY7
r8vLjRfOX4+pWXuAQcYwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOB
gQBrse3rNWVQ5ZapI0hsTRSBea9/+trGQnVssQ/uyHK2F0vLJDU3He6t/NFd0HTZ
ELJwn6HqrOtvMNS/JnAY58gi32ezyZFNCedvWym+ZeCcw+dp3DgSsTUzRZw3RPmC
SQwcGCSRo4t8Zm9d+Fi0k+78lcDOWStmrFnKTKOVrLgjkA==
-----END CERTIFICATE-----
";

    #[test]
    fn a_short_rsa_key_is_verified_as_an_old_one_only() {
        // X13
        let certificate = Certificate::from_pem_or_der(SHORT.as_bytes()).unwrap();
        let key = certificate.tbs().public_key();
        assert!(!certificate.is_signed_by(key));
        assert!(certificate.was_signed_by(key));
        assert!(!verify_old(key, SignatureAlgorithm::RSA_SHA256, b"other octets", certificate.signature()));
        assert!(!verify_old(
            key,
            SignatureAlgorithm::RSA_SHA512,
            certificate.tbs().as_der(),
            certificate.signature()
        ));
        assert!(can_verify_old(key, SignatureAlgorithm::RSA_SHA256));
        assert!(!can_verify_old(key, SignatureAlgorithm::RSA_SHA384));
    }
}
