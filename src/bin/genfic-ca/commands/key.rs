//! `key passphrase`.
use super::values::usage;
use crate::cli::KeyPassphrase;
use crate::report::{Report, columns, path_value};
use crate::session::Session;
use genfic_ca::ca::ReencryptedKey;
use genfic_ca::error::{Notice, Problem, Shown as _};
use genfic_ca::signing::SecretSpec;
use serde_json::{Value, json};

/// Gives the keys of CAs new passphrases.
pub(crate) fn change_passphrase(session: &Session, args: &KeyPassphrase) -> Result<Report, Problem> {
    let lifecycle = session.engine().lifecycle();
    let mut names = if args.all { lifecycle.keys_here()? } else { args.names.clone() };
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    if names.is_empty() {
        return Ok(Report::seen(json!({ "keys": [] }), "there is no key of a CA here; nothing was changed"));
    }
    let left = lifecycle.keys_in_service()?;
    let source = args.new_passphrase_from.as_deref().map(str::parse::<SecretSpec>);
    if args.choice.generate && names.len() > 1 && matches!(source, Some(Ok(SecretSpec::File(_)))) {
        return Err(usage(
            format!("one file has the generated passphrase of one CA, and there are {}", names.len()),
            "change them one after the other, each with a file of its own; nothing was changed",
        ));
    }
    let changed = lifecycle.change_passphrases(&names)?;
    let keys: Vec<Value> =
        changed.iter().map(|one| json!({ "name": one.authority, "file": path_value(&one.place) })).collect();
    let rows: Vec<(String, String)> =
        changed.iter().map(|one| (format!("  {}", one.authority), one.place.shown().to_string())).collect();
    let mut text = format!("only the new passphrase opens\n{}", columns(&rows));
    for name in left.iter().filter(|_| args.all) {
        text.push_str(&format!(
            "\nnot that of {name}, which the signer has; as yourself: genfic-ca key passphrase {name} --service"
        ));
    }
    for one in &changed {
        text.push_str(&old_one_elsewhere(session, one));
    }
    text.push_str(
        "\nwhatever else has an old one needs the new one: services, timers, notes\nbackups --with-keys and copies of \
         the key that were made before still open with the old one",
    );
    let unlisted = changed.into_iter().filter_map(|one| one.unlisted);
    Ok(Report::done(json!({ "keys": keys }), text).warn(unlisted.map(Notice::from)))
}

/// Returns a line about the place from which the configuration takes the passphrase of this CA; empty when it has none.
fn old_one_elsewhere(session: &Session, changed: &ReencryptedKey) -> String {
    let spec = session.assembly.settings().config.passphrase_from(&changed.authority);
    let place = match spec {
        SecretSpec::Prompt => return String::new(),
        SecretSpec::Credential(name) => format!(
            "cred:{name}: systemd-ask-password -n \"Passphrase of {0}:\" | systemd-creds encrypt --name={name} - \
             /etc/credstore.encrypted/{name}",
            changed.authority
        ),
        other => other.to_string(),
    };
    format!(
        "\nnext: put the new passphrase of {} where the configuration takes it from: {place}",
        changed.authority
    )
}
