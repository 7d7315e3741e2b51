//! `audit show`, `audit verify`.
use crate::cli::AuditShow;
use crate::report::{Report, table};
use crate::session::Session;
use genfic_ca::audit::{Outcome, Verifier};
use genfic_ca::error::{Code, Problem};
use serde_json::{Value, json};

/// Lists the audit records.
pub(crate) fn show(session: &Session, args: &AuditShow) -> Result<Report, Problem> {
    let engine = session.engine();
    let from = match args.last {
        Some(last) => engine.record().audit_head()?.sequence.saturating_sub(last) + 1,
        None => args.from,
    };
    let mut values = Vec::new();
    engine.record().audit_records(from, &mut |record| {
        values.push(record.to_json());
        true
    })?;
    let text = if session.global.json { String::new() } else { text(session, from)? };
    Ok(Report::seen(json!({ "records": Value::Array(values) }), text))
}

/// Returns the audit records from this sequence number on, as a table.
pub(crate) fn text(session: &Session, from: u64) -> Result<String, Problem> {
    let mut rows = Vec::new();
    session.engine().record().audit_records(from, &mut |record| {
        let outcome = match &record.event.outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Refused(code) => format!("refused {code}"),
        };
        rows.push(vec![
            record.sequence.to_string(),
            record.event.at.to_string(),
            record.event.actor.to_string(),
            record.event.action.clone(),
            record.event.object.clone(),
            outcome,
            record.event.details_text(),
        ]);
        true
    })?;
    if rows.is_empty() {
        return Ok("nothing".into());
    }
    Ok(table(&["SEQ", "TIME", "WHO", "ACTION", "OBJECT", "OUTCOME", "DETAILS"], &rows))
}

/// Recomputes the hash chain of the audit records.
pub(crate) fn verify(session: &Session) -> Result<Report, Problem> {
    let engine = session.engine();
    let head = engine.record().audit_head()?;
    let mut verifier = Verifier::new(Some(head));
    let mut broken = None;
    engine.record().audit_records(1, &mut |record| {
        broken = verifier.check(&record).err();
        broken.is_none()
    })?;
    let broken = broken.or_else(|| verifier.finish().err());
    if let Some(broken) = broken {
        return Err(Problem::new(
            Code::AuditBroken,
            format!("the audit log is broken: {broken}"),
        )
        .hint("keep the home as it is and compare with a backup: somebody or something changed the index; `genfic-ca doctor` says what else is damaged"));
    }
    let count = head.sequence;
    let digest = base16ct::lower::encode_string(&head.digest);
    let text = format!("{count} records, unbroken\n  head  {digest}");
    Ok(Report::seen(json!({ "records": count, "head": digest }), text))
}
