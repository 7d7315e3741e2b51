//! Publication and its order: the status, then certificates, then chains. After them a CA signs for itself:
//! its CRL and the certificate of its responder (`maintenance/own_signatures.rs`). No certificate is handed
//! out before responders have its status (O12).
mod published;

pub use published::Published;
pub(super) use published::StatusPublished;

use super::Engine;
use super::hierarchy::issuer_digests;
use crate::error::{Code, Problem};
use crate::index::{Authority, AuthoritySummary, CertificateRecord};
use crate::repository::AuthorityFiles;
use crate::status::StatusError;
use crate::x509::{Certificate, CertificateId, Fingerprint, UnixTime};
use std::collections::HashMap;
use std::path::PathBuf;

/// Bound of the certificates that are given to the publisher in one call.
const BATCH: usize = 500;

/// Number of times that the status is published anew because other processes change a CA's chain meanwhile.
const ROUNDS: usize = 8;

/// A CA, the certificates of its issuers, and its cross-certificates, as read at one time.
struct Chain {
    own: Authority,
    issuer_path: Vec<Certificate>,
    cross_certificates: Vec<Certificate>,
}

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
        let chains: Vec<Chain> =
            news.authorities.iter().map(|name| self.chain(name)).collect::<Result<_, _>>()?;
        let all = if news.changes_chains { self.engine.index().summaries()? } else { Vec::new() };
        let mut status = StatusPublished::by(self.engine)?;
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
        for before in chains {
            let (authority, files) = self.write_chain(before, &mut status)?;
            public.authorities.push((Published::on_record(authority, &status), files));
        }
        self.repeat_chains(&all, &status)?;
        Ok(public)
    }

    /// Reads a CA with its chain and its cross-certificates.
    fn chain(&self, name: &str) -> Result<Chain, Problem> {
        let own = self.engine.hierarchy().authority(name)?;
        let issuer_path = self.engine.hierarchy().ancestors(&own)?;
        let cross_certificates = self.engine.hierarchy().cross_certificates(&own)?;
        Ok(Chain { own, issuer_path, cross_certificates })
    }

    /// Publishes the certificate and chain of a CA that were on record before the status was published. When
    /// another process has changed them since, the status is published once more, and then the change.
    fn write_chain(
        &self,
        mut before: Chain,
        status: &mut StatusPublished,
    ) -> Result<(Authority, AuthorityFiles), Problem> {
        for _ in 0..ROUNDS {
            let Chain { own, issuer_path, cross_certificates } = self.chain(&before.own.name)?;
            if own.certificate == before.own.certificate
                && issuer_path == before.issuer_path
                && cross_certificates == before.cross_certificates
            {
                let publisher = self.engine.publisher();
                let files =
                    publisher.authority(&own.name, &own.certificate, &issuer_path, &cross_certificates)?;
                return Ok((own, files));
            }
            *status = StatusPublished::by(self.engine)?;
            before = Chain { own, issuer_path, cross_certificates };
        }
        let message = format!("{} is changed by others all the time", before.own.name);
        Err(Problem::new(Code::IndexConflict, message))
    }

    /// Stores certificates of a CA; returns their files.
    fn copy(&self, authority: &str, certificates: &[&Certificate]) -> Result<Vec<PathBuf>, Problem> {
        let mut files = Vec::with_capacity(certificates.len());
        for group in certificates.chunks(BATCH) {
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

    /// Publishes the status of every certificate as [`Publication::publish_status`] does, and anew when a published
    /// file is damaged.
    ///
    /// # Errors
    /// As [`crate::status::StatusPublisher::publish_status`].
    pub fn sync_status(&self) -> Result<(), StatusError> {
        match self.engine.status().is_whole() {
            Ok(false) => self.rebuild_status(),
            // publishing says what is wrong with a manifest
            Ok(true) | Err(_) => self.publish_status(),
        }
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
    pub(super) fn repeat_status(&self) -> Result<(StatusPublished, bool), Problem> {
        Ok(StatusPublished::unless_current(self.engine)?)
    }

    /// Publishes the certificate and chain of a CA.
    ///
    /// # Errors
    /// When one of its issuers is not on record, or a file cannot be written.
    pub(crate) fn publish_authority(&self, authority: &Published<Authority>) -> Result<(), Problem> {
        self.repeat_authority(authority, |_| true).map(drop)
    }

    /// Publishes the certificate and chain of a CA unless they are current, or contain a certificate that may
    /// not be published yet; returns whether it did.
    fn repeat_authority(
        &self,
        authority: &Authority,
        may_be: impl Fn(&Fingerprint) -> bool,
    ) -> Result<bool, Problem> {
        let issuer_path = self.engine.hierarchy().ancestors(authority)?;
        let cross_certificates = self.engine.hierarchy().cross_certificates(authority)?;
        let (name, certificate) = (&authority.name, &authority.certificate);
        let publisher = self.engine.publisher();
        let digests = |all: &[Certificate]| all.iter().map(Certificate::fingerprint).collect::<Vec<_>>();
        let (own, above, across) =
            (certificate.fingerprint(), digests(&issuer_path), digests(&cross_certificates));
        if publisher.is_published(name, &own, &above, &across)
            || !above.iter().chain(&across).chain([&own]).all(may_be)
        {
            return Ok(false);
        }
        publisher.authority(name, certificate, &issuer_path, &cross_certificates)?;
        Ok(true)
    }

    /// Publishes the certificate and chain of a CA that were found missing among `all` that were on record
    /// before the status was published. A CA that has another certificate or chain by now is left out: the
    /// command that issued it publishes it, or the next command does.
    pub(super) fn repeat_summed_up(
        &self,
        summary: &AuthoritySummary,
        all: &[AuthoritySummary],
        _: &StatusPublished,
    ) -> Result<bool, Problem> {
        let authority = self.engine.hierarchy().authority(&summary.name)?;
        let was_on_record = |one: &Fingerprint| {
            summary.cross_certificates.contains(one) || all.iter().any(|known| known.certificate == *one)
        };
        Ok(authority.certificate.fingerprint() == summary.certificate
            && self.repeat_authority(&authority, was_on_record)?)
    }

    /// Returns those CAs whose published certificate, chain or cross-certificates differ from the record. The
    /// digests in the summaries suffice for that; no certificate is read.
    pub(super) fn unpublished<'s>(&self, all: &'s [AuthoritySummary]) -> Vec<&'s AuthoritySummary> {
        let publisher = self.engine.publisher();
        let by_name: HashMap<&str, &AuthoritySummary> = all.iter().map(|one| (&*one.name, one)).collect();
        let is_published = |own: &AuthoritySummary| {
            // an incomplete issuer path is reported when the CA is published
            let issuer_path = issuer_digests(own, &by_name);
            issuer_path.is_some_and(|issuer_path| {
                publisher.is_published(&own.name, &own.certificate, &issuer_path, &own.cross_certificates)
            })
        };
        all.iter().filter(|own| !is_published(own)).collect()
    }

    /// Publishes the certificates and chains of CAs that differ from what is published, as they were on record
    /// before the status was published.
    pub(super) fn repeat_chains(
        &self,
        before: &[AuthoritySummary],
        status: &StatusPublished,
    ) -> Result<(), Problem> {
        for summary in self.unpublished(before) {
            self.repeat_summed_up(summary, before, status)?;
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
        if self.engine.index().status(id)?.is_none() {
            return Ok(());
        }
        match &self.check_published(id)?.certificate {
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

    /// Returns when the published status was last confirmed by a trusted clock; `None` when nothing is published.
    ///
    /// # Errors
    /// When the published status cannot be read.
    pub fn status_time(&self) -> Result<Option<UnixTime>, Problem> {
        Ok(self.engine.status().confirmed()?)
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

    /// Reads a record for handing out. It is refused while its latest change is not published, because
    /// responders would answer "unknown".
    ///
    /// # Errors
    /// `status.not-published`; `certificate.not-found`; or when the index cannot be read.
    pub fn check_published(&self, id: &CertificateId) -> Result<Published<CertificateRecord>, Problem> {
        Published::<CertificateRecord>::looked_up(self.engine, id)
    }

    /// Reads a CA, which may be external, and its certificate for handing out, under the same condition. The
    /// certificate of an external CA may be handed out although it is not on record as issued here.
    ///
    /// # Errors
    /// `status.not-published`; exit status 5 when there is no such CA; or when the index cannot be read.
    pub fn check_authority_published(&self, name: &str) -> Result<Published<Authority>, Problem> {
        Published::<Authority>::looked_up(self.engine, name)
    }
}
