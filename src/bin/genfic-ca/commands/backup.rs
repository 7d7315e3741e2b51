//! `backup create`, `verify`, `restore`, `accept`.
use super::question::confirm;
use super::values::usage;
use crate::cli::{BackupCreate, BackupRestore, BackupVerify, Global};
use crate::prompt::TerminalPrompt;
use crate::report::{Column, Report, columns, counted, path_value, table};
use crate::session::{Session, home_of};
use genfic_ca::assembly;
use genfic_ca::backup::{Behind, RestoredHome};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::signing::{
    EnvelopeIdentity, EnvelopeRecipient, OpenWith, PassphraseSources, SealFor, SecretPurpose, SecretSource,
    SecretSpec,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Name of the backup's passphrase in prompts.
const NAME: &str = "the backup";
/// Number of items that are listed one by one; 20 show which they are without filling the screen.
const LISTED: usize = 20;

const COLUMNS: [Column; 6] = [
    Column::whole("NAME"),
    Column::whole("CRL IN BACKUP"),
    Column::whole("NEWEST FOUND"),
    Column::times("OF").leaves(1),
    Column::whole("NEXT CRL"),
    Column::whole("KEY"),
];

/// Returns the source of a backup's passphrase. Only a source typed for this command counts, never the one that the
/// configuration or the environment has for CA keys.
pub(super) fn passphrases(global: &Global) -> Result<PassphraseSources<'static>, Problem> {
    let typed = global.passphrase_from.as_deref().filter(|_| global.passphrase_is_typed);
    let given = typed.map(str::parse::<SecretSpec>).transpose()?;
    Ok(given.unwrap_or_default().source(TerminalPrompt::new(!global.no_input && !global.json)))
}

/// Creates a backup.
pub(crate) fn create(session: &Session, args: &BackupCreate) -> Result<Report, Problem> {
    if args.to == Path::new("-") {
        let hint = "name a file or a directory: a backup is there when it is whole, and not before";
        return Err(usage("a backup does not go to standard output", hint));
    }
    let sources = passphrases(&session.global)?;
    let protection = protection(args, &sources, session.assembly.settings().config.keys.scrypt_log_n)?;
    let configuration = session.global.config.as_deref();
    let created = session.assembly.back_up(&args.to, &protection, args.with_keys, configuration)?;
    let manifest = &created.manifest;
    let result = json!({
        "file": path_value(&created.file),
        "bytes": created.bytes,
        "sha256": created.sha256,
        "created": manifest.created,
        "change": manifest.change,
        "audit_sequence": manifest.audit.sequence,
        "authorities": manifest.authorities,
        "with_keys": manifest.with_keys,
    });
    let keys = if manifest.with_keys { "in it" } else { "not in it; keep copies of keys/*.age apart" };
    let rows = [
        ("  size", format!("{} octets, {} files", created.bytes, manifest.files.len())),
        ("  sha256", created.sha256.clone()),
        ("  of", format!("{}, change {}", manifest.created, manifest.change)),
        ("  keys", keys.to_owned()),
    ];
    let rows: Vec<(String, String)> = rows.map(|(name, value)| (name.to_owned(), value)).into();
    let text = format!(
        "backup made: {}\n{}\nnext: genfic-ca backup verify {}",
        created.file.shown(),
        columns(&rows),
        created.file.shown()
    );
    let elsewhere = in_the_signer(session, args.with_keys)?;
    Ok(Report::done(result, text).warn(sources.take_notes()).warn(elsewhere))
}

/// Returns a warning about keys that a backup of the home never has.
fn in_the_signer(session: &Session, with_keys: bool) -> Result<Option<String>, Problem> {
    let all = session.engine().record().authorities()?;
    let names: Vec<&str> =
        all.iter().filter(|one| one.has_key_in_service()).map(|one| one.name.as_str()).collect();
    Ok((with_keys && !names.is_empty()).then(|| {
        format!(
            "the signer that listens has the keys of {}, and they are not in it: as an administrator, genfic-ca backup \
             create --signer",
            names.join(", ")
        )
    }))
}

/// Returns what a new backup is encrypted with: recipients, or a passphrase.
pub(super) fn protection(
    args: &BackupCreate,
    sources: &PassphraseSources<'_>,
    scrypt_log_n: u8,
) -> Result<SealFor, Problem> {
    let mut recipients: Vec<EnvelopeRecipient> =
        args.recipient.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    if let Some(file) = &args.recipients_file {
        recipients.extend(EnvelopeRecipient::read_file(file)?);
    }
    if recipients.is_empty() {
        let secret = sources.secret(&SecretPurpose::Protect(NAME.into()))?;
        return Ok(SealFor::Passphrase { secret, scrypt_log_n });
    }
    Ok(SealFor::Recipients(recipients))
}

