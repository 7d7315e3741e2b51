//! Keys that administrators bring from files of other programs: opened here, encrypted anew, and unlocked once they are used.
use super::descriptor::read_handed;
use super::keyring::{Asked, UnlockError};
use super::names::known_as;
use super::openings::Opening;
use super::ring::SharedRing;
use super::unlocked::{Grant, Terms};
use crate::signing::{KeyError, KeyRef, OpenedKey, RecipientText, Secret, VaultKey};
use crate::x509::UnixTime;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

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
    opening: Opening,
}

impl Brought {
    fn is_over(&self, now: Instant) -> bool {
        self.ends <= now || self.opening.was_locked()
    }
}

/// The keys that were brought, by name, each until it is used or its time is over.
#[derive(Default)]
pub(super) struct BroughtKeys(Mutex<BTreeMap<String, Brought>>);

impl BroughtKeys {
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Brought>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a key out. One that was locked, or has had its time, is dropped.
    fn take(&self, key: &str) -> Option<Brought> {
        self.held().remove(key).filter(|brought| !brought.is_over(Instant::now()))
    }

    /// Forgets a key, or every key.
    pub(super) fn lock(&self, key: Option<&str>) -> Vec<Grant> {
        let mut held = self.held();
        let ended = held.extract_if(.., |name, _| key.is_none_or(|key| key == name));
        ended.map(|(_, brought)| brought.grant).collect()
    }

    /// Forgets what has had its time.
    pub(super) fn expire(&self) {
        let now = Instant::now();
        self.held().retain(|_, brought| !brought.is_over(now));
    }

    /// Returns what is open.
    pub(super) fn grants(&self) -> Vec<Grant> {
        self.held().values().map(|brought| brought.grant.clone()).collect()
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

    /// Begins to open a key that is brought, which is not kept open when it is locked meanwhile.
    pub(crate) fn begin_brought(&self, asked: &Asked) -> Opening {
        self.keyring.begin(&asked.key)
    }

    /// Keeps a key that was brought, for the login and the time that the administrator says, until it is used.
    pub(crate) fn keep_brought(
        &self,
        asked: &Asked,
        (opening, opened): (Opening, Arc<dyn VaultKey>),
        wall: UnixTime,
    ) {
        let grant = Grant { is_waiting: true, ..asked.terms.granted(&asked.key, asked.login, wall) };
        let ends = Instant::now() + asked.terms.lasting.min(Terms::LONGEST);
        self.brought.held().insert(asked.key.clone(), Brought { grant, ends, opened, opening });
    }

    /// Unlocks a key that was brought and is used from now on. One that was not, or is another one, is locked.
    pub(super) fn unlock_settled(&self, key: &KeyRef) {
        let name = known_as(key);
        let brought = self.brought.take(&name);
        let brought = brought.filter(|one| Some(one.opened.public_key().digest()) == key.identity);
        let locked = self.closed_but(Some(&name), brought.as_ref().map(|one| &one.opening));
        self.noted(locked);
        if let Some(Brought { grant, ends, opened, opening }) = brought {
            let note = |event| (self.note)(event);
            let (grant, left) =
                (Grant { is_waiting: false, ..grant }, ends.saturating_duration_since(Instant::now()));
            // where the journal cannot have it, or somebody locked it meanwhile, the key is locked
            let _ = self.keyring.put_opened(grant, left, Arc::new(opened), Some(&opening), &note);
        }
    }
}
