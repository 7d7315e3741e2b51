//! `rewrap`.
use crate::cli::{Global, Rewrap};
use crate::output::Report;
use crate::plugins::plugins;
use crate::sources::{key, readers, sources, tried, work};
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::signing::{Protection, SealedKey};
use serde_json::json;

/// Encrypts a key anew, as one step.
pub(crate) fn rewrap(global: &Global, args: &Rewrap) -> Result<Report, Problem> {
    work(&args.readers)?;
    let named = key(global, &args.key)?;
    let before = &named.sealed;
    let secrets = sources(global, &named, Some(&args.readers))?;
    let plugins = plugins(global);
    let opened = before.open(&secrets, Some(&plugins))?;
    let readers = readers(&args.readers, &named, &secrets)?;
    let after = SealedKey::seal(before.path(), &opened, &readers, Some(&plugins))?;
    if let Some(identity) = &args.try_identity {
        tried(&after, &opened, identity, &plugins)?;
    }
    let mut warnings: Vec<String> = named
        .note(&format!("rewrap, from {} to {}", before.protection(), after.protection()))
        .into_iter()
        .collect();
    before.replace_by(&after)?;
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
    let result = json!({
        "name": after.name(),
        "file": after.path().to_string_lossy(),
        "before": before.protection().to_string(),
        "after": after.protection().to_string(),
    });
    let text = format!(
        "{}: {} opens it, no longer {}\nthe key is the same. Copies that were made before, and backups --with-keys, \
         still open as they did",
        after.path().shown(),
        opener(after.protection()),
        opener(before.protection()),
    );
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
