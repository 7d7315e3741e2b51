//! A small hierarchy in memory for tests of the responder.
use super::cert_id::{CertId, HashAlgorithm};
use super::delegate::DelegatedResponder;
use super::request::OcspRequest;
use super::served::ServedStatus;
use super::snapshot::{ServedIssuer, Snapshot};
use crate::index::{CertificateState, Revocation, StoreError};
use crate::signing::{ResponderTokens, ResponseSigner};
use crate::status::{EveryStatus, PublishedAuthority, StatusEntry, StatusError, StatusReader, StatusSource};
use crate::testing::{CertificateBuilder, entry, name, tbs_cert_list};
use crate::x509::extension::crl_number;
use crate::x509::{Certificate, CertificateId, CrlEntry, CrlReason, IssuerId, SerialNumber, UnixTime};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

pub(super) use crate::testing::{NOW, TestKey};

impl TestKey {
    /// Returns the same key as one that signs responses only.
    pub(super) fn signer(&self) -> Arc<ResponseSigner> {
        Arc::new(ResponseSigner::from_pkcs8_der(self.pkcs8()).unwrap())
    }
}

fn end_entity(subject: &str, serial: u8, key: &TestKey) -> CertificateBuilder {
    CertificateBuilder::new(&name(subject), key.public_key())
        .number(&serial_number(serial))
        .valid(NOW.plus_days(-1), NOW.plus_days(29))
}

/// Returns a builder of a responder certificate for this key.
pub(super) fn responder(key: &TestKey) -> CertificateBuilder {
    end_entity("CN=responder", 90, key).into_responder()
}

/// Returns a builder of an end-entity certificate for this key.
pub(super) fn leaf(serial: u8, key: &TestKey) -> CertificateBuilder {
    end_entity("CN=leaf", serial, key).identified()
}

fn ca(subject: &str, key: &TestKey) -> Certificate {
    CertificateBuilder::new(&name(subject), key.public_key())
        .valid(NOW.plus_days(-400), NOW.plus_days(3000))
        .into_ca(None)
        .signed_by(key)
}

/// Two CAs. The first has issued serial number 2, revoked 3, has 4 on hold and 5 pending.
pub(super) struct Hierarchy {
    pub(super) ca: Certificate,
    pub(super) other_ca: Certificate,
    ca_key: TestKey,
    other_key: TestKey,
    pub(super) responder_key: Arc<TestKey>,
    pub(super) responder: Arc<DelegatedResponder>,
}

impl Hierarchy {
    pub(super) fn new() -> Self {
        let (ca_key, other_key) = (TestKey::p256(), TestKey::p256());
        let (ca, other_ca) = (ca("C=BE,O=Example,CN=CA", &ca_key), ca("CN=Other CA", &other_key));
        let responder_key = Arc::new(TestKey::p256());
        let certificate = responder(&responder_key).issued_by(&ca).signed_by(&ca_key);
        let responder = Arc::new(DelegatedResponder::new(certificate, responder_key.signer(), &ca).unwrap());
        Self { ca, other_ca, ca_key, other_key, responder_key, responder }
    }

    /// The same, with the first CA issued by the second, as number 77.
    pub(super) fn below_other() -> Self {
        let above = Self::new();
        let ca = CertificateBuilder::new(above.ca.tbs().subject(), above.ca_key.public_key())
            .number(&serial_number(77))
            .valid(NOW.plus_days(-400), NOW.plus_days(3000))
            .into_ca(None);
        let ca = above.issue_by_other_ca(ca);
        let key = Arc::clone(&above.responder_key);
        let certificate = responder(&key).issued_by(&ca).signed_by(&above.ca_key);
        let responder = Arc::new(DelegatedResponder::new(certificate, key.signer(), &ca).unwrap());
        Self { ca, responder, ..above }
    }

    pub(super) fn issue(&self, certificate: CertificateBuilder) -> Certificate {
        certificate.issued_by(&self.ca).signed_by(&self.ca_key)
    }

