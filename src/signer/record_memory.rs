//! A record of signatures in memory, for tests.
use super::contract::Fill;
use super::{LastCrl, RecordError, SignatureRecord};
use crate::x509::extension::CrlNumber;
use crate::x509::{Revoked, SerialNumber, UnixTime, compare_serials};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

type Key = [u8; 32];
/// A CRL and its entries.
type Listed = (LastCrl, Vec<(SerialNumber, Revoked)>);

#[derive(Default)]
struct Contents {
    /// notAfter, and when it was to be signed; no time for one that was shown.
    certificates: HashMap<(Key, SerialNumber), (UnixTime, Option<UnixTime>)>,
    crls: HashMap<Key, Listed>,
    deltas: HashMap<Key, LastCrl>,
    enrolments: HashMap<Key, UnixTime>,
    timer_crls: Vec<(Key, UnixTime)>,
    requests: Vec<(Key, UnixTime)>,
    /// Keys of which no complete CRL was signed since a restore.
    restored: HashSet<Key>,
    /// What a complete CRL lists otherwise than the one before, and the number of that one.
    changed: HashMap<(Key, CrlNumber), (CrlNumber, Vec<SerialNumber>)>,
}

/// The record.
#[derive(Default)]
pub(crate) struct MemoryRecord(Mutex<Contents>);

impl SignatureRecord for MemoryRecord {
    fn knows_serial(&self, key: &Key, serial: &SerialNumber) -> Result<bool, RecordError> {
        Ok(self.0.lock().unwrap().certificates.contains_key(&(*key, serial.clone())))
    }

    fn lists_serial(&self, key: &Key, serial: &SerialNumber) -> Result<bool, RecordError> {
        let contents = self.0.lock().unwrap();
        Ok(contents.crls.get(key).is_some_and(|one| one.1.iter().any(|(listed, _)| listed == serial)))
    }

    fn not_after(&self, key: &Key, serial: &SerialNumber) -> Result<Option<UnixTime>, RecordError> {
        Ok(self.0.lock().unwrap().certificates.get(&(*key, serial.clone())).map(|one| one.0))
    }

    fn signed_since(&self, key: &Key, since: UnixTime) -> Result<u64, RecordError> {
        let contents = self.0.lock().unwrap();
        let is_of = |(id, (_, at)): &(&(Key, SerialNumber), &(UnixTime, Option<UnixTime>))| {
            id.0 == *key && at.is_some_and(|at| at >= since)
        };
        Ok(contents.certificates.iter().filter(is_of).count().try_into().unwrap())
    }

    fn last_enrolment(&self, key: &Key) -> Result<Option<UnixTime>, RecordError> {
        Ok(self.0.lock().unwrap().enrolments.get(key).copied())
    }

    fn timer_crls_since(&self, key: &Key, since: UnixTime) -> Result<u64, RecordError> {
        let contents = self.0.lock().unwrap();
        let of_key = contents.timer_crls.iter().filter(|(of, at)| of == key && *at >= since);
        Ok(of_key.count().try_into().unwrap())
    }

    fn last_used(&self, key: &Key) -> Result<Option<UnixTime>, RecordError> {
        let contents = self.0.lock().unwrap();
        let certificates = contents.certificates.iter().filter(|(id, _)| id.0 == *key);
        let complete = contents.crls.iter().filter(|(id, _)| *id == key).map(|(_, one)| one.0.this_update);
        let deltas = contents.deltas.iter().filter(|(id, _)| *id == key).map(|(_, one)| one.this_update);
        let requests = contents.requests.iter().filter(|(id, _)| id == key).map(|(_, at)| *at);
        Ok(certificates.filter_map(|(_, one)| one.1).chain(complete).chain(deltas).chain(requests).max())
    }

    fn last_crl(&self, key: &Key) -> Result<Option<LastCrl>, RecordError> {
        Ok(self.0.lock().unwrap().crls.get(key).map(|one| one.0.clone()))
    }

    fn has_signed_crl(&self, key: &Key) -> Result<bool, RecordError> {
        Ok(self.0.lock().unwrap().crls.contains_key(key))
    }

    fn is_continued(&self, key: &Key) -> Result<bool, RecordError> {
        let contents = self.0.lock().unwrap();
        Ok(contents.crls.contains_key(key) && !contents.restored.contains(key))
    }

    fn last_delta(&self, key: &Key) -> Result<Option<LastCrl>, RecordError> {
        Ok(self.0.lock().unwrap().deltas.get(key).cloned())
    }

    fn each_last_entry(
        &self,
        key: &Key,
        entry: &mut dyn FnMut(&SerialNumber, Revoked) -> bool,
    ) -> Result<(), RecordError> {
        let contents = self.0.lock().unwrap();
        let entries = contents.crls.get(key).map(|one| one.1.as_slice());
        for (serial, revoked) in entries.unwrap_or_default() {
            if !entry(serial, *revoked) {
                break;
            }
        }
        Ok(())
    }

    fn changed_since(&self, key: &Key, base: CrlNumber) -> Result<Option<Vec<SerialNumber>>, RecordError> {
        let contents = self.0.lock().unwrap();
        let Some((last, _)) = contents.crls.get(key) else { return Ok(None) };
        let (mut at, mut serials) = (last.number, Vec::new());
        while at > base {
            let Some((before, changed)) = contents.changed.get(&(*key, at)) else { return Ok(None) };
            serials.extend(changed.iter().cloned());
            at = *before;
        }
        Ok(Some(serials))
    }
}

impl Fill for MemoryRecord {
    fn certificate(&self, key: &Key, serial: &SerialNumber, not_after: UnixTime, at: UnixTime) {
        self.0.lock().unwrap().certificates.insert((*key, serial.clone()), (not_after, Some(at)));
    }

    fn enrolment(&self, key: &Key, at: UnixTime) {
        self.0.lock().unwrap().enrolments.insert(*key, at);
    }

    fn timer_crl(&self, key: &Key, at: UnixTime) {
        self.0.lock().unwrap().timer_crls.push((*key, at));
    }

    fn request(&self, key: &Key, at: UnixTime) {
        self.0.lock().unwrap().requests.push((*key, at));
    }

    fn gap(&self) {
        let mut contents = self.0.lock().unwrap();
        contents.restored = contents.crls.keys().copied().collect();
    }

    fn shown(&self, key: &Key, serial: &SerialNumber, not_after: UnixTime) {
        let mut contents = self.0.lock().unwrap();
        contents.certificates.entry((*key, serial.clone())).or_insert((not_after, None));
    }

    fn crl(&self, key: &Key, crl: LastCrl, is_delta: bool, entries: &[(SerialNumber, Revoked)]) {
        let in_order = |pair: &[(SerialNumber, Revoked)]| {
            compare_serials(pair[0].0.as_be_octets(), pair[1].0.as_be_octets()).is_lt()
        };
        assert!(entries.windows(2).all(in_order));
        let mut contents = self.0.lock().unwrap();
        if is_delta {
            contents.deltas.insert(*key, crl);
        } else {
            let before = contents.crls.get(key).cloned();
            if let Some((last, before)) = before {
                let new = entries.iter().filter(|one| !before.contains(one)).map(|one| one.0.clone());
                contents.changed.insert((*key, crl.number), (last.number, new.collect()));
            }
            contents.crls.insert(*key, (crl, entries.to_vec()));
            contents.restored.remove(key);
        }
    }
}

#[test]
fn the_record_in_memory_keeps_the_contract() {
    super::contract::keeps_the_contract(&MemoryRecord::default());
}
