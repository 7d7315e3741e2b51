//! Valid certificates, and variants of them that each break one rule.
use crate::lint::{LintFinding, findings_of_certificate};
pub(in crate::lint) use crate::testing::CertificateBuilder as CertificateDraft;
use crate::x509::extension::{
    AccessDescription, BasicConstraints, ExtendedKeyUsage, KeyUsage, Purpose, SUBJECT_KEY_IDENTIFIER,
    authority_info_access, authority_key_identifier, crl_distribution_points, ocsp_no_check,
    subject_alt_name, subject_key_identifier_for,
};
use crate::x509::octets::{OCTET_STRING, tlv};
use crate::x509::{Extension, GeneralName, SubjectPublicKeyInfo, UnixTime};
use der::asn1::ObjectIdentifier;

pub(in crate::lint) const PARENT_START: UnixTime = UnixTime(1_700_000_000);
pub(in crate::lint) const PARENT_END: UnixTime = UnixTime(2_000_000_000);
pub(in crate::lint) const LEAF_START: UnixTime = UnixTime(1_750_000_000);
pub(in crate::lint) const LEAF_END: UnixTime = UnixTime(1_800_000_000);
/// Key identifier that RFC 7093 does not give, like that of an imported issuer.
pub(in crate::lint) const PARENT_IDENTIFIER: [u8; 20] = [7; 20];

pub(in crate::lint) fn name(text: &str) -> Vec<u8> {
    crate::testing::name(text).as_der().to_vec()
}

/// Returns the base point of P-256 as a public key, which is the same in every run.
fn p256() -> Vec<u8> {
    let hex = "3059301306072a8648ce3d020106082a8648ce3d03010703420004\
               6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
               4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn key() -> SubjectPublicKeyInfo {
    SubjectPublicKeyInfo::from_der(&p256()).unwrap()
}

impl CertificateDraft {
    fn drafted(
        issuer: &str,
        subject: &str,
        from: UnixTime,
        until: UnixTime,
        extensions: Vec<Extension>,
    ) -> Self {
        let mut draft = Self::new(&crate::testing::name(subject), &key())
            .named_by(&crate::testing::name(issuer))
            .valid(from, until)
            .identified()
            .with(extensions);
        draft.serial_number = tlv(2, &[0x55; 17]);
        draft
    }

    pub(in crate::lint) fn root() -> Self {
        let signing = KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN);
        let constraints = BasicConstraints { ca: true, path_length: None };
        let extensions = vec![constraints.to_extension(), signing.to_extension()];
        Self::drafted("C=BE,CN=Root", "C=BE,CN=Root", PARENT_START, PARENT_END, extensions)
    }

    pub(in crate::lint) fn child_ca() -> Self {
        let root = Self::root();
        let identifier = key().key_identifier();
        let mut ca =
            Self::drafted("C=BE,CN=Root", "C=BE,CN=Child", PARENT_START, PARENT_END, root.extensions);
        ca.extensions.remove(0);
        ca.put(authority_key_identifier(&identifier));
        ca
    }

    /// Returns the issuer of leaves. Its key identifier was not made by our method.
    pub(in crate::lint) fn parent() -> Self {
        let mut ca = Self::child_ca();
        ca.put(Extension::new(SUBJECT_KEY_IDENTIFIER, false, tlv(OCTET_STRING, &PARENT_IDENTIFIER)));
        ca
    }

    fn end_entity(subject: &str, extensions: Vec<Extension>) -> Self {
        let mut all =
            vec![authority_key_identifier(&PARENT_IDENTIFIER), KeyUsage::DIGITAL_SIGNATURE.to_extension()];
        all.extend(extensions);
        Self::drafted("C=BE,CN=Child", subject, LEAF_START, LEAF_END, all)
    }

    pub(in crate::lint) fn leaf() -> Self {
        let subject = crate::testing::name("C=BE,CN=a.example");
        let access = [
            AccessDescription::ocsp("http://ca.example/ocsp"),
            AccessDescription::ca_issuers("http://ca.example/child.crt"),
        ];
        let names = [GeneralName::Dns("a.example".into()), GeneralName::Ip("192.0.2.1".parse().unwrap())];
        let extensions = vec![
            BasicConstraints { ca: false, path_length: None }.to_extension(),
            ExtendedKeyUsage(vec![Purpose::SERVER_AUTH]).to_extension(),
            subject_alt_name(&names[..1], &subject),
            crl_distribution_points(&["http://ca.example/child.crl".into()]),
            authority_info_access(&access),
        ];
        Self::end_entity("C=BE,CN=a.example", extensions)
    }

    pub(in crate::lint) fn responder() -> Self {
        let purpose = ExtendedKeyUsage(vec![Purpose::OCSP_SIGNING]).to_extension();
        Self::end_entity("C=BE,CN=Responder", vec![purpose, ocsp_no_check()])
    }

    pub(in crate::lint) fn remove(&mut self, oid: ObjectIdentifier) {
        self.extensions.retain(|one| one.oid != oid);
    }

    pub(in crate::lint) fn extension(&self, oid: ObjectIdentifier) -> Extension {
        self.extensions.iter().find(|one| one.oid == oid).unwrap().clone()
    }

    pub(in crate::lint) fn set_key(&mut self, octets: &[u8]) {
        self.public_key = octets.to_vec();
        self.put(subject_key_identifier_for(&SubjectPublicKeyInfo::from_der(octets).unwrap()));
    }

    pub(in crate::lint) fn findings(&self, issuer: Option<&Self>) -> Vec<LintFinding> {
        let issuer = issuer.map(Self::unsigned);
        findings_of_certificate(&self.unsigned_der(), issuer.as_ref())
    }
}

