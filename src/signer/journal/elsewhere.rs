//! What a key has used elsewhere, as it is handed over with the key.
use super::Turn;
use super::entry::Entry;
use super::group::Asker;
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
