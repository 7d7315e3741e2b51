//! `init` and `version`.
use super::values::usage;
use crate::cli::{Global, Init};
use crate::report::Report;
use crate::session::home_of;
use genfic_ca::assembly::{self, Founding};
use genfic_ca::problem::Problem;
use serde_json::json;

/// Makes the home.
pub(crate) fn init(global: &Global, args: &Init) -> Result<Report, Problem> {
    let founding = Founding {
        organization: args.org.clone(),
        country: args.country.clone(),
        url: args.url.clone(),
        scrypt_log_n: None,
    };
    let home = home_of(global);
    let founded = assembly::found(&home, &founding)?;
    let shown = home.directory().display();
    let result = json!({
        "home": home.directory(),
        "config": home.configuration_file(),
        "policy": home.policy_directory(),
        "index": home.index_file(),
    });
    if !founded.changed {
        let given = [("--org", &args.org), ("--country", &args.country), ("--url", &args.url)];
        let ignored: Vec<&str> = given.iter().filter(|(_, value)| value.is_some()).map(|row| row.0).collect();
        let warning = (!ignored.is_empty()).then(|| {
            let file = home.configuration_file();
            format!("{} changed nothing: what is in force is in {}", ignored.join(", "), file.display())
        });
        let said = format!("{shown} is a home already; nothing was changed");
        return Ok(Report::seen(result, said).warn(warning));
    }
    let mut warnings = Vec::new();
    if args.url.is_none() {
        warnings.push(format!(
            "without --url certificates will name neither CRL nor OCSP; set [publication] url in {} before issuing",
            home.configuration_file().display()
        ));
    }
    let text = format!(
        "{shown} is ready\n  configuration  {}\n  profiles       {}\nnext: genfic-ca create-root NAME",
        home.configuration_file().display(),
        home.policy_directory().display()
    );
    Ok(Report::done(result, text).warn(warnings))
}

/// Before the first root: a home that does not exist yet is made with defaults, and that is said.
pub(crate) fn make_home_for_first_root(global: &Global) -> Result<Vec<String>, Problem> {
    let home = home_of(global);
    if home.exists() {
        return Ok(Vec::new());
    }
    if global.config.is_some() {
        return Err(usage(
            format!(
                "{} does not exist yet, and a new home has its own configuration",
                home.directory().display()
            ),
            "run `genfic-ca init` first, without --config",
        ));
    }
    assembly::found(&home, &Founding::default())?;
    Ok(vec![format!(
        "{} did not exist; it was initialised with defaults ({})",
        home.directory().display(),
        home.configuration_file().display()
    )])
}

/// The version.
pub(crate) fn version() -> Report {
    let version = env!("CARGO_PKG_VERSION");
    Report::seen(json!({ "version": version }), format!("genfic-ca {version}"))
}
