//! Keys that are kept offline: media, and ceremonies in which they sign what a home has on record.
//!
//! A home writes a request, which people carry to a machine that is never on a network. There the key on a medium signs
//! it, and the answer is carried back. Each of them knows what was signed before: neither an older medium nor an older home
//! is followed.
mod answer;
mod bundle;
mod generation;
mod history;
mod medium;
mod readme;
mod request;
mod rules;
mod signing;
mod transcript;

pub use answer::{Answer, SignedItem};
pub use bundle::profiles_in;
pub(crate) use bundle::{
    Bundle, MANIFEST, certificates_file, key_file, key_of, listed_on_medium, must_have_no_other_key,
    opened_otherwise, profile_of, raise_mark_on_medium, verify_on_medium, write_to_media,
};
pub use generation::link_text;
pub(crate) use history::KeptHistory;
pub use history::{History, Signed};
pub use medium::Medium;
pub(crate) use medium::MediumFile;
pub use medium::sha256;
pub use request::{Item, Request, ToBeSigned};
pub use signing::{Ceremony, SignedCeremony};

use crate::document::{Mistake, Section};
use crate::error::{Code, Problem};
use crate::signing::CaSigner;
use crate::x509::{CertificationRequest, GeneralName, SubjectPublicKeyInfo, UnixTime, pem};

/// Days in which a request can be answered.
pub(crate) const DAYS: i64 = 60;
/// Bound of a request or an answer, in octets.
pub const LARGEST: u64 = 64 << 20;

/// Returns the problem that a text is no request or no answer.
#[must_use]
pub fn malformed(what: &str, mistakes: &[Mistake]) -> Problem {
    let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let message = match said.as_slice() {
        [] => format!("{what} is not whole"),
        said => format!("{what} is not what it should be: {}", said.join("; ")),
    };
    Problem::new(Code::CeremonyMalformed, message)
        .hint("copy it anew from where it was written; do not change it")
}

/// Returns the URI that names a history of this length and head.
fn checkpoint_uri(history: &History) -> GeneralName {
    GeneralName::Uri(format!("urn:genfic-ca:ceremony:{}:{}", history.0.len(), history.head()))
}

/// Returns a certification request that names a history, signed by the key.
fn checkpoint(
    signer: &dyn CaSigner,
    subject: &crate::x509::Name,
    history: &History,
) -> Result<Vec<u8>, Problem> {
    Ok(signer.sign_request(subject, &[checkpoint_uri(history)])?)
}

/// Returns whether this key says that the history is its own.
#[must_use]
pub(crate) fn is_checkpoint_of(der: &[u8], history: &History, key: &SubjectPublicKeyInfo) -> bool {
    let Ok(request) = CertificationRequest::from_der(der) else { return false };
    let names = request.subject_alt_names().unwrap_or_default();
    let is_own = request.public_key() == key && names == [checkpoint_uri(history)];
    is_own && request.verified().is_ok()
}

/// Reads tables that are numbered from 1, in that order.
fn numbered<T>(section: &mut Section, key: &str, read: impl Fn(&mut Section) -> Option<T>) -> Vec<T> {
    if !section.has(key) {
        return Vec::new();
    }
    section.section(key, |all| {
        let mut found = Vec::new();
        for number in 1..=all.keys().len() {
            let key = number.to_string();
            if !all.is_table(&key) {
                all.mistake(&key, "is missing, or no table");
                break;
            }
            found.extend(all.section(&key, &read));
        }
        found
    })
}

fn time(section: &mut Section, key: &str) -> Option<UnixTime> {
    section.require_as(key, |text: String| {
        UnixTime::parse(&text).ok_or("is not a time like 2030-01-31T12:00:00Z")
    })
}

fn word(section: &mut Section, key: &str) -> Option<String> {
    section.require_as(key, |text: String| {
        let is_word = !text.is_empty()
            && text.len() <= 64
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if is_word { Ok(text) } else { Err("is not a word") }
    })
}

/// Reads a SHA-256 digest in lower-case hexadecimal digits.
fn digest_of(section: &mut Section, key: &str) -> Option<String> {
    section.require_as(key, |text: String| {
        let is_digest = text.len() == 64 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        if is_digest { Ok(text) } else { Err("is not a SHA-256 digest in hexadecimal digits") }
    })
}

/// Reads a PEM block of this label; `None` without the key.
fn pem_of(section: &mut Section, key: &str, label: &str) -> Option<Vec<u8>> {
    section.get_as(key, |text: String| match pem::decode_all(&text) {
        Ok(blocks) => match blocks.as_slice() {
            [one] if one.label == label => Ok(one.der.clone()),
            _ => Err(format!("is not one PEM block {label}")),
        },
        Err(error) => Err(error.to_string()),
    })
}
