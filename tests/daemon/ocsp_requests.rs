//! What is malformed, too much or about somebody else's certificates.
use crate::http_client::{Client, contents, element, extension, get, ocsp_request, post, with_extensions};
use crate::running_daemon::{Site, request_for, request_of};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use genfic_ca::ocsp::response_data::CertStatus;
use genfic_ca::x509::{CrlReason, UnixTime};

const OCSP: &str = "Content-Type: application/ocsp-request\r\n";

#[test]
fn malformed_requests_are_answered_malformedrequest_on_a_connection_that_stays() {
    // O2
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let one = request_for(&site.home, &issued, "-sha1");
    let valid = ocsp_request(std::slice::from_ref(&one), Some(&[7; 16]));
    let mut client = Client::connect(site.url());
    let mut ask = |body: &[u8]| client.ask("POST", "/", OCSP, body).verdict();
    assert_eq!(ask(&valid), "good");
    for length in 0..valid.len() {
        assert_eq!(ask(&valid[..length]), "malformedRequest", "the first {length} octets");
    }
    let mut longer = valid.clone();
    longer.push(0);
    let huge_length = [0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0];
    let nested = (0..2000).fold(Vec::new(), |inner, _| element(0x30, &inner[..inner.len().min(8000)]));
    let bodies: [&[u8]; 6] = [&longer, b"", b"hello", &huge_length, &nested, &[0x30, 0x80, 0, 0]];
    for body in bodies {
        assert_eq!(ask(body), "malformedRequest", "{body:02x?}");
    }
    assert_eq!(ask(&ocsp_request(&[], None)), "malformedRequest", "nothing is asked");
    // every octet changed in turn: whatever it means then, it is answered
    let mut verdicts = std::collections::BTreeSet::new();
    for at in 0..valid.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = valid.clone();
            changed[at] ^= flip;
            verdicts.insert(ask(&changed));
        }
    }
    let possible = ["good", "malformedRequest", "unauthorized", "unknown"];
    assert!(verdicts.iter().all(|verdict| possible.contains(&verdict.as_str())), "{verdicts:?}");
    assert_eq!(ask(&valid), "good");
}

#[test]
fn malformed_base64_is_answered_malformedrequest_and_no_base64_is_not_found() {
    // O2
    let site = Site::new();
    for path in ["/MEow", "/ocsp/MEow", "/M", "/MEowSDBGMEQwQjAJBgUrDgMCGgUABBQ="] {
        assert_eq!(get(site.url(), path).verdict(), "malformedRequest", "{path}");
    }
    for path in ["/", "/ocsp", "/ocsp/", "/%zz", "/%", "/a b".replace(' ', "%20").as_str(), "/%ff", "/~x"] {
        assert_eq!(get(site.url(), path).status, 404, "{path}");
    }
}

#[test]
fn faults_of_http_have_their_status() {
    // O2
    let site = Site::new();
    let mut client = Client::connect(site.url());
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"] {
        let reply = client.ask(method, "/", "", &[]);
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD, POST")), "{method}");
        let reply = client.ask(method, "/genfic-system.crl", "", &[]);
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let reply = client.ask("POST", "/MEowSDBG", OCSP, b"x");
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")));
    let reply = client.ask("POST", "/genfic-system.crl", OCSP, b"x");
    assert_eq!(reply.status, 405);
    let reply = client.ask("POST", "/", "Content-Type: text/html\r\n", b"x");
    assert_eq!((reply.status, reply.header("accept-post")), (415, Some("application/ocsp-request")));
    let reply = client.ask("GET", &format!("/{}", "A".repeat(9000)), "", &[]);
    assert_eq!(reply.status, 414);
    let reply = Client::connect(site.url()).ask("POST", "/", OCSP, &vec![0x30; 65_537]);
    assert_eq!(reply.status, 413);
    let reply = Client::connect(site.url()).ask("POST", "/", OCSP, &vec![0x30; 65_536]);
    assert_eq!(reply.verdict(), "malformedRequest", "as much as the configuration allows");
    let headers = format!("X-Long: {}\r\n", "a".repeat(200_000));
    assert_eq!(Client::connect(site.url()).ask("GET", "/healthz", &headers, &[]).status, 431);
    for nonsense in
        ["\r\n\r\n\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\0\x01\0"]
    {
        let mut client = Client::connect(site.url());
        client.send(nonsense.as_bytes()).unwrap();
        client.shut();
        if let Ok(reply) = client.reply(false) {
            assert!((400..=505).contains(&reply.status), "{nonsense:?}: {}", reply.status);
        }
    }
    assert_eq!(get(site.url(), "/healthz").status, 200);
}

#[test]
fn a_body_that_is_cut_short_is_a_bad_request() {
    // O2
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let request = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    let whole = crate::http_client::message("POST", "/", OCSP, &request);
    for length in (1..whole.len()).rev() {
        let mut client = Client::connect(site.url());
        client.send(&whole[..length]).unwrap();
        client.shut();
        // the connection ends, with a reply or without one: there is no request to answer
        if let Ok(reply) = client.reply(false) {
            assert_eq!(reply.status, 400, "{length} of {} octets", whole.len());
        }
    }
    assert_eq!(post(site.url(), &request).verdict(), "good");
}

