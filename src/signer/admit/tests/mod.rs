//! A lying client: each thing that the rules forbid is refused with a code of its own, and what is right is admitted.
mod certificates;
mod crl_entries;
mod crls;
mod pinned;
mod rollover;

use super::*;
use crate::profile::{Applicant, IssuerView, RequestedValidity, RequestedValues, SHIPPED};
use crate::signer::record::contract::Fill;
use crate::signer::record::memory::MemoryRecord;
use crate::signer::{KeyEnvelope, LastCrl, Scope, SignedKind};
use crate::signing::SoftKey;
use crate::testing::NOW;
use crate::x509::extension::{
    self, AccessDescription, BasicConstraints, ExtendedKeyUsage, Extension, IssuingDistributionPoint,
    Purpose, authority_key_identifier, crl_number, delta_crl_indicator,
};
use crate::x509::{
    CrlEntry, CrlReason, GeneralName, KeyAlgorithm, Name, Revoked, SignatureAlgorithm, TbsCertListBuilder,
    Validity, encode_request, encode_signed, sha256,
};

const DAY: i64 = UnixTime::DAY;

/// What the signer has: a root and a CA below it.
struct Signer {
    root_key: SoftKey,
    root: Certificate,
    key: SoftKey,
    own: Vec<Certificate>,
    envelope: KeyEnvelope,
    profiles: Profiles,
    record: MemoryRecord,
    others: Vec<Certificate>,
}

/// The fields of a TBSCertificate, to be changed by a liar.
#[derive(Clone)]
struct Fields {
    serial: SerialNumber,
    signature: SignatureAlgorithm,
    issuer: Name,
    validity: Validity,
    subject: Name,
    key: SubjectPublicKeyInfo,
    extensions: Vec<Extension>,
}

impl Fields {
    fn of(tbs: &TbsCertificate) -> Self {
        Self {
            serial: tbs.serial_number().clone(),
            signature: tbs.signature(),
            issuer: tbs.issuer().clone(),
            validity: tbs.validity(),
            subject: tbs.subject().clone(),
            key: tbs.public_key().clone(),
            extensions: tbs.extensions().to_vec(),
        }
    }

    fn put(&mut self, extension: Extension) {
        match self.extensions.iter_mut().find(|one| one.oid == extension.oid) {
            Some(one) => *one = extension,
            None => self.extensions.push(extension),
        }
    }

    fn remove(&mut self, oid: der::oid::ObjectIdentifier) {
        self.extensions.retain(|one| one.oid != oid);
    }

    fn encode(self) -> Vec<u8> {
        let Self { serial, signature, issuer, validity, subject, key, extensions } = self;
        let tbs = TbsCertificate::encode(serial, signature, issuer, validity, subject, key, extensions);
        tbs.as_der().to_vec()
    }
}

pub(in crate::signer) fn serial(number: u8) -> SerialNumber {
    let mut octets = [0x5a; 17];
    octets[16] = number;
    SerialNumber::from_random(octets)
}

fn key() -> SoftKey {
    SoftKey::generate(KeyAlgorithm::P256).unwrap()
}

fn signed(tbs: &TbsCertificate, key: &SoftKey) -> Certificate {
    let signature = key.forge(tbs.as_der());
    Certificate::from_der(&encode_signed(tbs.as_der(), tbs.signature(), &signature)).unwrap()
}

pub(in crate::signer) fn profiles() -> Profiles {
    let texts = SHIPPED.iter().filter_map(|(file, text)| Some((file.strip_suffix(".toml")?, *text)));
    Profiles::parse(texts).unwrap()
}

/// What a profile grants, as this program's CLI asks for it.
pub(in crate::signer) fn granted(
    profile: &str,
    issuer: Option<(&Certificate, &[Certificate], &str)>,
    applicant: &Applicant,
    values: RequestedValues,
    serial: SerialNumber,
) -> TbsCertificate {
    let profiles = profiles();
    let view = issuer.map(|(certificate, ancestors, profile)| IssuerView {
        certificate,
        ancestors,
        profile,
        crl_urls: vec!["http://pki.example/a.crl".into()],
        ca_issuers_url: Some("http://pki.example/a.crt".into()),
        ocsp_url: Some("http://pki.example/ocsp/".into()),
    });
    let values = RequestedValues { backdate: 3600, ..values };
    let template = profiles.get(profile).unwrap().evaluate(applicant, view.as_ref(), &values, NOW).unwrap();
    let by = issuer.map_or(&template.subject, |issuer| issuer.0.tbs().subject()).clone();
    template.assemble(serial, SignatureAlgorithm::ECDSA_SHA256, &by)
}

pub(in crate::signer) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

impl Signer {
    fn new() -> Self {
        let (root_key, key) = (key(), key());
        let applicant = Applicant::new(name("C=BE,O=Genfic,CN=Root"), root_key.public_key().clone());
        let root = granted("root-ca", None, &applicant, RequestedValues::default(), serial(1));
        let root = signed(&root, &root_key);
        let applicant = Applicant::new(name("C=BE,O=Genfic,CN=Systems"), key.public_key().clone());
        let values =
            RequestedValues { validity: RequestedValidity::Days(3800), ..RequestedValues::default() };
        let own = granted("system-ca", Some((&root, &[], "root-ca")), &applicant, values, serial(2));
        let own = signed(&own, &root_key);
        let profiles = profiles();
        let envelope = KeyEnvelope::made_for(&own, "system-ca", profiles.get("system-ca"));
        let (record, others) = (MemoryRecord::default(), Vec::new());
        Self { root_key, root, key, own: vec![own], envelope, profiles, record, others }
    }

