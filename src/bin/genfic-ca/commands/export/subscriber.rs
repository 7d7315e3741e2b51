//! `export p12`: a certificate with its key and chain, for its subscriber.
use super::super::chain::issuers;
use super::super::output::Output;
use super::chosen::{Chosen, found, of_key};
use crate::cli::{Global, SubscriberFile};
use crate::prompt::TerminalPrompt;
use crate::report::{Report, counted, path_value};
use crate::session::Session;
use genfic_ca::error::{Code, Exit, Problem, Shown as _};
use genfic_ca::export::pkcs12::{self, Holding, Passphrase, Protection};
use genfic_ca::signing::{
    KeyError, NewPassphrases, PassphraseSources, SecretPurpose, SecretSource, SecretSpec,
};
use genfic_ca::subscriber_key::read_subscriber_key_file;
use serde_json::json;

/// Returns the source of the passphrase for a new file. The sources of CA keys' passphrases are never used for it.
pub(crate) fn new_passphrase(
    global: &Global,
    spec: Option<&str>,
    generate: bool,
) -> Result<PassphraseSources<'static>, Problem> {
    let spec = spec.map(str::parse::<SecretSpec>).transpose().map_err(of_flag("--p12-passphrase-from"))?;
    let prompt = TerminalPrompt::new(!global.no_input && !global.json);
    if !generate {
        return Ok(spec.unwrap_or_default().source(prompt));
    }
    if !matches!(spec, None | Some(SecretSpec::Prompt | SecretSpec::File(_))) {
        return Err(Problem::new(Code::UsagePassphraseFrom, "a generated passphrase has no other source")
            .hint(
                "with --generate, --p12-passphrase-from takes prompt, or file:PATH for a file to be made",
            ));
    }
    let new = NewPassphrases { from: spec, generates: true, policy: None };
    Ok(SecretSpec::Prompt.source(prompt).with_new(new))
}

/// Returns the source of the passphrase of the key that is exported, when one was given.
pub(crate) fn key_passphrase(
    global: &Global,
    spec: Option<&str>,
) -> Result<Option<PassphraseSources<'static>>, Problem> {
    let spec = spec.map(str::parse::<SecretSpec>).transpose().map_err(of_flag("--key-passphrase-from"))?;
    Ok(spec.map(|spec| spec.source(TerminalPrompt::new(!global.no_input && !global.json))))
}

fn of_flag(flag: &'static str) -> impl Fn(genfic_ca::signing::InvalidSecretSpec) -> Problem {
    move |error| {
        let problem = Problem::from(error);
        Problem { message: format!("{flag}: {}", problem.message), ..problem }
    }
}

/// Returns a passphrase that every reader of PKCS#12 accepts.
pub(super) fn pkcs12_passphrase(secrets: &dyn SecretSource, what: &str) -> Result<Passphrase, Problem> {
    let secret = secrets.secret(&SecretPurpose::Protect(what.into())).map_err(|error| {
        let hint = match error {
            KeyError::InputNeeded(_) => "use --p12-passphrase-from file:PATH, env:VAR, fd:N or cred:NAME",
            KeyError::NotShown(_) => "use --p12-passphrase-from file:PATH: it is written into this new file",
            _ => "see that the source named by --p12-passphrase-from has the passphrase",
        };
        Problem::from(error).hint(hint)
    })?;
    Passphrase::new(secret).map_err(|error| {
        Problem::of(Code::KeyPassphraseUnsuitable, error).hint("choose letters, digits and signs of ASCII")
    })
}

/// Writes key, certificate and chain as PKCS#12.
pub(crate) fn subscriber(
    session: &Session,
    args: &SubscriberFile,
    old: Option<&PassphraseSources<'static>>,
    secrets: &PassphraseSources<'static>,
) -> Result<Report, Problem> {
    let engine = session.engine();
    let found = found(engine, &args.certificate)?;
    let output = Output::private(&args.output, args.force)?.beside_json(&session.global)?;
    let key = match old {
        Some(old) => read_subscriber_key_file(&args.key, old),
        None => read_subscriber_key_file(&args.key, &session.secrets()?),
    };
    let key = key.map_err(unopened)?;
    let Chosen { record, certificate, notices } = of_key(engine, found, &args.certificate, &key, &args.key)?;
    let chain = issuers(engine, &record.authority, args.with_root)?;
    let subject = certificate.tbs().subject();
    let name = match &args.friendly_name {
        Some(name) => name.clone(),
        None => subject.common_name().unwrap_or_else(|| subject.to_string()),
    };
    let passphrase = pkcs12_passphrase(secrets, "the PKCS#12 file")?;
    let holding =
        Holding { key: key.to_pkcs8_der()?, certificate: &certificate, chain: &chain, friendly_name: &name };
    let protection = if args.legacy { Protection::Legacy } else { Protection::Modern };
    let octets = pkcs12::holding(&holding, &passphrase, protection)?;
    let file = output.put_private(&octets, args.force)?;
    let mut warnings = notices;
    warnings.extend(secrets.take_notes());
    if args.legacy {
        warnings.push("3DES and SHA-1 hold off little: send the file as you would send the bare key".into());
    }
    let text = format!(
        "key and certificate of {subject} with {} written to {}",
        counted(chain.len(), "issuer"),
        args.output.shown()
    );
    let result = json!({
        "file": file.as_ref().map(path_value),
        "serial": record.id.serial_number.to_string(),
        "subject": subject.to_string(),
        "fingerprint": certificate.fingerprint().to_string(),
        "friendly_name": name,
        "chain": chain.iter().map(|one| one.tbs().subject().to_string()).collect::<Vec<_>>(),
        "legacy": args.legacy,
    });
    let octets = file.is_none().then_some(octets);
    Ok(Report { octets, ..Report::done(result, text) }.warn(warnings))
}

/// Returns the problem of a subscriber's key file. The file is not one of the home, so its remedy differs.
pub(super) fn unopened(error: KeyError) -> Problem {
    let hint = match &error {
        KeyError::NotFound(_) => "check the name and the directory; whoever made the request has the key",
        KeyError::Backend(..) => "PKCS#8, PKCS#1 and SEC 1 are read, PEM or DER, also from an age file",
        KeyError::InputNeeded(_) => "use --key-passphrase-from file:PATH, env:VAR, fd:N or cred:NAME",
        _ => "",
    };
    let exit = if matches!(error, KeyError::NotFound(_)) { Some(Exit::NotFound) } else { None };
    let problem = Problem::from(error);
    let problem = Problem { exit: exit.unwrap_or(problem.exit), ..problem };
    if hint.is_empty() { problem } else { problem.hint(hint) }
}
