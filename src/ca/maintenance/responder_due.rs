//! Whether a CA needs a new responder certificate.
use super::Maintenance;
use crate::config::Lifetime;
use crate::error::Problem;
use crate::index::CertificateState;
use crate::x509::{CertificateId, UnixTime};

impl Maintenance<'_> {
    /// Whether a CA that has an OCSP responder needs a new responder certificate: there is none, it was not
    /// issued with this CA's key, more than half its life is over or, for a CA kept offline, it ends within
    /// weeks ([`crate::config::Lifetime`]), or it was revoked. Clients do not check
    /// the status of responder certificates (id-pkix-ocsp-nocheck), so a revoked one has to be replaced. A CA
    /// that has expired or is revoked for good, or that has such an issuer, can issue none; a retired CA
    /// ([`crate::ca::Hierarchy::is_retired`]) needs none.
    ///
    /// # Errors
    /// When there is no such CA, or the index cannot be read.
    pub fn responder_is_due(&self, name: &str) -> Result<bool, Problem> {
        self.responder_is_due_from(name, |life| life.due)
    }

    /// Whether a new responder certificate is issued while the CA's key is open anyway: it is due, or renewable.
    pub(super) fn responder_is_renewable(&self, name: &str) -> Result<bool, Problem> {
        self.responder_is_due_from(name, |life| life.renewable)
    }

    fn responder_is_due_from(&self, name: &str, from: fn(Lifetime) -> UnixTime) -> Result<bool, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        if !self.engine.hierarchy().needs_responder(&authority, self.engine.now())? {
            return Ok(false);
        }
        let Some(certificate) = self.engine.publisher().responder_certificate(name) else { return Ok(true) };
        let validity = certificate.tbs().validity();
        let (begins, ends) = (validity.not_before, validity.not_after);
        let config = &self.engine.settings().config;
        let life = config.responder_lifetime(name, authority.is_offline_unless_configured(), begins, ends);
        let serial_number = certificate.tbs().serial_number().clone();
        let state = self.engine.index().status(&CertificateId { issuer: authority.issuer, serial_number })?;
        Ok(self.engine.now() >= from(life)
            || !matches!(state, Some(CertificateState::Issued))
            || !certificate.is_signed_by(authority.certificate.tbs().public_key()))
    }
}
