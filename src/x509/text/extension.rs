//! Extensions as text and JSON, each with its name and its decoded value.
use super::escape;
use crate::x509::extension::{
    self as ext, AccessDescription, BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints, Subtree,
};
use crate::x509::octets::{OCTET_STRING, contents_of};
use crate::x509::{Extension, GeneralName, MalformedDer};
use base16ct::lower::encode_string as hex;
use der::Decode;
use der::asn1::{ObjectIdentifier, UintRef};
use num_bigint::BigUint;
use serde_json::{Value, json};
use x509_cert::ext::pkix::{CertificatePolicies, IssuingDistributionPoint};

const NAMES: [(ObjectIdentifier, &str); 19] = [
    (ext::SUBJECT_KEY_IDENTIFIER, "subjectKeyIdentifier"),
    (ext::KEY_USAGE, "keyUsage"),
    (ext::SUBJECT_ALT_NAME, "subjectAltName"),
    (ext::BASIC_CONSTRAINTS, "basicConstraints"),
    (ext::CRL_NUMBER, "cRLNumber"),
    (ext::REASON_CODE, "reasonCode"),
    (ext::INVALIDITY_DATE, "invalidityDate"),
    (ext::DELTA_CRL_INDICATOR, "deltaCRLIndicator"),
    (ext::ISSUING_DISTRIBUTION_POINT, "issuingDistributionPoint"),
    (ext::NAME_CONSTRAINTS, "nameConstraints"),
    (ext::CRL_DISTRIBUTION_POINTS, "cRLDistributionPoints"),
    (ext::CERTIFICATE_POLICIES, "certificatePolicies"),
    (ext::AUTHORITY_KEY_IDENTIFIER, "authorityKeyIdentifier"),
    (ext::EXTENDED_KEY_USAGE, "extKeyUsage"),
    (ext::FRESHEST_CRL, "freshestCRL"),
    (ext::NO_REV_AVAIL, "noRevAvail"),
    (ext::AUTHORITY_INFO_ACCESS, "authorityInfoAccess"),
    (ext::OCSP_NO_CHECK, "ocspNoCheck"),
    (ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.24"), "tlsFeature"),
];

/// Decoded value of an extension: lines of text, and JSON.
struct Decoded {
    lines: Vec<String>,
    value: Value,
}

impl Decoded {
    fn list(lines: Vec<String>) -> Self {
        let value = Value::from(lines.iter().map(|line| escape(line)).collect::<Vec<_>>());
        Self { lines, value }
    }

    fn line(line: String) -> Self {
        Self { value: Value::from(escape(&line)), lines: vec![line] }
    }
}

/// Returns the name in the standard that defines the extension, when it is known here.
#[must_use]
pub(super) fn extension_name(oid: ObjectIdentifier) -> Option<&'static str> {
    NAMES.iter().find(|row| row.0 == oid).map(|row| row.1)
}

/// Returns a label such as `keyUsage (critical)` and the lines of the decoded value. An unknown extension is shown by
/// its object identifier and its octets.
#[must_use]
pub(crate) fn extension_text(extension: &Extension) -> (String, Vec<String>) {
    let name = extension_name(extension.oid).map_or_else(|| extension.oid.to_string(), str::to_owned);
    let label = if extension.critical { format!("{name} (critical)") } else { name };
    let lines = match decode(extension) {
        Some(Ok(decoded)) => decoded.lines,
        Some(Err(_)) => vec![format!("malformed: {}", hex(&extension.value))],
        None => vec![hex(&extension.value)],
    };
    (label, lines)
}

/// Returns `{oid, name, critical, value}`. For an unknown extension `name` and `value` are null; for a malformed one
/// `value` is. Both have `der` then, the octets in hexadecimal.
#[must_use]
pub(crate) fn extension_json(extension: &Extension) -> Value {
    let mut out = json!({
        "oid": extension.oid.to_string(),
        "name": extension_name(extension.oid),
        "critical": extension.critical,
    });
    match decode(extension) {
        Some(Ok(decoded)) => merge(&mut out, "value", decoded.value),
        _ => {
            merge(&mut out, "value", Value::Null);
            merge(&mut out, "der", Value::from(hex(&extension.value)));
        }
    }
    out
}

