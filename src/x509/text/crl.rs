//! CRLs as text and JSON.
use super::certificate::{extensions_json, extensions_text};
use super::{Page, escape};
use crate::x509::extension::DELTA_CRL_INDICATOR;
use crate::x509::{CertificateList, CrlEntry, Fingerprint, MalformedDer};
use serde_json::{Value, json};

/// Returns a CRL as text, with at most `at_most` entries and the number of all entries.
#[must_use]
pub fn crl_text(crl: &CertificateList, at_most: usize) -> String {
    let tbs = crl.tbs();
    let (count, first) = entries(crl, at_most);
    let mut page = Page::default();
    page.row("Issuer", tbs.issuer());
    page.row("This update", tbs.this_update());
    page.row("Next update", tbs.next_update().map_or_else(|| "(none)".to_owned(), |next| next.to_string()));
    page.row("Signature", tbs.signature());
    page.row("Fingerprint", Fingerprint::of(crl.as_der()));
    page.row("Entries", count);
    let mut listed = Page::default();
    for entry in &first {
        match entry {
            Ok(entry) => listed.row(&entry.serial_number.to_string(), entry_text(entry)),
            Err(error) => listed.row("(malformed)", error),
        }
    }
    let more = match count.saturating_sub(first.len()) {
        0 => String::new(),
        more => format!("    and {more} more\n"),
    };
    let title = if first.is_empty() { "" } else { "  Revoked\n" };
    let extensions = extensions_text("Extensions", tbs.extensions());
    format!("{}\n{}{extensions}{title}{}{more}", kind(crl), page.render(2), listed.render(4))
}

/// Returns a CRL as JSON: `entry_count` counts all entries, `entries` has at most `at_most` of them.
#[must_use]
pub fn crl_json(crl: &CertificateList, at_most: usize) -> Value {
    let tbs = crl.tbs();
    let (count, first) = entries(crl, at_most);
    json!({
        "type": "crl",
        "delta": is_delta(crl),
        "issuer": escape(&tbs.issuer().to_string()),
        "number": tbs.crl_number(),
        "this_update": tbs.this_update().to_string(),
        "next_update": tbs.next_update().map(|next| next.to_string()),
        "signature_algorithm": tbs.signature().to_string(),
        "fingerprint": Fingerprint::of(crl.as_der()).to_string(),
        "entry_count": count,
        "entries": first.iter().flatten().map(entry_json).collect::<Vec<_>>(),
        "extensions": extensions_json(tbs.extensions()),
    })
}

fn is_delta(crl: &CertificateList) -> bool {
    crl.tbs().extensions().iter().any(|extension| extension.oid == DELTA_CRL_INDICATOR)
}

fn kind(crl: &CertificateList) -> &'static str {
    if is_delta(crl) { "Delta CRL" } else { "CRL" }
}

fn entries(crl: &CertificateList, at_most: usize) -> (usize, Vec<Result<CrlEntry, MalformedDer>>) {
    let mut entries = crl.tbs().entries();
    let first: Vec<_> = entries.by_ref().take(at_most).collect();
    (first.len() + entries.count(), first)
}

fn entry_text(entry: &CrlEntry) -> String {
    let mut text = entry.revocation_date.to_string();
    if let Some(reason) = entry.reason {
        text.push_str(&format!("  {reason}"));
    }
    if let Some(at) = entry.invalidity_date {
        text.push_str(&format!("  not to be trusted since {at}"));
    }
    text
}

fn entry_json(entry: &CrlEntry) -> Value {
    json!({
        "serial": entry.serial_number.to_string(),
        "revoked_at": entry.revocation_date.to_string(),
        "reason": entry.reason.map(|reason| reason.to_string()),
        "invalidity_date": entry.invalidity_date.map(|at| at.to_string()),
    })
}
