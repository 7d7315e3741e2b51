//! Further certificates of a CA's name and key by other issuers: cross-certificates, and key rollover
//! certificates between generations of a root (RFC 9810 §4.4).
use super::Hierarchy;
use crate::index::{Authority, CertificateRecord, CertificateState, IndexError, IndexReader, first_audit_at};
use crate::x509::{Certificate, UnixTime};

/// Detail of the event `authority.rekeyed`: why there are no key rollover certificates between two
/// generations of a root.
pub(in crate::ca) const UNLINKED: &str = "unlinked";

impl Hierarchy<'_> {
    /// Returns the unrevoked certificates of a CA's name and key by issuers of this index other than its own
    /// issuer, oldest first: cross-certificates and key rollover certificates.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn cross_certificates(&self, authority: &Authority) -> Result<Vec<Certificate>, IndexError> {
        let tbs = authority.certificate.tbs();
        let parent =
            authority.parent.as_deref().map(|name| self.index.authority(name)).transpose()?.flatten();
        let own = parent.map_or(authority.issuer, |parent| parent.issuer);
        let mut cross_certificates = Vec::new();
        for past in self.index.key_uses(&tbs.public_key().digest())? {
            let is_other = past.id.issuer != own && past.subject.is_same_as(tbs.subject());
            if is_other && past.state == CertificateState::Issued {
                cross_certificates
                    .extend(self.index.certificate(&past.id)?.and_then(|record| record.certificate));
            }
        }
        Ok(cross_certificates)
    }

    /// Returns the certificates that `issuer` signed for the name and key of another CA, whatever their
    /// state, oldest first.
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

    /// Returns pairs of root generations, the older first, that are both in use and lack a key rollover
    /// certificate although none of the two was declined. A killed command leaves such pairs.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn unlinked(&self, now: UnixTime) -> Result<Vec<(Authority, Authority)>, IndexError> {
        let all = self.index.authorities()?;
        let is_usable = |root: &Authority| -> Result<bool, IndexError> {
            let validity = root.certificate.tbs().validity();
            let is_root = root.parent.is_none() && !root.is_external() && root.retired.is_none();
            Ok(is_root
                && (validity.not_before..=validity.not_after).contains(&now)
                && self.path_of(root)?.is_issued())
        };
        let mut unlinked = Vec::new();
        for newer in all.iter().filter(|one| one.parent.is_none()) {
            let Some(older) = all.iter().find(|one| newer.succeeds.as_ref() == Some(&one.name)) else {
                continue;
            };
            if is_usable(older)?
                && is_usable(newer)?
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

/// Whether it is on record that a root has no key rollover certificates to the generation before it.
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
    // starts at the time when the root was made; when a clock has gone back that may be too late, so the
    // search is repeated from the first record
    let from = first_audit_at(index, made)?;
    Ok(look_from(from)? || from > 1 && look_from(1)?)
}
