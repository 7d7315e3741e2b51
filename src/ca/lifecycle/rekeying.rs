//! New keys for CAs: each makes a new generation.
use super::Lifecycle;
use super::cross_certification::KeyRolloverCertificates;
use super::renewal::constraints_of;
use crate::ca::hierarchy::UNLINKED;
use crate::ca::{CreatedAuthority, IssuingAuthority, NewAuthority};
use crate::error::{Code, Notice, Problem, Reason, remedy};
use crate::index::{Authority, Filter};
use crate::profile::RequestedValidity;
use crate::signing::Keystore;
use crate::x509::{Attribute, AttributeType, Certificate, IssuerId, KeyAlgorithm, Name};

/// Days for which a generation counts as new; one that is succeeded within a month without having issued
/// anything is probably succeeded by mistake.
const YOUNG: i64 = 30;

/// A request for a CA's new generation.
#[derive(Clone, Debug, Default)]
pub struct AuthorityRekeying {
    /// Validity of its certificate; the default is staggered against its siblings.
    pub validity: RequestedValidity,
    /// Name of its profile; `None` for that of the generation before.
    pub profile: Option<String>,
    /// Its key type; `None` for that of the generation before.
    pub key: Option<KeyAlgorithm>,
    /// Where its key is made; `None` for the store of the key before.
    pub keystore: Option<Keystore>,
    /// Its subject; `None` for the same subject (root), or the same with the generation number in its
    /// commonName (subordinate CA).
    pub subject: Option<Name>,
    /// Whether a root does without key rollover certificates, because the old key is lost.
    pub without_rollover: bool,
}

/// A CA that has a new key.
#[derive(Clone, Debug)]
pub struct RekeyedAuthority {
    /// The new generation.
    pub created: CreatedAuthority,
    /// The generation before it.
    pub replaces: Authority,
    /// The key rollover certificates between the two, for roots.
    pub rollover: Option<KeyRolloverCertificates>,
}

