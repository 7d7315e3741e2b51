//! `revoke`, `hold`, `release`.
use super::revocable::{Target, ask, ask_whether_beginning, not_by_number, one_of, unrecorded};
use super::select::{Named, list, meaning};
use super::several::{Act, Outcome, offered, several, with_ways};
use super::values::{crl, reason, usage};
use crate::cli::{Revoke, Selected, Several};
use crate::report::{Report, columns};
use crate::session::Session;
use genfic_ca::ca::{IssuedResponder, KeyRevocation, Revoked, StateChange};
use genfic_ca::error::{Code, Problem};
use genfic_ca::index::{CertificateRecord, Filter, StatusValue};
use genfic_ca::x509::{CrlReason, UnixTime};
use serde_json::{Value, json};

/// Revokes certificates and publishes the CRLs.
pub(crate) fn revoke(session: &Session, args: &Revoke) -> Result<Report, Problem> {
    let now = session.engine().time_to_distrust()?;
    let meant = meant(session, args.parent.as_deref())?;
    if args.certificate.is_none() && !args.several.is_given() {
        return Err(candidates(session, &meant, now)?);
    }
    let reason = reason_given(args.reason.as_deref())?;
    let invalidity_date = invalidity_date(args.invalidity_date.as_deref())?;
    let change = StateChange::Revoke { reason, invalidity_date };
    let act = Act { change, meant, with_crl: !args.no_crl, now, ensure: args.ensure };
    perform(session, args.certificate.as_deref(), &args.several, &act)
}

/// Does it to the one certificate that the word names, or to several.
fn perform(session: &Session, word: Option<&str>, which: &Several, act: &Act) -> Result<Report, Problem> {
    let Some(word) = word else {
        return match several(session, which, act)? {
            Outcome::Done(report) => Ok(report),
            Outcome::One(record) => one(session, &Target::Recorded(Box::new(record)), act, false),
        };
    };
    let (mut found, named) = meaning(session.engine().record(), word)?;
    let is_on_record = !found.is_empty() && matches!(named, Named::Certificate(_));
    found.retain(|record| act.meant.is_empty() || act.meant.contains(&record.authority));
    let is_beginning = matches!(named, Named::Beginning(_));
    match if is_beginning { None } else { offered(session, &found, act)? } {
        Some(Outcome::Done(report)) => return Ok(report),
        Some(Outcome::One(record)) => return one(session, &Target::Recorded(Box::new(record)), act, true),
        None => {}
    }
    if found.is_empty()
        && !is_on_record
        && act.change != StateChange::Release
        && let Some(unrecorded) = unrecorded(session, &named, &act.meant)?
    {
        return one(session, &Target::Unrecorded(Box::new(unrecorded)), act, false);
    }
    let record = one_of(found.clone(), word, act.states(), act.among(), act.now)
        .map_err(|problem| with_ways(session, problem, &found, act, word))?;
    if let (Named::Beginning(number), true) = (&named, act.change != StateChange::Release) {
        ask_whether_beginning(session, word, number, &record)?;
    }
    one(session, &Target::Recorded(Box::new(record)), act, false)
}

/// Does it to one certificate. `is_answered` says that a person has chosen it already.
fn one(session: &Session, target: &Target, act: &Act, is_answered: bool) -> Result<Report, Problem> {
    match (act.change, target) {
        (StateChange::Revoke { reason, invalidity_date }, target) => {
            put_down(session, target, reason, invalidity_date, (act.with_crl, is_answered))
        }
        (StateChange::Release, Target::Recorded(record)) => {
            Ok(report(&session.engine().revocation().release(record, act.with_crl)?, act.done()))
        }
        (StateChange::Release, Target::Unrecorded(_)) => Err(not_by_number()),
    }
}

/// Asks, revokes or holds, and reports.
fn put_down(
    session: &Session,
    target: &Target,
    reason: Option<CrlReason>,
    invalidity_date: Option<UnixTime>,
    (with_crl, is_answered): (bool, bool),
) -> Result<Report, Problem> {
    let engine = session.engine();
    let is_hold = reason == Some(CrlReason::CertificateHold);
    if is_hold && matches!(target, Target::Unrecorded(one) if one.certificate.is_none()) {
        return Err(not_by_number());
    }
    engine.revocation().check_invalidity_date(invalidity_date)?;
    if !is_answered {
        ask(session, target, reason)?;
    }
    let done = match target {
        Target::Recorded(record) => {
            engine.revocation().revoke_with_key(record, reason, invalidity_date, with_crl)?
        }
        Target::Unrecorded(unrecorded) => {
            engine.revocation().revoke_unrecorded(unrecorded, reason, invalidity_date, with_crl)?
        }
    };
    Ok(report_all(session, &done, if is_hold { "on hold" } else { "revoked" }))
}

