//! Creation of backups.
use super::Stores;
use super::collect::{Collected, configuration, home_files};
use super::entry::ArchiveEntry;
use super::leftovers::WITHIN_HOME;
use super::manifest::{AuthorityEntry, BackupManifest};
use super::problems::unwritten;
use super::workplace::Workplace;
use crate::audit::{Actor, AuditEvent, Outcome};
use crate::error::{Code, Problem, Shown as _};
use crate::home::{Home, sync_directory};
use crate::index::{Authority, StoredIndex};
use crate::signing::{CaKeys, SealFor, Sealing};
use crate::x509::UnixTime;
use aws_lc_rs::digest::{Context, SHA256};
use base16ct::lower::encode_string as hex;
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The parameters of a new backup.
pub(crate) struct Creation<'a> {
    /// The home.
    pub home: &'a Home,
    /// The configuration file in force, when it is not that of the home.
    pub configuration: Option<&'a Path>,
    /// Files that the configuration names, relative to its directory.
    pub beside: &'a [PathBuf],
    /// The index of the home.
    pub index: &'a dyn StoredIndex,
    /// Access to indexes, keys and published status of homes.
    pub stores: &'a dyn Stores,
    /// Whether the backup includes CA keys and responder keys.
    pub with_keys: bool,
    /// The user who makes the backup, for the audit record.
    pub actor: Actor,
    /// The current time.
    pub now: UnixTime,
}

/// A backup that was made.
#[derive(Clone, Debug)]
pub struct Created<M = BackupManifest> {
    /// The file.
    pub file: PathBuf,
    /// Its length in octets.
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// The list of its contents.
    pub manifest: M,
}

/// Makes a backup in a new file, or in a directory under a name with the time. Other processes may write to the home
/// meanwhile. The file appears once it is complete and on disk. The backup is recorded in the home.
///
/// # Errors
/// When the file exists, something cannot be read or written, or the index fails.
pub(crate) fn create(creation: &Creation<'_>, to: &Path, reader: &SealFor) -> Result<Created, Problem> {
    let file = place_of(to, "genfic-ca", creation.now);
    if file.symlink_metadata().is_ok() {
        return Err(exists(&file));
    }
    let work = Workplace::new(creation.home.directory(), WITHIN_HOME)?;
    let copy = work.join("index.db");
    creation.index.copy_to(&copy)?;
    let (change, head, authorities) = facts(creation.stores, &copy)?;
    let mut files: Vec<Collected> = Collected::open(&ArchiveEntry::Index, &copy)?.into_iter().collect();
    files.extend(configuration(creation.home, creation.configuration, creation.beside)?);
    let keys = creation.stores.keys_in(creation.home);
    files.extend(home_files(
        creation.home,
        &creation.stores.index_in(creation.home),
        keys.as_ref(),
        creation.with_keys,
    )?);
    let with_mark = |(authority, entry): (Authority, AuthorityEntry)| {
        let highest_crl = entry.highest_crl.max(high_water(keys.as_ref(), &authority));
        AuthorityEntry { highest_crl, ..entry }
    };
    let authorities = authorities.into_iter().map(with_mark).collect();
    let entries = files.iter().map(|file| file.file.clone()).collect();
    let manifest = BackupManifest::new(creation.now, change, head, creation.with_keys, authorities, entries);

    let time = manifest.created().unwrap_or(UnixTime(0));
    let created = made_of(file, (manifest, time), &mut files, reader)?;
    creation.index.record_event(event(creation, &created))?;
    Ok(created)
}

/// Returns where a new backup goes: in a directory under a name such as `genfic-ca-20270115T080000Z.age`.
pub(super) fn place_of(to: &Path, program: &str, now: UnixTime) -> PathBuf {
    if !to.is_dir() {
        return to.to_owned();
    }
    let time: String = now.to_string().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    to.join(format!("{program}-{time}.age"))
}

/// Makes a backup with this manifest, as of this time, and these files.
pub(super) fn made_of<M: Serialize>(
    file: PathBuf,
    (manifest, time): (M, UnixTime),
    files: &mut [Collected],
    reader: &SealFor,
) -> Result<Created<M>, Problem> {
    let mut text = serde_json::to_vec_pretty(&manifest).map_err(|error| unwritten(&file, &error.into()))?;
    text.push(b'\n');
    let (bytes, sha256) = finished(&file, |out| write_archive(out, (&text, time), files, reader, &file))?;
    Ok(Created { file, bytes, sha256, manifest })
}

