//! What has changed since a base, as octets to which each publication adds a group; pure.
//!
//! ```text
//! delta   magic     8 octets    "GFSTDLT1"
//!         change    8 octets    change number of the base, big-endian, as are all numbers
//!         base      32 octets   SHA-256 of the table of the base
//!         groups
//! group   length    4 octets    of the sections
//!         change    8 octets    change number of the index after the group
//!         sections
//!         digest    32 octets   SHA-256 of "genfic-ca status group 1", a zero octet, the digest before, and the group
//!                               from its length to its sections
//! section issuer    32 octets   its identity
//!         entries   4 octets    number of them, at least 1
//!         entries               as in a block, in the order of their serial numbers
//! ```
//!
//! The digest before the first group is SHA-256 of "genfic-ca status delta 1", a zero octet, and the first 48 octets.
//! The newest digest stands for all octets before it, and costs no more for a group than the group.
use super::entry::{Entries, Entry, Malformed, take, take_array};
use crate::x509::{IssuerId, sha256};

const MAGIC: [u8; 8] = *b"GFSTDLT1";
/// Octets before the groups.
pub(super) const HEADER: usize = 48;
/// Octets of a group beside its sections.
const AROUND: usize = 44;
/// Octets of a section beside its entries.
const SECTION: usize = 36;
const BEGINNING: &[u8] = b"genfic-ca status delta 1\0";
const GROUP: &[u8] = b"genfic-ca status group 1\0";

/// How far a delta has been read or written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Chain {
    /// The newest digest.
    pub(super) digest: [u8; 32],
    /// Octets up to that digest.
    pub(super) length: u64,
    /// The change number of the newest group, or of the base.
    pub(super) change: u64,
    /// The change number of the base.
    pub(super) base: u64,
    /// The digest of the base.
    pub(super) over: [u8; 32],
}

/// A change of a certificate.
pub(super) type Change = (IssuerId, Entry);

impl Chain {
    /// Begins a delta over a base. Returns its first octets.
    pub(super) fn begin(change: u64, base: &[u8; 32]) -> (Self, Vec<u8>) {
        let mut header = MAGIC.to_vec();
        header.extend(change.to_be_bytes());
        header.extend(base);
        (Self::after_header(&header, change, *base), header)
    }

    fn after_header(header: &[u8], base: u64, over: [u8; 32]) -> Self {
        let length = u64::try_from(HEADER).unwrap_or(u64::MAX);
        Self { digest: sha256(&[BEGINNING, header].concat()), length, change: base, base, over }
    }

    /// Reads the first octets of a delta, and takes them off.
    pub(super) fn read(octets: &mut &[u8]) -> Result<Self, Malformed> {
        let header = take(octets, HEADER)?;
        let mut left = header;
        if take_array(&mut left)? != MAGIC {
            return Err(Malformed);
        }
        let change = u64::from_be_bytes(take_array(&mut left)?);
        Ok(Self::after_header(header, change, take_array(&mut left)?))
    }

    /// Returns the octets of a group with these changes, which are in the order of issuers and serial numbers, and the
    /// chain after it.
    pub(super) fn group(&self, change: u64, changes: &[Change]) -> (Self, Vec<u8>) {
        let mut sections = Vec::new();
        for of_issuer in changes.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((issuer, _)) = of_issuer.first() else { continue };
            sections.extend(issuer.0);
            sections.extend(u32::try_from(of_issuer.len()).unwrap_or(u32::MAX).to_be_bytes());
            let mut former = None;
            for (_, entry) in of_issuer {
                entry.put(former, &mut sections);
                former = Some(&entry.serial);
            }
        }
        let mut group = u32::try_from(sections.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
        group.extend(change.to_be_bytes());
        group.extend(sections);
        let after = self.after(&group, change);
        group.extend(after.digest);
        (after, group)
    }

    fn after(&self, group: &[u8], change: u64) -> Self {
        let octets = group.len().saturating_add(self.digest.len());
        let length = self.length.saturating_add(u64::try_from(octets).unwrap_or(u64::MAX));
        Self { digest: sha256(&[GROUP, &self.digest, group].concat()), length, change, ..self.clone() }
    }

