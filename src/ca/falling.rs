//! Revoking a CA, and all that falls with it.
use super::{Pki, PublishedCrl};
use crate::index::{Authority, CertificateRecord, CertificateState, Filter, StatusValue};
use crate::problem::{Exit, Problem};
use crate::profile::Kind;
use crate::x509::{CrlReason, UnixTime};

/// A CA that falls, and how many certificates with it.
#[derive(Clone, Debug)]
pub struct Fallen {
    /// The CA.
    pub authority: Authority,
    /// Its valid certificates that are no CA's and no responder's.
    pub certificates: usize,
    /// When the last of these ends.
    pub last_end: Option<UnixTime>,
}

/// A CA that was revoked.
#[derive(Clone, Debug)]
pub struct RevokedAuthority {
    /// The CA.
    pub authority: Authority,
    /// Its certificates that are revoked now: the one it has, earlier ones, and those by other issuers.
    pub certificates: Vec<CertificateRecord>,
    /// The CRLs that say so.
    pub crls: Vec<PublishedCrl>,
    /// CRLs that are owed: of which CA, and why.
    pub owed: Vec<(String, Problem)>,
    /// Why the status could not be published: responders do not know yet.
    pub unanswered: Option<Problem>,
}

impl Pki<'_> {
    /// What would fall with a CA: itself first, then every CA below it.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA; when the index cannot be read.
    pub fn what_falls(&self, name: &str) -> Result<Vec<Fallen>, Problem> {
        let all = self.index.authorities()?;
        let now = self.clock.now();
        let mut below = vec![self.authority(name)?];
        let mut fallen = Vec::new();
        while let Some(authority) = below.pop() {
            let children = all.iter().rev().filter(|one| one.parent.as_deref() == Some(&authority.name));
            below.extend(children.cloned());
            let (mut certificates, mut last_end) = (0_usize, None);
            let filter = Filter {
                authority: Some(authority.name.clone()),
                status: Some((StatusValue::Valid, now)),
                ..Filter::default()
            };
            self.index.list(&filter, &mut |record| {
                if self.is_end_entity(&record) {
                    certificates = certificates.saturating_add(1);
                    last_end = last_end.max(Some(record.validity.not_after));
                }
                true
            })?;
            fallen.push(Fallen { authority, certificates, last_end });
        }
        Ok(fallen)
    }

    fn is_end_entity(&self, record: &CertificateRecord) -> bool {
        let responders = self.practices.profiles.get(&record.profile);
        let is_ca = record.certificate.as_ref().is_some_and(crate::x509::Certificate::is_ca);
        !is_ca && responders.is_none_or(|profile| profile.kind() != Kind::OcspResponder)
    }

    /// Revokes every unexpired certificate of a CA's name and key that this home issued; from then on neither it
    /// nor a CA below it issues anything. Its CRLs go on. A root's own revocation tells nobody anything who does not
    /// ask this home; whoever trusts it has to be told otherwise.
    ///
    /// # Errors
    /// When it is revoked already, or the index fails. What is revoked by then stays so; the same command goes on.
    pub fn revoke_authority(
        &self,
        name: &str,
        reason: Option<CrlReason>,
        invalidity_date: Option<UnixTime>,
    ) -> Result<RevokedAuthority, Problem> {
        let authority = self.authority(name)?;
        let mut revoked = RevokedAuthority {
            certificates: Vec::new(),
            crls: Vec::new(),
            owed: Vec::new(),
            unanswered: None,
            authority,
        };
        for record in self.certificates_of(&revoked.authority)? {
            let outcome = self.revoke(&record, reason, invalidity_date, false)?;
            revoked.unanswered = outcome.unanswered;
            revoked.certificates.push(outcome.record);
        }
        if revoked.certificates.is_empty() {
            return Err(Problem::new(
                Exit::Exists,
                "authority.revoked",
                format!("{name} is revoked already"),
            )
            .hint("`genfic-ca authorities` shows how the CAs stand"));
        }
        let mut event = self.event(self.clock.now(), "authority.revoked", name);
        event.details.push(("certificates".into(), revoked.certificates.len().to_string()));
        if let Some(reason) = reason {
            event.details.push(("reason".into(), reason.to_string()));
        }
        self.index.record_event(event)?;
        let mut issuers: Vec<&str> = revoked.certificates.iter().map(|one| one.authority.as_str()).collect();
        issuers.sort_unstable();
        issuers.dedup();
        for issuer in issuers {
            let list = self.unlock_for_crl(issuer).and_then(|signer| self.publish_crl(issuer, &signer));
            match list {
                Ok(crl) => revoked.crls.push(crl),
                Err(problem) => revoked.owed.push((issuer.to_owned(), problem)),
            }
        }
        self.republish()?;
        Ok(revoked)
    }

    /// The certificates of a CA's name and key that are neither expired nor revoked for good.
    fn certificates_of(&self, authority: &Authority) -> Result<Vec<CertificateRecord>, Problem> {
        let tbs = authority.certificate.tbs();
        let now = self.clock.now();
        let current = authority.certificate.fingerprint();
        let mut found = Vec::new();
        for past in self.index.key_uses(&tbs.public_key().digest())? {
            let stands = match &past.state {
                CertificateState::Issued => true,
                CertificateState::Revoked(revocation) => revocation.is_hold(),
                CertificateState::Pending => false,
            };
            if stands && past.subject == *tbs.subject() {
                found.extend(self.index.certificate(&past.id)?.filter(|record| {
                    let is_current =
                        record.certificate.as_ref().is_some_and(|one| one.fingerprint() == current);
                    is_current || record.validity.not_after >= now
                }));
            }
        }
        Ok(found)
    }
}
