//! The changes of a delta in memory, for lookups; pure.
//!
//! They are sorted runs, of which each is more than twice as long as the next, so that a group is added without
//! touching most of the others, and a snapshot shares its runs with the next one.
use super::StatusEntry;
use super::delta::Change;
use super::entry::{Entry, Serial};
use crate::x509::{CertificateId, IssuerId};
use std::sync::Arc;

/// The newest change of each certificate of a delta.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// The longest and oldest run is first.
    runs: Vec<Arc<[Change]>>,
}

fn key((issuer, entry): &Change) -> (&IssuerId, &Serial) {
    (issuer, &entry.serial)
}

impl Changes {
    /// Adds changes, which are in the order of issuers and serial numbers, and newer than those before.
    pub(super) fn add(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut newest = changes;
        while let Some(run) = self.runs.pop_if(|run| run.len() <= newest.len().saturating_mul(2)) {
            newest = merged(&run, newest);
        }
        self.runs.push(newest.into());
    }

    /// Returns the newest change of a certificate.
    pub(super) fn find(&self, id: &CertificateId) -> Option<&Entry> {
        let serial = Serial::of(&id.serial_number);
        self.runs.iter().rev().find_map(|run| {
            let at = run.binary_search_by(|change| key(change).cmp(&(&id.issuer, &serial))).ok()?;
            run.get(at).map(|(_, entry)| entry)
        })
    }

    /// Returns the newest change of each certificate, in the order of issuers and serial numbers.
    pub(super) fn all(&self) -> Vec<Change> {
        self.runs.iter().fold(Vec::new(), |older, run| merged(&older, run.to_vec()))
    }

    #[cfg(test)]
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }
}

/// Merges changes in order. Where both have a certificate, the newer change counts.
fn merged(older: &[Change], newer: Vec<Change>) -> Vec<Change> {
    let mut merged = Vec::with_capacity(older.len().saturating_add(newer.len()));
    let mut older = older.iter().peekable();
    for change in newer {
        while let Some(before) = older.next_if(|before| key(before) <= key(&change)) {
            if key(before) != key(&change) {
                merged.push(before.clone());
            }
        }
        merged.push(change);
    }
    merged.extend(older.cloned());
    merged
}

impl From<&Entry> for StatusEntry {
    fn from(entry: &Entry) -> Self {
        Self { state: entry.state.clone(), not_after: Some(entry.not_after) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::delta::tests::any_changes;
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn the_newest_change_of_each_certificate_is_found(groups in vec(any_changes(), 0..20)) {
            let (mut changes, mut expected) = (Changes::default(), BTreeMap::new());
            for group in groups {
                for (issuer, entry) in &group {
                    expected.insert((*issuer, entry.serial), entry.clone());
                }
                changes.add(group);
            }
            for ((issuer, serial), entry) in &expected {
                let id = CertificateId { issuer: *issuer, serial_number: serial.to_number().unwrap() };
                prop_assert_eq!(changes.find(&id), Some(entry));
                let other = CertificateId { issuer: IssuerId([9; 32]), ..id };
                prop_assert_eq!(changes.find(&other), None);
            }
            let all = changes.all().into_iter().map(|(issuer, entry)| ((issuer, entry.serial), entry));
            let all: Vec<_> = all.collect();
            prop_assert_eq!(all, expected.into_iter().collect::<Vec<_>>());
            prop_assert!(changes.runs() <= 9);
        }
    }
}
