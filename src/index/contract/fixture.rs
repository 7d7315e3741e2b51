//! CAs and certificates that comply with every rule, signed with throw-away keys.
use crate::audit::{Actor, AuditEvent, Outcome};
use crate::index::{Authority, Import, Index, IntendedAuthority, Intent, Issued, Recorded};
use crate::lint;
use crate::testing::tbs_cert_list;
use crate::x509::extension::{self, AccessDescription, CrlNumber, ExtendedKeyUsage, KeyUsage, Purpose};
use crate::x509::{
    Certificate, CertificateId, CrlEntry, Extension, GeneralName, IssuerId, Name, SerialNumber,
    SignatureAlgorithm, SubjectPublicKeyInfo, TbsCertList, TbsCertificate, UnixTime,
};

pub(crate) use crate::testing::{CertificateBuilder, NOW, TestKey};

pub(crate) fn event(at: UnixTime, action: &str) -> AuditEvent {
    AuditEvent {
        at,
        actor: Actor::named("alice"),
        action: action.into(),
        object: "test".into(),
        outcome: Outcome::Done,
        details: Vec::new(),
    }
}

/// Returns a serial number of 128 bits, all octets equal.
pub(crate) fn serial(octet: u8) -> SerialNumber {
    SerialNumber::from_random([octet; 17])
}

/// A CA in an index, with its key.
pub(crate) struct CertificateAuthority {
    pub(crate) key: TestKey,
    pub(crate) certificate: Certificate,
}

fn ca_subject(name: &str) -> Name {
    Name::parse(&format!("C=BE,O=Example,CN={name} CA")).unwrap()
}

/// What is to be signed with an Ed25519 key, valid for so many days from an hour ago.
pub(crate) fn builder(
    subject: &Name,
    key: &SubjectPublicKeyInfo,
    serial_number: &SerialNumber,
    days: i64,
) -> CertificateBuilder {
    CertificateBuilder::new(subject, key)
        .number(serial_number)
        .valid(NOW.plus(-3600), NOW.plus_days(days))
        .signature(SignatureAlgorithm::ED25519)
}

impl CertificateAuthority {
    /// Returns the TBSCertificate of a root with a new key.
    pub(crate) fn root_tbs(name: &str, key: &TestKey, serial_number: SerialNumber) -> TbsCertificate {
        builder(&ca_subject(name), key.public_key(), &serial_number, 10_950).into_ca(None).tbs()
    }

    /// Creates a root in the index.
    pub(crate) fn root(index: &dyn Index, name: &str) -> Self {
        let key = TestKey::ed25519();
        let tbs = Self::root_tbs(name, &key, serial(1));
        let mut intent = intent(tbs.as_issuer(), None, tbs);
        intent.authority = Some(new_authority(name));
        let certificate = issue(index, &key, intent);
        Self { key, certificate }
    }

    /// Returns the TBSCertificate of a CA below this one.
    pub(crate) fn child_tbs(&self, name: &str, key: &TestKey, serial_number: SerialNumber) -> TbsCertificate {
        builder(&ca_subject(name), key.public_key(), &serial_number, 3650)
            .named_by(&self.subject())
            .into_ca(None)
            .with(self.pointers())
            .tbs()
    }

    /// Creates a CA below this one in the index.
    pub(crate) fn child(&self, index: &dyn Index, name: &str, octet: u8) -> Self {
        let key = TestKey::ed25519();
        let mut intent = self.intent(self.child_tbs(name, &key, serial(octet)));
        intent.authority = Some(new_authority(name));
        let certificate = issue(index, &self.key, intent);
        Self { key, certificate }
    }

    /// Imports a root of another name with the key of this CA.
    pub(crate) fn twin(&self, index: &dyn Index, name: &str) -> Authority {
        let certificate = self.key.certify(&Self::root_tbs(name, &self.key, serial(1)));
        let twin = Authority {
            name: name.into(),
            issuer: certificate.tbs().as_issuer(),
            key: format!("age:{name}.age"),
            certificate,
            ..self.as_authority(name, None)
        };
        index.import(&Import::of(twin.clone(), event(NOW, "authority.added"))).unwrap();
        twin
    }

