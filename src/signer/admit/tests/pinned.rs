//! What administrators fix for a key: the servers that certificates name, and the profile of a new CA.
use super::*;

#[test]
fn a_certificate_sends_its_readers_to_no_other_server_than_the_envelope_has() {
    // K3
    let mut signer = Signer::new();
    let pinned = |urls: &[&str]| Some(urls.iter().map(|url| (*url).to_owned()).collect());
    signer.envelope.urls = pinned(&["http://other.example/", "http://pki.example/"]);
    assert_eq!(code(signer.decide(signer.leaf().encode())), "admitted");
    assert_eq!(code(signer.decide(signer.responder().encode())), "admitted");
    let urls = |url: &str| vec![url.to_owned()];
    let evil = "http://pki.example.evil/a.crl";
    let lies = [
        extension::crl_distribution_points(&urls(evil)),
        extension::crl_distribution_points(&["http://pki.example/a.crl".to_owned(), evil.to_owned()]),
        extension::authority_info_access(&[AccessDescription::ocsp("http://evil.example/ocsp")]),
        extension::authority_info_access(&[
            AccessDescription::ocsp("http://pki.example/ocsp/"),
            AccessDescription::ca_issuers("http://evil.example/a.crt"),
        ]),
    ];
    for lie in lies {
        let mut leaf = signer.leaf();
        leaf.put(lie);
        assert_eq!(code(signer.decide(leaf.encode())), "signer.envelope-url");
    }
    let mut leaf = signer.leaf();
    leaf.put(extension::crl_distribution_points(&urls("http://pki.example/b-g2.crl")));
    assert_eq!(code(signer.decide(leaf.encode())), "admitted", "of another generation");
    signer.envelope.urls = pinned(&["http://other.example/"]);
    assert_eq!(code(signer.decide(signer.leaf().encode())), "signer.envelope-url");
}

#[test]
fn a_key_that_is_bound_to_a_profile_makes_no_root_under_another() {
    // K3
    let signer = Signer::new();
    let fresh = key();
    let applicant = Applicant::new(name("C=BE,CN=New root"), fresh.public_key().clone());
    let root = granted("root-ca", None, &applicant, RequestedValues::default(), serial(40));
    let decide = |bound| {
        let in_use = KeyInUse {
            key: fresh.public_key(),
            envelope: None,
            own: &[],
            above: &[],
            bound,
            ..signer.in_use()
        };
        code(signer.admission().certificate(&in_use, root.as_der().to_vec()))
    };
    assert_eq!([Some("root-ca"), None].map(decide), ["admitted"; 2]);
    assert_eq!([Some("system-ca"), Some("nothing")].map(decide), ["signer.profile"; 2]);
}
