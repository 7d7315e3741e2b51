//! `rewrap`.
use crate::cli::{Global, Rewrap};
use crate::output::Report;
use crate::plugins::plugins;
use crate::sources::{key, readers, sources, to_recipients, tried, work};
use genfic_ca::error::{Code, Problem};
use genfic_ca::signing::{Protection, SealKeyFor, SealedKey, Secret};
use serde_json::json;

/// What follows for a key of the signer that a new secret opens.
pub(super) const TIMERS: &str = "it is locked; a credential of the signer's unit for timers needs the new secret: \
    until then this CA's timers cannot sign any more";

/// Encrypts a key anew, as one step.
pub(crate) fn rewrap(global: &Global, args: &Rewrap) -> Result<Report, Problem> {
    work(&args.readers)?;
    if args.signer.service && args.try_identity.is_none() && to_recipients(&args.readers) {
        return Err(Problem::new(Code::Usage, "the signer takes no key back that it cannot open")
            .hint("name a file with one of the identities: --try-identity FILE; nothing was changed"));
    }
    let mut named = key(global, &args.key, &args.signer)?;
    named.must_have_one_name()?;
    let secrets = sources(global, &named, Some(&args.readers))?;
    let plugins = plugins(global, &secrets, &[]);
    let opened = named.open(&secrets, Some(&plugins), true)?;
    let readers = readers(&args.readers, &named, &secrets)?;
    let before = named.sealed()?;
    let after = SealedKey::seal(before.path(), &opened, &readers, Some(&plugins))?;
    let mut secret = match readers {
        SealKeyFor::Passphrase { secret, .. } => secret,
        SealKeyFor::Recipients(_) => Secret::default(),
    };
    if let Some(identity) = &args.try_identity {
        secret = tried(&after, &opened, identity, &plugins)?;
    }
    let how = format!("rewrap, from {} to {}", before.protection(), after.protection());
    let mut warnings = named.replace(&after, &secret, None, &how)?;
    warnings.extend(secrets.take_notes());
    if after.protection().may_be_harvested() {
        warnings.push(harvested().to_owned());
        if args.try_identity.is_none() {
            warnings.push(
                "nobody has tried to open it: `genfic-key rewrap` with --try-identity FILE does that before it \
                 replaces the file"
                    .to_owned(),
            );
        }
    }
    let in_service = args.signer.service;
    let result = json!({
        "name": after.name(),
        "file": (!in_service).then(|| after.path().to_string_lossy()),
        "before": before.protection().to_string(),
        "after": after.protection().to_string(),
    });
    let mut text = format!(
        "{}: {} opens it, no longer {}\nthe key is the same. Copies that were made before, and backups --with-keys, \
         still open as they did",
        named.shown(),
        opener(after.protection()),
        opener(before.protection()),
    );
    if in_service {
        text.push('\n');
        text.push_str(TIMERS);
    }
    Ok(Report { changed: true, result, text, warnings })
}

/// Returns what opens a file, in words.
pub(super) fn opener(protection: &Protection) -> String {
    match protection {
        Protection::Passphrase { .. } => format!("a {protection}"),
        Protection::Recipients(_) => format!("an identity of its {protection}"),
    }
}

/// Returns the warning about recipients.
pub(super) fn harvested() -> &'static str {
    "whoever keeps a copy of a file encrypted to X25519 recipients may open it with a quantum computer one day; a \
     passphrase has no such day: for the key of a root of many years take one"
}
