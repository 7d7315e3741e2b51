//! Writing the status files of an index.
use super::continuity::Continuity;
use super::failed;
use super::image::Image;
use super::lock::Lock;
use super::manifest::{Manifest, Part};
use super::{PublishedAuthority, SignedCrls, StatusError};
use crate::audit::Head;
use crate::failpoint;
use crate::home::{Aside, put_all};
use crate::index::{IndexReader, StatusRow, StoreError, is_final};
use crate::x509::UnixTime;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What was published.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Published {
    /// The change number that is published now.
    pub change: u64,
    /// What had to be written for it.
    pub written: Written,
}

/// Which file had to be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Written {
    /// Nothing had changed: only the manifest's time.
    Time,
    /// What changed since the base: this many rows.
    Delta(u64),
    /// Everything: this many rows.
    Base(u64),
}

/// How many rows a delta may have before it is folded into a new base, however small the base is.
const SMALL_DELTA: u64 = 1000;

/// A delta is folded when it has grown past this share of the base: one in so many.
const DELTA_SHARE: u64 = 32;

/// Publishes the status of every certificate of an index, for responders and for other hosts.
///
/// Publishers wait for each other, and each reads the index after it got its turn, so an older state is
/// never put over a newer one. The manifest notes the newest audit record: an index that does not have that
/// record is an older copy, or another index, and is refused, because publishing it could un-revoke; unless it
/// was restored with this very status taken over, and then nothing of it is kept.
///
/// What was published as revoked for good stays so; with `signed`, also what a CA's last signed CRL has so. Without a
/// manifest all that is left of earlier publications is looked at for that, and the CRL numbers that were used.
///
/// # Errors
/// [`StatusError::NotContinued`], [`StatusError::OlderCopy`], [`StatusError::Contradicts`], [`StoreError::Busy`] when
/// another publisher takes too long, [`StoreError::Damaged`] when the manifest in the directory cannot be read, a
/// failing index or file system; what was published before stays.
pub(crate) fn publish(
    reader: &dyn IndexReader,
    signed: Option<SignedCrls<'_>>,
    directory: &Path,
    now: UnixTime,
) -> Result<Published, StatusError> {
    let _lock = Lock::take(directory)?;
    failpoint::passed("status: locked");
    let old = Manifest::read(directory)?.map(|(manifest, _)| manifest);
    let continued = old.as_ref().map_or(Ok(true), |old| is_continued(reader, old))?;
    let usable = old.as_ref().filter(|old| {
        continued
            && old.compares_names()
            && std::iter::once(&old.base).chain(&old.delta).all(|part| directory.join(&part.file).is_file())
    });
    let continuity = Continuity { reader, signed, directory, old: old.as_ref(), continued };
    write(&continuity, now, usable)
}

/// Publishes everything anew in place of files that are damaged or say something else than the index.
///
/// # Errors
/// As [`publish`]; a manifest that cannot be read holds nothing up.
pub(super) fn rebuild(
    reader: &dyn IndexReader,
    signed: SignedCrls<'_>,
    directory: &Path,
    now: UnixTime,
) -> Result<Published, StatusError> {
    let _lock = Lock::take(directory)?;
    let old = match Manifest::read(directory) {
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
    usable: Option<&Manifest>,
) -> Result<Published, StatusError> {
    let (reader, directory) = (continuity.reader, continuity.directory);
    // Head and change number come first: rows that change while they are read are published in their newer
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
    let manifest = Manifest::new(base, delta, head, now);
    // the manifest comes last into its place; should a crash of the machine keep it and lose what it names, the
    // next publisher finds that and writes everything anew
    files.push(manifest.write(directory)?);
    put_all(files)?;
    remove_older(directory, &[Some(&manifest), continuity.old])?;
    Ok(Published { change, written })
}

/// Whether the record that was the newest when it was last published is in this index; false when it is not,
/// and a restore took over what was published.
pub(super) fn is_continued(reader: &dyn IndexReader, old: &Manifest) -> Result<bool, StatusError> {
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

/// What changed since the base: the delta that there is, and what changed since that. `None` when it has become
/// too long, since every change writes all of it.
fn build_delta(
    continuity: &Continuity<'_>,
    old: &Manifest,
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

/// The new base goes on from the old one, where there is one to go on from: to copy it takes far less time than
/// to put as many rows again.
fn write_base(
    continuity: &Continuity<'_>,
    old: Option<&Manifest>,
    change: u64,
    files: &mut Vec<Aside>,
) -> Result<(Part, Option<Part>, Written), StatusError> {
    let path = part_file(continuity.directory, "base", change);
    let (mut image, since) = continued_or_new(&path, old.map(|old| &old.base), 0)?;
    if image.is_continued() {
        continuity.check_lists()?
    } else {
        continuity.check_all()?
    }
    // what the delta has is not in the base that this goes on from
    put_rows(continuity, &mut image, since, u64::MAX, old.and_then(|old| old.delta.as_ref()))?;
    let (base, file) = image.finish(change)?;
    files.push(file);
    let rows = base.rows;
    Ok((base, None, Written::Base(rows)))
}

/// An image that goes on from an old file, and the change number that it is of; else an empty one.
fn continued_or_new(path: &Path, old: Option<&Part>, since: u64) -> Result<(Image, u64), StatusError> {
    let continued = match old {
        Some(old) => Image::continuing(path, old)?.map(|image| (image, old.change)),
        None => None,
    };
    continued.map_or_else(|| Ok((Image::begin(path)?, since)), Ok)
}

/// What the file is, is said in its name: `base-7.db`.
fn part_file(directory: &Path, kind: &str, change: u64) -> PathBuf {
    directory.join(format!("{kind}-{change}.db"))
}

/// So many rows that are not revoked for good are compared with what was published and signed at a time.
const COMPARED: usize = 1000;

/// Rows beyond the limit are left out; the image is of no use then. `beside` is another file that was published with
/// the one that the image goes on from.
fn put_rows(
    continuity: &Continuity<'_>,
    image: &mut Image,
    since: u64,
    limit: u64,
    beside: Option<&Part>,
) -> Result<(), StatusError> {
    let beside = beside.map(|part| continuity.directory.join(&part.file));
    // of an image that is new all was compared before
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

/// The CAs as they are on record. Of those that a file has as they are, the certificate is not read again: a change
/// costs what changed, however many CAs there are.
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

/// Removes what neither the new nor the last manifest names: a reader that read the last one may still be
/// about to open its files. What an interrupted publisher left aside goes too.
fn remove_older(directory: &Path, keep: &[Option<&Manifest>]) -> Result<(), StatusError> {
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
