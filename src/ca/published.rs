//! What may be handed out: nothing whose status responders do not have yet (O12).
use super::Pki;
use crate::error::{Code, Problem};
use crate::index::Authority;
use crate::x509::CertificateId;

impl Pki<'_> {
    /// Says no to handing out a certificate whose latest change is not published: responders would call it unknown.
    /// What is not on record is not ours to keep.
    ///
    /// # Errors
    /// `status.not-published`; or when the index cannot be read.
    pub fn check_published(&self, id: &CertificateId) -> Result<(), Problem> {
        let Some(change) = self.index.change_of(id)? else { return Ok(()) };
        // one that cannot be read is not there for responders either
        let published = self.status.published_change().ok().flatten();
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
    /// As [`Pki::check_published`].
    pub fn check_authority_published(&self, authority: &Authority) -> Result<(), Problem> {
        self.check_published(&self.certificate_id(authority)?)
    }
}
