//! CAs that were made elsewhere: what is checked of them, and in which order they come to be here.
//!
//! Key, then record, then what others see. The record is one transaction: a command that is killed before it leaves
//! a key that the next attempt takes for what it is, and one that is killed after it leaves what every other command
//! repeats.
use super::authority::{may, mismatched};
use super::new_key::unfinished;
use super::renewal::ROOT_PROFILE;
use super::{Pki, PublishedCrl};
use crate::config::is_authority_name;
use crate::index::{Authority, CertificateState, Imported, ImportedContents, IndexError};
use crate::key::{KeyError, Signer, SoftKey};
use crate::problem::{Exit, Problem};
use crate::profile::Kind;
use crate::publish::AuthorityFiles;
use crate::x509::extension::{CrlNumber, KeyUsage};
use crate::x509::{Certificate, SerialNumber, can_verify_old, key_weaknesses};

/// How many CAs may stand above one.
const HIGHEST: usize = 16;

/// A CA that was made elsewhere.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// Its name here.
    pub name: String,
    /// The profile that says what it issues.
    pub profile: String,
    /// Whether it has a responder.
    pub ocsp: bool,
    /// Its certificate.
    pub certificate: Certificate,
    /// The CA here that this is the next certificate of, if it is one.
    pub renews: Option<Authority>,
    /// The generation of the same CA that it succeeds, if any.
    pub succeeds: Option<String>,
    /// Certificates among which those of the CAs above it are looked for; those of this home are known.
    pub others: Vec<Certificate>,
    /// What it issued, as far as that is known.
    pub prior: Vec<PriorCertificate>,
    /// The highest number of its CRLs so far.
    pub crl_number: CrlNumber,
    /// Where it comes from, for the record.
    pub source: String,
}

impl Adoption {
    /// Whether it is the key of the CA's certificate.
    ///
    /// # Errors
    /// When it is another.
    pub fn check_key(&self, key: &dyn Signer) -> Result<(), Problem> {
        let is_its_own = key.public_key() == self.certificate.tbs().public_key();
        if is_its_own { Ok(()) } else { Err(mismatched(&self.name)) }
    }
}

/// A certificate that the CA issued before.
#[derive(Clone, Debug)]
pub struct PriorCertificate {
    /// `serialNumber`
    pub serial_number: SerialNumber,
    /// What is known of it.
    pub contents: ImportedContents,
    /// Issued or revoked.
    pub state: CertificateState,
}

/// Where the key of an adopted CA is.
pub enum AdoptedKey {
    /// In another program's file, opened.
    Foreign(SoftKey),
    /// Here already.
    Here,
    /// Where it stays: nothing is signed.
    Away,
}

/// What would come of an adoption.
#[derive(Clone, Debug)]
pub struct AdoptionPlan {
    /// The CA that issued its certificate, of this home or the last of `above`; `None` for a root.
    pub parent: Option<String>,
    /// CAs above it that are put on record because they are not known, the topmost first.
    pub above: Vec<Authority>,
    /// What is unusual.
    pub notices: Vec<String>,
}

/// A CA that was adopted.
#[derive(Clone, Debug)]
pub struct AdoptedAuthority {
    /// The CA as recorded.
    pub authority: Authority,
    /// CAs above it that others run, put on record with it.
    pub above: Vec<String>,
    /// What was put on record of what it issued.
    pub imported: Imported,
    /// Where its certificate and chain were published.
    pub files: AuthorityFiles,
    /// Its first CRL from here; `None` without a key that may sign one.
    pub crl: Option<PublishedCrl>,
    /// Its responder certificate, if it has one.
    pub responder: Option<Certificate>,
    /// What is unusual, and what could not be done.
    pub notices: Vec<String>,
}

