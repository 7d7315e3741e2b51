//! `init --ensure`.
use super::{otherwise, unchanged, would_change};
use crate::cli::{Global, Init};
use crate::commands::init;
use crate::report::{Report, path_value};
use crate::session::home_of;
use genfic_ca::assembly::{self, Initialization};
use genfic_ca::error::{Problem, Shown as _};
use serde_json::json;

/// Makes the home, or compares the settings that were given with those in force.
pub(crate) fn init(global: &Global, args: &Init) -> Result<Report, Problem> {
    if !args.ensure.ensure {
        return init::init(global, args);
    }
    let home = home_of(global);
    let asked = Initialization {
        organization: args.org.clone(),
        country: args.country.clone(),
        url: args.url.clone(),
        scrypt_log_n: None,
        signer_socket: args.signer_socket.clone(),
    };
    let differences = assembly::compare(&home, &asked, global.config.as_deref())?;
    let shown = home.directory().shown();
    let fields =
        json!({ "home": path_value(home.directory()), "config": path_value(home.configuration_file()) });
    if !differences.is_empty() {
        let file = home.configuration_file();
        let hint = format!("nothing was changed: what is in force is in {}", file.shown());
        return Ok(otherwise(&format!("the home {shown}"), fields, &differences, hint));
    }
    if args.ensure.dry_run {
        return Ok(match home.exists() {
            true => unchanged(args.ensure, fields, format!("{shown} is a home already")),
            false => would_change(),
        });
    }
    init::init(global, args)
}
