//! `init` and `version`.
use super::values::usage;
use crate::cli::{Global, Init};
use crate::report::{Report, path_value};
use crate::session::home_of;
use genfic_ca::assembly::{self, Initialization};
use genfic_ca::error::{Problem, Shown as _};
use serde_json::json;

/// Creates the home.
pub(crate) fn init(global: &Global, args: &Init) -> Result<Report, Problem> {
    let initialization = Initialization {
        organization: args.org.clone(),
        country: args.country.clone(),
        url: args.url.clone(),
        scrypt_log_n: None,
    };
    let home = home_of(global);
    let founded = assembly::init(&home, &initialization)?;
    let shown = home.directory().shown();
    let result = json!({
        "home": path_value(home.directory()),
        "config": path_value(home.configuration_file()),
        "policy": path_value(home.policy_directory()),
        "index": path_value(founded.index.clone()),
    });
    if !founded.changed {
        let given = [("--org", &args.org), ("--country", &args.country), ("--url", &args.url)];
        let ignored: Vec<&str> = given.iter().filter(|(_, value)| value.is_some()).map(|row| row.0).collect();
        let warning = (!ignored.is_empty()).then(|| {
            let file = home.configuration_file();
            format!("{} changed nothing: what is in force is in {}", ignored.join(", "), file.shown())
        });
        let said = format!("{shown} is a home already; nothing was changed");
        return Ok(Report::seen(result, said).warn(warning));
    }
    let mut warnings = Vec::new();
    if args.url.is_none() {
        warnings.push(format!(
            "without --url certificates will name neither CRL nor OCSP; set [publication] url in {} before issuing",
            home.configuration_file().shown()
        ));
    }
    let text = format!(
        "{shown} is ready\n  configuration  {}\n  profiles       {}\nnext: genfic-ca create-root NAME",
        home.configuration_file().shown(),
        home.policy_directory().shown()
    );
    Ok(Report::done(result, text).warn(warnings))
}

/// Creates a home with defaults before the first root, when there is none, and returns messages about it.
pub(crate) fn make_home_for_first_root(global: &Global) -> Result<Vec<String>, Problem> {
    let home = home_of(global);
    if home.exists() {
        return Ok(Vec::new());
    }
    if global.config.is_some() {
        return Err(usage(
            format!(
                "{} does not exist yet, and a new home has its own configuration",
                home.directory().shown()
            ),
            "run `genfic-ca init` first, without --config",
        ));
    }
    assembly::init(&home, &Initialization::default())?;
    Ok(vec![format!(
        "{} did not exist; it was initialised with defaults ({})",
        home.directory().shown(),
        home.configuration_file().shown()
    )])
}

/// Reports the version.
pub(crate) fn version() -> Report {
    let version = env!("CARGO_PKG_VERSION");
    Report::seen(json!({ "version": version }), format!("genfic-ca {version}"))
}
