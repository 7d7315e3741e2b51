//! Delegated responder certificates (RFC 6960 §4.2.2.2).
use super::Issuance;
use crate::ca::{IssuanceOutcome, IssuanceRequest, IssuingAuthority, Published};
use crate::error::{Code, Notice, Problem};
use crate::profile::{Applicant, RequestedValidity, RequestedValues};
use crate::signing::PlainKey;
use crate::x509::{
    Attribute, AttributeType, Certificate, Name, SubjectPublicKeyInfo, TbsCertificate, UnixTime,
};
use std::path::PathBuf;

/// Name of the profile that responder certificates are issued under.
pub(in crate::ca) const PROFILE: &str = "ocsp-responder";

/// A responder certificate that was issued and handed over with its key.
#[derive(Clone, Debug)]
pub struct IssuedResponder {
    /// Name of the CA that the responder answers for.
    pub authority: String,
    /// The certificate.
    pub certificate: Published<Certificate>,
    /// The file that certificate and key were written to.
    pub file: PathBuf,
    /// Values that were granted otherwise than requested.
    pub notices: Vec<Notice>,
}

impl Issuance<'_> {
    /// Issues a responder certificate for a fresh key and hands over both. The key is not encrypted: it is
    /// short-lived and can sign nothing but OCSP responses.
    ///
    /// # Errors
    /// When the profile is missing or refuses, or index or disk fail.
    pub fn issue_responder(&self, issuer: &IssuingAuthority) -> Result<IssuedResponder, Problem> {
        let name = issuer.authority().name.clone();
        let profile = self.engine.settings().profile(PROFILE)?;
        let key = PlainKey::generate(self.engine.settings().config.keys.responder)?;
        let request = self.responder_request(&name, &name, key.public_key.clone(), None)?;
        let mut issuance = self.issue_under(issuer, (profile, false), &[request])?;
        if let Some(problem) = issuance.problem() {
            return Err(problem);
        }
        let issued =
            issuance.issued.pop().ok_or_else(|| Problem::new(Code::IndexFailed, "nothing was issued"))?;
        let file = self.engine.publisher().responder(&name, &issued.certificate, &key.pem)?;
        let mut event = self.engine.event(self.engine.now(), "responder.installed", &*name);
        event.details.push(("serial".into(), issued.certificate.tbs().serial_number().to_string()));
        self.engine.index().record_event(event)?;
        Ok(IssuedResponder {
            authority: name,
            certificate: issued.certificate,
            file,
            notices: issued.notices,
        })
    }

    /// Returns the request for a responder with this key. The CA chooses the subject. The certificate is valid
    /// for `days`, or for as long as the configuration says.
    ///
    /// # Errors
    /// When there is no such CA, or `days` exceeds what the configuration allows a responder of a CA with an
    /// offline key.
    pub fn responder_request(
        &self,
        name: &str,
        label: &str,
        public_key: SubjectPublicKeyInfo,
        days: Option<i64>,
    ) -> Result<IssuanceRequest, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        let config = &self.engine.settings().config;
        let longest = config.ocsp.responder_days_offline;
        let offline = config.is_offline(name, authority.parent.is_none());
        let usual = if offline { longest } else { config.ocsp.responder_days };
        let days = days.unwrap_or(usual);
        if days > longest.max(usual) {
            let message = format!("a responder certificate of {days} days: the longest is {longest}");
            return Err(Problem::new(Code::PolicyTooLong, message)
                .hint("give fewer days, or set responder_days_offline below [ocsp]: it cannot be revoked"));
        }
        let ancestors = self.engine.hierarchy().ancestors(&authority)?;
        let own = authority.certificate.tbs().validity().not_after;
        let end = ancestors.iter().map(|one| one.tbs().validity().not_after).fold(own, UnixTime::min);
        let wanted = self.engine.now().plus_days(days);
        let values = RequestedValues {
            validity: if wanted > end { RequestedValidity::Max } else { RequestedValidity::Days(days) },
            backdate: config.issuance.backdate,
            ..RequestedValues::default()
        };
        let subject = responder_subject(authority.certificate.tbs().subject(), name)?;
        let subject = self.engine.settings().profile(PROFILE)?.admissible_subject(&subject);
        let applicant = Applicant::new(subject, public_key);
        Ok(IssuanceRequest { label: label.into(), applicant, values, authority: None })
    }

    /// Returns what [`Issuance::unlock_and_issue_responders`] would sign for one request.
    ///
    /// # Errors
    /// As for a request that is refused.
    pub fn preview_responder(
        &self,
        name: &str,
        request: &IssuanceRequest,
    ) -> Result<(TbsCertificate, Vec<Notice>), Problem> {
        self.preview_under(name, self.engine.settings().profile(PROFILE)?, request)
    }

    /// Issues responder certificates for keys on other hosts, for requests made by
    /// [`Issuance::responder_request`]. Whoever has such a key answers for the CA until the certificate
    /// expires; it cannot be revoked.
    ///
    /// # Errors
    /// As [`Issuance::unlock_issuer`] and [`Issuance::issue`].
    pub fn unlock_and_issue_responders(
        &self,
        name: &str,
        requests: &[IssuanceRequest],
    ) -> Result<(Option<IssuingAuthority>, IssuanceOutcome), Problem> {
        let profile = self.engine.settings().profile(PROFILE)?;
        let issuer = self.unlock_issuer(name)?;
        let issuance = self.issue_under(&issuer, (profile, true), requests)?;
        Ok((Some(issuer), issuance))
    }
}

/// Returns the subject of a responder: the CA's attributes without its commonName, and a commonName that says
/// what the certificate is for.
fn responder_subject(ca: &Name, name: &str) -> Result<Name, Problem> {
    let common_name = AttributeType::by_name("CN");
    let mut attributes: Vec<Attribute> = ca
        .attributes()
        .into_iter()
        .filter(|attribute| Some(attribute.oid) != common_name.map(|kind| kind.oid))
        .collect();
    if let Some(kind) = common_name {
        let text: String = format!("{name} OCSP responder").chars().take(kind.upper_bound).collect();
        let attribute = Attribute::new(kind, &text).map_err(|error| Problem::of(Code::Usage, error))?;
        attributes.push(attribute);
    }
    Ok(Name::from_attributes(&attributes))
}
