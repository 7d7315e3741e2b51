//! Valid CRLs whose fields tests can break.
use crate::lint::certificate::draft::{self, PARENT_IDENTIFIER, name};
use crate::lint::{Finding, findings_of_crl};
use crate::x509::extension::{
    IssuingDistributionPoint, authority_key_identifier, crl_number, delta_crl_indicator, freshest_crl,
    invalidity_date, reason_code,
};
use crate::x509::octets::{sequence, tlv};
use crate::x509::{Certificate, CrlReason, Extension, SignatureAlgorithm, UnixTime};
use der::asn1::ObjectIdentifier;

pub(in crate::lint) const THIS_UPDATE: UnixTime = UnixTime(1_750_000_000);

/// Fields of a CRL as octets. Tests replace them.
#[derive(Clone, Debug)]
pub(in crate::lint) struct Draft {
    pub(in crate::lint) version: Vec<u8>,
    pub(in crate::lint) signature: Vec<u8>,
    pub(in crate::lint) outer_signature: Vec<u8>,
    pub(in crate::lint) issuer: Vec<u8>,
    pub(in crate::lint) this_update: Vec<u8>,
    pub(in crate::lint) next_update: Vec<u8>,
    pub(in crate::lint) entries: Option<Vec<u8>>,
    pub(in crate::lint) extensions: Vec<Extension>,
    pub(in crate::lint) raw_extensions: Vec<Vec<u8>>,
    pub(in crate::lint) has_empty_list: bool,
}

pub(in crate::lint) fn entry(serial_number: u8) -> Vec<u8> {
    sequence(&[&[2, 1, serial_number], &THIS_UPDATE.to_der()])
}

pub(in crate::lint) fn entry_with(extensions: &[Extension]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = extensions.iter().map(Extension::to_der).collect();
    sequence(&[&[2, 1, 5], &THIS_UPDATE.to_der(), &tlv(0x30, &list.concat())])
}

impl Draft {
    pub(in crate::lint) fn complete() -> Self {
        let signature = SignatureAlgorithm::ECDSA_SHA256.to_der();
        let reason = reason_code(CrlReason::KeyCompromise).unwrap();
        let full = entry_with(&[reason, invalidity_date(THIS_UPDATE.plus(-9))]);
        Self {
            version: vec![2, 1, 1],
            outer_signature: signature.clone(),
            signature,
            issuer: name("C=BE,CN=Child"),
            this_update: THIS_UPDATE.to_der(),
            next_update: THIS_UPDATE.plus_days(7).to_der(),
            entries: Some([entry(9), full, entry(7)].concat()),
            extensions: vec![
                authority_key_identifier(&PARENT_IDENTIFIER),
                crl_number(7),
                freshest_crl(&["http://ca.example/delta.crl".into()]),
            ],
            raw_extensions: Vec::new(),
            has_empty_list: false,
        }
    }

    pub(in crate::lint) fn empty() -> Self {
        Self { entries: None, ..Self::complete() }
    }

    pub(in crate::lint) fn delta() -> Self {
        let mut list = Self::complete();
        list.remove(crate::x509::extension::FRESHEST_CRL);
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

    /// Replaces the extension of this type, or adds it.
    pub(in crate::lint) fn put(&mut self, extension: Extension) {
        self.remove(extension.oid);
        self.extensions.push(extension);
    }

    pub(in crate::lint) fn remove(&mut self, oid: ObjectIdentifier) {
        self.extensions.retain(|one| one.oid != oid);
    }

    /// Returns the CRL with a signature that does not verify.
    pub(in crate::lint) fn crl(&self) -> Vec<u8> {
        let mut list: Vec<Vec<u8>> = self.extensions.iter().map(Extension::to_der).collect();
        list.extend(self.raw_extensions.clone());
        let without = list.is_empty() && !self.has_empty_list;
        let extensions = if without { Vec::new() } else { tlv(0xa0, &tlv(0x30, &list.concat())) };
        let entries = self.entries.as_ref().map(|entries| tlv(0x30, entries)).unwrap_or_default();
        let tbs = sequence(&[
            &self.version,
            &self.signature,
            &self.issuer,
            &self.this_update,
            &self.next_update,
            &entries,
            &extensions,
        ]);
        sequence(&[&tbs, &self.outer_signature, &tlv(3, &[0, 1, 2, 3])])
    }

    pub(in crate::lint) fn findings(&self, issuer: Option<&draft::Draft>) -> Vec<Finding> {
        let issuer = issuer.map(|issuer| Certificate::from_der(&issuer.certificate()).unwrap());
        findings_of_crl(&self.crl(), issuer.as_ref())
    }
}

/// A CRL that breaks one rule.
pub(in crate::lint) struct Broken {
    pub(in crate::lint) rule: &'static str,
    and: Vec<&'static str>,
    draft: Draft,
    issuer: Option<draft::Draft>,
}

impl Broken {
    fn new(rule: &'static str, mut draft: Draft, change: impl Fn(&mut Draft)) -> Self {
        change(&mut draft);
        Self { rule, and: Vec::new(), draft, issuer: Some(draft::Draft::parent()) }
    }

    pub(in crate::lint) fn complete(rule: &'static str, change: impl Fn(&mut Draft)) -> Self {
        Self::new(rule, Draft::complete(), change)
    }

    pub(in crate::lint) fn without_issuer(rule: &'static str, change: impl Fn(&mut Draft)) -> Self {
        Self { issuer: None, ..Self::new(rule, Draft::complete(), change) }
    }

    pub(in crate::lint) fn delta(rule: &'static str, change: impl Fn(&mut Draft)) -> Self {
        Self::new(rule, Draft::delta(), change)
    }

    pub(in crate::lint) fn issued_by(mut self, issuer: draft::Draft) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Adds a rule that is broken too whenever this one is.
    pub(in crate::lint) fn and(mut self, rule: &'static str) -> Self {
        self.and.push(rule);
        self
    }

    pub(in crate::lint) fn findings(&self) -> Vec<Finding> {
        self.draft.findings(self.issuer.as_ref())
    }

    pub(in crate::lint) fn expected(&self) -> Vec<&'static str> {
        let mut all = self.and.clone();
        all.push(self.rule);
        all.sort_unstable();
        all
    }
}