#[test]
fn nonces_of_1_to_128_octets_are_echoed_and_others_are_malformed() {
    // O6
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let one = request_for(&site.home, &issued, "-sha1");
    let mut client = Client::connect(site.url());
    for length in 0..=130_u8 {
        let nonce = vec![length; usize::from(length)];
        let request = ocsp_request(std::slice::from_ref(&one), Some(&nonce));
        let reply = client.ask("POST", "/", OCSP, &request);
        if (1..=128).contains(&length) {
            assert_eq!(reply.verdict(), "good");
            assert_eq!(reply.basic().data().nonce(), Some(nonce));
            assert!(
                reply.header("cache-control").unwrap().starts_with("max-age=0, "),
                "of use to nobody else"
            );
        } else {
            assert_eq!(reply.verdict(), "malformedRequest", "{length} octets");
        }
    }
}

#[test]
fn nonces_can_be_ignored_by_configuration() {
    // O6
    let site = Site::with(&[("nonce = \"echo\"", "nonce = \"ignore\"")]);
    let issued = site.issue("w.genfic.example");
    let one = request_for(&site.home, &issued, "-sha1");
    let request = |nonce: Option<&[u8]>| ocsp_request(std::slice::from_ref(&one), nonce);
    let first = post(site.url(), &request(Some(&[1; 16])));
    assert_eq!(first.verdict(), "good");
    assert_eq!(first.basic().data().nonce(), None);
    assert_eq!(post(site.url(), &request(Some(&[2; 16]))).body, first.body);
    assert_eq!(post(site.url(), &request(None)).body, first.body);
    assert_eq!(post(site.url(), &request(Some(&[2; 129]))).verdict(), "malformedRequest");
}

#[test]
fn each_hash_of_a_certid_is_answered_with_that_certid() {
    // O3
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    for hash in ["-sha1", "-sha256", "-sha384", "-sha512"] {
        let one = request_for(&site.home, &issued, hash);
        let reply = post(site.url(), &ocsp_request(std::slice::from_ref(&one), None));
        assert_eq!(reply.verdict(), "good", "{hash}");
        let id = crate::http_client::contents(&one);
        assert!(reply.body.windows(id.len()).any(|part| part == id), "{hash}: not the CertID as asked");
    }
    let md5 = request_for(&site.home, &issued, "-md5");
    assert_eq!(post(site.url(), &ocsp_request(&[md5], None)).verdict(), "unauthorized");
}

#[test]
fn several_certids_are_answered_in_their_order() {
    // O5, O4
    let site = Site::with(&[("max_certificates = 20", "max_certificates = 5")]);
    let (one, two) = (site.issue("one.genfic.example"), site.issue("two.genfic.example"));
    site.home.ca(&["revoke", &format!("serial:{}", two.serial), "--reason", "superseded"]).ok();
    let one = request_for(&site.home, &one, "-sha1");
    let two = request_for(&site.home, &two, "-sha256");
    let never = request_of(&site.home, "genfic-system", "0badcafe", "-sha1");
    let ca = std::fs::read_to_string(site.home.path("home/public/genfic-system.pem")).unwrap();
    let stranger = foreign(&site);
    assert!(ca.contains("CERTIFICATE"));
    let asked = [two.clone(), never, one.clone(), stranger.clone(), two.clone()];
    site.soon(&ocsp_request(std::slice::from_ref(&two), None), "revoked");
    let reply = post(site.url(), &ocsp_request(&asked, Some(&[1; 32])));
    assert_eq!(reply.verdicts(), ["revoked", "unknown", "good", "unknown", "revoked"]);
    let six = [&asked[..], std::slice::from_ref(&one)].concat();
    assert_eq!(post(site.url(), &ocsp_request(&six, None)).verdict(), "malformedRequest");
    assert_eq!(post(site.url(), &ocsp_request(&[stranger], None)).verdict(), "unauthorized");
}

/// A `Request` about a certificate of a CA that is not served here.
fn foreign(site: &Site) -> Vec<u8> {
    let words = "openssl req -x509 -newkey ed25519 -nodes -subj /CN=Other -keyout other.key -out other.pem";
    site.home.run(&words.split(' ').collect::<Vec<_>>()).ok();
    let words = "openssl ocsp -issuer other.pem -serial 5 -no_nonce -reqout other.der";
    site.home.run(&words.split(' ').collect::<Vec<_>>()).ok();
    let octets = std::fs::read(site.home.path("other.der")).unwrap();
    contents(contents(contents(&octets))).to_vec()
}

