//! The order in which a CA signs for itself after its status, certificate and chain are published
//! (`publication.rs`): its CRL, then the certificate of its responder.
use super::{IssuedResponder, Maintenance, PublishedCrl};
use crate::ca::{CrlAuthority, IssuingAuthority};
use crate::error::Problem;

/// Whether the responder certificate is issued although the CRL that is due cannot be published.
#[derive(Clone, Copy)]
pub(in crate::ca) enum WithoutCrl {
    /// Not issued: the failed command is run again, and issues it then.
    NoResponder,
    /// Issued: CRL and responder certificate are due independently.
    ResponderAllTheSame,
}

/// The results; `None` for what was not requested.
pub(in crate::ca) struct OwnSignatures {
    pub(in crate::ca) crl: Result<Option<PublishedCrl>, Problem>,
    pub(in crate::ca) responder: Result<Option<IssuedResponder>, Problem>,
}

impl Maintenance<'_> {
    /// Opens a CA's key, publishes its CRL and issues the certificate of its responder.
    pub(in crate::ca) fn crl_and_responder_of(&self, name: &str) -> OwnSignatures {
        match self.engine.issuance().unlock_issuer(name) {
            Ok(issuer) => {
                let lists = issuer.crl_authority();
                self.sign_own(name, Ok(Some(&lists)), Ok(Some(&issuer)), WithoutCrl::ResponderAllTheSame)
            }
            Err(problem) => OwnSignatures { crl: Err(problem.clone()), responder: Err(problem) },
        }
    }

    /// Publishes the CRL of a CA, then issues the certificate of its responder. `None` in place of a signer
    /// skips the step; an error in place of a signer is returned as the step's failure.
    pub(in crate::ca) fn sign_own(
        &self,
        name: &str,
        crl: Result<Option<&CrlAuthority>, Problem>,
        responder: Result<Option<&IssuingAuthority>, Problem>,
        without_crl: WithoutCrl,
    ) -> OwnSignatures {
        let crl = crl.and_then(|signer| signer.map(|signer| self.publish_crl(name, signer)).transpose());
        let responder = match (&crl, without_crl) {
            (Err(_), WithoutCrl::NoResponder) => Ok(None),
            (Ok(_), _) | (Err(_), WithoutCrl::ResponderAllTheSame) => responder,
        };
        let issue = |issuer| self.engine.issuance().issue_responder(issuer);
        OwnSignatures { crl, responder: responder.and_then(|issuer| issuer.map(issue).transpose()) }
    }
}
