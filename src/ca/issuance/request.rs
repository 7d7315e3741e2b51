//! Making a certification request (RFC 2986).
use crate::signing::{KeyError, Signer, ToBeSigned};
use crate::x509::{GeneralName, Name, encode_request, extension, seal};

/// A request for this subject and these names, signed by the key that it asks a certificate for, DER.
///
/// The names go into a subjectAltName in an extensionRequest; without names there is none.
///
/// # Errors
/// When the key cannot sign.
pub fn make_request(signer: &dyn Signer, subject: &Name, names: &[GeneralName]) -> Result<Vec<u8>, KeyError> {
    let extensions =
        if names.is_empty() { Vec::new() } else { vec![extension::subject_alt_name(names, subject)] };
    let info = encode_request(subject, signer.public_key(), &extensions);
    let signature = signer.sign(ToBeSigned::new(&info))?;
    Ok(seal(&info, signer.algorithm(), &signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::SoftKey;
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
            let key = SoftKey::generate(algorithm).unwrap();
            let request = make_request(&key, &subject, &names).unwrap();
            let read = CertificationRequest::from_der(&request).unwrap().verified().unwrap();
            assert_eq!((read.subject(), read.public_key()), (&subject, key.public_key()));
            assert_eq!(read.subject_alt_names().unwrap(), names);
            // which OpenSSL 3.0 does not know
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
        let key = SoftKey::generate(KeyAlgorithm::P256).unwrap();
        let request = make_request(&key, &Name::parse("CN=Alice").unwrap(), &[]).unwrap();
        let read = CertificationRequest::from_der(&request).unwrap().verified().unwrap();
        assert!(read.extensions().is_empty());
    }
}
