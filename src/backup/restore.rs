//! Restoring of a home from a backup and from data published since.
use super::check::check;
use super::create::high_water;
use super::evidence::Evidence;
use super::manifest::BackupManifest;
use super::place::{Staging, check_vacant, is_part_of};
use super::problems::{damaged, unwritten};
use super::search::{Finder, search};
use super::{Opener, Stores, read};
use crate::audit::{Actor, AuditEvent, Outcome};
use crate::error::{Code, Problem, Shown as _};
use crate::home::{AuthorityName, Home, Mode, PublicFile, WriteError, replace};
use crate::index::{
    Authority, Filter, FoundCertificate, FoundRevocation, Index, IndexReader, IssuanceReader, Restoration,
    TakenOver,
};
use crate::signer::{Act, ActKind, Asker, Journal};
use crate::signing::{CaKeys, MarkError};
use crate::x509::extension::{CrlNumber, ExtendedKeyUsage, Purpose};
use crate::x509::{CertificateId, CertificateList, IssuerId, UnixTime, pem};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// CRL numbers that are skipped, for CRLs that were published after the newest one found. At one CRL a minute they
/// last ten weeks.
pub(super) const SPARE_CRL_NUMBERS: CrlNumber = 100_000;
/// Change numbers that are skipped, for the same reason.
const SPARE_CHANGES: u64 = 1_000_000;
/// Days between the clock and the last signature up to which the clock is trusted.
const TRUSTED_DAYS: i64 = 30;

/// The parameters of a restore.
pub(crate) struct Restoring<'a> {
    /// The backup file.
    pub file: &'a Path,
    /// The function that finds passphrase or identities for the backup.
    pub opener: Opener<'a>,
    /// The new home, whose directory is absent or empty.
    pub home: &'a Home,
    /// Access to indexes, keys and published status of homes.
    pub stores: &'a dyn Stores,
    /// Files and directories with published data from after the backup.
    pub published: &'a [PathBuf],
    /// The user who restores, for the audit record.
    pub actor: Actor,
    /// The current time.
    pub now: UnixTime,
}

/// The result of a restore, and what is missing.
#[derive(Clone, Debug)]
pub struct RestoredHome {
    /// The contents of the backup.
    pub manifest: BackupManifest,
    /// What was recorded from after the backup.
    pub taken: TakenOver,
    /// The CAs.
    pub authorities: Vec<RestoredAuthority>,
    /// Number of certificates that were being signed when the backup was made; they count as revoked soon.
    pub pending: usize,
    /// Certificates, `CA/SERIAL`, that a published status lists and that were not found.
    pub unproved: Vec<String>,
    /// The newest time in any of the data found.
    pub newest: Option<UnixTime>,
    /// Warnings: data that could not be used or is inconsistent.
    pub notices: Vec<String>,
}

/// A CA that was restored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RestoredAuthority {
    /// Its name.
    pub name: String,
    /// Number of the CRL that was published last when the backup was made.
    pub backup_crl: Option<CrlNumber>,
    /// The highest number of the CRLs that were found.
    pub found_crl: Option<CrlNumber>,
    /// thisUpdate of the newest complete CRL that was found.
    pub found_this_update: Option<UnixTime>,
    /// Least number of the next CRL.
    pub next_crl: CrlNumber,
    /// Whether the key file exists.
    pub has_key: bool,
    /// Whether the signer that listens has the key, whose backup is another one.
    pub in_service: bool,
}

/// Restores a backup. The home appears in its place only when all of it is complete.
///
/// # Errors
/// When a home exists already, the backup cannot be opened or does not verify, or a file cannot be written.
pub(crate) fn restore(restoring: &Restoring<'_>) -> Result<RestoredHome, Problem> {
    let home = restoring.home;
    check_vacant(home.directory())?;
    if home.directory().is_dir() {
        home.verify_owner()?;
    }
    let source = read::open(restoring.file, restoring.opener)?;
    let state = Staging::beside(home.directory())?;
    let apart = home.configuration_directory() != home.directory();
    let configuration = apart.then(|| Staging::beside(home.configuration_directory())).transpose()?;
    let staged = match &configuration {
        Some(configuration) => Home::in_directories(configuration.path(), state.path()),
        None => Home::at(state.path()),
    };
    staged.create()?;
    let manifest = read::extract(restoring.file, source, &staged, &restoring.stores.index_in(&staged))?;
    let is_compatible = is_part_of(home.configuration_directory(), staged.configuration_directory());
    if configuration.is_some() && !is_compatible.unwrap_or(false) {
        let message =
            format!("{} has another configuration than the backup", home.configuration_directory().shown());
        return Err(Problem::new(Code::HomeExists, message).hint("move it aside; it is not replaced"));
    }
    let (index, faults) = check(&staged, &manifest, restoring.stores)?;
    if !faults.is_empty() {
        return Err(damaged(restoring.file, faults.join("; ")));
    }
    let outcome = take_over(restoring, &staged, index.as_ref(), manifest)?;
    make_issued(&staged, index.as_ref())?;
    let time = time_to_publish(index.as_ref(), restoring.now)?;
    restoring.stores.publish_status(&staged.status_directory(), index.as_ref(), time)?;
    drop(index);
    match configuration {
        Some(configuration) if home.configuration_directory().exists() => configuration.complete()?,
        Some(configuration) => configuration.put_in_place()?,
        None => {}
    }
    state.put_in_place()?;
    Ok(outcome)
}

