//! The table of a base: which block has which serial numbers, and the digest of each; pure.
//!
//! ```text
//! table   magic     8 octets    "GFSTBAS1"
//!         change    8 octets    change number of the index, big-endian, as are all numbers
//!         entries   8 octets    number of certificates
//!         issuers   4 octets    number of issuers
//!         blocks    4 octets    number of blocks
//!         issuer    36 octets   for each issuer: its identity, 32 octets; number of its first block, 4 octets
//!         block     53 octets   for each block: length of its first serial number, 1 octet; that number, zeros up to
//!                               20 octets; SHA-256 of the block, 32 octets
//!         blocks    4 octets    the number of blocks again, by which the table is found from the end of the file
//! ```
//!
//! The digests are whole, since a table is only a hundredth of its file, so that nobody has to argue about less.
use super::block::BLOCK;
use super::entry::{Malformed, Serial, take, take_array};
use crate::x509::IssuerId;
use std::collections::HashMap;
use std::ops::Range;

const MAGIC: [u8; 8] = *b"GFSTBAS1";
/// Octets before the rows.
pub(super) const HEAD: usize = 32;
/// Octets after the rows.
pub(super) const TAIL: usize = 4;
const ISSUER: usize = 36;
const ROW: usize = 53;
const SERIAL: usize = 20;
/// The longest table that is read, 256 MiB: one of some 800 million certificates.
const LARGEST: u64 = 256 << 20;

/// SHA-256 of a block or a table.
pub(super) type Digest = [u8; 32];

/// The table of a base. The rows of blocks stay as they are in the file.
#[derive(Debug)]
pub(super) struct Table {
    #[cfg_attr(not(any(test, debug_assertions)), expect(dead_code))]
    pub(super) change: u64,
    pub(super) entries: u64,
    issuers: Vec<(IssuerId, Range<usize>)>,
    by_identity: HashMap<IssuerId, usize>,
    rows: Vec<u8>,
}

/// Returns the octets of a table by its beginning; `None` when no file of this length has it, or it is too long.
pub(super) fn length(head: &[u8; HEAD], file: u64) -> Option<(u64, usize)> {
    let (mut octets, mut count) = (head.get(24..)?, 0_u64);
    let mut number = || take_array(&mut octets).map(u32::from_be_bytes).ok();
    let (issuers, blocks) = (u64::from(number()?), u64::from(number()?));
    for (many, size) in [(1, HEAD), (issuers, ISSUER), (blocks, ROW), (1, TAIL)] {
        count = count.checked_add(many.checked_mul(u64::try_from(size).ok()?)?)?;
    }
    let before = blocks.checked_mul(u64::try_from(BLOCK).ok()?)?;
    (before.checked_add(count)? == file && count <= LARGEST).then_some((before, usize::try_from(count).ok()?))
}

impl Table {
    /// Reads a whole table.
    pub(super) fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        let mut left = octets;
        if take_array(&mut left)? != MAGIC {
            return Err(Malformed);
        }
        let change = u64::from_be_bytes(take_array(&mut left)?);
        let entries = u64::from_be_bytes(take_array(&mut left)?);
        let issuers = u32::from_be_bytes(take_array(&mut left)?);
        let count = u32::from_be_bytes(take_array(&mut left)?);
        let blocks = usize::try_from(count).map_err(|_| Malformed)?;
        let mut firsts = Vec::new();
        for _ in 0..issuers {
            let identity = IssuerId(take_array(&mut left)?);
            let first = u32::from_be_bytes(take_array(&mut left)?);
            firsts.push((identity, usize::try_from(first).map_err(|_| Malformed)?));
        }
        let rows = take(&mut left, blocks.checked_mul(ROW).ok_or(Malformed)?)?.to_vec();
        if take_array(&mut left)? != count.to_be_bytes() || !left.is_empty() {
            return Err(Malformed);
        }
        let ends = firsts.iter().skip(1).map(|(_, first)| *first).chain([blocks]);
        let issuers: Vec<_> = firsts.iter().zip(ends).map(|((id, first), end)| (*id, *first..end)).collect();
        let by_identity: HashMap<_, _> = issuers.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
        let table = Self { change, entries, issuers, by_identity, rows };
        if table.is_in_order(blocks) { Ok(table) } else { Err(Malformed) }
    }

    /// Every issuer has blocks and is there once; every block is of an issuer, and their serial numbers ascend.
    fn is_in_order(&self, blocks: usize) -> bool {
        let begins = self.issuers.first().map_or(0, |(_, range)| range.start);
        let is_whole = begins == 0 && (blocks == 0) == self.issuers.is_empty();
        let ascends = |range: &Range<usize>| {
            let mut firsts = range.clone().map(|at| self.first(at));
            let mut last = None;
            !range.is_empty()
                && firsts.all(|first| {
                    let is_greater = first.is_some() && first > last;
                    last = first;
                    is_greater
                })
        };
        is_whole
            && self.by_identity.len() == self.issuers.len()
            && self.issuers.iter().all(|(_, range)| ascends(range))
    }

    fn row(&self, at: usize) -> Option<&[u8]> {
        let begin = at.checked_mul(ROW)?;
        self.rows.get(begin..begin.checked_add(ROW)?)
    }

    pub(super) fn first(&self, at: usize) -> Option<Serial> {
        let (length, rest) = self.row(at)?.split_first()?;
        let (serial, zeros) = rest.get(..SERIAL)?.split_at_checked(usize::from(*length))?;
        if zeros.iter().any(|octet| *octet != 0) {
            return None;
        }
        Serial::new(serial)
    }

    /// Number of blocks.
    pub(super) fn blocks(&self) -> usize {
        self.rows.len() / ROW
    }

    /// The digest of a block.
    pub(super) fn digest(&self, at: usize) -> Option<&[u8]> {
        self.row(at)?.get(SERIAL.saturating_add(1)..)
    }

    /// Every issuer with its blocks.
    pub(super) fn issuers(&self) -> &[(IssuerId, Range<usize>)] {
        &self.issuers
    }

    /// Returns the block in which a certificate is when it is in the base.
    pub(super) fn find(&self, issuer: &IssuerId, serial: &Serial) -> Option<usize> {
        let (_, range) = self.issuers.get(*self.by_identity.get(issuer)?)?;
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = low.midpoint(high);
            if self.first(middle)? <= *serial {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        low.checked_sub(1).filter(|at| *at >= range.start)
    }
}

