//! Certificates of a CA's name and key by other issuers: cross-certificates, and the links between generations of a root
//! (RFC 9810 §4.4).
use super::Hierarchy;
use crate::index::{Authority, CertificateRecord, CertificateState, IndexError, IndexReader};
use crate::x509::{Certificate, UnixTime};

/// Of the event `authority.rekeyed`: why there are no links between two generations of a root.
pub(in crate::ca) const UNLINKED: &str = "unlinked";

impl Hierarchy<'_> {
    /// The unrevoked certificates of a CA's name and key by other issuers of this index than that of the one it has,
    /// oldest first: cross-certificates, and links between generations.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn crossed(&self, authority: &Authority) -> Result<Vec<Certificate>, IndexError> {
        let tbs = authority.certificate.tbs();
        let parent =
            authority.parent.as_deref().map(|name| self.index.authority(name)).transpose()?.flatten();
        let own = parent.map_or(authority.issuer, |parent| parent.issuer);
        let mut crossed = Vec::new();
        for past in self.index.key_uses(&tbs.public_key().digest())? {
            let is_other = past.id.issuer != own && past.subject.is_same_as(tbs.subject());
            if is_other && past.state == CertificateState::Issued {
                crossed.extend(self.index.certificate(&past.id)?.and_then(|record| record.certificate));
            }
        }
        Ok(crossed)
    }

    /// What a CA certified of another's name and key and signed, whatever became of it; oldest first.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(in crate::ca) fn certified(
        &self,
        issuer: &Authority,
        other: &Certificate,
    ) -> Result<Vec<CertificateRecord>, IndexError> {
        let tbs = other.tbs();
        let mut certified = Vec::new();
        for past in self.index.key_uses(&tbs.public_key().digest())? {
            if past.id.issuer == issuer.issuer && past.subject.is_same_as(tbs.subject()) {
                certified
                    .extend(self.index.certificate(&past.id)?.filter(|record| record.certificate.is_some()));
            }
        }
        Ok(certified)
    }

    /// Roots of which one succeeds the other, both of them in use, that lack a link certificate although nobody said
    /// that none is wanted: the older first. A command that was killed leaves them so.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn unlinked(&self, now: UnixTime) -> Result<Vec<(Authority, Authority)>, IndexError> {
        let all = self.index.authorities()?;
        let is_fit = |root: &Authority| -> Result<bool, IndexError> {
            let validity = root.certificate.tbs().validity();
            let is_root = root.parent.is_none() && !root.is_elsewhere();
            Ok(is_root
                && (validity.not_before..=validity.not_after).contains(&now)
                && self.path_of(root)?.is_issued())
        };
        let mut unlinked = Vec::new();
        for newer in all.iter().filter(|one| one.parent.is_none()) {
            let Some(older) = all.iter().find(|one| newer.succeeds.as_ref() == Some(&one.name)) else {
                continue;
            };
            if is_fit(older)?
                && is_fit(newer)?
                && (self.certified(older, &newer.certificate)?.is_empty()
                    || self.certified(newer, &older.certificate)?.is_empty())
                && !is_unwanted(self.index, newer)?
            {
                unlinked.push((older.clone(), newer.clone()));
            }
        }
        Ok(unlinked)
    }
}

/// Whether it is on record that a root is to do without links to the one before it.
fn is_unwanted(index: &dyn IndexReader, root: &Authority) -> Result<bool, IndexError> {
    let made = root.certificate.tbs().validity().not_before;
    let mut found = false;
    let mut look_from = |from: u64| {
        index.audit_records(from, &mut |record| {
            let event = &record.event;
            found = event.action == "authority.rekeyed"
                && event.object == root.name
                && event.details.iter().any(|(name, _)| name == UNLINKED);
            !found
        })?;
        Ok::<_, IndexError>(found)
    };
    // soon after the root was made; where a clock has gone back the search may have begun too late
    let from = first_at(index, made)?;
    Ok(look_from(from)? || from > 1 && look_from(1)?)
}

/// The sequence number of the first audit record from this time on, if their times rise.
fn first_at(index: &dyn IndexReader, time: UnixTime) -> Result<u64, IndexError> {
    let (mut first, mut end) = (1, index.audit_head()?.sequence.saturating_add(1));
    while first < end {
        let middle = first.midpoint(end);
        let mut is_before = false;
        index.audit_records(middle, &mut |record| {
            is_before = record.event.at < time;
            false
        })?;
        if is_before { first = middle.saturating_add(1) } else { end = middle }
    }
    Ok(first)
}
