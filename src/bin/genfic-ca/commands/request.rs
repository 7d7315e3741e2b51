//! `create-request`: creates a key and a certification request, with or without a home.
use super::Pair;
use super::authority::{key, subject};
use super::output::{no_directory, taken};
use super::sign::{issue, issuing, profile_for};
use super::values::usage;
use crate::cli::{CreateRequest, Global, Sign};
use crate::prompt::TerminalPrompt;
use crate::report::{Report, path_value};
use crate::session::{Session, home_of};
use genfic_ca::assembly;
use genfic_ca::error::{Exit, Problem, Shown as _};
use genfic_ca::profile::parse_alt_name;
use genfic_ca::signing::{PassphraseSources, Secret, SecretPurpose, SecretSource, SecretSpec, SubscriberKey};
use genfic_ca::subscriber_key::encrypted_private_key_pem;
use genfic_ca::x509::{Attribute, AttributeType, GeneralName, KeyAlgorithm, Name};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A key and a request, and what is in them.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) key: PathBuf,
    pub(crate) request: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) algorithm: KeyAlgorithm,
    pub(crate) subject: Name,
    pub(crate) names: Vec<GeneralName>,
    pub(crate) notices: Vec<String>,
}

/// Creates the key and the request.
pub(crate) fn create(global: &Global, args: &CreateRequest) -> Result<Report, Problem> {
    Ok(made_report(args, make(global, args, true)?))
}

pub(crate) fn made_report(args: &CreateRequest, made: Made) -> Report {
    let names: Vec<String> = made.names.iter().map(ToString::to_string).collect();
    let names = if names.is_empty() { String::new() } else { format!("\n  names    {}", names.join(", ")) };
    let text = format!(
        "key and request for {}\n  key      {} ({}{})\n  request  {}{names}\nnext: genfic-ca sign {} -p CA",
        made.subject,
        made.key.shown(),
        made.algorithm,
        if args.encrypt { ", encrypted" } else { ", not encrypted" },
        made.request.shown(),
        made.request.shown(),
    );
    let result = fields(&made.key, &made.request, &made.subject, &made.names, made.algorithm);
    Report::done(result, text).warn(made.notices)
}

/// Returns the JSON fields of a key and its request.
pub(crate) fn fields(
    key: &Path,
    request: &Path,
    subject: &Name,
    names: &[GeneralName],
    algorithm: KeyAlgorithm,
) -> serde_json::Value {
    json!({
        "key": path_value(key),
        "request": path_value(request),
        "subject": subject.to_string(),
        "san": names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "algorithm": algorithm.to_string(),
    })
}

/// Creates the key and the request, and has the request signed at once.
pub(crate) fn create_and_sign(session: &Session, args: &CreateRequest) -> Result<Report, Problem> {
    let parent = args.parent.clone().unwrap_or_default();
    let authority = session.engine().hierarchy().authority(&issuing(session, &parent)?.0)?;
    let profile = profile_for(session, &authority, args.profile.as_deref())?;
    let takes_dns = session.assembly.settings().profile(&profile)?.takes_dns_names();
    let (wanted, notices) = wanted(&session.global, args, takes_dns)?;
    let (made, pair) = new_pair(&session.global, wanted)?;
    let asked = Sign {
        pair: Some(Arc::clone(&pair)),
        files: vec![made.request.clone()],
        parent,
        profile: args.profile.clone(),
        valid: args.valid.clone(),
        contact: args.contact.clone(),
        output: Some(made.certificate.clone()),
        is_named_here: true,
        ..Sign::default()
    };
    let report = issue(session, &asked).map_err(|problem| pair.given_up(problem, &made))?;
    Ok(into_signed(report, &made.key, &made.request).warn(notices))
}

/// Returns the report of a signed request with the files of key and request.
pub(crate) fn into_signed(mut report: Report, key: &Path, request: &Path) -> Report {
    if let Some(result) = report.result.as_object_mut() {
        result.insert("key".into(), path_value(key));
        result.insert("request".into(), path_value(request));
    }
    report.text = format!("{}\n  key      {}\n  request  {}", report.text, key.shown(), request.shown());
    report
}

