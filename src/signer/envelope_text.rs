//! The text of an envelope, TOML.
use super::KeyEnvelope;
use crate::document::{self, Mistake, Section};
use crate::error::{Code, Problem, Reason};
use crate::signer::pinned_urls::is_base;
use crate::x509::extension::{Purpose, Subtree};
use std::fmt::Write as _;

/// The mistakes in the text of an envelope.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub(crate) struct Mistakes(pub(crate) Vec<Mistake>);

impl From<Mistakes> for Problem {
    fn from(mistakes: Mistakes) -> Self {
        Self::of(Code::SignerEnvelopeMalformed, mistakes)
            .hint("correct the envelope of the key; its first lines say what each line is")
    }
}

/// The keys of the file, in order.
const KEYS: [&str; 10] = [
    "profile",
    "certifies_cas",
    "path_length",
    "extended_key_usage",
    "longest_days",
    "longest_crl_days",
    "timer_crl_days",
    "permitted",
    "urls",
    "certificates_a_day",
];

pub(super) fn parse(text: &str) -> Result<KeyEnvelope, Mistakes> {
    document::read(text, read).map_err(Mistakes)?.ok_or_else(|| Mistakes(Vec::new()))
}

fn read(section: &mut Section) -> Option<KeyEnvelope> {
    let days = |days: i64| match days {
        1..=KeyEnvelope::MOST_DAYS => Ok(days),
        _ => Err(format!("must be from 1 to {}", KeyEnvelope::MOST_DAYS)),
    };
    let profile = section
        .require_as("profile", |name: String| if name.is_empty() { Err("is empty") } else { Ok(name) });
    let issues_cas = section.require_as("certifies_cas", Ok::<bool, Reason>);
    let path_length = section.get_as("path_length", |length: i64| {
        u8::try_from(length).map_err(|_| Reason::from("must be from 0 to 255"))
    });
    let extended_key_usages = section
        .has("extended_key_usage")
        .then(|| section.require_list_as("extended_key_usage", "purpose", |text| text.parse::<Purpose>()));
    let longest_days = section.require_as("longest_days", days);
    let longest_crl_days = section.require_as("longest_crl_days", days);
    // one from before there was this line has the usual bound
    let usual = longest_crl_days.map(|longest| longest.min(KeyEnvelope::CRL_DAYS));
    let timer_crl_days =
        if section.has("timer_crl_days") { section.require_as("timer_crl_days", days) } else { usual };
    let permitted = section
        .has("permitted")
        .then(|| section.require_list_as("permitted", "subtree of names", |text| text.parse::<Subtree>()));
    let urls = section.has("urls").then(|| {
        section.require_list_as("urls", "beginning of URLs", |text| match is_base(text) {
            true => Ok(text.to_owned()),
            false => Err("must be as http://pki.genfic.example/, with a slash at its end"),
        })
    });
    let a_day = section.require_as("certificates_a_day", |number: i64| {
        u64::try_from(number).map_err(|_| Reason::from("must be 0 or more"))
    });
    if issues_cas == Some(false) && path_length.is_some() {
        section.mistake("path_length", "is for a key that certifies CAs");
    }
    Some(KeyEnvelope {
        profile: profile?,
        issues_cas: issues_cas?,
        path_length,
        extended_key_usages,
        longest_days: longest_days?,
        longest_crl_days: longest_crl_days?,
        timer_crl_days: timer_crl_days?,
        permitted,
        urls,
        a_day: a_day?,
    })
}

pub(super) fn write(envelope: &KeyEnvelope, name: &str) -> String {
    let mut text = format!(
        "# The most that the key {name} ever signs. Profiles grant less, never more. A line that is not here limits\n\
         # nothing; to widen it is an act of its own, which is in the signer's journal.\n"
    );
    for key in KEYS {
        if let Some(value) = value(envelope, key) {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    text
}

/// Returns the value of a key, as in the file; `None` where it is left out.
fn value(envelope: &KeyEnvelope, key: &str) -> Option<String> {
    Some(match key {
        "profile" => quoted(&envelope.profile),
        "certifies_cas" => envelope.issues_cas.to_string(),
        "path_length" => envelope.path_length.filter(|_| envelope.issues_cas)?.to_string(),
        "extended_key_usage" => quoted_list(envelope.extended_key_usages.as_ref()?),
        "longest_days" => envelope.longest_days.to_string(),
        "longest_crl_days" => envelope.longest_crl_days.to_string(),
        "timer_crl_days" => envelope.timer_crl_days.to_string(),
        "urls" => quoted_list(envelope.urls.as_ref()?),
        "permitted" => quoted_list(envelope.permitted.as_ref()?),
        "certificates_a_day" => envelope.a_day.to_string(),
        _ => return None,
    })
}

pub(super) fn with(envelope: &KeyEnvelope, settings: &[(String, String)]) -> Result<KeyEnvelope, Mistakes> {
    let mut text = String::new();
    for key in KEYS {
        let set = settings.iter().rfind(|(set, _)| set == key);
        let value = match set {
            Some((_, value)) if value == "any" => None,
            Some((_, value)) => Some(as_in_file(key, value)),
            None => value(envelope, key),
        };
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    for (key, value) in settings.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())) {
        let _ = writeln!(text, "{key} = {value}");
    }
    parse(&text)
}

/// Returns a value as the file has it; where it is typed, texts may be without their quotes, and lists without brackets.
fn as_in_file(key: &str, value: &str) -> String {
    let value = value.trim();
    match key {
        "profile" if !value.starts_with('"') => quoted(value),
        "extended_key_usage" | "permitted" | "urls" if !value.starts_with('[') => {
            let items: Vec<&str> = value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
            quoted_list(&items)
        }
        _ => value.to_owned(),
    }
}

fn quoted_list<T: ToString>(items: &[T]) -> String {
    format!("[{}]", items.iter().map(|one| quoted(&one.to_string())).collect::<Vec<_>>().join(", "))
}

/// Returns a basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
