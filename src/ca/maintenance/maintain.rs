//! Renewals that are done while a CA's key is open for something else.
use super::{Maintenance, OwnSignatures, WithoutCrl};
use crate::ca::IssuingAuthority;
use crate::error::{Notice, Problem, remedy};
use crate::index::Authority;

impl Maintenance<'_> {
    /// Renews what is due or renewable while the key is open: a responder certificate past half its life, and a
    /// CRL past half its life or outstanding. Returns notices of what was done and of what failed. A failure here is
    /// no error, since the command that opened the key has done its work by then.
    ///
    /// # Errors
    /// When the CA is not on record.
    pub fn maintain(&self, issuer: IssuingAuthority) -> Result<Vec<Notice>, Problem> {
        let name = self.engine.hierarchy().authority(&issuer.authority().name)?.name;
        let mut said = Vec::new();
        let lists = issuer.crl_authority();
        let crl = self.crl_is_renewable(&name).map(|due| due.then_some(&lists));
        let responder = self.responder_is_renewable(&name).map(|due| due.then_some(&issuer));
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

    /// Makes certificates of a CA name its responder from now on; returns a notice when they did not before.
    ///
    /// # Errors
    /// When the index fails.
    pub fn serve_ocsp(&self, authority: &Authority) -> Result<Option<String>, Problem> {
        if authority.serves_ocsp {
            return Ok(None);
        }
        let event = self.engine.event(self.engine.now(), "authority.ocsp", &*authority.name);
        self.engine.index().set_serves_ocsp(&authority.issuer, true, event)?;
        Ok(Some(format!("certificates of {} name its OCSP responder from now on", authority.name)))
    }
}
