//! `crl publish`, `crl show`, `crl check`.
use super::output::Output;
use super::values::{crl as crl_fields, read, usage};
use crate::cli::{CrlCheck, CrlImport, CrlPublish, CrlSubject, Global};
use crate::hints;
use crate::report::{Report, counted, path_value};
use crate::session::{Session, home_of};
use genfic_ca::config::{Config, Stage};
use genfic_ca::error::remedy::Repair;
use genfic_ca::error::{Code, Notice, Problem, Shown as _};
use genfic_ca::home::{AuthorityName, PublicFile};
use genfic_ca::index::Authority;
use genfic_ca::lint::crl_findings;
use genfic_ca::ocsp::query::{QueryError, fetch};
use genfic_ca::x509::text::{crl_json, crl_text};
use genfic_ca::x509::{Certificate, CertificateList, UnixTime, pem};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time that a server may take to deliver a CRL; one minute suffices for long CRLs.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Number of CRL entries that are shown to people; all are in the JSON object.
const SHOWN: usize = 50;

/// Creates and publishes CRLs.
pub(crate) fn publish(session: &Session, args: &CrlPublish) -> Result<Report, Problem> {
    let engine = session.engine();
    if let Some(directory) = args.to.as_ref().filter(|directory| !directory.is_dir()) {
        return Err(super::output::no_directory(directory));
    }
    let mut names = Vec::new();
    if let Some(name) = &args.authority {
        names.push(engine.hierarchy().authority(name)?.name);
    } else {
        engine.maintenance().confirm_clock()?;
        for authority in engine.record().authorities()? {
            let goes_on =
                !authority.is_external() && !engine.hierarchy().is_retired(&authority, engine.now())?;
            // whether a CRL is due may be unreadable; publishing it then reports that, and the CRLs of other CAs are
            // not held up
            if args.all && goes_on || engine.maintenance().crl_is_due(&authority.name).unwrap_or(true) {
                names.push(authority.name);
            }
        }
    }
    let mut published = Vec::new();
    let mut lines = Vec::new();
    let mut failed: Vec<(&str, Problem)> = Vec::new();
    for name in &names {
        let made = engine
            .maintenance()
            .unlock_for_crl(name)
            .and_then(|signer| engine.maintenance().publish_crl(name, &signer));
        match made {
            Ok(crl) => {
                lines.push(format!(
                    "{name}: CRL number {} lists {}, until {}",
                    crl.number,
                    counted(crl.entries, "certificate"),
                    crl.next_update
                ));
                if let Some(delta) = &crl.delta {
                    lines.push(format!(
                        "{name}: delta CRL number {} on base {} lists {}, until {}",
                        crl.number,
                        delta.base,
                        counted(delta.entries, "certificate"),
                        delta.next_update
                    ));
                }
                if let Some(problem) = crl.delta_failure.clone() {
                    lines.push(format!("{name}: no delta CRL: {}", problem.message));
                    failed.push((name, problem));
                }
                let mut fields = crl_fields(&crl);
                if let Some(object) = fields.as_object_mut() {
                    object.insert("name".into(), json!(name));
                    object.insert("entries".into(), json!(crl.entries));
                }
                published.push(fields);
                let deltas = crl.delta.iter().flat_map(|delta| &delta.files);
                let files: Vec<&PathBuf> = crl.files.iter().chain(deltas).collect();
                let copied = args.to.as_ref().map_or(Ok(()), |directory| copy(&files, directory));
                if let Err(problem) = copied {
                    lines.push(format!("{name}: {}", problem.message));
                    failed.push((name, problem));
                }
            }
            Err(problem) if names.len() == 1 => return Err(problem),
            Err(problem) => {
                lines.push(format!("{name}: {}", problem.message));
                failed.push((name, problem));
            }
        }
    }
    if names.is_empty() {
        lines.push("no CRL is due".into());
    }
    let result = json!({ "crls": published });
    let report = if published.is_empty() {
        Report::seen(result, lines.join("\n"))
    } else {
        Report::done(result, lines.join("\n"))
    };
    Ok(report.ending(first(failed)))
}

