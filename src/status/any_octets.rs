//! The readers of status files, for tests that try any octets. Each returns what it understood, encoded once more.
use super::block::{self, BlockBuilder};
use super::delta::{Chain, read_sections};
use super::entry::Serial;
use super::manifest::StatusManifest;
use super::table::{Table, TableBuilder};
use super::{PublishedAuthority, authorities_file};

/// Reads a block of a base.
#[must_use]
pub fn status_block(octets: &[u8]) -> Option<Vec<u8>> {
    let mut entries = Vec::new();
    let _ = block::find(octets, &Serial::new(&[0x7f])?);
    block::for_each(octets, &mut |entry| entries.push(entry)).ok()?;
    for entry in &entries {
        let found = block::find(octets, &entry.serial).ok()??;
        (found == *entry).then_some(())?;
    }
    let mut builder = BlockBuilder::default();
    entries.iter().for_each(|entry| builder.push(entry));
    builder.finish().map(|(_, block)| block)
}

/// Reads the table of a base.
#[must_use]
pub fn status_table(octets: &[u8]) -> Option<Vec<u8>> {
    let table = Table::parse(octets).ok()?;
    let mut builder = TableBuilder::default();
    builder.entries = table.entries;
    for (issuer, range) in table.issuers() {
        builder.issuer(issuer);
        for at in range.clone() {
            let first = table.first(at)?;
            (table.find(issuer, &first) == Some(at)).then_some(())?;
            builder.block(&first, table.digest(at)?.try_into().ok()?);
        }
    }
    Some(builder.finish(table.change))
}

/// Reads the groups of a delta that are whole.
#[must_use]
pub fn status_delta(octets: &[u8]) -> Option<Vec<u8>> {
    let mut left = octets;
    let mut read = Chain::read(&mut left).ok()?;
    let (mut written, mut out) = Chain::begin(read.base, &read.over);
    while let Ok(sections) = read.next_group(&mut left) {
        let mut changes = Vec::new();
        if read_sections(sections, &mut changes).is_err() {
            break;
        }
        let (after, group) = written.group(read.change, &changes);
        (written, out) = (after, [out, group].concat());
    }
    Some(out)
}

/// Reads the sections of a group of a delta, whose digest other octets do not have.
#[must_use]
pub fn status_sections(octets: &[u8]) -> Option<Vec<u8>> {
    let mut changes = Vec::new();
    read_sections(octets, &mut changes).ok()?;
    let (_, group) = Chain::begin(1, &[0; 32]).0.group(1, &changes);
    group.get(12..group.len().checked_sub(32)?).map(<[u8]>::to_vec)
}

/// Reads the file of the CAs.
#[must_use]
pub fn status_authorities(octets: &[u8]) -> Option<Vec<u8>> {
    let authorities = authorities_file::parse(octets)?;
    let encoded = authorities_file::encode(&authorities).ok();
    authorities.into_iter().for_each(|authority| drop(PublishedAuthority::parse(authority)));
    encoded
}

/// Reads a manifest.
#[must_use]
pub fn status_manifest(octets: &[u8]) -> Option<Vec<u8>> {
    let manifest = StatusManifest::parse(octets).ok()?;
    drop((manifest.time(), manifest.confirmed(), manifest.head()));
    manifest.encode()
}
