//! Valid CRLs, and variants of them that each break one rule.
use crate::lint::certificate::draft::{self, BrokenDraft, PARENT_IDENTIFIER};
use crate::lint::{LintFinding, findings_of_crl};
pub(in crate::lint) use crate::testing::CrlBuilder as CrlDraft;
use crate::x509::extension::{
    FRESHEST_CRL, IssuingDistributionPoint, authority_key_identifier, crl_number, delta_crl_indicator,
    freshest_crl, invalidity_date, reason_code,
};
use crate::x509::octets::{sequence, tlv};
use crate::x509::{CrlReason, Extension, UnixTime};
use der::asn1::ObjectIdentifier;

pub(in crate::lint) const THIS_UPDATE: UnixTime = UnixTime(1_750_000_000);

pub(in crate::lint) fn entry(serial_number: u8) -> Vec<u8> {
    sequence(&[&[2, 1, serial_number], &THIS_UPDATE.to_der()])
}

pub(in crate::lint) fn entry_with(extensions: &[Extension]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = extensions.iter().map(Extension::to_der).collect();
    sequence(&[&[2, 1, 5], &THIS_UPDATE.to_der(), &tlv(0x30, &list.concat())])
}

impl CrlDraft {
    pub(in crate::lint) fn complete() -> Self {
        let reason = reason_code(CrlReason::KeyCompromise).unwrap();
        let full = entry_with(&[reason, invalidity_date(THIS_UPDATE.plus(-9))]);
        let mut list = Self::new(&crate::testing::name("C=BE,CN=Child"), THIS_UPDATE);
        list.entries = Some([entry(9), full, entry(7)].concat());
        list.extensions = vec![
            authority_key_identifier(&PARENT_IDENTIFIER),
            crl_number(7),
            freshest_crl(&["http://ca.example/delta.crl".into()]),
        ];
        list
    }

    pub(in crate::lint) fn empty() -> Self {
        Self { entries: None, ..Self::complete() }
    }

    pub(in crate::lint) fn delta() -> Self {
        let mut list = Self::complete();
        list.remove(FRESHEST_CRL);
        list.put(delta_crl_indicator(5));
        list.entries = Some(entry_with(&[reason_code(CrlReason::RemoveFromCrl).unwrap()]));
        list
    }

    pub(in crate::lint) fn shard() -> Self {
        let mut list = Self::complete();
        let url = Some("http://ca.example/7.crl".into());
        list.put(
            IssuingDistributionPoint { url, only_user_certificates: true, ..Default::default() }
                .to_extension(),
        );
        list
    }

    pub(in crate::lint) fn remove(&mut self, oid: ObjectIdentifier) {
        self.extensions.retain(|one| one.oid != oid);
    }

    pub(in crate::lint) fn findings(&self, issuer: Option<&draft::CertificateDraft>) -> Vec<LintFinding> {
        let issuer = issuer.map(draft::CertificateDraft::unsigned);
        findings_of_crl(&self.unsigned_der(), issuer.as_ref())
    }
}

/// A CRL that breaks one rule.
pub(in crate::lint) type BrokenCrl = BrokenDraft<CrlDraft>;

impl BrokenCrl {
    pub(in crate::lint) fn complete(rule: &'static str, change: impl Fn(&mut CrlDraft)) -> Self {
        Self::new(rule, CrlDraft::complete(), Some(draft::CertificateDraft::parent()), change)
    }

    pub(in crate::lint) fn without_issuer(rule: &'static str, change: impl Fn(&mut CrlDraft)) -> Self {
        Self::new(rule, CrlDraft::complete(), None, change)
    }

    pub(in crate::lint) fn delta(rule: &'static str, change: impl Fn(&mut CrlDraft)) -> Self {
        Self::new(rule, CrlDraft::delta(), Some(draft::CertificateDraft::parent()), change)
    }

    pub(in crate::lint) fn issued_by(mut self, issuer: draft::CertificateDraft) -> Self {
        self.issuer = Some(issuer);
        self
    }

    pub(in crate::lint) fn findings(&self) -> Vec<LintFinding> {
        self.draft.findings(self.issuer.as_ref())
    }
}