#[test]
fn what_was_never_issued_can_be_answered_revoked() {
    // O4
    let site = Site::with(&[("not_issued = \"unknown\"", "not_issued = \"revoked\"")]);
    let never = request_of(&site.home, "genfic-system", "0badcafe", "-sha1");
    let response = post(site.url(), &ocsp_request(&[never], None)).basic();
    let expected = CertStatus::Revoked { at: UnixTime(0), reason: Some(CrlReason::CertificateHold) };
    assert_eq!(response.data().responses[0].status, expected);
    let extended_revoke = "1.3.6.1.5.5.7.48.1.9";
    let present = response.data().extensions.iter().any(|one| one.oid.to_string() == extended_revoke);
    assert!(present, "{:?}", response.data().extensions);
}

#[test]
fn a_critical_extension_that_nobody_knows_is_refused_and_another_is_passed_over() {
    // O10
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let one = request_for(&site.home, &issued, "-sha1");
    for (critical, verdict) in [(true, "malformedRequest"), (false, "good")] {
        let unknown = extension(&[0x2a, 3, 4, 5], critical, &[5, 0]);
        let request = with_extensions(std::slice::from_ref(&one), &unknown);
        assert_eq!(post(site.url(), &request).verdict(), verdict, "critical: {critical}");
    }
}

#[test]
fn a_ca_whose_key_is_offline_has_no_responder_and_is_not_answered_for() {
    // O4, O7
    let site = Site::new();
    let request = ocsp_request(&[request_of(&site.home, "genfic", "05", "-sha1")], None);
    assert_eq!(post(site.url(), &request).verdict(), "unauthorized");
    let path = format!("/{}", STANDARD.encode(request));
    assert_eq!(get(site.url(), &path).verdict(), "unauthorized");
    assert_eq!(get(site.url(), "/readyz").status, 200, "and that is no fault");
}

#[test]
fn a_certid_that_clients_could_not_read_again_is_malformed() {
    // O2, O3
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let one = request_for(&site.home, &issued, "-sha1");
    let id = contents(contents(&one));
    // AlgorithmIdentifier, then the hashes and the serial number
    let (sha1, rest) = ([6, 5, 0x2b, 0x0e, 3, 2, 0x1a], &id[11..]);
    let asking = |parameters: &[u8], rest: &[u8]| {
        let algorithm = element(0x30, &[&sha1[..], parameters].concat());
        ocsp_request(&[element(0x30, &element(0x30, &[&algorithm[..], rest].concat()))], None)
    };
    let ask = |parameters: &[u8], rest: &[u8]| {
        let request = asking(parameters, rest);
        let path = format!("/{}", STANDARD.encode(&request));
        let reply = post(site.url(), &request);
        assert_eq!(get(site.url(), &path).verdict(), reply.verdict());
        reply.verdict()
    };
    assert_eq!((ask(&[5, 0], rest), ask(&[], rest)), ("good".into(), "good".into()));
    for parameters in [
        &[5, 1, 0xff][..],
        &[0x30, 0],
        &[0x30, 3, 0xff, 0xff, 0xff],
        &[2, 0],
        &[0xbf, 0x81, 0, 0],
        &[5, 0, 0],
    ] {
        assert_eq!(ask(parameters, rest), "malformedRequest", "{parameters:02x?}");
    }
    let serial = &rest[44..];
    let hashes = |name: usize, key: usize| [element(4, &vec![1; name]), element(4, &vec![2; key])].concat();
    for (name, key) in [(0, 20), (20, 0), (19, 20), (20, 21), (32, 32), (4000, 20)] {
        let rest = [&hashes(name, key)[..], serial].concat();
        assert_eq!(ask(&[5, 0], &rest), "malformedRequest", "{name} and {key} octets");
    }
    for number in [&[][..], &[0, 1], &[0xff, 0x80], &[1; 4000]] {
        let rest = [&rest[..44], &element(2, number)].concat();
        assert_eq!(ask(&[5, 0], &rest), "malformedRequest", "{number:.8?}");
    }
    // numbers that are none of ours, in the one way that they are written
    for number in [&[0][..], &[0x80], &[1; 21]] {
        let rest = [&rest[..44], &element(2, number)].concat();
        assert_eq!(ask(&[5, 0], &rest), "unknown", "{number:02x?}");
    }
}

#[test]
fn paths_that_lead_nowhere_are_not_found() {
    // O2, O13
    let site = Site::new();
    let paths = [
        "/readyz/",
        "/healthz/",
        "//readyz",
        "/readyz/x",
        "/ready",
        "/live",
        "/ping",
        "/metrics",
        "/status",
        "/favicon.ico",
        "/robots.txt",
        "/index.html",
        "/api/v1/health",
        "/ocsp/readyz",
        "/ocsp/status/",
        "/genfic",
        "/genfic.crl/",
        "/%72eadyz",
    ];
    let mut client = Client::connect(site.url());
    for path in paths {
        for method in ["GET", "HEAD", "POST", "PUT"] {
            let reply = client.ask(method, path, "", &[]);
            assert_eq!(reply.status, 404, "{method} {path}: {}", reply.text());
            assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"), "{method} {path}");
        }
    }
    for (path, text) in [("/readyz", "ready\n"), ("/healthz", "ok\n")] {
        let reply = client.ask("GET", path, "", &[]);
        assert!(reply.status == 200 && reply.text().starts_with(text), "{path}: {}", reply.text());
    }
}
