//! Delegated responder certificates (RFC 6960 §4.2.2.2).
use super::{IssuingAuthority, Order, Pki};
use crate::index::CertificateState;
use crate::problem::{Exit, Problem};
use crate::profile::{Applicant, Ask, Length};
use crate::x509::{Attribute, AttributeType, Certificate, CertificateId, Name, UnixTime};
use std::path::PathBuf;

/// The profile that responder certificates are issued under.
pub(super) const PROFILE: &str = "ocsp-responder";

/// A responder certificate that was issued and handed over with its key.
#[derive(Clone, Debug)]
pub struct IssuedResponder {
    /// The CA it answers for.
    pub authority: String,
    /// The certificate.
    pub certificate: Certificate,
    /// Where it was put.
    pub file: PathBuf,
    /// What was granted otherwise than asked.
    pub notices: Vec<String>,
}

impl Pki<'_> {
    /// Issues a responder certificate for a fresh key and hands both over, the key plain: it lives short and
    /// can sign nothing but answers.
    ///
    /// # Errors
    /// When the profile is missing or refuses, or index or disk fail.
    pub fn issue_responder(&self, issuer: &IssuingAuthority) -> Result<IssuedResponder, Problem> {
        let name = issuer.authority().name.clone();
        self.practices.profile(PROFILE)?;
        let config = &self.practices.config;
        let offline = config.is_offline(&name, issuer.authority().parent.is_none());
        let days = if offline { config.ocsp.responder_days_offline } else { config.ocsp.responder_days };
        let key = self.keys.generate_plain(config.keys.responder)?;
        let subject = responder_subject(issuer.authority().certificate.tbs().subject(), &name)?;
        let above = issuer.ancestors().iter().map(|above| above.tbs().validity().not_after);
        let own = issuer.authority().certificate.tbs().validity().not_after;
        let end = above.fold(own, UnixTime::min);
        let wanted = self.clock.now().plus_days(days);
        let ask = Ask {
            length: if wanted > end { Length::Max } else { Length::Days(days) },
            backdate: config.issuance.backdate,
            ..Ask::default()
        };
        let subject = self.practices.profile(PROFILE)?.admissible_subject(&subject);
        let applicant = Applicant::new(subject, key.signer.public_key().clone());
        let order = Order { label: name.clone(), applicant, ask, authority: None };
        let mut issuance = self.issue(issuer, PROFILE, &[order])?;
        if let Some(problem) = issuance.problem() {
            return Err(problem);
        }
        let issued = issuance
            .issued
            .pop()
            .ok_or_else(|| Problem::new(Exit::Failure, "index.failed", "nothing was issued"))?;
        let file = self.publisher.responder(&name, &issued.certificate, &key.pem)?;
        let mut event = self.event(self.clock.now(), "responder.installed", &*name);
        event.details.push(("serial".into(), issued.certificate.tbs().serial_number().to_string()));
        self.index.record_event(event)?;
        Ok(IssuedResponder {
            authority: name,
            certificate: issued.certificate,
            file,
            notices: issued.notices,
        })
    }

    /// Whether a CA that serves OCSP needs a new responder certificate: there is none, it was not issued by
    /// this CA's key, it is past half its life, or it was revoked: responder certificates are not looked up
    /// themselves (id-pkix-ocsp-nocheck), so one that was revoked has to be replaced. A CA that has ended or is
    /// revoked for good, or is below such a one, can issue none, and one that has gone quiet ([`Pki::is_quiet`])
    /// needs none.
    ///
    /// # Errors
    /// When there is no such CA, or the index cannot be read.
    pub fn responder_is_due(&self, name: &str) -> Result<bool, Problem> {
        let authority = self.authority(name)?;
        if !authority.serves_ocsp || self.is_quiet(&authority)? || !self.stands(&authority)? {
            return Ok(false);
        }
        let Some(certificate) = self.publisher.responder_certificate(name) else { return Ok(true) };
        let validity = certificate.tbs().validity();
        let half = validity.not_before.plus((validity.not_after.0 - validity.not_before.0) / 2);
        let serial_number = certificate.tbs().serial_number().clone();
        let state = self.index.status(&CertificateId { issuer: authority.issuer, serial_number })?;
        Ok(self.clock.now() >= half
            || !matches!(state, Some(CertificateState::Issued))
            || !certificate.is_signed_by(authority.certificate.tbs().public_key()))
    }
}

/// The CA's own attributes without its commonName, and one that says what the certificate is for.
fn responder_subject(ca: &Name, name: &str) -> Result<Name, Problem> {
    let common_name = AttributeType::by_name("CN");
    let mut attributes: Vec<Attribute> = ca
        .attributes()
        .into_iter()
        .filter(|attribute| Some(attribute.oid) != common_name.map(|kind| kind.oid))
        .collect();
    if let Some(kind) = common_name {
        let text: String = format!("{name} OCSP responder").chars().take(kind.upper_bound).collect();
        let attribute = Attribute::new(kind, &text)
            .map_err(|error| Problem::new(Exit::Usage, "usage", error.to_string()))?;
        attributes.push(attribute);
    }
    Ok(Name::from_attributes(&attributes))
}
