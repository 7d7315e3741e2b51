//! Publication and its order: the status, then certificates, then chains. After them a CA signs for itself:
//! its CRL and the certificate of its responder (`maintenance/own_signatures.rs`). No certificate is handed
//! out before responders have its status (O12).
mod published;

pub use published::Published;
pub(super) use published::StatusPublished;

use super::Engine;
use super::hierarchy::digests_above;
use crate::error::{Code, Problem};
use crate::index::{Authority, AuthoritySummary, CertificateRecord};
use crate::repository::AuthorityFiles;
use crate::status::StatusError;
use crate::x509::{Certificate, CertificateId};
use std::collections::HashMap;
use std::path::PathBuf;

/// Number of certificates that are written into files at once.
const GROUP: usize = 500;

/// Publication of CAs and certificates.
#[derive(Clone, Copy)]
pub struct Publication<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// Publication of statuses, certificates and chains.
    #[must_use]
    pub fn publication(&self) -> Publication<'_> {
        Publication { engine: self }
    }
}

/// New records that are to be published.
#[derive(Default)]
pub(super) struct News<'n> {
    /// Certificates to be handed out, with the name of the CA in whose directory they are stored; `None` when
    /// they are stored elsewhere.
    pub(super) issued: Vec<(Option<&'n str>, Vec<Certificate>)>,
    /// Certificates that were handed out elsewhere before, with the name of the CA in whose directory they
    /// are stored.
    pub(super) adopted: Vec<(&'n str, Vec<&'n Certificate>)>,
    /// Names of CAs with a new certificate, issuers first.
    pub(super) authorities: Vec<&'n str>,
    /// Whether chains or cross-certificates of other CAs change as well.
    pub(super) changes_chains: bool,
}

/// What was published, and in which files.
pub(super) struct Public {
    /// The certificates to be handed out, in the order given.
    pub(super) issued: Vec<(Published<Certificate>, Option<PathBuf>)>,
    /// The CAs, in the order given.
    pub(super) authorities: Vec<(Published<Authority>, AuthorityFiles)>,
}

impl Public {
    /// Returns the CA that was named last.
    pub(super) fn last_authority(mut self) -> Result<(Published<Authority>, AuthorityFiles), Problem> {
        self.authorities.pop().ok_or_else(|| Problem::new(Code::IndexFailed, "no CA was published"))
    }
}

