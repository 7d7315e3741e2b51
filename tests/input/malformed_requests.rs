//! Requests that are no DER, or none of ours, through `sign`.
use crate::support::Home;
use crate::support::builders::*;
use crate::{ca, on_record, refused};
use genfic_ca::x509::octets::{sequence, tlv};
use genfic_ca::x509::{SignatureAlgorithm, encode_signed};
use std::fs;
use std::process::Stdio;

/// What is wrong, the octets, the code, and words of the message.
pub(crate) type Case = (&'static str, Vec<u8>, &'static str, &'static str);

/// Each of them refused with exit 7, its code and its words; nothing issued, and the refusal on record.
#[track_caller]
pub(crate) fn all_refused(home: &Home, cases: &[Case]) {
    let (certificates, _) = on_record(home);
    for (what, octets, code, says) in cases {
        fs::write(home.path("case.req"), octets).unwrap();
        let before = on_record(home).1;
        let said = ca(home, &["sign", "case.req", "-p", "genfic-system"]);
        refused(&said, 7, code, what);
        assert!(said.err.contains(says), "{what}: `{says}` is not said\n{}", said.err);
        assert_eq!(on_record(home), (certificates, before + 1), "{what}");
        let last = &home.result(&["audit", "show", "--last", "1"])["records"][0];
        assert!(last.to_string().contains(code), "{what}: {last}");
    }
}

/// Swaps octets that occur once.
fn swapped(octets: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at: Vec<usize> =
        (0..=octets.len() - from.len()).filter(|at| &octets[*at..at + from.len()] == from).collect();
    assert_eq!(at.len(), 1, "{from:02x?}");
    [&octets[..at[0]], to, &octets[at[0] + from.len()..]].concat()
}

fn malformed() -> Vec<Case> {
    let forge = RequestBuilder::new();
    let good = forge.good("good.genfic.example");
    let name = cn("good.genfic.example");
    let (subject, key) = (name.as_der(), forge.public_key());
    let inner = info(0, subject, key, &[]);
    let version = |octets: &[u8]| sequence(&[octets, subject, key, &[0xa0, 0]]);
    let san = extension(SAN, false, &sequence(&[&dns(b"good.genfic.example")]));
    let request = |extensions: &[Vec<u8>]| forge.with_extensions("good.genfic.example", extensions);
    let nested = (0..10_000).fold(vec![5, 0], |inner, _| tlv(0x30, &inner));
    let mut long_form = vec![0x30, 0x84, 0, 0];
    long_form.extend(&good[2..]);
    let malformed = "request.malformed";
    vec![
        ("the first half", good[..good.len() / 2].to_vec(), malformed, "not a certification request"),
        ("trailing octets", [&good[..], b"\0\0"].concat(), malformed, "trailing"),
        ("another request behind it", [&good[..], &good].concat(), malformed, "trailing"),
        ("an indefinite length", [&[0x30, 0x80][..], &good[4..], &[0, 0]].concat(), malformed, "length"),
        ("a length in more octets than it needs", long_form, malformed, "length"),
        ("a length beyond the end", vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0], malformed, "not a"),
        ("ten thousand nested elements", nested.clone(), malformed, "not a certification request"),
        (
            "nested elements for an extensionRequest",
            forge.request(subject, &[extension_request(std::slice::from_ref(&nested))]),
            malformed,
            "",
        ),
        ("version 2", forge.sealed(&version(&[2, 1, 2])), malformed, "version"),
        ("version 1 (v2)", forge.sealed(&version(&[2, 1, 1])), malformed, "version"),
        ("a negative version", forge.sealed(&version(&[2, 1, 0xff])), malformed, ""),
        (
            "a version of nine octets",
            forge.sealed(&version(&[2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0])),
            malformed,
            "",
        ),
        ("no version", forge.sealed(&version(&[])), malformed, ""),
        ("an empty sequence", vec![0x30, 0], malformed, ""),
        ("an element behind the attributes", forge.sealed(&sequence(&[&inner[4..], &[5, 0]])), malformed, ""),
        ("the same extension twice", request(&[san.clone(), san.clone()]), malformed, "repeated"),
        (
            "two extensionRequest attributes",
            forge.request(
                subject,
                &[
                    extension_request(std::slice::from_ref(&san)),
                    extension_request(std::slice::from_ref(&san)),
                ],
            ),
            malformed,
            "repeated",
        ),
        ("an empty extensionRequest", request(&[]), malformed, "empty"),
        (
            "a thousand extensions",
            request(
                &(0..1000)
                    .map(|n| extension(&[0x2a, 0x87, (n % 100) as u8], false, &[5, 0]))
                    .collect::<Vec<_>>(),
            ),
            malformed,
            "more than 100 extensions",
        ),
        (
            "a thousand attributes",
            forge.request(
                subject,
                &(0..1000).map(|n| attribute(&[0x2a, 1, (n % 128) as u8, 3], &[5, 0])).collect::<Vec<_>>(),
            ),
            malformed,
            "",
        ),
        (
            "unused bits in the signature",
            {
                let algorithm = SignatureAlgorithm::ECDSA_SHA256;
                let sealed = encode_signed(&inner, algorithm, &[0x30, 0]);
                swapped(&sealed, &[3, 3, 0, 0x30, 0], &[3, 3, 4, 0x30, 0])
            },
            malformed,
            "",
        ),
        ("text", b"please sign my key\n".to_vec(), malformed, "not a certification request"),
        ("zeros", vec![0; 5000], malformed, ""),
    ]
}

