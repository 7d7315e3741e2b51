//! Creation of CAs: roots, and subordinate CAs to any depth that the path length allows.
use super::Lifecycle;
use super::pending_request::already_pending;
use crate::ca::issuance::Parent;
use crate::ca::issuance::SelfIssuance;
use crate::ca::issuance::{Known, others};
use crate::ca::problems::lint_problem;
use crate::ca::{IssuanceRequest, IssuingAuthority, Published, PublishedCrl};
use crate::error::{Code, Notice, Problem, remedy};
use crate::index::{self, Authority, IndexError};
use crate::lint;
use crate::profile::{Applicant, RequestedValidity, RequestedValues};
use crate::repository::AuthorityFiles;
use crate::signing::{KeyLimits, Keystore};
use crate::x509::extension::NameConstraints;
use crate::x509::{Certificate, KeyAlgorithm, Name};

/// A CA to be created.
#[derive(Clone, Debug)]
pub struct NewAuthority {
    /// The CA's name.
    pub name: String,
    /// Name of the profile of its certificate.
    pub profile: String,
    /// The CA's subject; `None` for the organization's attributes and the CA's name as CN.
    pub subject: Option<Name>,
    /// The CA's key type; `None` for the configured one.
    pub key: Option<KeyAlgorithm>,
    /// Where the CA's key is made.
    pub keystore: Keystore,
    /// Validity of the CA's certificate; the default is staggered against its siblings.
    pub validity: RequestedValidity,
    /// Names that the CA may certify.
    pub name_constraints: NameConstraints,
    /// Whether the CA has an OCSP responder; `None` for yes, unless its key is kept offline.
    pub ocsp: Option<bool>,
    /// Name of the generation before it, when it is the same CA with a new key.
    pub succeeds: Option<String>,
}

/// A CA that was created.
#[derive(Clone, Debug)]
pub struct CreatedAuthority {
    /// The CA as recorded.
    pub authority: Published<Authority>,
    /// Files in which its certificate and chain were published.
    pub files: AuthorityFiles,
    /// Its first CRL.
    pub crl: PublishedCrl,
    /// Its responder certificate, if it has one.
    pub responder: Option<Published<Certificate>>,
    /// The envelope of its key, where the signer that listens has that: the most that it ever signs.
    pub envelope: Option<KeyLimits>,
    /// Choices made for the administrator, and warnings about unusual circumstances.
    pub notices: Vec<Notice>,
}

/// Asks whether the key of a new root is to have this envelope.
pub type ConfirmEnvelope<'a> = &'a dyn Fn(&KeyLimits) -> Result<(), Problem>;

