//! A base, opened for lookups: every state when it was made. A lookup is one read of one block.
use super::block::{self, BLOCK};
use super::entry::{Entry, Malformed, Serial};
use super::manifest::FilePart;
use super::table::{self, HEAD, TAIL, Table};
use super::{StatusEntry, StatusError, failed};
use crate::error::Shown as _;
use crate::home::open_file;
use crate::index::StoreError;
use crate::x509::{CertificateId, IssuerId, sha256};
use base16ct::lower::encode_string as hex;
use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A base whose table is in memory: 53 octets for each block of 4 KiB. The file stays open, because it may be removed
/// while it is in use.
#[derive(Debug)]
pub(super) struct Base {
    path: PathBuf,
    sha256: String,
    file: File,
    table: Table,
    /// Which blocks were compared with their digests: a bit for each. A block is compared when it is first read, so
    /// that a start does not read the whole file.
    compared: Vec<AtomicU64>,
    /// The number of the last block that was read and is damaged, from 1 on; 0 when none was.
    damaged: AtomicUsize,
    /// Number of reads from the file.
    #[cfg(test)]
    pub(super) reads: AtomicU64,
}

impl Base {
    /// Opens a base that a manifest names, if its table has the digest in the manifest.
    ///
    /// # Errors
    /// [`StatusError::Incomplete`] when the file is missing or shorter than the manifest says, as while it is being
    /// copied; [`StoreError::Damaged`] when it is another file.
    pub(super) fn open(directory: &Path, part: &FilePart) -> Result<Self, StatusError> {
        let path = directory.join(&part.file);
        let file = part.open(directory)?;
        let length = file.metadata().map_err(|error| failed(&path, &error))?.len();
        if length != part.length {
            return Err(another(&path));
        }
        let base = Self::read(path, file, length)?;
        if base.sha256 == part.sha256 { Ok(base) } else { Err(another(&base.path)) }
    }

    /// Opens a base that no manifest may name. Its blocks have the digests in its own table.
    pub(super) fn open_unnamed(path: &Path) -> Result<Self, StatusError> {
        let file = open_file(path).map_err(|error| failed(path, &error))?;
        let length = file.metadata().map_err(|error| failed(path, &error))?.len();
        Self::read(path.to_owned(), file, length)
    }

