//! Keys that administrators bring from files of other programs: opened here, encrypted anew, and unlocked once they are used.
use super::descriptor::read_handed;
use super::keyring::{Asked, UnlockError};
use super::ring::SharedRing;
use super::unlocked::{Grant, Terms};
use crate::signing::{KeyError, OpenedKey, RecipientText, Secret, VaultKey};
use crate::x509::UnixTime;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The contents of a key file, and the open key.
pub(crate) type Sealed = (Vec<u8>, Arc<dyn VaultKey>);

/// A key in a file of another program.
pub(crate) struct ForeignFile<'a> {
    /// How messages name it.
    pub(crate) name: String,
    /// Where what opens it is; `None` where that is not needed, or nobody has it.
    pub(crate) old: Option<&'a Asked>,
    /// Opens it, and refuses another key than is meant.
    pub(crate) open: &'a dyn Fn(Option<&Secret>) -> Result<OpenedKey, KeyError>,
}

/// A key that was brought and is not used yet.
struct Brought {
    grant: Grant,
    ends: Instant,
    opened: Arc<dyn VaultKey>,
}

/// The keys that were brought, by name, each until it is used or its time is over.
#[derive(Default)]
pub(super) struct BroughtKeys(Mutex<BTreeMap<String, Brought>>);

impl BroughtKeys {
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Brought>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a key out, with what it is unlocked for and for how long still.
    pub(super) fn take(&self, key: &str) -> Option<(Grant, Duration, Arc<dyn VaultKey>)> {
        let brought = self.held().remove(key)?;
        let left = brought.ends.checked_duration_since(Instant::now())?;
        Some((brought.grant, left, brought.opened))
    }

    /// Forgets a key, or every key.
    pub(super) fn lock(&self, key: Option<&str>) {
        match key {
            Some(key) => drop(self.held().remove(key)),
            None => self.held().clear(),
        }
    }

    /// Forgets what has had its time.
    pub(super) fn expire(&self) {
        let now = Instant::now();
        self.held().retain(|_, brought| brought.ends > now);
    }

    /// Returns whether none is open.
    pub(super) fn is_empty(&self) -> bool {
        self.held().is_empty()
    }
}

impl SharedRing {
    /// Opens a key in a file of another program, and has it encrypted with the secret that was handed over for it, or to
    /// these recipients, of which that is an identity. `seal` encrypts it.
    ///
    /// # Errors
    /// As [`Keyring::unlock`](super::keyring::Keyring::unlock); when the new passphrase is weak.
    pub(crate) fn sealed_anew(
        &self,
        file: &ForeignFile<'_>,
        (new, recipients): (&Asked, Vec<RecipientText>),
        seal: &dyn Fn(OpenedKey) -> Result<Sealed, KeyError>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Sealed, UnlockError> {
        let opened = match file.old {
            Some(old) => {
                let question = format!("Passphrase of {}, read by genfic-signer: ", file.name);
                let open = |_: &str, secret: &Secret| (file.open)(Some(secret));
                self.keyring.opened_by(old, &question, &open, &self.note, is_over)?
            }
            None => self.keyring.deriving(false, || (file.open)(None))?,
        };
        let secret = if recipients.is_empty() {
            self.prepared.chosen(new, is_over)?
        } else {
            let question = format!("Identity for the key of {}, read by genfic-signer: ", new.key);
            read_handed(&new.from, new.handed, new.user, &question, is_over)?
        };
        let sealed = || self.prepared.with_recipients(&secret, recipients, || seal(opened));
        Ok(self.keyring.deriving(false, sealed)?)
    }

    /// Keeps a key that was brought, for the login and the time that the administrator says, until it is used.
    pub(crate) fn keep_brought(&self, asked: &Asked, opened: Arc<dyn VaultKey>, wall: UnixTime) {
        let grant = asked.terms.granted(&asked.key, asked.login, wall);
        let ends = Instant::now() + asked.terms.lasting.min(Terms::LONGEST);
        self.brought.held().insert(asked.key.clone(), Brought { grant, ends, opened });
    }

    /// Unlocks a key that was brought and is used from now on; one that was not is locked.
    pub(super) fn unlock_settled(&self, key: &str) {
        let brought = self.brought.take(key);
        self.lock(Some(key));
        if let Some((grant, left, opened)) = brought {
            let note = |event| (self.note)(event);
            // where the journal cannot have it, the key is locked
            let _ = self.keyring.put(grant, left, Arc::new(opened), &note);
        }
    }
}