/// Returns what opens a backup: the given identities, or a passphrase.
pub(super) fn open_with(
    needs_passphrase: bool,
    identities: &[PathBuf],
    sources: &PassphraseSources<'_>,
) -> Result<OpenWith, Problem> {
    if needs_passphrase {
        return Ok(OpenWith::Passphrase(sources.secret(&SecretPurpose::Open(NAME.into()))?));
    }
    if identities.is_empty() {
        let message = "the backup is encrypted to recipients, and no identity was given";
        return Err(Problem::new(Code::KeyIdentityNeeded, message)
            .hint("add --identity FILE, the file that age-keygen made for one of them"));
    }
    let mut all = Vec::new();
    for file in identities {
        all.extend(EnvelopeIdentity::read_file(file)?);
    }
    Ok(OpenWith::Identities(all))
}

/// Verifies that a backup can be restored.
pub(crate) fn verify(global: &Global, args: &BackupVerify) -> Result<Report, Problem> {
    let sources = passphrases(global)?;
    let opener = |needs_passphrase| open_with(needs_passphrase, &args.identity, &sources);
    let verified = assembly::verify_backup(&home_of(global), &args.file, &opener)?;
    let manifest = &verified.manifest;
    let (behind, said) = match verified.behind {
        None => (Value::Null, "there is no home to compare it with".to_owned()),
        Some(Behind::Elsewhere) => {
            (json!({ "same_home": false }), "the home here has another history".to_owned())
        }
        Some(Behind::By { changes, records }) => (
            json!({ "same_home": true, "changes": changes, "audit_records": records }),
            format!("{changes} changes and {records} audit records behind the home"),
        ),
    };
    let result = json!({
        "file": path_value(&args.file),
        "created": manifest.created,
        "program": manifest.program,
        "change": manifest.change,
        "audit_sequence": manifest.audit.sequence,
        "authorities": manifest.authorities,
        "with_keys": manifest.with_keys,
        "certificates": verified.certificates,
        "files": manifest.files.len(),
        "behind": behind,
        "faults": verified.faults,
    });
    let names: Vec<&str> = manifest.authorities.iter().map(|one| one.name.as_str()).collect();
    let rows = [
        ("  of", format!("{}, change {}", manifest.created, manifest.change)),
        ("  CAs", names.join(", ")),
        ("  certificates", verified.certificates.to_string()),
        ("  audit", counted(usize::try_from(manifest.audit.sequence).unwrap_or(usize::MAX), "record")),
        ("  keys", if manifest.with_keys { "in it" } else { "not in it" }.to_owned()),
        ("  age", said),
    ];
    let rows: Vec<(String, String)> = rows.map(|(name, value)| (name.to_owned(), value)).into();
    let file = args.file.shown();
    if verified.faults.is_empty() {
        return Ok(Report::seen(result, format!("{file} restores\n{}", columns(&rows))));
    }
    let message = format!("{file} does not restore\n{}", verified.faults.join("\n"));
    let problem = Problem::new(Code::BackupUnusable, message)
        .hint("make another backup; if the home itself is at fault, `genfic-ca audit verify` says so");
    Ok(Report::seen(result, columns(&rows)).ending(Some(problem)))
}

/// Restores a home from a backup.
pub(crate) fn restore(global: &Global, args: &BackupRestore) -> Result<Report, Problem> {
    if global.config.is_some() {
        return Err(usage(
            "a home that is restored has the configuration of its backup",
            "leave out --config and GENFIC_CA_CONFIG",
        ));
    }
    let sources = passphrases(global)?;
    let opener = |needs_passphrase| open_with(needs_passphrase, &args.identity, &sources);
    let home = home_of(global);
    let restored = assembly::restore_backup(&home, &args.file, &opener, &args.published)?;
    let text = told(&restored, home.directory());
    Ok(Report::done(restored_json(&restored, home.directory()), text).warn(restored.notices.clone()))
}

