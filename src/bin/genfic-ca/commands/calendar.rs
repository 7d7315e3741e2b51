//! `calendar`: when certificates and CRLs end, and when renewals are due.
use super::authority::status;
use super::output::Output;
use super::values::usage;
use crate::cli::CalendarFiles;
use crate::hints;
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::ca::Engine;
use genfic_ca::calendar::{Calendar, CalendarEntry, FullLength, Outlook, Renewal};
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::index::Authority;
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
    let authorities = engine.record().authorities()?;
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
        outlooks.push(outlook);
    }
    let calendar = Calendar::new(outlooks, now);
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
        is_usable,
        full_length: full_length(engine, authority, now),
        crl: None,
        responder: None,
    };
    if !is_usable {
        return Ok(outlook);
    }
    if let Some(crl) = engine.record().last_crl(&authority.issuer)? {
        let due = engine.settings().config.crl.renewal(crl.this_update, crl.next_update);
        let due = if engine.maintenance().crl_is_due(name)? { due.min(now) } else { due };
        outlook.crl = Some(Renewal { begins: crl.this_update, due, ends: crl.next_update });
    }
    let responder = engine.publication().responder_certificate(name).filter(|_| authority.serves_ocsp);
    if let Some(certificate) = responder {
        let own = certificate.tbs().validity();
        let half = own.not_before.plus(own.not_after.0.saturating_sub(own.not_before.0) / 2);
        let due = if engine.maintenance().responder_is_due(name)? { half.min(now) } else { half };
        outlook.responder = Some(Renewal { begins: own.not_before, due, ends: own.not_after });
    }
    Ok(outlook)
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
        })
    };
    let file = |path: &Option<PathBuf>| path.as_ref().filter(|path| written.contains(path)).map(path_value);
    json!({
        "now": calendar.now().to_string(),
        "authorities": calendar.outlooks().iter().map(authority).collect::<Vec<_>>(),
        "entries": calendar.entries().iter().map(entry).collect::<Vec<_>>(),
        "svg": file(&args.svg),
        "ics": file(&args.ics),
    })
}
