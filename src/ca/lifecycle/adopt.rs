//! Adoption of CAs that were made elsewhere: which checks they pass, and in which order they are taken in.
//!
//! First the key, then the record, then publication. The record is one transaction. A command that is killed
//! before it leaves a key that the next attempt recognises; one that is killed after it leaves what every
//! other command repeats.
use super::Lifecycle;
use super::issuer_path::weaknesses;
use super::new_key::unfinished;
use crate::ca::authority::{key_usage_allows, mismatched};
use crate::ca::{Published, PublishedCrl};
use crate::error::{Code, Notice, Problem, remedy};
use crate::index::{Authority, CertificateState, Imported, ImportedContents, IndexError};
use crate::profile::Kind;
use crate::repository::AuthorityFiles;
use crate::signing::{AwaitedKey, BroughtKey, KeyError, KeyRef};
use crate::x509::extension::{CrlNumber, KeyUsage};
use crate::x509::{Certificate, CertificateList, SerialNumber, SubjectPublicKeyInfo};

/// A CA that was made elsewhere and is to be adopted.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// The CA's name in this home.
    pub name: String,
    /// Name of the profile that says what the CA issues.
    pub profile: String,
    /// Whether the CA has an OCSP responder.
    pub ocsp: bool,
    /// The CA's certificate.
    pub certificate: Certificate,
    /// The CA of this home whose next certificate this is, if it is one.
    pub renews: Option<Authority>,
    /// Name of the generation of the same CA that this one succeeds, if any.
    pub succeeds: Option<String>,
    /// Certificates among which those of the CA's issuers are looked for, besides the certificates of this
    /// home.
    pub others: Vec<Certificate>,
    /// Certificates that the CA issued, as far as they are known.
    pub prior: Vec<PriorCertificate>,
    /// The highest number of the CA's CRLs so far.
    pub crl_number: CrlNumber,
    /// The CRL with the highest number, as far as it is known.
    pub last_crl: Option<CertificateList>,
    /// Origin of the CA, for the audit record.
    pub source: String,
}

impl Adoption {
    /// Checks that the key is that of the CA's certificate.
    ///
    /// # Errors
    /// When it is another key.
    pub fn check_key(&self, key: &SubjectPublicKeyInfo) -> Result<(), Problem> {
        let is_its_own = key == self.certificate.tbs().public_key();
        if is_its_own { Ok(()) } else { Err(mismatched(&self.name)) }
    }
}

/// A certificate that the CA issued before its adoption.
#[derive(Clone, Debug)]
pub struct PriorCertificate {
    /// `serialNumber`
    pub serial_number: SerialNumber,
    /// The certificate, or what is known of it.
    pub contents: ImportedContents,
    /// Issued or revoked.
    pub state: CertificateState,
}

/// Where the key of an adopted CA is.
pub enum AdoptedKey {
    /// In another program's key file, already decrypted.
    Foreign(BroughtKey),
    /// In this home.
    Here,
    /// In the signer that listens, to which an administrator has brought it.
    InSigner(AwaitedKey),
    /// Somewhere else, where it stays: nothing is signed.
    Away,
}

/// The effects of an adoption.
#[derive(Clone, Debug)]
pub struct AdoptionPlan {
    /// Name of the CA's issuer: a CA of this home, or the last of `issuer_path`; `None` for a root.
    pub parent: Option<String>,
    /// External CAs of the issuer path that are put on record because they are unknown here, the topmost
    /// first.
    pub issuer_path: Vec<Authority>,
    /// Warnings about unusual circumstances.
    pub notices: Vec<Notice>,
}

/// A CA that was adopted.
#[derive(Clone, Debug)]
pub struct AdoptedAuthority {
    /// The CA as recorded.
    pub authority: Published<Authority>,
    /// Names of the external CAs of its issuer path that were put on record with it.
    pub issuer_path: Vec<String>,
    /// Numbers of its certificates that were put on record.
    pub imported: Imported,
    /// Files in which its certificate and chain were published.
    pub files: AuthorityFiles,
    /// Its first CRL signed here; `None` without a key that may sign one.
    pub crl: Option<PublishedCrl>,
    /// Its responder certificate, if it has one.
    pub responder: Option<Published<Certificate>>,
    /// Warnings about unusual circumstances and about steps that failed.
    pub notices: Vec<Notice>,
}

