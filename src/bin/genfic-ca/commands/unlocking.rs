//! `key unlock`, `key lock`, `key status`: for administrators, as themselves. No home is opened.
use super::envelope;
use super::question::confirm_by_name;
use super::values::usage;
use crate::cli::{Global, KeyLock, KeyPassphrase, KeyStatus, KeyUnlock, UnlockScope};
use crate::report::{Column, Report, table};
use crate::session::home_of;
use genfic_ca::assembly::{PassphraseFor, SignerAdministration, Unlocking, UnlockingTerms, configured_base};
use genfic_ca::config::format_duration;
use genfic_ca::error::Problem;
use genfic_ca::signing::{RecipientText, SecretSpec, TokenUri};
use serde_json::{Value, json};

const TABLE: [Column; 4] =
    [Column::whole("KEY"), Column::text("FOR"), Column::times("UNTIL"), Column::text("BY").leaves(1)];

/// Unlocks a key, or gives the passphrase of one that is about to be made.
pub(crate) fn unlock(global: &Global, args: &KeyUnlock) -> Result<Report, Problem> {
    let scopes = match args.scope.as_slice() {
        [] => &[UnlockScope::Leaf, UnlockScope::Crl][..],
        scopes => scopes,
    };
    let terms = terms_of(&args.lasting, scopes, args.count)?;
    let lasting = terms.lasting;
    let spec = match &global.passphrase_from {
        Some(spec) => spec.parse::<SecretSpec>()?,
        None => SecretSpec::Prompt,
    };
    needs_identity(&args.recipient, &spec)?;
    let attended = !global.no_input;
    let passphrase = PassphraseFor { spec, attended };
    let administration = SignerAdministration::at(&args.signer.socket);
    if args.new {
        let token = args.name.parse::<TokenUri>().ok();
        let said = token.as_ref().and_then(TokenUri::object).unwrap_or(&args.name);
        let profile = profile_of(said, args.profile.as_deref())?;
        let urls = urls_of(global, &args.url);
        let recipients: Vec<String> = args.recipient.iter().map(ToString::to_string).collect();
        let left = administration.prepare(&args.name, (&profile, &urls, &recipients), &terms, &passphrase)?;
        let result = json!({
            "key": args.name, "prepared": true, "is_there": left.is_some(), "profile": profile, "urls": urls,
            "recipients": recipients,
        });
        let (word, name, keystore) = match &token {
            None if !recipients.is_empty() => ("identity", args.name.as_str(), String::new()),
            Some(uri) => ("PIN", uri.object().unwrap_or("NAME"), format!(" --keystore \"{uri}\"")),
            None => ("passphrase", args.name.as_str(), String::new()),
        };
        let given = match &left {
            Some(_) => format!("the key of {name} is there and has no certificate; it is unlocked"),
            None => format!("the signer has the {word} for a new key of {name}"),
        };
        let text = format!(
            "{given}, for {}\n\
             it is for a CA of the profile {profile}, whose certificates name {}\n\
             next: make it, as the CA's user: sudo -u genfic-ca genfic-ca {}{keystore}",
            format_duration(i64::try_from(lasting).unwrap_or(i64::MAX)),
            if urls.is_empty() { "any URL".to_owned() } else { format!("URLs below {}", urls.join(", ")) },
            making(name, &profile)
        );
        return Ok(Report::done(result, text));
    }
    let coming = match args.scope.contains(&UnlockScope::Move) {
        true => administration.proposal(&args.name)?,
        false => None,
    };
    if let Some(proposal) = &coming {
        // by the signer itself: what the account of the CA shows may be something else
        let question = format!(
            "the key of {} is to come to the signer, which binds it by this and nothing else:\n{}\n{}type the name of the CA \
             to allow that:",
            args.name,
            envelope::lines(&proposal.limits),
            proposal.unvouched.iter().map(|line| format!("{line}\n")).collect::<String>()
        );
        confirm_by_name(global, &question, &args.name, args.confirm.as_deref())?;
    }
    let unlocked = administration.unlock(&args.name, coming.as_ref(), &terms, &passphrase)?;
    let text = format!("{} is unlocked for {} until {}", unlocked.key, left(&unlocked), unlocked.until);
    Ok(Report::done(fields(&unlocked), text))
}

/// Returns for how long and for what a key is unlocked, so often.
pub(super) fn terms_of(
    lasting: &str,
    scopes: &[UnlockScope],
    count: Option<u64>,
) -> Result<UnlockingTerms, Problem> {
    let scopes = scopes.iter().map(|scope| (scope.name().to_owned(), count)).collect();
    UnlockingTerms::lasting_for(scopes, lasting)
        .ok_or_else(|| usage(format!("--for {lasting}"), "give a time such as 15m or 2h"))
}

/// Refuses recipients where nobody has an identity of one of them.
pub(super) fn needs_identity(recipients: &[RecipientText], spec: &SecretSpec) -> Result<(), Problem> {
    match !recipients.is_empty() && *spec == SecretSpec::Prompt {
        false => Ok(()),
        true => Err(usage(
            "a key that is encrypted to recipients is opened by an identity of one of them",
            "name the file that has it: --passphrase-from file:PATH",
        )),
    }
}

/// Returns the profile of a CA: the one that was said, or that of its name.
pub(super) fn profile_of(name: &str, said: Option<&str>) -> Result<String, Problem> {
    match said {
        Some(profile) => Ok(profile.to_owned()),
        None => shipped_profile(name).ok_or_else(|| no_profile(name)),
    }
}