/// Parses a reason as typed.
pub(crate) fn reason_given(text: Option<&str>) -> Result<Option<CrlReason>, Problem> {
    let given = text.map(str::parse::<CrlReason>).transpose();
    let given = given.map_err(|error| usage(error, "for example --reason key-compromise"))?;
    if given == Some(CrlReason::RemoveFromCrl) {
        return Err(usage("remove-from-crl is not a reason to revoke", "`genfic-ca release` lifts a hold"));
    }
    Ok(given)
}

/// Parses a time as typed.
pub(crate) fn invalidity_date(text: Option<&str>) -> Result<Option<UnixTime>, Problem> {
    let time = |text| {
        UnixTime::parse(text)
            .ok_or_else(|| usage(format!("`{text}` is not a time"), "for example 2030-01-31T00:00:00Z"))
    };
    text.map(time).transpose()
}

/// Returns the CAs whose certificates are searched; none stands for all.
fn meant(session: &Session, parent: Option<&str>) -> Result<Vec<String>, Problem> {
    parent.map_or_else(|| Ok(Vec::new()), |name| session.meant(name))
}

/// Holds certificates.
pub(crate) fn hold(session: &Session, args: &Selected) -> Result<Report, Problem> {
    let reason = Some(CrlReason::CertificateHold);
    selected(session, args, StateChange::Revoke { reason, invalidity_date: None })
}

/// Lifts holds.
pub(crate) fn release(session: &Session, args: &Selected) -> Result<Report, Problem> {
    selected(session, args, StateChange::Release)
}

fn selected(session: &Session, args: &Selected, change: StateChange) -> Result<Report, Problem> {
    let now = session.engine().time_to_distrust()?;
    let meant = meant(session, args.parent.as_deref())?;
    let act = Act { change, meant, with_crl: !args.no_crl, now, ensure: args.ensure };
    perform(session, args.certificate.as_deref(), &args.several, &act)
}

/// Returns the problem of `-x` without a value: the certificates that could be named, and exit status 2.
fn candidates(session: &Session, meant: &[String], now: UnixTime) -> Result<Problem, Problem> {
    let filter = Filter { status: Some((StatusValue::Valid, now)), ..Filter::default() };
    let mut found = Vec::new();
    for filter in filter.of_each(meant) {
        session.engine().record().list(&filter, &mut |record| {
            found.push(record);
            true
        })?;
    }
    let message = if found.is_empty() {
        "there is no unexpired, unrevoked certificate".into()
    } else {
        format!("which certificate? These could be revoked\n{}", list(&found, now))
    };
    Ok(Problem::new(Code::CertificateUnnamed, message)
        .hint("name one: genfic-ca revoke CERT, or -x with a name or serial number"))
}

/// Reports the revocation, those of the other certificates for the same key, and the CRLs that are outstanding.
fn report_all(session: &Session, done: &KeyRevocation, word: &str) -> Report {
    let engine = session.engine();
    let now = engine.time_to_distrust().unwrap_or_else(|_| engine.now());
    let mut report = report(&done.named, word);
    let mut warnings: Vec<String> = done.unstored.iter().map(|problem| problem.message.clone()).collect();
    if !done.also.is_empty() {
        report.text.push_str(&format!("\nrevoked with it, for the same key\n{}", list(&done.also, now)));
    }
    for crl in &done.crls {
        report
            .text
            .push_str(&format!("\n{}: CRL number {}, until {}", crl.authority, crl.number, crl.next_update));
    }
    let is_of_the_key =
        done.named.record.revocation().is_some_and(genfic_ca::index::Revocation::is_of_the_key);
    for one in &done.left {
        let which = format!("{}/{}", one.authority, one.id.serial_number);
        warnings.push(match is_of_the_key {
            true => {
                let command = authority_command(session, one).unwrap_or_else(|| format!("revoke {which} --reason ca-compromise"));
                format!("the key is also that of the CA `{}`, which stays valid: genfic-ca {command}", one.subject)
            }
            false => format!(
                "{which} is for the same key and stays {}; if others have the key: genfic-ca revoke {which} --reason \
                 key-compromise",
                one.status(now)
            ),
        });
    }
    if let Some(result) = report.result.as_object_mut() {
        let named = |all: &[CertificateRecord]| -> Vec<Value> { all.iter().map(named).collect() };
        result.insert("also_revoked".into(), json!(named(&done.also)));
        result.insert("same_key".into(), json!(named(&done.left)));
        result.insert("also_crls".into(), json!(done.crls.iter().map(crl).collect::<Vec<_>>()));
    }
    if let Some(responder) = &done.named.responder {
        told_of_responder(&done.named.record.authority, responder)
            .map_or_else(|warning| warnings.push(warning), |line| report.text.push_str(&format!("\n{line}")));
        if let Some(result) = report.result.as_object_mut() {
            let serial =
                responder.as_ref().ok().map(|issued| issued.certificate.tbs().serial_number().to_string());
            result.insert("responder".into(), json!(serial));
        }
    }
    let mut owed = done.owed.clone();
    if let (None, None, Some(problem)) = (&done.named.unanswered, &done.named.crl, &done.named.owed) {
        owed.insert(0, (done.named.record.authority.clone(), problem.clone()));
    }
    let exit = report.exit.take().filter(|_| owed.len() < 2).or_else(|| others_owed(&owed));
    report.warn(warnings).ending(exit)
}