/// Writes a new file aside, and puts it in its place when it is whole and on disk.
fn finished<T>(file: &Path, write: impl FnOnce(&File) -> Result<T, Problem>) -> Result<T, Problem> {
    if file.symlink_metadata().is_ok() {
        return Err(exists(file));
    }
    let directory = match file.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory.to_owned(),
        _ => PathBuf::from("."),
    };
    let aside = Workplace::new(&directory, ".genfic-ca-backup-")?;
    let failed = |error: io::Error| unwritten(file, &error);
    let new = tempfile::Builder::new().tempfile_in(aside.path()).map_err(failed)?;
    let written = write(new.as_file())?;
    new.as_file().sync_all().map_err(failed)?;
    new.persist_noclobber(file).map_err(|refused| match refused.error.kind() {
        ErrorKind::AlreadyExists => exists(file),
        _ => unwritten(file, &refused.error),
    })?;
    sync_directory(&directory).map_err(|error| unwritten(file, &error.source))?;
    Ok(written)
}

fn exists(file: &Path) -> Problem {
    Problem::new(Code::BackupExists, format!("{} exists already", file.shown()))
        .hint("a backup is never written over: give another name, or a directory for a name with the time")
}

type Facts = (u64, crate::audit::Head, Vec<(Authority, AuthorityEntry)>);

/// Reads the facts for the manifest from the copy of the index, so that both are of the same moment.
fn facts(stores: &dyn Stores, copy: &Path) -> Result<Facts, Problem> {
    let index = stores.open_index(copy)?;
    let mut authorities = Vec::new();
    for authority in index.authorities()? {
        let entry = AuthorityEntry {
            issuer: hex(&authority.issuer.0),
            highest_crl: index.highest_crl_number(&authority.issuer)?,
            last_crl: index.last_crl(&authority.issuer)?.map(|crl| crl.number),
            name: authority.name.clone(),
        };
        authorities.push((authority, entry));
    }
    Ok((index.change_number()?, index.audit_head()?, authorities))
}

/// Returns the highest CRL number in the mark beside the key; 0 when it cannot be read, which does not prevent a
/// backup.
pub(super) fn high_water(keys: &dyn CaKeys, authority: &Authority) -> u64 {
    keys.mark(&keys.key_of(authority)).ok().and_then(|mark| mark.number).unwrap_or(0)
}

/// A writer that counts and digests the octets that it passes on.
struct Measured<W> {
    inner: W,
    bytes: u64,
    digest: Context,
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(octets)?;
        self.digest.update(octets.get(..written).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes the archive with this manifest, and returns its length and digest.
fn write_archive(
    out: &File,
    (text, time): (&[u8], UnixTime),
    files: &mut [Collected],
    reader: &SealFor,
    file: &Path,
) -> Result<(u64, String), Problem> {
    let failed = |error: io::Error| unwritten(file, &error);
    let out = Measured { inner: BufWriter::new(out), bytes: 0, digest: Context::new(&SHA256) };
    let mut archive = tar::Builder::new(Sealing::new(out, reader)?);
    let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
    archive.append(&header(BackupManifest::FILE, size, time).map_err(failed)?, text).map_err(failed)?;
    for collected in files {
        let header = header(&collected.file.path, collected.file.size, time).map_err(failed)?;
        let size = collected.file.size;
        let mut counted = Exactly { inner: collected.reader().map_err(failed)?, left: size };
        archive.append(&header, &mut counted).map_err(failed)?;
    }
    let mut out = archive.into_inner().and_then(Sealing::finish).map_err(failed)?;
    out.flush().map_err(failed)?;
    Ok((out.bytes, hex(out.digest.finish().as_ref())))
}

fn header(path: &str, size: u64, time: UnixTime) -> io::Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_path(path)?;
    header.set_size(size);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(time.0).unwrap_or(0));
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    Ok(header)
}

/// A reader that fails unless it yields the announced number of octets, so that a file that changed meanwhile is
/// noticed.
struct Exactly<R> {
    inner: R,
    left: u64,
}

impl<R: io::Read> io::Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let count = u64::try_from(read).unwrap_or(u64::MAX);
        if count > self.left || (count == 0 && self.left > 0 && !buffer.is_empty()) {
            return Err(io::Error::other("a file was changed while it was copied; try again"));
        }
        self.left -= count;
        Ok(read)
    }
}

fn event(creation: &Creation<'_>, created: &Created) -> AuditEvent {
    let manifest = &created.manifest;
    AuditEvent {
        at: creation.now,
        actor: creation.actor.clone(),
        action: "backup.created".into(),
        object: created.file.shown().to_string(),
        outcome: Outcome::Done,
        details: vec![
            ("change".into(), manifest.change.to_string()),
            ("audit_sequence".into(), manifest.audit.sequence.to_string()),
            ("with_keys".into(), manifest.with_keys.to_string()),
            ("sha256".into(), created.sha256.clone()),
        ],
    }
}
