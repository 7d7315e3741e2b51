//! Certification requests (RFC 2986), which both CA keys and subscriber keys sign.
use super::private_key::PrivateKey;
use super::{SigningError, admit};
use crate::x509::{
    Extension, GeneralName, Name, SubjectPublicKeyInfo, encode_request, encode_signed, extension, verify,
};

/// Returns a `CertificationRequestInfo` (RFC 2986 §4.1) for this key, DER.
pub(crate) fn request_info(subject: &Name, names: &[GeneralName], key: &SubjectPublicKeyInfo) -> Vec<u8> {
    encode_request(subject, key, &requested_extensions(subject, names))
}

fn requested_extensions(subject: &Name, names: &[GeneralName]) -> Vec<Extension> {
    if names.is_empty() { Vec::new() } else { vec![extension::subject_alt_name(names, subject)] }
}

/// Returns a request with this subject and these names, DER. It is signed by the key that the certificate is
/// requested for, and the signature is verified.
pub(super) fn sign(
    key: &impl PrivateKey,
    subject: &Name,
    names: &[GeneralName],
) -> Result<Vec<u8>, SigningError> {
    let info = admit::request(subject, &requested_extensions(subject, names), key.public_key());
    let signature = key.sign(&info)?;
    let info = info.into_inner();
    if !verify(key.public_key(), key.algorithm(), &info, &signature) {
        return Err(SigningError::Signature);
    }
    Ok(encode_signed(&info, key.algorithm(), &signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::SubscriberKey;
    use crate::x509::{CertificationRequest, KeyAlgorithm, pem};
    use std::fs;
    use std::process::Command;

    #[test]
    fn openssl_verifies_the_request_of_every_key_type() {
        // P1, G20
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.req");
        let subject = Name::parse("C=BE,O=Gentoo Fictional,CN=w03443ad.genfic.example").unwrap();
        let names = [
            GeneralName::Dns("w03443ad.genfic.example".into()),
            GeneralName::Ip("192.0.2.7".parse().unwrap()),
        ];
        for algorithm in KeyAlgorithm::generated() {
            let key = SubscriberKey::generate(algorithm).unwrap();
            let request = key.request(&subject, &names).unwrap();
            let read = CertificationRequest::from_der(&request).unwrap().verified().unwrap();
            assert_eq!((read.subject(), read.public_key()), (&subject, key.public_key()));
            assert_eq!(read.subject_alt_names().unwrap(), names);
            // OpenSSL 3.0 does not know ML-DSA
            if algorithm.to_string().starts_with("ml-dsa") {
                continue;
            }
            fs::write(&path, pem::encode("CERTIFICATE REQUEST", &request)).unwrap();
            let output = Command::new("openssl")
                .args(["req", "-verify", "-noout", "-text", "-in", path.to_str().unwrap()])
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success() && text.contains("verify OK"), "{algorithm}: {text}");
            assert!(text.contains("DNS:w03443ad.genfic.example, IP Address:192.0.2.7"), "{text}");
            assert!(!text.contains("challengePassword"));
        }
    }

    #[test]
    fn without_names_no_extension_is_asked_for() {
        let key = SubscriberKey::generate(KeyAlgorithm::P256).unwrap();
        let request = key.request(&Name::parse("CN=Alice").unwrap(), &[]).unwrap();
        let read = CertificationRequest::from_der(&request).unwrap().verified().unwrap();
        assert!(read.extensions().is_empty());
    }
}