    pub(crate) fn subject(&self) -> Name {
        self.certificate.tbs().subject().clone()
    }

    pub(crate) fn issuer(&self) -> IssuerId {
        self.certificate.tbs().as_issuer()
    }

    /// Returns this CA as an import of a certificate signed by another program has it.
    pub(crate) fn as_authority(&self, name: &str, parent: Option<&str>) -> Authority {
        Authority {
            name: name.into(),
            issuer: self.issuer(),
            parent: parent.map(Into::into),
            profile: "system-ca".into(),
            certificate: self.certificate.clone(),
            key: format!("age:{name}.age"),
            external: false,
            serves_ocsp: true,
            succeeds: None,
            last_end: None,
            retired: None,
        }
    }

    fn pointers(&self) -> Vec<Extension> {
        vec![
            extension::authority_key_identifier(&self.certificate.key_identifier()),
            extension::crl_distribution_points(&["http://pki.example/ca.crl".into()]),
            extension::authority_info_access(&[
                AccessDescription::ocsp("http://pki.example/ocsp"),
                AccessDescription::ca_issuers("http://pki.example/ca.crt"),
            ]),
        ]
    }

    /// Returns a certificate for one DNS name with a key of its own, which expires after this number of days.
    pub(crate) fn leaf(&self, dns: &str, days: i64, serial_number: SerialNumber) -> TbsCertificate {
        leaf(self, dns, days, serial_number, TestKey::ed25519().public_key())
    }

    /// Returns the intent to sign this certificate.
    pub(crate) fn intent(&self, tbs: TbsCertificate) -> Intent {
        intent(self.issuer(), Some(&self.certificate), tbs)
    }

    /// Issues a certificate for one DNS name.
    pub(crate) fn issue_leaf(&self, index: &dyn Index, dns: &str, days: i64, octet: u8) -> CertificateId {
        id(&issue(index, &self.key, self.intent(self.leaf(dns, days, serial(octet)))), self)
    }

    /// Returns a CRL with these entries.
    pub(crate) fn crl(
        &self,
        number: CrlNumber,
        this_update: UnixTime,
        entries: &[CrlEntry],
    ) -> lint::Linted<TbsCertList> {
        let next_update = this_update.plus_days(7);
        let identifier = extension::authority_key_identifier(&self.certificate.key_identifier());
        let tbs = tbs_cert_list(
            SignatureAlgorithm::ED25519,
            &self.subject(),
            (this_update, next_update),
            entries.iter().cloned(),
            vec![identifier, extension::crl_number(number)],
        );
        lint::check_crl(tbs, &self.certificate).unwrap()
    }

    /// Returns a delta CRL on this base with these entries.
    pub(crate) fn delta_crl(
        &self,
        base: CrlNumber,
        number: CrlNumber,
        this_update: UnixTime,
        entries: &[CrlEntry],
    ) -> lint::Linted<TbsCertList> {
        let identifier = extension::authority_key_identifier(&self.certificate.key_identifier());
        let tbs = tbs_cert_list(
            SignatureAlgorithm::ED25519,
            &self.subject(),
            (this_update, this_update.plus_days(1)),
            entries.iter().cloned(),
            vec![identifier, extension::crl_number(number), extension::delta_crl_indicator(base)],
        );
        lint::check_crl(tbs, &self.certificate).unwrap()
    }

    /// Takes a number, records a CRL of every revoked certificate, and records its publication. Returns the
    /// listed serial numbers.
    pub(crate) fn publish_crl(&self, index: &dyn Index, this_update: UnixTime) -> Vec<SerialNumber> {
        let (number, entries) = self.record_crl(index, this_update);
        let published = event(this_update, "crl.published");
        index.record_crl_published(&self.issuer(), number, this_update, published).unwrap();
        entries
    }

