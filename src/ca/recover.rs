//! Putting right what a command that was cut short left behind, and repeating what is owed.
use super::Pki;
use super::authority::ancestors;
use crate::index::{Authority, CertificateState};
use crate::problem::Problem;
use crate::x509::CertificateId;

/// How many of the latest changes are looked at for certificates that are not kept yet; a group that is issued
/// is one change.
const RECENT: u64 = 16;

/// What was put right, and what could not be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recovered {
    /// Certificates that were intended and may have been signed: they count as revoked now.
    pub abandoned: usize,
    /// What was published again, a sentence each.
    pub repeated: Vec<String>,
    /// What is still owed and why. It holds nothing else up: the next command tries again.
    pub owed: Vec<Problem>,
}

impl Recovered {
    fn note(&mut self, what: &str, outcome: Result<bool, Problem>) {
        match outcome {
            Ok(false) => {}
            Ok(true) => self.repeated.push(format!("{what} was owed and is published now")),
            Err(problem) => {
                let message = format!("{what} is still to be published: {}", problem.message);
                self.owed.push(Problem { message, ..problem });
            }
        }
    }
}

impl Pki<'_> {
    /// Abandons what a command recorded and did not live to sign; while another command is signing, nothing
    /// of that is touched. Then repeats what needs no key and was not done or is gone: the published status,
    /// the certificates and chains of CAs, recently issued certificates; what was left half written is removed.
    /// CRLs and responder certificates that
    /// are due need the key: [`Pki::crl_is_due`], [`Pki::responder_is_due`], [`Pki::keep_up`].
    ///
    /// # Errors
    /// When the index fails. What cannot be published is no error, but is told.
    pub fn recover(&self) -> Result<Recovered, Problem> {
        self.publisher.sweep(&[]);
        let mut recovered = Recovered { abandoned: self.abandon_pending()?, ..Recovered::default() };
        // What is on record by now is public after its status is.
        let authorities = self.index.authorities()?;
        let issued = self.recently_issued()?;
        recovered.note("the status", self.repeat_status());
        if !recovered.owed.is_empty() {
            return Ok(recovered);
        }
        for authority in &authorities {
            let what = format!("the certificate of {}", authority.name);
            recovered.note(&what, self.repeat_authority(authority));
        }
        let mut unkept: Vec<&str> = Vec::new();
        for id in issued {
            if let Some(issuer) = authorities.iter().find(|authority| authority.issuer == id.issuer) {
                let what = format!("the certificate {}/{}", issuer.name, id.serial_number);
                let repeated = self.repeat_issued(&issuer.name, &id);
                if repeated != Ok(false) && !unkept.contains(&issuer.name.as_str()) {
                    unkept.push(&issuer.name);
                }
                recovered.note(&what, repeated);
            }
        }
        if !unkept.is_empty() {
            self.publisher.sweep(&unkept);
        }
        Ok(recovered)
    }

    fn abandon_pending(&self) -> Result<usize, Problem> {
        if self.index.pending()?.is_empty() {
            return Ok(0);
        }
        let Some(_alone) = self.index.nobody_is_signing()? else { return Ok(0) };
        let now = self.clock.now();
        let authorities = self.index.authorities()?;
        let pending: Vec<_> = self
            .index
            .pending()?
            .into_iter()
            .map(|id| {
                let name = authorities
                    .iter()
                    .find(|authority| authority.issuer == id.issuer)
                    .map_or("", |authority| authority.name.as_str());
                let event = self.event(now, "certificate.abandoned", format!("{name}/{}", id.serial_number));
                (id, event)
            })
            .collect();
        Ok(self.index.abandon(&pending)?)
    }

    fn repeat_status(&self) -> Result<bool, Problem> {
        if self.status.is_current(self.index)? {
            return Ok(false);
        }
        self.status.publish_status(self.index, self.clock.now())?;
        Ok(true)
    }

    pub(super) fn repeat_authority(&self, authority: &Authority) -> Result<bool, Problem> {
        let above = ancestors(self.index, authority)?;
        let crossed = self.crossed(authority)?;
        if self.publisher.is_published(&authority.name, &authority.certificate, &above, &crossed) {
            return Ok(false);
        }
        self.publisher.authority(&authority.name, &authority.certificate, &above, &crossed)?;
        Ok(true)
    }

    fn recently_issued(&self) -> Result<Vec<CertificateId>, Problem> {
        let since = self.index.change_number()?.saturating_sub(RECENT).max(1);
        let mut issued = Vec::new();
        self.index.status_rows(since, &mut |row| {
            if row.state == CertificateState::Issued {
                issued.push(row.id);
            }
        })?;
        Ok(issued)
    }

    /// Responder certificates are kept beside their keys, those of CAs in public.
    fn repeat_issued(&self, authority: &str, id: &CertificateId) -> Result<bool, Problem> {
        if self.publisher.is_kept(authority, &id.serial_number) {
            return Ok(false);
        }
        let Some(record) = self.index.certificate(id)? else { return Ok(false) };
        let is_root = record.certificate.as_ref().is_some_and(|one| one.tbs().as_issuer() == id.issuer);
        let kept = self.practices.keeps(&record.profile) && !is_root;
        match record.certificate.filter(|_| kept) {
            Some(certificate) => {
                self.publisher.issued(authority, &certificate).map(|_| true).map_err(Into::into)
            }
            None => Ok(false),
        }
    }
}
