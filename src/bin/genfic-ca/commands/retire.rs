//! `retire`: nothing is due any more for a CA that was made by mistake.
use super::question::confirm;
use crate::cli::Retire;
use crate::report::{Report, columns, counted};
use crate::session::Session;
use genfic_ca::ca::RetirementImpact;
use genfic_ca::error::Problem;
use genfic_ca::index::Authority;
use genfic_ca::x509::UnixTime;
use serde_json::json;

/// Retires a CA.
pub(crate) fn retire(session: &Session, args: &Retire) -> Result<Report, Problem> {
    let lifecycle = session.engine().lifecycle();
    if args.ensure
        && let Some(authority) = retired_before(session, &args.name)?
    {
        return Ok(already(&authority));
    }
    let impact = lifecycle.retirement_impact(&args.name)?;
    if impact.remaining.saturating_add(impact.revoked) > 0 && impact.authority.retired.is_none() {
        confirm(&session.global, &question(&args.name, &impact))?;
    }
    let retired = lifecycle.retire(&args.name)?;
    let authority = &retired.authority;
    let result = json!({
        "name": retired.name,
        "record": authority.name,
        "retired_at": authority.retired.as_ref().map(|one| one.at.to_string()),
        "remaining": impact.remaining,
        "last_end": impact.last_end.map(|end| end.to_string()),
        "revoked": impact.revoked,
        "revoked_end": impact.revoked_end.map(|end| end.to_string()),
        "name_free": retired.named_until.is_none(),
        "name_free_after": retired.named_until.map(|until| until.to_string()),
        "last_crl_until": retired.last_crl.map(|until| until.to_string()),
        "key": authority.key_name(),
    });
    let free = match retired.named_until {
        None => format!("{} is free for another CA", retired.name),
        Some(until) => {
            format!("{} is free after {until}, when no certificate names its files any more", retired.name)
        }
    };
    let mut rows = vec![
        ("  on record".to_owned(), authority.name.clone()),
        ("  name".to_owned(), free),
        (
            "  key".to_owned(),
            format!(
                "{} stays, encrypted; remove it when nothing is to be signed again",
                authority.key_name()
            ),
        ),
    ];
    let last_crl = match (retired.last_crl, impact.crl_until) {
        (Some(until), _) => Some(format!("until {until}")),
        (None, Some(until)) if impact.authority.retired.is_none() => {
            Some(format!("none, for the key is not here, though one is needed until {until}"))
        }
        _ => None,
    };
    rows.extend(last_crl.map(|told| ("  last crl".to_owned(), told)));
    let text = format!("{} is retired: nothing is due for it any more\n{}", retired.name, columns(&rows));
    Ok(Report::done(result, text))
}

/// Returns the CA that had this name and is retired, unless its name can be freed now, or another CA has it.
fn retired_before(session: &Session, name: &str) -> Result<Option<Authority>, Problem> {
    let authorities = session.engine().record().authorities()?;
    if let Some(present) = authorities.iter().find(|one| one.name == name) {
        let Some(retired) = &present.retired else { return Ok(None) };
        let impact = session.engine().lifecycle().retirement_impact(name)?;
        let is_freed_now = retired.name == present.name && impact.named_until.is_none();
        return Ok(Some(present.clone()).filter(|_| !is_freed_now));
    }
    let had_it = |one: &Authority| one.retired.as_ref().is_some_and(|retired| retired.name == name);
    Ok(authorities.into_iter().rfind(had_it))
}

fn already(authority: &Authority) -> Report {
    let retired = authority.retired.as_ref();
    let name = retired.map_or(&authority.name, |retired| &retired.name);
    let result = json!({
        "name": name,
        "record": authority.name,
        "retired_at": retired.map(|one| one.at.to_string()),
        "name_free": *name != authority.name,
        "key": authority.key_name(),
    });
    Report::seen(result, format!("{name} is retired already, and is on record as {}", authority.name))
}

/// Returns the question whether to retire a CA all the same, with what has not expired.
fn question(name: &str, impact: &RetirementImpact) -> String {
    let until = |end: Option<UnixTime>| end.map_or_else(String::new, |end| format!(", the last until {end}"));
    let mut told = Vec::new();
    if impact.remaining > 0 {
        let valid = counted(impact.remaining, "certificate");
        told.push(format!("{valid} of {name} will still be valid{}", until(impact.last_end)));
    }
    if impact.revoked > 0 {
        let revoked = counted(impact.revoked, "revoked certificate");
        told.push(format!("{revoked} of {name} would still be valid otherwise{}", until(impact.revoked_end)));
    }
    let status = if impact.remaining > 0 { "valid" } else { "revoked" };
    format!(
        "{}: no CRL and no OCSP answer comes for them any more but a last CRL; \
         `genfic-ca list -p {name} --status {status}` lists them, and `genfic-ca revoke-ca {name}` revokes the CA\n\
         Retire {name} all the same?",
        told.join("; "),
    )
}
