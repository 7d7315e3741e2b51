//! `create-request --key pkcs11:...`: a request by a key in a token, which stays there. No key file is written. Also the
//! source of the PIN that `--keystore` names.
use super::output::{Output, taken};
use super::request::{self, Wanted};
use super::sign::{issue, issuing, profile_for};
use super::values::usage;
use crate::cli::{Command, CreateRequest, Global, Sign};
use crate::prompt::TerminalPrompt;
use crate::report::{Report, path_value};
use crate::session::{Session, home_of};
use genfic_ca::assembly;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::signing::{Keystore, SecretSpec, TokenUri};
use genfic_ca::x509::{KeyAlgorithm, SubjectPublicKeyInfo, pem};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

struct Requested {
    uri: TokenUri,
    request: PathBuf,
    certificate: PathBuf,
    algorithm: KeyAlgorithm,
    /// Whether the key was made for it.
    is_new: bool,
    subject: String,
    names: Vec<String>,
    notices: Vec<String>,
}

/// Makes the request.
pub(crate) fn create(global: &Global, args: &CreateRequest) -> Result<Report, Problem> {
    let made = make(global, args, true)?;
    let names =
        if made.names.is_empty() { String::new() } else { format!("\n  names    {}", made.names.join(", ")) };
    let text = format!(
        "request for {} by the {} in a token\n  key      {} ({})\n  request  {}{names}\nnext: genfic-ca sign {} -p CA",
        made.subject,
        if made.is_new { "key made" } else { "key found" },
        made.uri,
        made.algorithm,
        made.request.shown(),
        made.request.shown(),
    );
    let result = json!({
        "key": made.uri.to_string(),
        "request": path_value(&made.request),
        "subject": made.subject,
        "san": made.names,
        "algorithm": made.algorithm.to_string(),
    });
    Ok(Report::done(result, text).warn(made.notices))
}

/// Makes the request, and has it signed at once.
pub(crate) fn create_and_sign(session: &Session, args: &CreateRequest) -> Result<Report, Problem> {
    let parent = args.parent.clone().unwrap_or_default();
    let authority = session.engine().hierarchy().authority(&issuing(session, &parent)?.0)?;
    let profile = profile_for(session, &authority, args.profile.as_deref())?;
    let takes_dns = session.assembly.settings().profile(&profile)?.takes_dns_names();
    let made = make(&session.global, args, takes_dns)?;
    let asked = Sign {
        files: vec![made.request.clone()],
        parent,
        profile: args.profile.clone(),
        valid: args.valid.clone(),
        contact: args.contact.clone(),
        output: Some(made.certificate.clone()),
        is_named_here: true,
        ..Sign::default()
    };
    let mut report = issue(session, &asked)?;
    if let Some(result) = report.result.as_object_mut() {
        result.insert("key".into(), made.uri.to_string().into());
        result.insert("request".into(), path_value(&made.request));
    }
    report.text = format!("{}\n  key      {}\n  request  {}", report.text, made.uri, made.request.shown());
    Ok(report.warn(made.notices))
}

fn make(global: &Global, args: &CreateRequest, takes_dns: bool) -> Result<Requested, Problem> {
    if args.encrypt || args.ensure.ensure {
        return Err(usage(
            "a key in a token has no file: --encrypt, --ensure and --dry-run are for keys in files",
            "leave them out",
        ));
    }
    let uri: TokenUri = args.key.as_deref().unwrap_or_default().parse()?;
    let (Wanted { directory, base, subject, names, .. }, notices) = request::wanted(global, args, takes_dns)?;
    let path = |extension: &str| directory.join(format!("{base}.{extension}"));
    let (request, certificate) = (path("req"), path("crt"));
    for path in [Some(&request), args.sign.then_some(&certificate)].into_iter().flatten() {
        if path.exists() {
            return Err(taken(path));
        }
    }
    let said = global.passphrase_from.as_deref().map(str::parse::<SecretSpec>).transpose()?;
    let source = uri.pin_source().cloned().or(said).unwrap_or_default();
    let variables = variable_of(&source);
    let secrets = source.source(TerminalPrompt::new(!global.no_input && !global.json));
    let uri = uri.for_key(base);
    let (home, config) = (home_of(global), global.config.as_deref());
    let (key, is_new) = assembly::held_key(&home, config, &uri, None, Arc::new(secrets), &variables)?;
    let text = pem::encode("CERTIFICATE REQUEST", &key.request(&subject, &names)?);
    Output::new_at(&request)?.put_new(text.as_bytes())?;
    Ok(Requested {
        uri,
        request,
        certificate,
        algorithm: key.public_key().algorithm(),
        is_new,
        subject: subject.to_string(),
        names: names.iter().map(ToString::to_string).collect(),
        notices,
    })
}

/// Returns the variable that has the PIN, which the modules do not get.
fn variable_of(source: &SecretSpec) -> Vec<String> {
    match source {
        SecretSpec::Environment(variable) => vec![variable.clone()],
        _ => Vec::new(),
    }
}

/// Makes the key of a CA's responder in a token, or finds it there; returns its URI.
pub(crate) fn responder_key(
    session: &Session,
    uri: &TokenUri,
    authority: &str,
) -> Result<(String, SubjectPublicKeyInfo), Problem> {
    let global = &session.global;
    let said = global.passphrase_from.as_deref().map(str::parse::<SecretSpec>).transpose()?;
    let source = uri.pin_source().cloned().or(said).unwrap_or_default();
    let variables = variable_of(&source);
    let secrets = source.source(TerminalPrompt::new(!global.no_input && !global.json));
    let uri = uri.for_key(&format!("{authority} OCSP responder"));
    let algorithm = session.assembly.settings().config.keys.responder;
    let home = home_of(global);
    let (secrets, config) = (Arc::new(secrets), global.config.as_deref());
    let (key, _) = assembly::held_key(&home, config, &uri, Some(algorithm), secrets, &variables)?;
    Ok((uri.to_string(), key.public_key().clone()))
}

/// Returns the label of a new key in a token and the source of its PIN, where `--keystore` names one.
pub(crate) fn pin(command: &Command) -> Result<Option<(String, SecretSpec)>, Problem> {
    let (store, name) = match command {
        Command::CreateRoot(args) => (&args.authority.keystore, Some(&args.name)),
        Command::CreateChild(args) => (&args.authority.keystore, Some(&args.name)),
        Command::RenewCa(args) => (&args.keystore, None),
        _ => return Ok(None),
    };
    let Some(Keystore::Token(uri)) = store.as_deref().map(str::parse).transpose()? else { return Ok(None) };
    let Some(source) = uri.pin_source() else { return Ok(None) };
    match uri.object().or(name.map(String::as_str)) {
        Some(label) => Ok(Some((label.to_owned(), source.clone()))),
        None => Err(Problem::new(Code::UsageToken, "pin-source is for a key whose label is not said")
            .hint("add object=LABEL, or say with --passphrase-from where the PIN comes from")),
    }
}
