//! `status`: an overview on one screen.
use super::authority::status as authority_status;
use crate::report::{Report, counted, table};
use crate::session::Session;
use genfic_ca::ca::ClockStatus;
use genfic_ca::error::Problem;
use genfic_ca::index::{Authority, ResponderRecord, StatusValue};
use genfic_ca::x509::UnixTime;
use serde_json::{Value, json};
use std::collections::BTreeMap;

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

/// Returns lines about the responder certificates of each CA that clients still accept, including those for keys on
/// other hosts.
fn responder_lines(responders: &[ResponderRecord], now: UnixTime) -> Vec<String> {
    let mut of: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ResponderRecord { record, requested } in responders {
        let mut line = format!("{} until {}", record.id.serial_number, record.validity.not_after);
        if *requested {
            line.push_str(", for a request");
        }
        let status = record.status(now);
        if status != StatusValue::Valid {
            line.push_str(&format!(", {status} but not looked up"));
        }
        of.entry(&record.authority).or_default().push(line);
    }
    let count = |lines: &Vec<String>| counted(lines.len(), "responder certificate");
    of.iter().map(|(name, lines)| format!("{name}: {}: {}", count(lines), lines.join("; "))).collect()
}

/// Reports every CA with its end, CRL age and responder, and the pending requests.
pub(crate) fn status(session: &Session) -> Result<Report, Problem> {
    let engine = session.engine();
    let now = engine.now();
    let mut values: Vec<Value> = Vec::new();
    let mut rows = Vec::new();
    let mut attention = Vec::new();
    let mut generations = Vec::new();
    let responders = engine.record().responders(now)?;
    for authority in engine.record().authorities()? {
        let name = &authority.name;
        let status = authority_status(engine.record(), &authority, now)?;
        let end = authority.certificate.tbs().validity().not_after;
        let crl = engine.record().last_crl(&authority.issuer)?;
        let crl_due = engine.maintenance().crl_is_due(name).unwrap_or_else(|problem| {
            attention.push(format!("{}: genfic-ca doctor", problem.message));
            true
        });
        let crl_owed = !authority.is_external() && engine.record().crl_is_owed(&authority.issuer)?;
        let responder = engine.publication().responder_certificate(name).filter(|_| authority.serves_ocsp);
        let responder_end = responder.map(|certificate| certificate.tbs().validity().not_after);
        let responder_due = engine.maintenance().responder_is_due(name)?;
        let successor = engine.hierarchy().successor(name)?.map(|one| one.name);
        let is_retired = engine.hierarchy().is_retired(&authority, engine.now())?;
        if let Some(successor) = &successor {
            generations.push(succeeded(&authority, successor, is_retired));
        }
        match &crl {
            _ if is_retired => {}
            Some(crl) if crl.next_update < now => attention.push(format!(
                "the CRL of {name} lapsed at {}: genfic-ca crl publish {name}",
                crl.next_update
            )),
            _ if crl_owed => attention.push(format!(
                "the CRL of {name} is owed, it lacks a revocation or release: genfic-ca crl publish {name}"
            )),
            _ if crl_due => attention.push(format!("the CRL of {name} is due: genfic-ca crl publish {name}")),
            _ => {}
        }
        if responder_due {
            attention
                .push(format!("the responder certificate of {name} is due: genfic-ca ocsp responder {name}"));
        }
        if status != "valid" && !(is_retired && successor.is_some()) {
            attention.push(format!("{name} is {status}"));
        }
        rows.push(vec![
            name.clone(),
            status.clone(),
            end.to_string(),
            crl.map_or_else(
                || if authority.is_external() { "elsewhere" } else { "none" }.into(),
                |crl| format!("{} until {}", crl.number, crl.next_update),
            ),
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
            "crl": crl.map(|crl| json!({
                "number": crl.number,
                "this_update": crl.this_update.to_string(),
                "next_update": crl.next_update.to_string(),
                "due": crl_due,
                "owed": crl_owed,
            })),
            "responders": responders
                .iter()
                .filter(|one| one.record.authority == *name)
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
        let (older, newer) = (older.name, newer.name);
        attention
            .push(format!("{older} and {newer} are not linked: genfic-ca cross-sign {newer} -p {older}"));
    }
    match engine.clock_state()?.status() {
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
    let mut text = table(&["NAME", "STATUS", "UNTIL", "CRL", "RESPONDER"], &rows);
    if rows.is_empty() {
        text = "no CA yet; `genfic-ca create-root NAME` makes the first".into();
    }
    if !generations.is_empty() {
        text.push_str("\n\nolder generations\n  ");
        text.push_str(&generations.join("\n  "));
    }
    let lines = responder_lines(&responders, now);
    if !lines.is_empty() {
        text.push_str("\n\nresponders\n  ");
        text.push_str(&lines.join("\n  "));
    }
    if !attention.is_empty() {
        text.push_str("\n\nto do\n  ");
        text.push_str(&attention.join("\n  "));
    }
    let result = json!({ "authorities": values, "pending": pending,
        "waiting": pending_request.iter().map(|one| json!({ "name": one.name, "since": one.since.to_string(), "profile": one.profile })).collect::<Vec<_>>(), "attention": attention,
        "restored": restored.map(|restored| json!({
            "at": restored.at.to_string(),
            "backup": restored.backup.to_string(),
        })),
    });
    Ok(Report::seen(result, text))
}
