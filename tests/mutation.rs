//! The fuzz targets on a stable toolchain, with every octet string of the corpus and seeded mutations of it. `cargo
//! fuzz run --fuzz-dir tests/fuzz TARGET` tries more, with a nightly toolchain.
#![allow(
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a test that cannot go on fails"
)]
#[path = "fuzz/bodies.rs"]
mod bodies;

use base16ct::lower::encode_string as hex;
use bodies::{Body, TARGETS};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// Number of mutations for each target.
const CASES: usize = 10_000;
/// Bound of an octet string that is tried, in octets.
const LONGEST: usize = 8192;
/// Octets and words at which parsers tend to fail.
const DER: &[&[u8]] = &[
    &[0],
    &[0x7f],
    &[0x80],
    &[0x84, 0xff, 0xff, 0xff, 0xff],
    &[0xff],
    &[0x30, 0x80],
    &[5, 0],
    &[2, 1, 0x80],
];
const TEXT: &[&[u8]] = &[
    b"-----",
    b"\r\n",
    b"\0",
    b"=",
    b"\\",
    b"\"",
    b"[",
    b"]]",
    b"9223372036854775807",
    b"-1",
    b"1e999",
    b"nan",
    "é".as_bytes(),
    "\u{202e}".as_bytes(),
    b"d",
    b"*",
    b"+",
    b",",
    b"#",
    b"#04",
    b"%",
];

/// Marsaglia's xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap()
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() % bound.max(1)
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

/// Returns the corpus of a target, sorted by file name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut seeds: Vec<(String, Vec<u8>)> = fs::read_dir(directory().join("corpus").join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect();
    seeds.sort();
    seeds
}

fn mutated(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut octets = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(octets.len());
        let end = (at + 1 + random.below(16)).min(octets.len());
        match random.below(8) {
            _ if octets.is_empty() => octets.push(0x30),
            0 => octets[at] ^= 1 << random.below(8),
            1 => octets[at] = (random.below(256)) as u8,
            2 => octets[at] = octets[at].wrapping_add(1),
            3 => drop(octets.drain(at..end)),
            4 => octets.truncate(at),
            5 => {
                let copy = octets[at..end].to_vec();
                octets.splice(at..at, copy);
            }
            6 => {
                let words = if octets.is_ascii() { TEXT } else { DER };
                octets.splice(at..end, random.one(words).iter().copied());
            }
            _ => {
                let from = random.below(other.len());
                let to = (from + 1 + random.below(64)).min(other.len());
                octets.splice(at..end, other[from..to].iter().copied());
            }
        }
    }
    octets.truncate(LONGEST);
    octets
}

fn try_it(target: &str, body: Body, octets: &[u8], what: &str) {
    if catch_unwind(|| body(octets)).is_err() {
        panic!("{target}: {what}: {:?}\n{}", String::from_utf8_lossy(octets), hex(octets));
    }
}

/// The corpus and its mutations through one target.
fn survives(target: &str) {
    let body = TARGETS.iter().find(|row| row.0 == target).unwrap().1;
    let seeds = corpus(target);
    for (name, octets) in &seeds {
        try_it(target, body, octets, name);
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ target.len() as u64);
    for case in 0..CASES {
        let (name, seed) = &seeds[case % seeds.len()];
        let other = &seeds[random.below(seeds.len())].1;
        let octets = mutated(seed, other, &mut random);
        try_it(target, body, &octets, &format!("case {case} from {name}"));
    }
}

macro_rules! targets {
    ($($test:ident: $target:literal,)*) => {
        $(#[test]
        fn $test() {
            survives($target);
        })*
        const TESTED: &[&str] = &[$($target),*];
    };
}

targets! {
    the_admission_of_the_signer_never_panics: "admission",
    ceremonies_never_panic: "ceremony",
    certificates_never_panic: "certificate",
    configurations_never_panic: "config",
    crls_never_panic: "crl",
    envelopes_never_panic: "envelope",
    indexes_never_panic: "index_txt",
    journals_never_panic: "journal",
    names_never_panic: "name",
    ocsp_requests_never_panic: "ocsp_request",
    ocsp_responses_never_panic: "ocsp_response",
    pem_never_panics: "pem",
    private_keys_never_panic: "private_key",
    profiles_never_panic: "profile",
    the_protocol_of_the_signer_never_panics: "protocol",
    recipients_never_panic: "recipient",
    requests_never_panic: "request",
    shares_never_panic: "share",
    the_cas_of_a_status_never_panic: "status_authorities",
    bases_never_panic: "status_base",
    deltas_never_panic: "status_delta",
    manifests_never_panic: "status_manifest",
    uris_of_tokens_never_panic: "token_uri",
    the_protocol_of_tokens_never_panics: "tokens",
}

