//! Certificates and revocations of an adopted CA that were made elsewhere after its adoption.
use super::Lifecycle;
use super::adopted::kept;
use crate::ca::publication::News;
use crate::ca::{Adoption, PriorCertificate, PublishedCrl};
use crate::error::{Code, Problem, remedy};
use crate::index::{Authority, CertificateState, Imported, ImportedContents, IndexError, Supplement};
use crate::x509::{CertificateId, UnixTime};
use std::collections::HashMap;

/// The result of a supplement.
#[derive(Clone, Debug)]
pub struct Supplemented {
    /// The CA.
    pub authority: Authority,
    /// Numbers of certificates that were new.
    pub imported: Imported,
    /// The CA's new CRL, if one was due.
    pub crl: Option<PublishedCrl>,
    /// Why that CRL is still outstanding.
    pub owed: Option<Problem>,
}

impl Lifecycle<'_> {
    /// Returns the CA of this home that an adoption is for, if it has the same name and key and has been
    /// adopted already.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn taken_over(&self, adoption: &Adoption) -> Result<Option<Authority>, Problem> {
        let issuer = adoption.certificate.tbs().as_issuer();
        let known = self.engine.index().authority(&adoption.name)?;
        Ok(known.filter(|known| known.issuer == issuer && !known.is_external()))
    }

    /// Returns the certificates of an adoption that are new since: those not on record yet, those revoked
    /// elsewhere and not here, and those whose octets were unknown. A hold that was lifted here in the
    /// meantime stays lifted.
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
                known.serial_only && matches!(prior.contents, ImportedContents::Certificate(_));
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

    /// Returns when holds on a CA's certificates were last lifted, by serial number.
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

    /// Returns the certificates that are new since the adoption; none when only the CRL numbers went on.
    ///
    /// # Errors
    /// Exit status 4 when nothing is new.
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

    /// Puts the new certificates and revocations on record. No revocation made here is weakened, and no known
    /// record is changed otherwise.
    ///
    /// # Errors
    /// When a serial number belongs to another certificate here, or index or disk fail.
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
