//! `status`: an overview on one screen.
use super::authority::status as authority_status;
use crate::cli::Status;
use crate::hints;
use crate::report::{Column, Report, counted, table};
use crate::session::Session;
use genfic_ca::ca::{ClockStatus, Engine, ExternalCrl};
use genfic_ca::config::Stage;
use genfic_ca::doctor::{Due, Finding, FindingCode, Severity};
use genfic_ca::error::{Code, Problem};
use genfic_ca::index::{Authority, ResponderRecord, StatusValue};
use genfic_ca::x509::UnixTime;
use serde_json::{Value, json};

const COLUMNS: [Column; 5] = [
    Column::whole("NAME"),
    Column::state("STATUS"),
    Column::times("UNTIL"),
    Column::times("CRL"),
    Column::times("RESPONDER").leaves(1),
];

/// Returns a line about a generation that a newer one has succeeded.
fn succeeded(authority: &Authority, successor: &str, is_retired: bool) -> String {
    let name = &authority.name;
    match authority.last_end {
        _ if is_retired => format!(
            "{name}: succeeded by {successor}; its last certificate has ended, and nothing more is published for it"
        ),
        Some(end) => format!(
            "{name}: succeeded by {successor}; its CRL goes on until its last certificate has ended, on {end}"
        ),
        None => format!(
            "{name}: succeeded by {successor}; its CRL goes on until all that it revoked has been on one"
        ),
    }
}

/// Number of digits by which a serial number is shown.
const DIGITS: usize = 12;

/// Returns lines about the responder certificates of a CA that clients still accept, including those for keys on other
/// hosts. There is none when the table says it all: there is one certificate, valid until `told`, for the key here.
fn responder_lines(
    name: &str,
    responders: &[&ResponderRecord],
    told: Option<UnixTime>,
    now: UnixTime,
) -> Vec<String> {
    let is_told = |one: &ResponderRecord| {
        !one.requested
            && one.record.status(now) == StatusValue::Valid
            && told == Some(one.record.validity.not_after)
    };
    if matches!(responders, [] | [_]) && responders.iter().all(|one| is_told(one)) {
        return Vec::new();
    }
    let mut lines = vec![format!("{name}: {}", counted(responders.len(), "responder certificate"))];
    for ResponderRecord { record, requested } in responders {
        let serial: String = record.id.serial_number.to_string().chars().take(DIGITS).collect();
        let end: String = record.validity.not_after.to_string().chars().take(10).collect();
        let mut line = format!("  {serial} until {end}");
        if *requested {
            line.push_str(", for a request");
        }
        let status = record.status(now);
        if status != StatusValue::Valid {
            line.push_str(&format!(", {status} but not looked up"));
        }
        lines.push(line);
    }
    lines
}

/// Returns the cell and the fields of the last CRL of a CA of this home.
fn own_crl(engine: &Engine, authority: &Authority) -> Result<(String, Value), Problem> {
    let Some(crl) = engine.record().last_crl(&authority.issuer)? else {
        return Ok(("none".into(), Value::Null));
    };
    let fields = json!({
        "number": crl.number,
        "this_update": crl.this_update.to_string(),
        "next_update": crl.next_update.to_string(),
        // one that cannot be read is among what is due
        "due": engine.maintenance().crl_is_due(&authority.name).unwrap_or(true),
        "owed": engine.record().crl_is_owed(&authority.issuer)?,
    });
    Ok((format!("{} until {}", crl.number, crl.next_update), fields))
}

/// Returns the cell and the fields of the CRL of an external CA, when it was brought here and is in order.
fn brought_crl(engine: &Engine, authority: &Authority) -> Result<(String, Value), Problem> {
    let ExternalCrl::InPlace(number, this_update, next_update) =
        engine.maintenance().external_crl(authority)?
    else {
        return Ok(("elsewhere".into(), Value::Null));
    };
    let config = &engine.settings().config;
    let offline = authority.is_offline_unless_configured();
    let is_due = next_update.is_some_and(|next| {
        config.crl_lifetime(&authority.name, offline, this_update, next).stage(engine.now()) >= Stage::Due
    });
    let fields = json!({
        "number": number,
        "this_update": this_update.to_string(),
        "next_update": next_update.map(|at| at.to_string()),
        "due": is_due,
        "owed": false,
    });
    let until = next_update.map_or_else(|| "without an end".into(), |at| format!("until {at}"));
    let number = number.map_or_else(|| "unnumbered".into(), |number| number.to_string());
    Ok((format!("{number} {until}"), fields))
}