    /// Takes the next number. Returns it with the entries of its CRL.
    pub(crate) fn take_crl_number(
        &self,
        index: &dyn Index,
        this_update: UnixTime,
    ) -> (CrlNumber, Vec<CrlEntry>) {
        let mut entries = Vec::new();
        let visit = &mut |entry| entries.push(entry);
        let number = index.next_crl_number(&self.issuer(), 0, this_update, visit).unwrap();
        (number, entries)
    }

    /// Does the same as `publish_crl` without the last step.
    pub(crate) fn record_crl(
        &self,
        index: &dyn Index,
        this_update: UnixTime,
    ) -> (CrlNumber, Vec<SerialNumber>) {
        let (number, entries) = self.take_crl_number(index, this_update);
        let crl = self.crl(number, this_update, &entries);
        index.record_crl(&self.issuer(), crl, event(this_update, "crl.intended")).unwrap();
        (number, entries.into_iter().map(|entry| entry.serial_number).collect())
    }
}

pub(crate) fn leaf(
    issuer: &CertificateAuthority,
    dns: &str,
    days: i64,
    serial_number: SerialNumber,
    key: &SubjectPublicKeyInfo,
) -> TbsCertificate {
    let subject = Name::parse(&format!("C=BE,O=Example,CN={dns}")).unwrap();
    let mut extensions = vec![
        KeyUsage::DIGITAL_SIGNATURE.to_extension(),
        ExtendedKeyUsage(vec![Purpose::SERVER_AUTH]).to_extension(),
        extension::subject_key_identifier_for(key),
        extension::subject_alt_name(&[GeneralName::Dns(dns.into())], &subject),
    ];
    extensions.extend(issuer.pointers());
    builder(&subject, key, &serial_number, days).named_by(&issuer.subject()).with(extensions).tbs()
}

/// What is to be signed for a delegated responder of this CA, by a key of its own.
pub(crate) fn responder_tbs(ca: &CertificateAuthority, octet: u8) -> TbsCertificate {
    let subject = Name::parse("C=BE,O=Example,CN=responder").unwrap();
    builder(&subject, TestKey::ed25519().public_key(), &serial(octet), 30)
        .into_responder()
        .issued_by(&ca.certificate)
        .tbs()
}

pub(crate) fn intent(issuer: IssuerId, certificate: Option<&Certificate>, tbs: TbsCertificate) -> Intent {
    Intent {
        issuer,
        tbs: lint::check_certificate(tbs, certificate).unwrap(),
        profile: "system".into(),
        contact: Some("owner@example.com".into()),
        same_holder_as: None,
        decided_beside: None,
        authority: None,
        requested: false,
        event: event(NOW, "certificate.intended"),
    }
}

pub(crate) fn new_authority(name: &str) -> IntendedAuthority {
    IntendedAuthority {
        name: name.into(),
        key: Some(format!("age:{name}.age")),
        serves_ocsp: false,
        succeeds: None,
        renews: false,
    }
}

/// Records the intent, signs the certificate, and records the signed certificate.
pub(crate) fn issue(index: &dyn Index, key: &TestKey, intent: Intent) -> Certificate {
    let issuer = intent.issuer;
    let at = intent.event.at;
    let recorded = index.record_intent(vec![intent]).unwrap().pop().map(Recorded::into_inner).unwrap();
    let certificate = key.certify(&recorded);
    let issued = Issued { issuer, certificate: certificate.clone(), event: event(at, "certificate.issued") };
    index.record_issued(&[issued]).unwrap();
    certificate
}

pub(crate) fn id(certificate: &Certificate, issuer: &CertificateAuthority) -> CertificateId {
    CertificateId { issuer: issuer.issuer(), serial_number: certificate.tbs().serial_number().clone() }
}
