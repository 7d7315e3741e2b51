//! `create-request`: creates a key and a certification request, with or without a home.
use super::authority::{key, subject};
use super::output::{no_directory, not_written, taken};
use super::sign::{issue, issuing, profile_for};
use super::values::usage;
use crate::cli::{CreateRequest, Global, Sign};
use crate::prompt::TerminalPrompt;
use crate::report::{Report, path_value};
use crate::session::{Session, home_of};
use genfic_ca::assembly;
use genfic_ca::error::{Exit, Problem, Shown as _};
use genfic_ca::home::{Mode, write_new};
use genfic_ca::profile::parse_alt_name;
use genfic_ca::signing::{SecretPurpose, SecretSource, SecretSpec, SubscriberKey};
use genfic_ca::subscriber_key::encrypted_private_key_pem;
use genfic_ca::x509::{Attribute, AttributeType, GeneralName, KeyAlgorithm, Name, pem};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) struct Made {
    pub(crate) key: PathBuf,
    pub(crate) request: PathBuf,
    pub(crate) certificate: PathBuf,
    algorithm: KeyAlgorithm,
    subject: Name,
    names: Vec<GeneralName>,
    notices: Vec<String>,
}

/// Creates the key and the request.
pub(crate) fn create(global: &Global, args: &CreateRequest) -> Result<Report, Problem> {
    let made = make(global, args, true)?;
    let text = format!(
        "key and request for {}\n  key      {} ({}{})\n  request  {}\nnext: genfic-ca sign {} -p CA",
        made.subject,
        made.key.shown(),
        made.algorithm,
        if args.encrypt { ", encrypted" } else { ", not encrypted" },
        made.request.shown(),
        made.request.shown(),
    );
    Ok(Report::done(fields(&made), text).warn(made.notices))
}

fn fields(made: &Made) -> serde_json::Value {
    json!({
        "key": path_value(&made.key),
        "request": path_value(&made.request),
        "subject": made.subject.to_string(),
        "san": made.names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "algorithm": made.algorithm.to_string(),
    })
}

/// Creates the key and the request, and has the request signed at once.
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
    let mut report = issue(session, &asked).map_err(|problem| not_signed(problem, &made))?;
    if let Some(result) = report.result.as_object_mut() {
        result.insert("key".into(), path_value(&made.key));
        result.insert("request".into(), path_value(&made.request));
    }
    report.text =
        format!("{}\n  key      {}\n  request  {}", report.text, made.key.shown(), made.request.shown());
    Ok(report.warn(made.notices))
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
    let base = args.name.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        usage(format!("`{}` has no name in its last part", args.name.shown()), "for example www.example")
    })?;
    let directory =
        args.dir.clone().unwrap_or_else(|| args.name.parent().unwrap_or(Path::new("")).to_owned());
    if !directory.as_os_str().is_empty() && !directory.is_dir() {
        return Err(no_directory(&directory));
    }
    let mut notices = Vec::new();
    let subject = match &args.subject {
        Some(text) => subject(text)?,
        None => common_name(base)?,
    };
    let names = alt_names(args, base, takes_dns, &mut notices)?;
    let algorithm = match &args.key {
        Some(text) => key(text)?,
        None => assembly::leaf_key(&home_of(global), global.config.as_deref())?,
    };
    let wanted =
        Wanted { directory, base, subject, names, algorithm, encrypt: args.encrypt, sign: args.sign };
    Ok(Made { notices, ..make_pair(global, wanted)? })
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
    /// Whether a certificate will be written beside them.
    pub(crate) sign: bool,
}

/// Creates a key and a request for it, and writes both. Neither file may exist.
pub(crate) fn make_pair(global: &Global, wanted: Wanted<'_>) -> Result<Made, Problem> {
    let Wanted { directory, base, subject, names, algorithm, encrypt, sign } = wanted;
    let path = |extension: &str| directory.join(format!("{base}.{extension}"));
    let to_be_made = [path("key"), path("req"), path("crt")];
    for path in to_be_made.iter().take(if sign { 3 } else { 2 }) {
        if path.exists() {
            return Err(taken(path));
        }
    }
    let new = SubscriberKey::generate(algorithm)?;
    let private = if encrypt {
        let secret = passphrase(global, base)?;
        encrypted_private_key_pem(&new, &secret)?
    } else {
        new.to_pem()?
    };
    let der = new.request(&subject, &names)?;
    let request = pem::encode("CERTIFICATE REQUEST", &der);
    write_new(&path("key"), private.as_bytes(), Mode::Private).map_err(not_written)?;
    write_new(&path("req"), request.as_bytes(), Mode::Public).map_err(not_written)?;
    Ok(Made {
        key: path("key"),
        request: path("req"),
        certificate: path("crt"),
        algorithm,
        subject,
        names,
        notices: Vec::new(),
    })
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
        return args
            .san
            .iter()
            .map(|text| {
                parse_alt_name(text)
                    .map_err(|error| usage(error.to_string(), "for example --san DNS:www.example"))
            })
            .collect();
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

fn passphrase(global: &Global, name: &str) -> Result<genfic_ca::signing::Secret, Problem> {
    let prompt = TerminalPrompt::new(!global.no_input && !global.json);
    let given = global.passphrase_from.as_deref().map(str::parse::<SecretSpec>).transpose()?;
    let source = given.unwrap_or_default().source(prompt);
    Ok(source.secret(&SecretPurpose::Protect(name.into()))?)
}