/// Reports every CA with its end, CRL age and responder, and the pending requests.
pub(crate) fn status(session: &Session, args: &Status) -> Result<Report, Problem> {
    let engine = session.engine();
    let now = engine.now();
    let mut values: Vec<Value> = Vec::new();
    let mut rows = Vec::new();
    let due = session.assembly.due()?;
    let mut attention: Vec<String> = serious(&due).map(told).collect();
    let mut is_due = due.is_any();
    let mut generations = Vec::new();
    let mut lines = Vec::new();
    let mut offline = Vec::new();
    let responders = engine.record().responders(now)?;
    let authorities = engine.record().authorities()?;
    for authority in authorities.into_iter().filter(|one| args.all || one.retired.is_none()) {
        let name = &authority.name;
        let mut status = authority_status(engine.record(), &authority, now)?;
        let end = authority.certificate.tbs().validity().not_after;
        let (crl_cell, crl_fields) = if authority.is_external() {
            brought_crl(engine, &authority)?
        } else {
            own_crl(engine, &authority)?
        };
        let responder = engine.publication().responder_certificate(name).filter(|_| authority.serves_ocsp);
        let responder_end = responder.map(|certificate| certificate.tbs().validity().not_after);
        let own: Vec<&ResponderRecord> =
            responders.iter().filter(|one| one.record.authority == *name).collect();
        lines.extend(responder_lines(name, &own, responder_end, now));
        let responder_due = engine.maintenance().responder_is_due(name)?;
        let successor = engine.hierarchy().successor(name)?.map(|one| one.name);
        let is_retired = engine.hierarchy().is_retired(&authority, engine.now())?;
        if let Some(successor) = &successor {
            generations.push(succeeded(&authority, successor, is_retired));
        }
        if authority.has_key_on_media() && authority.retired.is_none() {
            offline.push(format!("the key of {name} is offline, on media outside of this home"));
        }
        if let Some((made, until)) = engine.lifecycle().waiting_ceremony(name)? {
            offline.push(format!(
                "the ceremony of {name} requested at {made} waits for its answer, until {until}"
            ));
        }
        let retired = authority.retired.as_ref();
        if retired.is_some() {
            status = "retired".into();
        } else if status != "valid" && !(is_retired && successor.is_some()) && !is_told(&due, name) {
            attention.push(format!("{name} is {status}"));
        }
        rows.push(vec![
            name.clone(),
            status.clone(),
            end.to_string(),
            crl_cell,
            match responder_end {
                Some(end) => format!("until {end}"),
                None if authority.serves_ocsp => "missing".into(),
                None => "-".into(),
            },
        ]);
        values.push(json!({
            "name": name,
            "status": status,
            "not_after": end.to_string(),
            "succeeds": authority.succeeds,
            "succeeded_by": successor,
            "last_end": authority.last_end.map(|end| end.to_string()),
            "quiet": is_retired,
            "retired": authority.retired.as_ref().map(|retired| retired.at.to_string()),
            "key_offline": authority.has_key_on_media(),
            "crl": crl_fields,
            "responders": own
                .iter()
                .map(|ResponderRecord { record, requested }| json!({
                    "serial": record.id.serial_number.to_string(),
                    "not_after": record.validity.not_after.to_string(),
                    "status": record.status(now).to_string(),
                    "requested": requested,
                }))
                .collect::<Vec<_>>(),
            "responder": responder_end.map(|end| json!({ "not_after": end.to_string(), "due": responder_due })),
        }));
    }
    for (older, newer) in engine.hierarchy().unlinked(now)? {
        is_due = true;
        let (older, newer) = (older.name, newer.name);
        attention
            .push(format!("{older} and {newer} are not linked: genfic-ca cross-sign {newer} -p {older}"));
    }
    let clock = engine.clock_state()?.status();
    is_due |= clock != ClockStatus::Trusted;
    match clock {
        ClockStatus::Trusted => {}
        ClockStatus::Behind(newest) => attention.push(format!(
            "set the clock: it says {now}, before something was signed at {newest}, and nothing is signed until then"
        )),
        ClockStatus::Unconfirmed(confirmed) => attention.push(format!(
            "look at the clock: it says {now}, long after the last confirmed time, {confirmed}, and nothing is signed \
             unattended; if it is right: genfic-ca clock accept"
        )),
    }
    let pending_request = engine.lifecycle().pending_requests()?;
    for one in &pending_request {
        let (name, since) = (&one.name, one.since);
        rows.push(vec![name.clone(), "waiting".into(), format!("since {since}"), "-".into(), "-".into()]);
        attention.push(match one.request {
            Some(_) => format!(
                "{name} waits for its certificate; have its request signed, then: genfic-ca adopt {name} CERTIFICATE"
            ),
            None => format!("the key of {name} waits for its certificate: genfic-ca adopt {name} CERTIFICATE"),
        });
    }
    let restored = engine.record().restored()?;
    is_due |= restored.is_some();
    if let Some(restored) = &restored {
        attention.insert(
            0,
            format!(
                "restored at {} from a backup of {}, and nothing is issued until: genfic-ca backup accept",
                restored.at, restored.backup
            ),
        );
    }
    let pending = engine.record().pending()?.len();
    if pending > 0 {
        attention
            .push(format!("{} being signed, or waiting to be abandoned", counted(pending, "certificate")));
    }
    let mut text = table(&COLUMNS, &rows);
    if rows.is_empty() {
        text = "no CA yet; `genfic-ca create-root NAME` makes the first".into();
    }
    if !generations.is_empty() {
        text.push_str("\n\nolder generations\n  ");
        text.push_str(&generations.join("\n  "));
    }
    if !offline.is_empty() {
        text.push_str("\n\nkeys\n  ");
        text.push_str(&offline.join("\n  "));
    }
    if !lines.is_empty() {
        text.push_str("\n\nresponders\n  ");
        text.push_str(&lines.join("\n  "));
    }
    if !due.is_ready {
        text.push_str("\n\nnot ready: responders answer not for all, or nothing");
    }
    if !attention.is_empty() {
        text.push_str("\n\nto do\n  ");
        text.push_str(&attention.join("\n  "));
    }
    let result = json!({ "authorities": values, "pending": pending,
        "waiting": pending_request.iter().map(|one| json!({ "name": one.name, "since": one.since.to_string(), "profile": one.profile })).collect::<Vec<_>>(), "attention": attention,
        "ready": due.is_ready,
        "due": due.findings.iter().map(due_fields).collect::<Vec<_>>(),
        "restored": restored.map(|restored| json!({
            "at": restored.at.to_string(),
            "backup": restored.backup.to_string(),
        })),
    });
    let ending = is_due.then(|| {
        Problem::new(Code::StatusDue, "something is due or wrong").hint("`to do` above names what to do")
    });
    Ok(Report::seen(result, text).ending(ending))
}

/// Returns the findings for which somebody has to act.
fn serious(due: &Due) -> impl Iterator<Item = &Finding> {
    due.findings.iter().filter(|finding| finding.severity > Severity::Note)
}

/// Returns whether the end of a CA is among what is due.
fn is_told(due: &Due, name: &str) -> bool {
    serious(due).any(|finding| finding.code == FindingCode::AuthorityEnded && finding.object == name)
}

/// Returns a finding with its remedy.
fn told(finding: &Finding) -> String {
    format!("{}: {}", finding.message, hints::text(&finding.remedy))
}

fn due_fields(finding: &Finding) -> Value {
    json!({
        "code": finding.code.code(),
        "severity": finding.severity.to_string(),
        "object": finding.object,
        "message": finding.message,
        "remedy": hints::text(&finding.remedy),
    })
}
