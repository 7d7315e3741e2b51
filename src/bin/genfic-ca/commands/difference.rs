//! What tells certificates of one subject apart.
use genfic_ca::index::CertificateRecord;
use std::collections::BTreeSet;

/// Number of different values that are told.
const TOLD: usize = 4;

/// Returns in what certificates differ whose rows in a table look alike: their names, and the profiles under which they
/// were granted; `None` when their subjects differ, which the table shows, or when nothing does.
pub(crate) fn difference(found: &[CertificateRecord]) -> Option<String> {
    let (first, rest) = found.split_first()?;
    if rest.is_empty() || rest.iter().any(|other| other.subject.to_string() != first.subject.to_string()) {
        return None;
    }
    let names = |record: &CertificateRecord| {
        let names: BTreeSet<String> = record.subject_alt_names.iter().map(ToString::to_string).collect();
        if names.is_empty() { "none".to_owned() } else { names.into_iter().collect::<Vec<_>>().join(", ") }
    };
    let profile = |record: &CertificateRecord| match record.profile.as_str() {
        "" => "none".to_owned(),
        profile => profile.to_owned(),
    };
    let parts: Vec<String> =
        [("names", told(found, names)), ("profile", told(found, profile)), ("string types", types(found))]
            .into_iter()
            .filter_map(|(what, values)| Some(format!("{what}: {}", values?)))
            .collect();
    (!parts.is_empty()).then(|| format!("they have one subject and differ in {}", parts.join("; ")))
}

/// Returns the different values in their order of appearance; `None` when there is one only.
fn told(found: &[CertificateRecord], value: impl Fn(&CertificateRecord) -> String) -> Option<String> {
    let mut values: Vec<String> = Vec::new();
    for record in found {
        let value = value(record);
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let more = values.len().saturating_sub(TOLD);
    (values.len() > 1).then(|| {
        values.truncate(TOLD);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", values.join(" | "))
    })
}

/// Returns what differs between subjects of one text that are not the same name.
fn types(found: &[CertificateRecord]) -> Option<String> {
    let (first, rest) = found.split_first()?;
    let other = rest.iter().find(|other| !other.subject.is_same_as(&first.subject))?;
    let (one, two) = first.subject.beside(&other.subject);
    Some(format!("{one} | {two}"))
}
