//! File names in a directory of trust anchors, as OpenSSL looks them up (`X509_NAME_hash`).
use crate::x509::octets::{SET, sequence, tlv};
use crate::x509::{Attribute, AttributeValue, Name, sha1};

/// The eight hexadecimal digits that `openssl x509 -subject_hash` prints: the first four octets of the SHA-1 over the
/// name's RDNs, little-endian, its strings in UTF-8, without letter case and superfluous space.
#[must_use]
pub fn subject_hash(name: &Name) -> String {
    let rdns: Vec<Vec<u8>> = name
        .rdns()
        .iter()
        .map(|rdn| {
            let mut attributes: Vec<Vec<u8>> = rdn.iter().map(canonical).collect();
            attributes.sort();
            tlv(SET, &attributes.concat())
        })
        .collect();
    let first: Vec<u8> = sha1(&rdns.concat()).into_iter().take(4).rev().collect();
    base16ct::lower::encode_string(&first)
}

fn canonical(attribute: &Attribute) -> Vec<u8> {
    let oid = super::oid(attribute.oid);
    // the types that OpenSSL makes canonical; NumericString is not one of them
    let is_text = attribute.value.tag() != AttributeValue::NUMERIC_STRING;
    match attribute.text().filter(|_| is_text) {
        Some(text) => sequence(&[&oid, &tlv(0x0c, folded(&text).as_bytes())]),
        None => sequence(&[&oid, attribute.value.as_der()]),
    }
}

/// Changes ASCII letters to lower case, and trims and collapses space as C defines it.
fn folded(text: &str) -> String {
    let is_space = |c: char| matches!(c, ' ' | '\t'..='\r');
    let words: Vec<String> =
        text.split(is_space).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CertificateBuilder, TestKey};
    use std::process::Command;

    #[test]
    fn names_hash_as_openssl_hashes_them() {
        let directory = tempfile::tempdir().unwrap();
        let (key, path) = (TestKey::p256(), directory.path().join("ca.pem"));
        for text in [
            "C=BE,O=Gentoo Fictional\\, Inc.,CN=GenFic Root CA",
            "O=  Two   Spaces ,CN=\\ MiXeD\\ ",
            "DC=example,DC=Genfic,emailAddress=CA@Genfic.example",
            "O=Société ÉLAN,CN=Zürich",
            "O=b,CN=joined+UID=Attributes",
        ] {
            let name = Name::parse(text).unwrap();
            std::fs::write(&path, CertificateBuilder::new(&name, key.public_key()).unsigned().to_pem())
                .unwrap();
            let output = Command::new("openssl")
                .args(["x509", "-noout", "-subject_hash", "-in"])
                .arg(&path)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), subject_hash(&name), "{text}");
        }
    }
}
