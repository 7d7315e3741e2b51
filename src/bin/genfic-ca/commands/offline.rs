//! `key export-bundle` and `key import-bundle`.
use super::question::{confirm, confirm_attended};
use super::values::usage;
use crate::bundle_usage::bundle_usage;
use crate::cli::{KeyExportBundle, KeyImportBundle};
use crate::report::{Report, counted, path_value};
use crate::session::Session;
use genfic_ca::ca::KeyExport;
use genfic_ca::ceremony::{Medium, profiles_in};
use genfic_ca::error::{Notice, Problem, Shown as _};
use genfic_ca::home::quoted;
use serde_json::{Value, json};
use std::path::Path;

/// Moves the key of a CA to media.
pub(crate) fn export_bundle(session: &Session, args: &KeyExportBundle) -> Result<Report, Problem> {
    let media: Vec<Medium> = args.to.iter().map(Medium::at).collect();
    for (at, medium) in args.to.iter().enumerate() {
        let before = args.to.iter().take(at);
        if before.clone().any(|other| other == medium) {
            return Err(usage(format!("{} is named twice", medium.shown()), "give each medium once"));
        }
    }
    let lifecycle = session.engine().lifecycle();
    if lifecycle.has_key_file_of_service(&args.name)? {
        return taken_to_media(session, args, &media);
    }
    let export = KeyExport {
        authority: args.name.clone(),
        media: media.clone(),
        profiles: profiles_in(&session.assembly.home.policy_directory())?,
        usage: bundle_usage(&args.name),
        is_copy: is_copy(session, &args.name, &media),
        sealed: args.sealed,
    };
    let may_overwrite = |stale: &[Medium]| {
        let places: Vec<String> = stale.iter().map(|medium| quoted(medium.directory())).collect();
        let question = format!(
            "{} has the key of {} encrypted otherwise: what opens it now does not open it then. Overwrite that file?",
            places.join(", "),
            args.name
        );
        confirm(&session.global, &question)
    };
    let told = warnings(session, &args.name, &media);
    if !told.is_empty() {
        confirm_attended(&session.global, || {
            Ok(format!("{}\nMove the key of {} there?", told.join("\n"), args.name))
        })?;
    }
    let copied = lifecycle.copy_key_to_media(&export, &may_overwrite)?;
    let name = copied.authority.name.clone();
    let mut notices: Vec<Notice> = told.into_iter().chain(copied.notices.clone()).map(Notice::from).collect();
    let first = media.first().map_or(Path::new("."), Medium::directory);
    let on_medium = session.engine_with_medium(first);
    // what opens it may come from a pipe, which is read once
    let signer = match (args.sealed, copied.opened.clone()) {
        (true, _) => None,
        (false, Some(opened)) => Some(opened),
        (false, None) => Some(on_medium.lifecycle().open_on_medium(&copied)?),
    };
    let is_new = lifecycle.record_key_on_media(&copied, &media)?;
    if let Some(signer) = signer {
        match on_medium.lifecycle().sign_ahead(&name, signer) {
            Ok(made) => notices.extend(made),
            Err(problem) => notices.push(format!("nothing was signed ahead: {}", problem.message).into()),
        }
        for medium in &media {
            on_medium.lifecycle().keep_mark(&copied.authority, medium)?;
        }
    } else if session.engine().maintenance().crl_is_due(&name)? {
        notices.push(format!("the CRL of {name} is due now, and its key is away").into());
    }
    if copied.authority.serves_ocsp {
        notices.push(
            format!(
                "{name} has a responder, and its certificates go on to name it; `genfic-ca ocsp disable {name}` ends that"
            )
            .into(),
        );
    }
    let removed = lifecycle.remove_exported_key(&copied)?;
    let places: Vec<Value> = media.iter().map(|medium| path_value(medium.directory())).collect();
    let shown: Vec<String> = media.iter().map(|medium| format!("  {}", quoted(medium.directory()))).collect();
    let result = json!({
        "name": name,
        "media": places,
        "files": copied.files,
        "key_file_sha256": copied.digest,
        "opened": !args.sealed,
        "removed": removed,
    });
    let verified = if args.sealed { "read back and compared" } else { "read back, compared and opened" };
    let mut text = format!(
        "the key of {name} is on {}, {verified}:\n{}\n{}\n",
        counted(media.len(), "medium").replace("mediums", "media"),
        shown.join("\n"),
        match (removed, is_new) {
            (true, _) => "it was removed here: unlinked, then overwritten",
            (false, true) => "it was not here any more",
            (false, false) => "it was not here; this is one more copy",
        }
    );
    if removed {
        text.push_str(
            "a disk that writes elsewhere (SSD, snapshots, a journal) and backups made --with-keys may still have the \
             encrypted file\n",
        );
    }
    text.push_str(&format!(
        "next: take the media away, to two places\nto sign: genfic-ca crl publish {name} --keys DIR, or genfic-ca ceremony \
         request {name} -o FILE"
    ));
    Ok(Report::done(result, text).warn(notices))
}