/// A table that is being made.
#[derive(Debug, Default)]
pub(super) struct TableBuilder {
    issuers: Vec<u8>,
    rows: Vec<u8>,
    issuer_count: u32,
    block_count: u32,
    pub(super) entries: u64,
}

impl TableBuilder {
    /// Begins the blocks of an issuer.
    pub(super) fn issuer(&mut self, issuer: &IssuerId) {
        self.issuers.extend(issuer.0);
        self.issuers.extend(self.block_count.to_be_bytes());
        self.issuer_count = self.issuer_count.saturating_add(1);
    }

    /// Adds a block of the last issuer.
    pub(super) fn block(&mut self, first: &Serial, digest: &Digest) {
        let octets = first.as_octets();
        self.rows.push(u8::try_from(octets.len()).unwrap_or_default());
        self.rows.extend(octets);
        self.rows.resize(self.rows.len().saturating_add(SERIAL).saturating_sub(octets.len()), 0);
        self.rows.extend(digest);
        self.block_count = self.block_count.saturating_add(1);
    }

    /// Returns the table.
    pub(super) fn finish(self, change: u64) -> Vec<u8> {
        let mut table = MAGIC.to_vec();
        table.extend(change.to_be_bytes());
        table.extend(self.entries.to_be_bytes());
        table.extend(self.issuer_count.to_be_bytes());
        table.extend(self.block_count.to_be_bytes());
        table.extend(self.issuers);
        table.extend(self.rows);
        table.extend(self.block_count.to_be_bytes());
        table
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::any_serial;
    use super::*;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    fn built(issuers: &[Vec<Serial>]) -> Vec<u8> {
        let mut builder = TableBuilder { entries: 9, ..TableBuilder::default() };
        for (number, firsts) in (1_u8..).zip(issuers) {
            builder.issuer(&IssuerId([number; 32]));
            firsts.iter().for_each(|first| builder.block(first, &[number; 32]));
        }
        builder.finish(77)
    }

    fn any_firsts() -> impl Strategy<Value = Vec<Vec<Serial>>> {
        let firsts = btree_set(any_serial(), 1..20).prop_map(|firsts| firsts.into_iter().collect());
        vec(firsts, 0..4)
    }

    proptest! {
        #[test]
        fn each_serial_number_has_the_last_block_that_does_not_begin_after_it(
            issuers in any_firsts(), asked in any_serial(),
        ) {
            let octets = built(&issuers);
            let table = Table::parse(&octets).unwrap();
            prop_assert_eq!((table.change, table.entries), (77, 9));
            let mut begin = 0;
            for (number, firsts) in (1_u8..).zip(&issuers) {
                let before = firsts.iter().filter(|first| **first <= asked).count();
                let expected = before.checked_sub(1).map(|at| begin + at);
                prop_assert_eq!(table.find(&IssuerId([number; 32]), &asked), expected);
                begin += firsts.len();
            }
            prop_assert_eq!(table.blocks(), begin);
            prop_assert_eq!(table.find(&IssuerId([0; 32]), &asked), None);
            let head: [u8; HEAD] = octets[..HEAD].try_into().unwrap();
            let before = u64::try_from(begin * BLOCK).unwrap();
            let file = before + u64::try_from(octets.len()).unwrap();
            prop_assert_eq!(length(&head, file), Some((before, octets.len())));
            prop_assert_eq!(length(&head, file + 1), None);
        }

        #[test]
        fn any_octets_are_a_table_or_refused(
            issuers in any_firsts(), at in any::<proptest::sample::Index>(), octet in any::<u8>(),
        ) {
            let mut octets = built(&issuers);
            let at = at.index(octets.len());
            octets[at] = octet;
            if let Ok(table) = Table::parse(&octets) {
                let identities: Vec<IssuerId> = table.issuers().iter().map(|(id, _)| *id).collect();
                for id in identities {
                    let _ = table.find(&id, &Serial::new(&[1]).unwrap());
                }
                prop_assert!(Table::parse(&octets[1..]).is_err());
            }
        }
    }

    #[test]
    fn a_table_out_of_order_is_refused() {
        let serial = |octet| Serial::new(&[octet]).unwrap();
        assert!(Table::parse(&built(&[vec![serial(1), serial(2)]])).is_ok());
        for (wrong, why) in [
            (built(&[vec![serial(2), serial(1)]]), "descending"),
            (built(&[vec![serial(1), serial(1)]]), "twice the same"),
            (built(&[vec![], vec![serial(1)]]), "an issuer without a block"),
        ] {
            assert!(Table::parse(&wrong).is_err(), "{why}");
        }
    }

    #[test]
    fn a_table_that_is_longer_than_any_is_not_read() {
        let of = |blocks: u32| {
            let mut head = [0; HEAD];
            head[28..].copy_from_slice(&blocks.to_be_bytes());
            length(&head, u64::from(blocks) * 4149 + 36)
        };
        assert_eq!(of(5_000_000), Some((20_480_000_000, 265_000_036)));
        assert_eq!(of(5_100_000), None);
    }
}
