//! Further certificates of a CA's name and key by other issuers: cross-certificates, and key rollover
//! certificates between two generations of a root (RFC 4210 §4.4, RFC 9810 §4.4).
use super::Lifecycle;
use crate::ca::issuance::SelfIssuance;
use crate::ca::issuance::on_record;
use crate::ca::problems::lint_problem;
use crate::ca::publication::News;
use crate::ca::{IssuanceRequest, IssuedCertificate, IssuingAuthority, Published};
use crate::error::{Code, Notice, Problem, remedy};
use crate::index::{Authority, StatusValue};
use crate::lint::{self, Linted};
use crate::profile::{Applicant, Limits, RequestedValidity, RequestedValues};
use crate::x509::extension::{
    self, AccessDescription, NameConstraints, authority_info_access, authority_key_identifier,
    crl_distribution_points, subject_key_identifier_of,
};
use crate::x509::{Certificate, TbsCertificate, Validity};
use std::path::PathBuf;

/// A request for a cross-certificate.
#[derive(Clone, Debug)]
pub struct CrossCertification {
    /// Label in messages: the name of a CA or of a file.
    pub label: String,
    /// A certificate of the CA that is to be cross-certified.
    pub certificate: Certificate,
    /// Name of the profile.
    pub profile: String,
    /// Validity; never beyond the issuer's own.
    pub validity: RequestedValidity,
    /// Names that the CA may certify, besides the constraints of its own certificate.
    pub name_constraints: NameConstraints,
    /// `pathLenConstraint`: number of CAs below it. `None` for that of its own certificate or else the
    /// profile's.
    pub path_length: Option<u8>,
    /// Whether the constraints of its own certificate are left out.
    pub unconstrained: bool,
}

/// The key rollover certificates between two generations of a root (RFC 4210 §4.4, RFC 9810 §4.4).
#[derive(Clone, Debug)]
pub struct KeyRolloverCertificates {
    /// The new key, certified with the old one, for those who trust only the old root.
    pub new_with_old: Published<Certificate>,
    /// The old key, certified with the new one, for those who trust only the new root.
    pub old_with_new: Published<Certificate>,
    /// File in which `new_with_old` is published.
    pub new_with_old_file: PathBuf,
    /// File in which `old_with_new` is published.
    pub old_with_new_file: PathBuf,
}