/// A certificate or CRL that breaks one rule.
pub(in crate::lint) struct BrokenDraft<D> {
    pub(in crate::lint) rule: &'static str,
    and: Vec<&'static str>,
    pub(in crate::lint) draft: D,
    pub(in crate::lint) issuer: Option<CertificateDraft>,
}

impl<D> BrokenDraft<D> {
    pub(in crate::lint) fn new(
        rule: &'static str,
        mut draft: D,
        issuer: Option<CertificateDraft>,
        change: impl Fn(&mut D),
    ) -> Self {
        change(&mut draft);
        Self { rule, and: Vec::new(), draft, issuer }
    }

    /// Adds a rule that is broken too whenever this one is.
    pub(in crate::lint) fn and(mut self, rule: &'static str) -> Self {
        self.and.push(rule);
        self
    }

    pub(in crate::lint) fn expected(&self) -> Vec<&'static str> {
        let mut all = self.and.clone();
        all.push(self.rule);
        all.sort_unstable();
        all
    }
}

/// A certificate that breaks one rule.
pub(in crate::lint) type BrokenCertificate = BrokenDraft<CertificateDraft>;

impl BrokenCertificate {
    pub(in crate::lint) fn leaf(rule: &'static str, change: impl Fn(&mut CertificateDraft)) -> Self {
        Self::new(rule, CertificateDraft::leaf(), Some(CertificateDraft::parent()), change)
    }

    pub(in crate::lint) fn without_issuer(
        rule: &'static str,
        change: impl Fn(&mut CertificateDraft),
    ) -> Self {
        Self::new(rule, CertificateDraft::leaf(), None, change)
    }

    pub(in crate::lint) fn responder(rule: &'static str, change: impl Fn(&mut CertificateDraft)) -> Self {
        Self::new(rule, CertificateDraft::responder(), Some(CertificateDraft::parent()), change)
    }

    pub(in crate::lint) fn child_ca(rule: &'static str, change: impl Fn(&mut CertificateDraft)) -> Self {
        Self::new(rule, CertificateDraft::child_ca(), Some(CertificateDraft::root()), change)
    }

    pub(in crate::lint) fn root(rule: &'static str, change: impl Fn(&mut CertificateDraft)) -> Self {
        Self::new(rule, CertificateDraft::root(), None, change)
    }

    /// Sets another issuer, with the name and key identifier that the certificate expects.
    pub(in crate::lint) fn issued_by(mut self, mut issuer: CertificateDraft) -> Self {
        issuer.subject.clone_from(&self.draft.issuer);
        if let Some(own) = self.issuer.as_ref() {
            issuer.put(own.extension(SUBJECT_KEY_IDENTIFIER));
        }
        self.issuer = Some(issuer);
        self
    }

    pub(in crate::lint) fn findings(&self) -> Vec<LintFinding> {
        self.draft.findings(self.issuer.as_ref())
    }
}
