//! Certification requests as text and JSON.
use super::certificate::{extensions_json, extensions_text, key_json, key_text, names_json, names_text};
use super::{Page, escape};
use crate::x509::{CertificationRequest, CsrError};
use serde_json::{Value, json};

/// Returns a request as text: the requested values, and whether the proof of possession verifies.
#[must_use]
pub fn request_text(request: &CertificationRequest) -> String {
    let names = request.subject_alt_names();
    let mut page = Page::default();
    let subject = request.subject();
    page.row("Subject", if subject.is_empty() { "(empty)".to_owned() } else { subject.to_string() });
    page.rows("Names", &names_text(&names.unwrap_or_default()));
    page.row("Key", key_text(request.public_key()));
    let shown = match request.clone().verified() {
        Ok(_) => "verifies",
        Err(CsrError::KeyLength(_)) => "not checked: the key is too weak",
        Err(_) => "does NOT verify",
    };
    page.row("Signature", format!("{}, {shown}", request.signature_algorithm()));
    if request.has_challenge_password() {
        page.row("Password", "there is a challengePassword, which is ignored");
    }
    let extensions = extensions_text("Extensions asked for", request.extensions());
    format!("Certification request\n{}{extensions}", page.render(2))
}

/// Returns a request as JSON.
#[must_use]
pub fn request_json(request: &CertificationRequest) -> Value {
    json!({
        "type": "request",
        "subject": escape(&request.subject().to_string()),
        "san": names_json(&request.subject_alt_names().unwrap_or_default()),
        "key": key_json(request.public_key()),
        "signature_algorithm": request.signature_algorithm().to_string(),
        "signature_verifies": possession(request),
        "challenge_password": request.has_challenge_password(),
        "extensions": extensions_json(request.extensions()),
    })
}

fn possession(request: &CertificationRequest) -> bool {
    request.clone().verified().is_ok()
}
