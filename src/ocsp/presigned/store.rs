//! A file of answers, opened for lookups. A lookup is one read of one block.
use super::description::{self, Description};
use super::record::Record;
use super::seal::{self, Seal};
use super::table::{ROW, Row, SerialKey, Table};
use super::{Malformed, take_array};
use crate::error::Shown as _;
use crate::ocsp::file_version::{FileVersion, open_file};
use crate::signing::answers_octets;
use crate::status::{PublishedAuthority, StatusEntry, StatusError, StatusReader};
use crate::x509::{Certificate, CertificateId, IssuerId, SerialNumber, UnixTime, sha256, verify};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Octets in the table for each CA.
const SUMMARY: usize = 16;
/// Octets of the digest after a block.
pub(super) const DIGEST: usize = 32;
/// The longest contents of a block that are read. A block ends with the record that makes it 4 KiB.
pub(super) const LONGEST_BLOCK: u32 = 1 << 20;

/// What the table says of the answers of one CA.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Summary {
    /// Number of certificates.
    pub(super) records: u64,
    /// The earliest nextUpdate of answers that end before their certificates; [`UnixTime::NO_END`] without any.
    pub(super) ends: UnixTime,
}

/// Signed answers in a file. It does not change. In memory there are 69 octets for each block of some 4 KiB, besides the
/// CAs and responders.
pub struct AnswerStore {
    path: PathBuf,
    pub(super) file: File,
    version: FileVersion,
    pub(super) description: Description,
    pub(super) table: Table,
    summaries: Vec<Summary>,
    seal: Seal,
    is_damaged: AtomicBool,
}

/// Why a file of answers is not taken.
pub(super) enum NotTaken {
    Unreadable(io::Error),
    /// It is none, or not whole.
    Another(&'static str),
}

impl From<io::Error> for NotTaken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::Another("it is cut short"),
            _ => Self::Unreadable(error),
        }
    }
}

impl From<Malformed> for NotTaken {
    fn from(_: Malformed) -> Self {
        Self::Another("it is no file of answers, or was changed")
    }
}

impl AnswerStore {
    /// Opens a file whose seal is right, and compares every block with its digest.
    ///
    /// # Errors
    /// When it cannot be read, is cut short or was changed.
    pub(super) fn read(path: &Path) -> Result<Self, NotTaken> {
        let file = open_file(path)?;
        let metadata = file.metadata()?;
        let cut_short = || NotTaken::Another("it is cut short");
        let (octets, begin) = read_end(&file, metadata.len())?;
        let (seal, signature) = Seal::parse(&octets)?;
        let rows = length(seal.blocks, ROW)?;
        let rest = length(seal.authorities, SUMMARY)?;
        let size = rows.checked_add(rest).ok_or_else(cut_short)?;
        let begin = begin.checked_sub(as_u64(size)).ok_or_else(cut_short)?;
        let mut table = vec![0; size];
        file.read_exact_at(&mut table, begin)?;
        let (description, after) = read_description(&file, &seal)?;
        let signer = description.responder(seal.responder).ok_or(Malformed)?;
        let message = answers_octets(seal.number, seal.time, &seal.digest());
        let key = signer.certificate.tbs().public_key();
        if sha256(&table) != seal.table || !verify(key, signer.algorithm, &message, signature) {
            return Err(Malformed.into());
        }
        if !signer.certificate.tbs().validity().contains(seal.time) {
            return Err(NotTaken::Another(
                "it was signed by a responder whose certificate was not valid then",
            ));
        }
        let (rows, summaries) = table.split_at_checked(rows).ok_or(Malformed)?;
        let store = Self {
            path: path.to_owned(),
            version: FileVersion::of_metadata(&metadata),
            table: Table::parse(rows)?,
            summaries: read_summaries(summaries)?,
            file,
            description,
            seal,
            is_damaged: AtomicBool::new(false),
        };
        if store.summaries.len() != store.description.authorities.len() {
            return Err(Malformed.into());
        }
        store.check(after, begin)?;
        Ok(store)
    }

