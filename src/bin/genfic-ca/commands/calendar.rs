//! `calendar`: when certificates and CRLs end, and when renewals are due.
use super::authority::{depth_first, status};
use super::output::Output;
use super::values::usage;
use crate::cli::CalendarFiles;
use crate::hints;
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::ca::{Engine, ExternalCrl};
use genfic_ca::calendar::{Calendar, CalendarEntry, FullLength, Leaves, Month, Outlook, Renewal, Week};
use genfic_ca::error::remedy::Repair;
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::index::{Authority, Ending};
use genfic_ca::profile::Kind;
use genfic_ca::x509::{IssuerId, UnixTime};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;

/// Message for a home without a CA.
const NO_CA: &str = "no CA yet; `genfic-ca create-root NAME` makes the first";

/// Shows the calendar, and writes it as SVG and as iCalendar when requested.
pub(crate) fn calendar(session: &Session, args: &CalendarFiles) -> Result<Report, Problem> {
    let outputs = outputs(session, args)?;
    let engine = session.engine();
    let now = engine.now();
    let mut depths: HashMap<String, usize> = HashMap::new();
    let mut outlooks = Vec::new();
    let mut missing = Vec::new();
    let mut authorities = depth_first(&engine.record().authorities()?, None);
    authorities.retain(|one| one.retired.is_none());
    for authority in &authorities {
        let parent_depth = authority.parent.as_ref().and_then(|parent| depths.get(parent));
        let depth = parent_depth.map_or(0, |depth| depth + 1);
        depths.insert(authority.name.clone(), depth);
        let mut outlook = outlook(engine, authority, depth, now)?;
        if authorities.iter().any(|other| other.succeeds.as_ref() == Some(&authority.name)) {
            outlook.full_length = None;
        }
        if outlook.is_usable
            && outlook.responder.is_none()
            && engine.maintenance().responder_is_due(&authority.name)?
        {
            let name = &authority.name;
            missing.push(format!("{name} has no responder certificate: genfic-ca ocsp responder {name}"));
        }
        if let Some(file) = &outlook.brought_to
            && matches!(engine.maintenance().external_crl(authority)?, ExternalCrl::Missing(_))
        {
            let remedy = Repair::BringCrl(authority.name.clone(), file.clone());
            missing.push(format!(
                "the CRL of {} is not here: {}",
                authority.name,
                hints::text(&remedy.into())
            ));
        }
        outlooks.push(outlook);
    }
    let leaves = args.leaves.then(|| leaves(session, now)).transpose()?;
    let calendar = Calendar::new(outlooks, now).with_leaves(leaves);
    let mut written = Vec::new();
    let mut octets = None;
    for (output, form) in outputs
        .into_iter()
        .zip([calendar.svg(), calendar.icalendar(|remedy| hints::text(remedy).into_owned())])
    {
        match output.map(|output| output.put(form.as_bytes())).transpose()? {
            Some(Some(path)) => written.push(path),
            Some(None) => octets = Some(form.into_bytes()),
            None => {}
        }
    }
    let mut text = calendar.timeline().unwrap_or_else(|| NO_CA.to_owned());
    text.extend(written.iter().map(|path| format!("\nwritten: {}", path.shown())));
    let report = Report::seen(fields(&calendar, args, &written), text).warn(missing);
    Ok(Report { changed: !written.is_empty(), octets, ..report })
}

/// Returns when holders' certificates end: what is issued, not revoked, and neither a CA's nor a responder's. They are
/// counted in the index, however many there are. What stands below a revoked CA has ended with it.
fn leaves(session: &Session, now: UnixTime) -> Result<Leaves, Problem> {
    let endings = session.engine().record().endings(now, UnixTime::NO_END)?;
    let profiles = &session.assembly.settings().profiles;
    // a profile that is not here any more was a holder's: those of CAs are not taken away while the CAs are there
    let is_holders =
        |one: &&Ending| profiles.get(&one.profile).is_none_or(|profile| profile.kind() == Kind::EndEntity);
    let chain_statuses = session.engine().revocation().chain_statuses()?;
    let (fell, stand): (Vec<&Ending>, Vec<&Ending>) =
        endings.iter().filter(is_holders).partition(|one| chain_statuses.chain_is_revoked(&one.authority));
    let leaves = Leaves::new(now, stand.iter().map(|one| (one.day, one.authority.as_str(), one.count)));
    let below_revoked = fell.iter().map(|one| one.count).fold(0, u64::saturating_add);
    Ok(Leaves { below_revoked, ..leaves })
}

fn leaves_json(leaves: &Leaves) -> Value {
    let week = |week: &Week| {
        let day = |at: UnixTime| at.to_string().chars().take(10).collect::<String>();
        json!({ "first": day(week.first), "last": day(week.last), "count": week.count })
    };
    let month = |month: &Month| {
        let weeks: Vec<Value> = month.weeks.iter().map(week).collect();
        json!({ "month": month.label, "count": month.count, "weeks": weeks })
    };
    json!({
        "total": leaves.total,
        "months": leaves.months.iter().map(month).collect::<Vec<_>>(),
        "later": leaves.later,
        "authorities": leaves.authorities,
        "below_revoked": leaves.below_revoked,
    })
}

/// Returns where the SVG and the iCalendar file are written, when requested.
fn outputs(session: &Session, args: &CalendarFiles) -> Result<[Option<Output>; 2], Problem> {
    let of = |path: &Option<PathBuf>| {
        path.as_deref().map(|path| Output::at(path)?.beside_json(&session.global)).transpose()
    };
    let outputs = [of(&args.svg)?, of(&args.ics)?];
    if outputs.iter().all(|output| output.as_ref().is_some_and(Output::is_standard)) {
        return Err(usage(
            "--svg and --ics cannot both go to standard output",
            "name a file for one of them",
        ));
    }
    Ok(outputs)
}

