//! The keys that are unlocked: pure state, with the time as a parameter.
use crate::signer::Scope;
use crate::x509::UnixTime;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A login at this machine, as the kernel keeps it through `sudo` and `su`. It says who did something, to the journal
/// and to the rule that what one login unlocks is not another's to use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Login {
    /// The user who logged in (`/proc/PID/loginuid`).
    pub(crate) loginuid: u32,
    /// The audit session (`/proc/PID/sessionid`); `None` where the kernel counts none.
    pub(crate) session: Option<u32>,
}

/// What a key is unlocked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Terms {
    /// The kinds of signatures, each with the number that may be made; `None` for any number.
    pub(crate) scopes: BTreeMap<Scope, Option<u64>>,
    /// For how long.
    pub(crate) lasting: Duration,
}

impl Terms {
    /// The longest time for which a key is unlocked: one shift of work.
    pub(crate) const LONGEST: Duration = Duration::from_secs(12 * 3600);

    /// Returns the terms of what unlocks nothing.
    #[must_use]
    pub(crate) fn none() -> Self {
        Self { scopes: BTreeMap::new(), lasting: Duration::ZERO }
    }

    /// Returns what a login gets that unlocks a key on these terms now.
    #[must_use]
    pub(crate) fn granted(&self, key: &str, login: Login, wall: UnixTime) -> Grant {
        let seconds = self.lasting.min(Self::LONGEST).as_secs();
        let until = wall.plus(i64::try_from(seconds).unwrap_or(i64::MAX));
        Grant { key: key.to_owned(), login, left: self.scopes.clone(), until, is_waiting: false }
    }
}

/// One unlocking of a key, as `key status` shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Grant {
    /// The name of the key: that of its CA.
    pub(crate) key: String,
    /// Who unlocked it, and alone uses it.
    pub(crate) login: Login,
    /// What is left of each scope; `None` for any number.
    pub(crate) left: BTreeMap<Scope, Option<u64>>,
    /// When it ends, by the wall clock: for people. The rule counts the time that passes.
    pub(crate) until: UnixTime,
    /// Whether the key was brought and is not used before its CA is taken over.
    pub(crate) is_waiting: bool,
}

struct Held<K> {
    grant: Grant,
    ends: Instant,
    opened: Arc<K>,
}

impl<K> Held<K> {
    /// Whether its time is over, or nothing is left of it.
    fn is_over(&self, now: Instant) -> bool {
        self.ends <= now || self.grant.left.values().all(|left| *left == Some(0))
    }
}

/// The reasons why a key is not available for a signature.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum NotUnlocked {
    /// Nobody has unlocked it, or the time is over.
    #[error("it is locked")]
    Locked,
    /// Somebody locked it while it was being opened.
    #[error("it was locked while it was being opened")]
    Meanwhile,
    /// Another login has.
    #[error("it is unlocked for another login than this one")]
    ForAnother,
    /// It is unlocked for other kinds of signatures.
    #[error("it is unlocked, but not for {0}")]
    OtherScope(Scope),
    /// Fewer signatures are left than the group needs.
    #[error("{left} of the signatures that it was unlocked for are left, and {needed} are needed")]
    UsedUp {
        /// Number that is left.
        left: u64,
        /// Number that is needed.
        needed: u64,
    },
}

/// The unlocked keys. A key that nobody has unlocked any more is dropped here, and wiped with its last use.
pub(crate) struct Unlocked<K> {
    held: Vec<Held<K>>,
}

impl<K> Default for Unlocked<K> {
    fn default() -> Self {
        Self { held: Vec::new() }
    }
}

impl<K> Unlocked<K> {
    /// Takes an opened key in, for this long, in the place of what this login had unlocked of it before.
    pub(crate) fn unlock(&mut self, grant: Grant, lasting: Duration, opened: Arc<K>, now: Instant) {
        self.lock_of(&grant.key, grant.login);
        self.held.push(Held { grant, ends: now + lasting.min(Terms::LONGEST), opened });
    }