    pub(super) fn issue_by_other_ca(&self, certificate: CertificateBuilder) -> Certificate {
        certificate.issued_by(&self.other_ca).signed_by(&self.other_key)
    }

    /// Returns a responder of the first CA with this key.
    pub(super) fn delegate(&self, key: &TestKey) -> Arc<DelegatedResponder> {
        let certificate = self.issue(responder(key));
        Arc::new(DelegatedResponder::new(certificate, key.signer(), &self.ca).unwrap())
    }

    /// Likewise, with the key in a token.
    pub(super) fn delegate_in_token(
        &self,
        key: &TestKey,
        tokens: &ResponderTokens,
    ) -> Arc<DelegatedResponder> {
        let certificate = self.issue(responder(key));
        let signer = tokens.signer("pkcs11:object=a", certificate.tbs().public_key().clone());
        Arc::new(DelegatedResponder::new(certificate, Arc::new(signer), &self.ca).unwrap())
    }

    pub(super) fn ca_key(&self) -> &TestKey {
        &self.ca_key
    }

    /// Returns a CRL of the first CA.
    pub(super) fn crl(&self, number: u64, entries: &[(u8, Option<CrlReason>)]) -> Vec<u8> {
        Self::crl_by((&self.ca, &self.ca_key), number, entries)
    }

    /// Returns a CRL of the second CA.
    pub(super) fn crl_of_other_ca(&self, number: u64, entries: &[(u8, Option<CrlReason>)]) -> Vec<u8> {
        Self::crl_by((&self.other_ca, &self.other_key), number, entries)
    }

    fn crl_by(
        (ca, key): (&Certificate, &TestKey),
        number: u64,
        entries: &[(u8, Option<CrlReason>)],
    ) -> Vec<u8> {
        let (algorithm, issuer) = (key.algorithm(), ca.tbs().subject());
        let entries = entries.iter().map(|(serial, reason)| CrlEntry {
            revocation_date: NOW.plus(-70),
            ..entry(&[*serial], *reason)
        });
        let tbs =
            tbs_cert_list(algorithm, issuer, (NOW, NOW.plus_days(7)), entries, vec![crl_number(number)]);
        key.encode_signed(tbs.as_der())
    }

    pub(super) fn authorities(&self) -> Vec<PublishedAuthority> {
        let authority = |name: &str, certificate: &Certificate| PublishedAuthority {
            name: name.into(),
            issuer: certificate.tbs().as_issuer(),
            names: Vec::new(),
            certificate: certificate.clone(),
            serves_ocsp: name == "ca",
            retires: None,
        };
        vec![authority("ca", &self.ca), authority("other", &self.other_ca)]
    }