impl Pki<'_> {
    /// What [`Pki::adopt`] would do, without the key.
    ///
    /// # Errors
    /// When the name is taken, the profile is not that of a CA, the certificate is no CA's, or who issued it is not
    /// known.
    pub fn plan_adoption(&self, adoption: &Adoption) -> Result<AdoptionPlan, Problem> {
        let certificate = &adoption.certificate;
        let tbs = certificate.tbs();
        if adoption.renews.is_none() {
            self.may_be_called(&adoption.name, certificate)?;
        }
        let profile = self.practices.profile(&adoption.profile)?;
        if !profile.kind().is_ca() {
            let message = format!("the profile {} is not that of a CA", profile.name());
            return Err(Problem::new(Exit::Usage, "usage", message).hint("for example --profile system-ca"));
        }
        if !certificate.is_ca() {
            let message = format!("the certificate of `{}` is not a CA's: it has no CA:TRUE", tbs.subject());
            return Err(Problem::new(Exit::Refused, "issuer.unfit", message)
                .hint("have the request signed as that of a CA: genfic-ca sign FILE --profile user-ca"));
        }
        if adoption.ocsp {
            self.practices.profile(super::responder::PROFILE)?;
        }
        let mut notices = Vec::new();
        let (end, now) = (tbs.validity().not_after, self.clock.now());
        if end < now {
            notices.push(format!("{} expired on {end}: it issues nothing more, only CRLs", adoption.name));
        }
        for (usage, word) in [(KeyUsage::KEY_CERT_SIGN, "certificates"), (KeyUsage::CRL_SIGN, "CRLs")] {
            if !may(tbs, usage) {
                notices.push(format!("by its keyUsage {} may not sign {word}, and will not", adoption.name));
            }
        }
        let (parent, above) = self.above(adoption)?;
        notices.extend(weaknesses(&adoption.name, certificate));
        notices.extend(above.iter().flat_map(|one| weaknesses(&one.name, &one.certificate)));
        if parent.is_none()
            && adoption.renews.is_none()
            && profile.kind() == Kind::Ca
            && !self.practices.config.authorities.contains_key(&adoption.name)
        {
            notices.push(format!(
                "{0} is a root, so its key counts as offline and its CRL lasts long; when it issues every day, put \
                 [authority.{0}] offline = false into the configuration",
                adoption.name
            ));
        }
        Ok(AdoptionPlan { parent, above, notices })
    }

    /// Whether a CA with this certificate may have this name: it is free, or is that of the same CA, run by others
    /// so far.
    fn may_be_called(&self, name: &str, certificate: &Certificate) -> Result<(), Problem> {
        let issuer = certificate.tbs().as_issuer();
        let authorities = self.index.authorities()?;
        match authorities.iter().find(|one| one.issuer == issuer || one.name == name) {
            None => Ok(()),
            Some(known) if known.is_elsewhere() && known.issuer == issuer && known.name == name => Ok(()),
            Some(known) if known.is_elsewhere() && known.issuer == issuer => {
                let message = format!("this CA is on record as {}, run by others", known.name);
                Err(Problem::new(Exit::Exists, "authority.exists", message)
                    .hint(format!("take it over under that name: --as {}", known.name)))
            }
            Some(known) if known.issuer == issuer => {
                let message = format!("this CA is here already, as {}", known.name);
                Err(Problem::new(Exit::Exists, "authority.exists", message).hint(
                    "nothing was changed; what was issued elsewhere since then has to be revoked by number",
                ))
            }
            Some(_) => Err(IndexError::AuthorityExists(name.into()).into()),
        }
    }

    /// The CA that issued it, and those that must be put on record for that, the topmost first.
    fn above(&self, adoption: &Adoption) -> Result<(Option<String>, Vec<Authority>), Problem> {
        let known = self.index.authorities()?;
        let mut parent = None;
        let mut above: Vec<Authority> = Vec::new();
        let mut certificate = adoption.certificate.clone();
        while !is_self_signed(&certificate)? {
            let issued = |issuer: &Certificate| {
                issuer.tbs().subject() == certificate.tbs().issuer()
                    && certificate.was_signed_by(issuer.tbs().public_key())
            };
            let (name, unknown) = match known.iter().find(|one| issued(&one.certificate)) {
                Some(known) => (known.name.clone(), newer(known, &adoption.others)),
                None => {
                    let found = adoption.others.iter().find(|one| one.is_ca() && issued(one));
                    let found = found.filter(|_| above.len() < HIGHEST).cloned();
                    let shown = adoption.others.iter().chain(known.iter().map(|one| &one.certificate));
                    let found = found.ok_or_else(|| unknown_issuer(&certificate, shown))?;
                    (self.name_for(&found, adoption, &above)?, Some(found))
                }
            };
            match above.last_mut() {
                Some(below) => (below.parent, below.profile) = (Some(name.clone()), "sub-ca".into()),
                None => parent = Some(name.clone()),
            }
            let Some(found) = unknown else { break };
            certificate = found.clone();
            above.push(run_by_others(&name, found));
        }
        above.reverse();
        Ok((parent, above))
    }

    /// A name for a CA that others run, made of its commonName.
    fn name_for(
        &self,
        certificate: &Certificate,
        adoption: &Adoption,
        above: &[Authority],
    ) -> Result<String, Problem> {
        let subject = certificate.tbs().subject();
        let text = subject.texts("CN").pop().unwrap_or_else(|| subject.to_string());
        let words: Vec<String> = text
            .to_lowercase()
            .split(|character: char| !character.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let base: String = words.join("-").chars().take(48).collect();
        let base = if is_authority_name(&base) { base } else { "issuer".to_owned() };
        for number in 1..100 {
            let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
            let is_taken = name == adoption.name
                || above.iter().any(|one| one.name == name)
                || self.index.authority(&name)?.is_some();
            if !is_taken {
                return Ok(name);
            }
        }
        Err(IndexError::AuthorityExists(base).into())
    }

    /// Makes a CA that was made elsewhere one of this home, with all that it issued and revoked: its key is
    /// encrypted here, its next CRL and its responder certificate are made.
    ///
    /// # Errors
    /// As [`Pki::plan_adoption`]; when the key is not that of the certificate, no passphrase can be had, or index or
    /// disk fail. Before the record nothing is left behind but, of a killed process, the key.
    pub fn adopt(&self, adoption: Adoption, key: AdoptedKey) -> Result<AdoptedAuthority, Problem> {
        let plan = self.plan_adoption(&adoption)?;
        self.signing_time()?;
        let record = match &adoption.renews {
            Some(known) => known.key.clone(),
            None => self.practices.key_record(&adoption.name),
        };
        let place = self.practices.key_ref(&record);
        let public_key = adoption.certificate.tbs().public_key().clone();
        let signing = self.index.signing()?;
        let mut is_new = false;
        let signer = match key {
            AdoptedKey::Away => None,
            AdoptedKey::Here => Some(self.keys.open(&place, self.secrets)?),
            AdoptedKey::Foreign(foreign) if *foreign.public_key() != public_key => {
                return Err(mismatched(&adoption.name));
            }
            AdoptedKey::Foreign(foreign) => match self.keys.keep(&place, foreign, self.secrets) {
                Ok(signer) => {
                    is_new = true;
                    Some(signer)
                }
                // of an attempt that was killed: the same key, under the same passphrase
                Err(KeyError::Exists(_)) => match self.keys.open(&place, self.secrets) {
                    Ok(signer) if *signer.public_key() == public_key => Some(signer),
                    Ok(_) | Err(_) => {
                        drop(signing);
                        return Err(self.key_without_authority(&adoption.name, &place)?);
                    }
                },
                Err(error) => return Err(error.into()),
            },
        };
        if let Some(signer) = &signer {
            adoption.check_key(signer.as_ref())?;
        }
        let authority = Authority {
            name: adoption.name.clone(),
            issuer: adoption.certificate.tbs().as_issuer(),
            parent: plan.parent.clone(),
            profile: adoption.profile.clone(),
            certificate: adoption.certificate.clone(),
            key: record,
            serves_ocsp: adoption.ocsp,
            succeeds: adoption.succeeds.clone(),
            last_end: None,
        };
        let recorded =
            self.in_time(|at| self.index.import(&self.import_of(&authority, &adoption, &plan, at)));
        drop(signing);
        let imported = match recorded {
            Ok(imported) => imported,
            Err(problem) if is_new => return Err(self.give_up(&adoption.name, &place, problem)),
            Err(problem) => return Err(problem),
        };
        let name = adoption.name.clone();
        self.equip_adopted(adoption, plan, imported, signer).map_err(|problem| unfinished(&name, problem))
    }
}