    /// Returns the key for so many signatures of this kind, and counts them.
    ///
    /// # Errors
    /// When the key is not unlocked for them.
    pub(crate) fn take(
        &mut self,
        key: &str,
        scope: Scope,
        needed: u64,
        login: Login,
        now: Instant,
    ) -> Result<Arc<K>, NotUnlocked> {
        let mut refused = NotUnlocked::Locked;
        for held in self.held.iter_mut().filter(|held| held.grant.key == key && held.ends > now) {
            if held.grant.login != login {
                refused = NotUnlocked::ForAnother;
                continue;
            }
            let Some(left) = held.grant.left.get_mut(&scope) else {
                return Err(NotUnlocked::OtherScope(scope));
            };
            if let Some(left) = left {
                *left = left.checked_sub(needed).ok_or(NotUnlocked::UsedUp { left: *left, needed })?;
            }
            return Ok(Arc::clone(&held.opened));
        }
        Err(refused)
    }

    /// Returns the key that this login has unlocked, whatever for, without counting.
    ///
    /// # Errors
    /// When it has not.
    pub(crate) fn find(&self, key: &str, login: Login, now: Instant) -> Result<Arc<K>, NotUnlocked> {
        let mut of_key =
            self.held.iter().filter(|held| held.grant.key == key && !held.is_over(now)).peekable();
        let refused = if of_key.peek().is_some() { NotUnlocked::ForAnother } else { NotUnlocked::Locked };
        of_key.find(|held| held.grant.login == login).map(|held| Arc::clone(&held.opened)).ok_or(refused)
    }

