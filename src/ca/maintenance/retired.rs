//! What is left to do for retired CAs: their files are moved to the names on record, and their responders' keys removed.
//! How long what they issued needs their CRLs and URLs.
use super::Maintenance;
use crate::error::Problem;
use crate::index::{Authority, AuthoritySummary, CertificateRecord, Filter, IndexError, StatusValue};
use crate::profile::Kind;
use crate::signing::KeyRef;
use crate::x509::extension::{
    AUTHORITY_INFO_ACCESS, AccessDescription, CRL_DISTRIBUTION_POINTS, distribution_point_urls,
};
use crate::x509::{Certificate, GeneralName, UnixTime};

/// How many certificates there are, and when the last of them expires.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::ca) struct Count {
    pub(in crate::ca) number: usize,
    pub(in crate::ca) last_end: Option<UnixTime>,
}

/// What a CA issued that has not expired, without its own certificates and those of its responders.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::ca) struct Unexpired {
    /// What is valid or on hold.
    pub(in crate::ca) valid: Count,
    /// What is revoked for good.
    pub(in crate::ca) revoked: Count,
    /// Until when certificates name files of the CA by their URLs.
    pub(in crate::ca) named_until: Option<UnixTime>,
}

impl Count {
    fn add(&mut self, end: UnixTime) {
        self.number = self.number.saturating_add(1);
        self.last_end = self.last_end.max(Some(end));
    }
}

impl Maintenance<'_> {
    /// Completes the retirement of CAs; returns the names of those for which that was left to do.
    ///
    /// # Errors
    /// When a file or a key cannot be moved or removed.
    pub(in crate::ca) fn complete_retirements(
        &self,
        all: &[AuthoritySummary],
    ) -> Result<Vec<String>, Problem> {
        let mut completed = Vec::new();
        for summary in all {
            let Some(retired) = summary.retired.as_ref().filter(|retired| !retired.is_complete) else {
                continue;
            };
            let publisher = self.engine.publisher();
            publisher.remove_responder(&retired.name)?;
            if retired.name != summary.name {
                publisher.move_authority(&retired.name, &summary.name)?;
                // the key comes last: while it has its place, no CA of this name is made
                let authority = self.engine.hierarchy().authority(&summary.name)?;
                let key = KeyRef::of(&authority);
                let former = self.engine.keys().renamed(&key, &retired.name);
                // by what the key is, the signer knows which of its own copies go with it
                let former = KeyRef { identity: key.identity, ..former };
                self.engine.keys().rename(&former, &key)?;
            }
            self.engine.index().complete_retirement(&summary.issuer)?;
            completed.push(summary.name.clone());
        }
        Ok(completed)
    }

    /// Returns what a CA issued that has not expired.
    pub(in crate::ca) fn unexpired(
        &self,
        authority: &Authority,
        now: UnixTime,
    ) -> Result<Unexpired, IndexError> {
        let filter = Filter { authority: Some(authority.name.clone()), ..Filter::default() };
        let mut found = Unexpired::default();
        self.engine.index().list(&filter, &mut |record| {
            let end = record.validity.not_after;
            if end < now || self.is_own(&record, authority) {
                return true;
            }
            match record.status(now) {
                StatusValue::Valid | StatusValue::Held => found.valid.add(end),
                StatusValue::Revoked => found.revoked.add(end),
                _ => {}
            }
            if record.certificate.as_ref().is_some_and(|one| names_files(one, authority)) {
                found.named_until = found.named_until.max(Some(end));
            }
            true
        })?;
        Ok(found)
    }

    /// Returns the earliest end of a CRL that a retired CA signs: nobody makes the next one unasked, so it lasts as
    /// long as anything that is valid or revoked, and as long as the one before it. `None` for a CA in use.
    pub(super) fn earliest_crl_end(
        &self,
        authority: &Authority,
        now: UnixTime,
    ) -> Result<Option<UnixTime>, IndexError> {
        if authority.retired.is_none() {
            return Ok(None);
        }
        let Unexpired { valid, revoked, .. } = self.unexpired(authority, now)?;
        let before = self.engine.index().last_crl(&authority.issuer)?.map(|crl| crl.next_update);
        Ok(valid.last_end.max(revoked.last_end).max(before))
    }

    /// Whether a certificate is the CA's own or that of one of its responders.
    fn is_own(&self, record: &CertificateRecord, authority: &Authority) -> bool {
        let profile = self.engine.settings().profiles.get(&record.profile);
        let own = authority.certificate.tbs();
        record.key == Some(own.public_key().digest())
            || profile.is_some_and(|profile| profile.kind() == Kind::OcspResponder)
    }
}

/// Whether a certificate names the CRL or the certificate of its issuer by the names of the CA's files.
fn names_files(certificate: &Certificate, authority: &Authority) -> bool {
    let tbs = certificate.tbs();
    let points = tbs.extension(CRL_DISTRIBUTION_POINTS);
    let mut urls = points.and_then(|one| distribution_point_urls(&one.value).ok()).unwrap_or_default();
    let access = tbs.extension(AUTHORITY_INFO_ACCESS);
    let access = access.and_then(|one| AccessDescription::list_from_value(&one.value).ok());
    urls.extend(access.unwrap_or_default().into_iter().filter_map(|one| match one.location {
        GeneralName::Uri(url) => Some(url),
        _ => None,
    }));
    let name = authority.retired.as_ref().map_or(&authority.name, |retired| &retired.name);
    let endings = [format!("/{name}.crl"), format!("/{name}.crt")];
    urls.iter().any(|url| endings.iter().any(|ending| url.ends_with(ending)))
}
