//! Comparison of a request with the certificates that its key has (G22).
use super::Issuance;
use crate::ca::IssuanceRequest;
use crate::ca::difference::{Difference, days, listed, same_names};
use crate::error::Problem;
use crate::index::{CertificateRecord, CertificateState, StatusValue};
use crate::profile::{Kind, RequestedValidity};
use crate::x509::{Certificate, TbsCertificate, UnixTime};

/// What is on record for the key of a request.
#[derive(Clone, Debug)]
pub enum GrantedBefore {
    /// No certificate by this CA, or one that has expired.
    Nothing,
    /// A valid certificate as asked.
    AsAsked(Box<CertificateRecord>),
    /// A certificate that is revoked, on hold, or otherwise not as asked.
    Otherwise(Box<CertificateRecord>, Vec<Difference>),
}

impl Issuance<'_> {
    /// Compares a request with the certificates that any generation of this CA has issued for its key. `named` is
    /// the profile that was asked for expressly; `profile` the one under which it would be issued. Subject and names
    /// are as asked when they are those of the request, or those that would be granted for it now; a number of days,
    /// the contact and the profile are compared where they were asked for expressly.
    ///
    /// A valid certificate counts before all others. Without one the newest counts: when it is revoked or on hold,
    /// somebody decided that, and it is not issued once more.
    ///
    /// # Errors
    /// When there is no such CA, or the index cannot be read.
    pub fn granted_before(
        &self,
        authority: &str,
        (profile, named): (&str, Option<&str>),
        request: &IssuanceRequest,
    ) -> Result<GrantedBefore, Problem> {
        let mut valid = Vec::new();
        let mut newest = None;
        for record in self.of_key(authority, request)? {
            match record.status(self.engine.now()) {
                StatusValue::Pending | StatusValue::Abandoned => continue,
                StatusValue::Valid => valid.push(record.clone()),
                StatusValue::Expired | StatusValue::Revoked | StatusValue::Held => {}
            }
            newest = Some(record);
        }
        let mut otherwise = None;
        for record in valid.into_iter().rev() {
            let differences = self.differences(authority, (profile, named), request, &record);
            if differences.is_empty() {
                return Ok(GrantedBefore::AsAsked(Box::new(record)));
            }
            otherwise.get_or_insert(GrantedBefore::Otherwise(Box::new(record), differences));
        }
        if let Some(otherwise) = otherwise {
            return Ok(otherwise);
        }
        Ok(match newest {
            Some(record) => match stop(&record, self.engine.now()) {
                Some(difference) => GrantedBefore::Otherwise(Box::new(record), vec![difference]),
                None => GrantedBefore::Nothing,
            },
            None => GrantedBefore::Nothing,
        })
    }

    /// Returns the certificates of this key by any generation of the CA, oldest first, without those of CAs and of
    /// responders.
    fn of_key(&self, authority: &str, request: &IssuanceRequest) -> Result<Vec<CertificateRecord>, Problem> {
        let family = self.engine.hierarchy().generations(authority)?;
        let profiles = &self.engine.settings().profiles;
        let mut found = Vec::new();
        for past in self.engine.index().key_uses(&request.applicant.public_key.digest())? {
            if !family.iter().any(|one| one.issuer == past.id.issuer) {
                continue;
            }
            let Some(record) = self.engine.index().certificate(&past.id)? else { continue };
            let is_ca = record.certificate.as_ref().is_some_and(Certificate::is_ca);
            let kind = profiles.get(&record.profile).map(|profile| profile.kind());
            if !is_ca && kind != Some(Kind::OcspResponder) {
                found.push(record);
            }
        }
        Ok(found)
    }

    fn differences(
        &self,
        authority: &str,
        (profile, named): (&str, Option<&str>),
        request: &IssuanceRequest,
        record: &CertificateRecord,
    ) -> Vec<Difference> {
        let (applicant, values) = (&request.applicant, &request.values);
        let mut differences = Vec::new();
        let mut granted: Option<Option<TbsCertificate>> = None;
        let mut now = || {
            let preview = || self.preview(authority, profile, request).ok().map(|(tbs, _)| tbs);
            granted.get_or_insert_with(preview).clone()
        };
        if let Some(named) = named.filter(|named| !record.profile.is_empty() && *named != record.profile) {
            differences.push(Difference::new("profile", named, &record.profile));
        }
        let subject = values.subject.as_ref().unwrap_or(&applicant.subject);
        if !subject.is_same_as(&record.subject)
            && !now().is_some_and(|tbs| tbs.subject().is_same_as(&record.subject))
        {
            differences.push(Difference::new("subject", subject, &record.subject));
        }
        let names = values.alt_names.as_ref().unwrap_or(&applicant.alt_names);
        let is_asked = values.alt_names.is_some() || !names.is_empty();
        if is_asked
            && !same_names(names, &record.subject_alt_names)
            && !now().is_some_and(|tbs| same_names(&tbs.subject_alt_names(), &record.subject_alt_names))
        {
            differences.push(Difference::new("names", listed(names), listed(&record.subject_alt_names)));
        }
        if let RequestedValidity::Days(asked) = values.validity
            && asked != days(record.validity)
        {
            let found = format!("{} days", days(record.validity));
            differences.push(Difference::new("valid", format!("{asked} days"), found));
        }
        if let Some(asked) = values.contact.as_ref().filter(|asked| record.contact.as_ref() != Some(*asked)) {
            let found = record.contact.as_deref().unwrap_or("none");
            differences.push(Difference::new("contact", asked, found));
        }
        differences
    }
}

/// Returns the difference of a certificate that somebody has revoked or put on hold.
fn stop(record: &CertificateRecord, now: UnixTime) -> Option<Difference> {
    let CertificateState::Revoked(since) = &record.state else { return None };
    let found = format!("{} since {}", record.status(now), since.revoked_at);
    Some(Difference::new("status", "valid", found))
}
