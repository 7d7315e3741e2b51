//! Writes a file of answers beside its place, in such a way that what is there after a kill can be used.
use super::description::Description;
use super::make::MakeError;
use super::record::Record;
use super::seal::Seal;
use super::store::{Summary, as_u64};
use super::table::{Row, SerialKey, Table};
use crate::failpoint;
use crate::home::{Mode, WriteError, sync_directory};
use crate::x509::{UnixTime, sha256};
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Octets of records after which a block ends.
const BLOCK: usize = 4 << 10;
/// Octets that are collected before they are written.
const COLLECTED: usize = 1 << 18;

/// The places beside a file of answers.
pub(super) struct Places {
    pub(super) path: PathBuf,
    /// The file that is being written; locked meanwhile.
    writing: PathBuf,
    /// What was written of the one that came furthest and was not finished.
    pub(super) begun: PathBuf,
}

impl Places {
    /// Returns the places beside this file.
    pub(super) fn beside(path: &Path) -> Self {
        let named = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Self { path: path.to_owned(), writing: named(".writing"), begun: named(".begun") }
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn failed(&self, path: &Path) -> impl Fn(io::Error) -> MakeError {
        move |source| WriteError { path: path.to_owned(), source }.into()
    }

    /// Returns a new file for this process alone. What a process that was killed left of one is kept when it came
    /// further than the one before.
    pub(super) fn begin(&self) -> Result<File, MakeError> {
        let failed = self.failed(&self.writing);
        let locked = |file: &File| match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(MakeError::Busy(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        };
        if let Ok(left) = OpenOptions::new().read(true).write(true).open(&self.writing) {
            locked(&left)?;
            self.is_own(&left)?;
            let length = left.metadata().map_err(&failed)?.len();
            if fs::metadata(&self.begun).is_ok_and(|begun| begun.len() >= length) {
                fs::remove_file(&self.writing).map_err(&failed)?;
            } else {
                fs::rename(&self.writing, &self.begun).map_err(&failed)?;
            }
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(0o600).open(&self.writing);
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => MakeError::Busy(self.path.clone()),
            _ => failed(error),
        })?;
        // between the two another process may have taken it for what one that was killed left
        locked(&file)?;
        self.is_own(&file)?;
        Ok(file)
    }

    /// Checks that a file is still the one that is being written, and no other process has put its own there.
    fn is_own(&self, file: &File) -> Result<(), MakeError> {
        match (file.metadata(), fs::metadata(&self.writing)) {
            (Ok(own), Ok(there)) if (own.dev(), own.ino()) == (there.dev(), there.ino()) => Ok(()),
            _ => Err(MakeError::Busy(self.path.clone())),
        }
    }
}

/// A file that is being written.
pub(super) struct Writer<'a> {
    places: &'a Places,
    file: File,
    description: Vec<u8>,
    collected: Vec<u8>,
    /// Octets so far, with those that are collected.
    length: u64,
    block: Vec<u8>,
    first: Option<(u32, SerialKey)>,
    table: Table,
    summaries: Vec<Summary>,
}

impl<'a> Writer<'a> {
    /// Begins with the description.
    pub(super) fn begin(places: &'a Places, description: &Description) -> Result<Self, MakeError> {
        let octets = description.encode()?;
        Ok(Self {
            places,
            file: places.begin()?,
            length: as_u64(octets.len()),
            collected: octets.clone(),
            description: octets,
            block: Vec::new(),
            first: None,
            table: Table::default(),
            summaries: vec![Summary { records: 0, ends: UnixTime::NO_END }; description.authorities.len()],
        })
    }

