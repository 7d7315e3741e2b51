//! The rules of admission of a key, and a record of little.
use crate::profile::{Profiles, SHIPPED};
use crate::signer::{
    Admission, AdmittedTbs, KeyEnvelope, KeyInUse, LastCrl, RecordError, Refusal, SignatureRecord, Vouching,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, Revoked, SerialNumber, SubjectPublicKeyInfo, UnixTime};

/// The rules for a key that signed one CRL.
#[derive(Debug)]
pub struct Admitting {
    key: SubjectPublicKeyInfo,
    own: Vec<Certificate>,
    above: Vec<Certificate>,
    envelope: Option<KeyEnvelope>,
    profiles: Profiles,
    last: Last,
}

/// What a key signed before: a CRL with some entries, or nothing.
#[derive(Debug)]
struct Last(Option<(LastCrl, Vec<(SerialNumber, u8)>)>);

impl Admitting {
    /// Returns the rules for the key of this CA, which was made with a profile, below these certificates.
    #[must_use]
    pub fn of(own: Certificate, above: Vec<Certificate>, profile: &str) -> Self {
        let texts = SHIPPED.iter().filter_map(|(file, text)| Some((file.strip_suffix(".toml")?, *text)));
        let profiles = Profiles::parse(texts).unwrap_or_default();
        let envelope = Some(KeyEnvelope::made_for(&own, profile, profiles.get(profile)));
        let key = own.tbs().public_key().clone();
        Self { key, own: vec![own], above, envelope, profiles, last: Last(None) }
    }

    /// Returns the same for a key without a certificate.
    #[must_use]
    pub fn without_certificate(self) -> Self {
        Self { own: Vec::new(), above: Vec::new(), envelope: None, ..self }
    }

    /// Returns the same for a key that signed a CRL with this number and these entries: their reasonCodes.
    #[must_use]
    pub fn after(self, number: CrlNumber, this_update: UnixTime, entries: Vec<(SerialNumber, u8)>) -> Self {
        Self { last: Last(Some((LastCrl { number, this_update }, entries))), ..self }
    }

    /// Decides on octets as a TBSCertificate, a TBSCertList and a CertificationRequestInfo, and returns for each what the
    /// key would sign.
    ///
    /// # Errors
    /// For each the code of the rule that it breaks.
    pub fn decide(&self, octets: &[u8], now: UnixTime) -> [Result<Vec<u8>, &'static str>; 3] {
        let key = KeyInUse {
            key: &self.key,
            envelope: self.envelope.as_ref(),
            own: &self.own,
            above: &self.above,
            others: &[],
            generations: &|_| Vouching::Unknown,
            bound: None,
            named: None,
            by_timer: false,
            mark: None,
        };
        let mut admission = Admission::new(&self.last, &self.profiles, now);
        let group = vec![octets.to_vec(), octets.to_vec()];
        assert!(admission.certificates(&key, group).is_err(), "a serial number is used once");
        let certificate = Admission::new(&self.last, &self.profiles, now)
            .certificates(&key, vec![octets.to_vec()])
            .map(|mut group| group.pop().map(|one| one.octets().to_vec()).unwrap_or_default())
            .map_err(|refusal| refusal.code.code());
        let told = |decided: Result<AdmittedTbs, Refusal>| match decided {
            Ok(admitted) => Ok(admitted.octets().to_vec()),
            Err(refusal) => Err(refusal.code.code()),
        };
        let list = told(admission.crl(&key, octets.to_vec()));
        let request = told(admission.request(&key, octets.to_vec()));
        [certificate, list, request]
    }
}

impl SignatureRecord for Last {
    fn knows_serial(&self, _: &[u8; 32], _: &SerialNumber) -> Result<bool, RecordError> {
        Ok(false)
    }

    fn lists_serial(&self, _: &[u8; 32], serial: &SerialNumber) -> Result<bool, RecordError> {
        Ok(self.0.iter().flat_map(|(_, entries)| entries).any(|(listed, _)| listed == serial))
    }

    fn not_after(&self, _: &[u8; 32], _: &SerialNumber) -> Result<Option<UnixTime>, RecordError> {
        Ok(None)
    }

    fn signed_since(&self, _: &[u8; 32], _: UnixTime) -> Result<u64, RecordError> {
        Ok(0)
    }

    fn last_enrolment(&self, _: &[u8; 32]) -> Result<Option<UnixTime>, RecordError> {
        Ok(None)
    }

    fn timer_crls_since(&self, _: &[u8; 32], _: UnixTime) -> Result<u64, RecordError> {
        Ok(0)
    }

    fn last_used(&self, _: &[u8; 32]) -> Result<Option<UnixTime>, RecordError> {
        Ok(None)
    }

    fn last_crl(&self, _: &[u8; 32]) -> Result<Option<LastCrl>, RecordError> {
        Ok(self.0.as_ref().map(|(last, _)| last.clone()))
    }

    fn has_signed_crl(&self, _: &[u8; 32]) -> Result<bool, RecordError> {
        Ok(self.0.is_some())
    }

    fn is_continued(&self, _: &[u8; 32]) -> Result<bool, RecordError> {
        Ok(self.0.is_some())
    }

    fn last_delta(&self, _: &[u8; 32]) -> Result<Option<LastCrl>, RecordError> {
        Ok(None)
    }

    fn each_last_entry(
        &self,
        _: &[u8; 32],
        entry: &mut dyn FnMut(&SerialNumber, Revoked) -> bool,
    ) -> Result<(), RecordError> {
        let entries = self.0.iter().flat_map(|(_, entries)| entries);
        // any date is as early
        let revoked = |reason: &u8| Revoked { reason: *reason, date: UnixTime::NO_END };
        entries.map_while(|(serial, reason)| entry(serial, revoked(reason)).then_some(())).for_each(drop);
        Ok(())
    }

    fn changed_since(&self, _: &[u8; 32], _: CrlNumber) -> Result<Option<Vec<SerialNumber>>, RecordError> {
        Ok(Some(self.0.iter().flat_map(|(_, entries)| entries).map(|(serial, _)| serial.clone()).collect()))
    }
}
