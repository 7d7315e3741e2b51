//! Certificates, CAs and roots renewed and rekeyed, as OpenSSL sees the chains.
use crate::support::{Home, Said};
use std::fs;

fn hierarchy() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    fs::create_dir(home.path("kept")).unwrap();
    for name in ["genfic", "genfic-system"] {
        fs::copy(public(&home, name, "pem"), home.path(&format!("kept/{name}.pem"))).unwrap();
    }
    home
}

fn public(home: &Home, name: &str, ending: &str) -> std::path::PathBuf {
    home.path(&format!("home/public/{name}.{ending}"))
}

/// `openssl verify` of a certificate by one trusted root, with these at hand.
fn verify(home: &Home, root: &str, between: &[&str], certificate: &str) -> Said {
    let between: Vec<u8> = between.iter().flat_map(|file| fs::read(home.path(file)).unwrap()).collect();
    fs::write(home.path("between.pem"), between).unwrap();
    let words = ["openssl", "verify", "-x509_strict", "-CAfile", root, "-untrusted", "between.pem"];
    home.run(&[&words[..], &["-no-CApath", "-no-CAstore", certificate]].concat())
}

const ROOT: &str = "home/public/genfic.pem";
const OLD_ROOT: &str = "kept/genfic.pem";
const CA: &str = "home/public/genfic-system.pem";
const OLD_CA: &str = "kept/genfic-system.pem";

#[test]
fn what_a_renewed_hierarchy_issued_verifies_with_old_and_new_certificates() {
    // X6, X11
    let home = hierarchy();
    home.ca(&["renew-ca", "genfic"]).ok();
    home.ca(&["renew-ca", "genfic-system"]).ok();
    home.ca(&["create-request", "new.example", "--sign", "-p", "genfic-system"]).ok();
    for root in [OLD_ROOT, ROOT] {
        for ca in [OLD_CA, CA] {
            for leaf in ["w.example.crt", "new.example.crt"] {
                verify(&home, root, &[ca], leaf).ok();
            }
        }
    }
    let crl = fs::read(public(&home, "genfic-system", "crl.pem")).unwrap();
    let all =
        [fs::read(home.path(ROOT)).unwrap(), fs::read(public(&home, "genfic", "crl.pem")).unwrap(), crl];
    fs::write(home.path("all.pem"), all.concat()).unwrap();
    let checked = ["openssl", "verify", "-crl_check_all", "-CAfile", "all.pem", "-untrusted", OLD_CA];
    home.run(&[&checked[..], &["w.example.crt"]].concat()).ok();
}

#[test]
fn links_lead_from_either_root_to_what_the_other_issued() {
    let home = hierarchy();
    let rekeyed = home.result(&["renew-ca", "genfic", "--rekey"]);
    let link = |which: &str| rekeyed["links"][which]["file"].as_str().unwrap().to_owned();
    let (new_with_old, old_with_new) = (link("new_with_old"), link("old_with_new"));
    let renewed = home.result(&["renew-ca", "genfic-system"]);
    assert_eq!(renewed["parent"], "genfic-g2");
    home.ca(&["create-request", "new.example", "--sign", "-p", "genfic-system"]).ok();
    let new_root = "home/public/genfic-g2.pem";

    // the new chain, for who trusts the new root, and for who trusts the old one alone
    verify(&home, new_root, &[CA], "new.example.crt").ok();
    assert_ne!(verify(&home, OLD_ROOT, &[CA], "new.example.crt").status, 0);
    verify(&home, OLD_ROOT, &[CA, &new_with_old], "new.example.crt").ok();
    // the old chain likewise
    verify(&home, OLD_ROOT, &[OLD_CA], "w.example.crt").ok();
    assert_ne!(verify(&home, new_root, &[OLD_CA], "w.example.crt").status, 0);
    verify(&home, new_root, &[OLD_CA, &old_with_new], "w.example.crt").ok();
    for (link, issuer) in [(&new_with_old, OLD_ROOT), (&old_with_new, new_root)] {
        let text = home.run(&["openssl", "x509", "-in", link, "-noout", "-subject", "-issuer"]).ok().out;
        let names: Vec<&str> =
            text.lines().filter_map(|line| line.split_once('=').map(|pair| pair.1)).collect();
        assert_eq!(names[0], names[1], "self-issued");
        home.ca(&["lint", link, "--issuer", issuer]).ok();
    }
}

