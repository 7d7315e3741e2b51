//! Writes the status files of an index.
use super::continuity::Continuity;
use super::failed;
use super::image::Image;
use super::lock::Lock;
use super::manifest::{StatusManifest, StatusPart};
use super::{PublishedAuthority, SignedCrls, StatusError};
use crate::audit::Head;
use crate::failpoint;
use crate::home::{Aside, put_all};
use crate::index::{IndexReader, StatusRow, StoreError, is_final};
use crate::x509::UnixTime;
use std::collections::HashSet;
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
    /// A delta with this number of rows was written.
    Delta(u64),
    /// A base with this number of rows was written.
    Base(u64),
}

/// Bound of a delta over a small base, in rows: with more, the delta is folded into a new base.
const SMALL_DELTA: u64 = 1000;

/// Rows of a large base for each row that its delta may have. It counts where it allows more than [`SMALL_DELTA`].
const DELTA_SHARE: u64 = 32;

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
    let usable = old.as_ref().filter(|old| {
        continued
            && old.is_usable()
            && std::iter::once(&old.base).chain(&old.delta).all(|part| directory.join(&part.file).is_file())
    });
    let continuity = Continuity { reader, signed, directory, old: old.as_ref(), continued };
    write(&continuity, now, usable)
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
    usable: Option<&StatusManifest>,
) -> Result<PublishedFiles, StatusError> {
    let (reader, directory) = (continuity.reader, continuity.directory);
    // Head and change number are read first. Rows that change while they are read are published in their newer
    // state, and again with the next delta.
    let head = reader.audit_head()?;
    let change = reader.change_number()?;
    let mut files = Vec::new();
    let (base, delta, written) = match usable {
        Some(old) if old.change == change => (old.base.clone(), old.delta.clone(), Written::Time),
        Some(old) => match build_delta(continuity, old, change)? {
            Some(delta) => {
                let (delta, file) = delta.finish(change)?;
                files.push(file);
                let rows = delta.rows;
                (old.base.clone(), Some(delta), Written::Delta(rows))
            }
            None => write_base(continuity, Some(old), change, &mut files)?,
        },
        None => write_base(continuity, None, change, &mut files)?,
    };
    let manifest = StatusManifest::new(base, delta, head, now);
    // The manifest is renamed last. If a crash of the machine keeps it and loses a file that it names, the next
    // publisher finds that and writes everything again.
    files.push(manifest.write(directory)?);
    put_all(files)?;
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
        Some(head) if old.continues(&head) && reader.change_number()? >= old.change => Ok(true),
        _ => match old.head().map(|head| reader.supersedes(&head)).transpose()? {
            Some(true) => Ok(false),
            Some(false) | None => Err(StatusError::NotContinued { published }),
        },
    }
}

/// Builds the delta from the present delta and the later changes. Returns `None` when the delta is too long,
/// since every change writes all of it.
fn build_delta(
    continuity: &Continuity<'_>,
    old: &StatusManifest,
    change: u64,
) -> Result<Option<Image>, StatusError> {
    let limit = SMALL_DELTA.max(old.base.rows / DELTA_SHARE);
    let path = part_file(continuity.directory, "delta", change);
    let (mut image, since) = continued_or_new(&path, old.delta.as_ref(), old.base.change)?;
    if !image.is_continued() {
        image.know(&continuity.directory.join(&old.base.file));
    }
    put_rows(continuity, &mut image, since, limit, Some(&old.base))?;
    Ok((image.rows() <= limit).then_some(image))
}

/// Writes a base. It continues the old base where there is one, because copying takes far less time than
/// inserting as many rows.
fn write_base(
    continuity: &Continuity<'_>,
    old: Option<&StatusManifest>,
    change: u64,
    files: &mut Vec<Aside>,
) -> Result<(StatusPart, Option<StatusPart>, Written), StatusError> {
    let path = part_file(continuity.directory, "base", change);
    let (mut image, since) = continued_or_new(&path, old.map(|old| &old.base), 0)?;
    if image.is_continued() {
        continuity.check_lists()?
    } else {
        continuity.check_all()?
    }
    // The changes in the old delta are not in the base that is continued.
    put_rows(continuity, &mut image, since, u64::MAX, old.and_then(|old| old.delta.as_ref()))?;
    let (base, file) = image.finish(change)?;
    files.push(file);
    let rows = base.rows;
    Ok((base, None, Written::Base(rows)))
}

