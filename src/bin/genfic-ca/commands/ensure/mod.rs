//! `--ensure`: what is there as asked stays, and what is there otherwise is reported with every difference (G22).
mod authority;
mod home;
pub(crate) mod placing;
mod request;
mod revocation;

pub(crate) use authority::{adopted, child_request, created, crossed, linked};
pub(crate) use home::init;
pub(crate) use request::{create, create_and_sign};
pub(crate) use revocation::{hold, release, revoke, revoke_authority};

use crate::cli::{Command, Ensure};
use crate::report::Report;
use crate::session::Session;
use genfic_ca::ca::Difference;
use genfic_ca::error::{Exit, Problem, Remedy};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Time to wait for another command that makes what is to be there; it may be waiting for a passphrase.
pub(crate) const WAIT: Duration = Duration::from_secs(60);

/// Looks whether something is there, and makes it when it is not. Commands with `--ensure` make one thing at a time;
/// what another command has made meanwhile is looked at again.
pub(crate) fn ensured(
    session: &Session,
    ensure: Ensure,
    look: impl Fn() -> Result<Option<Report>, Problem>,
    act: impl FnOnce() -> Result<Report, Problem>,
) -> Result<Report, Problem> {
    if !ensure.ensure {
        return act();
    }
    if let Some(report) = look()? {
        return Ok(report);
    }
    if ensure.dry_run {
        return Ok(would_change());
    }
    let _turn = session.assembly.home.turn(WAIT)?;
    if let Some(report) = look()? {
        return Ok(report);
    }
    match act() {
        Err(problem) if problem.exit == Exit::Exists => look()?.ok_or(problem),
        outcome => outcome,
    }
}

/// Returns the report of a dry run that would have made or changed something.
pub(crate) fn would_change() -> Report {
    let result = json!({ "dry_run": true, "would_change": true });
    Report::seen(result, "it would be done; nothing was, this was a dry run")
}

/// Returns the report that nothing has to be done.
pub(crate) fn unchanged(ensure: Ensure, result: Value, text: impl Into<String>) -> Report {
    let mut result = result;
    if let Some(fields) = result.as_object_mut().filter(|_| ensure.dry_run) {
        fields.insert("dry_run".into(), json!(true));
        fields.insert("would_change".into(), json!(false));
    }
    Report::seen(result, text)
}

/// Returns the report that something is there otherwise.
pub(crate) fn otherwise(
    object: &str,
    fields: Value,
    differences: &[Difference],
    hint: impl Into<Remedy>,
) -> Report {
    let mut fields: Map<String, Value> = fields.as_object().cloned().unwrap_or_default();
    let one = |one: &Difference| json!({ "what": one.what, "asked": one.asked, "found": one.found });
    fields.insert("differences".into(), differences.iter().map(one).collect());
    let problem = Difference::problem(object, differences).hint(hint);
    Report::seen(Value::Object(fields), "").ending(Some(problem))
}

/// Whether the command is to say what it would do to a home, and to do nothing.
pub(crate) fn is_dry_run(command: &Command) -> bool {
    match command {
        Command::CreateRoot(args) => args.authority.ensure.dry_run,
        Command::CreateChild(args) => args.authority.ensure.dry_run,
        Command::CreateRequest(args) => args.sign && args.ensure.dry_run,
        Command::Sign(args) => args.ensure && args.dry_run,
        Command::Adopt(args) => args.ensure.dry_run,
        Command::CrossSign(args) => args.ensure.dry_run,
        Command::Revoke(args) => args.ensure.dry_run,
        Command::Hold(args) | Command::Release(args) => args.ensure.dry_run,
        Command::RevokeCa(args) => args.ensure.dry_run,
        _ => false,
    }
}
