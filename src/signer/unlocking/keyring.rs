//! The unlocked keys of a running service, and how a passphrase that was handed over unlocks one.
use super::descriptor::{Handed, NoPassphrase, read_handed};
use super::openings::{Opening, Openings};
use super::unlocked::{Grant, Login, NotUnlocked, Terms, Unlocked};
use super::{Attempts, terminal};
use crate::signer::Scope;
use crate::signing::{KeyError, Secret, TRIES};
use crate::x509::UnixTime;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What an administrator asks.
pub(crate) struct Asked {
    /// The name of the key: that of its CA.
    pub(crate) key: String,
    /// What it is unlocked for.
    pub(crate) terms: Terms,
    /// Who asks.
    pub(crate) login: Login,
    /// The user who handed the descriptor over.
    pub(crate) user: u32,
    /// What kind of descriptor it is.
    pub(crate) handed: Handed,
    /// The descriptor, which the client has not read.
    pub(crate) from: OwnedFd,
    /// Whether it has the PIN of a token.
    pub(crate) is_pin: bool,
}

/// Wrong PINs are counted for all tokens together: there are many ways to name the same one.
const TOKENS: &str = "pkcs11:";

impl Asked {
    /// Returns the word for what is asked.
    pub(super) fn word(&self) -> &'static str {
        if self.is_pin { "PIN" } else { "Passphrase" }
    }

    /// Returns what wrong ones are counted for.
    fn guessed(&self) -> &str {
        if self.is_pin { TOKENS } else { &self.key }
    }
}

/// What happened to a key; the journal has it before anything comes of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    /// It was unlocked.
    Unlocked(Grant),
    /// It was locked, or its time was over.
    Locked(Grant),
    /// It is protected anew.
    Protected {
        /// The name of the key.
        key: String,
        /// SHA-256 of its SubjectPublicKeyInfo.
        identity: [u8; 32],
        /// Who changes it.
        login: Login,
        /// What was done.
        how: String,
    },
    /// A passphrase did not open it.
    WrongPassphrase {
        /// The name of the key.
        key: String,
        /// Who tried.
        login: Login,
        /// Number of wrong ones in a row.
        number: u32,
    },
}