/// Takes in a CRL that was signed elsewhere.
pub(crate) fn import(session: &Session, args: &CrlImport) -> Result<Report, Problem> {
    let name = &args.authority;
    let crl = decode(&read(&args.file)?, &args.file.shown().to_string())?;
    let imported = session.engine().maintenance().import_crl(name, &crl)?;
    let (revoked, unknown) = imported.recorded;
    let files: Vec<Value> = imported.files.iter().map(path_value).collect();
    let result = json!({
        "name": name,
        "number": imported.number,
        "next_update": imported.next_update.to_string(),
        "entries": imported.entries,
        "recorded": { "revoked": revoked, "serial_only": unknown },
        "lacking": imported.lacking,
        "files": files,
    });
    let mut text = format!(
        "{name}: CRL number {} lists {}, until {}",
        imported.number,
        counted(imported.entries, "certificate"),
        imported.next_update
    );
    if revoked > 0 {
        text.push_str(&format!("\n{} revoked here by it", counted(revoked, "certificate")));
    }
    let mut notices = imported.notices;
    if !imported.lacking.is_empty() {
        notices.push(Notice::from(format!(
            "it lacks what is revoked here, and the next one is owed: {}",
            imported.lacking.join(", ")
        )));
    }
    let report = if imported.is_new { Report::done(result, text) } else { Report::seen(result, text) };
    Ok(report.warn(notices))
}

/// Returns the first problem, with those of the other CAs in its message.
fn first(failed: Vec<(&str, Problem)>) -> Option<Problem> {
    let messages: Vec<String> =
        failed.iter().map(|(name, problem)| format!("{name}: {}", problem.message)).collect();
    let is_one = failed.len() == 1;
    let (_, problem) = failed.into_iter().next()?;
    Some(if is_one { problem } else { Problem { message: messages.join("; "), ..problem } })
}

fn copy(files: &[&PathBuf], directory: &Path) -> Result<(), Problem> {
    for file in files {
        let contents = fs::read(file).map_err(|error| {
            Problem::new(Code::FileNotRead, format!("{} cannot be read: {error}", file.shown()))
        })?;
        if let Some(name) = file.file_name() {
            Output::within(&directory.join(name))?.put(&contents)?;
        }
    }
    Ok(())
}

/// Shows a CRL.
pub(crate) fn show(global: &Global, args: &CrlSubject) -> Result<Report, Problem> {
    let crl = decode(&octets_of(global, &args.what)?.octets, &args.what)?;
    Ok(Report::seen(crl_json(&crl, usize::MAX), crl_text(&crl, SHOWN)))
}

/// What is said to be a CRL.
struct Given {
    octets: Vec<u8>,
    /// The public place of a CA's CRL, from where clients have it as DER (RFC 5280 §4.2.1.13); `None` elsewhere.
    published: Option<PathBuf>,
}

/// Returns the octets of a CA's published CRL, or of a file.
fn octets_of(global: &Global, what: &str) -> Result<Given, Problem> {
    if let Ok(name) = what.parse::<AuthorityName>() {
        let published = home_of(global).public_file(&name, PublicFile::Crl);
        if published.is_file() {
            return Ok(Given { octets: read(&published)?, published: Some(published) });
        }
        if home_of(global).public_file(&name, PublicFile::Certificate).is_file() {
            let message = format!("the CRL of {name} is not in its public place, {}", published.shown());
            return Err(Problem::new(Code::CrlNotPublished, message).hint(to_have(global, &name, published)?));
        }
    }
    Ok(Given { octets: read(Path::new(what))?, published: None })
}

/// Returns the CRL of a file in `public/`, as clients read it.
fn decode_published(octets: &[u8], file: &Path) -> Result<CertificateList, Problem> {
    CertificateList::from_der(octets).map_err(|error| {
        let message = format!("{} is no CRL in DER: {error}", file.shown());
        Problem::new(Code::FileMalformed, message).hint(
            "clients have it from there as it stands; from PEM: openssl crl -outform DER -in FILE -out FILE",
        )
    })
}

