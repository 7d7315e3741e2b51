//! Retirement: a CA that was made by mistake, or that is no longer needed, so that nothing is due for it any more.
//!
//! Its records, its certificates' files and its key stay. They get another name, so that the CA's own name is free
//! for another, as soon as no unexpired certificate names the CA's files by their URLs: the new CA would have its CRL
//! there. The record is one transaction; files and key are moved after it, by the next command if this one is killed.
use super::Lifecycle;
use crate::ca::maintenance::Unexpired;
use crate::error::{Code, Problem, remedy};
use crate::index::{Authority, IndexError, Retirement, Retiring};
use crate::signing::KeyRef;
use crate::x509::UnixTime;

/// The longest name of a CA, in characters.
const LONGEST: usize = 64;

/// What a retirement would leave behind.
#[derive(Clone, Debug)]
pub struct RetirementImpact {
    /// The CA.
    pub authority: Authority,
    /// Number of its certificates that are valid or on hold, without its own and those of its responders. It is 0 for a
    /// CA that has ended or is revoked, since nobody trusts them.
    pub remaining: usize,
    /// When the last of them expires.
    pub last_end: Option<UnixTime>,
    /// Number of its certificates that are revoked for good and have not expired, counted as `remaining` is.
    pub revoked: usize,
    /// When the last of them expires.
    pub revoked_end: Option<UnixTime>,
    /// Until when its CRL is needed: the end of the last certificate that is valid, on hold or revoked. Unlike the numbers
    /// above it is there for a revoked CA too.
    pub crl_until: Option<UnixTime>,
    /// Until when unexpired certificates name files of the CA by their URLs.
    pub named_until: Option<UnixTime>,
}

/// A CA that was retired.
#[derive(Clone, Debug)]
pub struct RetiredAuthority {
    /// The CA as it is on record now.
    pub authority: Authority,
    /// The name that it had.
    pub name: String,
    /// Until when that name is not free; `None` when it is free.
    pub named_until: Option<UnixTime>,
    /// nextUpdate of its last CRL, if one was signed for what remains.
    pub last_crl: Option<UnixTime>,
}

impl Lifecycle<'_> {
    /// Returns what the retirement of a CA would leave behind.
    ///
    /// # Errors
    /// Exit status 5 when there is no such CA; `issuer.unfit` for an external CA; `authority.above-others` when CAs
    /// below it are in use.
    pub fn retirement_impact(&self, name: &str) -> Result<RetirementImpact, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        let now = self.engine.now();
        if authority.is_external() {
            let message = format!("{name} is run by others, and nothing is due for it here but its CRL");
            return Err(Problem::new(Code::IssuerUnfit, message).hint(remedy::Authority::ListOwn));
        }
        let is_dead = !self.engine.hierarchy().still_current(&authority, now)?;
        if let Some(below) = self.in_use_below(&authority)?
            && !is_dead
        {
            let message = format!("{below} stands below {name}, and needs its CRLs");
            return Err(
                Problem::new(Code::AuthorityAboveOthers, message).hint(remedy::Authority::RetireFirst(below))
            );
        }
        let mut impact = RetirementImpact {
            authority,
            remaining: 0,
            last_end: None,
            revoked: 0,
            revoked_end: None,
            crl_until: None,
            named_until: None,
        };
        if self.engine.hierarchy().has_ended(&impact.authority, now) {
            return Ok(impact);
        }
        let Unexpired { valid, revoked, named_until } =
            self.engine.maintenance().unexpired(&impact.authority, now)?;
        impact.named_until = named_until;
        impact.crl_until = valid.last_end.max(revoked.last_end);
        if !is_dead {
            (impact.remaining, impact.last_end) = (valid.number, valid.last_end);
            (impact.revoked, impact.revoked_end) = (revoked.number, revoked.last_end);
        }
        Ok(impact)
    }

    /// Returns the name of a CA below this one that is neither retired nor ended nor revoked.
    fn in_use_below(&self, authority: &Authority) -> Result<Option<String>, Problem> {
        let hierarchy = self.engine.hierarchy();
        for one in self.engine.index().authorities()? {
            if one.parent.as_ref() == Some(&authority.name)
                && one.retired.is_none()
                && hierarchy.still_current(&one, self.engine.now())?
            {
                return Ok(Some(one.name));
            }
        }
        Ok(None)
    }

    /// Retires a CA. For what remains valid or is revoked, a last CRL is signed that lasts until the end of it, if the
    /// key is here.
    /// For a CA that is retired already, only its name is freed, when that has become possible.
    ///
    /// # Errors
    /// As [`Lifecycle::retirement_impact`]; when the last CRL cannot be signed, and nothing is recorded then;
    /// `authority.retired` when the CA is retired and its name is free, or is not free yet; when the index fails, or
    /// a file cannot be moved: the next command moves it then.
    pub fn retire(&self, name: &str) -> Result<RetiredAuthority, Problem> {
        let RetirementImpact { authority, crl_until, named_until, .. } = self.retirement_impact(name)?;
        if let Some(retired) = &authority.retired
            && (named_until.is_some() || retired.name != authority.name)
        {
            return Err(retired_before(&authority, retired, named_until));
        }
        let maintenance = self.engine.maintenance();
        let last_crl =
            match crl_until.filter(|_| authority.retired.is_none() && maintenance.has_key(&authority)) {
                Some(end) => {
                    let signer = maintenance.unlock_for_crl(name)?;
                    Some(maintenance.publish_last_crl(name, &signer, end)?.next_update)
                }
                None => None,
            };
        let new = if named_until.is_some() { name.to_owned() } else { self.name_aside(name)? };
        let key = match new == name || authority.has_key_on_media() {
            true => KeyRef::of(&authority).uri,
            false => self.engine.keys().renamed(&KeyRef::of(&authority), &new).uri,
        };
        let now = self.engine.now();
        let mut event = self.engine.event(now, "authority.retired", name);
        event.details.push(("record".into(), new.clone()));
        event.details.extend(authority.succeeds.iter().map(|one| ("succeeds".into(), one.clone())));
        let retiring = Retiring { issuer: authority.issuer, name: new.clone(), key, at: now };
        self.engine.index().retire(&retiring, event)?;
        let status = self.engine.publication().publish_status();
        maintenance.complete_retirements(&self.engine.index().summaries()?)?;
        status?;
        let authority = self.engine.hierarchy().authority(&new)?;
        Ok(RetiredAuthority { authority, name: name.to_owned(), named_until, last_crl })
    }

    /// Returns a free name under which a retired CA is on record.
    fn name_aside(&self, name: &str) -> Result<String, Problem> {
        for number in 1..1000 {
            let ending = if number == 1 { "-retired".to_owned() } else { format!("-retired-{number}") };
            let base: String = name.chars().take(LONGEST.saturating_sub(ending.len())).collect();
            let aside = format!("{base}{ending}");
            if self.name_is_free(&aside).is_ok() {
                return Ok(aside);
            }
        }
        Err(IndexError::AuthorityExists(name.into()).into())
    }
}

fn retired_before(authority: &Authority, retired: &Retirement, until: Option<UnixTime>) -> Problem {
    let (name, at) = (&authority.name, retired.at);
    let message = match until {
        Some(until) => format!(
            "{name} was retired at {at}, and certificates name its files until {until}: its name is free after that"
        ),
        None => format!("{} was retired at {at}, and is on record as {name}", retired.name),
    };
    Problem::new(Code::AuthorityRetired, message).hint(remedy::Authority::Retired)
}
