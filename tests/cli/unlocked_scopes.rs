//! What an unlocked key signs: what it is unlocked for, as often as that, and what the profiles of the security
//! administrator grant. Who is not logged in renews.
use crate::standing_signer::{Service, WORDS};
use crate::support::{is_root, skipped};
use serde_json::Value;

/// The line by which the administrator unlocks a key.
fn unlock(service: &Service, key: &str, options: &str) -> String {
    service.admin(&format!("key unlock {key} {options} --passphrase-from fd:0"))
}

/// Lines that make a root and a CA for servers below it, and requests for five servers; everything is locked then.
fn hierarchy(service: &Service) -> String {
    let all = "--new --scope leaf --scope ca --scope crl";
    let mut lines = vec![
        service.own_home(),
        unlock(service, "example", &format!("{all} --profile root-ca")),
        service.ca("create-root example --key ed25519"),
        unlock(service, "example-system", all),
        service.ca("create-child example-system -p example --key ed25519 --ocsp=false"),
    ];
    lines.extend((1..=5).map(|number| service.ca(&format!("create-request {number}.example"))));
    lines.push(service.admin("key lock --all"));
    lines.join("\n")
}

fn sign(service: &Service, number: u8) -> String {
    service.ca(&format!("sign {number}.example.req -p example-system -o {number}.pem"))
}

#[test]
fn a_key_signs_what_it_is_unlocked_for_and_as_often_as_that() {
    // K2, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let (ca, refused) =
        (|words: &str| service.ca(words), |line: &str| service.refused("signer.locked", line));
    let steps = [
        hierarchy(&service),
        // for CRLs: no certificate
        unlock(&service, "example-system", "--scope crl"),
        ca("crl publish example-system"),
        refused(&sign(&service, 1)),
        refused(&ca("ocsp responder example-system")),
        // for end entities: no CA, no responder, no CRL
        service.admin("key lock --all"),
        unlock(&service, "example-system", "--scope leaf --count 2"),
        unlock(&service, "example", "--scope leaf"),
        unlock(&service, "other", "--new --profile system-ca --scope leaf --scope ca --scope crl"),
        refused(&ca("create-child other -p example --key ed25519 --ocsp=false")),
        refused(&ca("ocsp responder example-system")),
        refused(&ca("crl publish example-system")),
        // twice
        sign(&service, 1),
        sign(&service, 2),
        refused(&sign(&service, 3)),
        // a CA, once
        unlock(&service, "example", "--scope ca --count 1"),
        ca("renew-ca example-system"),
        refused(&ca("renew-ca example-system")),
    ];
    service.done(&steps);
    let own = |name: &str| service.home.path("own").join(name).exists();
    assert!(own("1.pem") && own("2.pem") && !own("3.pem"));
}

#[test]
fn a_certificate_that_no_profile_of_the_security_administrator_grants_is_refused() {
    // K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let policy = service.home.path("policy");
    let without = format!("mv {0}/system.toml {0}/system.aside", policy.display());
    let with = format!("mv {0}/system.aside {0}/system.toml", policy.display());
    let steps = [
        hierarchy(&service),
        unlock(&service, "example-system", "--scope leaf"),
        without,
        service.refused("signer.profile", &sign(&service, 1)),
        with,
        sign(&service, 2),
    ];
    service.done(&steps);
    // what was refused is given up for good, and nothing of it is left
    let said = service.home.shell(&service.ca("list --json")).ok().json();
    let certificates = said["result"]["certificates"].as_array().unwrap();
    let status = |subject: &str| {
        let found = certificates.iter().find(|one| one["subject"] == subject);
        found.map(|one| one["status"].as_str().unwrap())
    };
    assert_eq!(
        (status("CN=1.example"), status("CN=2.example")),
        (Some("abandoned"), Some("valid")),
        "{said}"
    );
    assert!(!service.home.path("own/1.pem").exists());
}

#[test]
fn a_timer_has_a_crl_by_the_credential_of_the_signers_unit_and_nothing_else() {
    // K2, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::with_credentials(&[("example-system", WORDS)]);
    service.done(&[hierarchy(&service)]);
    let number = || -> Value {
        let said = service.home.shell(&service.ca("crl show example-system --json")).ok().json();
        said["result"]["number"].clone()
    };
    let before = number();
    // nobody has logged in for these
    let refused = |words: &str| service.refused("signer.", &service.ca(words));
    let steps = [
        service.ca("crl publish example-system"),
        service.refused("signer.locked", &sign(&service, 1)),
        refused("renew-ca example-system"),
        refused("ocsp responder example-system"),
        // there is no credential for this one
        service.refused("signer.locked", &service.ca("crl publish example")),
        service.refused("signer.", &service.ca("create-child other -p example --key ed25519 --ocsp=false")),
    ];
    let none = u32::MAX;
    let said = service.home.shell(&format!(
        "[ $(cat /proc/self/loginuid) = {none} ] || echo {none} >/proc/self/loginuid\n{}",
        steps.join("\n")
    ));
    assert_eq!(said.status, 0, "{}", said.all());
    assert_ne!(number(), before);
}

#[test]
fn a_timer_renews_a_responder_by_the_word_of_the_one_in_use_and_once_a_day() {
    // O7, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::with_credentials(&[("example-system", WORDS)]);
    let configuration = service.home.path("own/home/genfic-ca.toml");
    // a responder that is past half its life when it is made
    let adapt = format!(
        "sed -i 's/^\\[issuance\\]/&\\nbackdate = \"2d\"/; s/^\\[ocsp\\]/&\\nresponder_days = 3/' {}",
        configuration.display()
    );
    let all = "--new --scope leaf --scope ca --scope crl";
    let steps = [
        service.own_home(),
        adapt,
        unlock(&service, "example", &format!("{all} --profile root-ca")),
        service.ca("create-root example --key ed25519"),
        unlock(&service, "example-system", all),
        service.ca("create-child example-system -p example --key ed25519"),
        service.admin("key lock --all"),
    ];
    service.done(&steps);
    let responder = || {
        let file = service.home.path("own/home/ocsp/example-system/responder.pem");
        std::fs::read(file).unwrap()
    };
    let without_login = |steps: &[String]| {
        let none = u32::MAX;
        let said = service.home.shell(&format!(
            "set -e\n[ $(cat /proc/self/loginuid) = {none} ] || echo {none} >/proc/self/loginuid\n{}",
            steps.join("\n")
        ));
        assert_eq!(said.status, 0, "{}", said.all());
    };
    let first = responder();
    let aside = service.home.path("own/home/ocsp/example-system/responder.key");
    let (key, other) = (aside.display(), aside.with_extension("aside"));
    without_login(&[
        // the responder that is asked for in full, and one whose key is not there, have nobody's word
        format!("mv {key} {}", other.display()),
        service.refused("signer.locked", &service.ca("ocsp responder --due")),
        format!("mv {} {key}", other.display()),
    ]);
    assert_eq!(responder(), first);
    without_login(&[service.ca("ocsp responder --due")]);
    let second = responder();
    assert_ne!(second, first);
    without_login(&[service.refused("signer.enrolment", &service.ca("ocsp responder --due"))]);
    assert_eq!(responder(), second);
    // whoever has the key unlocked for CRLs may have it once a day too, and for responders as often as wanted
    let steps = [
        unlock(&service, "example-system", "--scope crl"),
        service.refused("signer.locked", &service.ca("ocsp responder --due")),
        unlock(&service, "example-system", "--scope ca"),
        service.ca("ocsp responder --due"),
        service.ca("ocsp responder example-system"),
    ];
    service.done(&steps);
    assert_ne!(responder(), second);
}