fn restored_json(restored: &RestoredHome, home: &Path) -> Value {
    let manifest = &restored.manifest;
    let authorities: Vec<Value> = restored
        .authorities
        .iter()
        .map(|one| {
            json!({
                "name": one.name,
                "backup_crl": one.backup_crl,
                "found_crl": one.found_crl,
                "found_this_update": one.found_this_update.map(|at| at.to_string()),
                "next_crl": one.next_crl,
                "key": one.has_key,
                "key_in_service": one.in_service,
            })
        })
        .collect();
    json!({
        "home": path_value(home),
        "created": manifest.created,
        "change": manifest.change,
        "audit_sequence": manifest.audit.sequence,
        "with_keys": manifest.with_keys,
        "authorities": authorities,
        "restored": {
            "certificates": restored.taken.certificates,
            "revoked": restored.taken.revoked,
            "known_by_number": restored.taken.serial_only,
        },
        "pending": restored.pending,
        "unproved": restored.unproved,
        "newest_evidence": restored.newest.map(|at| at.to_string()),
        "locked": true,
    })
}

fn told(restored: &RestoredHome, home: &Path) -> String {
    let manifest = &restored.manifest;
    let rows: Vec<Vec<String>> = restored
        .authorities
        .iter()
        .map(|one| {
            let number = |number: Option<u64>| number.map_or_else(|| "none".into(), |one| one.to_string());
            vec![
                one.name.clone(),
                number(one.backup_crl),
                number(one.found_crl),
                one.found_this_update.map_or_else(|| "-".into(), |at| at.to_string()),
                one.next_crl.to_string(),
                match (one.in_service, one.has_key) {
                    (true, _) => "in the signer",
                    (false, true) => "there",
                    (false, false) => "missing",
                }
                .to_owned(),
            ]
        })
        .collect();
    let mut text = format!(
        "{} is restored from {}, change {}, audit record {}\n\n{}\n\ntaken over from what was published since\n",
        home.shown(),
        manifest.created,
        manifest.change,
        manifest.audit.sequence,
        table(&COLUMNS, &rows)
    );
    let taken = &restored.taken;
    text.push_str(&columns(&[
        ("  certificates on record again".into(), taken.certificates.to_string()),
        ("  revocations".into(), taken.revoked.to_string()),
        ("  revoked, known by number only".into(), taken.serial_only.to_string()),
    ]));
    let mut missing = Vec::new();
    match restored.newest {
        Some(at) => missing.push(format!(
            "the newest thing found is of {at}: what was issued or revoked after it is not known here"
        )),
        None => missing.push(format!(
            "nothing was shown with --published: what was issued or revoked after {} is not known here",
            manifest.created
        )),
    }
    missing.push("certificates whose files nobody has shown; OCSP does not know them".into());
    missing.push("audit records, holds lifted, new CAs and changed settings since the backup".into());
    if restored.pending > 0 {
        missing.push(format!(
            "{} being signed when the backup was made, and count as revoked from the next command on",
            if restored.pending == 1 {
                "1 certificate was".into()
            } else {
                format!("{} certificates were", restored.pending)
            }
        ));
    }
    if !restored.unproved.is_empty() {
        let shown: Vec<&str> = restored.unproved.iter().take(LISTED).map(String::as_str).collect();
        missing.push(format!(
            "{} that a published status knows and whose file was not shown: {}{}",
            counted(restored.unproved.len(), "certificate"),
            shown.join(", "),
            if restored.unproved.len() > LISTED { ", ..." } else { "" }
        ));
    }
    text.push_str(&format!("\n\nmissing\n  {}", missing.join("\n  ")));
    let keys: Vec<String> = restored
        .authorities
        .iter()
        .filter(|one| !one.has_key && !one.in_service)
        .map(|one| format!("keys/{}.age", one.name))
        .collect();
    let mut next = Vec::new();
    if !keys.is_empty() {
        next.push(format!("put back {}", keys.join(", ")));
    }
    next.extend([
        "genfic-ca crl publish --all".into(),
        "genfic-ca ocsp responder --due".into(),
        "genfic-ca backup accept, when you have seen what is missing: until then nothing is issued".into(),
    ]);
    text.push_str(&format!("\n\nnext\n  {}", next.join("\n  ")));
    text
}

/// Unlocks a restored home.
pub(crate) fn accept(session: &Session) -> Result<Report, Problem> {
    let engine = session.engine();
    let Some(restored) = engine.record().restored()? else {
        let result = json!({ "accepted": false });
        return Ok(Report::seen(result, "this home is not locked; nothing was changed"));
    };
    let question = format!(
        "This home is of {}; what is missing since stays missing. Issue certificates again?",
        restored.backup
    );
    confirm(&session.global, &question)?;
    engine.maintenance().accept_restored()?;
    let result = json!({
        "accepted": true,
        "backup": restored.backup.to_string(),
        "restored": restored.at.to_string(),
    });
    Ok(Report::done(result, "accepted: certificates are issued again"))
}
