//! Revocation of CAs, and the CAs and certificates that become invalid with them.
use super::Revocations;
use super::key_revocation::ROUNDS;
use super::revoke::unanswered;
use crate::ca::PublishedCrl;
use crate::ca::publication::StatusPublished;
use crate::error::{Code, Problem, remedy};
use crate::index::{Authority, CertificateRecord, CertificateState, Filter, StatusValue};
use crate::profile::Kind;
use crate::x509::{CrlReason, UnixTime};

/// A CA affected by the revocation of itself or of one of its issuers, with the number of its certificates.
#[derive(Clone, Debug)]
pub struct AffectedAuthority {
    /// The CA.
    pub authority: Authority,
    /// Number of its valid certificates, without those of CAs and responders.
    pub certificates: usize,
    /// When the last of these certificates expires.
    pub last_end: Option<UnixTime>,
}

/// A CA that was revoked.
#[derive(Clone, Debug)]
pub struct RevokedAuthority {
    /// The CA.
    pub authority: Authority,
    /// The CA's certificates that are revoked now: the current one, earlier ones, and those by other issuers.
    pub certificates: Vec<CertificateRecord>,
    /// The CRLs that list them.
    pub crls: Vec<PublishedCrl>,
    /// Outstanding CRLs: name of the CA, and the reason.
    pub owed: Vec<(String, Problem)>,
    /// Why the status could not be published; responders do not know of the revocation yet.
    pub unanswered: Option<Problem>,
}

