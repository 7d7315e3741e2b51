//! CRLs and CA certificates where the certificates say they are.
use crate::http_client::{Client, get};
use crate::running_daemon::{Site, issue};
use crate::support::Home;
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A home whose certificates name the daemon that serves it. Its address is none that clients of other tests
/// connect from, so that it is still free when the daemon comes.
fn served_at_its_url() -> Site {
    let address = TcpListener::bind("127.77.0.1:0").unwrap().local_addr().unwrap().to_string();
    let home = Home::with_hierarchy(&format!("http://{address}"));
    Site { daemon: home.daemon(&address), home }
}

/// The http URLs in what OpenSSL says about extensions of a certificate.
fn urls(home: &Home, file: &str) -> Vec<String> {
    let extensions = "crlDistributionPoints,authorityInfoAccess";
    let said = home.run(&["openssl", "x509", "-noout", "-ext", extensions, "-in", file]).ok();
    said.out
        .split_whitespace()
        .filter_map(|word| word.split_once("URI:").map(|(_, url)| url.to_owned()))
        .collect()
}

#[test]
fn every_url_in_a_certificate_leads_to_what_it_names() {
    // X10, G7, C7
    let site = served_at_its_url();
    let issued = issue(&site.home, "w.genfic.example");
    let leaf = urls(&site.home, &issued.file);
    let url = site.url();
    let expected = |ca: &str| [format!("{url}/{ca}.crl"), format!("{url}/{ca}.crt")];
    assert!(leaf.iter().any(|one| *one == format!("{url}/ocsp")), "{leaf:?}");
    for one in expected("genfic-system") {
        assert!(leaf.contains(&one), "{leaf:?}");
    }
    let child = urls(&site.home, "home/public/genfic-system.pem");
    assert_eq!(child, expected("genfic"), "the root's key is offline: no OCSP");
    for url in leaf.iter().chain(&child).filter(|url| !url.ends_with("/ocsp")) {
        let script = "curl -sS --fail -o fetched -w '%{content_type}' \"$0\"";
        let said = site.home.run(&["bash", "-euc", script, url]).ok();
        let fetched = fs::read(site.home.path("fetched")).unwrap();
        let name = url.rsplit('/').next().unwrap();
        let file = fs::read(site.home.path("home/public").join(name)).unwrap();
        assert_eq!(fetched, file, "{url}");
        let (media_type, form) = match name.ends_with(".crl") {
            true => ("application/pkix-crl", "crl"),
            false => ("application/pkix-cert", "x509"),
        };
        assert_eq!(said.out, media_type, "{url}");
        site.home.run(&["openssl", form, "-inform", "DER", "-noout", "-in", "fetched"]).ok();
    }
    let ask = "openssl ocsp -issuer home/public/genfic-system.pem -cert \"$0\" -url \
        $(openssl x509 -noout -ocsp_uri -in \"$0\") -CAfile home/public/genfic.pem";
    let said = site.home.run(&["bash", "-euc", ask, &issued.file]).ok();
    assert!(said.all().contains("Response verify OK") && said.out.contains(": good"), "{}", said.all());
}

#[test]
fn the_crl_that_is_served_is_the_new_one_within_a_second_and_always_whole() {
    // C7, O12
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let before = get(site.url(), "/genfic-system.crl");
    let (tag, modified) = (before.header("etag").unwrap(), before.header("last-modified").unwrap());
    let conditions = format!("If-None-Match: {tag}\r\nIf-Modified-Since: {modified}\r\n");
    let ask_again = || Client::connect(site.url()).ask("GET", "/genfic-system.crl", &conditions, &[]);
    assert_eq!(ask_again().status, 304);
    site.home.ca(&["revoke", &issued.file]).ok();
    let begun = Instant::now();
    let after = loop {
        let reply = ask_again();
        if reply.status == 200 {
            break reply;
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "still the old list");
    };
    assert_eq!(after.body, fs::read(site.home.path("home/public/genfic-system.crl")).unwrap());
    let control = after.header("cache-control").unwrap();
    assert!(control.starts_with("max-age=") && after.header("expires").is_some(), "{control}");

    // while lists are published, each that comes over the wire is one of them
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !enough.load(Ordering::Relaxed) {
                site.home.ca(&["crl", "publish", "genfic-system"]).ok();
            }
        });
        let stops = Stops(&enough);
        let (mut seen, begun) = (BTreeSet::new(), Instant::now());
        while seen.len() < 3 {
            assert!(begun.elapsed() < Duration::from_secs(30), "new lists are not seen: {}", seen.len());
            let list = get(site.url(), "/genfic-system.crl").body;
            let list = genfic_ca::x509::CertificateList::from_der(&list).unwrap();
            seen.insert(list.as_der().to_vec());
        }
        drop(stops);
    });
}

/// Sets it when dropped, so that a test that fails does not go on for ever.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn nothing_but_crls_and_ca_certificates_is_served() {
    // K1
    let site = Site::new();
    fs::write(site.home.path("home/public/notes.crl"), "of no CA").unwrap();
    fs::copy(site.home.path("home/public/genfic.crl"), site.home.path("home/public/other.crl")).unwrap();
    let names = [
        "/notes.crl",
        "/other.crl",
        "/genfic.pem",
        "/genfic.chain.pem",
        "/genfic.crl.pem",
        "/index.db",
        "/genfic-ca.toml",
        "/manifest.json",
        "/keys/genfic.age",
        "/ocsp/genfic-system/responder.key",
        "/ocsp/genfic-system/responder.pem",
        "/../index.db",
        "/../keys/genfic.age",
        "/%2e%2e/index.db",
        "/..%2findex.db",
        "/.%2e/public/genfic.crl",
        "/./genfic.crl",
        "/public/genfic.crl",
        "/genfic.crl/",
        "/genfic.crl%00",
        "/genfic.crl%00.txt",
        "/GENFIC.CRL",
        "/genfic%2ecrl",
        "/.crl",
        "/.",
        "/..",
        "/.new-abc",
        "/etc/passwd",
        "/genfic.crl;a",
    ];
    let mut client = Client::connect(site.url());
    for name in names {
        let reply = client.ask("GET", name, "", &[]);
        let harmless = reply.status == 404
            || (name == "/etc/passwd" && reply.verdict() == "malformedRequest")
            || (name == "/genfic%2ecrl" && reply.header("content-type") == Some("application/pkix-crl"));
        assert!(harmless, "{name}: {} {}", reply.status, reply.text());
    }
    for name in ["/genfic.crl", "/genfic.crt", "/genfic-user.crl", "/genfic-system.crt"] {
        assert_eq!(client.ask("GET", name, "", &[]).status, 200, "{name}");
    }
}
