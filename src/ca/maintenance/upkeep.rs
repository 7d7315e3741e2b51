//! What is done on the side while a CA's key is open anyway.
use super::{Maintenance, OwnSignatures, WithoutCrl};
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
        let lists = issuer.crl_authority();
        let crl = self.crl_is_due(&name).map(|due| due.then_some(&lists));
        let responder = self.responder_is_due(&name).map(|due| due.then_some(&issuer));
        let OwnSignatures { crl, responder } =
            self.sign_own(&name, crl, responder, WithoutCrl::ResponderAllTheSame);
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
