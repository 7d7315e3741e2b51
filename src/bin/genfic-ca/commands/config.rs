//! `config check`.
use crate::cli::{ConfigCheck, Global};
use crate::report::{Report, path_value};
use crate::session::home_of;
use genfic_ca::assembly::{DaemonOptions, check_config, check_daemon, daemon_settings};
use genfic_ca::error::{Problem, Shown as _};
use serde_json::json;

/// Checks the configuration, and on request what the daemon would make of the home. Nothing is opened or repaired.
pub(crate) fn check(global: &Global, args: &ConfigCheck) -> Result<Report, Problem> {
    let home = home_of(global);
    let file = check_config(&home, global.config.as_deref())?;
    let mut result = json!({ "file": path_value(&file) });
    let mut text = format!("{} is right", file.shown());
    if !args.daemon {
        return Ok(Report::seen(result, text));
    }
    let options =
        DaemonOptions { config: global.config.clone(), is_of_another: true, ..DaemonOptions::default() };
    let settings = daemon_settings(&home, &options)?;
    let found = check_daemon(&home, &options, &settings);
    let listen: Vec<String> = settings.listen().iter().map(ToString::to_string).collect();
    text.push_str(&format!("\ngenfic-ocspd would listen on {}", listen.join(", ")));
    if let Some(result) = result.as_object_mut() {
        result.insert("listen".into(), json!(listen));
        result.insert("ready".into(), json!(found.reasons.is_empty()));
        result.insert("reasons".into(), json!(found.reasons));
        result.insert("lacking".into(), json!(found.lacking));
    }
    if found.reasons.is_empty() {
        text.push_str(" and be ready");
    }
    for missing in found.reasons.iter().chain(&found.lacking) {
        text.push_str(&format!("\n  {missing}"));
    }
    Ok(Report::seen(result, text).ending(found.problem()))
}
