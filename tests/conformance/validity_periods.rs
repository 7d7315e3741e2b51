//! How long certificates of people and systems last, as a stranger reads it out of them.
use crate::support::Home;
use genfic_ca::x509::Certificate;

const DAY: i64 = 86_400;

fn seconds(home: &Home, file: &str) -> i64 {
    let certificate = Certificate::from_pem_or_der(&std::fs::read(home.path(file)).unwrap()).unwrap();
    let validity = certificate.tbs().validity();
    validity.not_after.0 - validity.not_before.0 + 1
}

#[test]
fn people_have_396_days_and_systems_825_or_with_a_warning_3650() {
    // G8, G9
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let person = ["create-request", "zoe", "--subject", "CN=Zoe", "--san", "email:zoe@genfic.example"];
    home.ca(&[&person[..], &["--sign", "-p", "genfic-user"]].concat()).ok();
    assert_eq!(seconds(&home, "zoe.crt"), 396 * DAY);
    let contact = ["--contact", "ops@genfic.example"];
    let sign = |host: &str, more: &[&str]| {
        home.ca(&[&["create-request", host, "--sign", "-p", "genfic-system"][..], &contact, more].concat())
    };
    assert!(!sign("a.genfic.example", &[]).ok().err.contains("warning"));
    assert_eq!(seconds(&home, "a.genfic.example.crt"), 825 * DAY);
    let long = sign("b.genfic.example", &["-v", "3600"]).ok();
    assert!(long.err.contains("Apple"), "{}", long.all());
    assert_eq!(seconds(&home, "b.genfic.example.crt"), 3600 * DAY);
    assert_eq!(sign("c.genfic.example", &["-v", "3651"]).status, 7);
    let text = home.run(&["openssl", "x509", "-in", "a.genfic.example.crt", "-noout", "-text"]).ok().out;
    assert!(!text.contains("ops@genfic.example"), "the contact is for the index: {text}");
    let key = std::fs::read_to_string(home.path("a.genfic.example.key")).unwrap();
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));
}
