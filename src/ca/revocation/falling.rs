//! Revoking a CA, and all that falls with it.
use super::Revocations;
use super::key_revocation::ROUNDS;
use crate::ca::PublishedCrl;
use crate::error::{Code, Problem, remedy};
use crate::index::{Authority, CertificateRecord, CertificateState, Filter, Selector, StatusValue};
use crate::profile::Kind;
use crate::x509::{CrlReason, GeneralName, UnixTime};
use std::collections::{BTreeSet, HashSet};

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

/// So many certificates of one name are looked at for what replaced another.
const MANY: usize = 1000;

/// How the CAs stand, by name.
#[derive(Clone, Debug, Default)]
pub struct Standings {
    fallen: HashSet<String>,
    standing: HashSet<String>,
}

impl Standings {
    /// Whether the CA of this name, or one above it, is revoked for good.
    #[must_use]
    pub fn has_fallen(&self, name: &str) -> bool {
        self.fallen.contains(name)
    }
}

impl Revocations<'_> {
    /// What would fall with a CA: itself first, then every CA below it but those that are revoked already and what
    /// fell with them.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA; when the index cannot be read.
    pub fn what_falls(&self, name: &str) -> Result<Vec<Fallen>, Problem> {
        let all = self.engine.index().authorities()?;
        let now = self.engine.now();
        let mut below = vec![self.engine.hierarchy().authority(name)?];
        let mut fallen = Vec::new();
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

    /// Of each family of which a CA directly below the first of these fell, the newest generation, unless that
    /// stands elsewhere: to be brought below another key or, if it is revoked, to be given a new one.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn to_be_brought(self, fallen: &[Fallen]) -> Result<Vec<Authority>, Problem> {
        let Some((first, below)) = fallen.split_first() else { return Ok(Vec::new()) };
        let mut brought: Vec<Authority> = Vec::new();
        for one in below {
            let Some(newest) = self.engine.hierarchy().generations(&one.authority.name)?.pop() else {
                continue;
            };
            let is_child = one.authority.parent.as_deref() == Some(&*first.authority.name);
            let falls = below.iter().any(|other| other.authority.name == newest.name);
            if is_child
                && (falls || self.engine.hierarchy().is_revoked(&newest)?)
                && !brought.iter().any(|known| known.name == newest.name)
            {
                brought.push(newest);
            }
        }
        Ok(brought)
    }

    /// A newer generation of a CA that can issue.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA; when the index cannot be read.
    pub fn newer_generation(&self, name: &str) -> Result<Option<Authority>, Problem> {
        let newer =
            self.engine.hierarchy().generations(name)?.into_iter().rev().take_while(|one| one.name != name);
        let now = self.engine.now();
        Ok(newer.into_iter().find(|one| self.engine.hierarchy().check_usable(one, now).is_ok()))
    }

    /// How each CA stands.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn standings(&self) -> Result<Standings, Problem> {
        let mut standings = Standings::default();
        for authority in self.engine.index().authorities()? {
            if self.engine.hierarchy().has_fallen(&authority)? {
                standings.fallen.insert(authority.name);
            } else if self.engine.hierarchy().stands(&authority, self.engine.now())? {
                standings.standing.insert(authority.name);
            }
        }
        Ok(standings)
    }

    /// Whether a certificate fell with its CA and nothing has taken its place: it is valid but for that, no CA's and
    /// no responder's, and no newer one of the same subject, names and profile is valid below a CA that stands.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn awaits_replacement(
        &self,
        record: &CertificateRecord,
        standings: &Standings,
    ) -> Result<bool, Problem> {
        let now = self.engine.now();
        if record.status(now) != StatusValue::Valid
            || !standings.has_fallen(&record.authority)
            || !self.is_end_entity(record)
        {
            return Ok(false);
        }
        let name = record.subject_alt_names.first().map(GeneralName::value);
        let Some(name) = name.or_else(|| record.subject.common_name()) else { return Ok(true) };
        let names = |record: &CertificateRecord| -> BTreeSet<String> {
            record.subject_alt_names.iter().map(ToString::to_string).collect()
        };
        let replaces = |other: &CertificateRecord| {
            other.status(now) == StatusValue::Valid
                && standings.standing.contains(&other.authority)
                && (record.profile.is_empty() || other.profile == record.profile)
                && other.subject.is_same_as(&record.subject)
                && names(other) == names(record)
                && other.validity.not_before >= record.validity.not_before
        };
        Ok(!self.engine.index().select(&Selector::Name(name), MANY)?.iter().any(replaces))
    }

    fn is_end_entity(&self, record: &CertificateRecord) -> bool {
        let responders = self.engine.practices().profiles.get(&record.profile);
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
        let authority = self.engine.hierarchy().authority(name)?;
        let mut revoked = RevokedAuthority {
            certificates: Vec::new(),
            crls: Vec::new(),
            owed: Vec::new(),
            unanswered: None,
            authority,
        };
        let is_of_the_key = reason.is_some_and(CrlReason::is_of_the_key);
        // what is recorded for the key from now on is refused; what was on its way before is found
        for _ in 0..if is_of_the_key { ROUNDS } else { 1 } {
            let found = self.certificates_of(&revoked.authority, is_of_the_key)?;
            if found.is_empty() {
                break;
            }
            for record in found {
                let outcome = match self.revoke(&record, reason, invalidity_date, false) {
                    // it was signed meanwhile, and the next look finds it so
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
        let mut issuers: Vec<&str> = revoked.certificates.iter().map(|one| one.authority.as_str()).collect();
        issuers.sort_unstable();
        issuers.dedup();
        let chains = self.engine.publication().repeat_chains();
        for issuer in issuers {
            match self.engine.maintenance().crl_of(issuer) {
                Ok(crl) => revoked.crls.push(crl),
                Err(problem) => revoked.owed.push((issuer.to_owned(), problem)),
            }
        }
        chains?;
        Ok(revoked)
    }

    /// The certificates of a CA's name and key that are neither expired nor revoked for good; or all for its key.
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
            let stands = match &past.state {
                CertificateState::Issued => true,
                CertificateState::Revoked(revocation) => revocation.is_hold(),
                CertificateState::Pending => whole_key,
            };
            if stands && (whole_key || past.is_of(tbs.subject())) {
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
