//! `key list`, `key export`, `key envelope`.
use super::envelope;
use super::question::confirm_by_name;
use super::unlocking::two_sources;
use super::values::usage;
use crate::cli::{Global, KeyEnvelope, KeyExport};
use crate::report::{Column, Report, path_value, table};
use crate::session::Session;
use genfic_ca::assembly::{PassphraseFor, SignerAdministration};
use genfic_ca::ca::{KeyWhere, ListedKey};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::signing::{KeyLimits, KeyProtection, LimitsChange, Protection, Stanza};
use serde_json::{Value, json};
use std::path::Path;

const TABLE: [Column; 5] = [
    Column::whole("CA"),
    Column::text("KEY").leaves(2),
    Column::text("WHERE"),
    Column::text("PROTECTED BY"),
    Column::times("LAST USED").leaves(1),
];

/// Lists the keys of the CAs of this home.
pub(crate) fn list(session: &Session) -> Result<Report, Problem> {
    let keys = session.engine().lifecycle().keys()?;
    let values: Vec<Value> = keys.iter().map(fields).collect();
    if keys.is_empty() {
        let text = "no key of a CA yet; `genfic-ca create-root NAME` makes the first";
        return Ok(Report::seen(json!({ "keys": values }), text));
    }
    let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
    let problems =
        keys.iter().filter_map(|key| problem(key).map(|said| format!("{}: {said}", key.authority)));
    Ok(Report::seen(json!({ "keys": values }), table(&TABLE, &rows)).warn(problems.collect::<Vec<_>>()))
}

/// Returns what is wrong with a key, in a sentence.
fn problem(key: &ListedKey) -> Option<String> {
    match &key.described {
        Err(problem) => Some(problem.message.clone()),
        Ok(described) if described.protection.is_none() && key.place != KeyWhere::Media => {
            Some(format!("the key {} is not in its place", key.uri))
        }
        Ok(_) => None,
    }
}

fn row(key: &ListedKey) -> Vec<String> {
    let place = match (key.place, &key.file) {
        (KeyWhere::Home, Some(file)) => file.shown().to_string(),
        (KeyWhere::Home, None) => key.uri.clone(),
        (KeyWhere::Service, _) => "the service".to_owned(),
        (KeyWhere::Token, _) => key.uri.clone(),
        (KeyWhere::Media, Some(file)) => format!("medium in use, {}", file.shown()),
        (KeyWhere::Media, None) => "media, offline".to_owned(),
    };
    let described = key.described.as_ref().ok();
    let protection = described.and_then(|described| described.protection.as_ref());
    let protected = match (protection, key.place) {
        (Some(protection), _) => in_words(protection),
        (None, KeyWhere::Media) => "-".to_owned(),
        (None, _) if described.is_some() => "missing".to_owned(),
        (None, _) => "unknown".to_owned(),
    };
    let used = match described {
        Some(described) => described.last_used.map_or_else(|| "never".to_owned(), |at| at.to_string()),
        None => "unknown".to_owned(),
    };
    vec![key.authority.clone(), key.algorithm.to_string(), place, protected, used]
}

/// Returns what opens a key, in words.
fn in_words(protection: &KeyProtection) -> String {
    match protection {
        KeyProtection::File(Protection::Recipients(stanzas)) if stanzas.iter().any(Stanza::is_of_plugin) => {
            format!("{}, plugin", Protection::Recipients(stanzas.clone()))
        }
        KeyProtection::File(file) => file.to_string(),
        KeyProtection::Shares { threshold, shares } => format!("{threshold} of {shares} shares"),
        KeyProtection::Token => "PIN of the token".to_owned(),
    }
}

