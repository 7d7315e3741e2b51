//! What a CA of this home issued and revoked elsewhere since it was taken over.
use super::Lifecycle;
use super::adopted::kept;
use crate::ca::publication::News;
use crate::ca::{Adoption, PriorCertificate, PublishedCrl};
use crate::error::{Code, Problem, remedy};
use crate::index::{Authority, CertificateState, Imported, ImportedContents, IndexError, Supplement};
use crate::x509::{CertificateId, UnixTime};
use std::collections::HashMap;

/// What came of it.
#[derive(Clone, Debug)]
pub struct Supplemented {
    /// The CA.
    pub authority: Authority,
    /// What was new.
    pub imported: Imported,
    /// Its new CRL, where one was due.
    pub crl: Option<PublishedCrl>,
    /// Why that is owed.
    pub owed: Option<Problem>,
}

impl Lifecycle<'_> {
    /// The CA of this home that an adoption is of: of its name and key, and taken over already.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn taken_over(&self, adoption: &Adoption) -> Result<Option<Authority>, Problem> {
        let issuer = adoption.certificate.tbs().as_issuer();
        let known = self.engine.index().authority(&adoption.name)?;
        Ok(known.filter(|known| known.issuer == issuer && !known.is_elsewhere()))
    }

    /// What of an adoption's certificates came since: not on record yet, or revoked there and not here. A hold that was
    /// lifted here since stays lifted.
    fn came_since(
        &self,
        authority: &Authority,
        adoption: &Adoption,
    ) -> Result<Vec<PriorCertificate>, Problem> {
        let released = self.released(&authority.name)?;
        let mut new = Vec::new();
        for prior in &adoption.prior {
            let id = CertificateId { issuer: authority.issuer, serial_number: prior.serial_number.clone() };
            let Some(known) = self.engine.index().certificate(&id)? else {
                new.push(prior.clone());
                continue;
            };
            if let (Some(ours), ImportedContents::Certificate(theirs)) = (&known.certificate, &prior.contents)
                && ours != theirs
            {
                return Err(IndexError::SerialInUse(id).into());
            }
            let is_completed =
                known.known_by_number && matches!(prior.contents, ImportedContents::Certificate(_));
            let is_revoked = match &prior.state {
                CertificateState::Revoked(revocation) => {
                    let lifted = released.get(&prior.serial_number.to_string());
                    let is_lifted =
                        revocation.is_hold() && lifted.is_some_and(|lifted| *lifted >= revocation.revoked_at);
                    !is_lifted && known.state.revoke(revocation.clone()).is_ok()
                }
                CertificateState::Issued | CertificateState::Pending => false,
            };
            if is_revoked {
                new.push(prior.clone());
            } else if is_completed {
                new.push(PriorCertificate { state: CertificateState::Issued, ..prior.clone() });
            }
        }
        Ok(new)
    }

    /// When holds on a CA's certificates were lifted last, by number.
    fn released(&self, name: &str) -> Result<HashMap<String, UnixTime>, Problem> {
        let mut released = HashMap::new();
        self.engine.index().audit_records(1, &mut |record| {
            let event = record.event;
            if event.action == "certificate.released"
                && let Some((authority, serial)) = event.object.split_once('/')
                && authority == name
            {
                released.insert(serial.to_owned(), event.at);
            }
            true
        })?;
        Ok(released)
    }

    /// What came since it was taken over; none, when only the numbers of its CRLs went on.
    ///
    /// # Errors
    /// Exit status 4 when nothing came since.
    pub fn news(&self, authority: &Authority, adoption: &Adoption) -> Result<Vec<PriorCertificate>, Problem> {
        let new = self.came_since(authority, adoption)?;
        if new.is_empty() && !self.is_ahead(authority, adoption)? {
            let message = format!("this CA is here already, as {}, and nothing came since", authority.name);
            return Err(Problem::new(Code::AuthorityExists, message)
                .hint(remedy::Authority::NothingCame(authority.name.clone())));
        }
        Ok(new)
    }

    /// Whether the CRLs made elsewhere have higher numbers than those made here.
    fn is_ahead(&self, authority: &Authority, adoption: &Adoption) -> Result<bool, Problem> {
        Ok(self.engine.index().highest_crl_number(&authority.issuer)? < adoption.crl_number)
    }

    /// Puts on record what came since. Nothing that is revoked here becomes less so, and what is known is not changed.
    ///
    /// # Errors
    /// When a number is another certificate's here, or index or disk fail.
    pub fn supplement(&self, authority: &Authority, adoption: &Adoption) -> Result<Supplemented, Problem> {
        let new = self.came_since(authority, adoption)?;
        let at = self.engine.now();
        let mut imported = Imported::default();
        let is_ahead = self.is_ahead(authority, adoption)?;
        if !new.is_empty() || is_ahead {
            let certificates = self.imported_certificates(&authority.name, &new, at);
            let mut event = self.engine.event(at, "authority.supplemented", &*authority.name);
            event.details.extend([
                ("source".into(), adoption.source.clone()),
                ("certificates".into(), certificates.len().to_string()),
                ("crl_number".into(), adoption.crl_number.to_string()),
            ]);
            imported = self.engine.index().supplement(&Supplement {
                issuer: authority.issuer,
                certificates,
                crl_number: adoption.crl_number,
                event: Some(event),
            })?;
            let adopted = vec![(authority.name.as_str(), kept(&new, authority))];
            self.engine.publication().publish(News { adopted, ..News::default() })?;
        }
        let (mut crl, mut owed) = (None, None);
        if self.engine.index().crl_is_owed(&authority.issuer)? || is_ahead {
            match self.engine.maintenance().crl_of(&authority.name) {
                Ok(made) => crl = Some(made),
                Err(problem) => owed = Some(problem),
            }
        }
        Ok(Supplemented { authority: authority.clone(), imported, crl, owed })
    }
}
