//! A small hierarchy in memory for the tests of this module.
use super::cert_id::{CertId, HashAlgorithm};
use super::delegate::DelegatedResponder;
use super::request::OcspRequest;
use super::snapshot::{ServedIssuer, Snapshot};
use crate::index::{CertificateState, Revocation, StoreError};
use crate::signing::ResponseSigner;
use crate::status::{PublishedAuthority, StatusError, StatusReader, StatusSource};
use crate::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, Purpose, authority_key_identifier, crl_number,
    ocsp_no_check,
};
use crate::x509::{
    Certificate, CertificateId, CrlEntry, CrlReason, IssuerId, Name, SerialNumber, SignatureAlgorithm,
    SubjectPublicKeyInfo, TbsCertListBuilder, TbsCertificate, UnixTime, Validity, pem, seal,
};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, KeyPair};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

pub(super) const NOW: UnixTime = UnixTime(1_800_000_000);

pub(super) struct TestKey {
    pair: EcdsaKeyPair,
    public: SubjectPublicKeyInfo,
    pub(super) pkcs8: Vec<u8>,
}

impl TestKey {
    pub(super) fn generate() -> Self {
        Self::of(&signature::ECDSA_P256_SHA256_ASN1_SIGNING)
    }

    pub(super) fn generate_p384() -> Self {
        Self::of(&signature::ECDSA_P384_SHA384_ASN1_SIGNING)
    }

    fn of(algorithm: &'static signature::EcdsaSigningAlgorithm) -> Self {
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        Self::from_pkcs8(algorithm, document.as_ref())
    }

    fn from_pkcs8(algorithm: &'static signature::EcdsaSigningAlgorithm, der: &[u8]) -> Self {
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, der).unwrap();
        let public = SubjectPublicKeyInfo::from_der(pair.public_key().as_der().unwrap().as_ref()).unwrap();
        Self { pair, public, pkcs8: der.to_vec() }
    }

    /// The same key for answers alone.
    pub(super) fn signer(&self) -> Arc<ResponseSigner> {
        Arc::new(ResponseSigner::from_pkcs8_der(&self.pkcs8).unwrap())
    }

    pub(super) fn to_pem(&self) -> String {
        pem::encode("PRIVATE KEY", &self.pkcs8)
    }
}

impl TestKey {
    pub(super) fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public
    }

    pub(super) fn algorithm(&self) -> SignatureAlgorithm {
        self.public.algorithm().signature_algorithm()
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }
}

#[derive(Clone)]
pub(super) struct Template {
    pub(super) serial: u8,
    pub(super) subject: &'static str,
    pub(super) is_ca: bool,
    pub(super) ocsp_signing: bool,
    pub(super) validity: Validity,
}

impl Template {
    pub(super) fn responder() -> Self {
        let validity = Validity { not_before: NOW.plus_days(-1), not_after: NOW.plus_days(29) };
        Self { serial: 90, subject: "CN=responder", is_ca: false, ocsp_signing: true, validity }
    }

    pub(super) fn leaf(serial: u8) -> Self {
        Self { serial, subject: "CN=leaf", ocsp_signing: false, ..Self::responder() }
    }

    fn ca(subject: &'static str) -> Self {
        let validity = Validity { not_before: NOW.plus_days(-400), not_after: NOW.plus_days(3000) };
        Self { serial: 1, subject, is_ca: true, ocsp_signing: false, validity }
    }

