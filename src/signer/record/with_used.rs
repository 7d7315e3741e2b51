//! A record beside which it is known what the key has used elsewhere.
use super::{LastCrl, RecordError, SignatureRecord};
use crate::signing::UsedSerials;
use crate::x509::extension::CrlNumber;
use crate::x509::{Revoked, SerialNumber, UnixTime};

/// The record of a signer, with the serial numbers that came with this key.
pub(crate) struct WithUsed<'r> {
    /// What was signed here, or shown.
    pub(crate) record: &'r dyn SignatureRecord,
    /// SHA-256 of the SubjectPublicKeyInfo of the key.
    pub(crate) key: [u8; 32],
    /// What the key has used elsewhere.
    pub(crate) used: &'r UsedSerials,
}

impl SignatureRecord for WithUsed<'_> {
    fn knows_serial(&self, key: &[u8; 32], serial: &SerialNumber) -> Result<bool, RecordError> {
        let is_used = self.key == *key && self.used.not_after(serial).is_some();
        Ok(is_used || self.record.knows_serial(key, serial)?)
    }

    fn lists_serial(&self, key: &[u8; 32], serial: &SerialNumber) -> Result<bool, RecordError> {
        self.record.lists_serial(key, serial)
    }

    fn not_after(&self, key: &[u8; 32], serial: &SerialNumber) -> Result<Option<UnixTime>, RecordError> {
        // nobody has signed the ends that came along: with one that is too early a revocation would leave the CRL
        self.record.not_after(key, serial)
    }

    fn signed_since(&self, key: &[u8; 32], since: UnixTime) -> Result<u64, RecordError> {
        self.record.signed_since(key, since)
    }

    fn last_enrolment(&self, key: &[u8; 32]) -> Result<Option<UnixTime>, RecordError> {
        self.record.last_enrolment(key)
    }

    fn timer_crls_since(&self, key: &[u8; 32], since: UnixTime) -> Result<u64, RecordError> {
        self.record.timer_crls_since(key, since)
    }

    fn last_used(&self, key: &[u8; 32]) -> Result<Option<UnixTime>, RecordError> {
        self.record.last_used(key)
    }

    fn last_crl(&self, key: &[u8; 32]) -> Result<Option<LastCrl>, RecordError> {
        self.record.last_crl(key)
    }

    fn has_signed_crl(&self, key: &[u8; 32]) -> Result<bool, RecordError> {
        self.record.has_signed_crl(key)
    }

    fn is_continued(&self, key: &[u8; 32]) -> Result<bool, RecordError> {
        self.record.is_continued(key)
    }

    fn last_delta(&self, key: &[u8; 32]) -> Result<Option<LastCrl>, RecordError> {
        self.record.last_delta(key)
    }

    fn each_last_entry(
        &self,
        key: &[u8; 32],
        entry: &mut dyn FnMut(&SerialNumber, Revoked) -> bool,
    ) -> Result<(), RecordError> {
        self.record.each_last_entry(key, entry)
    }

    fn changed_since(
        &self,
        key: &[u8; 32],
        base: CrlNumber,
    ) -> Result<Option<Vec<SerialNumber>>, RecordError> {
        self.record.changed_since(key, base)
    }
}
