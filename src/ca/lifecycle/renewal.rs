//! New certificates for CAs, with the same name and the same key.
use super::Lifecycle;
use crate::ca::authority::mismatched;
use crate::ca::issuance::Parent;
use crate::ca::issuance::SelfIssuance;
use crate::ca::issuance::on_record;
use crate::ca::problems::lint_problem;
use crate::ca::publication::News;
use crate::ca::{IssuanceRequest, Published};
use crate::error::{Code, Notice, Problem, remedy};
use crate::index::{self, Authority, Filter};
use crate::lint::{self, Linted};
use crate::profile::{Applicant, Kind, Limits, Profile, RequestedValidity, RequestedValues};
use crate::repository::AuthorityFiles;
use crate::x509::extension::{
    AUTHORITY_KEY_IDENTIFIER, BasicConstraints, NameConstraints, names_issuer_by_number,
};
use crate::x509::{Certificate, TbsCertificate, UnixTime};

/// Name of the profile of roots.
pub(in crate::ca) const ROOT_PROFILE: &str = "root-ca";

/// A request for a CA's new certificate.
#[derive(Clone, Debug, Default)]
pub struct AuthorityRenewal {
    /// Validity; the default is staggered against the CA's siblings.
    pub validity: RequestedValidity,
    /// Name of the profile; `None` for the one on record.
    pub profile: Option<String>,
}

/// A CA that has a new certificate.
#[derive(Clone, Debug)]
pub struct RenewedAuthority {
    /// The CA as recorded now.
    pub authority: Published<Authority>,
    /// The previous certificate, which stays valid until it expires.
    pub replaces: Certificate,
    /// Files in which certificate and chain were published.
    pub files: AuthorityFiles,
    /// Choices made for the administrator, and warnings about unusual circumstances.
    pub notices: Vec<Notice>,
}

