//! A delta on the disk: read up to what its manifest names, extended at its end.
use super::base::another;
use super::changes::Changes;
use super::delta::{Chain, read_sections};
use super::entry::Malformed;
use super::manifest::FilePart;
use super::{StatusError, failed};
use crate::failpoint;
use crate::home::{Aside, Mode, open_file};
use base16ct::lower::encode_string as hex;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The longest bound of a delta, 4 MiB: it is in the memory of every responder. No more is read. With a base of more
/// than 32 times that, folding adds more to a change: some 8 kB with 12 million certificates.
pub(super) const MOST: u64 = 4 << 20;

/// A delta with its changes in memory.
#[derive(Clone, Debug)]
pub(super) struct Delta {
    file: String,
    chain: Chain,
    changes: Changes,
}

impl Delta {
    /// Opens the delta that a manifest names with its base. Of a delta that `previous` has the beginning of, only what
    /// was added is read.
    ///
    /// # Errors
    /// [`StatusError::Incomplete`] when the file is missing or shorter than the manifest says; otherwise as
    /// [`super::base::Base::open`].
    pub(super) fn open(
        directory: &Path,
        part: &FilePart,
        base: &FilePart,
        previous: Option<&Self>,
    ) -> Result<Self, StatusError> {
        let (path, file) = (directory.join(&part.file), part.open(directory)?);
        let same =
            previous.filter(|before| before.file == part.file && hex(&before.chain.over) == base.sha256);
        if let Some(before) = same.filter(|before| before.chain.length <= part.length)
            && let Ok(delta) = before.clone().extended(&path, &file, part)
        {
            return Ok(delta);
        }
        let octets = read(&path, &file, 0, part.length)?;
        let mut left = octets.as_slice();
        let chain = Chain::read(&mut left).map_err(|Malformed| another(&path))?;
        if hex(&chain.over) != base.sha256 {
            return Err(another(&path));
        }
        let begun = Self { file: part.file.clone(), chain, changes: Changes::default() };
        begun.with(&path, left, part)
    }

    fn extended(self, path: &Path, file: &File, part: &FilePart) -> Result<Self, StatusError> {
        let added = read(path, file, self.chain.length, part.length)?;
        self.with(path, &added, part)
    }

    fn with(mut self, path: &Path, mut groups: &[u8], part: &FilePart) -> Result<Self, StatusError> {
        while !groups.is_empty() {
            let mut changes = Vec::new();
            self.chain
                .next_group(&mut groups)
                .and_then(|sections| read_sections(sections, &mut changes))
                .map_err(|Malformed| another(path))?;
            self.changes.add(changes);
        }
        if hex(&self.chain.digest) == part.sha256 { Ok(self) } else { Err(another(path)) }
    }

    pub(super) fn changes(&self) -> &Changes {
        &self.changes
    }
}

fn read(path: &Path, file: &File, begin: u64, end: u64) -> Result<Vec<u8>, StatusError> {
    let length =
        end.checked_sub(begin).filter(|_| end <= MOST).and_then(|length| usize::try_from(length).ok());
    let mut octets = vec![0; length.ok_or_else(|| another(path))?];
    file.read_exact_at(&mut octets, begin).map_err(|error| failed(path, &error))?;
    Ok(octets)
}

/// The octets of a delta that its manifest names, with their chain. The changes are not decoded.
pub(super) fn prefix(directory: &Path, part: &FilePart) -> Result<(Chain, Vec<u8>), StatusError> {
    let path = directory.join(&part.file);
    let octets = read(&path, &part.open(directory)?, 0, part.length)?;
    let mut left = octets.as_slice();
    let mut chain = Chain::read(&mut left).map_err(|Malformed| another(&path))?;
    while !left.is_empty() {
        chain.next_group(&mut left).map_err(|Malformed| another(&path))?;
    }
    if hex(&chain.digest) == part.sha256 { Ok((chain, octets)) } else { Err(another(&path)) }
}

/// Returns the changes in all whole groups of a delta that no manifest may name, and the change number of the last. A
/// group that is damaged is passed over.
pub(super) fn read_unnamed(path: &Path) -> Result<(Changes, u64), StatusError> {
    let mut octets = Vec::new();
    let file = open_file(path).map_err(|error| failed(path, &error))?;
    file.take(MOST).read_to_end(&mut octets).map_err(|error| failed(path, &error))?;
    let mut left = octets.as_slice();
    let mut chain = Chain::read(&mut left).map_err(|Malformed| another(path))?;
    let mut all = Changes::default();
    while !left.is_empty() {
        let mut changes = Vec::new();
        match chain.next_group(&mut left) {
            Ok(sections) if read_sections(sections, &mut changes).is_ok() => all.add(changes),
            Ok(_) => {}
            Err(Malformed) if chain.pass_over(&mut left).is_ok() => {}
            Err(Malformed) => break,
        }
    }
    Ok((all, chain.change))
}

/// Appends a group behind the octets that the manifest names, durably. The file must end there: what a publisher left
/// that was killed is never written over, because a copy of the directory may have it. Returns false when the file
/// cannot be written to, as one of another owner: it is as it was.
pub(super) fn append(directory: &Path, part: &FilePart, group: &[u8]) -> Result<bool, StatusError> {
    let path = directory.join(&part.file);
    let Ok(file) = OpenOptions::new().write(true).open(&path) else { return Ok(false) };
    failpoint::passed("status: delta to be extended");
    let (first, second) = group.split_at_checked(group.len() / 2).unwrap_or_default();
    file.write_all_at(first, part.length).map_err(|error| failed(&path, &error))?;
    failpoint::passed("status: delta half extended");
    let between = part.length.saturating_add(u64::try_from(first.len()).unwrap_or(u64::MAX));
    file.write_all_at(second, between).map_err(|error| failed(&path, &error))?;
    failpoint::passed("status: delta extended");
    file.sync_all().map_err(|error| failed(&path, &error))?;
    failpoint::passed("status: delta durable");
    Ok(true)
}

/// Writes a delta under a temporary name.
pub(super) fn write(path: &Path, octets: &[u8], chain: &Chain) -> Result<(FilePart, Aside), StatusError> {
    let aside = Aside::fill(path, Mode::Public, |file| file.write_all(octets))?;
    failpoint::passed("status: file begun");
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((FilePart { file, length: chain.length, sha256: hex(&chain.digest) }, aside))
}
