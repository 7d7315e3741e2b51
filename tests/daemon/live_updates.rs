//! What `genfic-ca` does while the daemon runs.
use crate::http_client::{Client, ocsp_request, post};
use crate::running_daemon::{Site, request_for};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[test]
fn a_revocation_is_in_the_answers_within_a_second_the_kept_ones_included() {
    // O12, G11
    let site = Site::new();
    let (one, two) = (site.issue("one.genfic.example"), site.issue("two.genfic.example"));
    let of =
        |issued, hash, nonce: Option<&[u8]>| ocsp_request(&[request_for(&site.home, issued, hash)], nonce);
    let questions = [of(&one, "-sha1", None), of(&one, "-sha256", None), of(&one, "-sha1", Some(&[1; 16]))];
    for question in &questions {
        assert_eq!(post(site.url(), question).verdict(), "good");
        assert_eq!(post(site.url(), question).verdict(), "good", "kept by now");
    }
    site.home.ca(&["revoke", &one.file, "--reason", "key-compromise"]).ok();
    for question in &questions {
        site.within_a_second(question, "revoked");
    }
    assert_eq!(site.ask(&two).verdict(), "good");
    let response = site.ask(&one).basic();
    let single = &response.data().responses[0];
    let text = format!("{:?}", single.status);
    assert!(text.contains("KeyCompromise"), "{text}");
    assert!(single.this_update <= response.data().produced_at);
}

#[test]
fn a_hold_and_its_release_are_in_the_answers_within_a_second() {
    // O12, C4
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    assert_eq!(post(site.url(), &question).verdict(), "good");
    for _ in 0..2 {
        site.home.ca(&["hold", &issued.file]).ok();
        site.within_a_second(&question, "revoked");
        site.home.ca(&["release", &issued.file]).ok();
        site.within_a_second(&question, "good");
    }
}

#[test]
fn a_new_certificate_is_good_as_soon_as_sign_has_returned() {
    // O12
    let site = Site::new();
    for at in 0..8 {
        let name = format!("w{at}.genfic.example");
        site.home.ca(&["create-request", &name]).ok();
        let result = site.home.result(&[
            "sign",
            &format!("{name}.req"),
            "-p",
            "genfic-system",
            "-o",
            "new.crt",
            "--force",
        ]);
        // asked at once, without even the time that openssl takes to make a request
        let serial = result["certificates"][0]["serial"].as_str().unwrap();
        let verdict = post(site.url(), &request(&site, serial)).verdict();
        assert_eq!(verdict, "good", "certificate {at}");
    }
}

/// A request made here and not by a process.
fn request(site: &Site, serial: &str) -> Vec<u8> {
    use genfic_ca::ocsp::cert_id::{CertId, HashAlgorithm};
    let file = std::fs::read(site.home.path("home/public/genfic-system.crt")).unwrap();
    let issuer = genfic_ca::x509::Certificate::from_der(&file).unwrap();
    let id = CertId::new(HashAlgorithm::Sha1, &issuer, serial.parse().unwrap());
    ocsp_request(&[crate::http_client::element(0x30, id.as_der())], None)
}

#[test]
fn a_certificate_asked_about_before_it_was_made_is_good_once_it_is() {
    // O12: `unknown` is kept by nobody here
    let site = Site::new();
    let first = site.issue("first.genfic.example");
    let never = crate::running_daemon::request_of(&site.home, "genfic-system", "0badcafe", "-sha1");
    for _ in 0..3 {
        assert_eq!(post(site.url(), &ocsp_request(std::slice::from_ref(&never), None)).verdict(), "unknown");
    }
    assert_eq!(site.ask(&first).verdict(), "good");
}

#[test]
fn a_renewed_responder_is_picked_up_without_a_failed_answer() {
    // O7, O13, G7
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let element = request_for(&site.home, &issued, "-sha1");
    let (kept, fresh) =
        (ocsp_request(std::slice::from_ref(&element), None), ocsp_request(&[element], Some(&[9; 32])));
    let signer = |request: &[u8]| {
        let response = post(site.url(), request).basic();
        let certificate = response.certificates()[0].clone();
        assert!(response.is_signed_by(certificate.tbs().public_key()));
        certificate.fingerprint().to_hex()
    };
    let mut known = signer(&kept);
    for _ in 0..3 {
        let renewed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let (mut client, mut asked) = (Client::connect(site.url()), 0);
                while !renewed.load(Ordering::Relaxed) {
                    for request in [&kept, &fresh] {
                        let headers = "Content-Type: application/ocsp-request\r\n";
                        assert_eq!(client.ask("POST", "/", headers, request).verdict(), "good");
                        asked += 1;
                    }
                    assert_eq!(client.ask("GET", "/readyz", "", &[]).status, 200);
                }
                asked
            });
            site.home.ca(&["ocsp", "responder", "genfic-system"]).ok();
            let begun = Instant::now();
            while signer(&fresh) == known || signer(&kept) == known {
                assert!(begun.elapsed() < Duration::from_secs(10), "the former responder still answers");
            }
            renewed.store(true, Ordering::Relaxed);
            assert!(asking.join().unwrap() > 10);
        });
        known = signer(&kept);
    }
}

#[test]
fn a_ca_that_is_made_while_the_daemon_runs_is_served() {
    // O12, G3
    let site = Site::new();
    site.home.ca(&["create-child", "late-system", "-p", "genfic"]).ok();
    site.home.ca(&["create-request", "late.genfic.example", "--sign", "-p", "late-system"]).ok();
    let said = site.home.ca(&["ocsp", "query", "late.genfic.example.crt", "--url", site.url()]).ok();
    assert!(said.out.contains("good"), "{}", said.all());
    let begun = Instant::now();
    while crate::http_client::get(site.url(), "/late-system.crl").status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(crate::http_client::get(site.url(), "/readyz").status, 200);
}