/// Returns the JSON fields of a key.
fn fields(key: &ListedKey) -> Value {
    let described = key.described.as_ref().ok();
    let protection = described.and_then(|described| described.protection.as_ref());
    let (mut kind, mut log_n, mut recipients, mut shares) = (None, None, Vec::new(), None);
    match protection {
        None => {}
        Some(KeyProtection::File(Protection::Passphrase { log_n: cost })) => {
            (kind, log_n) = (Some("passphrase"), *cost);
        }
        Some(KeyProtection::File(Protection::Recipients(stanzas))) => {
            (kind, recipients) = (Some("recipients"), stanzas.iter().map(word).collect());
        }
        Some(KeyProtection::Shares { threshold, shares: count }) => {
            (kind, shares) = (Some("shares"), Some((*threshold, *count)));
        }
        Some(KeyProtection::Token) => kind = Some("token"),
    }
    json!({
        "name": key.authority,
        "key": key.uri,
        "where": match key.place {
            KeyWhere::Home => "home",
            KeyWhere::Service => "service",
            KeyWhere::Token => "token",
            KeyWhere::Media => "media",
        },
        "file": key.file.as_deref().map(path_value),
        "algorithm": key.algorithm.to_string(),
        "protection": kind,
        "scrypt_log_n": log_n,
        "recipients": recipients,
        "threshold": shares.map(|one| one.0),
        "shares": shares.map(|one| one.1),
        "last_used": described.and_then(|described| described.last_used).map(|at| at.to_string()),
        "waiting": key.waits,
        "retired": key.is_retired,
        "problem": problem(key),
    })
}

/// Returns the word by which a recipient's stanza begins.
fn word(stanza: &Stanza) -> &str {
    match stanza {
        Stanza::X25519 => "X25519",
        Stanza::Other(word) => word,
    }
}

/// Writes the private key of a CA into a file, encrypted.
pub(crate) fn export(session: &Session, args: &KeyExport) -> Result<Report, Problem> {
    let (name, path) = (&args.name, &args.output);
    let lifecycle = session.engine().lifecycle();
    lifecycle.exportable_key(name).map_err(|problem| match problem.code {
        Code::KeyInService => problem
            .hint(format!("as yourself, without sudo -u: genfic-ca key export {name} --service -o FILE")),
        _ => problem,
    })?;
    must_be_free(path)?;
    let question = format!(
        "whoever has {} and its passphrase signs as {name}, anywhere, without this record, without limits and unseen\n\
         type the name of the CA to have its private key written there:",
        path.shown()
    );
    confirm_by_name(&session.global, &question, name, args.confirm.as_deref())?;
    let algorithm = lifecycle.export_key(name, path)?;
    let result = json!({
        "name": name,
        "file": path_value(path),
        "algorithm": algorithm.to_string(),
        "format": "PKCS#8, PBES2",
    });
    let text = format!(
        "the private key of {name} ({algorithm}) is in {}, encrypted with the passphrase of the file\n\
         the key here stays as it is; the export is in the journal and in the audit record\n\
         next: openssl pkey -in {0} -noout tries the passphrase; genfic-ca key import NAME {0} takes it in elsewhere",
        path.shown()
    );
    Ok(Report::done(result, text))
}

/// The same for a key of the signer that listens, by one of its administrators. No home is opened.
pub(crate) fn export_from_service(global: &Global, args: &KeyExport) -> Result<Report, Problem> {
    let (name, path) = (&args.name, &args.output);
    must_be_free(path)?;
    let (spec, new) = two_sources(
        global.passphrase_from.as_deref(),
        args.new_passphrase_from.as_deref(),
        "nothing was written",
    )?;
    let question = format!(
        "whoever has {} and its passphrase signs as {name}, anywhere, without the signer, without limits and unseen\n\
         type the name of the CA to have its private key written there:",
        path.shown()
    );
    confirm_by_name(global, &question, name, args.confirm.as_deref())?;
    let passphrase = PassphraseFor { spec, attended: !global.no_input };
    SignerAdministration::at(&args.signer.socket).export(name, &passphrase, &new, path)?;
    let result = json!({
        "name": name,
        "file": path_value(path),
        "algorithm": null,
        "format": "PKCS#8, PBES2",
    });
    let text = format!(
        "the private key of {name} is in {}, encrypted with the passphrase of the file\n\
         the key in the signer stays as it is; the export is in its journal\n\
         next: openssl pkey -in {0} -noout tries the passphrase; genfic-ca key import NAME {0} takes it in elsewhere",
        path.shown()
    );
    Ok(Report::done(result, text))
}

