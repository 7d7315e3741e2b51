//! The envelope of a key, as every command shows it.
use crate::report::columns;
use genfic_ca::signing::KeyLimits;
use serde_json::{Value, json};

/// The fields in their order, with the words behind their values.
const FIELDS: [(&str, &str); 10] = [
    ("profile", "profile of the CA"),
    ("certifies_cas", "certificates of CAs"),
    ("path_length", "greatest path length below"),
    ("extended_key_usage", "extended key usages"),
    ("longest_days", "longest validity, days"),
    ("longest_crl_days", "longest CRL, days"),
    ("timer_crl_days", "longest CRL of a timer, days"),
    ("permitted", "permitted names"),
    ("urls", "URLs in certificates begin with"),
    ("certificates_a_day", "certificates a day"),
];

/// Returns the envelope as an object.
pub(crate) fn object(envelope: &KeyLimits) -> Value {
    json!(envelope)
}

/// Returns the envelope line by line.
pub(crate) fn lines(envelope: &KeyLimits) -> String {
    let values = object(envelope);
    let rows = FIELDS
        .iter()
        .map(|(field, words)| (format!("  {field}"), format!("{}  ({words})", shown(values.get(field)))));
    columns(&rows.collect::<Vec<_>>())
}

/// Returns what is other in two envelopes, line by line.
pub(crate) fn differences(before: &KeyLimits, after: &KeyLimits) -> String {
    let (before, after) = (object(before), object(after));
    let other = FIELDS.iter().filter(|(field, _)| before.get(field) != after.get(field));
    let rows = other.map(|(field, _)| {
        (format!("  {field}"), format!("{} -> {}", shown(before.get(field)), shown(after.get(field))))
    });
    columns(&rows.collect::<Vec<_>>())
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "any".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(all)) if all.is_empty() => "none".to_owned(),
        Some(Value::Array(all)) => all.iter().map(|one| shown(Some(one))).collect::<Vec<_>>().join(", "),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_of_an_envelope_has_its_line() {
        let envelope = KeyLimits {
            profile: "system-ca".into(),
            certifies_cas: false,
            path_length: None,
            extended_key_usage: Some(vec!["serverAuth".into(), "clientAuth".into()]),
            longest_days: 400,
            longest_crl_days: 35,
            timer_crl_days: 35,
            permitted: None,
            urls: None,
            certificates_a_day: 5,
        };
        let fields: Vec<String> = object(&envelope).as_object().unwrap().keys().cloned().collect();
        let mut known: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
        known.sort_unstable();
        assert_eq!(fields.iter().collect::<std::collections::BTreeSet<_>>().len(), known.len());
        assert!(fields.iter().all(|field| known.contains(&field.as_str())), "{fields:?}");
        let text = lines(&envelope);
        assert_eq!(text.lines().count(), FIELDS.len());
        assert!(text.contains("serverAuth, clientAuth") && text.contains("any  (permitted names)"), "{text}");
        let narrower = KeyLimits { longest_days: 10, ..envelope.clone() };
        assert_eq!(differences(&envelope, &narrower).trim(), "longest_days  400 -> 10");
    }
}