/// The certificate that takes the place of that of a CA which others run, when it was shown.
fn newer(known: &Authority, others: &[Certificate]) -> Option<Certificate> {
    let begins = |certificate: &Certificate| certificate.tbs().validity().not_before;
    let of_it = |one: &&Certificate| {
        one.tbs().as_issuer() == known.issuer && one.is_ca() && begins(one) > begins(&known.certificate)
    };
    others.iter().filter(of_it).max_by_key(|one| begins(one)).filter(|_| known.is_elsewhere()).cloned()
}

fn run_by_others(name: &str, certificate: Certificate) -> Authority {
    Authority {
        name: name.to_owned(),
        issuer: certificate.tbs().as_issuer(),
        parent: None,
        profile: ROOT_PROFILE.into(),
        certificate,
        key: String::new(),
        serves_ocsp: false,
        succeeds: None,
        last_end: None,
    }
}

/// What is said of a key that would not be certified any more.
fn weaknesses(name: &str, certificate: &Certificate) -> Vec<String> {
    let weaknesses = key_weaknesses(certificate.tbs().public_key()).into_iter();
    weaknesses
        .map(|weakness| {
            format!(
                "the key of {name} is weak, so that others may be able to sign in its name ({weakness}): replace it \
                 by another CA"
            )
        })
        .collect()
}

