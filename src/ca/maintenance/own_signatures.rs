//! What a CA signs of its own after its status, certificate and chain are public (`publication.rs`), and in which order:
//! its CRL, then the certificate of its responder.
use super::{Maintenance, PublishedCrl};
use crate::ca::issuance::IssuedResponder;
use crate::ca::{CrlAuthority, IssuingAuthority};
use crate::error::Problem;

/// What becomes of the responder's certificate where a CRL is wanted and cannot be published.
#[derive(Clone, Copy)]
pub(in crate::ca) enum WithoutCrl {
    /// There is none: the command that fails goes on another time, and issues it then.
    NoResponder,
    /// It is issued all the same: each is due by itself.
    ResponderAllTheSame,
}

/// What was signed; none of what was not wanted.
pub(in crate::ca) struct OwnSignatures {
    pub(in crate::ca) crl: Result<Option<PublishedCrl>, Problem>,
    pub(in crate::ca) responder: Result<Option<IssuedResponder>, Problem>,
}

impl Maintenance<'_> {
    /// Publishes the CRL of a CA, then issues the certificate of its responder: each where there is who signs it, and
    /// a reason against it stands for its failure.
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
