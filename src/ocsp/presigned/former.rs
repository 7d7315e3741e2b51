//! Files of answers from before, from which records are taken that still count: the one in place, and one that was begun.
use super::IssuerForm;
use super::description::{self, Description};
use super::record::Record;
use super::store::{
    AnswerStore, Block, DIGEST, LONGEST_BLOCK, NotTaken, as_u64, description_octets, read_block,
};
use super::table::{Row, SerialKey, Table};
use crate::status::StatusReader as _;
use crate::x509::{Fingerprint, IssuerId, SerialNumber};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A file from before. It is asked for certificates in the order of their CAs and serial numbers, so that each block is read
/// once.
pub(super) struct Former {
    file: File,
    description: Description,
    table: Table,
    /// The number of the last block that was read, and its records from the last one asked for on.
    at: Option<usize>,
    records: std::vec::IntoIter<(SerialKey, Record)>,
    next: Option<(SerialKey, Record)>,
    /// The number of the file, and the CA for which it is signed; `None` for one that was begun.
    pub(super) sealed: Option<(u64, IssuerId)>,
}

impl Former {
    /// Returns the whole file at this path; `None` when there is none, or it is none any more.
    pub(super) fn whole(path: &Path) -> Option<Self> {
        let store = AnswerStore::read(path).ok()?;
        let sealed = Some((store.change(), store.sealed_by()?));
        Some(Self::of(store.file, store.description, store.table, sealed))
    }

    /// Returns the blocks at the beginning of a file that was not finished; `None` when there is none.
    pub(super) fn begun(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let (octets, mut at) = description_octets(&file).ok()?;
        let description = Description::parse(octets.get(description::HEAD..)?).ok()?;
        let mut table = Table::default();
        let mut last = None;
        while let Ok(Some(row)) = begun_row(&file, at) {
            if Some((row.authority, row.first)) <= last {
                break;
            }
            last = Some((row.authority, row.first));
            table.push(&row);
            at = row.offset.saturating_add(u64::from(row.length)).saturating_add(as_u64(DIGEST));
        }
        Some(Self::of(file, description, table, None))
    }

    fn of(file: File, description: Description, table: Table, sealed: Option<(u64, IssuerId)>) -> Self {
        let records = Vec::new().into_iter();
        Self { file, description, table, at: None, records, next: None, sealed }
    }

    /// Returns the record of a certificate, if its answers are to CertIDs of these forms and by the responder with this
    /// certificate.
    pub(super) fn find(
        &mut self,
        issuer: &IssuerId,
        serial: &SerialNumber,
        (forms, responder): (&[IssuerForm], &Fingerprint),
    ) -> Option<Record> {
        let authority = self.description.authority(issuer)?;
        if self.description.forms_of(authority) != forms {
            return None;
        }
        let key = SerialKey::of(serial);
        let at = self.table.find(authority, key)?;
        if self.at != Some(at) {
            self.at = Some(at);
            self.records = records(&self.file, &self.table.row(at)?).unwrap_or_default().into_iter();
            self.next = self.records.next();
        }
        while self.next.as_ref().is_some_and(|(next, _)| *next < key) {
            self.next = self.records.next();
        }
        let (found, record) = self.next.as_ref()?;
        let by = self.description.responder(record.responder)?;
        (*found == key && by.same.fingerprint == *responder && record.signatures.len() == forms.len())
            .then(|| record.clone())
    }
}

fn records(file: &File, row: &Row) -> Option<Vec<(SerialKey, Record)>> {
    let contents = read_block(file, row).ok()?;
    let mut left = Block::parse(&contents).ok()?.records;
    let mut records = Vec::new();
    while !left.is_empty() {
        let record = Record::take(&mut left).ok()?;
        records.push((SerialKey::of(&record.said.serial), record));
    }
    Some(records)
}

/// Returns the row of the block at this place, when there is a whole one.
fn begun_row(file: &File, at: u64) -> Result<Option<Row>, NotTaken> {
    let mut length = [0; 4];
    file.read_exact_at(&mut length, at)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST_BLOCK {
        return Ok(None);
    }
    let offset = at.saturating_add(4);
    let mut digest = [0; DIGEST];
    file.read_exact_at(&mut digest, offset.saturating_add(u64::from(length)))?;
    let row = Row { authority: 0, first: SerialKey::default(), offset, length, digest };
    let contents = read_block(file, &row)?;
    let block = Block::parse(&contents)?;
    let first = Record::take(&mut { block.records })?;
    Ok(Some(Row { authority: block.authority, first: SerialKey::of(&first.said.serial), ..row }))
}
