//! The same certificate by rcgen and by us, field by field and extension by extension.
use crate::foreign_notes::noted;
use crate::hierarchy::{ROOT, SYSTEM};
use crate::support::Home;
use base16ct::lower::encode_string as hex;
use genfic_ca::x509::extension::subject_key_identifier;
use genfic_ca::x509::{Certificate, Extension};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CrlDistributionPoint, DistinguishedName, DnType,
    DnValue, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType, SerialNumber, date_time_ymd,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Where the two differ: which certificate, what, how, the note that says why.
const DIFFERENCES: &[(&str, &str, &str, &str)] = &[
    ("root", SUBJECT_KEY_IDENTIFIER, "other octets", HASHED),
    ("root", AUTHORITY_KEY_IDENTIFIER, "other octets", HASHED),
    ("system CA", SUBJECT_KEY_IDENTIFIER, "other octets", HASHED),
    ("system CA", AUTHORITY_INFO_ACCESS, "ours only", "rcgen-no-access"),
    ("leaf", SUBJECT_KEY_IDENTIFIER, "ours only", "rcgen-leaf-identifier"),
    ("leaf", AUTHORITY_INFO_ACCESS, "ours only", "rcgen-no-access"),
    ("system CA", NAME_CONSTRAINTS, "other octets", "rcgen-no-uri-subtrees"),
];
const HASHED: &str = "rcgen-identifier";
const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
const NAME_CONSTRAINTS: &str = "2.5.29.30";
const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
const AUTHORITY_INFO_ACCESS: &str = "1.3.6.1.5.5.7.1.1";

fn read(home: &Home, file: &str) -> Certificate {
    Certificate::from_pem_or_der(&fs::read(home.path(file)).unwrap()).unwrap()
}

fn name(attributes: &[(DnType, &str)]) -> DistinguishedName {
    let mut out = DistinguishedName::new();
    for (kind, value) in attributes {
        let value = match kind {
            DnType::CountryName => DnValue::PrintableString((*value).try_into().unwrap()),
            _ => DnValue::Utf8String((*value).into()),
        };
        out.push(kind.clone(), value);
    }
    out
}

/// rcgen with what the profile decides left open: same serial number, same times, same names, same pointers.
fn params(ours: &Certificate, subject: DistinguishedName) -> CertificateParams {
    let at = |seconds: i64| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds.try_into().unwrap());
    let validity = ours.tbs().validity();
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(ours.tbs().serial_number().as_be_octets()));
    params.not_before = at(validity.not_before.0);
    params.not_after = at(validity.not_after.0);
    params.distinguished_name = subject;
    params.use_authority_key_identifier_extension = true;
    params.key_identifier_method = KeyIdMethod::Sha256;
    params
}

/// The issuer as rcgen sees it: its name, its key, and the key identifier that stands in its certificate.
fn issuer(home: &Home, ca: &str, subject: DistinguishedName) -> Issuer<'static, KeyPair> {
    let certificate = read(home, &format!("home/public/{ca}.pem"));
    let mut params = params(&certificate, subject);
    params.key_identifier_method =
        KeyIdMethod::PreSpecified(subject_key_identifier(certificate.tbs()).unwrap());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Issuer::new(params, KeyPair::from_pem(&home.ca_key_pem(ca)).unwrap())
}

