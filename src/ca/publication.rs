//! What others see, and in which order they come to see it: the status, certificates, chains; after them what a CA
//! signs of its own, its CRL and the certificate of its responder (`maintenance/own_signatures.rs`). Nothing is handed
//! out whose status responders do not have yet (O12).
mod published;

pub use published::Published;

use super::Engine;
use super::hierarchy::digests_above;
use crate::error::{Code, Problem};
use crate::index::{Authority, AuthoritySummary, CertificateRecord};
use crate::repository::AuthorityFiles;
use crate::status::StatusError;
use crate::x509::{Certificate, CertificateId};
use published::StatusPublished;
use std::collections::HashMap;
use std::path::PathBuf;

/// How many certificates are put into files at once.
const GROUP: usize = 500;

/// What others see of CAs and certificates.
#[derive(Clone, Copy)]
pub struct Publication<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// What others see.
    #[must_use]
    pub fn publication(&self) -> Publication<'_> {
        Publication { engine: self }
    }
}

/// What has come on record and is to be seen by others.
#[derive(Default)]
pub(super) struct News<'n> {
    /// Certificates that are to be handed out, with the name of the CA among whose they are kept; without one where
    /// they are kept elsewhere.
    pub(super) issued: Vec<(Option<&'n str>, Vec<Certificate>)>,
    /// Certificates that were handed out elsewhere and are kept, with the name of the CA among whose they are.
    pub(super) adopted: Vec<(&'n str, Vec<&'n Certificate>)>,
    /// CAs whose certificate is new, by name; those above come first.
    pub(super) authorities: Vec<&'n str>,
    /// Whether chains or cross-certificates of others change by that.
    pub(super) changes_chains: bool,
}

/// What became public of it, and where it was put.
pub(super) struct Public {
    /// The certificates that are to be handed out, in the order given.
    pub(super) issued: Vec<(Published<Certificate>, Option<PathBuf>)>,
    /// The CAs, in the order given.
    pub(super) authorities: Vec<(Published<Authority>, AuthorityFiles)>,
}

impl Public {
    /// The CA that was named last.
    pub(super) fn last_authority(mut self) -> Result<(Published<Authority>, AuthorityFiles), Problem> {
        self.authorities.pop().ok_or_else(|| Problem::new(Code::IndexFailed, "no CA was published"))
    }
}

