//! `export p12`: a certificate with its key and chain, for whoever holds it.
use super::super::request::not_written;
use super::super::select::{matches, the_one};
use crate::cli::{Global, HolderFile};
use crate::prompt::TerminalPrompt;
use crate::report::{Report, counted};
use crate::session::Session;
use genfic_ca::ca::Pki;
use genfic_ca::handout::pkcs12::{self, Holding, Passphrase, Protection};
use genfic_ca::index::CertificateRecord;
use genfic_ca::key::{
    KeyError, PassphraseSources, SecretPurpose, SecretSource, SecretSpec, Signer, SoftKey,
    read_holder_key_file,
};
use genfic_ca::problem::{Exit, Problem};
use genfic_ca::publish::{Mode, replace, write_new};
use genfic_ca::x509::Certificate;
use serde_json::json;
use std::path::Path;

/// Where the passphrase of a new file comes from; never from where those of CA keys do.
pub(crate) fn new_passphrase(
    global: &Global,
    spec: Option<&str>,
) -> Result<PassphraseSources<'static>, Problem> {
    let spec = spec.map(str::parse::<SecretSpec>).transpose().map_err(of_flag("--p12-passphrase-from"))?;
    Ok(spec.unwrap_or_default().source(TerminalPrompt::new(!global.no_input && !global.json)))
}

/// Where the passphrase of a key to be handed out comes from, when that is said.
pub(crate) fn key_passphrase(
    global: &Global,
    spec: Option<&str>,
) -> Result<Option<PassphraseSources<'static>>, Problem> {
    let spec = spec.map(str::parse::<SecretSpec>).transpose().map_err(of_flag("--key-passphrase-from"))?;
    Ok(spec.map(|spec| spec.source(TerminalPrompt::new(!global.no_input && !global.json))))
}

fn of_flag(flag: &'static str) -> impl Fn(genfic_ca::key::InvalidSecretSpec) -> Problem {
    move |error| {
        let problem = Problem::from(error);
        Problem { message: format!("{flag}: {}", problem.message), ..problem }
    }
}

/// A passphrase that every reader of PKCS#12 takes.
pub(super) fn pkcs12_passphrase(secrets: &dyn SecretSource, what: &str) -> Result<Passphrase, Problem> {
    let secret = secrets.secret(&SecretPurpose::Protect(what.into())).map_err(|error| {
        let needed = matches!(error, KeyError::InputNeeded(_));
        let hint = if needed {
            "use --p12-passphrase-from file:PATH, env:VAR, fd:N or cred:NAME"
        } else {
            "see that the source named by --p12-passphrase-from has the passphrase"
        };
        Problem::from(error).hint(hint)
    })?;
    Passphrase::new(secret).map_err(|error| {
        Problem::new(Exit::KeyUnavailable, "key.passphrase-unsuitable", error.to_string())
            .hint("choose letters, digits and signs of ASCII")
    })
}

/// The one certificate that the word means, with its octets.
pub(super) fn certificate(pki: &Pki<'_>, word: &str) -> Result<(CertificateRecord, Certificate), Problem> {
    let record = the_one(matches(pki.index, word)?, word, "certificate", pki.clock.now())?;
    match record.certificate.clone() {
        Some(certificate) => Ok((record, certificate)),
        None => {
            let message = format!("`{word}` is on record by its number only");
            Err(Problem::new(Exit::NotFound, "certificate.not-found", message)
                .hint("its certificate was lost, or never signed"))
        }
    }
}

/// The certificates above one, its issuer first; the root where it is wanted.
pub(super) fn issuers(
    pki: &Pki<'_>,
    record: &CertificateRecord,
    with_root: bool,
) -> Result<Vec<Certificate>, Problem> {
    let above = pki.with_ancestors(&record.authority)?;
    let wanted = above.iter().filter(|one| with_root || one.parent.is_some());
    Ok(wanted.map(|one| one.certificate.clone()).collect())
}

/// That a key is the one of a certificate.
pub(super) fn must_match(key: &SoftKey, file: &Path, certificate: &Certificate) -> Result<(), Problem> {
    if key.public_key() == certificate.tbs().public_key() {
        return Ok(());
    }
    let message =
        format!("{} is not the key of the certificate {}", file.display(), certificate.tbs().serial_number());
    Err(Problem::new(Exit::NotVerified, "key.mismatch", message)
        .hint("name the key that the certificate was asked for with, or the certificate of this key"))
}