/// Every part by name, as octets in hexadecimal; extensions also by their criticality.
fn parts(certificate: &Certificate) -> BTreeMap<String, String> {
    let tbs = certificate.tbs();
    let mut parts: BTreeMap<String, String> = [
        ("version", tbs.version().to_string()),
        ("serialNumber", tbs.serial_number().to_string()),
        ("signature", hex(&tbs.signature().to_der())),
        ("signatureAlgorithm", hex(&certificate.signature_algorithm().to_der())),
        ("issuer", hex(tbs.issuer().as_der())),
        ("validity", hex(&tbs.validity().to_der())),
        ("subject", hex(tbs.subject().as_der())),
        ("subjectPublicKeyInfo", hex(tbs.public_key().as_der())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for Extension { oid, critical, value } in tbs.extensions() {
        let critical = if *critical { "critical " } else { "" };
        let twice = parts.insert(oid.to_string(), format!("{critical}{}", hex(value)));
        assert!(twice.is_none(), "{oid} stands there twice");
    }
    parts
}

/// What differs between ours and rcgen's, as `part: how`.
fn compare(
    which: &str,
    ours: &Certificate,
    theirs: &rcgen::Certificate,
) -> BTreeSet<(String, String, String)> {
    let theirs = parts(&Certificate::from_der(theirs.der()).unwrap());
    let ours = parts(ours);
    let all: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    all.into_iter()
        .filter_map(|part| {
            let how = match (ours.get(part), theirs.get(part)) {
                (Some(ours), Some(theirs)) if ours == theirs => return None,
                (Some(_), None) => "ours only",
                (None, Some(_)) => "theirs only",
                (ours, theirs) => {
                    println!("{which} {part}\n  ours   {ours:?}\n  theirs {theirs:?}");
                    "other octets"
                }
            };
            Some((which.to_owned(), part.clone(), how.to_owned()))
        })
        .collect()
}

#[test]
fn rcgen_and_we_write_the_same_certificates_but_for_the_differences_listed() {
    // X1, X2, X5, X6, X7, X8, X9, X10, X14
    let home = Home::new();
    let org = |cn| {
        name(&[
            (DnType::CountryName, "BE"),
            (DnType::OrganizationName, "Gentoo Fictional, Inc."),
            (DnType::CommonName, cn),
        ])
    };
    home.ca(&["create-root", "genfic"]).ok();
    let constraints =
        ["--permit", "genfic.example", "--permit", "192.0.2.0/24", "--exclude", "secret.genfic.example"];
    let create = ["create-child", "genfic-system", "-p", "genfic", "--profile", "system-ca"];
    home.ca(&[&create[..], &constraints].concat()).ok();
    let sans =
        ["--san", "DNS:host.genfic.example", "--san", "IP:192.0.2.7", "--san", "email:host@genfic.example"];
    let request = ["create-request", "host.genfic.example", "--sign", "-p", "genfic-system"];
    home.ca(&[&request[..], &sans].concat()).ok();

    let root = read(&home, ROOT);
    let mut as_root = params(&root, org("genfic"));
    as_root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    as_root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root_key = KeyPair::from_pem(&home.ca_key_pem("genfic")).unwrap();
    let mut found = compare("root", &root, &as_root.self_signed(&root_key).unwrap());

    let system = read(&home, SYSTEM);
    let mut as_system = params(&system, org("genfic-system"));
    as_system.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    as_system.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    as_system.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("genfic.example".into()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([192, 0, 2, 0], [255, 255, 255, 0])),
        ],
        excluded_subtrees: vec![GeneralSubtree::DnsName("secret.genfic.example".into())],
    });
    as_system.crl_distribution_points = vec![crl("genfic")];
    let system_key = KeyPair::from_pem(&home.ca_key_pem("genfic-system")).unwrap();
    let theirs = as_system.signed_by(&system_key, &issuer(&home, "genfic", org("genfic"))).unwrap();
    found.extend(compare("system CA", &system, &theirs));

    let leaf = read(&home, "host.genfic.example.crt");
    let mut as_leaf = params(&leaf, name(&[(DnType::CommonName, "host.genfic.example")]));
    as_leaf.is_ca = IsCa::NoCa;
    as_leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    as_leaf.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    as_leaf.subject_alt_names = vec![
        SanType::DnsName("host.genfic.example".try_into().unwrap()),
        SanType::IpAddress(Ipv4Addr::new(192, 0, 2, 7).into()),
        SanType::Rfc822Name("host@genfic.example".try_into().unwrap()),
    ];
    as_leaf.crl_distribution_points = vec![crl("genfic-system")];
    let leaf_key =
        KeyPair::from_pem(&fs::read_to_string(home.path("host.genfic.example.key")).unwrap()).unwrap();
    let theirs = as_leaf.signed_by(&leaf_key, &issuer(&home, "genfic-system", org("genfic-system"))).unwrap();
    found.extend(compare("leaf", &leaf, &theirs));

    for (which, part, how, note) in DIFFERENCES {
        let ours = [("root", &root), ("system CA", &system), ("leaf", &leaf)].into_iter();
        let ours = ours.filter(|(name, _)| name == which);
        assert!(ours.map(|(_, one)| parts(one)).all(|all| all.contains_key(*part)), "{which} has no {part}");
        noted(note, found.remove(&((*which).to_owned(), (*part).to_owned(), (*how).to_owned())));
    }
    assert_eq!(found, BTreeSet::new(), "differences without a note");
}

fn crl(ca: &str) -> CrlDistributionPoint {
    CrlDistributionPoint { uris: vec![format!("http://pki.genfic.example/{ca}.crl")] }
}
