//! NSS: `vfychain` (libpkix, OCSP and CRL fetched from where the certificates point to) and `certutil` (the older verifier,
//! with imported CRLs). Firefox and Thunderbird have a verifier of their own above it.
use crate::foreign_notes::noted;
use crate::hierarchy::{Hierarchy, ROOT, ROOT_CRL, SYSTEM, SYSTEM_CRL, certificate};
use crate::support::{Home, Said};

pub(crate) const FOR_CLIENT: &str = "0";
pub(crate) const FOR_SERVER: &str = "1";
pub(crate) const FOR_SIGNING_MAIL: &str = "4";

/// Nothing is known of a certificate unless it is asked about; leaf and chain are asked about apart.
const BY_OCSP: [&str; 12] =
    ["-g", "leaf", "-m", "ocsp", "-s", "failIfNoInfo", "-g", "chain", "-m", "ocsp", "-s", "failIfNoInfo"];
const BY_CRL: [&str; 12] =
    ["-g", "leaf", "-m", "crl", "-s", "failIfNoInfo", "-g", "chain", "-m", "crl", "-s", "failIfNoInfo"];

/// A database that trusts the root for every purpose.
pub(crate) fn make_database(home: &Home) -> Said {
    std::fs::create_dir(home.path("nss")).unwrap();
    home.run(&["certutil", "-N", "-d", "sql:nss", "--empty-password"]).ok();
    add(home, "root", "CT,C,C", ROOT)
}

/// Makes a CA known, which has no trust of its own.
pub(crate) fn add_issuer(home: &Home, file: &str) {
    add(home, file, ",,", file).ok();
}

fn add(home: &Home, name: &str, trust: &str, file: &str) -> Said {
    home.run(&["certutil", "-A", "-d", "sql:nss", "-n", name, "-t", trust, "-a", "-i", file])
}

/// A certificate and the CA below the root that issued it, for a purpose.
pub(crate) fn verify(home: &Home, purpose: &str, revocation: &[&str], file: &str, issuer: &str) -> Said {
    let begin = ["timeout", "60", "vfychain", "-d", "sql:nss", "-pp", "-u", purpose];
    home.run(&[&begin[..], revocation, &["-a", file, "-a", issuer]].concat())
}

/// A server's certificate in the eyes of the older verifier; its issuers are known.
pub(crate) fn valid(home: &Home, file: &str) -> Said {
    add(home, file, ",,", file).ok();
    home.run(&["certutil", "-V", "-d", "sql:nss", "-n", file, "-u", "V", "-e"])
}

/// Good by OCSP and by CRL.
#[track_caller]
pub(crate) fn assert_good(home: &Home, purpose: &str, file: &str, issuer: &str) {
    for way in [BY_OCSP, BY_CRL] {
        let said = verify(home, purpose, &way, file, issuer).ok();
        assert!(said.all().contains("Chain is good!"), "{}", said.all());
    }
}

#[track_caller]
pub(crate) fn assert_revoked(home: &Home, purpose: &str, file: &str, issuer: &str) {
    verify(home, purpose, &[], file, issuer).ok();
    for way in [BY_OCSP, BY_CRL] {
        let said = verify(home, purpose, &way, file, issuer);
        assert!(said.status != 0 && said.all().contains("revoked"), "{}", said.all());
    }
}

pub(crate) fn judges(hierarchy: &Hierarchy) {
    let home = &hierarchy.home;
    let added = make_database(home);
    if hierarchy.key == "ed25519" {
        let taken = || verify(home, FOR_SERVER, &[], &certificate(&hierarchy.good[0]), SYSTEM).status == 0;
        let is_known = added.status == 0 && taken();
        noted("nss-no-ed25519", !is_known);
        if !is_known {
            return;
        }
    }
    added.ok();
    add_issuer(home, SYSTEM);
    let is_known = |host: &&String| !host.starts_with("ed25519.");
    let good: Vec<&String> = hierarchy.good.iter().filter(is_known).collect();
    let revoked = Some(&hierarchy.revoked).filter(is_known);
    for host in &good {
        assert_good(home, FOR_SERVER, &certificate(host), SYSTEM);
    }
    if let Some(host) = revoked {
        assert_revoked(home, FOR_SERVER, &certificate(host), SYSTEM);
    }
    for host in hierarchy.good.iter().chain([&hierarchy.revoked]).filter(|host| !is_known(host)) {
        let said = verify(home, FOR_SERVER, &[], &certificate(host), SYSTEM);
        noted("nss-no-ed25519", said.status != 0);
    }
    for (crl, from) in [(ROOT_CRL, "root.crl"), (SYSTEM_CRL, "system.crl")] {
        home.run(&["openssl", "crl", "-in", crl, "-outform", "DER", "-out", from]).ok();
        home.run(&["crlutil", "-I", "-d", "sql:nss", "-i", from]).ok();
    }
    let valid = |host: &str| valid(home, &certificate(host));
    for host in good {
        valid(host).ok();
    }
    if let Some(host) = revoked {
        let said = valid(host);
        assert!(said.status != 0 && said.all().contains("has been revoked"), "{}", said.all());
    }
}