    pub(super) fn status(&self) -> MemoryStatus {
        let revoked = |reason| {
            let revoked_at = NOW.plus(-1000);
            CertificateState::Revoked(Revocation { revoked_at, reason: Some(reason), invalidity_date: None })
        };
        let states = [
            (2, CertificateState::Issued),
            (3, revoked(CrlReason::KeyCompromise)),
            (4, revoked(CrlReason::CertificateHold)),
            (5, CertificateState::Pending),
            (6, CertificateState::Issued),
        ];
        let issuer = self.ca.tbs().as_issuer();
        let states = states.into_iter().map(|(serial, state)| (certificate_id(issuer, serial), state));
        MemoryStatus {
            authorities: self.authorities(),
            states: states.collect(),
            ends: HashMap::new(),
            change: 1,
            time: NOW,
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.snapshot_of(self.status(), vec![self.responder.clone()])
    }

    pub(super) fn snapshot_of(
        &self,
        status: MemoryStatus,
        responders: Vec<Arc<DelegatedResponder>>,
    ) -> Snapshot {
        let issuers = status.authorities.iter().map(|authority| ServedIssuer {
            authority: authority.clone(),
            responders: if authority.serves_ocsp { responders.clone() } else { Vec::new() },
            is_withdrawn: false,
            stored_until: None,
        });
        let issuers = issuers.collect();
        Snapshot::new(Arc::new(status), issuers)
    }

    pub(super) fn id(&self, serial: u8) -> CertId {
        CertId::new(HashAlgorithm::Sha1, &self.ca, serial_number(serial))
    }

    pub(super) fn request(&self, serial: u8) -> Vec<u8> {
        OcspRequest::new(vec![self.id(serial)], None).to_der()
    }
}

pub(super) fn serial_number(serial: u8) -> SerialNumber {
    SerialNumber::from_be_octets(&[serial]).unwrap()
}

pub(super) fn certificate_id(issuer: IssuerId, serial: u8) -> CertificateId {
    CertificateId { issuer, serial_number: serial_number(serial) }
}

#[derive(Clone)]
pub(super) struct MemoryStatus {
    pub(super) authorities: Vec<PublishedAuthority>,
    pub(super) states: HashMap<CertificateId, CertificateState>,
    /// notAfter of the certificates that have one here.
    pub(super) ends: HashMap<CertificateId, UnixTime>,
    pub(super) change: u64,
    pub(super) time: UnixTime,
}

impl MemoryStatus {
    /// Sets the state of a certificate of the first CA.
    pub(super) fn set(&mut self, serial: u8, state: CertificateState) {
        let issuer = self.authorities[0].issuer;
        self.states.insert(certificate_id(issuer, serial), state);
        self.change += 1;
    }

    pub(super) fn revoke(&mut self, serial: u8, at: UnixTime) {
        let revocation = Revocation { revoked_at: at, reason: None, invalidity_date: None };
        self.set(serial, CertificateState::Revoked(revocation));
    }
}

impl StatusReader for MemoryStatus {
    fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
        let state = self.states.get(id).cloned();
        Ok(state.map(|state| StatusEntry { state, not_after: self.ends.get(id).copied() }))
    }

    fn authorities(&self) -> &[PublishedAuthority] {
        &self.authorities
    }

    fn change(&self) -> u64 {
        self.change
    }

    fn time(&self) -> UnixTime {
        self.time
    }
}

/// The published status; `None` is one that cannot be read.
#[derive(Clone)]
pub(super) struct MemorySource(pub(super) Arc<Mutex<Option<MemoryStatus>>>);

impl StatusSource for MemorySource {
    type View = MemoryStatus;

    fn open(&self, _: Option<&MemoryStatus>) -> Result<MemoryStatus, StatusError> {
        self.0
            .lock()
            .unwrap()
            .clone()
            .ok_or_else(|| StatusError::Store(StoreError::Backend("no manifest".into())))
    }

    fn changed_since(&self, view: &MemoryStatus) -> bool {
        !self.open(None).is_ok_and(|now| (now.change, now.time) == (view.change, view.time))
    }

    fn directory(&self) -> Option<&Path> {
        None
    }
}

impl EveryStatus for MemoryStatus {
    fn each_of(
        &self,
        issuer: &IssuerId,
        visit: &mut dyn FnMut(SerialNumber, StatusEntry) -> bool,
    ) -> Result<(), StatusError> {
        let mut ids: Vec<&CertificateId> = self.states.keys().filter(|id| id.issuer == *issuer).collect();
        ids.sort_by_key(|id| id.serial_number.as_be_octets());
        for id in ids {
            if !visit(id.serial_number.clone(), self.entry(id)?.unwrap()) {
                break;
            }
        }
        Ok(())
    }
}

impl ServedStatus for MemorySource {}

/// Writes the files of a responder into `directory`.
pub(super) fn write_responder(directory: &Path, key: &TestKey, certificate: &Certificate) {
    use crate::home::{Mode, replace};
    std::fs::create_dir_all(directory).unwrap();
    replace(&directory.join("responder.key"), key.to_pem().as_bytes(), Mode::Group).unwrap();
    replace(&directory.join("responder.pem"), certificate.to_pem().as_bytes(), Mode::Public).unwrap();
}