/// Returns the beginnings of the URLs that certificates may name: those that were said, or that of the configuration.
pub(super) fn urls_of(global: &Global, said: &[String]) -> Vec<String> {
    match said {
        [] => configured_base(&home_of(global), global.config.as_deref()).into_iter().collect(),
        urls => urls.iter().map(|url| format!("{}/", url.trim_end_matches('/'))).collect(),
    }
}

/// Returns the command that makes a CA of this profile.
fn making(name: &str, profile: &str) -> String {
    match profile {
        "root-ca" => format!("create-root {name}"),
        _ => format!("create-child {name} -p PARENT --profile {profile}"),
    }
}

/// Returns the profile of this program that the name of a CA ends with; a later generation has the name of the first.
fn shipped_profile(name: &str) -> Option<String> {
    let first = name.rsplit_once("-g").filter(|(_, number)| number.parse::<u32>().is_ok());
    let name = first.map_or(name, |(first, _)| first);
    let is_of = |purpose: &str| {
        name.strip_suffix(purpose).is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '.', '_']))
    };
    ["user", "system"].into_iter().find(|purpose| is_of(purpose)).map(|purpose| format!("{purpose}-ca"))
}

fn no_profile(name: &str) -> Problem {
    usage(
        format!("the name {name} does not say what the new key is for"),
        "say it: --profile root-ca for a root, --profile system-ca, user-ca or another one for a CA below it; the key \
         is used for no other",
    )
}

/// Gives a key of the signer that listens a new passphrase.
pub(crate) fn change_passphrase(global: &Global, args: &KeyPassphrase) -> Result<Report, Problem> {
    let [name] = args.names.as_slice() else {
        return Err(usage(
            "the passphrase of one key of the signer is changed at a time",
            "give one name; nothing was changed",
        ));
    };
    let new = args.new_passphrase_from.as_deref();
    let (spec, new) = two_sources(global.passphrase_from.as_deref(), new, "nothing was changed")?;
    let passphrase = PassphraseFor { spec, attended: !global.no_input };
    SignerAdministration::at(&args.signer.socket).change_passphrase(name, &passphrase, &new)?;
    let text = format!(
        "only the new passphrase opens the key of {name} in the signer, and it is locked\n\
         a credential of its unit for timers needs the new one\n\
         copies of its files that were made before still open with the old one"
    );
    Ok(Report::done(json!({ "keys": [{ "name": name, "file": null }] }), text))
}

/// Returns the sources of the present passphrase and of a new one, which are two. `unless` says what did not happen.
pub(super) fn two_sources(
    present: Option<&str>,
    new: Option<&str>,
    unless: &str,
) -> Result<(SecretSpec, SecretSpec), Problem> {
    let spec = |given: Option<&str>| given.map_or(Ok(SecretSpec::Prompt), str::parse);
    let (spec, new) = (spec(present)?, spec(new)?);
    if spec == new && spec != SecretSpec::Prompt {
        return Err(usage(
            format!("the old passphrase and the new one would both come from {spec}"),
            format!("name another source with --new-passphrase-from; {unless}"),
        ));
    }
    Ok((spec, new))
}

/// Locks a key, or every key.
pub(crate) fn lock(args: &KeyLock) -> Result<Report, Problem> {
    let ended = SignerAdministration::at(&args.signer.socket).lock(args.name.as_deref())?;
    let keys: Vec<&str> = ended.iter().map(|one| one.key.as_str()).collect();
    let text = match keys.as_slice() {
        [] => "nothing was unlocked".to_owned(),
        keys => format!("locked: {}", keys.join(", ")),
    };
    Ok(Report::done(json!({ "locked": keys }), text))
}

/// Shows what is unlocked.
pub(crate) fn status(args: &KeyStatus) -> Result<Report, Problem> {
    let unlocked = SignerAdministration::at(&args.signer.socket).unlocked()?;
    let keys: Vec<Value> = unlocked.iter().map(fields).collect();
    if unlocked.is_empty() {
        return Ok(Report::seen(json!({ "keys": keys }), "every key is locked"));
    }
    let rows = unlocked
        .iter()
        .map(|one| vec![one.key.clone(), left(one), one.until.to_string(), by(one)])
        .collect::<Vec<_>>();
    Ok(Report::seen(json!({ "keys": keys }), table(&TABLE, &rows)))
}

fn left(unlocked: &Unlocking) -> String {
    let each = unlocked.left.iter().map(|(scope, count)| match count {
        Some(count) => format!("{count} {scope}"),
        None => scope.clone(),
    });
    let left = each.collect::<Vec<_>>().join(", ");
    if unlocked.is_waiting { format!("{left}, once its CA is taken over") } else { left }
}

fn by(unlocked: &Unlocking) -> String {
    let session = unlocked.session.map(|session| format!(", session {session}")).unwrap_or_default();
    let who = unlocked.user.clone().unwrap_or_else(|| unlocked.loginuid.to_string());
    format!("{who}{session}")
}

fn fields(unlocked: &Unlocking) -> Value {
    json!({
        "key": unlocked.key,
        "scopes": unlocked.left,
        "until": unlocked.until.to_string(),
        "loginuid": unlocked.loginuid,
        "user": unlocked.user,
        "session": unlocked.session,
        "waiting": unlocked.is_waiting,
    })
}