/// Returns how a CRL that is not there is had: it is published, or that of an external CA is brought.
fn to_have(global: &Global, name: &AuthorityName, published: PathBuf) -> Result<String, Problem> {
    let authority = Session::open(global)?.engine().record().authority(name.as_str())?;
    Ok(match authority {
        Some(authority) if authority.is_external() => {
            hints::text(&Repair::BringCrl(authority.name, published).into()).into_owned()
        }
        _ => format!("run: genfic-ca crl publish {name}"),
    })
}

/// Returns the CRL of a file, PEM or DER.
pub(super) fn decode(octets: &[u8], what: &str) -> Result<CertificateList, Problem> {
    let malformed = |error: String| {
        Problem::new(Code::FileMalformed, format!("{what}: {error}")).hint("a CRL, PEM or DER, is needed")
    };
    let blocks = pem::decode_file(octets, "X509 CRL").map_err(|error| malformed(error.to_string()))?;
    let block = blocks
        .iter()
        .find(|block| block.label == "X509 CRL")
        .ok_or_else(|| malformed("there is no X509 CRL block".into()))?;
    CertificateList::from_der(&block.der).map_err(|error| malformed(error.to_string()))
}

fn not_fetched(error: &QueryError) -> Problem {
    let (code, hint) = match error {
        QueryError::Unreachable { .. } => (Code::CrlUnreachable, "is the server running, and the URL right?"),
        _ => (Code::CrlNotThere, "name the URL that certificates have in their CRL distribution point"),
    };
    Problem::new(code, error.to_string()).hint(hint)
}

/// Checks a CRL: it can be decoded, is signed by its issuer, is current, has no outdated number, and passes the lint
/// rules.
pub(crate) fn check(global: &Global, args: &CrlCheck) -> Result<Report, Problem> {
    let given = if args.what.starts_with("http://") {
        let octets = fetch(&args.what, TIMEOUT).map_err(|error| not_fetched(&error))?;
        Given { octets, published: None }
    } else if args.what.contains("://") {
        return Err(usage(
            format!("`{}` is not an http:// URL", args.what),
            "CRLs are fetched by plain http, for they are signed; or fetch it and check the file",
        ));
    } else {
        octets_of(global, &args.what)?
    };
    let crl = match &given.published {
        Some(file) => decode_published(&given.octets, file)?,
        None => decode(&given.octets, &args.what)?,
    };
    let session = if home_of(global).exists() { Some(Session::open(global)?) } else { None };
    let now = session.as_ref().map_or_else(genfic_ca::assembly::now, |session| session.engine().now());
    let mut findings: Vec<String> = Vec::new();
    let issuer = issuer_of(session.as_ref(), args, &crl)?;
    match &issuer {
        None => findings.push("its issuer is none of this home's CAs; give --issuer FILE".into()),
        Some(issuer) if !crl.is_signed_by(issuer.tbs().public_key()) => {
            let message = format!("{} is not signed by {}", args.what, issuer.tbs().subject());
            return Err(Problem::new(Code::CrlSignature, message)
                .hint("do not use it; fetch it again or publish a new one"));
        }
        Some(_) => {}
    }
    let authority = match (&session, &issuer) {
        (Some(session), Some(issuer)) => session.engine().record().authority_of(&issuer.tbs().as_issuer())?,
        _ => None,
    };
    findings.extend(dates(&crl, session.as_ref(), authority.as_ref(), now));
    if let (Some(session), Some(authority)) = (&session, &authority) {
        findings.extend(against_index(session, authority, &crl)?);
    }
    findings.extend(crl_findings(crl.tbs(), issuer.as_ref()).into_iter().map(|finding| finding.message));
    let result = json!({
        "number": crl.tbs().crl_number(),
        "this_update": crl.tbs().this_update().to_string(),
        "next_update": crl.tbs().next_update().map(|at| at.to_string()),
        "issuer": crl.tbs().issuer().to_string(),
        "findings": findings.iter().map(|finding| Value::String(finding.clone())).collect::<Vec<_>>(),
    });
    if findings.is_empty() {
        let until = crl.tbs().next_update().map_or_else(String::new, |at| format!(", until {at}"));
        let number = crl.tbs().crl_number().unwrap_or_default();
        return Ok(Report::seen(result, format!("{}: CRL number {number} is in order{until}", args.what)));
    }
    let problem = Problem::new(Code::CrlFindings, counted(findings.len(), "finding"));
    Ok(Report::seen(result, findings.join("\n")).ending(Some(problem)))
}

