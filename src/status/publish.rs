//! Writes the status files of an index.
use super::addition::add;
use super::authority::WrittenAuthority;
use super::base_writer::BaseWriter;
use super::continuity::Continuity;
use super::entry::{Entry, Serial};
use super::lock::Lock;
use super::manifest::{FilePart, StatusFiles, StatusManifest};
use super::{PublishedAuthority, SignedCrls, StatusError, authorities_file, failed};
use crate::audit::Head;
use crate::failpoint;
use crate::home::{Aside, put_all, status_file_change};
use crate::index::{IndexReader, StatusRow, StoreError};
use crate::x509::UnixTime;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Result of a publication.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublishedFiles {
    /// The change number of the published status.
    pub change: u64,
    /// The file that was written.
    pub written: Written,
}

/// Kind of file that was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Written {
    /// Nothing had changed, so that only the manifest's time was written.
    Time,
    /// This number of changes was written into a delta.
    Delta(u64),
    /// A base with this number of certificates was written.
    Base(u64),
}

/// Publishes the status of every certificate of an index, for responders and for other hosts.
///
/// Publishers wait for each other, and each reads the index under the lock, so that an older state never
/// replaces a newer one. The manifest notes the newest audit record. An index without that record is an older
/// copy or another index, and is refused, because publishing it could undo revocations. The exception is a
/// restored index that took this status over; then no published file is continued.
///
/// A certificate published as permanently revoked stays so. With `signed`, the same holds for a certificate on
/// a CA's last signed CRL. Without a manifest, all remaining status files and the CRL numbers in use are
/// checked.
///
/// # Errors
/// [`StatusError::NotContinued`], [`StatusError::OlderCopy`], [`StatusError::Contradicts`],
/// [`StoreError::Busy`] when another publisher takes too long, [`StoreError::Damaged`] when the manifest in the
/// directory cannot be read, a failing index or file system. The published status then stays as it was.
pub(crate) fn publish(
    reader: &dyn IndexReader,
    signed: Option<SignedCrls<'_>>,
    directory: &Path,
    now: UnixTime,
) -> Result<PublishedFiles, StatusError> {
    let _lock = Lock::take(directory)?;
    failpoint::passed("status: locked");
    let old = StatusManifest::read(directory)?.map(|(manifest, _)| manifest);
    let continued = old.as_ref().map_or(Ok(true), |old| is_continued(reader, old))?;
    let continuity = Continuity { reader, signed, directory, old: old.as_ref(), continued };
    let files = old.as_ref().filter(|_| continued).and_then(StatusManifest::files);
    write(&continuity, now, files.filter(|files| files.are_there(directory)))
}

/// Publishes everything again in place of files that are damaged or disagree with the index.
///
/// # Errors
/// As [`publish`], except that a damaged manifest is no error.
pub(super) fn rebuild(
    reader: &dyn IndexReader,
    signed: SignedCrls<'_>,
    directory: &Path,
    now: UnixTime,
) -> Result<PublishedFiles, StatusError> {
    let _lock = Lock::take(directory)?;
    let old = match StatusManifest::read(directory) {
        Ok(old) => old.map(|(manifest, _)| manifest),
        Err(StatusError::Store(StoreError::Damaged(_))) => None,
        Err(error) => return Err(error),
    };
    let continued = old.as_ref().map_or(Ok(true), |old| is_continued(reader, old))?;
    let continuity = Continuity { reader, signed: Some(signed), directory, old: old.as_ref(), continued };
    write(&continuity, now, None)
}

fn write(
    continuity: &Continuity<'_>,
    now: UnixTime,
    usable: Option<&StatusFiles>,
) -> Result<PublishedFiles, StatusError> {
    let (reader, directory) = (continuity.reader, continuity.directory);
    // Head and change number are read first. Rows that change while they are read are published in their newer
    // state, and again with the next group.
    let head = reader.audit_head()?;
    let change = reader.change_number()?;
    let published = continuity.old.map(StatusManifest::change);
    let mut asides = Vec::new();
    let added = match usable {
        Some(files) if published == Some(change) => Some((files.clone(), Written::Time)),
        Some(files) => add(continuity, files, change, &mut asides)?,
        None => None,
    };
    let (files, written) = match added {
        Some(added) => added,
        None => {
            asides.clear();
            write_all(continuity, change, &mut asides)?
        }
    };
    let manifest = StatusManifest::new(files, change, head, now);
    // The manifest is renamed last. If a crash of the machine keeps it and loses a file that it names, the next
    // publisher finds that and writes everything again.
    asides.push(manifest.write(directory)?);
    put_all(asides)?;
    remove_older(directory, &[Some(&manifest), continuity.old])?;
    Ok(PublishedFiles { change, written })
}

