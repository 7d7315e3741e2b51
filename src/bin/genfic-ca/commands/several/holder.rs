//! Whether the certificates that a name means are of one holder.
use super::super::revocable::is_authoritys;
use crate::session::Session;
use genfic_ca::error::Problem;
use genfic_ca::index::CertificateRecord;

/// Whether all are of one subject, and none is a CA's. CAs that are no generations of one another may have issued to
/// different holders of one subject, unless these have a name in common.
pub(super) fn is_of_one_subject(session: &Session, found: &[CertificateRecord]) -> Result<bool, Problem> {
    let Some(first) = found.first() else { return Ok(false) };
    let is_alike = |one: &CertificateRecord| {
        one.subject.is_same_as(&first.subject) && !is_authoritys(one.certificate.as_ref())
    };
    if !found.iter().all(is_alike) {
        return Ok(false);
    }
    let is_elsewhere = |one: &&CertificateRecord| one.authority != first.authority;
    let is_apart = |one: &&CertificateRecord| {
        !one.subject_alt_names.iter().any(|name| first.subject_alt_names.contains(name))
    };
    let mut apart = found.iter().filter(is_elsewhere).filter(is_apart).peekable();
    if apart.peek().is_none() {
        return Ok(true);
    }
    let generations = session.engine().hierarchy().generations(&first.authority)?;
    Ok(apart.all(|one| generations.iter().any(|generation| generation.name == one.authority)))
}
