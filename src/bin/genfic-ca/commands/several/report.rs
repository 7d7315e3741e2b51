//! What is reported of several certificates.
use super::super::revoke::{named, others_owed, told_of_responder};
use super::super::select::list;
use super::super::values::{crl, reason};
use super::{Act, reasons};
use crate::hints;
use crate::report::{Report, counted};
use genfic_ca::ca::{ChangedStates, Refusal};
use genfic_ca::error::{Exit, Problem};
use genfic_ca::index::{CertificateRecord, StatusValue};
use serde_json::{Value, json};

/// Returns the report of what was done, what was done before, and what was refused.
pub(super) fn report(
    states: &ChangedStates,
    unchanged: &[CertificateRecord],
    refused: &[Refusal],
    act: &Act,
) -> Report {
    let mut lines = Vec::new();
    if !states.changed.is_empty() {
        lines.push(format!("{}\n{}", act.done(), list(&states.changed, act.now)));
    }
    if !states.also.is_empty() {
        lines.push(format!("revoked with them, for the same keys\n{}", list(&states.also, act.now)));
    }
    for crl in &states.crls {
        lines.push(format!("{}: CRL number {}, until {}", crl.authority, crl.number, crl.next_update));
    }
    if !act.with_crl && !states.changed.is_empty() {
        lines.push("the CRLs are left to a later `genfic-ca crl publish`".into());
    }
    let mut warnings: Vec<String> = Vec::new();
    for (authority, responder) in &states.responders {
        match told_of_responder(authority, responder) {
            Ok(line) => lines.push(line),
            Err(warning) => warnings.push(warning),
        }
    }
    for one in &states.left {
        let which = format!("{}/{}", one.authority, one.id.serial_number);
        warnings.push(format!("{which} is for the key of one of them and stays {}", one.status(act.now)));
    }
    lines.push(total(states, unchanged, refused, act));
    let exit = exit(states, refused);
    if !refused.is_empty() && exit.as_ref().is_some_and(|problem| problem.exit != Exit::Refused) {
        warnings.push(format!("{} left as they are:\n{}", refused.len(), reasons(refused)));
    }
    let crls: Vec<Value> = states
        .crls
        .iter()
        .map(|one| {
            let mut fields = crl(one);
            if let Some(fields) = fields.as_object_mut() {
                fields.insert("issuer".into(), json!(one.authority));
            }
            fields
        })
        .collect();
    let result = json!({
        "certificates": states.changed.iter().map(changed).collect::<Vec<_>>(),
        "unchanged": unchanged.iter().map(named).collect::<Vec<_>>(),
        "refused": refused.iter().map(refusal).collect::<Vec<_>>(),
        "also_revoked": states.also.iter().map(named).collect::<Vec<_>>(),
        "same_key": states.left.iter().map(named).collect::<Vec<_>>(),
        "crls": crls,
        "responders": states.responders.iter().filter(|(_, new)| new.is_ok()).map(|(name, _)| name).collect::<Vec<_>>(),
    });
    let report = Report::seen(result, lines.join("\n")).warn(warnings).ending(exit);
    Report { changed: !states.changed.is_empty() || !states.crls.is_empty(), ..report }
}

fn changed(record: &CertificateRecord) -> Value {
    let mut fields = named(record);
    if let (Some(fields), Some(revocation)) = (fields.as_object_mut(), record.revocation()) {
        fields.insert("reason".into(), json!(reason(revocation)));
        fields.insert("revoked_at".into(), json!(revocation.revoked_at.to_string()));
    }
    fields
}

/// Returns the JSON fields of what was refused, as those of `sign`.
pub(crate) fn refusal(refused: &Refusal) -> Value {
    let Refusal { label, problem } = refused;
    json!({
        "file": label, "code": problem.code.code(), "message": problem.message, "hint": hints::text(&problem.hint),
    })
}

fn total(states: &ChangedStates, unchanged: &[CertificateRecord], refused: &[Refusal], act: &Act) -> String {
    let mut parts = vec![format!("{} {}", counted(states.changed.len(), "certificate"), act.done())];
    if !states.also.is_empty() {
        parts.push(format!("{} more for the same keys", states.also.len()));
    }
    if !unchanged.is_empty() {
        let before = if act.aim() == StatusValue::Valid { "not on hold" } else { act.done() };
        parts.push(format!("{} {before} already", unchanged.len()));
    }
    if !refused.is_empty() {
        parts.push(format!("{} refused", refused.len()));
    }
    parts.push(format!("{} published", counted(states.crls.len(), "CRL")));
    parts.join(", ")
}

/// Returns what is outstanding, and else what was refused.
fn exit(states: &ChangedStates, refused: &[Refusal]) -> Option<Problem> {
    if let Some(problem) = &states.unanswered {
        let message = format!("it is recorded, but {}", problem.message);
        let hint = problem.hint.clone().and("then: genfic-ca ocsp sync");
        return Some(Problem { message, hint, ..problem.clone() });
    }
    if let Some(owed) = others_owed(&states.owed) {
        return Some(owed);
    }
    let first = refused.first()?;
    let were = if refused.len() == 1 { "was" } else { "were" };
    let all = refused.len().saturating_add(states.changed.len());
    let message = format!(
        "{} of {} {were} left as it was\n{}",
        refused.len(),
        counted(all, "certificate"),
        reasons(refused)
    );
    let hint = "the others were done; mend these, and give the same command again";
    Some(Problem::new(first.problem.code, message).exiting(Exit::Refused).hint(hint))
}
