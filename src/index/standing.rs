//! How a CA stands by what is on record of it and of those above it.
use super::{Authority, CertificateReader, CertificateState, IndexError, IndexReader};
use crate::x509::{CertificateId, UnixTime};

/// More CAs than this are never above one another.
const DEPTH: usize = 32;

/// The state of a CA's own certificate.
pub(super) fn state(
    index: &dyn CertificateReader,
    authority: &Authority,
    parent: Option<&Authority>,
) -> Result<Option<CertificateState>, IndexError> {
    index.status(&CertificateId {
        issuer: parent.map_or(authority.issuer, |parent| parent.issuer),
        serial_number: authority.certificate.tbs().serial_number().clone(),
    })
}

/// Whether this holds of a CA, or of one above it, given whether that one is revoked for good.
fn any_above(
    index: &dyn IndexReader,
    authority: &Authority,
    holds: impl Fn(&Authority, bool) -> bool,
) -> Result<bool, IndexError> {
    let mut next = Some(authority.clone());
    for _ in 0..DEPTH {
        let Some(one) = next else { break };
        let parent = one.parent.as_deref().map(|name| index.authority(name)).transpose()?.flatten();
        let is_revoked = matches!(
            state(index, &one, parent.as_ref())?,
            Some(CertificateState::Revoked(revocation)) if !revocation.is_hold()
        );
        if holds(&one, is_revoked) {
            return Ok(true);
        }
        next = parent;
    }
    Ok(false)
}

/// Whether a CA, or one above it, is revoked for good: nothing that it issued is to be trusted.
///
/// # Errors
/// When the index cannot be read; so below.
pub fn has_fallen(index: &dyn IndexReader, authority: &Authority) -> Result<bool, IndexError> {
    any_above(index, authority, |_, is_revoked| is_revoked)
}

/// Whether neither a CA nor one above it has ended or is revoked for good. One that does not stand issues nothing
/// unless it gets a new certificate.
///
/// # Errors
/// As [`has_fallen`].
pub fn stands(index: &dyn IndexReader, authority: &Authority, now: UnixTime) -> Result<bool, IndexError> {
    let has_ended = |one: &Authority| now > one.certificate.tbs().validity().not_after;
    Ok(!any_above(index, authority, |one, is_revoked| is_revoked || has_ended(one))?)
}