impl Lifecycle<'_> {
    /// Cross-certifies a CA's name and key by a CA of this home. Whoever trusts the issuer trusts the other
    /// CA from then on, as far as the certificate says. The constraints of the shown certificate apply to the
    /// new one too, unless they are expressly left out.
    ///
    /// # Errors
    /// When the certificate is not that of a CA or has expired, one of its name and key is revoked or on
    /// hold, its constraints cannot be repeated, the profile refuses, or index or disk fail.
    pub fn cross_sign(
        &self,
        issuer: &IssuingAuthority,
        cross_certification: &CrossCertification,
    ) -> Result<IssuedCertificate, Problem> {
        let certificate = &cross_certification.certificate;
        let (request, carried) = self.cross_request(issuer.authority(), cross_certification)?;
        let before = self.certified_before(issuer.authority(), certificate)?;
        let mut issuance = self.engine.issuance().issue(issuer, &cross_certification.profile, &[request])?;
        if let Some(problem) = issuance.problem() {
            return Err(problem);
        }
        let mut issued =
            issuance.issued.pop().ok_or_else(|| Problem::new(Code::IndexFailed, "nothing was issued"))?;
        issued.notices.extend(carried.map(Notice::from));
        issued.notices.extend(self.unconstrained(issued.certificate.tbs(), issuer.authority())?);
        issued.notices.extend(before.map(Notice::from));
        let before = self.engine.index().summaries().map_err(|error| on_record(error.into()))?;
        let (status, _) = self.engine.publication().repeat_status().map_err(on_record)?;
        self.engine.publication().repeat_chains(&before, &status).map_err(on_record)?;
        Ok(issued)
    }

    /// Returns the request for a cross-certificate by this CA, and a notice about the limits that go with it.
    ///
    /// # Errors
    /// As [`Lifecycle::cross_sign`], as far as nothing is issued.
    pub(super) fn cross_request(
        &self,
        issuer: &Authority,
        cross_certification: &CrossCertification,
    ) -> Result<(IssuanceRequest, Option<String>), Problem> {
        let certificate = &cross_certification.certificate;
        let tbs = certificate.tbs();
        if !certificate.is_ca() {
            let message = format!("{}: the certificate is not a CA's", cross_certification.label);
            return Err(Problem::new(Code::AuthorityNotACa, message).hint(remedy::Authority::SignRequests));
        }
        if tbs.as_issuer() == issuer.issuer {
            let message = format!("{} cannot certify itself once more", issuer.name);
            return Err(Problem::new(Code::AuthorityItself, message).hint(remedy::Authority::RenewInstead));
        }
        self.may_come_back(&cross_certification.label, certificate)?;
        let end = tbs.validity().not_after;
        if end < self.engine.signing_time()? {
            let message = format!("{}: the certificate ended on {end}", cross_certification.label);
            return Err(
                Problem::new(Code::AuthorityEnded, message).hint(remedy::Authority::CertificateInForce)
            );
        }
        let limits =
            if cross_certification.unconstrained { Limits::default() } else { Limits::of(certificate)? };
        if let (Some(asked), Some(limit)) = (cross_certification.path_length, limits.path_length)
            && asked > limit
        {
            let message =
                format!("a path length of {asked} is asked for, and its own certificate says {limit}");
            return Err(
                Problem::new(Code::PolicyPathLength, message).hint(remedy::Request::LessOrUnconstrained)
            );
        }
        let carried = (!limits.is_empty())
            .then(|| format!("its own certificate limits it, and so does this one: {limits}"));
        let values = RequestedValues {
            validity: cross_certification.validity,
            name_constraints: limits.narrowed(&cross_certification.name_constraints)?,
            path_length: cross_certification.path_length.or(limits.path_length),
            limits: Some(limits),
            until: (!cross_certification.unconstrained).then_some(end),
            backdate: self.engine.settings().config.issuance.backdate,
            of: Some(certificate.clone()),
            ..RequestedValues::default()
        };
        let applicant = Applicant::new(tbs.subject().clone(), tbs.public_key().clone());
        let request = IssuanceRequest {
            label: cross_certification.label.clone(),
            applicant,
            values,
            authority: None,
            renewal: None,
        };
        Ok((request, carried))
    }

    /// Returns a warning about a certificate that lets an external CA certify every name.
    pub(super) fn unconstrained(
        &self,
        tbs: &TbsCertificate,
        issuer: &Authority,
    ) -> Result<Option<Notice>, Problem> {
        let constraints = NameConstraints::of(tbs).ok().flatten().unwrap_or_default();
        let all = self.engine.index().authorities()?;
        let is_own = all.iter().any(|one| one.issuer == tbs.as_issuer() && !one.is_external());
        let by = &issuer.name;
        Ok((constraints.permitted.is_empty() && !is_own).then(|| {
            let but = if constraints.excluded.is_empty() { "" } else { " but those that are excluded" };
            Notice::from(format!("it may certify every name{but}, for whoever trusts {by}"))
                .remedy(remedy::Authority::ConstrainAndRevoke(format!("{by}/{}", tbs.serial_number())))
        }))
    }

    /// Returns a warning when the CA has certified this name and key before and that certificate is still
    /// valid.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn certified_before(&self, issuer: &Authority, of: &Certificate) -> Result<Option<String>, Problem> {
        let mut before = self.engine.hierarchy().certified(issuer, of)?;
        before.retain(|record| record.status(self.engine.now()) == StatusValue::Valid);
        Ok(before.pop().map(|record| {
            let (name, serial) = (&record.authority, &record.id.serial_number);
            let end = record.validity.not_after;
            format!("{name} has certified the same name and key before: {name}/{serial}, valid until {end}")
        }))
    }

    /// Issues key rollover certificates between two generations of a root, both ways, and publishes them.
    ///
    /// # Errors
    /// When one of them may not issue, or index or disk fail.
    pub fn rollover(
        &self,
        old: &IssuingAuthority,
        new: &IssuingAuthority,
    ) -> Result<KeyRolloverCertificates, Problem> {
        self.certify_each_other(old, new, [None, None])
    }

    /// Issues those key rollover certificates that are missing, and takes valid ones as they are.
    pub(in crate::ca) fn lacking_rollover(
        &self,
        old: &IssuingAuthority,
        new: &IssuingAuthority,
    ) -> Result<KeyRolloverCertificates, Problem> {
        let valid = |issuer: &IssuingAuthority, other: &IssuingAuthority| {
            let made =
                self.engine.hierarchy().certified(issuer.authority(), &other.authority().certificate)?;
            let now = self.engine.now();
            let valid = made.into_iter().rfind(|record| record.status(now) == StatusValue::Valid);
            Ok::<_, Problem>(valid.and_then(|record| record.certificate))
        };
        self.certify_each_other(old, new, [valid(old, new)?, valid(new, old)?])
    }

    /// Issues the key rollover certificate of a generation of a root with the key of another one, and publishes it: half
    /// of [`Lifecycle::rollover`], where the key of the other one is offline.
    ///
    /// # Errors
    /// When it may not issue, or index or disk fail.
    pub fn half_rollover(
        &self,
        by: &IssuingAuthority,
        other: &Authority,
    ) -> Result<(Published<Certificate>, PathBuf), Problem> {
        for one in [by.authority(), other] {
            self.may_come_back(&one.name, &one.certificate)?;
        }
        let signing = self.engine.index().signing()?;
        let made = self.link(by, other)?;
        drop(signing);
        let (name, other) = (by.authority().name.as_str(), other.name.as_str());
        let news =
            News { issued: vec![(Some(name), vec![made])], authorities: vec![other], ..News::default() };
        let public = self.engine.publication().publish(news).map_err(on_record)?;
        let mut made = public.issued.into_iter().zip(public.authorities);
        let ((link, _), (_, files)) =
            made.next().ok_or_else(|| Problem::new(Code::IndexFailed, "no link was published"))?;
        Ok((link, files.cross_certificates.unwrap_or_default()))
    }

    fn certify_each_other(
        &self,
        old: &IssuingAuthority,
        new: &IssuingAuthority,
        [new_with_old, old_with_new]: [Option<Certificate>; 2],
    ) -> Result<KeyRolloverCertificates, Problem> {
        for one in [old, new] {
            self.may_come_back(&one.authority().name, &one.authority().certificate)?;
        }
        let signing = self.engine.index().signing()?;
        let new_with_old = new_with_old.map_or_else(|| self.link(old, new.authority()), Ok)?;
        let old_with_new = old_with_new.map_or_else(|| self.link(new, old.authority()), Ok)?;
        drop(signing);
        let (older, newer) = (old.authority().name.as_str(), new.authority().name.as_str());
        let issued = vec![(Some(older), vec![new_with_old]), (Some(newer), vec![old_with_new])];
        let news = News { issued, authorities: vec![newer, older], ..News::default() };
        let public = self.engine.publication().publish(news).map_err(on_record)?;
        let mut rollover = public.issued.into_iter().zip(public.authorities);
        let mut next = || {
            let ((link, _), (_, files)) =
                rollover.next().ok_or_else(|| Problem::new(Code::IndexFailed, "no link was published"))?;
            Ok::<_, Problem>((link, files.cross_certificates.unwrap_or_default()))
        };
        let ((new_with_old, new_with_old_file), (old_with_new, old_with_new_file)) = (next()?, next()?);
        Ok(KeyRolloverCertificates { new_with_old, old_with_new, new_with_old_file, old_with_new_file })
    }

    /// Certifies the name and key of another generation of a root, with the extensions of that generation's
    /// certificate, the URLs of this one, and the period in which both are valid. The caller publishes the
    /// status, and then the certificate.
    fn link(&self, issuer: &IssuingAuthority, other: &Authority) -> Result<Certificate, Problem> {
        let by = issuer.authority();
        let tbs = self.link_asked(by, other)?;
        let draft =
            SelfIssuance { by: &by.name, issuer: by.issuer, profile: &other.profile, tbs, authority: None };
        self.engine.issuance().self_issue(draft, |tbs| issuer.issue(tbs))
    }

    /// Returns the certificate that [`Lifecycle::link`] signs and records.
    pub(super) fn link_asked(
        &self,
        by: &Authority,
        other: &Authority,
    ) -> Result<Linted<TbsCertificate>, Problem> {
        let (own, subject) = (by.certificate.tbs(), other.certificate.tbs());
        let mut extensions = Vec::new();
        let replaced = [
            extension::AUTHORITY_KEY_IDENTIFIER,
            extension::CRL_DISTRIBUTION_POINTS,
            extension::AUTHORITY_INFO_ACCESS,
            extension::FRESHEST_CRL,
        ];
        for one in subject.extensions().iter().filter(|one| !replaced.contains(&one.oid)) {
            extensions.push(one.clone());
            if one.oid == extension::SUBJECT_KEY_IDENTIFIER {
                extensions.push(authority_key_identifier(&by.certificate.key_identifier()));
            }
        }
        if !extensions.iter().any(|one| one.oid == extension::AUTHORITY_KEY_IDENTIFIER) {
            extensions.push(subject_key_identifier_of(&other.certificate.key_identifier()));
            extensions.push(authority_key_identifier(&by.certificate.key_identifier()));
        }
        let crl_urls: Vec<String> = self.engine.settings().crl_url(&by.name).into_iter().collect();
        if !crl_urls.is_empty() {
            extensions.push(crl_distribution_points(&crl_urls));
        }
        let ocsp = self.engine.settings().ocsp_url().filter(|_| by.serves_ocsp);
        let mut access: Vec<AccessDescription> =
            ocsp.as_deref().map(AccessDescription::ocsp).into_iter().collect();
        let ca_issuers = self.engine.settings().certificate_url(&by.name);
        access.extend(ca_issuers.as_deref().map(AccessDescription::ca_issuers));
        if !access.is_empty() {
            extensions.push(authority_info_access(&access));
        }
        let begin = self.engine.signing_time()?.plus(-self.engine.settings().config.issuance.backdate);
        let validity = Validity {
            not_before: begin.max(own.validity().not_before),
            not_after: own.validity().not_after.min(subject.validity().not_after),
        };
        let tbs = TbsCertificate::encode(
            self.engine.serials().serial_number()?,
            own.public_key().algorithm().signature_algorithm(),
            own.subject().clone(),
            validity,
            subject.subject().clone(),
            subject.public_key().clone(),
            extensions,
        );
        lint::check_certificate_beside(tbs, Some(&by.certificate), &other.certificate)
            .map_err(|findings| lint_problem(&findings))
    }
}
