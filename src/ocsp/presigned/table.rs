//! The table of a file of answers: where its blocks are, and the digest of each; pure.
//!
//! ```text
//! block   CA       4 octets    its number
//!         serial   21 octets   the first serial number: number of its octets, 1 octet; octets, zeros up to 20
//!         offset   8 octets    of the contents in the file
//!         length   4 octets    of the contents
//!         digest   32 octets   SHA-256 of the contents
//! ```
use super::{Malformed, take, take_array};
use crate::x509::SerialNumber;

/// Octets of a row.
pub(super) const ROW: usize = 69;
const SERIAL: usize = 20;

/// A serial number in the order of its value: the first octet is not zero, so the longer one is the greater one.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct SerialKey {
    length: u8,
    octets: [u8; SERIAL],
}

impl SerialKey {
    /// Returns the key of a serial number, which has at most 20 octets.
    pub(super) fn of(serial: &SerialNumber) -> Self {
        let from = serial.as_be_octets();
        let mut octets = [0; SERIAL];
        octets.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        Self { length: u8::try_from(from.len()).unwrap_or(u8::MAX), octets }
    }
}

/// Where a block is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) authority: u32,
    pub(super) first: SerialKey,
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) digest: [u8; 32],
}

impl Row {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.authority.to_be_bytes());
        out.push(self.first.length);
        out.extend(self.first.octets);
        out.extend(self.offset.to_be_bytes());
        out.extend(self.length.to_be_bytes());
        out.extend(self.digest);
    }

    fn take(octets: &mut &[u8]) -> Result<Self, Malformed> {
        let authority = u32::from_be_bytes(take_array(octets)?);
        let [length] = take_array(octets)?;
        let first = SerialKey { length, octets: take_array(octets)? };
        let offset = u64::from_be_bytes(take_array(octets)?);
        let length = u32::from_be_bytes(take_array(octets)?);
        Ok(Self { authority, first, offset, length, digest: take_array(octets)? })
    }
}

/// The rows in the order of the file: as octets, so that a row takes no more memory than it does in the file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Table {
    rows: Vec<u8>,
}

impl Table {
    /// Reads rows that are in order.
    pub(super) fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        if octets.len().checked_rem(ROW) != Some(0) {
            return Err(Malformed);
        }
        let table = Self { rows: octets.to_vec() };
        let mut last = None;
        for at in 0..table.len() {
            let row = table.row(at).ok_or(Malformed)?;
            let key = Some((row.authority, row.first));
            if key <= last {
                return Err(Malformed);
            }
            last = key;
        }
        Ok(table)
    }

    /// Adds a row, which comes after the others.
    pub(super) fn push(&mut self, row: &Row) {
        row.put(&mut self.rows);
    }

    /// Number of blocks.
    pub(super) fn len(&self) -> usize {
        self.rows.len() / ROW
    }

    pub(super) fn as_octets(&self) -> &[u8] {
        &self.rows
    }

    pub(super) fn row(&self, at: usize) -> Option<Row> {
        let mut octets = self.rows.get(at.checked_mul(ROW)?..)?;
        Row::take(&mut take(&mut octets, ROW).ok()?).ok()
    }

    /// Returns the number of the block that has the record of a certificate when there is one.
    pub(super) fn find(&self, authority: u32, serial: SerialKey) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            let row = self.row(middle)?;
            if (row.authority, row.first) <= (authority, serial) {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        let at = low.checked_sub(1)?;
        (self.row(at)?.authority == authority).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(octets: &[u8]) -> SerialKey {
        SerialKey::of(&SerialNumber::from_be_octets(octets).unwrap())
    }

    fn table(keys: &[(u32, &[u8])]) -> Table {
        let mut table = Table::default();
        for (at, (authority, serial)) in keys.iter().enumerate() {
            let digest = [u8::try_from(at).unwrap(); 32];
            table.push(&Row { authority: *authority, first: key(serial), offset: 12, length: 4096, digest });
        }
        table
    }

    #[test]
    fn a_block_is_found_by_any_serial_number_from_its_first_on() {
        let table = table(&[(0, &[5]), (0, &[9]), (0, &[1, 0]), (2, &[1])]);
        assert_eq!(Table::parse(table.as_octets()), Ok(table.clone()));
        for (authority, serial, expected) in [
            (0, &[4][..], None),
            (0, &[5], Some(0)),
            (0, &[8], Some(0)),
            (0, &[9], Some(1)),
            (0, &[0xff], Some(1)),
            (0, &[1, 0], Some(2)),
            (0, &[9, 9, 9], Some(2)),
            (1, &[9], None),
            (2, &[1], Some(3)),
            (3, &[1], None),
        ] {
            assert_eq!(table.find(authority, key(serial)), expected, "{authority} {serial:?}");
        }
        assert_eq!(Table::default().find(0, key(&[1])), None);
    }

    #[test]
    fn rows_that_are_cut_short_or_out_of_order_are_no_table() {
        let whole = table(&[(0, &[5]), (1, &[1])]);
        assert_eq!(Table::parse(&whole.as_octets()[1..]), Err(Malformed));
        for keys in [[(0, &[5][..]), (0, &[5])], [(1, &[1]), (0, &[5])], [(0, &[1, 0]), (0, &[9])]] {
            assert_eq!(Table::parse(table(&keys).as_octets()), Err(Malformed));
        }
    }
}