    /// Checks every block, from the end of the description to the beginning of the table.
    fn check(&self, mut at: u64, end: u64) -> Result<(), NotTaken> {
        let mut records = vec![0_u64; self.summaries.len()];
        for number in 0..self.table.len() {
            let row = self.table.row(number).ok_or(Malformed)?;
            let next =
                self.table.row(number.saturating_add(1)).filter(|next| next.authority == row.authority);
            if row.offset != at.saturating_add(4) {
                return Err(Malformed.into());
            }
            let contents = read_block(&self.file, &row)?;
            let block = Block::parse(&contents)?;
            let place = usize::try_from(row.authority).ok().and_then(|at| records.get_mut(at));
            let place = place.ok_or(Malformed)?;
            let (mut last, mut left) = (None, block.records);
            while !left.is_empty() {
                let record = Record::take(&mut left)?;
                let key = SerialKey::of(&record.said.serial);
                let is_first = last.is_some() || key == row.first;
                if !is_first || last >= Some(key) || next.is_some_and(|next| next.first <= key) {
                    return Err(Malformed.into());
                }
                self.check_record(&row, &record)?;
                last = Some(key);
                *place = place.saturating_add(1);
            }
            if last.is_none() || block.authority != row.authority {
                return Err(Malformed.into());
            }
            at = row.offset.saturating_add(u64::from(row.length)).saturating_add(as_u64(DIGEST));
        }
        let counted = self.summaries.iter().map(|summary| summary.records);
        if at == end && records.into_iter().eq(counted) { Ok(()) } else { Err(Malformed.into()) }
    }

    fn check_record(&self, row: &Row, record: &Record) -> Result<(), Malformed> {
        let responder = self.description.responder(record.responder).ok_or(Malformed)?;
        let is_whole = responder.authority == row.authority
            && record.signatures.len() == self.description.forms_of(row.authority).len();
        if is_whole { Ok(()) } else { Err(Malformed) }
    }

    /// Returns the record of a certificate.
    ///
    /// # Errors
    /// When its block cannot be read, or is not what it was any more.
    pub(super) fn find(&self, authority: u32, serial: &SerialNumber) -> Result<Option<Record>, StatusError> {
        let key = SerialKey::of(serial);
        let row = self.table.find(authority, key).and_then(|at| self.table.row(at));
        let Some(row) = row else { return Ok(None) };
        self.in_block(&row, key).map_err(|error| {
            self.is_damaged.store(true, Ordering::Relaxed);
            let why = match error {
                NotTaken::Unreadable(error) => error.to_string(),
                NotTaken::Another(_) => "it has changed since it was opened".to_owned(),
            };
            StatusError::Answers(format!("{}: {why}", self.path.shown()))
        })
    }

    fn in_block(&self, row: &Row, key: SerialKey) -> Result<Option<Record>, NotTaken> {
        let contents = read_block(&self.file, row)?;
        let mut left = Block::parse(&contents)?.records;
        while !left.is_empty() {
            let record = Record::take(&mut left)?;
            if SerialKey::of(&record.said.serial) >= key {
                return Ok(Some(record).filter(|record| SerialKey::of(&record.said.serial) == key));
            }
        }
        Ok(None)
    }

    /// Whether a file begins as one of answers does.
    pub(super) fn begins(path: &Path) -> bool {
        open_file(path).is_ok_and(|file| description_octets(&file).is_ok())
    }

    /// The earliest nextUpdate of the answers about certificates of a CA that end before the certificates,
    /// [`UnixTime::NO_END`] when there are none; `None` when the CA is not in the file.
    pub(crate) fn ends(&self, issuer: &IssuerId) -> Option<UnixTime> {
        let at = usize::try_from(self.description.authority(issuer)?).ok()?;
        Some(self.summaries.get(at)?.ends)
    }

    /// The latest end of the certificates of the responders that signed for a CA.
    pub(crate) fn responders_end(&self, issuer: &IssuerId) -> Option<UnixTime> {
        let authority = self.description.authority(issuer)?;
        let of = self.description.responders.iter().filter(|responder| responder.authority == authority);
        of.map(|responder| responder.certificate.tbs().validity().not_after).max()
    }

    /// Number of certificates that there are answers about.
    #[must_use]
    pub fn certificates(&self) -> u64 {
        self.summaries.iter().map(|summary| summary.records).sum()
    }