impl Revocations<'_> {
    /// Returns the CAs that a revocation would affect: the CA itself first, then every CA below it. CAs that
    /// are revoked already, and those below them, are left out.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA; when the index cannot be read.
    pub fn revocation_impact(&self, name: &str) -> Result<Vec<AffectedAuthority>, Problem> {
        let all = self.engine.index().authorities()?;
        let now = self.engine.now();
        let mut below = vec![self.engine.hierarchy().authority(name)?];
        let mut affected = Vec::new();
        while let Some(authority) = below.pop() {
            for child in all.iter().rev().filter(|one| one.parent.as_deref() == Some(&authority.name)) {
                if !self.engine.hierarchy().is_revoked(child)? {
                    below.push(child.clone());
                }
            }
            let (mut certificates, mut last_end) = (0_usize, None);
            let filter = Filter {
                authority: Some(authority.name.clone()),
                status: Some((StatusValue::Valid, now)),
                ..Filter::default()
            };
            self.engine.index().list(&filter, &mut |record| {
                if self.kind(&record) == Kind::EndEntity {
                    certificates = certificates.saturating_add(1);
                    last_end = last_end.max(Some(record.validity.not_after));
                }
                true
            })?;
            affected.push(AffectedAuthority { authority, certificates, last_end });
        }
        Ok(affected)
    }

    /// Returns the CAs that need a new certificate or a new key: for each affected CA directly below the
    /// first one, its newest generation, when that is affected or revoked. It needs a certificate by another
    /// issuer, or a new key if it is revoked itself.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn to_reissue(self, affected: &[AffectedAuthority]) -> Result<Vec<Authority>, Problem> {
        let Some((first, below)) = affected.split_first() else { return Ok(Vec::new()) };
        let mut brought: Vec<Authority> = Vec::new();
        for one in below {
            let Some(newest) = self.engine.hierarchy().generations(&one.authority.name)?.pop() else {
                continue;
            };
            let is_child = one.authority.parent.as_deref() == Some(&*first.authority.name);
            let is_affected = below.iter().any(|other| other.authority.name == newest.name);
            if is_child
                && (is_affected || self.engine.hierarchy().is_revoked(&newest)?)
                && !brought.iter().any(|known| known.name == newest.name)
            {
                brought.push(newest);
            }
        }
        Ok(brought)
    }

    /// Returns a newer generation of a CA that can issue.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA; when the index cannot be read.
    pub fn newer_generation(&self, name: &str) -> Result<Option<Authority>, Problem> {
        let newer =
            self.engine.hierarchy().generations(name)?.into_iter().rev().take_while(|one| one.name != name);
        let now = self.engine.now();
        Ok(newer.into_iter().find(|one| self.engine.hierarchy().check_usable(one, now).is_ok()))
    }

    /// Revokes every unexpired certificate of a CA's name and key that this home issued. From then on neither
    /// the CA nor a CA below it issues anything; its CRLs go on. The revocation of a root reaches only those
    /// who ask this home: whoever trusts the root must be told by other means.
    ///
    /// # Errors
    /// When the CA is revoked already, or the index fails. Certificates revoked by then stay so; the same
    /// command revokes the rest.
    pub fn revoke_authority(
        &self,
        name: &str,
        reason: Option<CrlReason>,
        invalidity_date: Option<UnixTime>,
    ) -> Result<RevokedAuthority, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        let mut revoked = RevokedAuthority {
            certificates: Vec::new(),
            crls: Vec::new(),
            owed: Vec::new(),
            unanswered: None,
            authority,
        };
        let is_of_the_key = reason.is_some_and(CrlReason::is_of_the_key);
        // new records for the key are refused from now on; those begun before are found in the next round
        for _ in 0..if is_of_the_key { ROUNDS } else { 1 } {
            let found = self.certificates_of(&revoked.authority, is_of_the_key)?;
            if found.is_empty() {
                break;
            }
            for record in found {
                let outcome = match self.revoke(&record, reason, invalidity_date, false) {
                    // the certificate was signed in the meantime, and the next round finds it
                    Err(problem) if is_of_the_key && problem.code == Code::IndexConflict => continue,
                    outcome => outcome?,
                };
                revoked.unanswered = outcome.unanswered;
                revoked.certificates.push(outcome.record);
            }
        }
        if revoked.certificates.is_empty() {
            return Err(Problem::new(Code::AuthorityRevokedBefore, format!("{name} is revoked already"))
                .hint(remedy::Authority::Standing));
        }
        let mut event = self.engine.event(self.engine.now(), "authority.revoked", name);
        event.details.push(("certificates".into(), revoked.certificates.len().to_string()));
        if let Some(reason) = reason {
            event.details.push(("reason".into(), reason.to_string()));
        }
        self.engine.index().record_event(event)?;
        let chains = self.repeat_chains(&mut revoked);
        let mut issuers: Vec<&str> = revoked.certificates.iter().map(|one| one.authority.as_str()).collect();
        issuers.sort_unstable();
        issuers.dedup();
        for issuer in issuers {
            match self.engine.maintenance().crl_of(issuer) {
                Ok(crl) => revoked.crls.push(crl),
                Err(problem) => revoked.owed.push((issuer.to_owned(), problem)),
            }
        }
        chains?;
        Ok(revoked)
    }

    /// Publishes the chains that the revocation changes. Without a published status none is: it could contain
    /// a certificate that responders do not know. The next command publishes them then.
    fn repeat_chains(&self, revoked: &mut RevokedAuthority) -> Result<(), Problem> {
        if revoked.unanswered.is_some() {
            return Ok(());
        }
        let before = self.engine.index().summaries()?;
        match StatusPublished::unless_current(self.engine) {
            Ok((status, _)) => self.engine.publication().repeat_chains(&before, &status),
            Err(error) => {
                revoked.unanswered = Some(unanswered(error));
                Ok(())
            }
        }
    }

    /// Returns the certificates of a CA's name and key that are neither expired nor revoked for good. With
    /// `whole_key` certificates of other names for the same key count too, as do pending ones.
    fn certificates_of(
        &self,
        authority: &Authority,
        whole_key: bool,
    ) -> Result<Vec<CertificateRecord>, Problem> {
        let tbs = authority.certificate.tbs();
        let now = self.engine.time_to_distrust()?;
        let current = authority.certificate.fingerprint();
        let mut found = Vec::new();
        for past in self.engine.index().key_uses(&tbs.public_key().digest())? {
            let still_current = match &past.state {
                CertificateState::Issued => true,
                CertificateState::Revoked(revocation) => revocation.is_hold(),
                CertificateState::Pending => whole_key,
            };
            if still_current && (whole_key || past.is_of(tbs.subject())) {
                found.extend(self.engine.index().certificate(&past.id)?.filter(|record| {
                    let is_current =
                        record.certificate.as_ref().is_some_and(|one| one.fingerprint() == current);
                    is_current || record.validity.not_after >= now
                }));
            }
        }
        Ok(found)
    }
}