#[test]
fn requests_that_are_no_der_are_refused_and_the_refusal_is_on_record() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    all_refused(&home, &malformed());
}

#[test]
fn a_request_cut_at_any_octet_is_refused() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let good = RequestBuilder::new().good("good.genfic.example");
    fs::create_dir(home.path("cut")).unwrap();
    let mut words = vec!["sign".to_owned(), "-p".into(), "genfic-system".into(), "--json".into()];
    for length in 0..good.len() {
        let file = format!("cut/{length}.req");
        fs::write(home.path(&file), &good[..length]).unwrap();
        words.push(file);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = ca(&home, &words).json();
    assert_eq!(said["result"]["refused"].as_array().unwrap().len(), good.len());
    assert_eq!((said["changed"].as_bool(), &said["error"]["exit"]), (Some(false), &7.into()));
}

#[test]
fn bad_requests_among_good_ones_are_refused_and_the_good_are_issued() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let mut words = vec!["sign", "-p", "genfic-system", "--json"];
    let cases = malformed();
    let names: Vec<String> = (0..cases.len()).map(|at| format!("{at}.req")).collect();
    for ((_, octets, ..), name) in cases.iter().zip(&names) {
        fs::write(home.path(name), octets).unwrap();
    }
    for host in ["one.genfic.example", "two.genfic.example"] {
        fs::write(home.path(host), RequestBuilder::new().good(host)).unwrap();
    }
    words.push("one.genfic.example");
    words.extend(names.iter().map(String::as_str));
    words.push("two.genfic.example");
    let before = on_record(&home).1;
    let said = ca(&home, &words);
    assert_eq!(said.status, 7, "{}", said.all());
    let result = &said.json()["result"];
    assert_eq!(result["certificates"].as_array().unwrap().len(), 2);
    let refused = result["refused"].as_array().unwrap();
    assert_eq!(refused.len(), cases.len());
    for (one, name) in refused.iter().zip(&names) {
        assert_eq!(
            (one["file"].as_str(), one["code"].as_str()),
            (Some(name.as_str()), Some("request.malformed"))
        );
    }
    let records = home.result(&["audit", "show", "--from", &(before + 1).to_string()]);
    let text = records.to_string();
    assert!(
        names
            .iter()
            .all(|name| text.contains(&format!("/{name}\"")) || text.contains(&format!("\"{name}\""))),
        "{text}"
    );
}

#[test]
fn a_request_on_standard_input_is_held_to_the_same() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for (what, octets, code, _) in malformed().iter().take(6) {
        fs::write(home.path("case.req"), octets).unwrap();
        let mut command = home.command(&["sign", "-", "-p", "genfic-system"]);
        let said = crate::ends(command.stdin(fs::File::open(home.path("case.req")).unwrap()), what);
        refused(&said, 7, code, what);
    }
    let mut command = home.command(&["sign", "-", "-p", "genfic-system"]);
    let said = crate::ends(command.stdin(Stdio::null()), "nothing");
    refused(&said, 7, "request.not-a-request", "nothing on standard input");
    let mut command = home.command(&["sign", "-", "-p", "genfic-system"]);
    let said = crate::ends(command.stdin(fs::File::open("/dev/zero").unwrap()), "zeros without end");
    refused(&said, 1, "file.too-large", "zeros without end");
    assert!(said.err.contains("standard input is over 1 MiB"), "{}", said.err);
}