fn issuer_of(
    session: Option<&Session>,
    args: &CrlCheck,
    crl: &CertificateList,
) -> Result<Option<Certificate>, Problem> {
    if let Some(file) = &args.issuer {
        let certificate = Certificate::from_pem_or_der(&read(file)?)
            .map_err(|error| usage(format!("{}: {error}", file.shown()), "--issuer takes a certificate"))?;
        return Ok(Some(certificate));
    }
    let Some(session) = session else { return Ok(None) };
    let candidates: Vec<Certificate> = session
        .engine()
        .record()
        .authorities()?
        .into_iter()
        .map(|authority| authority.certificate)
        .filter(|certificate| certificate.tbs().subject().is_same_as(crl.tbs().issuer()))
        .collect();
    let signed = candidates.iter().find(|certificate| crl.is_signed_by(certificate.tbs().public_key()));
    Ok(signed.or(candidates.first()).cloned())
}

/// Returns what the times of a CRL say. The next CRL of a CA whose key is elsewhere has to be brought.
fn dates(
    crl: &CertificateList,
    session: Option<&Session>,
    authority: Option<&Authority>,
    now: UnixTime,
) -> Vec<String> {
    let mut findings = Vec::new();
    let this_update = crl.tbs().this_update();
    if this_update > now {
        findings.push(format!("it is not valid before {this_update}"));
    }
    let Some(next) = crl.tbs().next_update() else {
        findings.push("it does not say when the next one comes".into());
        return findings;
    };
    let defaults = Config::default();
    let config = session.map_or(&defaults, |session| &session.engine().settings().config);
    let (name, offline) =
        authority.map_or(("", false), |one| (one.name.as_str(), one.is_offline_unless_configured()));
    let remedy = match authority {
        Some(one) if one.is_external() => {
            format!("bring the next one from where the key of {name} is, as public/{name}.crl")
        }
        _ => "publish a new one".into(),
    };
    match config.crl_lifetime(name, offline, this_update, next).stage(now) {
        Stage::Lapsed => findings.push(format!("it lapsed at {next}; {remedy}")),
        Stage::Due if authority.is_some_and(Authority::is_external) => {
            findings.push(format!("the next one is due; it lapses at {next}; {remedy}"));
        }
        Stage::Due => findings.push(format!("the next one is due; it lapses at {next}")),
        Stage::Future | Stage::Current => {}
    }
    findings
}

/// Returns what the record of the CA says about its CRL; nothing for an external CA, whose CRLs are on record
/// elsewhere.
fn against_index(
    session: &Session,
    authority: &Authority,
    crl: &CertificateList,
) -> Result<Vec<String>, Problem> {
    let engine = session.engine();
    let mut findings = Vec::new();
    if authority.is_external() {
        return Ok(findings);
    }
    let id = authority.issuer;
    if let Some(last) = engine.record().last_crl(&id)?
        && crl.tbs().crl_number().is_none_or(|number| number < last.number)
    {
        findings.push(format!("number {} was issued since", last.number));
    }
    if engine.record().crl_is_owed(&id)? {
        findings.push("something was revoked or released since the last CRL; publish a new one".into());
    }
    Ok(findings)
}
