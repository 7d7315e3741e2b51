//! What the records say of a CA's generations, and of the certificates that others issued for its name and key.
use super::{Authority, CertificateState, IndexError, IndexReader};
use crate::x509::{Certificate, UnixTime};

/// The generation after a CA, if it has been given a new key.
///
/// # Errors
/// When the index cannot be read; so below.
pub fn successor(index: &dyn IndexReader, name: &str) -> Result<Option<Authority>, IndexError> {
    let all = index.authorities()?;
    Ok(all.into_iter().find(|one| one.succeeds.as_deref() == Some(name)))
}

/// Whether a CA has nothing left to publish: there is a newer generation, its last certificate has ended, and
/// every certificate that was revoked has been on a CRL after its end (C3).
///
/// # Errors
/// As [`successor`].
pub fn is_quiet(index: &dyn IndexReader, authority: &Authority, now: UnixTime) -> Result<bool, IndexError> {
    if authority.last_end.is_some_and(|end| end >= now) || successor(index, &authority.name)?.is_none() {
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
        let is_other = past.id.issuer != own && past.subject == *tbs.subject();
        if is_other && past.state == CertificateState::Issued {
            crossed.extend(index.certificate(&past.id)?.and_then(|record| record.certificate));
        }
    }
    Ok(crossed)
}
