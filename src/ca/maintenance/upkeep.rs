//! What is done on the side while a CA's key is open anyway.
use super::Maintenance;
use crate::ca::IssuingAuthority;
use crate::error::{Notice, Problem, remedy};

impl Maintenance<'_> {
    /// Renews what is due while the key is open: the responder certificate past half its life, the CRL past
    /// half its life or owed. Says what was done, and what could not be: what the key was opened for is done
    /// by then, and does not fail over this.
    ///
    /// # Errors
    /// When the CA is not on record.
    pub fn keep_up(&self, issuer: IssuingAuthority) -> Result<Vec<Notice>, Problem> {
        let name = self.engine.hierarchy().authority(&issuer.authority().name)?.name;
        let mut said = Vec::new();
        let responder = match self.responder_is_due(&name) {
            Ok(true) => self.engine.issuance().issue_responder(&issuer).map(Some),
            Ok(false) => Ok(None),
            Err(problem) => Err(problem),
        };
        match responder {
            Ok(None) => {}
            Ok(Some(issued)) => {
                let end = issued.certificate.tbs().validity().not_after;
                said.push(
                    format!("the responder certificate of {name} was due and is renewed, until {end}").into(),
                );
            }
            Err(problem) => said.push(
                Notice::from(format!(
                    "the responder certificate of {name} is due and could not be renewed: {problem}"
                ))
                .remedy(remedy::Record::IssueResponderAgain(name.clone())),
            ),
        }
        let crl = match self.crl_is_due(&name) {
            Ok(true) => self.publish_crl(&name, &issuer.into_crl_authority()).map(Some),
            Ok(false) => Ok(None),
            Err(problem) => Err(problem),
        };
        match crl {
            Ok(None) => {}
            Ok(Some(crl)) => {
                said.push(
                    format!("the CRL of {name} was due and is published, number {}", crl.number).into(),
                );
            }
            Err(problem) => said.push(
                Notice::from(format!("the CRL of {name} is due and could not be published: {problem}"))
                    .remedy(remedy::Record::PublishCrlAgain(name)),
            ),
        }
        Ok(said)
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
        let event = self.engine.event(self.engine.now(), "authority.ocsp", &*authority.name);
        self.engine.index().set_serves_ocsp(&authority.issuer, true, event)?;
        Ok(Some(format!("certificates of {} name its OCSP responder from now on", authority.name)))
    }
}