fn must_be_free(path: &Path) -> Result<(), Problem> {
    if path == Path::new("-") {
        return Err(usage("a private key goes into a file, not to standard output", "give -o FILE"));
    }
    match path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(_) => Err(Problem::new(Code::FileExists, format!("{} is there already", path.shown()))
            .hint("name another file, or move this one away; nothing was written")),
    }
}

/// Shows the envelope of a key, or sets limits in it.
pub(crate) fn limits(session: &Session, args: &KeyEnvelope) -> Result<Report, Problem> {
    let lifecycle = session.engine().lifecycle();
    changed(
        &session.global,
        args,
        |settings| lifecycle.key_limits(&args.name, settings),
        |settings, before| lifecycle.set_key_limits(&args.name, settings, before),
    )
}

/// The same for a key of the signer that listens, by one of its administrators. No home is opened.
pub(crate) fn limits_in_service(global: &Global, args: &KeyEnvelope) -> Result<Report, Problem> {
    let administration = SignerAdministration::at(&args.signer.socket);
    if let Some(certificate) = &args.accept_certificate {
        return accepted(global, &administration, args, certificate);
    }
    changed(
        global,
        args,
        |settings| administration.limits(&args.name, settings),
        |settings, before| administration.set_limits(&args.name, settings, before),
    )
}

/// Accepts a certificate of a CA whose issuer the signer does not know.
fn accepted(
    global: &Global,
    administration: &SignerAdministration,
    args: &KeyEnvelope,
    digest: &str,
) -> Result<Report, Problem> {
    let question = format!(
        "the signer does not know who issued the certificate with the SHA-256 {digest}\n\
         compare it with the one that the issuer gave for {}; the key signs under it then\n\
         type the name of the CA to accept it:",
        args.name
    );
    confirm_by_name(global, &question, &args.name, args.confirm.as_deref())?;
    administration.accept_certificate(&args.name, digest)?;
    let result = json!({ "name": args.name, "accepted": format!("sha256:{digest}") });
    let text = format!("the signer takes the certificate of {} with the SHA-256 {digest}", args.name);
    Ok(Report::done(result, text))
}

type Settings = [(String, String)];

fn changed(
    global: &Global,
    args: &KeyEnvelope,
    look: impl FnOnce(&Settings) -> Result<LimitsChange, Problem>,
    set: impl FnOnce(&Settings, &KeyLimits) -> Result<(), Problem>,
) -> Result<Report, Problem> {
    let settings = settings(&args.set)?;
    let LimitsChange { before, after, is_wider } = look(&settings)?;
    let now = envelope::object(&before);
    if settings.is_empty() || before == after {
        let text = format!("{} signs at most\n{}", args.name, envelope::lines(&before));
        return Ok(Report::seen(json!({ "name": args.name, "envelope": now }), text));
    }
    let then = envelope::object(&after);
    let differences = envelope::differences(&before, &after);
    let kind = if is_wider { "WIDER: the key will sign what it does not sign now" } else { "narrower" };
    let question =
        format!("the envelope of {}, {kind}\n{differences}\ntype the name of the CA to set it:", args.name);
    confirm_by_name(global, &question, &args.name, args.confirm.as_deref())?;
    set(&settings, &before)?;
    let result = json!({ "name": args.name, "envelope": then, "before": now, "wider": is_wider });
    let text = format!(
        "the envelope of {} is {} now\n{differences}\nit is in the signer's journal, and counts from the next signature on",
        args.name,
        if is_wider { "wider" } else { "narrower" }
    );
    Ok(Report::done(result, text))
}

fn settings(given: &[String]) -> Result<Vec<(String, String)>, Problem> {
    let parted = given.iter().map(|text| {
        let (field, value) = text.split_once('=').ok_or_else(|| {
            usage(format!("--set {text}"), "give a field and its value, for example longest_days=400")
        })?;
        if value.chars().any(char::is_control) {
            return Err(usage(format!("--set {field}: the value has control characters"), "give one line"));
        }
        Ok((field.trim().to_owned(), value.trim().to_owned()))
    });
    parted.collect()
}
