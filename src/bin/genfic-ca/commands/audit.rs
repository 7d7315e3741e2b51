//! `audit show`, `audit verify`.
mod shown;
mod wanted;

pub(crate) use shown::{show, text};

use crate::report::{Report, counted};
use crate::session::Session;
use genfic_ca::assembly::{JournalComparison, JournalComparisons};
use genfic_ca::audit::Verifier;
use genfic_ca::error::{Code, Problem};
use serde_json::{Value, json};

/// Recomputes the hash chain of the audit records, and compares the journals of the signers with the index.
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
    let JournalComparisons { home, service } = session.assembly.reconcile_journals()?;
    let mut text = format!("{count} records, unbroken\n  head  {digest}");
    for (whose, journal) in
        [("the signer's journal", &home), ("the journal of the signer that listens", &service)]
    {
        text.push_str(&journal.as_ref().map(|journal| told(whose, journal)).unwrap_or_default());
    }
    let object = json!({
        "records": count,
        "head": digest,
        "journal": home.as_ref().map(object),
        "service_journal": service.as_ref().map(object),
    });
    Ok(Report::seen(object, text))
}

fn object(journal: &JournalComparison) -> Value {
    json!({
        "entries": journal.entries,
        "head": base16ct::lower::encode_string(&journal.head),
        "both": journal.both,
        "older": journal.older,
        "accepted": journal.accepted,
        "unsigned": journal.unsigned,
    })
}

fn told(whose: &str, journal: &JournalComparison) -> String {
    let digest = base16ct::lower::encode_string(&journal.head);
    let mut text = format!(
        "\n{whose} has {} entries, and what it signed is in the index\n  head  {digest}",
        journal.entries
    );
    for (count, what, words) in [
        (journal.older, "certificate", "older than the journal, which does not know of it"),
        (journal.accepted, "signature", "accepted as lost after a restore"),
        (journal.unsigned, "intended signature", "never made"),
    ] {
        if count > 0 {
            let what = counted(usize::try_from(count).unwrap_or(usize::MAX), what);
            text.push_str(&format!("\n  {what}, {words}"));
        }
    }
    text
}
