//! `openssl verify`, `openssl crl`, `openssl ocsp`, and `curl` for OCSP by GET.
use crate::hierarchy::{Hierarchy, ROOT, ROOT_CRL, SYSTEM, SYSTEM_CHAIN, SYSTEM_CRL, certificate};
use crate::support::{Home, Said};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use genfic_ca::ocsp::cert_id::{CertId, HashAlgorithm};
use genfic_ca::ocsp::request::OcspRequest;
use genfic_ca::ocsp::text::describe;
use genfic_ca::x509::{Certificate, SerialNumber};

/// The strictest that `openssl verify` does, below the root of the fixture.
pub(crate) fn verify(home: &Home, file: &str) -> Said {
    home.run(&[
        "openssl",
        "verify",
        "-x509_strict",
        "-crl_check_all",
        "-check_ss_sig",
        "-CAfile",
        ROOT,
        "-untrusted",
        SYSTEM,
        "-CRLfile",
        ROOT_CRL,
        "-CRLfile",
        SYSTEM_CRL,
        "-purpose",
        "sslserver",
        file,
    ])
}

pub(crate) fn judges(hierarchy: &Hierarchy) {
    chains(hierarchy);
    crls(&hierarchy.home);
    answers_by_post(hierarchy);
    answers_by_get(hierarchy);
}

fn chains(hierarchy: &Hierarchy) {
    for host in &hierarchy.good {
        let said = verify(&hierarchy.home, &certificate(host)).ok();
        assert!(said.out.contains(": OK"), "{}", said.all());
    }
    let said = verify(&hierarchy.home, &certificate(&hierarchy.revoked));
    assert_ne!(said.status, 0, "{}", said.all());
    assert!(said.err.contains("certificate revoked"), "{}", said.all());
}

fn crls(home: &Home) {
    for (crl, issuer, other) in [(ROOT_CRL, ROOT, None), (SYSTEM_CRL, SYSTEM, Some(ROOT))] {
        let check = |by| home.run(&["openssl", "crl", "-in", crl, "-noout", "-CAfile", by]);
        let said = check(issuer);
        assert!(said.err.contains("verify OK"), "{}", said.all());
        if let Some(other) = other {
            let said = check(other);
            assert!(!said.err.contains("verify OK"), "{}", said.all());
        }
    }
    let der = home.run(&["openssl", "crl", "-inform", "DER", "-in", "home/public/genfic-system.crl"]).ok();
    let pem = std::fs::read_to_string(home.path(SYSTEM_CRL)).unwrap();
    assert_eq!(der.out, pem, "DER and PEM are the same list"); // C7
}

/// `words` after `openssl ocsp` and the issuer; the answer is checked up to the root.
fn ocsp(home: &Home, issuer: &str, words: &[&str]) -> Said {
    let begin = ["openssl", "ocsp", "-issuer", issuer, "-CAfile", SYSTEM_CHAIN];
    let said = home.run(&[&begin, words].concat()).ok();
    assert!(said.err.contains("Response verify OK"), "{}", said.all());
    assert!(!said.err.contains("Response Verify Failure"), "{}", said.all());
    said
}

fn answers_by_post(hierarchy: &Hierarchy) {
    let (home, url) = (&hierarchy.home, hierarchy.daemon.url.as_str());
    let revoked = certificate(&hierarchy.revoked);
    for digest in ["-sha1", "-sha256", "-sha384", "-sha512"] {
        // O3: each hash, several questions in one request
        let good: Vec<String> = hierarchy.good.iter().map(|host| certificate(host)).collect();
        let mut words = vec![digest];
        for file in good.iter().chain([&revoked]) {
            words.extend(["-cert", file]);
        }
        let said = ocsp(home, SYSTEM, &[&words[..], &["-url", url]].concat());
        for file in &good {
            assert!(said.out.contains(&format!("{file}: good")), "{digest}: {}", said.all());
        }
        assert!(said.out.contains(&format!("{revoked}: revoked")), "{digest}: {}", said.all());
        assert!(said.out.contains("Reason: keyCompromise"), "{digest}: {}", said.all());
        assert!(!said.err.contains("no nonce in response"), "{digest}: {}", said.all());
    }
    let said = ocsp(home, ROOT, &["-cert", SYSTEM, "-url", &format!("{url}/ocsp")]);
    assert!(said.out.contains(&format!("{SYSTEM}: good")), "{}", said.all());
    let said = ocsp(home, SYSTEM, &["-serial", "0x0123456789ABCDEF", "-url", url]);
    assert!(said.out.contains("0x0123456789ABCDEF: unknown"), "{}", said.all());
}

fn answers_by_get(hierarchy: &Hierarchy) {
    let (home, url) = (&hierarchy.home, hierarchy.daemon.url.as_str());
    for (host, status) in [(&hierarchy.good[0], "good"), (&hierarchy.revoked, "revoked")] {
        let file = certificate(host);
        let make =
            ["openssl", "ocsp", "-no_nonce", "-issuer", SYSTEM, "-cert", &file, "-reqout", "request.der"];
        home.run(&make).ok();
        let base64 = STANDARD.encode(std::fs::read(home.path("request.der")).unwrap());
        let escaped = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        for path in [&base64, &escaped] {
            let address = format!("{url}/{path}");
            let fetch =
                ["curl", "-sS", "-f", "--path-as-is", "-w", "%{content_type}", "-o", "answer.der", &address];
            let said = home.run(&fetch).ok();
            assert_eq!(said.out, "application/ocsp-response");
            let words = ["-respin", "answer.der", "-reqin", "request.der", "-cert", &file];
            let said = ocsp(home, SYSTEM, &words);
            assert!(said.out.contains(&format!("{file}: {status}")), "{}", said.all());
        }
    }
}

/// What follows each of these labels in a text, as small letters.
fn told<'a>(text: &'a str, label: &'a str) -> impl Iterator<Item = String> + 'a {
    text.lines().filter_map(move |line| line.trim().strip_prefix(label)).map(str::to_lowercase)
}

#[test]
fn cert_ids_are_read_as_openssl_reads_them() {
    // O3
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let issuer =
        Certificate::from_der(&std::fs::read(home.path("home/public/genfic-system.crt")).unwrap()).unwrap();
    let ids = [0x01, 0x7f, 0x80, 0xff].map(|octet| {
        CertId::new(HashAlgorithm::Sha1, &issuer, SerialNumber::from_be_octets(&[octet]).unwrap())
    });
    let octets = OcspRequest::new(ids.to_vec(), None).to_der();
    std::fs::write(home.path("asked.der"), &octets).unwrap();
    let theirs = home.run(&["openssl", "ocsp", "-reqin", "asked.der", "-req_text"]).ok().out;
    let (_, _, ours) = describe(&octets).unwrap();
    for (label, field) in [
        ("Hash Algorithm: ", "hash"),
        ("Issuer Name Hash: ", "issuer_name_hash"),
        ("Issuer Key Hash: ", "issuer_key_hash"),
        ("Serial Number: ", "serial"),
    ] {
        let read = ours["certificates"].as_array().unwrap().iter();
        let read: Vec<_> = read.map(|id| id[field].as_str().unwrap().to_lowercase()).collect();
        assert_eq!(told(&theirs, label).collect::<Vec<_>>(), read, "{theirs}");
        assert_eq!(read.len(), ids.len(), "{ours}");
    }
}
