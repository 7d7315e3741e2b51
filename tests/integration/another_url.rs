//! The steps by which the manual moves certificates to another URL.
use crate::support::{Daemon, Home};
use std::fs;

const OLD: &str = "http://old.genfic.example/old";
const NEW: &str = "http://new.genfic.example";

/// The URLs in a certificate.
fn urls(home: &Home, file: &str) -> Vec<String> {
    let text = home.run(&["openssl", "x509", "-noout", "-text", "-in", file]).ok().out;
    let found = text.lines().filter_map(|line| line.split_once("URI:"));
    found.map(|(_, url)| url.trim().to_owned()).collect()
}

#[test]
fn what_is_issued_after_the_change_has_the_new_url_and_the_old_one_goes_on_being_answered() {
    // G7, X13
    let home = Home::with_hierarchy(OLD);
    home.ca(&["create-request", "a.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    let file = home.path("home/genfic-ca.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches(OLD).count(), 1, "{text}");
    let former = text.replace("# former_urls = []", "former_urls = ['FORMER']");
    fs::write(&file, former.replace(OLD, NEW).replace("FORMER", OLD)).unwrap();
    home.ca(&["renew-ca", "genfic-system"]).ok();
    home.ca(&["renew", "a.genfic.example", "--chain", "-o", "new.pem"]).ok();
    for (files, url) in
        [(&["a.genfic.example.crt"][..], OLD), (&["new.pem", "home/public/genfic-system.pem"], NEW)]
    {
        for file in files {
            let urls = urls(&home, file);
            assert!(urls.len() >= 2 && urls.iter().all(|one| one.starts_with(url)), "{file}: {urls:?}");
        }
    }
    assert_eq!(urls(&home, "home/public/genfic.pem"), [""; 0]);
    home.run(&[
        "openssl",
        "verify",
        "-CAfile",
        "home/public/genfic.pem",
        "-untrusted",
        "new.pem",
        "a.genfic.example.crt",
    ])
    .ok();
    let daemon = Daemon::start(&home.path("home"), "127.0.0.1:0");
    for file in ["a.genfic.example.crt", "new.pem"] {
        for (host, path) in [("old.genfic.example", "/old/ocsp"), ("new.genfic.example", "/ocsp")] {
            let words = [
                "openssl",
                "ocsp",
                "-issuer",
                "home/public/genfic-system.pem",
                "-CAfile",
                "home/public/genfic.pem",
            ];
            let (host, url) = (format!("Host={host}"), format!("{}{path}", daemon.url));
            let said =
                home.run(&[&words[..], &["-cert", file, "-url", &url, "-header", &host]].concat()).ok();
            assert!(said.out.contains("good") && said.err.contains("verify OK"), "{}", said.all());
        }
    }
    home.ca(&["doctor"]).ok();
}
