//! Delegated responder certificates (RFC 6960 §4.2.2.2).
use super::Issuance;
use crate::ca::{IssuanceOutcome, IssuanceRequest, IssuingAuthority, Published};
use crate::error::{Code, Notice, Problem, remedy};
use crate::profile::{Applicant, RequestedValidity, RequestedValues};
use crate::signing::{PlainKey, PresentResponder};
use crate::x509::{
    Attribute, AttributeType, Certificate, Name, SubjectPublicKeyInfo, TbsCertificate, UnixTime,
};
use std::path::PathBuf;
use zeroize::Zeroizing;

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
    /// Where a signer that is a service has the CA's key, the certificate is valid for no longer than the one before, if
    /// that is valid now: then its key vouches for this one, and nobody has to unlock the CA's key for responders.
    ///
    /// # Errors
    /// When the profile is missing or refuses, or index or disk fail.
    pub fn issue_responder(&self, issuer: &IssuingAuthority) -> Result<IssuedResponder, Problem> {
        let before = if issuer.is_in_service() { self.valid_before(issuer) } else { None };
        let key = self.next_key(&issuer.authority().name)?;
        self.issue_responder_for(issuer, &key, before)
    }

    /// Issues a responder certificate as [`Issuance::issue_responder`], and for as long as the configuration says.
    ///
    /// # Errors
    /// As [`Issuance::issue_responder`].
    pub fn issue_responder_in_full(&self, issuer: &IssuingAuthority) -> Result<IssuedResponder, Problem> {
        let key = self.next_key(&issuer.authority().name)?;
        self.issue_responder_for(issuer, &key, None)
    }

    /// Returns the key that comes after that of the responder of this CA that is in use.
    pub(in crate::ca) fn next_key(&self, name: &str) -> Result<PlainKey, Problem> {
        let publisher = self.engine.publisher();
        let kept = publisher.responder_token(name).zip(publisher.responder_certificate(name));
        Ok(match kept {
            // a key in a token stays the responder's
            Some((uri, certificate)) => PlainKey::in_token(&uri, certificate.tbs().public_key().clone()),
            None => PlainKey::generate(self.engine.settings().config.keys.responder)?,
        })
    }

    /// Returns the responder of a CA that is in use, if its key is in a file.
    pub(in crate::ca) fn present_responder(&self, name: &str) -> Option<PresentResponder> {
        let publisher = self.engine.publisher();
        PresentResponder::of(publisher.responder_certificate(name)?, &publisher.responder_key(name)?)
    }

    /// Returns how long the certificate of the responder in use is valid in all, if this CA's key made it and it is valid
    /// now.
    fn valid_before(&self, issuer: &IssuingAuthority) -> Option<i64> {
        let certificate = self.engine.publisher().responder_certificate(&issuer.authority().name)?;
        let validity = certificate.tbs().validity();
        let is_own = certificate.is_signed_by(issuer.authority().certificate.tbs().public_key());
        let seconds = validity.not_after.0.saturating_sub(validity.not_before.0);
        (is_own && validity.contains(self.engine.now())).then_some(seconds)
    }

    /// Issues a responder certificate for a key in a token with this URI, or when there is none for a fresh key.
    ///
    /// # Errors
    /// As [`Issuance::issue_responder`].
    pub fn issue_responder_with(
        &self,
        issuer: &IssuingAuthority,
        token: Option<(&str, SubjectPublicKeyInfo)>,
    ) -> Result<IssuedResponder, Problem> {
        let key = match token {
            Some((uri, public_key)) => PlainKey::in_token(uri, public_key),
            None => PlainKey::generate(self.engine.settings().config.keys.responder)?,
        };
        self.issue_responder_for(issuer, &key, None)
    }

    /// Issues the certificate, for no longer than these seconds.
    fn issue_responder_for(
        &self,
        issuer: &IssuingAuthority,
        key: &PlainKey,
        longest: Option<i64>,
    ) -> Result<IssuedResponder, Problem> {
        let name = issuer.authority().name.clone();
        let profile = self.engine.settings().profile(PROFILE)?;
        let mut request = self.responder_request(&name, &name, key.public_key.clone(), None)?;
        let shortened = longest.and_then(|longest| self.shorten(&name, &mut request, longest));
        let mut issuance = self.issue_under(issuer, (profile, false), &[request])?;
        if let Some(problem) = issuance.problem() {
            return Err(problem);
        }
        let issued =
            issuance.issued.pop().ok_or_else(|| Problem::new(Code::IndexFailed, "nothing was issued"))?;
        let publisher = self.engine.publisher();
        let waiting = self.waiting_key(&name).map(|waiting| waiting.pem).unwrap_or_default();
        let keys = Zeroizing::new([key.pem.as_str(), waiting.as_str()].concat());
        let file = publisher.responder(&name, &issued.certificate, &keys)?;
        let mut event = self.engine.event(self.engine.now(), "responder.installed", &*name);
        event.details.push(("serial".into(), issued.certificate.tbs().serial_number().to_string()));
        self.engine.index().record_event(event)?;
        let notices = issued.notices.into_iter().chain(shortened).collect();
        Ok(IssuedResponder { authority: name, certificate: issued.certificate, file, notices })
    }

    /// Returns the key of a responder whose certificate a ceremony is asked for, and which waits beside the one in use.
    fn waiting_key(&self, name: &str) -> Option<PlainKey> {
        let asked = self.engine.open_ceremony(name).ok()??.0;
        let file = self.engine.publisher().responder_key(name)?;
        let mut items = asked.items.iter().filter_map(|item| item.tbs.certificate());
        items.find_map(|tbs| PlainKey::found_in(&file, tbs.public_key()))
    }

    /// Shortens what is requested to these seconds. Returns a notice when that is less than the configuration says.
    fn shorten(&self, name: &str, request: &mut IssuanceRequest, longest: i64) -> Option<Notice> {
        // the last second belongs to the certificate
        let whole = longest.saturating_add(1) / UnixTime::DAY;
        match request.values.validity {
            RequestedValidity::Days(days) if whole >= 1 && whole < days => {
                request.values.validity = RequestedValidity::Days(whole);
                let text = format!(
                    "the responder certificate of {name} is valid for {whole} days, as long as the one before, which \
                     vouches for it; the configuration says {days}"
                );
                Some(Notice::from(text).remedy(remedy::Record::IssueResponderInFull(name.to_owned())))
            }
            // it ends with the CA
            RequestedValidity::Max => {
                let begin = self.engine.now().plus(request.values.backdate.saturating_neg());
                request.values.until = Some(begin.plus(longest));
                None
            }
            _ => None,
        }
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
        let offline = config.is_offline(name, authority.is_offline_unless_configured());
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
        Ok(IssuanceRequest { label: label.into(), applicant, values, authority: None, renewal: None })
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