    fn sign(self, key: &SubjectPublicKeyInfo, issuer: Option<&Certificate>, by: &TestKey) -> Certificate {
        let name = Name::parse(self.subject).unwrap();
        let mut extensions = Vec::new();
        if self.is_ca {
            extensions.push(BasicConstraints { ca: true, path_length: None }.to_extension());
            extensions.push(KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN).to_extension());
        }
        if self.is_ca && self.ocsp_signing {
            extensions.truncate(1);
        }
        if self.ocsp_signing {
            extensions.push(KeyUsage::DIGITAL_SIGNATURE.to_extension());
            extensions.push(ExtendedKeyUsage(vec![Purpose::OCSP_SIGNING]).to_extension());
            extensions.push(ocsp_no_check());
        }
        extensions.extend(issuer.map(|issuer| authority_key_identifier(&issuer.key_identifier())));
        extensions.push(crate::x509::extension::subject_key_identifier_for(key));
        let tbs = TbsCertificate::encode(
            SerialNumber::from_be_octets(&[self.serial]).unwrap(),
            by.algorithm(),
            issuer.map_or(name.clone(), |issuer| issuer.tbs().subject().clone()),
            self.validity,
            name,
            key.clone(),
            extensions,
        );
        let signature = by.sign(tbs.as_der());
        Certificate::from_der(&seal(tbs.as_der(), by.algorithm(), &signature)).unwrap()
    }
}

/// Two CAs; the first has issued number 2, revoked 3, has 4 on hold and 5 pending.
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
        let (ca_key, other_key) = (TestKey::generate(), TestKey::generate());
        let ca = Template::ca("C=BE,O=Example,CN=CA").sign(ca_key.public_key(), None, &ca_key);
        let other_ca = Template::ca("CN=Other CA").sign(other_key.public_key(), None, &other_key);
        let responder_key = Arc::new(TestKey::generate());
        let certificate = Template::responder().sign(responder_key.public_key(), Some(&ca), &ca_key);
        let responder = Arc::new(DelegatedResponder::new(certificate, responder_key.signer(), &ca).unwrap());
        Self { ca, other_ca, ca_key, other_key, responder_key, responder }
    }

    pub(super) fn issue(&self, key: &TestKey, template: Template) -> Certificate {
        template.sign(key.public_key(), Some(&self.ca), &self.ca_key)
    }

    pub(super) fn issue_by_other_ca(&self, key: &TestKey, template: Template) -> Certificate {
        template.sign(key.public_key(), Some(&self.other_ca), &self.other_key)
    }

    /// A responder for the first CA with this key and template.
    pub(super) fn delegate(&self, key: TestKey, template: Template) -> Arc<DelegatedResponder> {
        let certificate = self.issue(&key, template);
        Arc::new(DelegatedResponder::new(certificate, key.signer(), &self.ca).unwrap())
    }

    pub(super) fn ca_key(&self) -> &TestKey {
        &self.ca_key
    }

    /// A CRL of the first CA.
    pub(super) fn crl(&self, number: u64, entries: &[(u8, Option<CrlReason>)]) -> Vec<u8> {
        let (algorithm, issuer) = (self.ca_key.algorithm(), self.ca.tbs().subject().clone());
        let mut list = TbsCertListBuilder::new(algorithm, issuer, NOW, NOW.plus_days(7));
        for (serial, reason) in entries {
            list.push(&CrlEntry {
                serial_number: serial_number(*serial),
                revocation_date: NOW.plus(-70),
                reason: *reason,
                invalidity_date: None,
            });
        }
        let tbs = list.encode(vec![crl_number(number)]);
        seal(tbs.as_der(), algorithm, &self.ca_key.sign(tbs.as_der()))
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
        MemoryStatus { authorities: self.authorities(), states: states.collect(), change: 1, time: NOW }
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
    pub(super) change: u64,
    pub(super) time: UnixTime,
}

impl MemoryStatus {
    /// Sets a state of the first CA's.
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
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, StatusError> {
        Ok(self.states.get(id).cloned())
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

/// What is published; `None` cannot be read.
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
}

/// Writes a responder's files below `HOME/ocsp/NAME`.
pub(super) fn write_responder(directory: &Path, key: &TestKey, certificate: &Certificate) {
    use crate::home::{Mode, replace};
    std::fs::create_dir_all(directory).unwrap();
    replace(&directory.join("responder.key"), key.to_pem().as_bytes(), Mode::Group).unwrap();
    replace(&directory.join("responder.pem"), certificate.to_pem().as_bytes(), Mode::Public).unwrap();
}