impl Lifecycle<'_> {
    /// Creates a root: key, self-signed certificate, first CRL.
    ///
    /// # Errors
    /// When the name is taken, the profile refuses, no passphrase is available, or index or disk fail. The
    /// key is removed again when no certificate was made for it.
    pub fn create_root(&self, new: &NewAuthority) -> Result<CreatedAuthority, Problem> {
        self.create_root_confirmed(new, &|_| Ok(()))
    }

    /// Creates a root as [`Lifecycle::create_root`]. Where the signer that listens has its key, `confirm` is asked about the
    /// envelope that the key gets, before anything is signed.
    ///
    /// # Errors
    /// As [`Lifecycle::create_root`], and what `confirm` returns.
    pub fn create_root_confirmed(
        &self,
        new: &NewAuthority,
        confirm: ConfirmEnvelope<'_>,
    ) -> Result<CreatedAuthority, Problem> {
        self.make_root(new, confirm).map(|(created, _)| created)
    }

    pub(in crate::ca) fn make_root(
        &self,
        new: &NewAuthority,
        confirm: ConfirmEnvelope<'_>,
    ) -> Result<(CreatedAuthority, IssuingAuthority), Problem> {
        self.name_is_free(&new.name)?;
        let now = self.engine.signing_time()?;
        let profile = self.engine.settings().profile(&new.profile)?;
        let rules = if new.succeeds.is_some() { self.rules_for_itself(profile)? } else { profile };
        let values = self.ask_for(new, new.validity);
        let subject = self.subject_for(new)?;
        self.name_is_no_other_cas(&subject, new.succeeds.as_deref())?;
        self.responder_can_be_made(new, true)?;
        self.with_new_key(new, new.key.unwrap_or(self.engine.settings().config.keys.root), |signer| {
            let applicant = Applicant::new(subject, signer.public_key().clone());
            let template = rules.evaluate(&applicant, None, &values, now).map_err(Problem::from)?;
            let tbs = template.assemble(
                self.engine.serials().serial_number()?,
                signer.algorithm(),
                &template.subject,
            );
            let tbs = lint::check_certificate(tbs, None).map_err(|findings| lint_problem(&findings))?;
            if new.keystore.new_key(self.engine.keys(), &new.name).is_in_service()
                && let Some(envelope) = signer.envelope_with(tbs.get())?
            {
                confirm(&envelope)?;
            }
            let authority = Some(self.authority_to_be(new, true));
            let draft = SelfIssuance {
                by: &new.name,
                issuer: tbs.get().as_issuer(),
                profile: profile.name(),
                tbs,
                authority,
            };
            self.engine.issuance().self_issue(draft, |tbs| Ok(signer.sign_certificate(tbs, None)?))?;
            Ok(Notice::each(template.notices))
        })
    }

    /// Creates a subordinate CA: key, certificate, first CRL, responder.
    ///
    /// # Errors
    /// As [`Lifecycle::create_root`], and when the parent may not issue or its key cannot be opened.
    pub fn create_child(&self, parent: &str, new: &NewAuthority) -> Result<CreatedAuthority, Problem> {
        self.name_is_free(&new.name)?;
        let now = self.engine.signing_time()?;
        let profile = self.engine.settings().profile(&new.profile)?;
        let subject = self.subject_for(new)?;
        self.name_is_no_other_cas(&subject, new.succeeds.as_deref())?;
        let family = self.engine.hierarchy().family_names(new.succeeds.as_deref())?;
        self.responder_can_be_made(new, false)?;
        let issuer = self.engine.issuance().unlock_issuer(parent)?;
        let below = Parent::new(self.engine, issuer.authority(), issuer.ancestors(), &family, now)?;
        let (validity, staggered) = self.engine.issuance().staggered(&below, profile, new.validity, now);
        let values = self.ask_for(new, validity);
        let (mut created, _) =
            self.with_new_key(new, new.key.unwrap_or(self.engine.settings().config.keys.ca), |signer| {
                let applicant = Applicant::new(subject, signer.public_key().clone());
                let request = IssuanceRequest {
                    label: new.name.clone(),
                    applicant,
                    values,
                    authority: Some(self.authority_to_be(new, false)),
                    renewal: None,
                };
                let mut issuance = self.engine.issuance().issue(&issuer, profile.name(), &[request])?;
                if let Some(problem) = issuance.problem() {
                    return Err(problem);
                }
                let issued = issuance.issued.pop();
                let issued = issued.ok_or_else(|| Problem::new(Code::IndexFailed, "nothing was issued"))?;
                Ok([staggered, issued.notices].concat())
            })?;
        created.notices.extend(self.engine.maintenance().maintain(issuer)?);
        Ok(created)
    }

    /// Checks, before a key is made, that the responder's profile exists for a CA that is to have a
    /// responder.
    fn responder_can_be_made(&self, new: &NewAuthority, is_root: bool) -> Result<(), Problem> {
        if self.authority_to_be(new, is_root).serves_ocsp {
            self.engine.settings().profile(crate::ca::issuance::RESPONDER_PROFILE)?;
        }
        Ok(())
    }

    pub(in crate::ca) fn name_is_free(&self, name: &str) -> Result<(), Problem> {
        match self.engine.index().authority(name)? {
            Some(retired) if retired.retired.is_some() => {
                let until = self.engine.maintenance().unexpired(&retired, self.engine.now())?.named_until;
                let message = match until {
                    Some(until) => format!(
                        "{name} is retired, and its name is not free: until {until} certificates name {name}.crl or \
                         {name}.crt, where relying parties would get those of the new CA"
                    ),
                    None => format!("{name} is retired, and its name has not been freed yet"),
                };
                Err(Problem::new(Code::AuthorityExists, message)
                    .hint(remedy::Authority::FreeName(name.to_owned())))
            }
            Some(_) => Err(crate::index::IndexError::AuthorityExists(name.into()).into()),
            None => match self.pending_request(name)? {
                Some(_) => Err(already_pending(name)),
                None => Ok(()),
            },
        }
    }

    pub(in crate::ca) fn authority_to_be(
        &self,
        new: &NewAuthority,
        is_root: bool,
    ) -> index::IntendedAuthority {
        index::IntendedAuthority {
            name: new.name.clone(),
            key: Some(new.keystore.new_key(self.engine.keys(), &new.name).uri),
            serves_ocsp: new.ocsp.unwrap_or(!self.engine.settings().config.is_offline(&new.name, is_root)),
            succeeds: new.succeeds.clone(),
            renews: false,
        }
    }

    fn ask_for(&self, new: &NewAuthority, validity: RequestedValidity) -> RequestedValues {
        RequestedValues {
            validity,
            name_constraints: new.name_constraints.clone(),
            backdate: self.engine.settings().config.issuance.backdate,
            ..RequestedValues::default()
        }
    }

    /// Checks that a new CA may have this subject: no other CA has it, except generations of the same CA.
    /// Clients find issuers by their names.
    pub(in crate::ca) fn name_is_no_other_cas(
        &self,
        subject: &Name,
        succeeds: Option<&str>,
    ) -> Result<(), Problem> {
        let in_use = self.engine.index().authorities()?.into_iter().filter(|one| one.retired.is_none());
        let known: Vec<Known> = in_use.map(Known::of).collect();
        let prepared = subject.prepared();
        match others(&known, succeeds).into_iter().find(|one| one.subject == prepared) {
            None => Ok(()),
            Some(other) => {
                let bearer = format!("the CA {}", other.name);
                Err(IndexError::NameTaken { subject: subject.to_string(), bearer }.into())
            }
        }
    }

    /// Returns the requested subject, or the organization's attributes with the CA's name as commonName.
    pub(in crate::ca) fn subject_for(&self, new: &NewAuthority) -> Result<Name, Problem> {
        if let Some(subject) = &new.subject {
            return Ok(subject.clone());
        }
        self.engine
            .settings()
            .config
            .organization
            .subject(&new.name)
            .map_err(|error| Problem::of(Code::Usage, error).hint(remedy::Request::SubjectOrShorterName))
    }
}