/// Writes what has a private key in it: 0600, and over nothing unless that is wanted.
pub(super) fn write_private(path: &Path, octets: &[u8], force: bool) -> Result<(), Problem> {
    if force { replace(path, octets, Mode::Private) } else { write_new(path, octets, Mode::Private) }.map_err(
        |error| match error.source.kind() {
            std::io::ErrorKind::AlreadyExists => taken(path),
            _ => not_written(error),
        },
    )
}

/// Says early that a file is there.
pub(super) fn must_be_free(path: &Path, force: bool) -> Result<(), Problem> {
    if !force && path.symlink_metadata().is_ok() { Err(taken(path)) } else { Ok(()) }
}

fn taken(path: &Path) -> Problem {
    Problem::new(Exit::Exists, "file.exists", format!("{} exists already", path.display()))
        .hint("choose another name, or add --force to replace it; nothing was written")
}

/// What should be known of a certificate that is handed out.
pub(super) fn notes(pki: &Pki<'_>, record: &CertificateRecord) -> Vec<String> {
    match record.status(pki.clock.now()).to_string().as_str() {
        "valid" => Vec::new(),
        other => vec![format!("the certificate {} is {other}", record.id.serial_number)],
    }
}

/// Writes key, certificate and chain as PKCS#12.
pub(crate) fn holder(
    session: &Session,
    args: &HolderFile,
    old: Option<&PassphraseSources<'static>>,
    secrets: &dyn SecretSource,
) -> Result<Report, Problem> {
    let pki = session.pki();
    let (record, certificate) = certificate(&pki, &args.certificate)?;
    must_be_free(&args.output, args.force)?;
    let opens: &dyn SecretSource = match old {
        Some(old) => old,
        None => pki.secrets,
    };
    let key = read_holder_key_file(&args.key, opens).map_err(unopened)?;
    must_match(&key, &args.key, &certificate)?;
    let chain = issuers(&pki, &record, args.with_root)?;
    let subject = certificate.tbs().subject();
    let name = match &args.friendly_name {
        Some(name) => name.clone(),
        None => subject.common_name().unwrap_or_else(|| subject.to_string()),
    };
    let passphrase = pkcs12_passphrase(secrets, "the PKCS#12 file")?;
    let holding =
        Holding { key: key.to_pkcs8_der()?, certificate: &certificate, chain: &chain, friendly_name: &name };
    let protection = if args.legacy { Protection::Legacy } else { Protection::Modern };
    write_private(&args.output, &pkcs12::holding(&holding, &passphrase, protection)?, args.force)?;
    let mut warnings = notes(&pki, &record);
    if args.legacy {
        warnings.push("3DES and SHA-1 hold off little: send the file as you would send the bare key".into());
    }
    let text = format!(
        "key and certificate of {subject} with {} written to {}",
        counted(chain.len(), "issuer"),
        args.output.display()
    );
    let result = json!({
        "file": args.output,
        "serial": record.id.serial_number.to_string(),
        "subject": subject.to_string(),
        "fingerprint": certificate.fingerprint().to_string(),
        "friendly_name": name,
        "chain": chain.iter().map(|one| one.tbs().subject().to_string()).collect::<Vec<_>>(),
        "legacy": args.legacy,
    });
    Ok(Report::done(result, text).warn(warnings))
}

/// A key file of a holder is not one of the home: what helps is different.
pub(super) fn unopened(error: KeyError) -> Problem {
    let hint = match &error {
        KeyError::NotFound(_) => "check the name and the directory; whoever made the request has the key",
        KeyError::Backend(..) => "PKCS#8 in PEM is read, and that in an age file",
        KeyError::InputNeeded(_) => "use --key-passphrase-from file:PATH, env:VAR, fd:N or cred:NAME",
        _ => "",
    };
    let exit = if matches!(error, KeyError::NotFound(_)) { Some(Exit::NotFound) } else { None };
    let problem = Problem::from(error);
    let problem = Problem { exit: exit.unwrap_or(problem.exit), ..problem };
    if hint.is_empty() { problem } else { problem.hint(hint) }
}
