//! A block of a base: entries in a fixed number of octets, which is what a lookup reads; pure.
//!
//! ```text
//! block   count     2 octets    number of entries, big-endian
//!         entries               in the order of their serial numbers; the first shares nothing
//!         zeros                 up to the end of the block
//! ```
use super::entry::{Entries, Entry, LONGEST_ENTRY, Malformed, RawEntry, Serial, take_array};

/// Octets of a block: a page, so that a lookup brings one page from the disk.
pub(super) const BLOCK: usize = 4096;

/// A block that is being filled.
#[derive(Debug, Default)]
pub(super) struct BlockBuilder {
    entries: Vec<u8>,
    count: u16,
    first: Option<Serial>,
    last: Option<Serial>,
}

impl BlockBuilder {
    /// Returns whether another entry may not fit in.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len().saturating_add(LONGEST_ENTRY).saturating_add(2) > BLOCK
    }

    /// Adds an entry to a block that is not full.
    pub(super) fn push(&mut self, entry: &Entry) {
        entry.put(self.last.as_ref(), &mut self.entries);
        self.count = self.count.saturating_add(1);
        self.first = self.first.or(Some(entry.serial));
        self.last = Some(entry.serial);
    }

    /// Returns the block with its first serial number, and begins another; `None` when it has no entry.
    pub(super) fn finish(&mut self) -> Option<(Serial, Vec<u8>)> {
        let Self { entries, count, first, .. } = std::mem::take(self);
        let mut block = Vec::with_capacity(BLOCK);
        block.extend(count.to_be_bytes());
        block.extend(entries);
        block.resize(BLOCK, 0);
        Some((first?, block))
    }

    /// The serial number that was added last.
    pub(super) fn last(&self) -> Option<&Serial> {
        self.last.as_ref()
    }
}

/// Returns the entry of a serial number in a block. What stands behind it is not read.
pub(super) fn find(block: &[u8], serial: &Serial) -> Result<Option<Entry>, Malformed> {
    let mut found = None;
    visit(block, &mut |entry| {
        if entry.serial == *serial {
            found = Some(entry.decode()?);
        }
        Ok(entry.serial < *serial)
    })?;
    Ok(found)
}

/// Passes every entry of a block to `each`.
pub(super) fn for_each(block: &[u8], each: &mut dyn FnMut(Entry)) -> Result<(), Malformed> {
    let left = visit(block, &mut |entry| {
        each(entry.decode()?);
        Ok(true)
    })?;
    if left.iter().all(|octet| *octet == 0) { Ok(()) } else { Err(Malformed) }
}

/// Passes entries to `each` until it returns false. Returns what was not read.
fn visit<'a>(
    block: &'a [u8],
    each: &mut dyn FnMut(&RawEntry<'_>) -> Result<bool, Malformed>,
) -> Result<&'a [u8], Malformed> {
    let mut octets = block;
    let count = u16::from_be_bytes(take_array(&mut octets)?);
    let mut entries = Entries::of(octets);
    for _ in 0..count {
        if !each(&entries.next_raw()?)? {
            break;
        }
    }
    Ok(entries.left())
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::any_entries;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_in_a_block_is_found_in_it_and_nothing_else(entries in any_entries(60)) {
            let mut builder = BlockBuilder::default();
            let (there, others): (Vec<_>, Vec<_>) = entries.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
            there.iter().for_each(|(_, entry)| builder.push(entry));
            let Some((first, block)) = builder.finish() else { return Ok(()) };
            prop_assert_eq!((block.len(), first), (BLOCK, there[0].1.serial));
            for (_, entry) in &there {
                prop_assert_eq!(find(&block, &entry.serial), Ok(Some(entry.clone())));
            }
            for (_, entry) in &others {
                prop_assert_eq!(find(&block, &entry.serial), Ok(None));
            }
            let mut all = Vec::new();
            for_each(&block, &mut |entry| all.push(entry)).unwrap();
            prop_assert!(all.iter().eq(there.iter().map(|(_, entry)| entry)));
        }
    }

    #[test]
    fn octets_behind_the_entries_are_refused_where_everything_is_read() {
        let mut builder = BlockBuilder::default();
        let serial = Serial::new(&[7]).unwrap();
        builder.push(&Entry {
            serial,
            state: crate::index::CertificateState::Issued,
            not_after: crate::x509::UnixTime(5),
        });
        let (_, mut block) = builder.finish().unwrap();
        assert_eq!(for_each(&block, &mut |_| {}), Ok(()));
        *block.last_mut().unwrap() = 1;
        assert_eq!(for_each(&block, &mut |_| {}), Err(Malformed));
        block[1] = 200;
        assert_eq!(for_each(&block, &mut |_| {}), Err(Malformed), "more entries than there are");
    }
}