    /// Takes the next group off, and returns its sections. The change numbers must not descend.
    pub(super) fn next_group<'a>(&mut self, octets: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
        let mut left = *octets;
        let length = u32::from_be_bytes(take_array(&mut left)?);
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let whole = take(octets, length.checked_add(AROUND).ok_or(Malformed)?)?;
        let change = u64::from_be_bytes(take_array(&mut left)?);
        let sections = take(&mut left, length)?;
        let group = whole.get(..whole.len().saturating_sub(32)).ok_or(Malformed)?;
        let after = self.after(group, change);
        if change < self.change || take_array(&mut left)? != after.digest {
            return Err(Malformed);
        }
        *self = after;
        Ok(sections)
    }

    /// Takes a group off that is damaged. The next one is compared with the digest at its end.
    pub(super) fn pass_over(&mut self, octets: &mut &[u8]) -> Result<(), Malformed> {
        let mut left = *octets;
        let length = usize::try_from(u32::from_be_bytes(take_array(&mut left)?)).map_err(|_| Malformed)?;
        let whole = take(octets, length.checked_add(AROUND).ok_or(Malformed)?)?;
        let (_, digest) = whole.split_last_chunk().ok_or(Malformed)?;
        self.digest = *digest;
        self.length = self.length.saturating_add(u64::try_from(whole.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

/// Adds the changes in the sections of a group to `changes`.
pub(super) fn read_sections(mut sections: &[u8], changes: &mut Vec<Change>) -> Result<(), Malformed> {
    let mut last = None;
    while !sections.is_empty() {
        let mut head = take(&mut sections, SECTION)?;
        let issuer = IssuerId(take_array(&mut head)?);
        let count = u32::from_be_bytes(take_array(&mut head)?);
        if count == 0 || last.replace(issuer).is_some_and(|last| last >= issuer) {
            return Err(Malformed);
        }
        let mut entries = Entries::of(sections);
        for _ in 0..count {
            changes.push((issuer, entries.next_entry()?));
        }
        sections = entries.left();
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::entry::tests::any_entries;
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Changes of up to three issuers, in order.
    pub(in super::super) fn any_changes() -> impl Strategy<Value = Vec<Change>> {
        vec(any_entries(12), 0..4).prop_map(|of_issuers| {
            let numbered = (1_u8..).zip(of_issuers);
            let of = |(number, entries): (u8, Vec<Entry>)| {
                entries.into_iter().map(move |entry| (IssuerId([number; 32]), entry))
            };
            numbered.flat_map(of).collect()
        })
    }

    fn read(octets: &[u8]) -> Result<(Chain, Vec<Vec<Change>>), Malformed> {
        let mut left = octets;
        let mut chain = Chain::read(&mut left)?;
        let mut groups = Vec::new();
        while !left.is_empty() {
            let mut changes = Vec::new();
            read_sections(chain.next_group(&mut left)?, &mut changes)?;
            groups.push(changes);
        }
        Ok((chain, groups))
    }

    proptest! {
        #[test]
        fn groups_are_read_as_they_were_written_and_no_octet_can_change(
            groups in vec(any_changes(), 0..5), at in any::<proptest::sample::Index>(), bit in 0_u8..8,
        ) {
            let (mut chain, mut octets) = Chain::begin(7, &[1; 32]);
            for (change, group) in (8..).zip(&groups) {
                let (after, added) = chain.group(change, group);
                prop_assert_eq!(after.length, chain.length + u64::try_from(added.len()).unwrap());
                octets.extend(added);
                chain = after;
            }
            prop_assert_eq!(chain.length, u64::try_from(octets.len()).unwrap());
            prop_assert_eq!(read(&octets), Ok((chain.clone(), groups)));
            let at = at.index(octets.len());
            octets[at] ^= 1 << bit;
            prop_assert!(read(&octets).is_err() || read(&octets).unwrap().0.digest != chain.digest);
        }
    }

    #[test]
    fn sections_that_nobody_writes_are_refused() {
        let entry = [0, 1, 7, 1, 0, 0, 0, 0, 0];
        let section = |issuer: u8, count: u8| [&[issuer; 32][..], &[0, 0, 0, count], &entry].concat();
        let read = |octets: &[u8]| read_sections(octets, &mut Vec::new());
        assert_eq!(read(&[section(1, 1), section(2, 1)].concat()), Ok(()));
        assert_eq!(read(&[section(1, 1), section(1, 1)].concat()), Err(Malformed), "an issuer twice");
        assert_eq!(read(&[section(2, 1), section(1, 1)].concat()), Err(Malformed), "out of order");
        assert_eq!(read(&section(1, 0)), Err(Malformed), "nothing");
        assert_eq!(read(&section(1, 2)), Err(Malformed), "fewer than it says");
    }

    #[test]
    fn a_group_of_an_earlier_change_is_refused() {
        let (chain, mut octets) = Chain::begin(7, &[1; 32]);
        octets.extend(chain.group(6, &[]).1);
        assert_eq!(read(&octets), Err(Malformed));
    }
}