/// Removes the new key and request after a refusal, so that the same command can be given again. After any other
/// failure a certificate may have been issued, so they stay.
pub(crate) fn not_signed(problem: Problem, made: &Made) -> Problem {
    let before_issuing = [
        Exit::Usage,
        Exit::NotFound,
        Exit::Refused,
        Exit::KeyUnavailable,
        Exit::InputNeeded,
        Exit::Permissions,
    ];
    let files = [&made.key, &made.request];
    if before_issuing.contains(&problem.exit) && files.iter().all(|file| fs::remove_file(file).is_ok()) {
        return problem;
    }
    let kept = format!("key and request are kept: {}, {}", made.key.shown(), made.request.shown());
    Problem { hint: problem.hint.and(kept), ..problem }
}

fn make(global: &Global, args: &CreateRequest, takes_dns: bool) -> Result<Made, Problem> {
    let (wanted, notices) = wanted(global, args, takes_dns)?;
    Ok(Made { notices, ..make_pair(global, wanted)? })
}

/// Returns the directory and the base name of the files, without an ending.
pub(crate) fn place(args: &CreateRequest) -> Result<(PathBuf, &str), Problem> {
    let base = args.name.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        usage(format!("`{}` has no name in its last part", args.name.shown()), "for example www.example")
    })?;
    let directory =
        args.dir.clone().unwrap_or_else(|| args.name.parent().unwrap_or(Path::new("")).to_owned());
    if !directory.as_os_str().is_empty() && !directory.is_dir() {
        return Err(no_directory(&directory));
    }
    Ok((directory, base))
}

/// Returns what the options ask for, with messages about it.
pub(crate) fn wanted<'a>(
    global: &Global,
    args: &'a CreateRequest,
    takes_dns: bool,
) -> Result<(Wanted<'a>, Vec<String>), Problem> {
    let (directory, base) = place(args)?;
    let mut notices = Vec::new();
    let subject = match &args.subject {
        Some(text) => subject(text)?,
        None => common_name(base)?,
    };
    let names = alt_names(args, base, takes_dns, &mut notices)?;
    let algorithm = match &args.key {
        Some(text) if !args.is_in_token() => key(text)?,
        Some(_) => KeyAlgorithm::P256,
        None => assembly::leaf_key(&home_of(global), global.config.as_deref())?,
    };
    let (encrypt, sign) = (args.encrypt, args.sign);
    let wanted = Wanted { directory, base, subject, names, algorithm, encrypt, secret: None, sign };
    Ok((wanted, notices))
}

/// A key and a request that are to be created.
pub(crate) struct Wanted<'a> {
    /// Directory of both files.
    pub(crate) directory: PathBuf,
    /// Base name of both files, without an ending.
    pub(crate) base: &'a str,
    pub(crate) subject: Name,
    pub(crate) names: Vec<GeneralName>,
    pub(crate) algorithm: KeyAlgorithm,
    pub(crate) encrypt: bool,
    /// The passphrase of an encrypted key; asked for when there is none.
    pub(crate) secret: Option<Secret>,
    /// Whether a certificate will be written beside them.
    pub(crate) sign: bool,
}

/// Creates a key and a request for it, and writes both. Neither file may exist.
pub(crate) fn make_pair(global: &Global, wanted: Wanted<'_>) -> Result<Made, Problem> {
    let (made, pair) = new_pair(global, wanted)?;
    pair.write()?;
    Ok(made)
}

