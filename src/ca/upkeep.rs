//! What is done on the side while a CA's key is open anyway.
use super::{IssuingAuthority, Pki};
use crate::problem::Problem;

impl Pki<'_> {
    /// Renews what is due while the key is open: the responder certificate past half its life, the CRL past
    /// its share (`[crl] renew_at`) or owed. Says what was done.
    ///
    /// # Errors
    /// When index, key or disk fail.
    pub fn keep_up(&self, issuer: IssuingAuthority) -> Result<Vec<String>, Problem> {
        let name = issuer.authority().name.clone();
        let mut done = Vec::new();
        if self.responder_is_due(&name)? {
            let issued = self.issue_responder(&issuer)?;
            let end = issued.certificate.tbs().validity().not_after;
            done.push(format!("the responder certificate of {name} was due and is renewed, until {end}"));
        }
        if self.crl_is_due(&name)? {
            let crl = self.publish_crl(&name, &issuer.into_crl_authority())?;
            done.push(format!("the CRL of {name} was due and is published, number {}", crl.number));
        }
        Ok(done)
    }

    /// Has a CA's certificates name its responder from now on; says so when they did not before.
    ///
    /// # Errors
    /// When the index fails.
    pub fn serve_ocsp(&self, issuer: &IssuingAuthority) -> Result<Option<String>, Problem> {
        let authority = issuer.authority();
        if authority.serves_ocsp {
            return Ok(None);
        }
        let event = self.event(self.clock.now(), "authority.ocsp", &*authority.name);
        self.index.set_serves_ocsp(&authority.issuer, true, event)?;
        Ok(Some(format!("certificates of {} name its OCSP responder from now on", authority.name)))
    }
}