impl Publication<'_> {
    /// Publishes what has come on record. Responders know of a certificate before it is in any file, and it is in its
    /// own file before it is in a chain; what needs a CA's key, its CRL and its responder's certificate, comes after
    /// this. Where it fails on the way, the next command goes on ([`super::Maintenance::recover`]).
    pub(super) fn publish(&self, news: News<'_>) -> Result<Public, Problem> {
        let hierarchy = self.engine.hierarchy();
        let authorities: Vec<Authority> =
            news.authorities.iter().map(|name| hierarchy.authority(name)).collect::<Result<_, _>>()?;
        let status = StatusPublished::by(self.engine)?;
        let mut public = Public { issued: Vec::new(), authorities: Vec::new() };
        for name in &news.authorities {
            self.engine.publisher().place(name)?;
        }
        for (authority, certificates) in news.issued {
            let kept = authority.map(|name| self.copy(name, &certificates.iter().collect::<Vec<_>>()));
            let mut files = kept.transpose()?.unwrap_or_default().into_iter();
            let published = certificates.into_iter().map(|one| Published::on_record(one, &status));
            public.issued.extend(published.map(|one| (one, files.next())));
        }
        for (authority, certificates) in &news.adopted {
            self.copy(authority, certificates)?;
        }
        for authority in authorities {
            let files = self.write_authority(&hierarchy.authority(&authority.name)?)?;
            public.authorities.push((Published::on_record(authority, &status), files));
        }
        if news.changes_chains {
            self.repeat_chains()?;
        }
        Ok(public)
    }

    /// Keeps certificates of a CA; says where.
    fn copy(&self, authority: &str, certificates: &[&Certificate]) -> Result<Vec<PathBuf>, Problem> {
        let mut files = Vec::with_capacity(certificates.len());
        for group in certificates.chunks(GROUP) {
            files.extend(self.engine.publisher().issued(authority, group)?);
        }
        Ok(files)
    }

    /// Publishes the status of every certificate. Its time moves on only with a clock that is trusted.
    ///
    /// # Errors
    /// As [`crate::status::StatusPublisher::publish_status`].
    pub fn publish_status(&self) -> Result<(), StatusError> {
        self.engine.timekeeper().publish_status()
    }

    /// Publishes it anew, whatever is there, as [`crate::status::StatusPublisher::rebuild_status`] does.
    ///
    /// # Errors
    /// As [`crate::status::StatusPublisher::rebuild_status`].
    pub(crate) fn rebuild_status(&self) -> Result<(), StatusError> {
        self.engine.status().rebuild_status(
            self.engine.index(),
            self.engine.signed(),
            self.engine.timekeeper().time_to_publish()?,
        )
    }

    /// Publishes the status unless it is; says whether it was not.
    pub(super) fn repeat_status(&self) -> Result<bool, Problem> {
        if self.engine.status().is_current(self.engine.index())? {
            return Ok(false);
        }
        self.publish_status()?;
        Ok(true)
    }

    /// Publishes the certificate and chain of a CA.
    ///
    /// # Errors
    /// When a CA above it is not on record, or a file cannot be written.
    pub(crate) fn publish_authority(&self, authority: &Published<Authority>) -> Result<(), Problem> {
        self.repeat_authority(authority).map(drop)
    }

    /// Publishes the certificate and chain of a CA unless they are; says whether they were not.
    fn repeat_authority(&self, authority: &Authority) -> Result<bool, Problem> {
        let above = self.engine.hierarchy().ancestors(authority)?;
        let crossed = self.engine.hierarchy().crossed(authority)?;
        let (name, certificate) = (&authority.name, &authority.certificate);
        let publisher = self.engine.publisher();
        let digests = |all: &[Certificate]| all.iter().map(Certificate::fingerprint).collect::<Vec<_>>();
        if publisher.is_published(name, &certificate.fingerprint(), &digests(&above), &digests(&crossed)) {
            return Ok(false);
        }
        publisher.authority(name, certificate, &above, &crossed)?;
        Ok(true)
    }

    /// Publishes the certificate and chain of a CA that were found not to be, unless it has another certificate by
    /// now: who gave it that publishes it, or the next command does.
    pub(super) fn repeat_summed_up(&self, summary: &AuthoritySummary) -> Result<bool, Problem> {
        let authority = self.engine.hierarchy().authority(&summary.name)?;
        Ok(authority.certificate.fingerprint() == summary.certificate && self.repeat_authority(&authority)?)
    }

    /// Those of these CAs of which the certificate, the chain or cross-certificates are not in public as they are on
    /// record. None of their certificates is read for this, and of each CA above one the digest is known.
    pub(super) fn unpublished<'s>(&self, all: &'s [AuthoritySummary]) -> Vec<&'s AuthoritySummary> {
        let publisher = self.engine.publisher();
        let by_name: HashMap<&str, &AuthoritySummary> = all.iter().map(|one| (&*one.name, one)).collect();
        let is_published = |own: &AuthoritySummary| {
            // where the path is not whole, it is said when the CA is published
            let above = digests_above(own, &by_name);
            above.is_some_and(|above| {
                publisher.is_published(&own.name, &own.certificate, &above, &own.crossed)
            })
        };
        all.iter().filter(|own| !is_published(own)).collect()
    }

    fn write_authority(&self, authority: &Authority) -> Result<AuthorityFiles, Problem> {
        let above = self.engine.hierarchy().ancestors(authority)?;
        let crossed = self.engine.hierarchy().crossed(authority)?;
        Ok(self.engine.publisher().authority(&authority.name, &authority.certificate, &above, &crossed)?)
    }

    /// Publishes the certificates and chains of CAs that differ from what is published.
    pub(super) fn repeat_chains(&self) -> Result<(), Problem> {
        let all = self.engine.index().summaries()?;
        for summary in self.unpublished(&all) {
            self.repeat_summed_up(summary)?;
        }
        Ok(())
    }

    /// Keeps certificates of a CA that are on record, of which the status is published.
    pub(super) fn keep(&self, authority: &str, certificates: &[&Certificate]) -> Result<(), Problem> {
        self.engine.publisher().issued(authority, certificates)?;
        Ok(())
    }

    /// Publishes the status where it is behind the record; what is damaged is another matter.
    ///
    /// # Errors
    /// As [`Publication::publish_status`].
    pub(crate) fn catch_up(&self) -> Result<(), Problem> {
        match self.engine.status().is_current(self.engine.index()) {
            Ok(false) => Ok(self.publish_status()?),
            Ok(true) | Err(_) => Ok(()),
        }
    }

    /// Keeps what a CA issued, and is on record, in its file once more. Nothing whose status is not published.
    ///
    /// # Errors
    /// As [`Publication::check_published`]; or when a file cannot be written.
    pub(crate) fn repeat_issued(&self, name: &str, id: &CertificateId) -> Result<(), Problem> {
        let Some(record) = self.engine.index().certificate(id)? else { return Ok(()) };
        match &self.check_published(record)?.certificate {
            Some(certificate) => self.keep(name, &[certificate]),
            None => Ok(()),
        }
    }

    /// Makes the PEM form of a CA's CRL anew from its DER form.
    ///
    /// # Errors
    /// When there is none, or a file cannot be written.
    pub(crate) fn repeat_crl_text(&self, name: &str) -> Result<(), Problem> {
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

    /// What is on record, to be handed out: not when its latest change is not published, for responders would call it
    /// unknown. What is not on record is not ours to keep back.
    ///
    /// # Errors
    /// `status.not-published`; or when the index cannot be read.
    pub fn check_published(
        &self,
        record: CertificateRecord,
    ) -> Result<Published<CertificateRecord>, Problem> {
        Published::<CertificateRecord>::looked_up(self.engine, record)
    }

    /// The same of a CA with its certificate, be it one that others run.
    ///
    /// # Errors
    /// As [`Publication::check_published`].
    pub fn check_authority_published(&self, authority: Authority) -> Result<Published<Authority>, Problem> {
        Published::<Authority>::looked_up(self.engine, authority)
    }
}
