//! What the records say of a CA's generations, and of the certificates that others issued for its name and key.
use super::{
    AuditReader, Authority, AuthorityReader, CertificateReader, CertificateRecord, CertificateState,
    IndexError, IndexReader,
};
use crate::x509::{Certificate, UnixTime};

/// Of the event `authority.rekeyed`: why there are no links between two generations of a root.
pub(crate) const UNLINKED: &str = "unlinked";

/// The generation after a CA, if it has been given a new key.
///
/// # Errors
/// When the index cannot be read; so below.
pub fn successor(index: &dyn AuthorityReader, name: &str) -> Result<Option<Authority>, IndexError> {
    let all = index.authorities()?;
    Ok(all.into_iter().find(|one| one.succeeds.as_deref() == Some(name)))
}

/// Whether a CA has nothing left to publish: it has ended or there is a newer generation, its last certificate has
/// ended, and every certificate that was revoked has been on a CRL after its end (C3).
///
/// # Errors
/// As [`successor`].
pub fn is_quiet(index: &dyn IndexReader, authority: &Authority, now: UnixTime) -> Result<bool, IndexError> {
    let has_ended = now > authority.certificate.tbs().validity().not_after;
    if authority.last_end.is_some_and(|end| end >= now)
        || !(has_ended || successor(index, &authority.name)?.is_some())
    {
        return Ok(false);
    }
    let mut is_listed = false;
    index.revoked(&authority.issuer, &mut |_| is_listed = true)?;
    Ok(!is_listed)
}

/// The unrevoked certificates of a CA's name and key by other issuers of this index than that of the one it has,
/// oldest first: cross-certificates, and links between generations.
///
/// # Errors
/// As [`successor`].
pub fn crossed(index: &dyn IndexReader, authority: &Authority) -> Result<Vec<Certificate>, IndexError> {
    let tbs = authority.certificate.tbs();
    let parent = authority.parent.as_deref().map(|name| index.authority(name)).transpose()?.flatten();
    let own = parent.map_or(authority.issuer, |parent| parent.issuer);
    let mut crossed = Vec::new();
    for past in index.key_uses(&tbs.public_key().digest())? {
        let is_other = past.id.issuer != own && past.subject.is_same_as(tbs.subject());
        if is_other && past.state == CertificateState::Issued {
            crossed.extend(index.certificate(&past.id)?.and_then(|record| record.certificate));
        }
    }
    Ok(crossed)
}

/// What a CA certified of another's name and key and signed, whatever became of it; oldest first.
///
/// # Errors
/// As [`successor`].
pub fn certified(
    index: &dyn CertificateReader,
    issuer: &Authority,
    other: &Certificate,
) -> Result<Vec<CertificateRecord>, IndexError> {
    let tbs = other.tbs();
    let mut certified = Vec::new();
    for past in index.key_uses(&tbs.public_key().digest())? {
        if past.id.issuer == issuer.issuer && past.subject.is_same_as(tbs.subject()) {
            certified.extend(index.certificate(&past.id)?.filter(|record| record.certificate.is_some()));
        }
    }
    Ok(certified)
}

/// Roots of which one succeeds the other, both of them in use, that lack a link certificate although nobody said
/// that none is wanted: the older first. A command that was killed leaves them so.
///
/// # Errors
/// As [`successor`].
pub fn unlinked(index: &dyn IndexReader, now: UnixTime) -> Result<Vec<(Authority, Authority)>, IndexError> {
    let all = index.authorities()?;
    let is_fit = |root: &Authority| -> Result<bool, IndexError> {
        let validity = root.certificate.tbs().validity();
        let is_root = root.parent.is_none() && !root.is_elsewhere();
        Ok(is_root
            && (validity.not_before..=validity.not_after).contains(&now)
            && super::standing::state(index, root, None)? == Some(CertificateState::Issued))
    };
    let mut unlinked = Vec::new();
    for newer in all.iter().filter(|one| one.parent.is_none()) {
        let Some(older) = all.iter().find(|one| newer.succeeds.as_ref() == Some(&one.name)) else { continue };
        if is_fit(older)?
            && is_fit(newer)?
            && (certified(index, older, &newer.certificate)?.is_empty()
                || certified(index, newer, &older.certificate)?.is_empty())
            && !is_unwanted(index, newer)?
        {
            unlinked.push((older.clone(), newer.clone()));
        }
    }
    Ok(unlinked)
}

/// Whether it is on record that a root is to do without links to the one before it.
fn is_unwanted(index: &dyn AuditReader, root: &Authority) -> Result<bool, IndexError> {
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
fn first_at(index: &dyn AuditReader, time: UnixTime) -> Result<u64, IndexError> {
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