fn outlook(engine: &Engine, authority: &Authority, depth: usize, now: UnixTime) -> Result<Outlook, Problem> {
    let name = &authority.name;
    let tbs = authority.certificate.tbs();
    let validity = tbs.validity();
    let is_usable = status(engine.record(), authority, now)? == "valid";
    let mut outlook = Outlook {
        name: name.clone(),
        depth,
        // this identifies the events in calendars that already have them
        issuer: IssuerId::by_octets(tbs.subject(), tbs.public_key()),
        validity,
        is_offline: engine.settings().config.is_offline(name, authority.is_offline_unless_configured()),
        is_usable,
        full_length: full_length(engine, authority, now),
        crl: None,
        brought_to: None,
        responder: None,
    };
    if !is_usable {
        return Ok(outlook);
    }
    if authority.is_external() {
        return brought(engine, authority, outlook);
    }
    if let Some(crl) = engine.record().last_crl(&authority.issuer)? {
        let config = &engine.settings().config;
        let life = config.crl_lifetime(
            name,
            authority.is_offline_unless_configured(),
            crl.this_update,
            crl.next_update,
        );
        let due = if engine.maintenance().crl_is_due(name)? { life.due.min(now) } else { life.due };
        outlook.crl = Some(Renewal { begins: crl.this_update, due, ends: crl.next_update });
    }
    let responder = engine.publication().responder_certificate(name).filter(|_| authority.serves_ocsp);
    if let Some(certificate) = responder {
        let own = certificate.tbs().validity();
        let config = &engine.settings().config;
        let life = config.responder_lifetime(
            name,
            authority.is_offline_unless_configured(),
            own.not_before,
            own.not_after,
        );
        let due = if engine.maintenance().responder_is_due(name)? { life.due.min(now) } else { life.due };
        outlook.responder = Some(Renewal { begins: own.not_before, due, ends: own.not_after });
    }
    Ok(outlook)
}

/// Adds the CRL of an external CA, as it was brought here.
fn brought(engine: &Engine, authority: &Authority, outlook: Outlook) -> Result<Outlook, Problem> {
    let name = &authority.name;
    let crl = match engine.maintenance().external_crl(authority)? {
        ExternalCrl::InPlace(_, this_update, Some(next_update)) => {
            let config = &engine.settings().config;
            let offline = authority.is_offline_unless_configured();
            let life = config.crl_lifetime(name, offline, this_update, next_update);
            Some(Renewal { begins: this_update, due: life.due, ends: next_update })
        }
        _ => None,
    };
    let brought_to = engine.publication().crl_files(name)?.into_iter().next();
    Ok(Outlook { crl, brought_to, ..outlook })
}

/// Returns the full validity of certificates under the CA's default profile; for a CA that issues CA certificates
/// only, the longest of their profiles.
fn full_length(engine: &Engine, authority: &Authority, now: UnixTime) -> Option<FullLength> {
    let settings = engine.settings();
    let profiles = &settings.profiles;
    let leaf = profiles.get(&authority.profile)?.default_leaf_profile();
    let end_of = |profile: &genfic_ca::profile::Profile| {
        profile.full_length(None, settings.config.issuance.backdate, now).not_after
    };
    let profile = match leaf {
        Some(leaf) => profiles.get(leaf)?,
        None => profiles
            .iter()
            .filter(|one| one.kind() == Kind::Ca && one.may_be_issued_by(&authority.profile))
            .max_by_key(|one| end_of(one))?,
    };
    let spare = authority.certificate.tbs().validity().not_after.0.saturating_sub(end_of(profile).0);
    Some(FullLength { profile: profile.name().to_owned(), last: now.plus(spare) })
}

fn fields(calendar: &Calendar, args: &CalendarFiles, written: &[PathBuf]) -> Value {
    let renewal = |renewal: Option<Renewal>| {
        renewal.map(|one| {
            json!({
                "begins": one.begins.to_string(),
                "due": one.due.to_string(),
                "ends": one.ends.to_string(),
            })
        })
    };
    let authority = |outlook: &Outlook| {
        json!({
            "name": outlook.name,
            "not_before": outlook.validity.not_before.to_string(),
            "not_after": outlook.validity.not_after.to_string(),
            "valid": outlook.is_usable,
            "full_length": outlook.full_length.as_ref().map(|full| json!({
                "profile": full.profile,
                "until": full.last.to_string(),
            })),
            "crl": renewal(outlook.crl),
            "responder": renewal(outlook.responder),
        })
    };
    let entry = |entry: &CalendarEntry<'_>| {
        json!({
            "at": entry.at.to_string(),
            "what": entry.occasion.word(),
            "name": entry.authority.name,
            "overdue": entry.at <= calendar.now(),
            "message": entry.sentence(),
            "ceremony_by": entry.ceremony_by().map(|by| by.to_string()),
        })
    };
    let file = |path: &Option<PathBuf>| path.as_ref().filter(|path| written.contains(path)).map(path_value);
    json!({
        "now": calendar.now().to_string(),
        "authorities": calendar.outlooks().iter().map(authority).collect::<Vec<_>>(),
        "entries": calendar.entries().iter().map(entry).collect::<Vec<_>>(),
        "leaves": calendar.leaves().map(leaves_json),
        "svg": file(&args.svg),
        "ics": file(&args.ics),
    })
}
