//! `import` of a CA that was taken over before: adds what it issued and revoked with the old program since then.
use super::question::confirm_attended;
use super::revoke::others_owed;
use super::values::crl as crl_fields;
use crate::report::{Column, Report, counted, table};
use crate::session::Session;
use genfic_ca::ca::{Adoption, PriorCertificate};
use genfic_ca::error::Problem;
use genfic_ca::index::{Authority, CertificateState, Imported, ImportedContents};
use serde_json::{Map, Value, json};

/// Number of items that are listed one by one; 20 show which they are without filling the screen.
const LISTED: usize = 20;

/// Reports what would be added, and changes nothing.
pub(crate) fn preview(
    session: &Session,
    known: &Authority,
    adoption: &Adoption,
    mut result: Map<String, Value>,
    said: Vec<String>,
) -> Result<Report, Problem> {
    let new = session.engine().lifecycle().news(known, adoption)?;
    let doubts = session.engine().lifecycle().doubts(&known.name, &new)?;
    result.insert("key_opened".into(), json!(false));
    result.insert("dry_run".into(), json!(true));
    result.insert("added".into(), added_fields(&counted_new(&new)));
    let text = format!(
        "what would be added to {}, which was taken over before\n{}\nnothing was changed: this was a dry run",
        known.name,
        added(&new)
    );
    Ok(Report::seen(Value::Object(result), text).warn(said).warn(doubts))
}

/// Adds what the CA issued and revoked since it was taken over.
pub(crate) fn import(
    session: &Session,
    known: &Authority,
    adoption: &Adoption,
    mut result: Map<String, Value>,
    said: Vec<String>,
) -> Result<Report, Problem> {
    let engine = session.engine();
    let new = engine.lifecycle().news(known, adoption)?;
    let list = added(&new);
    if !new.is_empty() {
        let name = &known.name;
        confirm_attended(&session.global, || Ok(format!("{list}\nAdd it to {name}? It cannot be undone")))?;
    }
    let doubts = engine.lifecycle().doubts(&known.name, &new)?;
    let done = engine.lifecycle().supplement(known, adoption)?;
    result.insert("added".into(), added_fields(&done.imported));
    for (key, value) in [
        ("crl", json!(done.crl.as_ref().and_then(|crl| crl.files.first()))),
        ("crl_details", json!(done.crl.as_ref().map(crl_fields))),
        ("dry_run", json!(false)),
        ("key_opened", json!(false)),
    ] {
        result.insert(key.into(), value);
    }
    let mut text = format!("{} was taken over before\n{list}", known.name);
    if let Some(crl) = &done.crl {
        text.push_str(&format!(
            "\nCRL number {}, lists {}, until {}",
            crl.number, crl.entries, crl.next_update
        ));
    }
    let owed = done.owed.map(|problem| (known.name.clone(), problem));
    let exit = others_owed(owed.as_slice());
    Ok(Report::done(Value::Object(result), text).warn(said).warn(doubts).ending(exit))
}

fn counted_new(new: &[PriorCertificate]) -> Imported {
    let by_number = |one: &&PriorCertificate| matches!(one.contents, ImportedContents::Number { .. });
    let serial_only = new.iter().filter(by_number).count();
    let is_revoked = |one: &&PriorCertificate| matches!(one.state, CertificateState::Revoked(_));
    Imported {
        certificates: new.len().saturating_sub(serial_only),
        serial_only,
        revoked: new.iter().filter(is_revoked).count(),
    }
}

fn added_fields(imported: &Imported) -> Value {
    json!({
        "certificates": imported.certificates,
        "known_by_number": imported.serial_only,
        "revoked": imported.revoked,
    })
}

/// Returns a summary of the additions, with the first of them one by one.
fn added(new: &[PriorCertificate]) -> String {
    let counts = counted_new(new);
    if new.is_empty() {
        return "no certificate came since, but CRLs with higher numbers".into();
    }
    let rows: Vec<Vec<String>> = new
        .iter()
        .take(LISTED)
        .map(|prior| {
            let subject = match &prior.contents {
                ImportedContents::Certificate(certificate) => certificate.tbs().subject().to_string(),
                ImportedContents::Number { subject, .. } => subject.to_string(),
            };
            let state = match &prior.state {
                CertificateState::Revoked(revocation) if revocation.is_hold() => "held",
                CertificateState::Revoked(_) => "revoked",
                CertificateState::Issued | CertificateState::Pending => "issued",
            };
            vec![prior.serial_number.to_string(), state.into(), subject]
        })
        .collect();
    format!(
        "{} came since, {} revoked\n{}",
        counted(new.len(), "change"),
        counts.revoked,
        table(&[Column::serial("SERIAL"), Column::state("STATE"), Column::subject("SUBJECT")], &rows)
    )
}
