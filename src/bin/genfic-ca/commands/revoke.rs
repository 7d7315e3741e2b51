//! `revoke`, `hold`, `release`.
use super::question::confirm;
use super::select::{list, matches, the_one};
use super::values::{crl, reason, usage};
use crate::cli::{Revoke, Selected};
use crate::report::{Report, columns};
use crate::session::Session;
use genfic_ca::ca::Revoked;
use genfic_ca::index::{CertificateRecord, Filter, StatusValue};
use genfic_ca::problem::{Exit, Problem};
use genfic_ca::x509::{Certificate, CrlReason, UnixTime};
use serde_json::json;

/// Revokes a certificate and publishes the CRL.
pub(crate) fn revoke(session: &Session, args: &Revoke) -> Result<Report, Problem> {
    let pki = session.pki();
    let now = pki.time_to_distrust()?;
    let meant = meant(session, args.parent.as_deref())?;
    let Some(word) = &args.certificate else { return Err(candidates(session, &meant, now)?) };
    let given = reason_given(args.reason.as_deref())?;
    let invalidity_date = invalidity_date(args.invalidity_date.as_deref())?;
    let states = [StatusValue::Valid, StatusValue::Held, StatusValue::Pending];
    let record = pick(session, word, &meant, &states, "unexpired, unrevoked certificate", now)?;
    if record.certificate.as_ref().is_some_and(Certificate::is_ca) {
        confirm(
            &session.global,
            &format!("{} is a CA certificate: everything below it falls too. Revoke it?", record.subject),
        )?;
    }
    let revoked = pki.revoke(&record, given, invalidity_date, !args.no_crl)?;
    Ok(report(&revoked, "revoked"))
}

/// A reason as typed.
pub(crate) fn reason_given(text: Option<&str>) -> Result<Option<CrlReason>, Problem> {
    let given = text.map(str::parse::<CrlReason>).transpose();
    let given = given.map_err(|error| usage(error, "for example --reason key-compromise"))?;
    if given == Some(CrlReason::RemoveFromCrl) {
        return Err(usage("remove-from-crl is not a reason to revoke", "`genfic-ca release` lifts a hold"));
    }
    Ok(given)
}

/// A time as typed.
pub(crate) fn invalidity_date(text: Option<&str>) -> Result<Option<UnixTime>, Problem> {
    let time = |text| {
        UnixTime::parse(text)
            .ok_or_else(|| usage(format!("`{text}` is not a time"), "for example 2030-01-31T00:00:00Z"))
    };
    text.map(time).transpose()
}

/// The CAs that are looked into; none for all.
fn meant(session: &Session, parent: Option<&str>) -> Result<Vec<String>, Problem> {
    parent.map_or_else(|| Ok(Vec::new()), |name| session.meant(name))
}

/// Holds a certificate.
pub(crate) fn hold(session: &Session, args: &Selected) -> Result<Report, Problem> {
    let pki = session.pki();
    let states = [StatusValue::Valid];
    let now = pki.time_to_distrust()?;
    let meant = meant(session, args.parent.as_deref())?;
    let record = pick(session, &args.certificate, &meant, &states, "valid certificate", now)?;
    let held = pki.revoke(&record, Some(CrlReason::CertificateHold), None, !args.no_crl)?;
    Ok(report(&held, "on hold"))
}

/// Lifts a hold.
pub(crate) fn release(session: &Session, args: &Selected) -> Result<Report, Problem> {
    let pki = session.pki();
    let states = [StatusValue::Held];
    let now = pki.time_to_distrust()?;
    let meant = meant(session, args.parent.as_deref())?;
    let record = pick(session, &args.certificate, &meant, &states, "certificate on hold", now)?;
    Ok(report(&pki.release(&record, !args.no_crl)?, "released"))
}

fn pick(
    session: &Session,
    word: &str,
    meant: &[String],
    states: &[StatusValue],
    among: &str,
    now: UnixTime,
) -> Result<CertificateRecord, Problem> {
    let found = matches(session.pki().index, word)?;
    let (fit, unfit): (Vec<_>, Vec<_>) = found
        .into_iter()
        .filter(|record| meant.is_empty() || meant.contains(&record.authority))
        .partition(|record| states.contains(&record.status(now)));
    if fit.is_empty() && !unfit.is_empty() {
        let message = format!("no {among} matches `{word}`; there is\n{}", list(&unfit, now));
        return Err(Problem::new(Exit::NotFound, "certificate.not-found", message).hint(match states {
            [StatusValue::Held] => "only what `genfic-ca hold` holds can be released",
            _ => "what is expired or revoked stays as it is",
        }));
    }
    the_one(fit, word, among, now)
}

/// `-x` without a value: what could be meant, and exit status 2.
fn candidates(session: &Session, meant: &[String], now: UnixTime) -> Result<Problem, Problem> {
    let filter = Filter { status: Some((StatusValue::Valid, now)), ..Filter::default() };
    let mut found = Vec::new();
    for filter in filter.of_each(meant) {
        session.pki().index.list(&filter, &mut |record| {
            found.push(record);
            true
        })?;
    }
    let message = if found.is_empty() {
        "there is no unexpired, unrevoked certificate".into()
    } else {
        format!("which certificate? These could be revoked\n{}", list(&found, now))
    };
    Ok(Problem::new(Exit::Usage, "certificate.unnamed", message)
        .hint("name one: genfic-ca revoke CERT, or -x with a name or serial number"))
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

/// What is still to be done before everybody knows.
fn owed(revoked: &Revoked) -> Option<Problem> {
    let Revoked { record, crl, owed, unanswered } = revoked;
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
    let hint = format!("{}\n{then}", problem.hint).trim().to_owned();
    Some(Problem { message, hint, ..problem.clone() })
}