/// Creates a key and a request for it, which are still to be written. Neither file may exist.
pub(crate) fn new_pair(global: &Global, wanted: Wanted<'_>) -> Result<(Made, Arc<Pair>), Problem> {
    let Wanted { directory, base, subject, names, algorithm, encrypt, secret, sign } = wanted;
    let path = |extension: &str| directory.join(format!("{base}.{extension}"));
    let to_be_made = [path("key"), path("req"), path("crt")];
    for path in to_be_made.iter().take(if sign { 3 } else { 2 }) {
        if path.exists() {
            return Err(taken(path));
        }
    }
    let new = SubscriberKey::generate(algorithm)?;
    let private = if encrypt {
        let secret = secret.map_or_else(|| passphrase(global, base), Ok)?;
        encrypted_private_key_pem(&new, &secret)?
    } else {
        new.to_pem()?
    };
    let der = new.request(&subject, &names)?;
    let made = Made {
        key: path("key"),
        request: path("req"),
        certificate: path("crt"),
        algorithm,
        subject,
        names,
        notices: Vec::new(),
    };
    let pair = Arc::new(Pair::new(&made, private, der));
    Ok((made, pair))
}

fn common_name(base: &str) -> Result<Name, Problem> {
    let kind = AttributeType::by_name("CN").ok_or_else(|| usage("CN is unknown", ""))?;
    let attribute = Attribute::new(kind, base)
        .map_err(|error| usage(error.to_string(), "choose a shorter name, or give --subject"))?;
    Ok(Name::from_attributes(&[attribute]))
}

/// Returns the names of `--san`, or else the last part of the path as a DNS name, unless the profile permits none.
fn alt_names(
    args: &CreateRequest,
    base: &str,
    takes_dns: bool,
    notices: &mut Vec<String>,
) -> Result<Vec<GeneralName>, Problem> {
    if !args.san.is_empty() {
        let given = args.san.iter().map(|text| {
            parse_alt_name(text)
                .map_err(|error| usage(error.to_string(), "for example --san DNS:www.example"))
        });
        let given = given.collect::<Result<Vec<_>, _>>()?;
        return Ok(match args.subject {
            // then the name is that of the files only
            Some(_) => given,
            None => with_own_name(given, base, takes_dns, notices),
        });
    }
    if !takes_dns {
        return Ok(Vec::new());
    }
    match parse_alt_name(&format!("DNS:{base}")) {
        Ok(name) => Ok(vec![name]),
        Err(_) => {
            notices.push(format!("`{base}` is not a DNS name, so the request asks for no subjectAltName"));
            Ok(Vec::new())
        }
    }
}

/// Returns the names of a host with its own name before them. Clients look at these names only, and not at the common
/// name. Names of a person are left as they are.
fn with_own_name(
    given: Vec<GeneralName>,
    base: &str,
    takes_dns: bool,
    notices: &mut Vec<String>,
) -> Vec<GeneralName> {
    let is_hosts = given.iter().any(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_)));
    let own = parse_alt_name(base).ok().filter(|_| takes_dns && is_hosts);
    let own = own.filter(|own| matches!(own, GeneralName::Dns(_) | GeneralName::Ip(_)));
    match own {
        Some(own) if given.iter().any(|name| name.to_string().eq_ignore_ascii_case(&own.to_string())) => {
            given
        }
        Some(own) if base.contains('.') || matches!(own, GeneralName::Ip(_)) => {
            std::iter::once(own).chain(given).collect()
        }
        Some(own) => {
            notices.push(format!(
                "`{base}` is the common name only, which clients do not look at; --san {own} would ask for it"
            ));
            given
        }
        None => given,
    }
}

/// Returns the passphrase that is to protect a new key.
pub(crate) fn passphrase(global: &Global, name: &str) -> Result<Secret, Problem> {
    Ok(passphrases(global)?.secret(&SecretPurpose::Protect(name.into()))?)
}

/// Returns the source of passphrases, without a home.
pub(crate) fn passphrases(global: &Global) -> Result<PassphraseSources<'static>, Problem> {
    let prompt = TerminalPrompt::new(!global.no_input && !global.json);
    let from = global.subscriber_passphrase_from.as_deref().or(global.passphrase_from.as_deref());
    let given = from.map(str::parse::<SecretSpec>).transpose()?;
    Ok(given.unwrap_or_default().source(prompt))
}
