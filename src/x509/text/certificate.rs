//! Certificates as text and JSON.
use super::extension::{extension_json, extension_text};
use super::{Page, escape};
use crate::x509::{Certificate, Extension, GeneralName, SubjectPublicKeyInfo};
use base16ct::lower::encode_string as hex;
use serde_json::{Value, json};

/// Returns a certificate as text: names, validity, key and every extension.
#[must_use]
pub fn certificate_text(certificate: &Certificate) -> String {
    let tbs = certificate.tbs();
    let mut page = Page::default();
    page.row(
        "Subject",
        if tbs.subject().is_empty() { "(empty)".to_owned() } else { tbs.subject().to_string() },
    );
    page.rows("Names", &names_text(&tbs.subject_alt_names()));
    page.row("Issuer", tbs.issuer());
    page.row("Serial", tbs.serial_number());
    page.row("Valid from", tbs.validity().not_before);
    page.row("Valid until", tbs.validity().not_after);
    page.row("Key", key_text(tbs.public_key()));
    page.row("Signature", certificate.signature_algorithm());
    page.row("Fingerprint", certificate.fingerprint());
    let kind = if certificate.is_ca() { "CA certificate" } else { "Certificate" };
    format!(
        "{kind}, version {}\n{}{}",
        u16::from(tbs.version()) + 1,
        page.render(2),
        extensions_text("Extensions", tbs.extensions())
    )
}

/// Returns a certificate as JSON. Times are RFC 3339; the serial number is lower-case hexadecimal.
#[must_use]
pub fn certificate_json(certificate: &Certificate) -> Value {
    let tbs = certificate.tbs();
    json!({
        "type": "certificate",
        "version": u16::from(tbs.version()) + 1,
        "serial": tbs.serial_number().to_string(),
        "subject": escape(&tbs.subject().to_string()),
        "san": names_json(&tbs.subject_alt_names()),
        "issuer": escape(&tbs.issuer().to_string()),
        "not_before": tbs.validity().not_before.to_string(),
        "not_after": tbs.validity().not_after.to_string(),
        "ca": certificate.is_ca(),
        "key": key_json(tbs.public_key()),
        "signature_algorithm": certificate.signature_algorithm().to_string(),
        "fingerprint": certificate.fingerprint().to_string(),
        "extensions": extensions_json(tbs.extensions()),
    })
}

pub(super) fn names_text(names: &[GeneralName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

pub(super) fn names_json(names: &[GeneralName]) -> Vec<String> {
    names.iter().map(|name| escape(&name.to_string())).collect()
}

/// Returns the key type and the SHA-256 digest by which keys are distinguished.
pub(super) fn key_text(key: &SubjectPublicKeyInfo) -> String {
    format!("{}, sha256:{}", key.algorithm(), hex(&key.digest()))
}

pub(super) fn key_json(key: &SubjectPublicKeyInfo) -> Value {
    let digest = hex(&key.digest());
    json!({ "algorithm": key.algorithm().to_string(), "fingerprint": format!("sha256:{digest}") })
}

pub(super) fn extensions_text(title: &str, extensions: &[Extension]) -> String {
    if extensions.is_empty() {
        return String::new();
    }
    let mut page = Page::default();
    for (label, lines) in extensions.iter().map(extension_text) {
        page.rows(&label, &if lines.is_empty() { vec!["(empty)".to_owned()] } else { lines });
    }
    format!("  {title}\n{}", page.render(4))
}

pub(super) fn extensions_json(extensions: &[Extension]) -> Vec<Value> {
    extensions.iter().map(extension_json).collect()
}