    fn read(path: PathBuf, file: File, length: u64) -> Result<Self, StatusError> {
        let octets = read_table(&file, length).map_err(|error| match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => another(&path),
            _ => failed(&path, &error),
        })?;
        let table = Table::parse(&octets).map_err(|Malformed| another(&path))?;
        let words = table.blocks().div_ceil(64);
        Ok(Self {
            path,
            sha256: hex(&sha256(&octets)),
            file,
            table,
            compared: (0..words).map(|_| AtomicU64::new(0)).collect(),
            damaged: AtomicUsize::new(0),
            #[cfg(test)]
            reads: AtomicU64::new(3),
        })
    }

    /// Returns whether this is the given file.
    pub(super) fn is(&self, part: &FilePart) -> bool {
        self.path.file_name().is_some_and(|name| name == part.file.as_str()) && self.sha256 == part.sha256
    }

    /// Returns whether a block was read that is damaged.
    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed) != 0
    }

    /// Opens the file again, which may have been copied again. If not, the block that was damaged is so again.
    pub(super) fn again(&self, directory: &Path, part: &FilePart) -> Result<Self, StatusError> {
        let again = Self::open(directory, part)?;
        if let Some(at) = self.damaged.load(Ordering::Relaxed).checked_sub(1) {
            let _ = again.read_block(at, &mut [0; BLOCK]);
        }
        Ok(again)
    }

    /// Compares every block with its digest.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when one has another.
    pub(super) fn check(&self) -> Result<(), StatusError> {
        let mut block = [0; BLOCK];
        (0..self.table.blocks()).try_for_each(|at| self.read_block(at, &mut block))
    }

    /// Returns what the base has about a certificate.
    pub(super) fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
        let serial = Serial::of(&id.serial_number);
        let Some(at) = self.table.find(&id.issuer, &serial) else { return Ok(None) };
        let mut block = [0; BLOCK];
        self.read_block(at, &mut block)?;
        let found = block::find(&block, &serial).map_err(|Malformed| another(&self.path))?;
        Ok(found.map(|entry| StatusEntry { state: entry.state, not_after: Some(entry.not_after) }))
    }

    /// Passes every certificate to `each`, in the order of the file: that of the issuers in its table, and below it
    /// that of the octets of the serial numbers.
    pub(super) fn for_each(
        &self,
        each: &mut dyn FnMut(&IssuerId, Entry) -> Result<(), StatusError>,
    ) -> Result<(), StatusError> {
        let mut count = 0_u64;
        for (issuer, range) in self.table.issuers() {
            self.each_in(range.clone(), &mut |entry| {
                count = count.saturating_add(1);
                each(issuer, entry)
            })?;
        }
        if count == self.table.entries { Ok(()) } else { Err(another(&self.path)) }
    }

    /// Passes every certificate of an issuer to `each`, in the order of the serial numbers.
    pub(super) fn each_of(
        &self,
        issuer: &IssuerId,
        each: &mut dyn FnMut(Entry) -> Result<(), StatusError>,
    ) -> Result<(), StatusError> {
        let found = self.table.issuers().iter().find(|(of, _)| of == issuer);
        found.map_or(Ok(()), |(_, range)| self.each_in(range.clone(), each))
    }

    fn each_in(
        &self,
        blocks: Range<usize>,
        each: &mut dyn FnMut(Entry) -> Result<(), StatusError>,
    ) -> Result<(), StatusError> {
        let (mut entries, mut last) = (Vec::new(), None);
        for at in blocks {
            self.entries(at, &mut entries)?;
            for entry in entries.drain(..) {
                if last.replace(entry.serial).is_some_and(|last| last >= entry.serial) {
                    return Err(another(&self.path));
                }
                each(entry)?;
            }
        }
        Ok(())
    }

    /// Passes every certificate to `each` that is in a block that can be read, in no order.
    pub(super) fn for_each_left(&self, each: &mut dyn FnMut(&IssuerId, Entry)) {
        let mut entries = Vec::new();
        for (issuer, range) in self.table.issuers() {
            for at in range.clone() {
                entries.clear();
                if self.entries(at, &mut entries).is_ok() {
                    entries.drain(..).for_each(|entry| each(issuer, entry));
                }
            }
        }
    }

    fn entries(&self, at: usize, entries: &mut Vec<Entry>) -> Result<(), StatusError> {
        let mut block = [0; BLOCK];
        self.read_block(at, &mut block)?;
        block::for_each(&block, &mut |entry| entries.push(entry)).map_err(|Malformed| another(&self.path))
    }

    fn read_block(&self, at: usize, block: &mut [u8; BLOCK]) -> Result<(), StatusError> {
        let read = self.compared_block(at, block);
        if read.is_err() {
            self.damaged.store(at.saturating_add(1), Ordering::Relaxed);
        }
        read
    }

    fn compared_block(&self, at: usize, block: &mut [u8; BLOCK]) -> Result<(), StatusError> {
        let octets = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        let begin = u64::try_from(at).unwrap_or(u64::MAX).saturating_mul(octets);
        #[cfg(test)]
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.file.read_exact_at(block, begin).map_err(|error| match error.kind() {
            // It was cut short after it was opened.
            ErrorKind::UnexpectedEof => another(&self.path),
            _ => failed(&self.path, &error),
        })?;
        let (word, bit) =
            (self.compared.get(at / 64), 1_u64.rotate_left(u32::try_from(at % 64).unwrap_or(0)));
        if word.is_some_and(|word| word.load(Ordering::Relaxed) & bit != 0) {
            return Ok(());
        }
        if self.table.digest(at) != Some(&sha256(block)) {
            return Err(another(&self.path));
        }
        if let Some(word) = word {
            word.fetch_or(bit, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn read_table(file: &File, length: u64) -> std::io::Result<Vec<u8>> {
    let malformed = || std::io::Error::from(ErrorKind::InvalidData);
    let mut tail = [0; TAIL];
    let size = u64::try_from(TAIL).map_err(|_| malformed())?;
    file.read_exact_at(&mut tail, length.checked_sub(size).ok_or_else(malformed)?)?;
    let octets = u64::try_from(BLOCK).map_err(|_| malformed())?;
    let before = u64::from(u32::from_be_bytes(tail)).saturating_mul(octets);
    let mut head = [0; HEAD];
    file.read_exact_at(&mut head, before)?;
    let (begin, size) = table::length(&head, length).ok_or_else(malformed)?;
    let mut table = vec![0; size];
    file.read_exact_at(&mut table, begin)?;
    Ok(table)
}

/// The error for a file that is not what it is said to be.
pub(super) fn another(path: &Path) -> StatusError {
    StoreError::Damaged(format!("{} is not the file that its manifest names", path.shown())).into()
}