/// Whether it is a root's.
fn is_self_signed(certificate: &Certificate) -> Result<bool, Problem> {
    let tbs = certificate.tbs();
    if tbs.subject() != tbs.issuer() {
        return Ok(false);
    }
    if certificate.was_signed_by(tbs.public_key()) {
        return Ok(true);
    }
    if !can_verify_old(tbs.public_key(), certificate.signature_algorithm()) {
        return Err(unverifiable(certificate, certificate));
    }
    let message = format!("the certificate of `{}` does not verify with its own key", tbs.subject());
    Err(Problem::new(Exit::NotVerified, "certificate.signature", message)
        .hint("take another copy of it; this one is damaged or is not what it says"))
}

/// Of a signature that may be right, and that nobody here can tell.
fn unverifiable(certificate: &Certificate, issuer: &Certificate) -> Problem {
    let message = format!(
        "the certificate of `{}` is signed with {} by a key of the type {}, which cannot be verified here: with SHA-256 and SHA-512 \
         RSA keys of 1024 to 8192 bits can, with SHA-384 those of 2048 to 8192",
        certificate.tbs().subject(),
        certificate.signature_algorithm(),
        issuer.tbs().public_key().algorithm(),
    );
    Problem::new(Exit::Refused, "certificate.unverifiable", message).hint(
        "what cannot be verified is not put on record, with the CA's key or without: have the last CRLs made by the \
         program it comes from, and issue anew under another CA",
    )
}

fn unknown_issuer<'c>(
    certificate: &Certificate,
    mut shown: impl Iterator<Item = &'c Certificate>,
) -> Problem {
    let tbs = certificate.tbs();
    let is_named = |one: &&Certificate| {
        one.tbs().subject() == tbs.issuer()
            && !can_verify_old(one.tbs().public_key(), certificate.signature_algorithm())
    };
    if let Some(issuer) = shown.find(is_named) {
        return unverifiable(certificate, issuer);
    }
    let message = format!(
        "the certificate of `{}` was issued by `{}`, which is neither a CA of this home nor among what was shown",
        tbs.subject(),
        tbs.issuer()
    );
    Problem::new(Exit::NotFound, "issuer.unknown", message)
        .hint("import that CA first; or, when others run it, show the certificates above, up to the root, with --chain FILE")
}