    /// Drops the keys whose time is over, and returns what ended.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Grant> {
        self.drop_those(|held| held.is_over(now))
    }

    /// Locks a key for every login, and returns what ended.
    pub(crate) fn lock(&mut self, key: &str) -> Vec<Grant> {
        self.drop_those(|held| held.grant.key == key)
    }

    /// Takes back what one login has unlocked of a key.
    pub(crate) fn lock_of(&mut self, key: &str, login: Login) {
        self.held.retain(|held| !(held.grant.key == key && held.grant.login == login));
    }

    /// Locks every key, and returns what ended.
    pub(crate) fn lock_all(&mut self) -> Vec<Grant> {
        self.drop_those(|_| true)
    }

    /// Returns what is unlocked, in the order of unlocking.
    pub(crate) fn grants(&self, now: Instant) -> Vec<Grant> {
        self.held.iter().filter(|held| !held.is_over(now)).map(|held| held.grant.clone()).collect()
    }

    fn drop_those(&mut self, ended: impl Fn(&Held<K>) -> bool) -> Vec<Grant> {
        let (gone, held) = std::mem::take(&mut self.held).into_iter().partition(ended);
        self.held = held;
        gone.into_iter().map(|held: Held<K>| held.grant).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMBER: Login = Login { loginuid: 1000, session: Some(4) };
    const WALL: UnixTime = UnixTime(1_800_000_000);

    fn terms(scopes: &[(Scope, Option<u64>)], minutes: u64) -> Terms {
        Terms { scopes: scopes.iter().copied().collect(), lasting: Duration::from_secs(60 * minutes) }
    }

    fn unlocked(scopes: &[(Scope, Option<u64>)]) -> (Unlocked<String>, Arc<String>, Instant) {
        let (mut all, now, opened) = (Unlocked::default(), Instant::now(), Arc::new("the key".to_owned()));
        unlock(&mut all, "genfic", &opened, &terms(scopes, 15), AMBER, now);
        (all, opened, now)
    }

    fn unlock<K>(
        all: &mut Unlocked<K>,
        key: &str,
        opened: &Arc<K>,
        terms: &Terms,
        login: Login,
        now: Instant,
    ) {
        all.unlock(terms.granted(key, login, WALL), terms.lasting, Arc::clone(opened), now);
    }

    fn refused(result: Result<Arc<String>, NotUnlocked>) -> NotUnlocked {
        result.unwrap_err()
    }

    #[test]
    fn a_key_is_there_for_the_login_the_kind_and_the_time_that_it_was_unlocked_for_and_no_more() {
        // K2
        let (mut all, _opened, now) = unlocked(&[(Scope::Leaf, None)]);
        let take = |all: &mut Unlocked<_>, key: &str, scope, login, now| all.take(key, scope, 1, login, now);
        assert!(take(&mut all, "genfic", Scope::Leaf, AMBER, now).is_ok());
        assert_eq!(
            refused(take(&mut all, "genfic", Scope::Ca, AMBER, now)),
            NotUnlocked::OtherScope(Scope::Ca)
        );
        assert_eq!(refused(take(&mut all, "genfic-user", Scope::Leaf, AMBER, now)), NotUnlocked::Locked);
        for other in [Login { loginuid: 1001, ..AMBER }, Login { session: Some(5), ..AMBER }] {
            assert_eq!(refused(take(&mut all, "genfic", Scope::Leaf, other, now)), NotUnlocked::ForAnother);
        }
        let late = now + Duration::from_secs(15 * 60);
        assert!(take(&mut all, "genfic", Scope::Leaf, AMBER, late - Duration::from_secs(1)).is_ok());
        assert_eq!(refused(take(&mut all, "genfic", Scope::Leaf, AMBER, late)), NotUnlocked::Locked);
    }

    #[test]
    fn each_kind_is_counted_apart_and_a_group_is_granted_whole_or_not_at_all() {
        let (mut all, _opened, now) = unlocked(&[(Scope::Leaf, Some(3)), (Scope::Crl, Some(1))]);
        assert!(all.take("genfic", Scope::Leaf, 2, AMBER, now).is_ok());
        let few = refused(all.take("genfic", Scope::Leaf, 2, AMBER, now));
        assert_eq!(few, NotUnlocked::UsedUp { left: 1, needed: 2 });
        assert!(all.take("genfic", Scope::Crl, 1, AMBER, now).is_ok());
        assert!(all.take("genfic", Scope::Leaf, 1, AMBER, now).is_ok());
        assert_eq!(all.grants(now), [], "nothing is left of it");
    }

    #[test]
    fn a_locked_key_is_dropped_at_once_and_nobody_else_is_holding_it() {
        for lock in [
            |all: &mut Unlocked<_>, _: Instant| all.lock("genfic"),
            |all: &mut Unlocked<_>, _| all.lock_all(),
            |all: &mut Unlocked<_>, now| all.expire(now + Duration::from_secs(3600)),
        ] {
            let (mut all, opened, now) = unlocked(&[(Scope::Leaf, None)]);
            assert_eq!(Arc::strong_count(&opened), 2);
            assert_eq!(lock(&mut all, now).len(), 1);
            assert_eq!(Arc::strong_count(&opened), 1);
            assert_eq!(refused(all.take("genfic", Scope::Leaf, 1, AMBER, now)), NotUnlocked::Locked);
        }
    }

    #[test]
    fn unlocking_again_replaces_the_terms_of_this_login_alone() {
        let (mut all, opened, now) = unlocked(&[(Scope::Leaf, Some(1))]);
        let other = Login { loginuid: 1001, session: None };
        unlock(&mut all, "genfic", &opened, &terms(&[(Scope::Crl, None)], 5), other, now);
        unlock(&mut all, "genfic", &opened, &terms(&[(Scope::Leaf, Some(9))], 5), AMBER, now);
        let grants = all.grants(now);
        let left: Vec<_> = grants.iter().map(|grant| (grant.login, grant.left.clone())).collect();
        let of = |scope, number| BTreeMap::from([(scope, number)]);
        assert_eq!(left, [(other, of(Scope::Crl, None)), (AMBER, of(Scope::Leaf, Some(9)))]);
        assert_eq!(grants.iter().map(|grant| grant.until).collect::<Vec<_>>(), [WALL.plus(300); 2]);
    }

    #[test]
    fn no_key_is_unlocked_for_longer_than_a_shift() {
        let (mut all, now) = (Unlocked::default(), Instant::now());
        unlock(&mut all, "a", &Arc::new(()), &terms(&[(Scope::Leaf, None)], 100_000), AMBER, now);
        assert_eq!(all.grants(now)[0].until, WALL.plus(12 * 3600));
        assert_eq!(all.expire(now + Terms::LONGEST).len(), 1);
    }
}
