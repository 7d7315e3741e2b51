//! CAs certified by others: `cross-sign`, and CAs that wait for a parent elsewhere.
use crate::refused;
use crate::support::Home;
use std::fs;

fn partner(home: &Home) {
    let other = Home::at_url("http://pki.partner.example");
    other.ca(&["create-root", "partner"]).ok();
    fs::copy(other.path("home/public/partner.pem"), home.path("partner.pem")).unwrap();
}

#[test]
fn a_ca_that_may_certify_every_name_is_warned_of_and_one_certified_twice_is_named() {
    // X8
    let home = Home::with_hierarchy("http://pki.genfic.example");
    partner(&home);
    let wide = home.ca(&["cross-sign", "partner.pem", "-p", "genfic", "--json"]).ok().json();
    let serial = wide["result"]["certificates"][0]["serial"].as_str().unwrap().to_owned();
    let warned = wide["warnings"].to_string();
    assert!(warned.contains("may certify every name") && warned.contains("--permit"), "{warned}");
    assert!(warned.contains(&format!("genfic-ca revoke genfic/{serial}")), "{warned}");
    // as it says: the narrower one first, since nothing is issued for a CA of which one is revoked
    let within = home.ca(&["cross-sign", "partner.pem", "-p", "genfic", "--permit", "partner.example"]).ok();
    assert!(!within.err.contains("every name"), "{}", within.err);
    assert!(within.err.contains(&format!("genfic/{serial}")), "{}", within.err);
    home.ca(&["revoke", &format!("genfic/{serial}"), "--yes"]).ok();
    let third = home.ca(&["cross-sign", "partner.pem", "-p", "genfic", "--permit", "partner.example"]);
    refused(&third, 7, "authority.revoked");
}

#[test]
fn a_ca_of_this_home_is_certified_by_another_without_a_warning() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-root", "other"]).ok();
    let said = home.ca(&["cross-sign", "genfic-system", "-p", "other"]).ok();
    assert!(!said.err.contains("every name"), "{}", said.err);
}

#[test]
fn another_generation_of_one_that_is_new_and_unused_is_warned_of() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let unused = "has issued nothing";
    for name in ["genfic-user", "genfic"] {
        let first = home.ca(&["renew-ca", name, "--rekey"]).ok();
        assert!(!first.err.contains(unused), "{}", first.err);
        let second = home.ca(&["renew-ca", name, "--rekey"]).ok();
        assert!(second.err.contains(&format!("{name}-g2")) && second.err.contains(unused), "{}", second.err);
    }
    home.ca(&["renew-ca", "genfic-system", "--rekey"]).ok();
    home.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    let used = home.ca(&["renew-ca", "genfic-system", "--rekey"]).ok();
    assert!(!used.err.contains(unused), "{}", used.err);
}

#[test]
fn two_generations_of_a_root_are_linked_under_whatever_names_and_told_of_links_they_have() {
    // X8
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["renew-ca", "genfic", "--rekey", "--no-links", "--subject", "CN=Genfic 2"]).ok();
    let doctor = home.ca(&["doctor"]);
    assert!(!doctor.all().contains("authority.unlinked"), "not wanted: {}", doctor.all());
    let first = home.ca(&["cross-sign", "genfic-g2", "-p", "genfic", "--json"]).ok().json();
    let links = &first["result"]["links"];
    assert!(
        links["new_with_old"]["file"].is_string() && links["old_with_new"]["file"].is_string(),
        "{first}"
    );
    assert_eq!(first["warnings"].to_string(), "[]");
    let again = home.ca(&["cross-sign", "genfic-g2", "-p", "genfic"]).ok();
    for (issuer, link) in [("genfic", "new_with_old"), ("genfic-g2", "old_with_new")] {
        let named = format!("{issuer}/{}", links[link]["serial"].as_str().unwrap());
        assert!(again.err.contains(&named), "{named}: {}", again.err);
    }
}

#[test]
fn the_end_that_is_said_of_an_older_generation_is_the_one_that_status_says() {
    // X11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let said = home.ca(&["renew-ca", "genfic", "--rekey"]).ok().out;
    let end = home.result(&["status"])["authorities"][0]["last_end"].as_str().unwrap().to_owned();
    assert!(said.contains(&format!("until its last certificate has ended, on {end}")), "{end}: {said}");
}

#[test]
fn the_parent_that_was_named_is_in_the_next_step() {
    // G6
    let home = Home::new();
    let words = ["create-child", "genfic-mail", "--csr-only", "--profile", "user-ca"];
    let said = home.ca(&[&words[..], &["-p", "acme-root"]].concat()).ok().out;
    assert!(said.contains("genfic-ca sign genfic-mail.req -p acme-root --profile user-ca"), "{said}");
}

#[test]
fn a_ca_that_waits_is_given_up_by_removing_two_files() {
    // G6, as the manual says
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let words = ["create-child", "genfic-mail", "--csr-only", "--profile", "user-ca"];
    home.ca(&words).ok();
    assert!(home.ca(&["status"]).ok().out.contains("genfic-mail waits"));
    home.shell("rm home/requests/genfic-mail.waiting home/keys/genfic-mail.age genfic-mail.req").ok();
    assert!(!home.ca(&["status"]).ok().out.contains("genfic-mail"));
    let doctor = home.ca(&["doctor"]);
    assert!(!doctor.all().contains("genfic-mail"), "{}", doctor.all());
    home.ca(&words).ok();
}
