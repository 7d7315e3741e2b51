//! `--ensure` of commands that revoke, hold and release: what is in that state already stays.
use super::{ensured, otherwise, unchanged};
use crate::cli::{Ensure, Revoke, RevokeCa, Selected};
use crate::commands::revoke::{self, reason_given};
use crate::commands::revoke_ca;
use crate::commands::select::matches;
use crate::commands::values::{reason as reason_word, record as record_fields};
use crate::report::Report;
use crate::session::Session;
use genfic_ca::ca::Difference;
use genfic_ca::error::Problem;
use genfic_ca::index::{CertificateRecord, StatusValue};
use genfic_ca::x509::{CertificateId, CrlReason};
use serde_json::json;

const FOR_GOOD: &str =
    "nothing was changed: what is revoked stays so, with the reason that it was revoked for";

/// Revokes, unless what the word means is revoked.
pub(crate) fn revoke(session: &Session, args: &Revoke) -> Result<Report, Problem> {
    let Some(word) = &args.certificate else { return revoke::revoke(session, args) };
    let asked = reason_given(args.reason.as_deref())?;
    let is_hold = asked == Some(CrlReason::CertificateHold);
    let states = if is_hold { [StatusValue::Held] } else { [StatusValue::Revoked] };
    let look = || state(session, args.ensure, (word, args.parent.as_deref()), states, asked);
    ensured(session, args.ensure, look, || revoke::revoke(session, args))
}

/// Holds, unless what the word means is on hold.
pub(crate) fn hold(session: &Session, args: &Selected) -> Result<Report, Problem> {
    let Some(word) = &args.certificate else { return revoke::hold(session, args) };
    let meant = (&**word, args.parent.as_deref());
    let look = || state(session, args.ensure, meant, [StatusValue::Held], None);
    ensured(session, args.ensure, look, || revoke::hold(session, args))
}

/// Releases, unless what the word means is not on hold.
pub(crate) fn release(session: &Session, args: &Selected) -> Result<Report, Problem> {
    let Some(word) = &args.certificate else { return revoke::release(session, args) };
    let meant = (&**word, args.parent.as_deref());
    let look = || state(session, args.ensure, meant, [StatusValue::Valid], None);
    ensured(session, args.ensure, look, || revoke::release(session, args))
}

/// Looks whether the one certificate that the word means, leaving out the expired ones, is in this state. A revoked
/// one is not put on hold, and one that is on hold may yet be revoked or released.
fn state(
    session: &Session,
    ensure: Ensure,
    (word, parent): (&str, Option<&str>),
    [asked]: [StatusValue; 1],
    reason: Option<CrlReason>,
) -> Result<Option<Report>, Problem> {
    let engine = session.engine();
    let now = engine.time_to_distrust()?;
    let meant = parent.map(|name| session.meant(name)).transpose()?;
    let mut found = matches(engine.record(), word)?;
    found.retain(|record| meant.as_ref().is_none_or(|names| names.contains(&record.authority)));
    found.retain(|record| !matches!(record.status(now), StatusValue::Expired | StatusValue::Abandoned));
    // one that can be acted on comes first, whatever its others are
    if found.iter().any(|record| acts_on(asked).contains(&record.status(now))) {
        return Ok(None);
    }
    let Some(record) = found.first() else { return Ok(None) };
    let mut differences = Vec::new();
    let status = record.status(now);
    if status != asked {
        differences.extend(Difference::between("status", &asked.to_string(), &status.to_string()));
    } else if let (Some(asked), Some(revocation)) = (reason, record.revocation()) {
        differences.extend(Difference::between("reason", &asked.to_string(), &reason_word(revocation)));
    }
    Ok(Some(stands(session, ensure, record, &differences)))
}

/// Returns the states in which the command has something to do.
fn acts_on(asked: StatusValue) -> &'static [StatusValue] {
    match asked {
        StatusValue::Revoked => &[StatusValue::Valid, StatusValue::Held, StatusValue::Pending],
        StatusValue::Held => &[StatusValue::Valid],
        _ => &[StatusValue::Held],
    }
}

fn stands(
    session: &Session,
    ensure: Ensure,
    record: &CertificateRecord,
    differences: &[Difference],
) -> Report {
    let now = session.engine().now();
    let name = format!("{}/{}", record.authority, record.id.serial_number);
    let mut fields = record_fields(record, session.issued_file(record).as_deref(), now);
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("crl".into(), json!(null));
    }
    match differences {
        [] => unchanged(ensure, fields, format!("{name} is {} already", record.status(now))),
        differences => otherwise(&name, fields, differences, FOR_GOOD),
    }
}

/// Revokes a CA, unless it is revoked.
pub(crate) fn revoke_authority(session: &Session, args: &RevokeCa) -> Result<Report, Problem> {
    let look = || authority_state(session, args);
    ensured(session, args.ensure, look, || revoke_ca::revoke(session, args))
}

fn authority_state(session: &Session, args: &RevokeCa) -> Result<Option<Report>, Problem> {
    let engine = session.engine();
    let authority = engine.hierarchy().authority(&args.name)?;
    if authority.is_external() || !engine.hierarchy().is_revoked(&authority)? {
        return Ok(None);
    }
    let issuer = match &authority.parent {
        Some(parent) => engine.hierarchy().authority(parent)?.issuer,
        None => authority.issuer,
    };
    let serial_number = authority.certificate.tbs().serial_number().clone();
    let record = engine.record().certificate(&CertificateId { issuer, serial_number })?;
    let Some(record) = record else { return Ok(None) };
    let found = record.revocation().map(reason_word);
    let asked = reason_given(args.reason.as_deref())?;
    let differs = asked
        .zip(found.clone())
        .and_then(|(asked, found)| Difference::between("reason", &asked.to_string(), &found));
    let fields = json!({
        "name": args.name,
        "reason": found,
        "revoked_at": record.revocation().map(|one| one.revoked_at.to_string()),
    });
    Ok(Some(match differs {
        None => unchanged(args.ensure, fields, format!("{} is revoked already", args.name)),
        Some(differs) => otherwise(&args.name, fields, &[differs], FOR_GOOD),
    }))
}
