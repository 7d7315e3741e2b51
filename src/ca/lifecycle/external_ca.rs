//! New certificates and new keys for CAs below an external CA: requests for the external issuer (G6).
use super::Lifecycle;
use crate::ca::AuthorityRekeying;
use crate::ca::authority::mismatched;
use crate::error::{Code, Problem, remedy};
use crate::index::Authority;
use crate::repository::PendingRequest;

/// A request for a CA's next certificate.
#[derive(Clone, Debug)]
pub struct AuthorityRequest {
    /// The CA.
    pub authority: Authority,
    /// The PKCS#10 request in DER.
    pub request: Vec<u8>,
}

impl Lifecycle<'_> {
    /// Makes the request for the next certificate of a CA's newest generation, with the same name and key. No
    /// pending request is recorded: [`Lifecycle::accept_certificate`] accepts the certificate whenever it comes.
    ///
    /// # Errors
    /// When the CA's issuer is in this home, the CA is revoked, or its key cannot be opened.
    pub fn request_authority_renewal(&self, name: &str) -> Result<AuthorityRequest, Problem> {
        let authority = self.newest(name)?;
        self.check_issuer_is_external(&authority)?;
        self.may_be_renewed(&authority)?;
        let at = self.engine.signing_time()?;
        let signer = self.engine.open(&authority)?;
        let tbs = authority.certificate.tbs();
        if signer.public_key() != tbs.public_key() {
            return Err(mismatched(&authority.name));
        }
        let request = signer.sign_request(tbs.subject(), &[])?;
        let mut event = self.engine.event(at, "authority.requested", &*authority.name);
        event.details.push(("subject".into(), tbs.subject().to_string()));
        self.engine.index().record_event(event)?;
        Ok(AuthorityRequest { authority, request })
    }

    /// Makes the key of a CA's new generation and the request for its certificate. The generation has a
    /// pending request until the certificate comes.
    ///
    /// # Errors
    /// When the CA's issuer is in this home, or as [`Lifecycle::request_child`].
    pub fn request_authority_rekeying(
        &self,
        name: &str,
        asked: &AuthorityRekeying,
        next: fn(&str) -> String,
    ) -> Result<PendingRequest, Problem> {
        let replaces = self.newest(name)?;
        self.check_issuer_is_external(&replaces)?;
        self.request_child(&self.generation_after(&replaces, asked)?, next)
    }

    fn check_issuer_is_external(&self, authority: &Authority) -> Result<(), Problem> {
        let name = &authority.name;
        let why = match &authority.parent {
            None => format!("{name} is a root, and signs its own certificate"),
            Some(parent) if self.engine.hierarchy().authority(parent)?.is_external() => return Ok(()),
            Some(parent) => format!("{parent}, which issued {name}, is a CA of this home"),
        };
        Err(Problem::new(Code::Usage, why).hint(remedy::Authority::IssueHere))
    }
}