/// Returns a warning when a CA's next certificate encodes its name in other octets. The name is the same, but
/// not every client compares names by the rules of RFC 5280 §7.1. Warns likewise of a changed
/// subjectKeyIdentifier.
fn written_otherwise(known: &Authority, certificate: &Certificate) -> Option<String> {
    let (old, new) = (known.certificate.tbs().subject(), certificate.tbs().subject());
    if old == new && known.certificate.key_identifier() != certificate.key_identifier() {
        return Some(format!(
            "its new certificate has another subjectKeyIdentifier: clients that look for the one that {} wrote into what \
             it issued so far, as OpenSSL does, need the old certificate for it",
            known.name
        ));
    }
    (old != new).then(|| {
        let (new, old) = new.beside(old);
        format!(
            "its new certificate has the name in other octets: {new}, and {old} before. Clients that compare octets, \
             as GnuTLS and NSS do, will not find with it what {} issued so far: have the request signed unchanged",
            known.name
        )
    })
}

impl Lifecycle<'_> {
    /// Returns the effects of [`Lifecycle::adopt`], without using the key.
    ///
    /// # Errors
    /// When the name is taken, the profile is not that of a CA, the certificate is not that of a CA, or its
    /// issuer is not known.
    pub fn plan_adoption(&self, adoption: &Adoption) -> Result<AdoptionPlan, Problem> {
        let certificate = &adoption.certificate;
        let tbs = certificate.tbs();
        self.may_come_back(&adoption.name, certificate)?;
        if adoption.renews.is_none() {
            self.may_be_called(&adoption.name, certificate)?;
        }
        let profile = self.engine.settings().profile(&adoption.profile)?;
        if !profile.kind().is_ca() {
            let message = format!("the profile {} is not that of a CA", profile.name());
            return Err(Problem::new(Code::Usage, message).hint(remedy::Authority::ProfileOfCas));
        }
        if !certificate.is_ca() {
            let message = format!("the certificate of `{}` is not a CA's: it has no CA:TRUE", tbs.subject());
            return Err(Problem::new(Code::IssuerUnfit, message).hint(remedy::Authority::SignAsThatOfACa));
        }
        if adoption.ocsp {
            self.engine.settings().profile(crate::ca::issuance::RESPONDER_PROFILE)?;
        }
        let mut notices = Vec::new();
        let (end, now) = (tbs.validity().not_after, self.engine.now());
        if end < now {
            notices.push(format!("{} expired on {end}: it issues nothing more, only CRLs", adoption.name));
        }
        for (usage, word) in [(KeyUsage::KEY_CERT_SIGN, "certificates"), (KeyUsage::CRL_SIGN, "CRLs")] {
            if !key_usage_allows(tbs, usage) {
                notices.push(format!("by its keyUsage {} may not sign {word}, and will not", adoption.name));
            }
        }
        let (parent, issuer_path) = self.issuer_path(adoption)?;
        notices.extend(weaknesses(&adoption.name, certificate));
        if let Some(known) = parent.as_ref().filter(|name| !issuer_path.iter().any(|one| one.name == **name))
        {
            notices.extend(weaknesses(known, &self.engine.hierarchy().authority(known)?.certificate));
        }
        if let Some(before) = adoption.renews.as_ref().filter(|known| known.parent != parent) {
            notices.push(format!(
                "{} stands below {} now, and stood below {}",
                adoption.name,
                parent.as_deref().unwrap_or("nothing"),
                before.parent.as_deref().unwrap_or("nothing")
            ));
        }
        notices.extend(adoption.renews.as_ref().and_then(|known| written_otherwise(known, certificate)));
        notices.extend(issuer_path.iter().flat_map(|one| weaknesses(&one.name, &one.certificate)));
        if parent.is_none()
            && adoption.renews.is_none()
            && profile.kind() == Kind::Ca
            && !self.engine.settings().config.authorities.contains_key(&adoption.name)
        {
            notices.push(format!(
                "{0} is a root, so its key counts as offline and its CRL lasts long; when it issues every day, put \
                 [authority.{0}] offline = false into the configuration",
                adoption.name
            ));
        }
        Ok(AdoptionPlan { parent, issuer_path, notices: Notice::each(notices) })
    }

    /// Checks that a CA with this certificate may have this name: the name is free, or is that of the same
    /// CA, on record so far as an external one.
    fn may_be_called(&self, name: &str, certificate: &Certificate) -> Result<(), Problem> {
        let issuer = certificate.tbs().as_issuer();
        let authorities = self.engine.index().authorities()?;
        match authorities.iter().find(|one| one.issuer == issuer || one.name == name) {
            None => Ok(()),
            Some(known) if known.is_external() && known.issuer == issuer && known.name == name => Ok(()),
            Some(known) if known.is_external() && known.issuer == issuer => {
                let message = format!("this CA is on record as {}, run by others", known.name);
                Err(Problem::new(Code::AuthorityExists, message)
                    .hint(remedy::Authority::TakeOverAs(known.name.clone())))
            }
            Some(known) if known.issuer == issuer => {
                let message = format!("this CA is here already, as {}", known.name);
                Err(Problem::new(Code::AuthorityExists, message)
                    .hint(remedy::Authority::ImportAgain(known.name.clone())))
            }
            Some(_) => Err(IndexError::AuthorityExists(name.into()).into()),
        }
    }

    /// Adopts a CA that was made elsewhere, with all certificates that it issued and revoked. Its key is
    /// encrypted here, and its next CRL and its responder certificate are made.
    ///
    /// # Errors
    /// As [`Lifecycle::plan_adoption`]; when the key is not that of the certificate, no passphrase is
    /// available, or index or disk fail. A failure before the record leaves nothing behind; a process killed
    /// before it may leave the key.
    pub fn adopt(&self, adoption: Adoption, key: AdoptedKey) -> Result<AdoptedAuthority, Problem> {
        let plan = self.plan_adoption(&adoption)?;
        self.engine.signing_time()?;
        let public_key = adoption.certificate.tbs().public_key().clone();
        let place = match (&key, &adoption.renews) {
            (AdoptedKey::InSigner(awaited), _) => awaited.key.clone(),
            (_, Some(known)) => KeyRef::of(known),
            (_, None) => self.pending_key(&adoption.name, &public_key)?,
        };
        self.engine.keys().note_profile(&place, &adoption.profile);
        let signing = self.engine.index().signing()?;
        let mut is_new = false;
        let signer = match key {
            AdoptedKey::Away => None,
            AdoptedKey::Here => Some(self.engine.keys().signer(&place)?),
            AdoptedKey::InSigner(awaited) => {
                self.use_adopted_in_signer(&awaited, &adoption)?;
                Some(self.engine.keys().signer(&place)?)
            }
            AdoptedKey::Foreign(foreign) if *foreign.public_key() != public_key => {
                return Err(mismatched(&adoption.name));
            }
            AdoptedKey::Foreign(foreign) => {
                match self.engine.keys().import(&place, foreign) {
                    Ok(signer) => {
                        is_new = true;
                        Some(signer)
                    }
                    // left by a killed attempt when it is the same key under the same passphrase
                    Err(KeyError::Exists(_)) => match self.engine.keys().signer(&place) {
                        Ok(signer) if *signer.public_key() == public_key => Some(signer),
                        Ok(_) | Err(_) => {
                            drop(signing);
                            return Err(self.key_without_authority(&adoption.name, &place)?);
                        }
                    },
                    Err(error) => return Err(error.into()),
                }
            }
        };
        if let Some(signer) = &signer {
            adoption.check_key(signer.public_key())?;
        }
        let authority = Authority {
            name: adoption.name.clone(),
            issuer: adoption.certificate.tbs().as_issuer(),
            parent: plan.parent.clone(),
            profile: adoption.profile.clone(),
            certificate: adoption.certificate.clone(),
            key: place.uri.clone(),
            external: false,
            serves_ocsp: adoption.ocsp,
            succeeds: adoption.succeeds.clone(),
            last_end: None,
            retired: None,
        };
        let recorded = self
            .engine
            .in_time(|at| self.engine.index().import(&self.import_of(&authority, &adoption, &plan, at)));
        drop(signing);
        let imported = match recorded {
            Ok(imported) => imported,
            Err(problem) if is_new => return Err(self.give_up(&adoption.name, &place, problem)),
            Err(problem) => return Err(problem),
        };
        let name = adoption.name.clone();
        self.publish_adopted_authority(adoption, plan, imported, signer)
            .map_err(|problem| unfinished(&name, problem))
    }
}
