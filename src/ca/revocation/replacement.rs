//! Which certificates newer ones have replaced, and which became invalid with their CAs.
use super::Revocations;
use crate::error::Problem;
use crate::index::{CertificateRecord, Selector, StatusValue};
use crate::profile::Kind;
use crate::x509::extension::{ExtendedKeyUsage, Purpose};
use crate::x509::{Certificate, GeneralName};
use std::collections::{BTreeSet, HashSet};

/// Number of certificates of one name that are read when looking for a replacement; bounds the memory used,
/// and no subscriber has nearly as many.
const MANY: usize = 1000;

/// The states of all CAs, by name.
#[derive(Clone, Debug, Default)]
pub struct ChainStatuses {
    affected: HashSet<String>,
    current: HashSet<String>,
}

impl ChainStatuses {
    /// Whether the CA of this name or one of its issuers is revoked for good.
    #[must_use]
    pub fn chain_is_revoked(&self, name: &str) -> bool {
        self.affected.contains(name)
    }
}

impl Revocations<'_> {
    /// Returns the states of all CAs.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn chain_statuses(&self) -> Result<ChainStatuses, Problem> {
        let mut chain_statuses = ChainStatuses::default();
        for authority in self.engine.index().authorities()? {
            if self.engine.hierarchy().chain_is_revoked(&authority)? {
                chain_statuses.affected.insert(authority.name);
            } else if self.engine.hierarchy().still_current(&authority, self.engine.now())? {
                chain_statuses.current.insert(authority.name);
            }
        }
        Ok(chain_statuses)
    }

    /// Returns the newest valid certificate that replaces this one: one of the same subject, names and profile, by a
    /// CA that is still current, that begins no earlier. It also ends later, or was recorded later and ends at the
    /// same time, unless this one's CA is revoked or below one that is.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn replacement(
        &self,
        record: &CertificateRecord,
        chain_statuses: &ChainStatuses,
    ) -> Result<Option<CertificateRecord>, Problem> {
        let now = self.engine.now();
        let name = record.subject_alt_names.first().map(GeneralName::value);
        let Some(name) = name.or_else(|| record.subject.common_name()) else { return Ok(None) };
        let names = |record: &CertificateRecord| -> BTreeSet<String> {
            record.subject_alt_names.iter().map(ToString::to_string).collect()
        };
        let fell = chain_statuses.chain_is_revoked(&record.authority);
        let replaces = |other: &CertificateRecord| {
            other.id != record.id
                && other.status(now) == StatusValue::Valid
                && chain_statuses.current.contains(&other.authority)
                && (record.profile.is_empty() || other.profile == record.profile)
                && other.subject.is_same_as(&record.subject)
                && names(other) == names(record)
                && other.validity.not_before >= record.validity.not_before
        };
        let found = self.engine.index().select(&Selector::Name(name), MANY)?;
        // newest first
        let newer = found.iter().position(|other| other.id == record.id).unwrap_or(found.len());
        let lasts = |at: usize, other: &CertificateRecord| {
            let (end, present) = (other.validity.not_after, record.validity.not_after);
            fell || end > present || (end == present && at < newer)
        };
        let found = found.into_iter().enumerate().find(|(at, other)| replaces(other) && lasts(*at, other));
        Ok(found.map(|(_, other)| other))
    }

    /// Whether a certificate became invalid with its CA and has no [replacement](Self::replacement). Apart from that
    /// it is valid, and neither a CA's nor a responder's.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn needs_reissue(
        &self,
        record: &CertificateRecord,
        chain_statuses: &ChainStatuses,
    ) -> Result<bool, Problem> {
        Ok(record.status(self.engine.now()) == StatusValue::Valid
            && chain_statuses.chain_is_revoked(&record.authority)
            && self.kind(record) == Kind::EndEntity
            && self.replacement(record, chain_statuses)?.is_none())
    }

    /// Returns whose certificate this is, by what stands in it, and without its octets by its profile.
    #[must_use]
    pub fn kind(&self, record: &CertificateRecord) -> Kind {
        let of_profile = self.engine.settings().profiles.get(&record.profile).map(|profile| profile.kind());
        let tbs = record.certificate.as_ref().map(Certificate::tbs);
        let answers = || {
            let usage = tbs.and_then(ExtendedKeyUsage::of);
            usage.is_some_and(|usage| usage.0.contains(&Purpose::OCSP_SIGNING))
        };
        match of_profile {
            Some(Kind::RootCa) => Kind::RootCa,
            _ if record.certificate.as_ref().is_some_and(Certificate::is_ca) => Kind::Ca,
            Some(Kind::OcspResponder) => Kind::OcspResponder,
            _ if answers() => Kind::OcspResponder,
            Some(Kind::Ca) if tbs.is_none() => Kind::Ca,
            _ => Kind::EndEntity,
        }
    }
}
