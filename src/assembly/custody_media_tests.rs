//! What is taken for the last CRL of a key that goes to media.
use super::*;
use crate::testing::{CertificateBuilder, NOW, TestKey, name, tbs_cert_list};
use crate::x509::Extension;
use crate::x509::extension::{
    CrlNumber, ISSUING_DISTRIBUTION_POINT, authority_key_identifier, crl_number, delta_crl_indicator,
};
use std::fs;

struct Case {
    public: tempfile::TempDir,
    key: TestKey,
    certificate: Certificate,
}

impl Case {
    fn new() -> Self {
        let key = TestKey::p256();
        let certificate =
            CertificateBuilder::new(&name("CN=Genfic"), key.public_key()).into_ca(None).signed_by(&key);
        Self { public: tempfile::tempdir().unwrap(), key, certificate }
    }

    /// A CRL that lasts so many days.
    fn crl(&self, days: i64, extensions: Vec<Extension>) -> CertificateList {
        let (subject, times) = (self.certificate.tbs().subject(), (NOW, NOW.plus_days(days)));
        let tbs = tbs_cert_list(self.key.algorithm(), subject, times, [], extensions);
        CertificateList::from_der(&self.key.encode_signed(tbs.as_der())).unwrap()
    }

    /// What the signer says, with the number of the last CRL, and that CRL where it knows more of it.
    fn bundled(&self, crl: Option<CrlNumber>, list: Option<&CertificateList>) -> BundledKey {
        BundledKey {
            sealed: Vec::new(),
            record: Vec::new(),
            envelope: Vec::new(),
            certificates: vec![self.certificate.clone()],
            profile: "root-ca".into(),
            mark: 7,
            crl,
            list: list.map(|list| sha256(list.tbs().as_der())),
            used: Vec::new(),
        }
    }

    fn export(&self) -> ExportToMedia<'static> {
        ExportToMedia {
            authority: "genfic".parse().unwrap(),
            media: vec![self.public.path().join("medium")],
            public: self.public.path().to_owned(),
            policy: self.public.path().to_owned(),
            usage: "",
            at: NOW,
        }
    }

    /// What becomes of a CRL that is published.
    fn taken(&self, published: &CertificateList, key: &BundledKey) -> Result<(), Code> {
        fs::write(self.public.path().join("genfic.crl"), published.as_der()).unwrap();
        self.export().crl(&self.certificate, key).map(drop).map_err(|problem| problem.code)
    }
}

#[test]
fn what_goes_to_media_as_the_last_crl_is_complete_and_the_one_that_the_key_signed_last() {
    // G6, C3
    let case = Case::new();
    let last = case.crl(7, vec![crl_number(7)]);
    let key = case.bundled(Some(7), Some(&last));
    assert_eq!(case.taken(&last, &key), Ok(()));
    assert_eq!(case.taken(&case.crl(7, vec![crl_number(6)]), &key), Err(Code::CrlOlder));
    let unnumbered = vec![authority_key_identifier(&case.certificate.key_identifier())];
    assert_eq!(case.taken(&case.crl(7, unnumbered), &key), Err(Code::CrlOlder));
    let delta = case.crl(7, vec![crl_number(7), delta_crl_indicator(6)]);
    let of_users = Extension::new(ISSUING_DISTRIBUTION_POINT, true, vec![0x30, 3, 0x81, 1, 0xff]);
    let of_users = case.crl(7, vec![crl_number(8), of_users]);
    for key in [&key, &case.bundled(None, None)] {
        assert_eq!(case.taken(&delta, key), Err(Code::CrlScope), "it shares the number of the complete one");
        assert_eq!(case.taken(&of_users, key), Err(Code::CrlScope));
    }
    let other = case.crl(8, vec![crl_number(7)]);
    assert_eq!(case.taken(&other, &key), Err(Code::CrlNumber));
    assert_eq!(case.taken(&other, &case.bundled(Some(7), None)), Ok(()), "only its number is known");
    assert_eq!(case.taken(&case.crl(7, vec![crl_number(8)]), &key), Ok(()));
}

#[test]
fn who_takes_a_key_to_media_is_told_that_the_signer_does_not_know_its_last_crl() {
    // G6
    let case = Case::new();
    let (export, crl) = (case.export(), case.crl(7, vec![crl_number(5)]));
    let told = export.of_unknown_list(&case.bundled(None, None), Some(&crl)).unwrap();
    assert!(told.contains("its mark is 7") && told.contains("with the number 5"), "{told}");
    assert!(export.of_unknown_list(&case.bundled(None, None), None).unwrap().contains("have none"));
    assert_eq!(export.of_unknown_list(&case.bundled(Some(5), None), Some(&crl)), None);
    assert_eq!(export.of_unknown_list(&BundledKey { mark: 0, ..case.bundled(None, None) }, None), None);
}

#[test]
fn what_is_wrong_with_the_media_is_told_before_anything_is_on_them() {
    // G6
    let case = Case::new();
    let told = case.export().notices();
    assert!(told.last().unwrap().contains("is the only place of the key then"), "{told:?}");
    let two =
        ExportToMedia { media: ["a", "b"].map(|name| case.public.path().join(name)).into(), ..case.export() };
    assert!(!two.notices().iter().any(|told| told.contains("only place")));
    assert!(!case.public.path().join("medium").exists());
}