/// Records that an administrator took the key of a CA from the signer that listens to media.
fn taken_to_media(session: &Session, args: &KeyExportBundle, media: &[Medium]) -> Result<Report, Problem> {
    let name = &args.name;
    let taken = session.engine().lifecycle().record_key_taken_to_media(name, media)?;
    let mut notices = taken.notices;
    if session.engine().maintenance().crl_is_due(name)? {
        notices.push(format!("the CRL of {name} is due now, and its key is away").into());
    }
    let places: Vec<Value> = media.iter().map(|medium| path_value(medium.directory())).collect();
    let result = json!({
        "name": name,
        "media": places,
        "files": [],
        "key_file_sha256": taken.digest,
        "opened": false,
        "removed": false,
    });
    let text = format!(
        "the key of {name} is on media, and in the signer no more; the record says so now\nto sign: genfic-ca ceremony \
         request {name} -o FILE, or genfic-ca crl publish {name} --keys DIR"
    );
    Ok(Report::done(result, text).warn(notices))
}

/// Returns whether the key comes from another medium, which keeps it.
fn is_copy(session: &Session, name: &str, media: &[Medium]) -> bool {
    session.global.keys.as_ref().is_some_and(|source| {
        source.join(format!("{name}.age")).is_file() && media.iter().all(|one| one.directory() != source)
    })
}

/// Returns warnings about media that do not protect the key.
fn warnings(session: &Session, name: &str, media: &[Medium]) -> Vec<String> {
    let home = session.assembly.home.directory();
    let mut notices = Vec::new();
    for medium in media {
        let place = medium.directory().shown();
        if medium.shares_file_system_with(home) {
            notices.push(format!(
                "{place} is on the file system of the home itself: whoever takes that has the key as before"
            ));
        }
        if medium.is_in_memory() {
            notices.push(format!(
                "{place} is in the memory of this machine: the key is lost with it when the power goes"
            ));
        }
    }
    if let [one] = media
        && !is_copy(session, name, media)
    {
        notices.push(format!(
            "{} is the only place of the key then: a medium that fails takes the CA with it; give --to twice",
            one.directory().shown()
        ));
    }
    notices
}

/// Brings the key of a CA back from a medium.
pub(crate) fn import_bundle(session: &Session, args: &KeyImportBundle) -> Result<Report, Problem> {
    let medium = Medium::at(&args.from);
    medium.verify()?;
    let on_medium = session.engine_with_medium(&args.from);
    let file = on_medium.lifecycle().bring_key_back(&args.name, &medium)?;
    let result = json!({ "name": args.name, "file": path_value(&file), "from": path_value(&args.from) });
    let text = format!(
        "the key of {} is here again: {}\nthe media keep theirs; they lack what is signed here from now on",
        args.name,
        file.shown()
    );
    Ok(Report::done(result, text))
}