    /// Adds a record of a certificate of the CA with this number. They come in the order of CAs and serial numbers.
    pub(super) fn put(&mut self, authority: u32, record: &Record) -> Result<(), MakeError> {
        if self.first.is_some_and(|(of, _)| of != authority) || self.block.len() >= BLOCK {
            self.end_block()?;
        }
        if self.first.is_none() {
            self.first = Some((authority, SerialKey::of(&record.said.serial)));
            self.block.extend(authority.to_be_bytes());
        }
        record.put(&mut self.block);
        let at = usize::try_from(authority).unwrap_or(usize::MAX);
        if let Some(summary) = self.summaries.get_mut(at) {
            summary.records = summary.records.saturating_add(1);
            // nobody asks any more about a certificate that has ended, so nothing lapses with it
            if record.said.next_update != record.said.not_after {
                summary.ends = summary.ends.min(record.said.next_update);
            }
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), MakeError> {
        let Some((authority, first)) = self.first.take() else { return Ok(()) };
        let digest = sha256(&self.block);
        let length = u32::try_from(self.block.len()).unwrap_or(u32::MAX);
        self.table.push(&Row { authority, first, offset: self.length.saturating_add(4), length, digest });
        self.add(&length.to_be_bytes());
        let block = std::mem::take(&mut self.block);
        self.add(&block);
        self.add(&digest);
        if self.collected.len() >= COLLECTED {
            self.write()?;
        }
        Ok(())
    }

    fn add(&mut self, octets: &[u8]) {
        self.collected.extend_from_slice(octets);
        self.length = self.length.saturating_add(as_u64(octets.len()));
    }

    fn write(&mut self) -> Result<(), MakeError> {
        let octets = std::mem::take(&mut self.collected);
        self.file.write_all(&octets).map_err(self.places.failed(&self.places.writing))?;
        failpoint::passed("presign: piece written");
        Ok(())
    }

    /// The earliest nextUpdate of the answers so far that end before their certificates.
    pub(super) fn ends(&self) -> UnixTime {
        self.summaries.iter().map(|summary| summary.ends).min().unwrap_or(UnixTime::NO_END)
    }

    /// Puts the file into its place, durably, with its seal, which `sign` signs.
    pub(super) fn finish(
        mut self,
        (number, time, responder): (u64, UnixTime, u16),
        sign: impl FnOnce(&Seal) -> Result<Vec<u8>, MakeError>,
    ) -> Result<(), MakeError> {
        self.end_block()?;
        let mut table = self.table.as_octets().to_vec();
        self.summaries.iter().for_each(|summary| summary.put(&mut table));
        let number_of = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let seal = Seal {
            number,
            time,
            responder,
            blocks: number_of(self.table.len()),
            authorities: number_of(self.summaries.len()),
            description: sha256(&self.description),
            table: sha256(&table),
        };
        let signature = sign(&seal)?;
        self.add(&table);
        self.add(&seal.encode(&signature));
        self.write()?;
        let places = self.places;
        let failed = places.failed(&places.path);
        Mode::Public
            .bits(&self.file)
            .and_then(|bits| self.file.set_permissions(Permissions::from_mode(bits)))
            .and_then(|()| self.file.sync_all())
            .map_err(&failed)?;
        places.is_own(&self.file)?;
        fs::rename(&places.writing, &places.path).map_err(failed)?;
        failpoint::passed("presign: in place");
        sync_directory(places.directory())?;
        match fs::remove_file(&places.begun) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(places.failed(&places.begun)(error)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    #[test]
    fn a_file_that_another_process_has_moved_away_is_not_put_in_place_nor_is_the_others() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::beside(&directory.path().join("answers"));
        let begin = || Writer::begin(&places, &Description::new(Vec::new(), Vec::new())).unwrap();
        let first = begin();
        assert!(places.is_own(&first.file).is_ok());
        // between the making of the file and its lock, as if it had been left by one that was killed
        fs::rename(&places.writing, &places.begun).unwrap();
        assert!(matches!(places.is_own(&first.file), Err(MakeError::Busy(_))));
        let second = begin();
        let finish = |writer: Writer<'_>| writer.finish((1, NOW, 0), |_| Ok(vec![7]));
        assert!(matches!(finish(first), Err(MakeError::Busy(_))));
        assert!(!places.path.exists() && places.writing.exists());
        finish(second).unwrap();
        assert!(places.path.exists() && !places.writing.exists());
    }
}