/// Returns an image that continues an old file, with the file's change number, or else an empty image.
fn continued_or_new(path: &Path, old: Option<&StatusPart>, since: u64) -> Result<(Image, u64), StatusError> {
    let continued = match old {
        Some(old) => Image::continuing(path, old)?.map(|image| (image, old.change)),
        None => None,
    };
    continued.map_or_else(|| Ok((Image::begin(path)?, since)), Ok)
}

/// Returns the path of a file, whose name has its kind and change number: `base-7.db`.
fn part_file(directory: &Path, kind: &str, change: u64) -> PathBuf {
    directory.join(format!("{kind}-{change}.db"))
}

/// Number of rows that are compared at a time with the published and signed revocations. Only rows that are not
/// permanently revoked are compared.
const COMPARED: usize = 1000;

/// Puts the rows after change `since` into an image. It stops at more than `limit` rows, and the image is then
/// discarded. `beside` is another file that was published with the one that the image continues.
fn put_rows(
    continuity: &Continuity<'_>,
    image: &mut Image,
    since: u64,
    limit: u64,
    beside: Option<&StatusPart>,
) -> Result<(), StatusError> {
    let beside = beside.map(|part| continuity.directory.join(&part.file));
    // For a new image, everything was compared before.
    let is_compared = image.is_continued() || beside.is_some();
    let mut waiting: Vec<StatusRow> = Vec::new();
    let mut put = Ok(());
    let put_compared = |image: &mut Image, rows: &mut Vec<StatusRow>| {
        continuity.check_changed(rows, image, beside.as_deref())?;
        rows.drain(..).try_for_each(|row| image.put(&row))
    };
    continuity.reader.status_rows(since, &mut |row| {
        if put.is_err() || image.rows() > limit {
            return;
        }
        if !is_compared || is_final(&row.state) {
            put = image.put(&row);
            return;
        }
        waiting.push(row);
        if waiting.len() >= COMPARED {
            put = put_compared(image, &mut waiting);
        }
    })?;
    put?;
    put_compared(image, &mut waiting)?;
    put_authorities(continuity.reader, image)
}

/// Puts the CAs on record into an image. The certificate of a CA that is unchanged in the published file is not
/// read again, so that the cost depends on the changes and not on the number of CAs.
fn put_authorities(reader: &dyn IndexReader, image: &mut Image) -> Result<(), StatusError> {
    let all = reader.summaries()?;
    let succeeded: HashSet<&str> = all.iter().filter_map(|one| one.succeeds.as_deref()).collect();
    for summary in &all {
        let is_succeeded = succeeded.contains(&*summary.name);
        if let Some(known) = image.take_known(&summary.name).filter(|known| known.is(summary, is_succeeded)) {
            image.put_authority(&known)?;
        } else if let Some(authority) = reader.authority(&summary.name)? {
            let names = summary.names.clone();
            image.put_authority(&PublishedAuthority::succeeded(&authority, is_succeeded, names).into())?;
        }
    }
    Ok(())
}

/// Removes files that neither the new nor the last manifest names. A reader of the last manifest may still be
/// about to open its files. Temporary files of an interrupted publisher are removed too.
fn remove_older(directory: &Path, keep: &[Option<&StatusManifest>]) -> Result<(), StatusError> {
    let entries = std::fs::read_dir(directory).map_err(|error| failed(directory, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| failed(directory, &error))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let ours = name.ends_with(".db") && (name.starts_with("base-") || name.starts_with("delta-"));
        let kept = keep.iter().flatten().any(|manifest| manifest.names(name));
        if (ours && !kept) || name.starts_with(".new-") {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
            failpoint::passed("status: older file removed");
        }
    }
    Ok(())
}