    /// The certificate of the responder that signed the seal, and its CA.
    pub(super) fn sealer(&self) -> Option<(&PublishedAuthority, &Certificate)> {
        let responder = self.description.responder(self.seal.responder)?;
        let at = usize::try_from(responder.authority).ok()?;
        Some((self.description.authorities.get(at)?, &responder.certificate))
    }

    /// The CA whose responder signed the seal.
    pub(super) fn sealed_by(&self) -> Option<IssuerId> {
        Some(self.sealer()?.0.issuer)
    }

    pub(super) fn version(&self) -> FileVersion {
        self.version
    }
}

impl StatusReader for AnswerStore {
    fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
        let Some(authority) = self.description.authority(&id.issuer) else { return Ok(None) };
        let found = self.find(authority, &id.serial_number)?;
        Ok(found
            .map(|record| StatusEntry { state: record.said.state(), not_after: Some(record.said.not_after) }))
    }

    fn authorities(&self) -> &[PublishedAuthority] {
        &self.description.authorities
    }

    fn change(&self) -> u64 {
        self.seal.number
    }

    fn time(&self) -> UnixTime {
        self.seal.time
    }

    fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }
}

/// The contents of a block.
pub(super) struct Block<'a> {
    pub(super) authority: u32,
    pub(super) records: &'a [u8],
}

impl<'a> Block<'a> {
    pub(super) fn parse(mut contents: &'a [u8]) -> Result<Self, Malformed> {
        let authority = u32::from_be_bytes(take_array(&mut contents)?);
        Ok(Self { authority, records: contents })
    }
}

/// Returns the contents of a block, compared with the digest in the table.
pub(super) fn read_block(file: &File, row: &Row) -> Result<Vec<u8>, NotTaken> {
    if row.length > LONGEST_BLOCK {
        return Err(Malformed.into());
    }
    let mut contents = vec![0; length(row.length, 1)?];
    file.read_exact_at(&mut contents, row.offset)?;
    if sha256(&contents) == row.digest { Ok(contents) } else { Err(Malformed.into()) }
}

/// Returns the octets of the seal, and where it begins.
fn read_end(file: &File, size: u64) -> Result<(Vec<u8>, u64), NotTaken> {
    let cut_short = || NotTaken::Another("it is cut short");
    let mut tail = [0; seal::TAIL];
    file.read_exact_at(&mut tail, size.checked_sub(as_u64(seal::TAIL)).ok_or_else(cut_short)?)?;
    // a file that is cut short ends with something else
    let length = Seal::length(&tail)?;
    let begin = size.checked_sub(as_u64(length)).ok_or_else(cut_short)?;
    let mut octets = vec![0; length];
    file.read_exact_at(&mut octets, begin)?;
    Ok((octets, begin))
}

/// Returns the description that the seal names, and where it ends.
fn read_description(file: &File, seal: &Seal) -> Result<(Description, u64), NotTaken> {
    let (octets, after) = description_octets(file)?;
    if sha256(&octets) != seal.description {
        return Err(Malformed.into());
    }
    let contents = octets.get(description::HEAD..).ok_or(Malformed)?;
    Ok((Description::parse(contents)?, after))
}

/// Returns the octets of a description, and where it ends.
pub(super) fn description_octets(file: &File) -> Result<(Vec<u8>, u64), NotTaken> {
    let mut octets = vec![0; description::HEAD];
    file.read_exact_at(&mut octets, 0)?;
    let size = description::HEAD.checked_add(Description::length(&octets)?).ok_or(Malformed)?;
    octets.resize(size, 0);
    file.read_exact_at(&mut octets, 0)?;
    Ok((octets, as_u64(size)))
}

fn read_summaries(mut octets: &[u8]) -> Result<Vec<Summary>, Malformed> {
    let mut summaries = Vec::new();
    while !octets.is_empty() {
        let records = u64::from_be_bytes(take_array(&mut octets)?);
        let ends = UnixTime(i64::from_be_bytes(take_array(&mut octets)?));
        summaries.push(Summary { records, ends });
    }
    Ok(summaries)
}

impl Summary {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.records.to_be_bytes());
        out.extend(self.ends.0.to_be_bytes());
    }
}

fn length(count: u32, size: usize) -> Result<usize, Malformed> {
    usize::try_from(count).ok().and_then(|count| count.checked_mul(size)).ok_or(Malformed)
}

pub(super) fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