/// Returns whether the index has the audit record that was the newest at the last publication. Returns false
/// when it has not, and a restore took the published status over.
pub(super) fn is_continued(reader: &dyn IndexReader, old: &StatusManifest) -> Result<bool, StatusError> {
    let published = old.noted();
    let mut there = (published == 0).then(Head::default);
    reader.audit_records(published.max(1), &mut |record| {
        there = there.or(Some(record.head()));
        false
    })?;
    match there {
        Some(head) if old.continues(&head) && reader.change_number()? >= old.change() => Ok(true),
        _ => match old.head().map(|head| reader.supersedes(&head)).transpose()? {
            Some(true) => Ok(false),
            Some(false) | None => Err(StatusError::NotContinued { published }),
        },
    }
}

/// Writes a base from the index, when no published file is continued.
fn write_all(
    continuity: &Continuity<'_>,
    change: u64,
    asides: &mut Vec<Aside>,
) -> Result<(StatusFiles, Written), StatusError> {
    continuity.check_all()?;
    let mut base = BaseWriter::begin(&part_file(continuity.directory, "base", change))?;
    let mut put = Ok(());
    continuity.reader.status_rows(0, &mut |row| {
        if put.is_ok() {
            let issuer = row.id.issuer;
            put = base.put(&issuer, &Entry::from(row));
        }
    })?;
    put?;
    let entries = base.entries();
    let (base, aside) = base.finish(change)?;
    asides.push(aside);
    let authorities = authorities(continuity, None, change, asides)?;
    Ok((StatusFiles { authorities, base, delta: None }, Written::Base(entries)))
}

impl From<StatusRow> for Entry {
    fn from(row: StatusRow) -> Self {
        Self { serial: Serial::of(&row.id.serial_number), state: row.state, not_after: row.not_after }
    }
}

/// Returns a path for a new file. Its name has its kind and change number, as `base-7.status`, and a further number
/// where there is such a file: no name is used again, so that a copy is never of two files.
pub(super) fn part_file(directory: &Path, kind: &str, change: u64) -> PathBuf {
    let ending = if kind == AUTHORITIES { "json" } else { "status" };
    let mut path = directory.join(format!("{kind}-{change}.{ending}"));
    let mut further: u64 = 2;
    while path.symlink_metadata().is_ok() {
        path = directory.join(format!("{kind}-{change}-{further}.{ending}"));
        further = further.saturating_add(1);
    }
    path
}

const AUTHORITIES: &str = "authorities";

/// Writes the CAs on record, unless the published file says the same. The certificate of a CA that is unchanged there
/// is not read again from the index.
pub(super) fn authorities(
    continuity: &Continuity<'_>,
    published: Option<&FilePart>,
    change: u64,
    asides: &mut Vec<Aside>,
) -> Result<FilePart, StatusError> {
    let (reader, directory) = (continuity.reader, continuity.directory);
    // A file that cannot be read counts as one without CAs.
    let published = published.and_then(|part| Some((part, authorities_file::read(directory, part).ok()?)));
    let (published, known) = published.map_or((None, Vec::new()), |(part, known)| (Some(part), known));
    let mut known: HashMap<String, WrittenAuthority> =
        known.into_iter().map(|one| (one.name.clone(), one)).collect();
    let all = reader.summaries()?;
    let succeeded: HashSet<&str> = all.iter().filter_map(|one| one.succeeds.as_deref()).collect();
    let mut authorities = Vec::with_capacity(all.len());
    for summary in &all {
        let is_succeeded = succeeded.contains(&*summary.name);
        if let Some(known) = known.remove(&summary.name).filter(|known| known.is(summary, is_succeeded)) {
            authorities.push(known);
        } else if let Some(authority) = reader.authority(&summary.name)? {
            let names = summary.names.clone();
            authorities.push(PublishedAuthority::succeeded(&authority, is_succeeded, names).into());
        }
    }
    authorities.sort_by(|one, other| one.name.cmp(&other.name));
    let octets = authorities_file::encode(&authorities)?;
    if let Some(part) = published.filter(|part| part.is_of(&octets)) {
        return Ok(part.clone());
    }
    let path = part_file(directory, AUTHORITIES, change);
    let (part, aside) = authorities_file::write(&path, &octets)?;
    asides.push(aside);
    Ok(part)
}

/// Removes files that neither the new nor the last manifest names. A reader of the last manifest may still be
/// about to open its files. Temporary files of an interrupted publisher are removed too.
fn remove_older(directory: &Path, keep: &[Option<&StatusManifest>]) -> Result<(), StatusError> {
    let entries = std::fs::read_dir(directory).map_err(|error| failed(directory, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| failed(directory, &error))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let ours = status_file_change(name).is_some();
        let kept = keep.iter().flatten().any(|manifest| manifest.names(name));
        if (ours && !kept) || name.starts_with(".new-") {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
            failpoint::passed("status: older file removed");
        }
    }
    Ok(())
}
