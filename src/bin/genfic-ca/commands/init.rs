//! `init` and `version`.
use super::values::usage;
use crate::cli::{Global, HomeSettings, Init};
use crate::report::{Report, path_value};
use crate::session::{home_of, orders_of};
use genfic_ca::assembly::{self, InitialSetting, Initialization, SignerKeys};
use genfic_ca::ca::Difference;
use genfic_ca::config::Config;
use genfic_ca::error::{Code, Exit, Problem, Shown as _};
use genfic_ca::home::Home;
use serde_json::json;

/// Creates the home.
pub(crate) fn init(global: &Global, args: &Init) -> Result<Report, Problem> {
    let home = home_of(global);
    if let Some(socket) = args.signer_socket.as_deref().filter(|socket| !socket.starts_with('/')) {
        let message = format!("--signer-socket {socket} is no whole path");
        return Err(usage(message, "for example --signer-socket /run/genfic-signer/ca.socket"));
    }
    let initialization = Initialization {
        organization: args.org.clone(),
        country: args.country.clone(),
        url: args.url.clone(),
        scrypt_log_n: None,
        signer_socket: args.signer_socket.clone().or_else(|| Initialization::signer_of(&home)),
    };
    if let Some(problem) = wrong(&initialization.mistakes()) {
        return Err(problem);
    }
    let founded = assembly::init(&home, &initialization)?;
    let shown = home.directory().shown();
    let result = json!({
        "home": path_value(home.directory()),
        "config": path_value(home.configuration_file()),
        "policy": path_value(home.policy_directory()),
        "index": path_value(founded.index.clone()),
        "signer_socket": founded.signer_socket.as_ref().map(path_value),
    });
    if !founded.changed {
        let given = [
            ("--org", &args.org),
            ("--country", &args.country),
            ("--url", &args.url),
            ("--signer-socket", &args.signer_socket),
        ];
        let ignored: Vec<&str> = given.iter().filter(|(_, value)| value.is_some()).map(|row| row.0).collect();
        let warning = (!ignored.is_empty() && !args.ensure.ensure).then(|| {
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
    let (signer, next) = match &founded.signer_socket {
        Some(socket) => (
            format!("\n  keys of CAs    in the signer on {}", socket.shown()),
            "as yourself: genfic-ca key unlock NAME --new --profile root-ca --scope leaf --scope ca --scope crl\nthen: ",
        ),
        None => (String::new(), ""),
    };
    let text = format!(
        "{shown} is ready\n  configuration  {}\n  profiles       {}{signer}\nnext: {next}genfic-ca create-root NAME",
        home.configuration_file().shown(),
        home.policy_directory().shown()
    );
    Ok(Report::done(result, text).warn(warnings))
}

/// Returns the problem of settings that are wrong, each told by its option.
fn wrong(mistakes: &[(InitialSetting, String)]) -> Option<Problem> {
    let option = |setting| match setting {
        InitialSetting::Organization => "--org",
        InitialSetting::Country => "--country",
        InitialSetting::Url => "--url",
    };
    let lines: Vec<String> =
        mistakes.iter().map(|(setting, message)| format!("{}: {message}", option(*setting))).collect();
    (!lines.is_empty()).then(|| {
        Problem::new(Code::ConfigInvalid, lines.join("\n")).exiting(Exit::Usage).hint(
            "for example --org 'Example, Inc.' --country BE --url http://pki.example.org; nothing was done",
        )
    })
}

/// Creates a home before the first root, when there is none. The passphrase of the root's key is asked for before. Returns
/// the keys, whose signer has it, and a message about the home.
pub(crate) fn make_home_for_first_root(
    global: &Global,
    root: &str,
    settings: &HomeSettings,
) -> Result<Option<(SignerKeys, String)>, Problem> {
    let home = home_of(global);
    let asked = Initialization {
        organization: settings.org.clone(),
        country: settings.country.clone(),
        url: settings.url.clone(),
        ..Initialization::default()
    };
    let is_asked = asked.organization.is_some() || asked.country.is_some() || asked.url.is_some();
    if home.exists() {
        if is_asked {
            settled_as(global, &home, &asked)?;
        }
        return Ok(None);
    }
    if let Some(problem) = wrong(&asked.mistakes()) {
        return Err(problem);
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
    if home.directory().is_dir() {
        // nobody types a passphrase for what cannot be done
        home.verify_owner()?;
    }
    let initialization = Initialization { signer_socket: Initialization::signer_of(&home), ..asked };
    let mut config = Config::default();
    config.keys.signer_socket = initialization.signer_socket.as_ref().map(Into::into);
    let keys = SignerKeys::of(&home, &config, &orders_of(global, &config, Vec::new())?);
    // the signer that listens was given it, or says that it was not
    if global.recipients.is_none() && initialization.signer_socket.is_none() {
        keys.ask_new_passphrase(root)?;
    }
    assembly::init(&home, &initialization).inspect_err(|_| keys.take_back())?;
    let said = format!(
        "{} did not exist; it was initialised {} ({})",
        home.directory().shown(),
        if is_asked { "as asked" } else { "with defaults" },
        home.configuration_file().shown()
    );
    Ok(Some((keys, said)))
}

/// Refuses settings that an existing home does not have.
fn settled_as(global: &Global, home: &Home, asked: &Initialization) -> Result<(), Problem> {
    let differences = assembly::compare(home, asked, global.config.as_deref())?;
    if differences.is_empty() {
        return Ok(());
    }
    let object = format!("the home {}", home.directory().shown());
    let file = home.configuration_file();
    Err(Difference::problem(object, &differences)
        .hint(format!("nothing was done: what is in force is in {}", file.shown())))
}

/// Reports the version.
pub(crate) fn version() -> Report {
    let version = env!("CARGO_PKG_VERSION");
    Report::seen(json!({ "version": version }), format!("genfic-ca {version}"))
}
