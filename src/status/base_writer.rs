//! Writes a base, under a temporary name on the disk, so that it may be larger than memory.
use super::block::BlockBuilder;
use super::entry::Entry;
use super::manifest::FilePart;
use super::table::TableBuilder;
use super::{StatusError, failed};
use crate::failpoint;
use crate::home::{Aside, Mode};
use crate::index::StoreError;
use crate::x509::{IssuerId, sha256};
use base16ct::lower::encode_string as hex;
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

/// Octets that are collected before they are written.
const COLLECTED: usize = 1 << 18;

/// A base that is being written. Its file is removed when this is dropped.
pub(super) struct BaseWriter {
    aside: Aside,
    collected: Vec<u8>,
    length: u64,
    block: BlockBuilder,
    table: TableBuilder,
    issuer: Option<IssuerId>,
    former: HashSet<IssuerId>,
}

impl BaseWriter {
    /// Begins a base for this path.
    pub(super) fn begin(path: &Path) -> Result<Self, StatusError> {
        let aside = Aside::begin(path, Mode::Public)?;
        failpoint::passed("status: file begun");
        Ok(Self {
            aside,
            collected: Vec::new(),
            length: 0,
            block: BlockBuilder::default(),
            table: TableBuilder::default(),
            issuer: None,
            former: HashSet::new(),
        })
    }

    /// Adds a certificate. The certificates of an issuer come together, in the order of their serial numbers.
    pub(super) fn put(&mut self, issuer: &IssuerId, entry: &Entry) -> Result<(), StatusError> {
        if self.issuer.as_ref() != Some(issuer) {
            self.end_block()?;
            if !self.former.insert(*issuer) {
                return Err(out_of_order());
            }
            self.table.issuer(issuer);
            self.issuer = Some(*issuer);
        } else if self.block.last().is_some_and(|last| *last >= entry.serial) {
            return Err(out_of_order());
        } else if self.block.is_full() {
            self.end_block()?;
        }
        self.block.push(entry);
        self.table.entries = self.table.entries.saturating_add(1);
        Ok(())
    }

    /// Number of certificates so far.
    pub(super) fn entries(&self) -> u64 {
        self.table.entries
    }

    fn end_block(&mut self) -> Result<(), StatusError> {
        let Some((first, block)) = self.block.finish() else { return Ok(()) };
        self.table.block(&first, &sha256(&block));
        self.collected.extend(block);
        if self.collected.len() >= COLLECTED {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), StatusError> {
        let octets = std::mem::take(&mut self.collected);
        self.length = self.length.saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
        let path = self.aside.path().to_owned();
        self.aside.file().as_file_mut().write_all(&octets).map_err(|error| failed(&path, &error))
    }

    /// Returns the whole file with its description. The file is not durable yet.
    pub(super) fn finish(mut self, change: u64) -> Result<(FilePart, Aside), StatusError> {
        self.end_block()?;
        let table = std::mem::take(&mut self.table).finish(change);
        let sha256 = hex(&sha256(&table));
        self.collected.extend(table);
        self.write()?;
        let file = self.aside.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((FilePart { file, length: self.length, sha256 }, self.aside))
    }
}

fn out_of_order() -> StatusError {
    StoreError::Damaged("certificates are not in the order of their serial numbers".to_owned()).into()
}
