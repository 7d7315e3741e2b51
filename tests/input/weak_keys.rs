//! Keys that nobody should have a certificate for (X13), through `sign`.
use crate::malformed_requests::{Case, all_refused};
use crate::support::Home;
use crate::support::builders::*;
use genfic_ca::x509::octets::{sequence, tlv};
use genfic_ca::x509::{SignatureAlgorithm, encode_signed};
use std::fs;

/// An RSA key of this modulus and exponent, both big-endian.
fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let number = |octets: &[u8]| tlv(2, &[&[0][..], octets].concat());
    let short = |octets: &[u8]| if octets[0] < 0x80 { tlv(2, octets) } else { number(octets) };
    let key = sequence(&[&short(modulus), &short(exponent)]);
    public_key(RSA, &[5, 0], &key)
}

/// A request for this key; the signature is of no use.
fn request(public_key: &[u8], algorithm: SignatureAlgorithm) -> Vec<u8> {
    let name = cn("good.genfic.example");
    encode_signed(&info(0, name.as_der(), public_key, &[]), algorithm, &[0x5a; 256])
}

/// A modulus of 2048 bits, odd and arbitrary.
fn modulus() -> Vec<u8> {
    let mut octets: Vec<u8> = (0..256u32).map(|at| (at * 167 + 13) as u8).collect();
    octets[0] |= 0x80;
    octets[255] |= 1;
    octets
}

#[test]
fn keys_that_are_weak_or_broken_are_refused_by_what_is_wrong_with_them() {
    // X13
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let weak = "policy.weak-key";
    let with = |key: &[u8]| request(key, SignatureAlgorithm::RSA_SHA256);
    let ec = |point: &[u8]| request(&public_key(EC, &tlv(6, P256), point), SignatureAlgorithm::ECDSA_SHA256);
    let mut even = modulus();
    even[255] &= 0xfe;
    let mut off = RequestBuilder::new().public_key().to_vec();
    let (last, start) = (off.len() - 1, off.len() - 65);
    off[last] ^= 1;
    let ed =
        |octets: &[u8]| request(&public_key(&[0x2b, 0x65, 0x70], &[], octets), SignatureAlgorithm::ED25519);
    let compressed = [&[2][..], &off[start + 1..start + 33]].concat();
    let cases: Vec<Case> = vec![
        ("RSA with 512 bits", with(&rsa(&modulus()[..64], &[1, 0, 1])), weak, "512 bits"),
        ("RSA with 1024 bits", with(&rsa(&modulus()[..128], &[1, 0, 1])), weak, "1024 bits"),
        ("RSA with 16384 bits", with(&rsa(&modulus().repeat(8), &[1, 0, 1])), weak, "16384 bits"),
        ("RSA with 800,000 bits", with(&rsa(&modulus().repeat(400), &[1, 0, 1])), weak, "bits"),
        ("RSA with exponent 1", with(&rsa(&modulus(), &[1])), weak, "exponent"),
        ("RSA with exponent 3", with(&rsa(&modulus(), &[3])), weak, "exponent"),
        ("RSA with an even exponent", with(&rsa(&modulus(), &[1, 0, 2])), weak, "exponent"),
        ("RSA with a huge exponent", with(&rsa(&modulus(), &modulus())), weak, "exponent"),
        ("RSA with an even modulus", with(&rsa(&even, &[1, 0, 1])), weak, "divisible by 2"),
        ("RSA with a modulus of zero", with(&rsa(&[0], &[1, 0, 1])), weak, "bits"),
        ("a point beside its curve", ec(&off[start..]), weak, "not a point of its curve"),
        ("the point of zeros", ec(&[&[4][..], &[0; 64]].concat()), weak, "not a point of its curve"),
        ("Ed25519 of small order", ed(&[0; 32]), weak, "small order"),
        ("the point at infinity", ec(&[0]), "request.malformed", "uncompressed point"),
        ("a compressed point", ec(&compressed), "request.malformed", "uncompressed point"),
        ("an empty key", ec(&[]), "request.malformed", "uncompressed point"),
        ("Ed25519 of 31 octets", ed(&[7; 31]), "request.unsupported", "key type"),
        (
            "explicit curve parameters",
            request(
                &public_key(EC, &sequence(&[&[2, 1, 1]]), &off[start..]),
                SignatureAlgorithm::ECDSA_SHA256,
            ),
            "request.malformed",
            "",
        ),
        (
            "a curve that is not named",
            request(&public_key(EC, &[], &off[start..]), SignatureAlgorithm::ECDSA_SHA256),
            "request.malformed",
            "no curve",
        ),
        (
            "DSA",
            request(
                &public_key(&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], &[5, 0], &[2, 1, 7]),
                SignatureAlgorithm::RSA_SHA256,
            ),
            "request.unsupported",
            "key type",
        ),
        (
            "RSA without NULL",
            request(
                &public_key(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1], &[], &[2, 1, 7]),
                SignatureAlgorithm::RSA_SHA256,
            ),
            "request.malformed",
            "NULL",
        ),
        (
            "a key that is no RSAPublicKey",
            request(
                &public_key(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1], &[5, 0], b"key"),
                SignatureAlgorithm::RSA_SHA256,
            ),
            "request.malformed",
            "",
        ),
    ];
    all_refused(&home, &cases);
}

#[test]
fn key_types_of_openssl_that_are_none_of_ours_are_refused_by_name() {
    // X13, X14
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let kinds: [(&str, &[&str], &str); 6] = [
        ("P-224", &["ec", "-pkeyopt", "ec_paramgen_curve:P-224"], "curve 1.3.132.0.33"),
        ("P-192", &["ec", "-pkeyopt", "ec_paramgen_curve:P-192"], "curve"),
        ("secp256k1", &["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "curve 1.3.132.0.10"),
        ("brainpool", &["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"], "curve"),
        ("Ed448", &["ed448"], "key type 1.3.101.113"),
        ("a key for PSS alone", &["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], "key type"),
    ];
    let make = |newkey: &[&str], more: &[&str]| {
        let words =
            ["openssl", "req", "-new", "-nodes", "-keyout", "k", "-out", "r", "-subj", "/CN=a.example"];
        home.run(&[&words[..], &["-newkey"], newkey, more].concat()).ok();
        fs::read(home.path("r")).unwrap()
    };
    let mut cases: Vec<Case> = kinds
        .iter()
        .map(|(what, newkey, says)| (*what, make(newkey, &[]), "request.unsupported", *says))
        .collect();
    let explicit = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"];
    cases.push(("explicit parameters", make(&explicit, &[]), "request.malformed", ""));
    let pss = ["-sigopt", "rsa_padding_mode:pss"];
    cases.push((
        "signed with PSS",
        make(&["rsa:2048"], &pss),
        "request.unsupported",
        "algorithm 1.2.840.113549.1.1.10",
    ));
    cases.push((
        "signed with SHA-1",
        make(&["rsa:2048"], &["-sha1"]),
        "request.unsupported",
        "algorithm 1.2.840.113549.1.1.5",
    ));
    cases.push((
        "signed with MD5",
        make(&["rsa:2048"], &["-md5"]),
        "request.unsupported",
        "algorithm 1.2.840.113549.1.1.4",
    ));
    all_refused(&home, &cases);
}