#[test]
fn a_signature_over_other_octets_or_by_another_key_or_algorithm_is_refused() {
    // X13, X14
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let (forge, other) = (RequestBuilder::new(), RequestBuilder::new());
    let name = cn("good.genfic.example");
    let own = info(0, name.as_der(), forge.public_key(), &[]);
    let algorithm = SignatureAlgorithm::ECDSA_SHA256;
    let by_other = encode_signed(&own, algorithm, &other.sign(&own));
    let over_other = encode_signed(&own, algorithm, &forge.sign(b"something else"));
    let signature = forge.sign(&own);
    let named = |algorithm| encode_signed(&own, algorithm, &signature);
    let zero = encode_signed(&own, algorithm, &sequence(&[&[2, 1, 0], &[2, 1, 0]]));
    let with_null = swapped(
        &forge.sealed(&own),
        &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
        &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1, 2],
    );
    let is_not = "not signed by the key";
    all_refused(
        &home,
        &[
            ("signed by another key", by_other, "request.signature", is_not),
            ("a signature over something else", over_other, "request.signature", is_not),
            ("RSA named for an EC key", named(SignatureAlgorithm::RSA_SHA256), "request.signature", is_not),
            ("Ed25519 named for an EC key", named(SignatureAlgorithm::ED25519), "request.signature", is_not),
            ("another digest named", named(SignatureAlgorithm::ECDSA_SHA384), "request.signature", is_not),
            ("r and s of zero", zero, "request.signature", is_not),
            ("an empty signature", encode_signed(&own, algorithm, &[]), "request.signature", is_not),
            (
                "an algorithm that nobody has",
                with_null,
                "request.unsupported",
                "algorithm 1.2.840.10045.4.1.2",
            ),
        ],
    );
}

#[test]
fn what_a_request_asks_beyond_names_is_left_out_with_a_notice() {
    // X12, G20
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let forge = RequestBuilder::new();
    let extensions = [
        extension(SAN, true, &sequence(&[&dns(b"good.genfic.example")])),
        extension(BASIC_CONSTRAINTS, true, &sequence(&[&[1, 1, 0xff]])),
        extension(KEY_USAGE, true, &[3, 2, 1, 6]),
        extension(&[0x2a, 3, 4, 5], true, &[0xde, 0xad]),
        extension(&[0x55, 0x1d, 35], false, &[4, 0]),
    ];
    // szOID_OS_VERSION, szOID_REQUEST_CLIENT_INFO and szOID_ENROLLMENT_CSP_PROVIDER of Microsoft's programs
    let microsoft = [
        attribute(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 13, 2, 3], &tlv(0x16, b"10.0.19045.2")),
        attribute(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 20], &sequence(&[&[2, 1, 5], &tlv(0x0c, b"host")])),
        attribute(
            &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 13, 2, 2],
            &sequence(&[&[2, 1, 1], &tlv(0x1e, b"\0C"), &[3, 1, 0]]),
        ),
    ];
    let challenge = attribute(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 9, 7], &tlv(0x0c, b"sesame"));
    let mut attributes = vec![extension_request(&extensions), challenge];
    attributes.extend(microsoft);
    attributes.push(attribute(&[0x2a, 3], &(0..10_000).fold(vec![5, 0], |inner, _| tlv(0x30, &inner))));
    let request = forge.request(cn("good.genfic.example").as_der(), &attributes);
    fs::write(home.path("much.req"), request).unwrap();
    let said = ca(&home, &["sign", "much.req", "-p", "genfic-system", "-o", "much.crt"]).ok();
    for part in ["challenge password", "CA:TRUE", "keyUsage", "1.2.3.4.5", "is not copied"] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    let text = home.run(&["openssl", "x509", "-in", "much.crt", "-noout", "-text"]).ok().out;
    for never in ["CA:TRUE", "Certificate Sign", "1.2.3.4.5", "sesame", "19045"] {
        assert!(!text.contains(never), "{never}: {text}");
    }
}