/// The reasons why a key was not unlocked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnlockError {
    /// The descriptor gave no passphrase.
    #[error("no passphrase: {0}")]
    NoPassphrase(#[from] NoPassphrase),
    /// Wrong passphrases were given before, and the next may be tried later.
    #[error("wrong passphrases were given; the next one is tried in {} s", .0.as_secs() + 1)]
    Slowed(Duration),
    /// The passphrase is wrong, or the key cannot be opened.
    #[error(transparent)]
    Key(#[from] KeyError),
}

struct State<K> {
    unlocked: Unlocked<K>,
    attempts: Attempts,
    openings: Openings,
}

/// The unlocked keys of a service.
///
/// Locks are taken in this order: `deriving` or `at_tokens`, the turn at the journal, `state`. Nothing is journaled while
/// `state` is held: a request for signatures has the turn, and waits for `state`. A key is opened outside of `state`, so
/// that locking waits for nothing.
pub(crate) struct Keyring<K> {
    state: Mutex<State<K>>,
    /// Held while a key is derived from a passphrase, so that several connections guess no faster than one, and scrypt
    /// has the memory that the signer may lock.
    deriving: Mutex<()>,
    /// Likewise held while a token is asked, which may take long. Keys in files do not wait for it.
    at_tokens: Mutex<()>,
}

impl<K> Default for Keyring<K> {
    fn default() -> Self {
        let (unlocked, attempts, openings) = (Unlocked::default(), Attempts::default(), Openings::default());
        let state = Mutex::new(State { unlocked, attempts, openings });
        Self { state, deriving: Mutex::default(), at_tokens: Mutex::default() }
    }
}

impl<K> Keyring<K> {
    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something that derives a key from a passphrase, or logs in to a token. One thread does either at a time.
    pub(super) fn deriving<T>(&self, is_in_token: bool, act: impl FnOnce() -> T) -> T {
        let turn = if is_in_token { &self.at_tokens } else { &self.deriving };
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        act()
    }

    /// Unlocks a key with the passphrase behind the descriptor. At a terminal a person is asked up to [`TRIES`] times.
    /// `open` opens the key file; `note` writes into the journal, and nothing is unlocked that it could not write.
    /// `is_over` says that nobody waits any more.
    ///
    /// # Errors
    /// When there is no passphrase, it is wrong, or `open` or `note` fail.
    pub(crate) fn unlock(
        &self,
        asked: &Asked,
        wall: UnixTime,
        open: &dyn Fn(&str, &Secret) -> Result<K, KeyError>,
        note: &dyn Fn(Event) -> Result<(), KeyError>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Grant, UnlockError> {
        let opening = |key: &str, secret: &Secret| {
            let opening = self.begin(key);
            Ok((open(key, secret)?, opening))
        };
        let (opened, opening) = self.opened(asked, &opening, note, is_over)?;
        let grant = asked.terms.granted(&asked.key, asked.login, wall);
        Ok(self.put_opened(grant, asked.terms.lasting, Arc::new(opened), Some(&opening), note)?)
    }

    /// Has a key opened with the passphrase behind the descriptor, as [`Keyring::unlock`] does, and returns what `open`
    /// returns. Nothing is unlocked.
    ///
    /// # Errors
    /// As [`Keyring::unlock`].
    pub(super) fn opened<T>(
        &self,
        asked: &Asked,
        open: &dyn Fn(&str, &Secret) -> Result<T, KeyError>,
        note: &dyn Fn(Event) -> Result<(), KeyError>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<T, UnlockError> {
        let question = format!("{} for the key of {}, read by genfic-signer: ", asked.word(), asked.key);
        self.opened_by(asked, &question, open, note, is_over)
    }

    /// As [`Keyring::opened`], with this question where a person is asked.
    ///
    /// # Errors
    /// As [`Keyring::unlock`].
    pub(super) fn opened_by<T>(
        &self,
        asked: &Asked,
        question: &str,
        open: &dyn Fn(&str, &Secret) -> Result<T, KeyError>,
        note: &dyn Fn(Event) -> Result<(), KeyError>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<T, UnlockError> {
        let is_person = asked.handed == Handed::Terminal;
        let (mut tries, mut quiet) = (1, None);
        loop {
            self.wait_for_turn(asked, is_person, is_over)?;
            let secret = read_handed(&asked.from, asked.handed, asked.user, question, is_over)?;
            match self.tried(asked, &secret, open, note) {
                Err(UnlockError::Key(KeyError::SecretRejected(_))) if is_person && tries < TRIES => {
                    tries += 1;
                    // who types before the next question is asked does not show it either
                    if quiet.is_none() {
                        quiet = terminal::quiet(asked.from.as_fd()).ok();
                    }
                    let again = format!("What was typed does not open it. Try {tries} of {TRIES}.\r\n");
                    terminal::say(asked.from.as_fd(), &again).map_err(NoPassphrase::from)?;
                }
                tried => return tried,
            }
        }
    }

    /// Takes a key in that is open, for this long, once the journal has it.
    ///
    /// # Errors
    /// When the journal cannot have it; nothing is unlocked then.
    pub(super) fn put(
        &self,
        grant: Grant,
        lasting: Duration,
        opened: Arc<K>,
        note: &dyn Fn(Event) -> Result<(), KeyError>,
    ) -> Result<Grant, KeyError> {
        self.put_opened(grant, lasting, opened, None, note)
    }

    /// Begins to open a key, which is not taken in when it is locked meanwhile.
    pub(super) fn begin(&self, key: &str) -> Opening {
        self.state().openings.begin(key)
    }

    /// As [`Keyring::put`], unless the key was locked since its opening began.
    ///
    /// # Errors
    /// As [`Keyring::put`], and when it was locked.
    pub(super) fn put_opened(
        &self,
        grant: Grant,
        lasting: Duration,
        opened: Arc<K>,
        opening: Option<&Opening>,
        note: &dyn Fn(Event) -> Result<(), KeyError>,
    ) -> Result<Grant, KeyError> {
        // the journal comes before the state, always: whoever signs has the journal and then asks for the state
        note(Event::Unlocked(grant.clone()))?;
        let mut state = self.state();
        if !opening.is_some_and(Opening::was_locked) {
            state.unlocked.unlock(grant.clone(), lasting, opened, Instant::now());
            return Ok(grant);
        }
        drop(state);
        note(Event::Locked(grant.clone()))?;
        let reason = NotUnlocked::Meanwhile.to_string();
        Err(KeyError::Locked { key: grant.key, scope: None, reason })
    }

    /// Tries one passphrase. No other is tried meanwhile, and none before its time.
    fn tried<T>(
        &self,
        asked: &Asked,
        secret: &Secret,
        open: &dyn Fn(&str, &Secret) -> Result<T, KeyError>,
        note: &dyn Fn(Event) -> Result<(), KeyError>,
    ) -> Result<T, UnlockError> {
        self.deriving(asked.is_pin, || self.tried_in_turn(asked, secret, open, note))
    }

    fn tried_in_turn<T>(
        &self,
        asked: &Asked,
        secret: &Secret,
        open: &dyn Fn(&str, &Secret) -> Result<T, KeyError>,
        note: &dyn Fn(Event) -> Result<(), KeyError>,
    ) -> Result<T, UnlockError> {
        let wait = self.state().attempts.wait(asked.guessed(), Instant::now());
        if !wait.is_zero() {
            return Err(UnlockError::Slowed(wait));
        }
        match open(&asked.key, secret) {
            Ok(opened) => {
                self.state().attempts.succeeded(asked.guessed());
                Ok(opened)
            }
            // a wrong PIN counts likewise, and is not asked for again: the token counts too
            Err(error @ (KeyError::SecretRejected(_) | KeyError::PinRejected(_))) => {
                let number = self.state().attempts.failed(asked.guessed(), Instant::now());
                note(Event::WrongPassphrase { key: asked.key.clone(), login: asked.login, number })?;
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the next passphrase may be tried: at a terminal, where a person is told why; otherwise it is an error.
    fn wait_for_turn(
        &self,
        asked: &Asked,
        is_person: bool,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), UnlockError> {
        let wait = self.state().attempts.wait(asked.guessed(), Instant::now());
        if wait.is_zero() {
            return Ok(());
        }
        if !is_person {
            return Err(UnlockError::Slowed(wait));
        }
        let text = format!("{}.\r\n", UnlockError::Slowed(wait));
        terminal::say(asked.from.as_fd(), &text).map_err(NoPassphrase::from)?;
        let end = Instant::now() + wait;
        while Instant::now() < end {
            if is_over() {
                return Err(NoPassphrase::GivenUp.into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Returns the key for so many signatures of this kind by this login, and counts them.
    ///
    /// # Errors
    /// When the key is not unlocked for them.
    pub(crate) fn take(
        &self,
        key: &str,
        scope: Scope,
        needed: u64,
        login: Login,
    ) -> Result<Arc<K>, NotUnlocked> {
        self.state().unlocked.take(key, scope, needed, login, Instant::now())
    }

    /// Returns the key that this login has unlocked for anything, without counting.
    ///
    /// # Errors
    /// When it has not.
    pub(super) fn find(&self, key: &str, login: Login) -> Result<K, NotUnlocked>
    where
        K: Clone,
    {
        self.state().unlocked.find(key, login, Instant::now()).map(|held| K::clone(&held))
    }

    /// Locks a key, or every key, for everybody; returns what ended.
    /// What is being opened by `except` is taken in all the same.
    pub(super) fn lock(&self, key: Option<&str>, except: Option<&Opening>) -> Vec<Grant> {
        let mut state = self.state();
        state.openings.lock(key, except);
        match key {
            Some(key) => state.unlocked.lock(key),
            None => state.unlocked.lock_all(),
        }
    }

    /// Locks the keys whose time is over; returns what ended.
    pub(crate) fn expire(&self) -> Vec<Grant> {
        self.state().unlocked.expire(Instant::now())
    }

    /// Returns what is unlocked.
    pub(crate) fn grants(&self) -> Vec<Grant> {
        self.state().unlocked.grants(Instant::now())
    }
}

#[cfg(test)]
#[path = "keyring_tests.rs"]
mod tests;
