//! What may be handed out: nothing whose status responders do not have yet (O12).
use super::Engine;
use crate::error::{Code, Problem};
use crate::index::{Authority, IndexError};
use crate::x509::{Certificate, CertificateId};
use std::path::PathBuf;

/// What others see of CAs and certificates.
#[derive(Clone, Copy)]
pub struct Publication<'e> {
    pub(super) engine: &'e Engine,
}

impl Publication<'_> {
    /// Publishes the status of every certificate. Its time moves on only with a clock that is trusted.
    ///
    /// # Errors
    /// As [`StatusPublisher::publish_status`].
    pub fn publish_status(&self) -> Result<(), IndexError> {
        self.engine.timekeeper().publish_status()
    }

    /// Publishes it anew, whatever is there, as [`StatusPublisher::rebuild_status`] does.
    ///
    /// # Errors
    /// As [`StatusPublisher::rebuild_status`].
    pub fn rebuild_status(&self) -> Result<(), IndexError> {
        self.engine.status().rebuild_status(
            self.engine.index(),
            self.engine.publisher(),
            self.engine.timekeeper().time_to_publish()?,
        )
    }

    /// Publishes the certificate and chain of a CA as they are on record.
    ///
    /// # Errors
    /// When there is no such CA, or a file cannot be written.
    pub fn publish_authority(&self, name: &str) -> Result<(), Problem> {
        self.repeat_authority(&self.engine.hierarchy().authority(name)?).map(drop)
    }

    pub(in crate::ca) fn repeat_authority(&self, authority: &Authority) -> Result<bool, Problem> {
        let above = self.engine.hierarchy().ancestors(authority)?;
        let crossed = self.engine.hierarchy().crossed(authority)?;
        if self.engine.publisher().is_published(&authority.name, &authority.certificate, &above, &crossed) {
            return Ok(false);
        }
        self.engine.publisher().authority(&authority.name, &authority.certificate, &above, &crossed)?;
        Ok(true)
    }

    /// Publishes the certificates and chains of CAs that differ from what is published.
    pub(in crate::ca) fn republish(&self) -> Result<(), Problem> {
        for authority in self.engine.index().authorities()? {
            self.repeat_authority(&authority)?;
        }
        Ok(())
    }

    /// Publishes the status where it is behind the record; what is damaged is another matter.
    ///
    /// # Errors
    /// As [`Publication::publish_status`].
    pub fn catch_up(&self) -> Result<(), Problem> {
        match self.engine.status().is_current(self.engine.index()) {
            Ok(false) => Ok(self.publish_status()?),
            Ok(true) | Err(_) => Ok(()),
        }
    }

    /// Keeps what a CA issued, and is on record, in its file once more. Nothing whose status is not published.
    ///
    /// # Errors
    /// As [`Publication::check_published`]; or when a file cannot be written.
    pub fn repeat_issued(&self, name: &str, id: &CertificateId) -> Result<(), Problem> {
        self.check_published(id)?;
        let record = self.engine.index().certificate(id)?;
        if let Some(certificate) = record.and_then(|record| record.certificate) {
            self.engine.publisher().issued(name, &[&certificate])?;
        }
        Ok(())
    }

    /// Makes the PEM form of a CA's CRL anew from its DER form.
    ///
    /// # Errors
    /// When there is none, or a file cannot be written.
    pub fn repeat_crl_text(&self, name: &str) -> Result<(), Problem> {
        Ok(self.engine.publisher().repeat_crl_text(name)?)
    }

    /// The responder certificate that was installed last for a CA, if it can be read.
    #[must_use]
    pub fn responder_certificate(&self, name: &str) -> Option<Certificate> {
        self.engine.publisher().responder_certificate(name)
    }

    /// Where the CRL of a CA is published, DER then PEM.
    ///
    /// # Errors
    /// When the name is none that files can bear.
    pub fn crl_files(&self, name: &str) -> Result<Vec<PathBuf>, Problem> {
        Ok(self.engine.publisher().crl_files(name)?)
    }

    /// Says no to handing out a certificate whose latest change is not published: responders would call it unknown.
    /// What is not on record is not ours to keep.
    ///
    /// # Errors
    /// `status.not-published`; or when the index cannot be read.
    pub fn check_published(&self, id: &CertificateId) -> Result<(), Problem> {
        let Some(change) = self.engine.index().change_of(id)? else { return Ok(()) };
        // one that cannot be read is not there for responders either
        let published = self.engine.status().published_change().ok().flatten();
        if published.is_some_and(|published| change <= published) {
            return Ok(());
        }
        let serial = &id.serial_number;
        let message =
            format!("the status of {serial} is not published, and before that it is not handed out");
        Err(Problem::new(Code::StatusNotPublished, message)
            .hint("run `genfic-ca ocsp sync`, which publishes it or says why it cannot be"))
    }

    /// The same of a CA's certificate.
    ///
    /// # Errors
    /// As [`Publication::check_published`].
    pub fn check_authority_published(&self, authority: &Authority) -> Result<(), Problem> {
        self.check_published(&self.engine.hierarchy().certificate_id(authority)?)
    }
}
