//! Whether OCSP responders answer for a CA.
use super::Maintenance;
use crate::error::{Code, Problem, remedy};
use crate::index::{CertificateState, Filter, StatusValue};
use crate::x509::Certificate;
use crate::x509::extension::{AUTHORITY_INFO_ACCESS, AccessDescription};

impl Maintenance<'_> {
    /// Starts or stops answering OCSP requests for a CA's certificates, and publishes that to responders.
    /// Returns whether this was a change. Certificates issued from now on name a responder, or none.
    ///
    /// # Errors
    /// When there is no such CA; when it is to be answered for and is an external CA, or can have no
    /// responder because it or one of its issuers has expired or is revoked; when the change is on record and
    /// cannot be published.
    pub fn answer_by_ocsp(&self, name: &str, answers: bool) -> Result<bool, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        if answers && authority.is_external() {
            let message = format!("{name} is run by others, who answer for it");
            return Err(Problem::new(Code::IssuerUnfit, message).hint(remedy::Authority::ListOwn));
        }
        let is_over = authority.retired.is_some()
            || !self.engine.hierarchy().still_current(&authority, self.engine.now())?;
        if answers && is_over {
            let message = format!(
                "{name}, or a CA above it, has ended, is revoked or retired: it can have no responder"
            );
            return Err(Problem::new(Code::IssuerUnfit, message).hint(remedy::Authority::GoByCrl));
        }
        if authority.serves_ocsp == answers {
            return Ok(false);
        }
        let mut event = self.engine.event(self.engine.now(), "authority.ocsp", name);
        event.details.push(("answered".into(), if answers { "yes" } else { "no" }.into()));
        self.engine.index().set_serves_ocsp(&authority.issuer, answers, event)?;
        self.engine.publication().publish_status()?;
        Ok(true)
    }

    /// Returns the number of valid certificates of a CA that name an OCSP responder.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn certificates_naming_responder(&self, name: &str) -> Result<usize, Problem> {
        let now = self.engine.now();
        let filter = Filter {
            authority: Some(name.to_owned()),
            status: Some((StatusValue::Valid, now)),
            ..Filter::default()
        };
        let mut count = 0;
        self.engine.index().list(&filter, &mut |record| {
            let names = record.certificate.as_ref().is_some_and(names_responder);
            count += usize::from(names && record.state == CertificateState::Issued);
            true
        })?;
        Ok(count)
    }
}

fn names_responder(certificate: &Certificate) -> bool {
    let access = certificate.tbs().extension(AUTHORITY_INFO_ACCESS);
    let descriptions = access.and_then(|one| AccessDescription::list_from_value(&one.value).ok());
    descriptions.unwrap_or_default().iter().any(|one| one.method == AccessDescription::OCSP)
}