impl Lifecycle<'_> {
    /// Gives a CA a new key: a new generation, with its own certificate, files, URLs, CRL and responder. The
    /// old generation goes on signing CRLs until its last certificate has expired. Roots get key rollover
    /// certificates, unless the old root can issue nothing any more. A generation that a killed process left
    /// without a CRL or without its key rollover certificates is completed instead of making another.
    ///
    /// # Errors
    /// As [`Lifecycle::create_root`] and [`Lifecycle::create_child`].
    pub fn rekey_authority(
        &self,
        name: &str,
        asked: &AuthorityRekeying,
    ) -> Result<RekeyedAuthority, Problem> {
        let replaces = self.newest(name)?;
        if let Some(before) = self.left_unfinished(&replaces)? {
            return self.finish(replaces, before, asked);
        }
        let unused = self.unused(&replaces)?;
        self.is_issued_here(&replaces)?;
        let new = self.generation_after(&replaces, asked)?;
        if let Some(parent) = &replaces.parent {
            let issuer = self.engine.hierarchy().issuing_generation(parent, self.engine.now())?.name;
            let mut created = self.create_child(&issuer, &new)?;
            if issuer != *parent {
                created.notices.push(format!("{issuer} issued it, the newest generation of {parent}").into());
            }
            created.notices.extend(unused.map(Notice::from));
            return self.succeeded(created, replaces, None);
        }
        // the old key is opened first, so that nothing is made when it cannot be
        let old = self.old_root(&replaces, asked)?;
        let (mut created, issuer) = self.make_root(&new, &|_| Ok(()))?;
        created.notices.extend(unused.map(Notice::from));
        self.succeeded(created, replaces, Some((old, issuer)))
    }

    /// Returns a warning when the generation to be succeeded is new and has not been used.
    fn unused(&self, newest: &Authority) -> Result<Option<String>, Problem> {
        let begin = newest.certificate.tbs().validity().not_before;
        let is_young = self.engine.now() < begin.plus_days(YOUNG);
        if newest.succeeds.is_none() || !is_young || self.engine.hierarchy().is_revoked(newest)? {
            return Ok(None);
        }
        let family: Vec<IssuerId> =
            self.engine.hierarchy().generations(&newest.name)?.into_iter().map(|one| one.issuer).collect();
        let filter = Filter { authority: Some(newest.name.clone()), ..Filter::default() };
        let mut is_used = false;
        self.engine.index().list(&filter, &mut |record| {
            // neither its own certificate nor a key rollover certificate counts, nor one that was never
            // signed
            let is_for_others = |certificate: &Certificate| !family.contains(&certificate.tbs().as_issuer());
            is_used = self.engine.settings().keeps(&record.profile)
                && record.certificate.as_ref().is_some_and(is_for_others);
            !is_used
        })?;
        let name = &newest.name;
        Ok((!is_used).then(|| {
            format!("{name} is new, begins on {begin}, and has issued nothing; it is succeeded all the same")
        }))
    }

    /// Returns the request for the generation after this one.
    pub(in crate::ca) fn generation_after(
        &self,
        replaces: &Authority,
        asked: &AuthorityRekeying,
    ) -> Result<NewAuthority, Problem> {
        let tbs = replaces.certificate.tbs();
        let generation = self.next_generation(&replaces.name)?;
        let subject = match (&asked.subject, &replaces.parent) {
            (Some(subject), _) => subject.clone(),
            (None, None) => tbs.subject().clone(),
            (None, Some(_)) => numbered(tbs.subject(), generation.number)?,
        };
        Ok(NewAuthority {
            name: generation.name,
            profile: asked.profile.clone().unwrap_or_else(|| replaces.profile.clone()),
            subject: Some(subject),
            key: asked.key.or(Some(tbs.public_key().algorithm())),
            keystore: asked.keystore.clone().unwrap_or_else(|| Keystore::of(&replaces.key)),
            validity: asked.validity,
            name_constraints: constraints_of(replaces)?,
            ocsp: Some(replaces.serves_ocsp),
            succeeds: Some(replaces.name.clone()),
        })
    }

    /// Returns the generation before `newest` when `newest` lacks a CRL or a key rollover certificate that it
    /// should have, because a command was killed before it was complete.
    fn left_unfinished(&self, newest: &Authority) -> Result<Option<Authority>, Problem> {
        let Some(before) = &newest.succeeds else { return Ok(None) };
        let unlinked = self.engine.hierarchy().unlinked(self.engine.now())?;
        let is_complete = self.engine.index().last_crl(&newest.issuer)?.is_some()
            && !unlinked.iter().any(|(_, newer)| newer.name == newest.name);
        if is_complete || self.engine.hierarchy().is_revoked(newest)? {
            return Ok(None);
        }
        self.engine.hierarchy().authority(before).map(Some)
    }

    fn finish(
        &self,
        unfinished: Authority,
        replaces: Authority,
        asked: &AuthorityRekeying,
    ) -> Result<RekeyedAuthority, Problem> {
        let is_root = unfinished.parent.is_none();
        let old = if is_root { Some(self.old_root(&replaces, asked)?) } else { None };
        let signer = self.engine.open(&unfinished)?;
        let notices = vec![format!("{} was made before, and is complete now", unfinished.name).into()];
        let (created, issuer) = self.publish_new_authority(unfinished, signer, notices)?;
        self.succeeded(created, replaces, old.map(|old| (old, issuer)))
    }

    /// Opens the previous root for key rollover certificates; or returns why there are none.
    fn old_root(
        &self,
        replaces: &Authority,
        asked: &AuthorityRekeying,
    ) -> Result<Result<IssuingAuthority, Reason>, Problem> {
        match self.engine.hierarchy().check_usable(replaces, self.engine.now()) {
            Ok(()) if asked.without_rollover => Ok(Err("they are not wanted".into())),
            Ok(()) => self.engine.issuance().unlock_issuer(&replaces.name).map(Ok).map_err(unopened),
            Err(problem) => Ok(Err(problem.message.into())),
        }
    }

    /// Records which generation the new one succeeds, and makes the key rollover certificates of roots.
    fn succeeded(
        &self,
        mut created: CreatedAuthority,
        replaces: Authority,
        roots: Option<(Result<IssuingAuthority, Reason>, IssuingAuthority)>,
    ) -> Result<RekeyedAuthority, Problem> {
        let mut event = self.engine.event(self.engine.now(), "authority.rekeyed", &*created.authority.name);
        event.details.push(("succeeds".into(), replaces.name.clone()));
        if let Some((Err(why), _)) = &roots {
            event.details.push((UNLINKED.into(), why.to_string()));
        }
        self.engine.index().record_event(event)?;
        let rollover = match roots {
            None => None,
            Some((Ok(old), new)) => Some(
                self.lacking_rollover(&old, &new)
                    .map_err(|problem| unlinked(problem, &replaces, &created))?,
            ),
            Some((Err(why), _)) => {
                created.notices.push(format!("there are no link certificates: {why}").into());
                None
            }
        };
        // read again: the key rollover certificate may be the last that the old root's CRLs have to outlive
        let replaces = self.engine.hierarchy().authority(&replaces.name)?;
        Ok(RekeyedAuthority { created, replaces, rollover })
    }

    /// Returns the next generation: the first free name of `NAME-g2`, `NAME-g3` and so on.
    ///
    /// # Errors
    /// When there is no such CA, or the name would be too long.
    pub fn next_generation(&self, name: &str) -> Result<NextGeneration, Problem> {
        let generations = self.engine.hierarchy().generations(name)?;
        let first = generations.first().map_or(name, |first| first.name.as_str());
        let mut number = generations.len().saturating_add(1);
        loop {
            let name = format!("{first}-g{number}");
            // a name that is too long for the CA's files is refused before a key is made
            self.engine.publisher().crl_files(&name).map_err(|error| {
                Problem::of(Code::UsageAuthorityName, error)
                    .hint("create a CA with a shorter name below the same issuer")
            })?;
            if self.engine.index().authority(&name)?.is_none() {
                return Ok(NextGeneration { name, number });
            }
            number = number.saturating_add(1);
        }
    }
}

