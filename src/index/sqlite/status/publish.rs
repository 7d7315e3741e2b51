//! Writing the status files of an index.
use super::failed;
use super::image::Image;
use super::lock::Lock;
use super::manifest::{Manifest, Part};
use crate::audit::Head;
use crate::failpoint;
use crate::index::{IndexError, IndexReader};
use crate::x509::UnixTime;
use std::path::Path;

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

/// Publishes the status of every certificate of an index, for responders and for other hosts.
///
/// Publishers wait for each other, and each reads the index after it got its turn, so an older state is
/// never put over a newer one. The manifest notes the newest audit record: an index that does not have that
/// record is an older copy, or another index, and is refused, because publishing it could un-revoke; unless it
/// was restored with this very status taken over, and then nothing of it is kept.
///
/// # Errors
/// [`IndexError::NotContinued`], [`IndexError::Busy`] when another publisher takes too long,
/// [`IndexError::Damaged`] when the manifest in the directory cannot be read, a failing index or file system;
/// what was published before stays.
pub fn publish(reader: &dyn IndexReader, directory: &Path, now: UnixTime) -> Result<Published, IndexError> {
    let _lock = Lock::take(directory)?;
    failpoint::passed("status: locked");
    let old = Manifest::read(directory)?.map(|(manifest, _)| manifest);
    let continued = old.as_ref().map_or(Ok(true), |old| is_continued(reader, old))?;
    // Head and change number come first: rows that change while they are read are published in their newer
    // state, and again with the next delta.
    let head = reader.audit_head()?;
    let change = reader.change_number()?;
    let usable = old.as_ref().filter(|old| {
        continued
            && std::iter::once(&old.base).chain(&old.delta).all(|part| directory.join(&part.file).is_file())
    });
    let (base, delta, written) = match usable {
        Some(old) if old.change == change => (old.base.clone(), old.delta.clone(), Written::Time),
        Some(old) => match build_delta(reader, directory, &old.base)? {
            Some(delta) => {
                let delta = delta.write(directory, "delta", change)?;
                let rows = delta.rows;
                (old.base.clone(), Some(delta), Written::Delta(rows))
            }
            None => write_base(reader, directory, change)?,
        },
        None => write_base(reader, directory, change)?,
    };
    let manifest = Manifest::new(base, delta, head, now);
    manifest.write(directory)?;
    remove_older(directory, &[Some(&manifest), old.as_ref()])?;
    Ok(Published { change, written })
}

/// Whether the record that was the newest when it was last published is in this index; false when it is not,
/// and a restore took over what was published.
fn is_continued(reader: &dyn IndexReader, old: &Manifest) -> Result<bool, IndexError> {
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
            Some(false) | None => Err(IndexError::NotContinued { published }),
        },
    }
}

fn build_delta(reader: &dyn IndexReader, directory: &Path, base: &Part) -> Result<Option<Image>, IndexError> {
    let limit = SMALL_DELTA.max(base.rows / 10);
    let image = build(reader, directory, base.change, limit)?;
    Ok((image.rows() <= limit).then_some(image))
}

fn write_base(
    reader: &dyn IndexReader,
    directory: &Path,
    change: u64,
) -> Result<(Part, Option<Part>, Written), IndexError> {
    let base = build(reader, directory, 0, u64::MAX)?.write(directory, "base", change)?;
    let rows = base.rows;
    Ok((base, None, Written::Base(rows)))
}

/// Rows beyond the limit are left out; the image is of no use then.
fn build(reader: &dyn IndexReader, directory: &Path, since: u64, limit: u64) -> Result<Image, IndexError> {
    let mut image = Image::begin(directory)?;
    let mut put = Ok(());
    reader.status_rows(since, &mut |row| {
        if put.is_ok() && image.rows() <= limit {
            put = image.put(&row);
        }
    })?;
    put?;
    for authority in reader.authorities()? {
        image.put_authority(&authority)?;
    }
    Ok(image)
}

/// Removes what neither the new nor the last manifest names: a reader that read the last one may still be
/// about to open its files. What an interrupted publisher left aside goes too.
fn remove_older(directory: &Path, keep: &[Option<&Manifest>]) -> Result<(), IndexError> {
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
