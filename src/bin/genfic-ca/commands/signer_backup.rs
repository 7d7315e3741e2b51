//! `backup create`, `verify`, `restore` and `accept` with `--signer`: of the signer that listens. No home is opened.
use super::backup::{open_with, passphrases, protection};
use super::question::confirm;
use super::values::usage;
use crate::cli::{BackupAccept, BackupCreate, BackupRestore, BackupVerify, Global};
use crate::report::{Column, Report, columns, path_value, table};
use genfic_ca::assembly::{self, SignerAdministration};
use genfic_ca::backup::{RestoredSigner, SignerManifest};
use genfic_ca::config::Config;
use genfic_ca::error::{Code, Problem, Shown as _};
use serde_json::{Value, json};
use std::path::Path;

const COLUMNS: [Column; 4] = [
    Column::whole("KEY"),
    Column::whole("CRL IN BACKUP"),
    Column::whole("NEWEST FOUND"),
    Column::whole("NEXT CRL ABOVE"),
];

/// Makes a backup of the signer.
pub(crate) fn create(global: &Global, args: &BackupCreate) -> Result<Report, Problem> {
    if args.to == Path::new("-") {
        let hint = "name a file or a directory: a backup is there when it is whole, and not before";
        return Err(usage("a backup does not go to standard output", hint));
    }
    let sources = passphrases(global)?;
    let protection = protection(args, &sources, Config::default().keys.scrypt_log_n)?;
    let created = assembly::back_up_signer(&args.socket.socket, &args.to, &protection)?;
    let manifest = &created.manifest;
    let result = json!({
        "file": path_value(&created.file),
        "bytes": created.bytes,
        "sha256": created.sha256,
        "created": manifest.created,
        "journal_sequence": manifest.journal.sequence,
        "keys": names(manifest),
    });
    let rows = [
        ("  size", format!("{} octets, {} files", created.bytes, manifest.files.len())),
        ("  sha256", created.sha256.clone()),
        ("  of", format!("{}, journal entry {}", manifest.created, manifest.journal.sequence)),
        ("  keys", names(manifest).join(", ")),
    ];
    let rows: Vec<(String, String)> = rows.map(|(name, value)| (name.to_owned(), value)).into();
    let text = format!(
        "backup of the signer made: {0}\n{1}\nnext: genfic-ca backup verify --signer {0}",
        created.file.shown(),
        columns(&rows)
    );
    Ok(Report::done(result, text).warn(sources.take_notes()))
}

fn names(manifest: &SignerManifest) -> Vec<&str> {
    manifest.keys.iter().map(|key| key.name.as_str()).collect()
}

/// Verifies that a backup of the signer can be restored.
pub(crate) fn verify(global: &Global, args: &BackupVerify) -> Result<Report, Problem> {
    let sources = passphrases(global)?;
    let opener = |needs_passphrase| open_with(needs_passphrase, &args.identity, &sources);
    let verified = genfic_ca::backup::verify_of_signer(&args.file, &opener)?;
    let manifest = &verified.manifest;
    let result = json!({
        "file": path_value(&args.file),
        "created": manifest.created,
        "program": manifest.program,
        "journal_sequence": manifest.journal.sequence,
        "keys": names(manifest),
        "files": manifest.files.len(),
        "faults": verified.faults,
    });
    let rows = [
        ("  of", format!("{}, journal entry {}", manifest.created, manifest.journal.sequence)),
        ("  keys", names(manifest).join(", ")),
    ];
    let rows: Vec<(String, String)> = rows.map(|(name, value)| (name.to_owned(), value)).into();
    let file = args.file.shown();
    if verified.faults.is_empty() {
        return Ok(Report::seen(result, format!("{file} restores\n{}", columns(&rows))));
    }
    let message = format!("{file} does not restore\n{}", verified.faults.join("\n"));
    let problem = Problem::new(Code::BackupUnusable, message)
        .hint("make another backup; if the signer itself is at fault, keep its files as they are");
    Ok(Report::seen(result, columns(&rows)).ending(Some(problem)))
}

/// Restores the directory of the signer.
pub(crate) fn restore(global: &Global, args: &BackupRestore) -> Result<Report, Problem> {
    let sources = passphrases(global)?;
    let opener = |needs_passphrase| open_with(needs_passphrase, &args.identity, &sources);
    let restored = assembly::restore_signer_backup(&args.directory, &args.file, &opener, &args.published)?;
    let keys: Vec<Value> = restored
        .keys
        .iter()
        .map(|key| {
            json!({
                "name": key.name,
                "backup_crl": key.backup_crl,
                "found_crl": key.found_crl,
                "mark": key.mark,
            })
        })
        .collect();
    let result = json!({
        "directory": path_value(&args.directory),
        "created": restored.manifest.created,
        "journal_sequence": restored.manifest.journal.sequence,
        "keys": keys,
        "certificates_shown": restored.shown,
        "locked": true,
    });
    let text = told(&restored, &args.directory);
    Ok(Report::done(result, text).warn(restored.notices.clone()))
}

fn told(restored: &RestoredSigner, directory: &Path) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "none".into(), |one| one.to_string());
    let row = |key: &genfic_ca::backup::RestoredKey| {
        vec![key.name.clone(), number(key.backup_crl), number(key.found_crl), key.mark.to_string()]
    };
    let rows: Vec<Vec<String>> = restored.keys.iter().map(row).collect();
    format!(
        "{} is restored from {}, journal entry {}\n\n{}\n\nshown to it of what was published since: {} certificates, and the \
         newest CRL of each key\nmissing: what it signed since and nobody has shown; audit verify tells it\n\nnext\n  start \
         the service, unlock, genfic-ca crl publish --all\n  genfic-ca backup accept --signer, as an administrator, when \
         you have seen what is missing: until then it signs CRLs and certificates of responders alone",
        directory.shown(),
        restored.manifest.created,
        restored.manifest.journal.sequence,
        table(&COLUMNS, &rows),
        restored.shown
    )
}

/// Has a restored signer sign certificates again.
pub(crate) fn accept(global: &Global, args: &BackupAccept) -> Result<Report, Problem> {
    let question = "What the signer signed since its backup and nobody has shown stays missing in its journal. Have it \
                    sign certificates again?";
    confirm(global, question)?;
    SignerAdministration::at(&args.socket.socket).accept_restored()?;
    Ok(Report::done(json!({ "accepted": true }), "accepted: the signer signs certificates again"))
}
