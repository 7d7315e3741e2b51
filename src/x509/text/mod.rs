//! Certificates, requests and CRLs as text and as JSON. Everything that came from outside is escaped, in the JSON
//! too, since that may also be read on a terminal.
mod certificate;
mod crl;
mod extension;
mod page;
mod request;

pub use certificate::{certificate_json, certificate_text};
pub use crl::{crl_json, crl_text};
#[cfg(test)]
pub(crate) use extension::extension_json;
pub(crate) use extension::extension_text;
pub(crate) use page::{Page, escape};
pub use request::{request_json, request_text};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CertificateBuilder, ED25519, entry, public_key, tbs_cert_list};
    use crate::x509::extension as ext;
    use crate::x509::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn key() -> SubjectPublicKeyInfo {
        SubjectPublicKeyInfo::from_der(&public_key(ED25519, &[], &[0x58; 32])).unwrap()
    }

    fn certificate(names: &[GeneralName]) -> Certificate {
        let subject = Name::parse("C=BE,CN=a.example").unwrap();
        let extensions = vec![
            ext::BasicConstraints { ca: false, path_length: None }.to_extension(),
            ext::subject_alt_name(names, &subject),
        ];
        CertificateBuilder::new(&subject, &key())
            .number(&SerialNumber::from_be_octets(&[0x0a, 0xbc]).unwrap())
            .named_by(&Name::parse(r"C=BE,O=Example\, Inc.,CN=Root").unwrap())
            .valid(UnixTime(0), UnixTime::NO_END)
            .with(extensions)
            .signature(SignatureAlgorithm::ED25519)
            .unsigned()
    }

    fn crl(entries: u8) -> CertificateList {
        let issuer = Name::parse("CN=Root").unwrap();
        let entries = (1..=entries).map(|number| entry(&[number], Some(CrlReason::KeyCompromise)));
        let (algorithm, times) = (SignatureAlgorithm::ED25519, (UnixTime(1000), UnixTime(2000)));
        let tbs = tbs_cert_list(algorithm, &issuer, times, entries, vec![ext::crl_number(7)]);
        CertificateList::from_der(&encode_signed(tbs.as_der(), SignatureAlgorithm::ED25519, &[1; 64]))
            .unwrap()
    }

    fn request() -> CertificationRequest {
        let subject = Name::parse("CN=a").unwrap();
        let names = ext::subject_alt_name(&[GeneralName::Dns("a.example".into())], &subject);
        let info = encode_request(&subject, &key(), &[names]);
        CertificationRequest::from_der(&encode_signed(&info, SignatureAlgorithm::ED25519, &[1; 64])).unwrap()
    }

    #[test]
    fn a_certificate_is_shown_in_aligned_lines() {
        // G5
        let certificate = certificate(&[GeneralName::Dns("a.example".into())]);
        let expected = format!(
            "Certificate, version 3
  Subject      C=BE, CN=a.example
  Names        DNS:a.example
  Issuer       C=BE, O=Example\\, Inc., CN=Root
  Serial       0abc
  Valid from   1970-01-01T00:00:00Z
  Valid until  9999-12-31T23:59:59Z
  Key          ed25519, {}
  Signature    Ed25519
  Fingerprint  {}
  Extensions
    basicConstraints (critical)  no CA
    subjectAltName               DNS:a.example
",
            Fingerprint(key().digest()),
            certificate.fingerprint()
        );
        assert_eq!(certificate_text(&certificate), expected);
    }

    #[test]
    fn a_certificate_for_programs_has_the_fields_of_the_command_line() {
        // G5, G22
        let json = certificate_json(&certificate(&[GeneralName::Dns("a.example".into())]));
        assert_eq!(json["serial"], "0abc");
        assert_eq!(json["san"], json!(["DNS:a.example"]));
        assert_eq!(json["not_before"], "1970-01-01T00:00:00Z");
        assert!(json["fingerprint"].as_str().unwrap().starts_with("sha256:"));
        assert_eq!(json["extensions"][0]["value"], json!({"ca": false, "path_length": null}));
    }

    #[test]
    fn names_cannot_play_with_the_terminal() {
        let evil =
            [GeneralName::Dns("a\x1b[31m\n\x07".into()), GeneralName::SmtpUtf8Mailbox("\u{202e}@b".into())];
        let certificate = certificate(&evil);
        let shown = certificate_text(&certificate) + &certificate_json(&certificate).to_string();
        assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
        assert!(shown.contains("DNS:a\\u{1b}[31m\\n\\u{7}"));
    }

    #[test]
    fn a_crl_shows_its_first_entries_and_how_many_there_are() {
        // G5
        let text = crl_text(&crl(5), 2);
        assert!(text.starts_with("CRL\n  Issuer       CN=Root\n"), "{text}");
        assert!(text.contains("  Entries      5\n") && text.ends_with("    and 3 more\n"), "{text}");
        assert!(
            text.contains("    02  1970-01-01T00:08:20Z  key-compromise\n") && !text.contains("    03  ")
        );
        assert!(!crl_text(&crl(2), 2).contains("more") && !crl_text(&crl(0), 2).contains("Revoked"));
        let json = crl_json(&crl(5), 2);
        assert_eq!((&json["number"], &json["entry_count"]), (&json!(7), &json!(5)));
        assert_eq!(json["entries"][1]["reason"], "key-compromise");
        assert_eq!(json["entries"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_request_says_whether_its_signature_verifies() {
        // G5, G20
        let text = request_text(&request());
        assert!(text.contains("  Names      DNS:a.example\n"), "{text}");
        assert!(
            text.contains("  Signature  Ed25519, does NOT verify\n") && !text.contains("Password"),
            "{text}"
        );
        assert_eq!(request_json(&request())["signature_verifies"], false);
    }

    fn garble(good: &[u8], changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
        let mut octets = good.to_vec();
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = *octet;
        }
        octets
    }

    fn show(octets: &[u8]) {
        let mut shown = String::new();
        if let Ok(certificate) = Certificate::from_der(octets) {
            shown = certificate_text(&certificate) + &certificate_json(&certificate).to_string();
            let _ = key_weaknesses(certificate.tbs().public_key());
        }
        if let Ok(crl) = CertificateList::from_der(octets) {
            shown = crl_text(&crl, 3) + &crl_json(&crl, 3).to_string();
        }
        if let Ok(request) = CertificationRequest::from_der(octets) {
            shown = request_text(&request) + &request_json(&request).to_string();
        }
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
    }

    proptest! {
        #[test]
        fn arbitrary_octets_do_no_harm(octets: Vec<u8>) {
            show(&octets);
            let _ = (Certificate::from_pem_or_der(&octets), CertificationRequest::from_pem_or_der(&octets));
        }

        #[test]
        fn garbled_octets_do_no_harm(
            which in 0..3_usize,
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let names = [GeneralName::Dns("a.example".into()), GeneralName::Ip("192.0.2.1".parse().unwrap())];
            let good = match which {
                0 => certificate(&names).as_der().to_vec(),
                1 => crl(3).as_der().to_vec(),
                _ => request().as_der().to_vec(),
            };
            show(&garble(&good, &changes));
        }

        #[test]
        fn any_extension_can_be_shown(which in 0..19_usize, value: Vec<u8>, critical: bool) {
            let arcs = [14, 15, 17, 19, 20, 21, 24, 27, 28, 30, 31, 32, 35, 37, 46, 56, 1, 2, 3];
            let oid = format!("2.5.29.{}", arcs[which]).parse().unwrap();
            let extension = Extension::new(oid, critical, value);
            let (label, lines) = extension_text(&extension);
            prop_assert!(!label.is_empty() && !extension_json(&extension)["oid"].is_null());
            drop(lines);
        }
    }
}