/// Returns the line about the new certificate of a responder whose own was revoked.
///
/// # Errors
/// The warning that it has none yet.
pub(crate) fn told_of_responder(
    authority: &str,
    responder: &Result<IssuedResponder, Problem>,
) -> Result<String, String> {
    match responder {
        Ok(issued) => {
            let end = issued.certificate.tbs().validity().not_after;
            Ok(format!("{authority}: new responder certificate, until {end}"))
        }
        Err(problem) => Err(format!(
            "the responder of {authority} is out of use until it has a new certificate: {}; then: genfic-ca ocsp \
             responder {authority}",
            problem.message
        )),
    }
}

/// Returns the command that revokes the CA whose certificate this is, when it is a CA of this home.
fn authority_command(session: &Session, record: &CertificateRecord) -> Option<String> {
    let identity = record.certificate.as_ref()?.tbs().as_issuer();
    let all = session.engine().record().authorities().ok()?;
    let own = all.into_iter().find(|one| one.issuer == identity && !one.is_external())?;
    Some(format!("revoke-ca {} --reason ca-compromise", own.name))
}

/// Returns the JSON fields that identify another certificate.
pub(crate) fn named(record: &CertificateRecord) -> Value {
    json!({
        "serial": record.id.serial_number.to_string(),
        "issuer": record.authority,
        "subject": record.subject.to_string(),
    })
}

/// Returns the problem of outstanding CRLs of other CAs than that of the named certificate.
pub(crate) fn others_owed(owed: &[(String, Problem)]) -> Option<Problem> {
    let (_, problem) = owed.first()?;
    let names: Vec<&str> = owed.iter().map(|(name, _)| name.as_str()).collect();
    let publish: Vec<String> = names.iter().map(|name| format!("genfic-ca crl publish {name}")).collect();
    let (list, is) = if names.len() == 1 { ("the CRL", "is") } else { ("the CRLs", "are") };
    let message = format!(
        "it is recorded and answered by OCSP, but {list} of {} {is} owed: {}",
        names.join(", "),
        problem.message
    );
    Some(Problem { message, hint: publish.join("; ").into(), ..problem.clone() })
}

fn report(revoked: &Revoked, word: &str) -> Report {
    let record = &revoked.record;
    let revocation = record.revocation();
    let result = json!({
        "serial": record.id.serial_number.to_string(),
        "issuer": record.authority,
        "subject": record.subject.to_string(),
        "reason": revocation.map(reason),
        "revoked_at": revocation.map(|revocation| revocation.revoked_at.to_string()),
        "crl": revoked.crl.as_ref().map(crl),
    });
    let mut rows = vec![
        ("  subject".to_owned(), record.subject.to_string()),
        ("  serial".into(), record.id.serial_number.to_string()),
        ("  issuer".into(), record.authority.clone()),
    ];
    if let Some(revocation) = revocation {
        rows.push(("  reason".into(), reason(revocation)));
        rows.push(("  at".into(), revocation.revoked_at.to_string()));
    }
    let crl = match (&revoked.crl, &revoked.owed) {
        (Some(crl), _) => format!("number {}, until {}", crl.number, crl.next_update),
        (None, Some(_)) => "owed".into(),
        (None, None) => "left to a later `genfic-ca crl publish`".into(),
    };
    rows.push(("  crl".into(), crl));
    let exit = owed(revoked);
    Report::done(result, format!("{word}\n{}", columns(&rows))).ending(exit)
}

/// Returns what is outstanding before everybody knows of the revocation.
fn owed(revoked: &Revoked) -> Option<Problem> {
    let Revoked { record, crl, owed, unanswered, .. } = revoked;
    let publish = format!("then: genfic-ca crl publish {}", record.authority);
    let (problem, message, then) = match (unanswered, owed) {
        (Some(unanswered), Some(owed)) if crl.is_none() => {
            let message =
                format!("it is recorded, but {}; the CRL is owed: {}", unanswered.message, owed.message);
            (owed, message, publish)
        }
        (Some(problem), _) => {
            (problem, format!("it is recorded, but {}", problem.message), "then: genfic-ca ocsp sync".into())
        }
        (None, Some(problem)) => {
            let message =
                format!("it is recorded and answered by OCSP, but the CRL is owed: {}", problem.message);
            (problem, message, publish)
        }
        (None, None) => return None,
    };
    // the certificate is already revoked: the passphrase is needed only for what is outstanding
    let is_of_passphrase = matches!(problem.code.code(), "key.interrupted" | "key.passphrase-wrong");
    let hint = if is_of_passphrase { then.into() } else { problem.hint.clone().and(then) };
    Some(Problem { message, hint, ..problem.clone() })
}