    fn own(&self) -> &Certificate {
        &self.own[0]
    }

    fn in_use(&self) -> KeyInUse<'_> {
        KeyInUse {
            key: self.key.public_key(),
            envelope: Some(&self.envelope),
            own: &self.own,
            above: std::slice::from_ref(&self.root),
            others: &self.others,
            generations: &|_| Vouching::Accepted,
            bound: None,
            named: None,
            mark: None,
            by_timer: false,
        }
    }

    fn root_envelope(&self) -> KeyEnvelope {
        KeyEnvelope::made_for(&self.root, "root-ca", self.profiles.get("root-ca"))
    }

    fn admission(&self) -> Admission<'_> {
        Admission::new(&self.record, &self.profiles, NOW)
    }

    fn decide(&self, octets: Vec<u8>) -> Result<AdmittedTbs, Refusal> {
        self.admission().certificate(&self.in_use(), octets)
    }

    /// Decides on a certificate by the root.
    fn decide_by_root(&self, octets: Vec<u8>, others: &[Certificate]) -> Result<AdmittedTbs, Refusal> {
        let envelope = self.root_envelope();
        let own = [self.root.clone()];
        let in_use = KeyInUse {
            key: self.root_key.public_key(),
            envelope: Some(&envelope),
            own: &own,
            above: &[],
            others,
            generations: &|_| Vouching::Accepted,
            bound: None,
            named: None,
            mark: None,
            by_timer: false,
        };
        self.admission().certificate(&in_use, octets)
    }

    fn leaf(&self) -> Fields {
        let mut applicant = Applicant::new(name("CN=w1.genfic.example"), key().public_key().clone());
        applicant.alt_names = vec![GeneralName::Dns("w1.genfic.example".into())];
        let above = std::slice::from_ref(&self.root);
        let issuer = Some((self.own(), above, "system-ca"));
        Fields::of(&granted("system", issuer, &applicant, RequestedValues::default(), serial(9)))
    }

    fn responder(&self) -> Fields {
        let applicant = Applicant::new(name("C=BE,O=Genfic,CN=OCSP responder"), key().public_key().clone());
        let issuer = Some((self.own(), std::slice::from_ref(&self.root), "system-ca"));
        Fields::of(&granted("ocsp-responder", issuer, &applicant, RequestedValues::default(), serial(8)))
    }

    fn child(&self) -> Fields {
        let applicant = Applicant::new(name("C=BE,O=Genfic,CN=Users"), key().public_key().clone());
        let issuer = Some((&self.root, &[][..], "root-ca"));
        Fields::of(&granted("user-ca", issuer, &applicant, RequestedValues::default(), serial(7)))
    }
}

/// A lie in words, the code of its refusal, and how it is told.
type Lie = (&'static str, &'static str, Box<dyn Fn(&mut Fields)>);

fn code(decision: Result<AdmittedTbs, Refusal>) -> &'static str {
    match decision {
        Ok(_) => "admitted",
        Err(refusal) => {
            assert!(!refusal.citation.is_empty() && !refusal.hint.is_empty(), "{refusal}");
            refusal.code.code()
        }
    }
}

/// Returns what a decision takes, or the code of its refusal.
fn scope(decision: Result<AdmittedTbs, Refusal>) -> &'static str {
    match decision {
        Ok(admitted) => admitted.scope().name(),
        refused => code(refused),
    }
}

fn revoked(number: u8, reason: Option<CrlReason>) -> CrlEntry {
    CrlEntry { serial_number: serial(number), revocation_date: NOW.plus(-100), reason, invalidity_date: None }
}

impl Signer {
    fn list(
        &self,
        (this, next): (UnixTime, UnixTime),
        entries: &[CrlEntry],
        extensions: Vec<Extension>,
    ) -> Vec<u8> {
        let issuer = self.own().tbs().subject().clone();
        let mut list = TbsCertListBuilder::new(SignatureAlgorithm::ECDSA_SHA256, issuer, this, next);
        entries.iter().for_each(|entry| list.push(entry));
        let identifier = authority_key_identifier(&self.own().key_identifier());
        list.encode([vec![identifier], extensions].concat()).as_der().to_vec()
    }

    fn crl(&self, number: u64, entries: &[CrlEntry], more: Vec<Extension>) -> Vec<u8> {
        self.list((NOW, NOW.plus_days(7)), entries, [vec![crl_number(number)], more].concat())
    }

    fn decide_crl(&self, octets: Vec<u8>) -> &'static str {
        code(self.admission().crl(&self.in_use(), octets))
    }

    /// Puts a CRL on record, made an hour ago.
    fn made(&self, number: u64, entries: &[(u8, u8)], is_delta: bool) {
        let revoked = |reason: &u8| Revoked { reason: *reason, date: NOW.plus(-100) };
        let entries: Vec<(SerialNumber, Revoked)> =
            entries.iter().map(|(number, reason)| (serial(*number), revoked(reason))).collect();
        let last = LastCrl { number, this_update: NOW.plus(-3600) };
        self.record.crl(&self.key.public_key().digest(), last, is_delta, &entries);
    }

    fn knows(&self, number: u8, not_after: UnixTime) {
        self.record.certificate(
            &self.key.public_key().digest(),
            &serial(number),
            not_after,
            NOW.plus_days(-9),
        );
    }
}