/// A generation that does not exist yet.
#[derive(Clone, Debug)]
pub struct NextGeneration {
    /// Name of the CA that it will be.
    pub name: String,
    /// Number of the generation, counted from 1.
    pub number: usize,
}

/// Returns the same subject with the generation number at the end of its commonName. Clients that look up
/// CRLs by their issuer's name alone must not take one generation's CRL for another's.
fn numbered(subject: &Name, number: usize) -> Result<Name, Problem> {
    let no_room = |reason: String| {
        Problem::new(Code::Usage, format!("the new generation needs a subject of its own: {reason}"))
            .hint(remedy::Request::SubjectOfItsOwn)
    };
    let kind = AttributeType::by_name("CN").ok_or_else(|| no_room("CN is unknown".into()))?;
    let mut rdns = subject.rdns();
    let last = rdns.iter_mut().flatten().rfind(|attribute| attribute.oid == kind.oid);
    let last = last.ok_or_else(|| no_room("there is no commonName to put its number into".into()))?;
    let text = last.text().unwrap_or_default();
    let base = match text.rsplit_once(" G") {
        Some((base, digits)) if !digits.is_empty() && digits.chars().all(|one| one.is_ascii_digit()) => base,
        _ => &text,
    };
    *last = Attribute::new(kind, &format!("{base} G{number}")).map_err(|error| no_room(error.to_string()))?;
    Ok(Name::from_rdns(&rdns))
}

/// Adds the hint that the missing key rollover certificates must be declined expressly when the old key
/// cannot be opened.
fn unopened(problem: Problem) -> Problem {
    let hint = problem.hint.clone().and(remedy::Authority::WithoutRollover);
    problem.hint(hint)
}

fn unlinked(problem: Problem, old: &Authority, created: &CreatedAuthority) -> Problem {
    let new = &created.authority.name;
    let next = remedy::Authority::MakeRollover(new.clone(), old.name.clone());
    let hint = problem.hint.clone().and(next);
    problem.hint(hint)
}