#[test]
fn every_target_has_a_test_a_program_and_a_corpus() {
    let names: Vec<&str> = TARGETS.iter().map(|row| row.0).collect();
    assert_eq!(names, TESTED);
    let manifest = fs::read_to_string(directory().join("Cargo.toml")).unwrap();
    let mut programs: Vec<String> = fs::read_dir(directory().join("targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    programs.sort();
    assert_eq!(programs, names);
    for name in names {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name}");
        assert!(corpus(name).len() > 1, "{name}");
    }
}

#[test]
fn the_corpus_is_read_and_not_refused_at_the_door() {
    use genfic_ca::ocsp::request::OcspRequest;
    use genfic_ca::subscriber_key::ForeignKey;
    use genfic_ca::x509::{Certificate, CertificationRequest};
    let good = |target: &str, ok: &dyn Fn(&[u8]) -> bool| {
        let good = corpus(target).iter().filter(|(_, octets)| ok(octets)).count();
        assert!(good > 1, "{target}: {good} of the corpus are read");
    };
    good("certificate", &|octets| Certificate::from_pem_or_der(octets).is_ok());
    good("request", &|octets| CertificationRequest::from_pem_or_der(octets).is_ok());
    good("index_txt", &|octets| genfic_ca::import::parse_index_txt(&String::from_utf8_lossy(octets)).is_ok());
    good("private_key", &|octets| matches!(ForeignKey::find(octets, Path::new("key")), Ok(Some(_))));
    good("share", &|octets| genfic_ca::custody::read_block(&String::from_utf8_lossy(octets)).is_ok());
    good("ocsp_request", &|octets| OcspRequest::from_der(octets, 10).is_ok());
    good("ocsp_response", &|octets| genfic_ca::ocsp::text::describe(octets).is_some());
    let conversations = |octets: &[u8]| {
        genfic_ca::assembly::any_octets::token_conversations(&bodies::tokens::token_frames(octets))
    };
    good("tokens", &|octets| conversations(octets) > 0);
    let stage = bodies::stage();
    let verified = |row: &(String, Vec<u8>)| stage.question.verify(&row.1, bodies::NOW, 300).is_ok();
    assert!(corpus("ocsp_response").iter().any(verified));
}

#[test]
fn the_signer_signs_every_seed_of_admission_with_some_key_and_never_with_each() {
    for (name, octets) in corpus("admission") {
        let admitted = bodies::admission::admitted(&octets);
        assert!(admitted.iter().any(Result::is_ok), "{name}: {admitted:?}");
        assert!(admitted.iter().any(Result::is_err), "{name}");
    }
}

/// Writes the seeds that only this project's code can make. It is run after a change of the stage in
/// `fuzz/bodies.rs`: `cargo test --test mutation -- --ignored`.
#[test]
#[ignore = "writes tests/fuzz/corpus"]
fn write_the_ocsp_corpus() {
    use genfic_ca::ocsp::cert_id::{CertId, HashAlgorithm};
    use genfic_ca::ocsp::request::OcspRequest;
    use genfic_ca::x509::{SerialNumber, SignatureAlgorithm};
    let stage = bodies::stage();
    let id =
        |hash, serial: u8| CertId::new(hash, &stage.ca, SerialNumber::from_be_octets(&[serial]).unwrap());
    let (sha1, sha256) = (HashAlgorithm::Sha1, HashAlgorithm::Sha256);
    for (name, request) in [
        ("good", OcspRequest::new(vec![id(sha1, 2)], None)),
        ("revoked-nonce", OcspRequest::new(vec![id(sha256, 3)], Some(vec![7; 32]))),
        ("never-issued", OcspRequest::new(vec![id(sha1, 9)], None)),
        (
            "three-preferred",
            OcspRequest::new(vec![id(sha1, 2), id(sha256, 3), id(sha1, 4)], Some(vec![8; 16]))
                .preferring(vec![SignatureAlgorithm::ED25519]),
        ),
    ] {
        let corpus = directory().join("corpus");
        fs::write(corpus.join("ocsp_request").join(name), request.to_der()).unwrap();
        let answer = bodies::answered(&request.to_der());
        fs::write(corpus.join("ocsp_response").join(name), answer).unwrap();
    }
}