/// Returns the time to record as confirmed: a clock that is far from the last signature does not confirm itself (X2).
fn time_to_publish(index: &dyn IssuanceReader, now: UnixTime) -> Result<UnixTime, Problem> {
    let signed = index.newest_signed()?.map(|signed| signed.at);
    Ok(signed.filter(|at| now < *at || now > at.plus_days(TRUSTED_DAYS)).unwrap_or(now))
}

fn take_over(
    restoring: &Restoring<'_>,
    staged: &Home,
    index: &dyn Index,
    manifest: BackupManifest,
) -> Result<RestoredHome, Problem> {
    let authorities = index.authorities()?;
    let mut evidence = Evidence::new(index, restoring.stores, &authorities)?;
    search(&[staged.public_directory(), staged.responders_directory()], &mut evidence)?;
    // times in the backup itself say nothing about the time after it
    evidence.newest = None;
    let inside = staged.directory().shown().to_string();
    for path in restoring.published {
        if path.starts_with(restoring.home.directory()) {
            evidence.passed_over(path, "it lies in the home that is restored".into());
        }
    }
    search(restoring.published, &mut evidence)?;
    evidence.conclude()?;

    let keys = restoring.stores.keys_in(staged);
    let mut report = Vec::new();
    for authority in &authorities {
        let found = evidence.highest.get(&authority.issuer).copied();
        let taken = index
            .highest_crl_number(&authority.issuer)?
            .max(high_water(keys.as_ref(), authority))
            .max(found.unwrap_or(0))
            .saturating_add(SPARE_CRL_NUMBERS);
        let listed = manifest.authorities.iter().find(|one| one.name == authority.name);
        let newest = evidence.newest_crl.get(&authority.issuer);
        finish_authority(staged, keys.as_ref(), (authority, taken), newest)?;
        let key = keys.place(&keys.key_of(authority));
        report.push(RestoredAuthority {
            name: authority.name.clone(),
            backup_crl: listed.and_then(|one| one.last_crl),
            found_crl: found,
            found_this_update: newest.map(|crl| crl.tbs().this_update()),
            next_crl: taken.saturating_add(1),
            has_key: key.as_path().is_file(),
            in_service: authority.has_key_in_service(),
        });
    }
    let numbers = authorities.iter().zip(&report).map(|(one, row)| (one.issuer, row.next_crl - 1)).collect();
    note_gap(staged, &manifest, restoring.now)?;
    let restoration = restoration(restoring, &manifest, &evidence, numbers);
    let taken = index.restore(&restoration)?;
    Ok(RestoredHome {
        taken,
        authorities: report,
        pending: index.pending()?.len(),
        unproved: evidence.unproved.iter().map(|id| evidence.shown(&id.issuer, &id.serial_number)).collect(),
        newest: evidence.newest,
        notices: evidence.notices.iter().map(|notice| notice.replace(&inside, "the backup")).collect(),
        manifest,
    })
}

/// Notes in the signer's journal that what it signed since the backup is not in it. Until that is accepted, it signs no
/// certificates but those of responders.
fn note_gap(staged: &Home, manifest: &BackupManifest, now: UnixTime) -> Result<(), Problem> {
    let by = Asker::this_process();
    let journal = Journal::open(&staged.keys_directory(), by, now)?;
    let details = format!("restored from a backup of {}", manifest.created);
    journal.turn()?.act(by, now, vec![Act { kind: ActKind::Gap, key: None, details }])?;
    crate::failpoint::passed("restore: gap noted");
    Ok(())
}

