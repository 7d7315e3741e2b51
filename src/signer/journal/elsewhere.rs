//! What a key has used elsewhere, as it is handed over with the key. And whether it used more since it was
//! handed out.
use super::Turn;
use super::entry::{Act, ActKind, Entry};
use super::group::{Asker, JournalHead};
use crate::signer::record::{CLAIMED, RecordError, Shown, SignedList};
use crate::x509::extension::CrlNumber;
use crate::x509::{SerialNumber, UnixTime};

impl Turn<'_> {
    /// Returns serial numbers that a key has used, in the order of their octets, after this one.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(crate) fn used_after(
        &self,
        key: &[u8; 32],
        after: Option<&SerialNumber>,
        most: usize,
    ) -> Result<Vec<SerialNumber>, RecordError> {
        self.journal.record.used_after(key, after, most)
    }

    /// Returns whether the journal has anything after this head that has to be with a copy of the key: what it was to sign,
    /// what is known to be signed by it, or other limits.
    ///
    /// # Errors
    /// When the journal cannot be read, or was changed.
    pub(crate) fn has_used_since(&self, key: &[u8; 32], head: JournalHead) -> Result<bool, RecordError> {
        let mut reader = self.reader(head);
        while let Some(group) = self.read(&mut reader)? {
            let is_of_key = |entry: &Entry| match entry {
                Entry::Intended(signed) => signed.key == *key,
                Entry::Shown(Shown::Certificate { key: of, .. } | Shown::Crl { key: of, .. }) => of == key,
                Entry::Act(Act { kind: ActKind::Envelope, key: of, .. }) => *of == Some(*key),
                Entry::Act(_) | Entry::Signed { .. } | Entry::Abandoned { .. } => false,
            };
            if group.entries.iter().any(is_of_key) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns SHA-256 of the TBSCertList of the last complete CRL of a key; `None` where there is none, or only its number
    /// is known.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(crate) fn last_list(&self, key: &[u8; 32]) -> Result<Option<[u8; 32]>, RecordError> {
        self.journal.record.last_digest(key)
    }

    /// Enters what a key has used elsewhere, as far as it is not known: serial numbers of certificates that may be valid
    /// until this time, and the highest CRL number. The turn ends.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) fn claim(
        self,
        by: Asker,
        at: UnixTime,
        key: [u8; 32],
        used: Vec<SerialNumber>,
        until: UnixTime,
        mark: CrlNumber,
    ) -> Result<(), RecordError> {
        let mut turn = self.mended(by, at)?;
        let mut entries = Vec::new();
        for serial in used {
            if !turn.record().knows_serial(&key, &serial)? {
                entries.push(Entry::Shown(Shown::Certificate { key, serial, until }));
            }
        }
        let last = turn.record().last_crl(&key)?;
        if mark > last.as_ref().map_or(0, |last| last.number) {
            let this_update = last.map_or(UnixTime(0), |last| last.this_update);
            let list = SignedList { scope: Vec::new(), this_update, base: None };
            // of a CRL that nobody has shown: its entries are asked for
            entries.push(Entry::Shown(Shown::Crl { key, list, number: mark, digest: CLAIMED }));
        }
        if entries.is_empty() { Ok(()) } else { turn.enter(by, at, entries) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{AT, BY, KEY, Place};
    use super::*;

    #[test]
    fn what_a_key_used_since_a_head_is_told_apart_from_what_others_did() {
        // K1, G6
        let place = Place::new();
        let journal = place.open().unwrap();
        let head = || journal.turn().unwrap().head();
        let is_used = |head| journal.turn().unwrap().has_used_since(&KEY, head).unwrap();
        let act = |kind, key| {
            let acts = vec![Act { kind, key: Some(key), details: String::new() }];
            journal.turn().unwrap().act(BY, AT, acts).unwrap();
        };
        let claim = |key| {
            journal.turn().unwrap().claim(BY, AT, key, vec!["7".parse().unwrap()], AT, 0).unwrap();
        };
        let begun = head();
        act(ActKind::KeyExported, KEY);
        act(ActKind::Envelope, [2; 32]);
        claim([2; 32]);
        assert!(!is_used(begun));
        claim(KEY);
        let claimed = head();
        assert!(is_used(begun) && !is_used(claimed));
        act(ActKind::Envelope, KEY);
        assert!(is_used(claimed), "it has other limits");
        assert!(!is_used(head()));
    }
}
