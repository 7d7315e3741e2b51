//! Others' programs ask, and verify what they get.
use crate::running_daemon::Site;

#[test]
fn openssl_verifies_the_answers_of_each_hash_by_post() {
    // O3, O7, G7
    let site = Site::new();
    let (good, bad) = (site.issue("good.genfic.example"), site.issue("bad.genfic.example"));
    site.home.ca(&["revoke", &bad.file, "--reason", "key-compromise"]).ok();
    std::thread::sleep(std::time::Duration::from_secs(1));
    let url = format!("{}/ocsp", site.url());
    for hash in ["-sha1", "-sha256", "-sha384", "-sha512"] {
        let said = site.home.run(&[
            "openssl",
            "ocsp",
            "-CAfile",
            "home/public/genfic.pem",
            "-issuer",
            "home/public/genfic-system.pem",
            "-url",
            &url,
            "-nonce",
            hash,
            "-cert",
            &good.file,
            hash,
            "-cert",
            &bad.file,
            "-resp_text",
        ]);
        let said = said.ok();
        assert!(said.err.contains("Response verify OK") && !said.err.contains("no nonce"), "{}", said.all());
        assert!(said.out.contains("good.genfic.example.crt: good"), "{}", said.all());
        assert!(said.out.contains("bad.genfic.example.crt: revoked"), "{}", said.all());
        assert!(said.out.contains("Reason: keyCompromise"), "{}", said.all());
        // the delegate's certificate, O7
        for part in ["OCSP Signing", "OCSP No Check", "Digital Signature", "Responder Id: "] {
            assert!(said.out.contains(part), "{part}: {}", said.all());
        }
        for part in ["CRL Distribution", "Authority Information Access"] {
            assert!(!said.out.contains(part), "{part}: {}", said.all());
        }
    }
}

#[test]
fn gnutls_verifies_the_answers() {
    // O1, O7, G7
    let site = Site::new();
    let (good, bad) = (site.issue("good.genfic.example"), site.issue("bad.genfic.example"));
    site.home.ca(&["revoke", &bad.file]).ok();
    std::thread::sleep(std::time::Duration::from_secs(1));
    let ask = format!("--ask={}", site.url());
    for (issued, word) in [(good, "good"), (bad, "revoked")] {
        let said = site.home.run(&[
            "ocsptool",
            &ask,
            "--nonce",
            "--load-issuer",
            "home/public/genfic-system.pem",
            "--load-cert",
            &issued.file,
            "--load-trust",
            "home/public/genfic-system.pem",
            "-d1",
        ]);
        assert!(said.all().contains(&format!("Certificate Status: {word}")), "{}", said.all());
        assert!(said.all().contains("Success"), "{}", said.all());
    }
}

#[test]
fn curl_posts_a_request_that_openssl_made_and_openssl_verifies_what_curl_saved() {
    // O1, O8
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let script = format!(
        "openssl ocsp -issuer home/public/genfic-system.pem -cert {file} -no_nonce -reqout q.der
        curl -sS --fail -o a.der -H 'Content-Type: application/ocsp-request' --data-binary @q.der {url}/
        curl -sS --fail -o b.der {url}/ocsp/$(openssl base64 -A -in q.der)
        cmp a.der b.der
        openssl ocsp -respin a.der -issuer home/public/genfic-system.pem -cert {file} -no_nonce \
            -CAfile home/public/genfic.pem",
        file = issued.file,
        url = site.url()
    );
    let said = site.home.run(&["bash", "-euc", &script]).ok();
    assert!(said.err.contains("Response verify OK"), "{}", said.all());
    assert!(said.out.contains("w.genfic.example.crt: good"), "{}", said.all());
}

#[test]
fn our_own_client_asks_it_too() {
    // G7
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let said = site.home.ca(&["ocsp", "query", &issued.file, "--url", site.url()]).ok();
    assert!(said.out.contains("good"), "{}", said.all());
}
