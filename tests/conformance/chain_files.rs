//! The file that a server is given: its own certificate, then each issuer up to the root.
use crate::hierarchy::ROOT;
use crate::support::{Home, run};
use genfic_ca::x509::{Certificate, pem};
use std::fs;
use std::path::Path;

fn subjects_and_issuers(home: &Home, file: &str) -> Vec<(String, String)> {
    let octets = fs::read(home.path(file)).unwrap();
    pem::decode_file(&octets, "CERTIFICATE")
        .unwrap()
        .iter()
        .map(|block| Certificate::from_der(&block.der).unwrap())
        .map(|one| (one.tbs().subject().to_string(), one.tbs().issuer().to_string()))
        .collect()
}

/// Both read the file as a server does: the first certificate is its own, the others are sent along.
fn others_accept(directory: &Path, file: &str) {
    let words = ["openssl", "verify", "-x509_strict", "-CAfile", ROOT, "-untrusted", file, file];
    run(directory, &words).ok();
    let said =
        run(directory, &["certtool", "--verify", "--load-ca-certificate", ROOT, "--infile", file]).ok();
    assert!(said.out.contains("Chain verification output: Verified."), "{}", said.all());
}

#[test]
fn a_chain_file_runs_from_the_certificate_to_the_root_which_is_in_only_if_wanted() {
    // P15
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    home.ca(&["create-child", "site", "-p", "genfic", "--profile", "sub-ca"]).ok();
    home.ca(&["create-child", "genfic-system", "-p", "site"]).ok();
    home.ca(&["create-request", "host.genfic.example"]).ok();
    let names = ["host.genfic.example", "genfic-system", "site", "genfic", "genfic"];
    for (options, certificates) in [(&["--chain"][..], 3), (&["--chain=with-root"], 4), (&[], 1)] {
        let file = format!("{certificates}.pem");
        let sign = ["sign", "host.genfic.example.req", "-p", "genfic-system", "-o", &file];
        home.ca(&[&sign[..], options].concat()).ok();
        let chain = subjects_and_issuers(&home, &file);
        assert_eq!(chain.len(), certificates, "{options:?}");
        for (at, (subject, issuer)) in chain.iter().enumerate() {
            assert!(subject.ends_with(&format!("CN={}", names[at])), "{options:?} {at}: {subject}");
            assert!(issuer.ends_with(&format!("CN={}", names[at + 1])), "{options:?} {at}: {issuer}");
        }
        if certificates > 1 {
            others_accept(home.directory(), &file);
        }
    }
    let published = subjects_and_issuers(&home, "home/public/genfic-system.chain.pem");
    let names: Vec<_> = published.iter().map(|(subject, _)| subject.rsplit_once("CN=").unwrap().1).collect();
    assert_eq!(names, ["genfic-system", "site", "genfic"]);
}