#[test]
fn a_new_generation_issues_and_the_old_one_still_lists_what_is_revoked() {
    // C3, X11
    let home = hierarchy();
    let made = home.result(&["renew-ca", "genfic-system", "--rekey"]);
    assert_eq!(
        (made["name"].as_str(), made["succeeds"].as_str()),
        (Some("genfic-system-g2"), Some("genfic-system"))
    );
    let signed =
        home.ca(&["create-request", "new.example", "--sign", "-p", "genfic-system", "--json"]).ok().json();
    assert_eq!(signed["result"]["certificates"][0]["issuer"], "genfic-system-g2");
    assert!(signed["warnings"].to_string().contains("genfic-system-g2 issues"), "{signed}");
    verify(&home, ROOT, &["home/public/genfic-system-g2.pem"], "new.example.crt").ok();
    verify(&home, ROOT, &[CA], "w.example.crt").ok();

    // a name without a number means all generations where certificates are looked for
    let listed = home.result(&["list", "-p", "genfic-system", "--profile", "system"]);
    assert_eq!(listed["certificates"].as_array().unwrap().len(), 2, "{listed}");
    let newest = home.result(&["list", "-p", "genfic-system-g2", "--profile", "system"]);
    assert_eq!(newest["certificates"].as_array().unwrap().len(), 1, "{newest}");
    let old = home.result(&["revoke", "w.example", "-p", "genfic-system"]);
    let new = home.result(&["revoke", "new.example", "-p", "genfic-system"]);
    assert_eq!(
        (old["issuer"].as_str(), new["issuer"].as_str()),
        (Some("genfic-system"), Some("genfic-system-g2"))
    );
    for (ca, leaf) in [("genfic-system", "w.example.crt"), ("genfic-system-g2", "new.example.crt")] {
        let files = [ROOT.into(), format!("home/public/{ca}.pem"), format!("home/public/{ca}.crl.pem")];
        let all: Vec<u8> = files.iter().flat_map(|file| fs::read(home.path(file)).unwrap()).collect();
        fs::write(home.path("all.pem"), all).unwrap();
        let said = home.run(&["openssl", "verify", "-crl_check", "-CAfile", "all.pem", leaf]);
        assert!(said.status != 0 && said.all().contains("certificate revoked"), "{}", said.all());
    }
    let status = home.ca(&["status"]).ok().out;
    assert!(status.contains("genfic-system: succeeded by genfic-system-g2; its CRL goes on"), "{status}");
}

#[test]
fn a_responder_answers_for_every_generation_and_for_both_certificates_of_a_key() {
    // O3, O7
    let home = hierarchy();
    home.ca(&["renew-ca", "genfic-system"]).ok();
    home.ca(&["renew-ca", "genfic-system", "--rekey"]).ok();
    home.ca(&["create-request", "new.example", "--sign", "-p", "genfic-system"]).ok();
    let daemon = home.daemon("127.0.0.1:0");
    let new_ca = "home/public/genfic-system-g2.pem";
    for (issuer, leaf) in [(OLD_CA, "w.example.crt"), (CA, "w.example.crt"), (new_ca, "new.example.crt")] {
        let asked =
            ["openssl", "ocsp", "-CAfile", ROOT, "-issuer", issuer, "-cert", leaf, "-url", &daemon.url];
        let said = home.run(&asked).ok();
        assert!(said.out.contains(": good"), "{}", said.all());
        assert!(said.err.contains("Response verify OK"), "{}", said.all());
    }
}

#[test]
fn a_ca_that_is_revoked_falls_with_all_below_it_and_what_to_do_is_said() {
    // X11, G22
    let home = hierarchy();
    let asked = home.ca(&["revoke-ca", "genfic-system", "--reason", "ca-compromise"]);
    assert_eq!(asked.status, 9, "{}", asked.all());
    assert!(asked.err.contains("0 CAs below it and 1 valid certificate"), "{}", asked.all());
    home.ca(&["sign", "w.example.req", "-p", "genfic-system"]).ok();
    let said = home.ca(&["revoke-ca", "genfic-system", "--reason", "ca-compromise", "--yes"]).ok();
    assert!(said.out.contains("genfic-ca renew-ca genfic-system --rekey"), "{}", said.all());
    let refused = home.ca(&["sign", "w.example.req", "-p", "genfic-system", "--json"]);
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (7, Some("issuer.unfit")));
    let files = [home.path(ROOT), public(&home, "genfic", "crl.pem")];
    let all: Vec<u8> = files.iter().flat_map(|file| fs::read(file).unwrap()).collect();
    fs::write(home.path("all.pem"), all).unwrap();
    let said = home.run(&["openssl", "verify", "-crl_check", "-CAfile", "all.pem", CA]);
    assert!(said.status != 0 && said.all().contains("certificate revoked"), "{}", said.all());

    // life goes on with the next generation
    home.ca(&["renew-ca", "genfic-system", "--rekey"]).ok();
    let again = home.result(&["rekey", "w.example", "--dir", "kept"]);
    assert_eq!(again["certificates"][0]["issuer"], "genfic-system-g2");
    verify(&home, ROOT, &["home/public/genfic-system-g2.pem"], "kept/w.example.crt").ok();
}

#[test]
fn another_organizations_root_is_certified_within_its_names() {
    // X8
    let (home, other) = (hierarchy(), Home::with_hierarchy("http://pki.partner.example"));
    for host in ["www.partner.example", "www.elsewhere.example"] {
        other.ca(&["create-request", host, "--sign", "-p", "genfic-system"]).ok();
        let file = format!("{host}.crt");
        fs::copy(other.path(&file), home.path(&file)).unwrap();
    }
    fs::copy(other.path("home/public/genfic.pem"), home.path("partner.pem")).unwrap();
    fs::copy(other.path("home/public/genfic-system.pem"), home.path("partner-system.pem")).unwrap();
    let words =
        ["cross-sign", "partner.pem", "-p", "genfic", "--permit", "partner.example", "-o", "cross.pem"];
    home.ca(&words).ok();
    verify(&home, ROOT, &["cross.pem", "partner-system.pem"], "www.partner.example.crt").ok();
    let outside = verify(&home, ROOT, &["cross.pem", "partner-system.pem"], "www.elsewhere.example.crt");
    assert_ne!(outside.status, 0, "{}", outside.all());
}
