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

#[test]
fn a_root_is_renewed_under_the_profile_for_which_its_key_was_made_and_under_no_other() {
    // K3
    let with = |changed: &str| {
        let text = |wanted: &str| SHIPPED.iter().find(|(file, _)| *file == wanted).unwrap().1.to_owned();
        let mut texts: Vec<(String, String)> = SHIPPED
            .iter()
            .filter_map(|(file, _)| Some((file.strip_suffix(".toml")?.into(), text(file))))
            .collect();
        texts.push(("other-root".into(), text("root-ca.toml")));
        // nothing that the CLI asks for is granted by that one any more
        for (_, text) in texts.iter_mut().filter(|(name, _)| name == changed) {
            *text = text.replace("days = 7305 ", "days = 1 ").replace("max_days = 14610", "max_days = 2");
        }
        Profiles::parse(texts.iter().map(|(name, text)| (name.as_str(), text.as_str()))).unwrap()
    };
    let mut signer = Signer::new();
    signer.profiles = with("");
    let applicant = Applicant::new(signer.root.tbs().subject().clone(), signer.root_key.public_key().clone());
    let values = RequestedValues { of: Some(signer.root.clone()), ..RequestedValues::default() };
    let renewed = granted("root-ca", None, &applicant, values, serial(30)).as_der().to_vec();
    let decide = |signer: &Signer, profile: &str| {
        let envelope = KeyEnvelope { profile: profile.into(), ..signer.root_envelope() };
        let own = [signer.root.clone()];
        let in_use = KeyInUse {
            key: signer.root_key.public_key(),
            envelope: Some(&envelope),
            own: &own,
            above: &[],
            ..signer.in_use()
        };
        code(signer.admission().certificate(&in_use, renewed.clone()))
    };
    assert_eq!(
        ["root-ca", "other-root", "system-ca", "unknown"].map(|name| decide(&signer, name)),
        ["admitted"; 4]
    );
    assert_eq!(decide(&signer, "gone"), "signer.profile");
    // what another profile of roots would grant is not granted
    signer.profiles = with("root-ca");
    assert_eq!(["root-ca", "system-ca"].map(|name| decide(&signer, name)), ["signer.profile"; 2]);
    assert_eq!(["other-root", "unknown"].map(|name| decide(&signer, name)), ["admitted"; 2]);
}

#[test]
fn a_key_that_has_signed_itself_under_one_name_does_not_under_another() {
    // K3
    let signer = Signer::new();
    let fresh = key();
    let root = |subject: &str, number| {
        let applicant = Applicant::new(name(subject), fresh.public_key().clone());
        granted("root-ca", None, &applicant, RequestedValues::default(), serial(number)).as_der().to_vec()
    };
    let named = name("C=BE,CN=New root");
    let decide = |named, octets| {
        let in_use = KeyInUse {
            key: fresh.public_key(),
            envelope: None,
            own: &[],
            above: &[],
            named,
            ..signer.in_use()
        };
        code(signer.admission().certificate(&in_use, octets))
    };
    assert_eq!(decide(None, root("C=BE,CN=New root", 40)), "admitted");
    assert_eq!(decide(Some(&named), root("C=BE,CN=New root", 41)), "admitted");
    assert_eq!(decide(Some(&named), root("C=BE,CN=Another root", 42)), "signer.issuer");
}