impl Publication<'_> {
    /// Publishes new records. Responders know of a certificate before it is in any file, and its own file is
    /// written before any chain with it. What needs a CA's key, its CRL and its responder certificate, comes
    /// after this. When a step fails, the next command completes it ([`super::Maintenance::recover`]).
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
            self.repeat_chains(&status)?;
        }
        Ok(public)
    }

    /// Stores certificates of a CA; returns their files.
    fn copy(&self, authority: &str, certificates: &[&Certificate]) -> Result<Vec<PathBuf>, Problem> {
        let mut files = Vec::with_capacity(certificates.len());
        for group in certificates.chunks(GROUP) {
            files.extend(self.engine.publisher().issued(authority, group)?);
        }
        Ok(files)
    }

    /// Publishes the status of every certificate. The time of the published status moves on only with a
    /// trusted clock.
    ///
    /// # Errors
    /// As [`crate::status::StatusPublisher::publish_status`].
    pub fn publish_status(&self) -> Result<(), StatusError> {
        self.engine.timekeeper().publish_status()
    }

    /// Publishes the status anew, whatever is there, as [`crate::status::StatusPublisher::rebuild_status`]
    /// does.
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

    /// Publishes the status unless it is current; returns whether it was not.
    pub(super) fn repeat_status(&self) -> Result<bool, Problem> {
        Ok(StatusPublished::unless_current(self.engine)?.1)
    }

    /// Publishes the certificate and chain of a CA.
    ///
    /// # Errors
    /// When one of its issuers is not on record, or a file cannot be written.
    pub(crate) fn publish_authority(&self, authority: &Published<Authority>) -> Result<(), Problem> {
        self.repeat_authority(authority).map(drop)
    }

    /// Publishes the certificate and chain of a CA unless they are current; returns whether they were not.
    fn repeat_authority(&self, authority: &Authority) -> Result<bool, Problem> {
        let issuer_path = self.engine.hierarchy().ancestors(authority)?;
        let cross_certificates = self.engine.hierarchy().cross_certificates(authority)?;
        let (name, certificate) = (&authority.name, &authority.certificate);
        let publisher = self.engine.publisher();
        let digests = |all: &[Certificate]| all.iter().map(Certificate::fingerprint).collect::<Vec<_>>();
        if publisher.is_published(
            name,
            &certificate.fingerprint(),
            &digests(&issuer_path),
            &digests(&cross_certificates),
        ) {
            return Ok(false);
        }
        publisher.authority(name, certificate, &issuer_path, &cross_certificates)?;
        Ok(true)
    }

    /// Publishes the certificate and chain of a CA that were found missing. A CA that has another certificate
    /// by now is left out: the command that issued it publishes it, or the next command does.
    pub(super) fn repeat_summed_up(&self, summary: &AuthoritySummary) -> Result<bool, Problem> {
        let authority = self.engine.hierarchy().authority(&summary.name)?;
        Ok(authority.certificate.fingerprint() == summary.certificate && self.repeat_authority(&authority)?)
    }

    /// Returns those CAs whose published certificate, chain or cross-certificates differ from the record. The
    /// digests in the summaries suffice for that; no certificate is read.
    pub(super) fn unpublished<'s>(&self, all: &'s [AuthoritySummary]) -> Vec<&'s AuthoritySummary> {
        let publisher = self.engine.publisher();
        let by_name: HashMap<&str, &AuthoritySummary> = all.iter().map(|one| (&*one.name, one)).collect();
        let is_published = |own: &AuthoritySummary| {
            // an incomplete issuer path is reported when the CA is published
            let issuer_path = digests_above(own, &by_name);
            issuer_path.is_some_and(|issuer_path| {
                publisher.is_published(&own.name, &own.certificate, &issuer_path, &own.cross_certificates)
            })
        };
        all.iter().filter(|own| !is_published(own)).collect()
    }

    fn write_authority(&self, authority: &Authority) -> Result<AuthorityFiles, Problem> {
        let issuer_path = self.engine.hierarchy().ancestors(authority)?;
        let cross_certificates = self.engine.hierarchy().cross_certificates(authority)?;
        Ok(self.engine.publisher().authority(
            &authority.name,
            &authority.certificate,
            &issuer_path,
            &cross_certificates,
        )?)
    }

    /// Publishes the certificates and chains of CAs that differ from what is published.
    pub(super) fn repeat_chains(&self, _: &StatusPublished) -> Result<(), Problem> {
        let all = self.engine.index().summaries()?;
        for summary in self.unpublished(&all) {
            self.repeat_summed_up(summary)?;
        }
        Ok(())
    }

    /// Stores certificates of a CA that are on record and whose status is published.
    pub(super) fn keep(&self, authority: &str, certificates: &[&Certificate]) -> Result<(), Problem> {
        self.engine.publisher().issued(authority, certificates)?;
        Ok(())
    }

    /// Publishes the status when it is behind the record. Damaged status files are not repaired here.
    ///
    /// # Errors
    /// As [`Publication::publish_status`].
    pub(crate) fn catch_up(&self) -> Result<(), Problem> {
        match self.engine.status().is_current(self.engine.index()) {
            Ok(false) => Ok(self.publish_status()?),
            Ok(true) | Err(_) => Ok(()),
        }
    }

    /// Stores a certificate on record in its file once more, provided that its status is published.
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

    /// Writes the PEM form of a CA's CRL anew from its DER form.
    ///
    /// # Errors
    /// When there is none, or a file cannot be written.
    pub(crate) fn repeat_crl_text(&self, name: &str) -> Result<(), Problem> {
        Ok(self.engine.publisher().repeat_crl_text(name)?)
    }

    /// Returns the newest responder certificate installed for a CA, if it can be read.
    #[must_use]
    pub fn responder_certificate(&self, name: &str) -> Option<Certificate> {
        self.engine.publisher().responder_certificate(name)
    }

    /// Returns the files of a CA's CRL, DER then PEM.
    ///
    /// # Errors
    /// When the name cannot be a file name.
    pub fn crl_files(&self, name: &str) -> Result<Vec<PathBuf>, Problem> {
        Ok(self.engine.publisher().crl_files(name)?)
    }

    /// Returns a record for handing out. It is refused while its latest change is not published, because
    /// responders would answer "unknown". A certificate that is not on record may be handed out.
    ///
    /// # Errors
    /// `status.not-published`; or when the index cannot be read.
    pub fn check_published(
        &self,
        record: CertificateRecord,
    ) -> Result<Published<CertificateRecord>, Problem> {
        Published::<CertificateRecord>::looked_up(self.engine, record)
    }

    /// Returns a CA, which may be external, and its certificate for handing out, under the same condition.
    ///
    /// # Errors
    /// As [`Publication::check_published`].
    pub fn check_authority_published(&self, authority: Authority) -> Result<Published<Authority>, Problem> {
        Published::<Authority>::looked_up(self.engine, authority)
    }
}