fn merge(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn decode(extension: &Extension) -> Option<Result<Decoded, MalformedDer>> {
    let value = extension.value.as_slice();
    Some(match extension.oid {
        ext::SUBJECT_KEY_IDENTIFIER => {
            contents_of(value, OCTET_STRING).map(|octets| Decoded::line(hex(octets)))
        }
        ext::AUTHORITY_KEY_IDENTIFIER => ext::authority_key_identifier_of(value)
            .map(|identifier| Decoded::line(hex(&identifier)))
            .ok_or_else(|| MalformedDer::new("authorityKeyIdentifier", "no keyIdentifier")),
        ext::KEY_USAGE => KeyUsage::from_value(value).map(key_usage),
        ext::EXTENDED_KEY_USAGE => ExtendedKeyUsage::from_value(value)
            .map(|usage| Decoded::list(usage.0.iter().map(ToString::to_string).collect())),
        ext::SUBJECT_ALT_NAME => GeneralName::list_from_der(value)
            .map(|names| Decoded::list(names.iter().map(ToString::to_string).collect())),
        ext::BASIC_CONSTRAINTS => BasicConstraints::from_value(value).map(basic_constraints),
        ext::NAME_CONSTRAINTS => {
            NameConstraints::from_value(value).map(|constraints| name_constraints(&constraints))
        }
        ext::CRL_DISTRIBUTION_POINTS | ext::FRESHEST_CRL => {
            ext::distribution_point_urls(value).map(Decoded::list)
        }
        ext::AUTHORITY_INFO_ACCESS => AccessDescription::list_from_value(value).map(|list| access(&list)),
        ext::CERTIFICATE_POLICIES => policies(value).map(Decoded::list),
        ext::CRL_NUMBER | ext::DELTA_CRL_INDICATOR => number(value),
        ext::ISSUING_DISTRIBUTION_POINT => issuing_distribution_point(value),
        ext::NO_REV_AVAIL | ext::OCSP_NO_CHECK => {
            contents_of(value, 5).map(|_| Decoded { lines: vec!["yes".into()], value: Value::Bool(true) })
        }
        _ => return None,
    })
}

fn key_usage(usage: KeyUsage) -> Decoded {
    let uses = usage.to_string();
    let value = Value::from(uses.split(", ").filter(|one| !one.is_empty()).collect::<Vec<_>>());
    Decoded { lines: vec![uses], value }
}

fn basic_constraints(constraints: BasicConstraints) -> Decoded {
    let line = match constraints {
        BasicConstraints { ca: false, .. } => "no CA".to_owned(),
        BasicConstraints { path_length: None, .. } => "CA".to_owned(),
        BasicConstraints { path_length: Some(length), .. } => format!("CA, path length {length}"),
    };
    let value = json!({ "ca": constraints.ca, "path_length": constraints.path_length });
    Decoded { lines: vec![line], value }
}

fn name_constraints(constraints: &NameConstraints) -> Decoded {
    let texts = |trees: &[Subtree]| trees.iter().map(|tree| escape(&tree.to_string())).collect::<Vec<_>>();
    let (permitted, excluded) = (texts(&constraints.permitted), texts(&constraints.excluded));
    let lines = permitted.iter().map(|tree| format!("permitted {tree}"));
    let lines = lines.chain(excluded.iter().map(|tree| format!("excluded {tree}"))).collect();
    Decoded { lines, value: json!({ "permitted": permitted, "excluded": excluded }) }
}

fn access(list: &[AccessDescription]) -> Decoded {
    let method = |description: &AccessDescription| match description.method {
        AccessDescription::OCSP => "OCSP".to_owned(),
        AccessDescription::CA_ISSUERS => "caIssuers".to_owned(),
        other => other.to_string(),
    };
    let pairs = list.iter().map(|one| (method(one), escape(&one.location.value())));
    let lines = pairs.clone().map(|(method, location)| format!("{method} {location}")).collect();
    let value = pairs.map(|(method, location)| json!({ "method": method, "location": location })).collect();
    Decoded { lines, value: Value::Array(value) }
}

fn policies(value: &[u8]) -> Result<Vec<String>, MalformedDer> {
    let policies = CertificatePolicies::from_der(value)?.0;
    Ok(policies.iter().map(|policy| policy.policy_identifier.to_string()).collect())
}

fn number(value: &[u8]) -> Result<Decoded, MalformedDer> {
    let number = BigUint::from_bytes_be(UintRef::from_der(value)?.as_bytes());
    let text = number.to_string();
    let value = u64::try_from(&number).map_or_else(|_| Value::from(text.clone()), Value::from);
    Ok(Decoded { lines: vec![text], value })
}

fn issuing_distribution_point(value: &[u8]) -> Result<Decoded, MalformedDer> {
    let point = IssuingDistributionPoint::from_der(value)?;
    let flags = [
        (point.only_contains_user_certs, "only_user_certificates", "user certificates only"),
        (point.only_contains_ca_certs, "only_ca_certificates", "CA certificates only"),
        (point.indirect_crl, "indirect", "certificates of other issuers too"),
        (point.only_contains_attribute_certs, "only_attribute_certificates", "attribute certificates only"),
    ];
    let mut lines = ext::urls_of(point.distribution_point);
    let mut object = json!({ "urls": lines.iter().map(|url| escape(url)).collect::<Vec<_>>() });
    for (set, key, text) in flags {
        merge(&mut object, key, Value::Bool(set));
        lines.extend(set.then(|| text.to_owned()));
    }
    if point.only_some_reasons.is_some() {
        lines.push("some reasons only".into());
    }
    Ok(Decoded { lines, value: object })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::Name;
    use crate::x509::extension::{IssuingDistributionPoint, Purpose};
    use crate::x509::octets::tlv;

    #[test]
    fn every_extension_we_make_is_shown_by_name_and_value() {
        // G5
        let names = [GeneralName::Dns("a.example".into()), GeneralName::Ip("192.0.2.1".parse().unwrap())];
        let constraints = NameConstraints {
            permitted: vec!["dns:ok.example".parse().unwrap()],
            excluded: vec!["ip:192.0.2.0/24".parse().unwrap()],
        };
        let point = IssuingDistributionPoint {
            url: Some("http://a.example/7.crl".into()),
            only_user_certificates: true,
            ..Default::default()
        };
        for (extension, label, lines) in [
            (
                KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN).to_extension(),
                "keyUsage (critical)",
                vec!["keyCertSign, cRLSign"],
            ),
            (
                BasicConstraints { ca: true, path_length: Some(0) }.to_extension(),
                "basicConstraints (critical)",
                vec!["CA, path length 0"],
            ),
            (
                ext::subject_alt_name(&names, &Name::parse("CN=a").unwrap()),
                "subjectAltName",
                vec!["DNS:a.example", "IP:192.0.2.1"],
            ),
            (
                ExtendedKeyUsage(vec![Purpose::SERVER_AUTH, Purpose::CLIENT_AUTH]).to_extension(),
                "extKeyUsage",
                vec!["serverAuth", "clientAuth"],
            ),
            (
                constraints.to_extension(),
                "nameConstraints (critical)",
                vec!["permitted dns:ok.example", "excluded ip:192.0.2.0/24"],
            ),
            (
                ext::crl_distribution_points(&["http://a.example/".into()]),
                "cRLDistributionPoints",
                vec!["http://a.example/"],
            ),
            (
                ext::authority_info_access(&[AccessDescription::ocsp("http://a.example/")]),
                "authorityInfoAccess",
                vec!["OCSP http://a.example/"],
            ),
            (ext::authority_key_identifier(&[1, 0xab]), "authorityKeyIdentifier", vec!["01ab"]),
            (ext::crl_number(300), "cRLNumber", vec!["300"]),
            (ext::delta_crl_indicator(3), "deltaCRLIndicator (critical)", vec!["3"]),
            (
                point.to_extension(),
                "issuingDistributionPoint (critical)",
                vec!["http://a.example/7.crl", "user certificates only"],
            ),
            (
                Extension::new(ext::CERTIFICATE_POLICIES, false, vec![0x30, 6, 0x30, 4, 6, 2, 0x2a, 3]),
                "certificatePolicies",
                vec!["1.2.3"],
            ),
            (ext::ocsp_no_check(), "ocspNoCheck", vec!["yes"]),
            (ext::no_rev_avail(), "noRevAvail", vec!["yes"]),
        ] {
            let shown = extension_text(&extension);
            assert_eq!((shown.0.as_str(), shown.1), (label, lines.into_iter().map(str::to_owned).collect()));
            assert!(!extension_json(&extension)["value"].is_null(), "{label}");
        }
    }

    #[test]
    fn an_unknown_or_malformed_extension_is_shown_by_its_octets() {
        let unknown = Extension::new("1.2.3.4".parse().unwrap(), true, vec![5, 0]);
        assert_eq!(extension_text(&unknown), ("1.2.3.4 (critical)".into(), vec!["0500".into()]));
        let json = extension_json(&unknown);
        assert_eq!(
            json,
            json!({"oid": "1.2.3.4", "name": null, "critical": true, "value": null, "der": "0500"})
        );
        let malformed = Extension::new(ext::KEY_USAGE, true, vec![4, 0]);
        assert_eq!(extension_text(&malformed).1, ["malformed: 0400"]);
    }

    #[test]
    fn values_for_programs_have_their_types() {
        // G5
        let value = |extension: &Extension| extension_json(extension)["value"].clone();
        assert_eq!(value(&ext::crl_number(7)), json!(7));
        let constraints = BasicConstraints { ca: true, path_length: None };
        assert_eq!(value(&constraints.to_extension()), json!({"ca": true, "path_length": null}));
        let usage = KeyUsage::DIGITAL_SIGNATURE.with(KeyUsage::KEY_AGREEMENT);
        assert_eq!(value(&usage.to_extension()), json!(["digitalSignature", "keyAgreement"]));
        let access = ext::authority_info_access(&[AccessDescription::ca_issuers("http://a.example/\u{7f}")]);
        let expected = json!([{"method": "caIssuers", "location": "http://a.example/\\u{7f}"}]);
        assert_eq!(value(&access), expected);
        let long = Extension::new(ext::CRL_NUMBER, false, tlv(2, &[0x7f; 9]));
        assert_eq!(value(&long), json!("2351923699311548792703"));
    }
}