fn restoration(
    restoring: &Restoring<'_>,
    manifest: &BackupManifest,
    evidence: &Evidence<'_>,
    crl_numbers: Vec<(IssuerId, CrlNumber)>,
) -> Restoration {
    let event = |action: &str, object: String, details: Vec<(String, String)>| AuditEvent {
        at: restoring.now,
        actor: restoring.actor.clone(),
        action: action.into(),
        object,
        outcome: Outcome::Done,
        details,
    };
    let named = |id: &CertificateId| evidence.shown(&id.issuer, &id.serial_number);
    let mut certificates: Vec<_> = evidence.certificates.iter().collect();
    certificates.sort_by(|a, b| a.0.serial_number.cmp(&b.0.serial_number));
    let mut revocations: Vec<_> = evidence.revocations.iter().collect();
    revocations.sort_by(|a, b| a.0.serial_number.cmp(&b.0.serial_number));
    Restoration {
        backup: manifest.created().unwrap_or(restoring.now),
        change: evidence.highest_change.saturating_add(SPARE_CHANGES),
        crl_numbers,
        certificates: certificates
            .into_iter()
            .map(|(id, (certificate, source))| FoundCertificate {
                issuer: id.issuer,
                certificate: certificate.clone(),
                event: event(
                    "certificate.restored",
                    named(id),
                    vec![
                        ("subject".into(), certificate.tbs().subject().to_string()),
                        ("fingerprint".into(), certificate.fingerprint().to_string()),
                        ("source".into(), source.clone()),
                    ],
                ),
            })
            .collect(),
        revocations: revocations
            .into_iter()
            .map(|(id, (revocation, source))| FoundRevocation {
                id: id.clone(),
                revocation: revocation.clone(),
                event: event(
                    if revocation.is_hold() { "certificate.held" } else { "certificate.revoked" },
                    named(id),
                    revocation
                        .reason
                        .map(|reason| ("reason".into(), reason.to_string()))
                        .into_iter()
                        .chain([
                            ("revoked_at".into(), revocation.revoked_at.to_string()),
                            ("source".into(), source.clone()),
                        ])
                        .collect(),
                ),
            })
            .collect(),
        superseded: evidence.heads.clone(),
        signed: evidence.signed,
        event: event(
            "home.restored",
            restoring.home.directory().shown().to_string(),
            vec![
                ("backup".into(), restoring.file.shown().to_string()),
                ("created".into(), manifest.created.clone()),
                ("change".into(), manifest.change.to_string()),
                ("audit_sequence".into(), manifest.audit.sequence.to_string()),
            ],
        ),
    }
}

fn told(error: WriteError) -> Problem {
    unwritten(&error.path, &error.source)
}

/// Records the used CRL numbers, puts the newest CRL in its public place, and removes a responder certificate without
/// its key, which would hide that a new one is due.
fn finish_authority(
    staged: &Home,
    keys: &dyn CaKeys,
    (authority, taken): (&Authority, CrlNumber),
    newest: Option<&CertificateList>,
) -> Result<(), Problem> {
    let name = authority.name.parse::<AuthorityName>()?;
    staged.create_authority(&name)?;
    let key = keys.key_of(authority);
    // the signer that listens has kept its mark; the numbers that the index takes are above what was found
    if !key.is_in_service() {
        keys.raise_mark(&key, taken).map_err(|error| match error {
            MarkError::Write(error) => told(error),
            error => error.into(),
        })?;
    }
    if let Some(crl) = newest {
        let text = pem::encode("X509 CRL", crl.as_der());
        replace(&staged.public_file(&name, PublicFile::CrlPem), text.as_bytes(), Mode::Public)
            .map_err(told)?;
        replace(&staged.public_file(&name, PublicFile::Crl), crl.as_der(), Mode::Public).map_err(told)?;
    }
    let certificate = staged.responder_certificate_file(&name);
    if certificate.exists() && !staged.responder_key_file(&name).exists() {
        fs::remove_file(&certificate).map_err(|error| unwritten(&certificate, &error))?;
    }
    Ok(())
}

/// Makes `issued/` from the index, without roots, which are in `public/`, and without responder certificates.
fn make_issued(staged: &Home, index: &dyn IndexReader) -> Result<(), Problem> {
    let mut failed = None;
    index.list(&Filter::default(), &mut |record| {
        let Some(certificate) = &record.certificate else { return true };
        let tbs = certificate.tbs();
        let is_responders =
            ExtendedKeyUsage::of(tbs).is_some_and(|purposes| purposes.0 == [Purpose::OCSP_SIGNING]);
        if is_responders || tbs.as_issuer() == record.id.issuer {
            return true;
        }
        let Ok(name) = record.authority.parse::<AuthorityName>() else { return true };
        let path = staged.issued_file(&name, &record.id.serial_number);
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(certificate.to_pem().as_bytes()));
        failed = written.err().map(|error| unwritten(&path, &error));
        failed.is_none()
    })?;
    failed.map_or(Ok(()), Err)
}
