//! Certificates of a CA's name and key by other issuers: cross-certificates, and the links between two generations
//! of a root (RFC 4210 §4.4, RFC 9810 §4.4).
use super::authority::ancestors;
use super::certify::Draft;
use super::groups::on_record;
use super::problems::lint_problem;
use super::{IssuedCertificate, IssuingAuthority, Order, Pki};
use crate::index::{self, Authority};
use crate::lint;
use crate::problem::{Exit, Problem};
use crate::profile::{Applicant, Ask, Length};
use crate::x509::extension::{
    self, AccessDescription, BasicConstraints, NameConstraints, authority_info_access,
    authority_key_identifier, crl_distribution_points, subject_key_identifier_of,
};
use crate::x509::{Certificate, TbsCertificate, Validity};

/// What is asked of a cross-certificate.
#[derive(Clone, Debug)]
pub struct Crossing {
    /// What it is called in messages: a CA's name or a file's.
    pub label: String,
    /// A certificate of the CA that is to be certified once more.
    pub certificate: Certificate,
    /// The profile.
    pub profile: String,
    /// How long; never beyond the issuer's end.
    pub length: Length,
    /// Names that the CA may certify, besides what its own certificate says.
    pub name_constraints: NameConstraints,
    /// How many CAs may follow below it; `None` for what its own certificate says, else the profile's.
    pub path_length: Option<u8>,
}

impl Pki<'_> {
    /// Certifies a CA's name and key once more, by a CA of this home. Whoever trusts that one trusts the other from
    /// then on, as far as the certificate says.
    ///
    /// # Errors
    /// When it is no CA's certificate, the profile refuses, or index or disk fail.
    pub fn cross_sign(
        &self,
        issuer: &IssuingAuthority,
        crossing: &Crossing,
    ) -> Result<IssuedCertificate, Problem> {
        let certificate = &crossing.certificate;
        let tbs = certificate.tbs();
        if !certificate.is_ca() {
            let message = format!("{}: the certificate is not a CA's", crossing.label);
            return Err(Problem::new(Exit::Refused, "authority.not-a-ca", message)
                .hint("cross-sign takes the certificate of a CA; `genfic-ca sign` takes requests"));
        }
        if tbs.as_issuer() == issuer.authority().issuer {
            let message = format!("{} cannot certify itself once more", issuer.authority().name);
            return Err(Problem::new(Exit::Refused, "authority.itself", message)
                .hint("`genfic-ca renew-ca` gives a CA a new certificate"));
        }
        let ask = Ask {
            length: crossing.length,
            name_constraints: crossing.name_constraints.clone(),
            path_length: crossing
                .path_length
                .or_else(|| BasicConstraints::of(tbs).and_then(|constraints| constraints.path_length)),
            backdate: self.practices.config.issuance.backdate,
            of: Some(certificate.clone()),
            ..Ask::default()
        };
        let applicant = Applicant::new(tbs.subject().clone(), tbs.public_key().clone());
        let order = Order { label: crossing.label.clone(), applicant, ask, authority: None };
        let mut issuance = self.issue(issuer, &crossing.profile, &[order])?;
        if let Some(problem) = issuance.problem() {
            return Err(problem);
        }
        let issued = issuance
            .issued
            .pop()
            .ok_or_else(|| Problem::new(Exit::Failure, "index.failed", "nothing was issued"))?;
        self.republish().map_err(on_record)?;
        Ok(issued)
    }

    /// Certifies the name and key of another generation of a root: what that one's own certificate says, with this
    /// one's pointers, for as long as both are valid. The caller publishes the status, and then the certificate.
    pub(super) fn link(&self, issuer: &IssuingAuthority, other: &Authority) -> Result<Certificate, Problem> {
        let by = issuer.authority();
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
        let crl_urls: Vec<String> = self.practices.crl_url(&by.name).into_iter().collect();
        if !crl_urls.is_empty() {
            extensions.push(crl_distribution_points(&crl_urls));
        }
        let ocsp = self.practices.ocsp_url().filter(|_| by.serves_ocsp);
        let mut access: Vec<AccessDescription> =
            ocsp.as_deref().map(AccessDescription::ocsp).into_iter().collect();
        let ca_issuers = self.practices.certificate_url(&by.name);
        access.extend(ca_issuers.as_deref().map(AccessDescription::ca_issuers));
        if !access.is_empty() {
            extensions.push(authority_info_access(&access));
        }
        let begin = self.signing_time()?.plus(-self.practices.config.issuance.backdate);
        let validity = Validity {
            not_before: begin.max(own.validity().not_before),
            not_after: own.validity().not_after.min(subject.validity().not_after),
        };
        let tbs = TbsCertificate::encode(
            self.serials.serial_number()?,
            issuer.algorithm(),
            own.subject().clone(),
            validity,
            subject.subject().clone(),
            subject.public_key().clone(),
            extensions,
        );
        let tbs = lint::check_certificate_beside(tbs, Some(&by.certificate), &other.certificate)
            .map_err(|findings| lint_problem(&findings))?;
        let draft = Draft { by: &by.name, issuer: by.issuer, profile: &other.profile, tbs, authority: None };
        self.certify(draft, |tbs| issuer.issue(tbs))
    }

    /// What others certified of a CA's name and key ([`index::crossed`]).
    pub(super) fn crossed(&self, authority: &Authority) -> Result<Vec<Certificate>, Problem> {
        Ok(index::crossed(self.index, authority)?)
    }

    /// Publishes the certificates and chains of CAs that differ from what is published.
    pub(super) fn republish(&self) -> Result<(), Problem> {
        for authority in self.index.authorities()? {
            self.repeat_authority(&authority)?;
        }
        Ok(())
    }

    /// The CA that issued a certificate and those above it, for a chain.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn chain_of(&self, authority: &Authority) -> Result<Vec<Certificate>, Problem> {
        Ok([vec![authority.certificate.clone()], ancestors(self.index, authority)?].concat())
    }
}
