//! Whether a CA needs a new responder certificate.
use super::Maintenance;
use crate::error::Problem;
use crate::index::CertificateState;
use crate::x509::CertificateId;

impl Maintenance<'_> {
    /// Whether a CA that has an OCSP responder needs a new responder certificate: there is none, it was not
    /// issued with this CA's key, more than half its life is over, or it was revoked. Clients do not check
    /// the status of responder certificates (id-pkix-ocsp-nocheck), so a revoked one has to be replaced. A CA
    /// that has expired or is revoked for good, or that has such an issuer, can issue none; a retired CA
    /// ([`crate::ca::Hierarchy::is_retired`]) needs none.
    ///
    /// # Errors
    /// When there is no such CA, or the index cannot be read.
    pub fn responder_is_due(&self, name: &str) -> Result<bool, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        if !authority.serves_ocsp
            || self.engine.hierarchy().is_retired(&authority, self.engine.now())?
            || !self.engine.hierarchy().still_current(&authority, self.engine.now())?
        {
            return Ok(false);
        }
        let Some(certificate) = self.engine.publisher().responder_certificate(name) else { return Ok(true) };
        let validity = certificate.tbs().validity();
        let half = validity.not_before.plus((validity.not_after.0 - validity.not_before.0) / 2);
        let serial_number = certificate.tbs().serial_number().clone();
        let state = self.engine.index().status(&CertificateId { issuer: authority.issuer, serial_number })?;
        Ok(self.engine.now() >= half
            || !matches!(state, Some(CertificateState::Issued))
            || !certificate.is_signed_by(authority.certificate.tbs().public_key()))
    }
}