impl Lifecycle<'_> {
    /// Gives the newest generation of a CA a new certificate of the same name and key. The previous
    /// certificate stays valid, and what the CA issued verifies with both. An expired CA can be renewed, a
    /// revoked one cannot.
    ///
    /// # Errors
    /// When the CA is revoked or its issuer is not in this home, the profile refuses, or the key, the index
    /// or the disk fails.
    pub fn renew_authority(&self, name: &str, asked: &AuthorityRenewal) -> Result<RenewedAuthority, Problem> {
        let authority = self.newest(name)?;
        self.may_be_renewed(&authority)?;
        self.is_issued_here(&authority)?;
        let replaces = authority.certificate.clone();
        let profile = asked.profile.as_deref().unwrap_or(&authority.profile);
        let mut notices = match &authority.parent {
            Some(parent) => self.renew_child(&authority, parent, profile, asked.validity)?,
            None => self.renew_root(&authority, profile, asked.validity)?,
        };
        let authority = self.engine.hierarchy().authority(&authority.name)?;
        let (old, new) =
            (replaces.tbs().validity().not_after, authority.certificate.tbs().validity().not_after);
        if new <= old {
            notices.push(
                format!("the new certificate ends on {new}, no later than the one before it on {old}").into(),
            );
        }
        notices.extend(self.bound_to_one_certificate(&authority)?.map(Notice::from));
        let mut event = self.engine.event(self.engine.now(), "authority.renewed", &*authority.name);
        let serial_number = |certificate: &Certificate| certificate.tbs().serial_number().to_string();
        event.details.push(("serial".into(), serial_number(&authority.certificate)));
        event.details.push(("replaces".into(), serial_number(&replaces)));
        self.engine.index().record_event(event).map_err(|error| on_record(error.into()))?;
        let news =
            News { authorities: vec![authority.name.as_str()], changes_chains: true, ..News::default() };
        let (authority, files) =
            self.engine.publication().publish(news).map_err(on_record)?.last_authority()?;
        Ok(RenewedAuthority { authority, replaces, files, notices })
    }

    /// Refuses to renew a CA below an external CA: its owners have to sign the request.
    pub(in crate::ca) fn is_issued_here(&self, authority: &Authority) -> Result<(), Problem> {
        let Some(parent) = &authority.parent else { return Ok(()) };
        if !self.engine.hierarchy().authority(parent)?.is_external() {
            return Ok(());
        }
        let message = format!("{parent}, which issued {}, is run by others", authority.name);
        Err(Problem::new(Code::KeyElsewhere, message).hint(remedy::Authority::RequestFromOthers))
    }

    /// Refuses a new certificate of the same key while a certificate of the CA's name and key is revoked or
    /// on hold.
    pub(in crate::ca) fn may_be_renewed(&self, authority: &Authority) -> Result<(), Problem> {
        if let Some(retired) = &authority.retired {
            let message = format!("{} was retired at {}", authority.name, retired.at);
            return Err(Problem::new(Code::IssuerUnfit, message).hint(remedy::Authority::Retired));
        }
        if !self.engine.hierarchy().is_revoked(authority)? {
            return self.may_come_back(&authority.name, &authority.certificate);
        }
        let message = format!("{} is revoked, and no new certificate of its key is issued", authority.name);
        Err(Problem::new(Code::AuthorityRevoked, message)
            .hint(remedy::Authority::NewKey(authority.name.clone())))
    }

    /// Returns a warning when certificates issued elsewhere name their issuer's certificate by its serial
    /// number. They verify with that certificate alone, even if another has the same key.
    pub(in crate::ca) fn bound_to_one_certificate(
        &self,
        authority: &Authority,
    ) -> Result<Option<String>, Problem> {
        let mut found = false;
        let from_external = Filter {
            authority: Some(authority.name.clone()),
            ending: Some((self.engine.now(), UnixTime::NO_END)),
            profile: Some(String::new()),
            ..Filter::default()
        };
        self.engine.index().list(&from_external, &mut |record| {
            let certificate = record.certificate.as_ref().map(Certificate::tbs);
            let extension = certificate.and_then(|tbs| tbs.extension(AUTHORITY_KEY_IDENTIFIER));
            found = extension.is_some_and(|one| names_issuer_by_number(&one.value));
            !found
        })?;
        Ok(found.then(|| {
            format!(
                "certificates that {} issued elsewhere name its certificate by number: until they end or are renewed, \
                 clients need the old one of it too",
                authority.name
            )
        }))
    }

    /// Returns the newest generation of the CA of this name.
    ///
    /// # Errors
    /// When there is no such CA, or it is an external CA.
    pub fn newest(&self, name: &str) -> Result<Authority, Problem> {
        let newest = self
            .engine
            .hierarchy()
            .generations(name)?
            .pop()
            .ok_or_else(|| crate::ca::hierarchy::no_authority(name))?;
        if newest.is_external() {
            let message = format!("{} is run by others; it is here for the CAs below it", newest.name);
            return Err(Problem::new(Code::KeyElsewhere, message)
                .hint("ask those who run it for its new certificate"));
        }
        Ok(newest)
    }

    fn ask_beside(
        &self,
        authority: &Authority,
        profile: &str,
        validity: RequestedValidity,
    ) -> Result<RequestedValues, Problem> {
        let tbs = authority.certificate.tbs();
        // a profile that lists purposes decides; one that lists none drops nothing that limits the CA
        let limits = match self.engine.settings().profile(profile)?.has_purposes() {
            true => None,
            false => Some(Limits::of_purposes(&authority.certificate)),
        };
        Ok(RequestedValues {
            validity,
            name_constraints: constraints_of(authority)?,
            limits,
            path_length: BasicConstraints::of(tbs).and_then(|constraints| constraints.path_length),
            backdate: self.engine.settings().config.issuance.backdate,
            of: Some(authority.certificate.clone()),
            ..RequestedValues::default()
        })
    }

    /// Returns what is requested of the issuer of a CA that is renewed under its present profile.
    pub(super) fn renewal_values(
        &self,
        authority: &Authority,
    ) -> Result<(RequestedValues, index::IntendedAuthority), Problem> {
        let values = self.ask_beside(authority, &authority.profile, RequestedValidity::Default)?;
        Ok((values, self.renewed(authority)))
    }

    pub(super) fn renewed(&self, authority: &Authority) -> index::IntendedAuthority {
        index::IntendedAuthority {
            name: authority.name.clone(),
            key: Some(authority.key.clone()),
            serves_ocsp: authority.serves_ocsp,
            succeeds: authority.succeeds.clone(),
            renews: true,
        }
    }

    fn renew_child(
        &self,
        authority: &Authority,
        parent: &str,
        profile: &str,
        validity: RequestedValidity,
    ) -> Result<Vec<Notice>, Problem> {
        let now = self.engine.signing_time()?;
        let parent = self.engine.hierarchy().issuing_generation(parent, self.engine.now())?.name;
        let issuer = self.engine.issuance().unlock_issuer(&parent)?;
        let family = self.engine.hierarchy().family_names(Some(&authority.name))?;
        let rules = self.engine.settings().profile(profile)?;
        let below = Parent::new(self.engine, issuer.authority(), issuer.ancestors(), &family, now)?;
        let (validity, mut notices) = self.engine.issuance().staggered(&below, rules, validity, now);
        let tbs = authority.certificate.tbs();
        let request = IssuanceRequest {
            label: authority.name.clone(),
            applicant: Applicant::new(tbs.subject().clone(), tbs.public_key().clone()),
            values: self.ask_beside(authority, profile, validity)?,
            authority: Some(self.renewed(authority)),
            renewal: None,
        };
        let mut issuance = self.engine.issuance().issue(&issuer, profile, &[request])?;
        if let Some(problem) = issuance.problem() {
            return Err(problem);
        }
        notices.extend(issuance.issued.pop().map(|issued| issued.notices).unwrap_or_default());
        if authority.parent.as_deref() != Some(&parent) {
            let family = authority.parent.as_deref().unwrap_or_default();
            notices.push(format!("{parent} issued it, the newest generation of {family}").into());
        }
        notices.extend(self.engine.maintenance().maintain(issuer)?);
        Ok(notices)
    }

    /// Returns the profile that a CA's self-signed certificate is evaluated under: its own, or the profile of
    /// roots when its own is for subordinate CAs. A CA that was made elsewhere may be its own root and issue
    /// to subscribers.
    pub(in crate::ca) fn rules_for_itself<'p>(
        &'p self,
        profile: &'p Profile,
    ) -> Result<&'p Profile, Problem> {
        if profile.kind() == Kind::Ca { self.engine.settings().profile(ROOT_PROFILE) } else { Ok(profile) }
    }

    fn renew_root(
        &self,
        authority: &Authority,
        profile: &str,
        validity: RequestedValidity,
    ) -> Result<Vec<Notice>, Problem> {
        let now = self.engine.signing_time()?;
        let (tbs, notices) = self.own_renewal(authority, profile, validity, now)?;
        let signer = self.engine.open(authority)?;
        if signer.public_key() != authority.certificate.tbs().public_key() {
            return Err(mismatched(&authority.name));
        }
        self.engine.show_last_crl(authority)?;
        let _signing = self.engine.index().signing()?;
        let draft = SelfIssuance {
            by: &authority.name,
            issuer: authority.issuer,
            profile,
            tbs,
            authority: Some(self.renewed(authority)),
        };
        self.engine.issuance().self_issue(draft, |tbs| Ok(signer.sign_certificate(tbs, None)?))?;
        Ok(notices)
    }

    /// Returns the next self-signed certificate of a root, for the same key, and choices that were made.
    pub(super) fn own_renewal(
        &self,
        authority: &Authority,
        profile: &str,
        validity: RequestedValidity,
        now: UnixTime,
    ) -> Result<(Linted<TbsCertificate>, Vec<Notice>), Problem> {
        let profile = self.engine.settings().profile(profile)?;
        let tbs = authority.certificate.tbs();
        let applicant = Applicant::new(tbs.subject().clone(), tbs.public_key().clone());
        let values = self.ask_beside(authority, profile.name(), validity)?;
        let rules = self.rules_for_itself(profile)?;
        let template = rules.evaluate(&applicant, None, &values, now).map_err(Problem::from)?;
        let algorithm = tbs.public_key().algorithm().signature_algorithm();
        let number = self.engine.serials().serial_number()?;
        let tbs = template.assemble(number, algorithm, &template.subject);
        let tbs = lint::check_certificate_beside(tbs, None, &authority.certificate)
            .map_err(|findings| lint_problem(&findings))?;
        Ok((tbs, Notice::each(template.notices)))
    }
}

/// Returns the name constraints of a CA's own certificate.
pub(in crate::ca) fn constraints_of(authority: &Authority) -> Result<NameConstraints, Problem> {
    let constraints = NameConstraints::of(authority.certificate.tbs());
    Ok(constraints.map_err(|error| Problem::of(Code::KeptFileMalformed, error))?.unwrap_or_default())
}
