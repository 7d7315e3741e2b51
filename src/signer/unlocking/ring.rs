//! The open keys of the service, as its requests meet them.
use super::brought::BroughtKeys;
use super::descriptor::read_handed;
use super::expected::Expected;
use super::keyring::{Asked, Event, Keyring, UnlockError};
use super::names::{known_as, login_of};
use super::openings::Opening;
use super::prepared::Prepared;
use super::renewing::Renewing;
use super::unlocked::{Grant, NotUnlocked, Terms};
use crate::failpoint;
use crate::signer::journal::replaced;
use crate::signer::service::Ring;
use crate::signer::{ClientClass, Peer, Scope};
use crate::signing::{KeyError, KeyRef, KeyVault, RecipientText, Reencrypted, Secret, VaultKey};
use crate::x509::{UnixTime, sha256};
use std::sync::Arc;

/// Writes what happened to a key into the journal.
pub(crate) type Noting = dyn Fn(Event) -> Result<(), KeyError> + Send + Sync;

/// The open keys of the service: those that somebody has unlocked, each for this login alone, and for a minute those
/// that a timer opened with a credential of the service.
pub(crate) struct SharedRing {
    pub(super) keyring: Keyring<Arc<dyn VaultKey>>,
    renewing: Renewing,
    pub(super) prepared: Arc<Prepared>,
    expected: Expected,
    pub(super) brought: BroughtKeys,
    pub(super) note: Box<Noting>,
}

impl SharedRing {
    /// Returns a ring without keys. `prepared` has the passphrases for new keys, and is a source of the stores.
    pub(crate) fn new(prepared: Arc<Prepared>, note: Box<Noting>) -> Self {
        Self {
            keyring: Keyring::default(),
            renewing: Renewing::default(),
            prepared,
            expected: Expected::default(),
            brought: BroughtKeys::default(),
            note,
        }
    }

    /// Unlocks a key of a store with the passphrase that was handed over.
    ///
    /// # Errors
    /// As [`Keyring::unlock`].
    pub(crate) fn unlock(
        &self,
        asked: &Asked,
        vault: &dyn KeyVault,
        key: &KeyRef,
        wall: UnixTime,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Grant, UnlockError> {
        let open = |_: &str, secret: &Secret| self.prepared.with(secret, || vault.open_key(key));
        self.keyring.unlock(asked, wall, &open, &self.note, is_over)
    }

    /// As [`SharedRing::unlock`], for a key that was made and has no certificate. It is bound to what it is for, by
    /// `bind` with the SHA-256 of its SubjectPublicKeyInfo, before it is unlocked.
    ///
    /// # Errors
    /// As [`Keyring::unlock`], and when it cannot be bound.
    pub(crate) fn unlock_new(
        &self,
        asked: &Asked,
        (vault, key): (&dyn KeyVault, &KeyRef),
        wall: UnixTime,
        bind: &dyn Fn(&[u8; 32]) -> Result<(), KeyError>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Grant, UnlockError> {
        let open = |_: &str, secret: &Secret| {
            let opened = self.prepared.with(secret, || vault.open_key(key))?;
            bind(&opened.public_key().digest())?;
            Ok(opened)
        };
        self.keyring.unlock(asked, wall, &open, &self.note, is_over)
    }

    /// Gives a key of a store a new passphrase, which is behind the descriptor of `new`. It is locked for everybody then.
    /// The journal has it before the file is replaced, which is one step.
    ///
    /// # Errors
    /// As [`Keyring::unlock`]; when the new passphrase is weak, or the file cannot be replaced. The old one opens the key
    /// then.
    pub(crate) fn change_passphrase(
        &self,
        old: &Asked,
        new: &Asked,
        vault: &dyn KeyVault,
        key: &KeyRef,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), UnlockError> {
        let store = vault.keys().protector(key)?;
        let open = |_: &str, secret: &Secret| {
            let opened = self.prepared.with(secret, || vault.open_key(key))?;
            Ok((secret.clone(), opened.public_key().digest()))
        };
        let (present, identity) = self.keyring.opened(old, &open, &self.note, is_over)?;
        let chosen = self.prepared.chosen(new, is_over)?;
        let known = KeyRef { identity: Some(identity), ..key.clone() };
        let reencrypt = || self.prepared.with_both(&present, &chosen, || store.reencrypt(&known));
        let reencrypted = self.keyring.deriving(false, reencrypt)?;
        let how = match &reencrypted {
            Reencrypted::Here { before, after, .. } => {
                format!("with a new passphrase, {}", replaced(&sha256(before), &sha256(after)))
            }
            Reencrypted::InSigner(_) => "with a new passphrase".to_owned(),
        };
        (self.note)(Event::Protected { key: old.key.clone(), identity, login: old.login, how })?;
        failpoint::passed("signer: new passphrase in the journal");
        store.put_reencrypted(&reencrypted)?;
        failpoint::passed("signer: new passphrase in place");
        self.lock(Some(&old.key));
        Ok(())
    }

    /// Keeps a passphrase that was handed over for a key that is about to be made, or an identity of one of its recipients. The PIN of a token is tried before, as
    /// one that unlocks a key is.
    ///
    /// # Errors
    /// When there is no passphrase, or a weak one; when it is the PIN of a token, and wrong.
    pub(crate) fn prepare(
        &self,
        asked: &Asked,
        (vault, key): (&dyn KeyVault, &KeyRef),
        recipients: Vec<RecipientText>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), UnlockError> {
        let secret = if asked.is_pin {
            let log_in = |_: &str, pin: &Secret| {
                let checked = self.prepared.with(pin, || vault.check_secret(key));
                checked.map(|()| pin.clone())
            };
            self.keyring.opened(asked, &log_in, &self.note, is_over)?
        } else if recipients.is_empty() {
            self.prepared.chosen(asked, is_over)?
        } else {
            let question = format!("Identity for the new key of {}, read by genfic-signer: ", asked.key);
            read_handed(&asked.from, asked.handed, asked.user, &question, is_over)?
        };
        self.prepared.keep(asked, secret, recipients);
        Ok(())
    }

    /// Expects a key to come from another signer, which the passphrase that was handed over opens, and which is bound
    /// by the envelope with this SHA-256: the one that the administrator was shown.
    ///
    /// # Errors
    /// When there is no passphrase, or the journal cannot have it.
    pub(crate) fn expect(
        &self,
        asked: &Asked,
        envelope: [u8; 32],
        wall: UnixTime,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Grant, UnlockError> {
        let question =
            format!("Passphrase for the key of {}, which is to come, read by genfic-signer: ", asked.key);
        let secret = read_handed(&asked.from, asked.handed, asked.user, &question, is_over)?;
        let grant = self.expected.put(asked, secret, envelope, wall);
        (self.note)(Event::Unlocked(grant.clone())).inspect_err(|_| {
            self.expected.forget(&asked.key);
        })?;
        Ok(grant)
    }

    /// Opens a key that has come with the passphrase of the administrator of this login. A wrong one is forgotten.
    fn opened_as_expected(
        &self,
        peer: &Peer,
        (key, envelope): (&KeyRef, &[u8; 32]),
        open: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Arc<dyn VaultKey>, KeyError> {
        let name = known_as(key);
        let login = login_of(peer).filter(|_| peer.class == ClientClass::Command);
        let secret = login.and_then(|login| self.expected.secret(&name, login));
        let refused = |reason: &str| KeyError::Locked {
            key: name.clone(),
            scope: Some(Scope::Move.name().to_owned()),
            reason: reason.to_owned(),
        };
        let (Some(login), Some((secret, confirmed))) = (login, secret) else {
            return Err(refused("no administrator of this login expects it"));
        };
        if confirmed != *envelope {
            return Err(refused("the administrator has confirmed another envelope than this one"));
        }
        let opened = self.keyring.deriving(key.is_in_token(), || self.prepared.with(&secret, open));
        if matches!(opened, Err(KeyError::SecretRejected(_))) {
            let ended = self.expected.forget(&name);
            (self.note)(Event::WrongPassphrase { key: name, login, number: 1 })?;
            self.noted(ended.into_iter().collect());
        }
        opened
    }

    /// Locks a key, or every key, for everybody; returns what ended.
    pub(crate) fn lock(&self, key: Option<&str>) -> Vec<Grant> {
        self.noted(self.closed(key))
    }

    /// Locks as [`SharedRing::lock`] does, within a turn at the journal: what ended is [noted](SharedRing::noted) after it.
    /// Who opened the key before, and waits for the turn, is not allowed to sign with it.
    pub(crate) fn closed(&self, key: Option<&str>) -> Vec<Grant> {
        self.closed_but(key, None)
    }

    /// As [`SharedRing::closed`]; what is being opened by this one is not locked.
    pub(super) fn closed_but(&self, key: Option<&str>, except: Option<&Opening>) -> Vec<Grant> {
        self.renewing.lock(key);
        let brought = self.brought.lock(key);
        let expected = match key {
            Some(key) => {
                self.prepared.forget(key);
                self.expected.forget(key).into_iter().collect()
            }
            None => {
                self.prepared.forget_all();
                self.expected.forget_all()
            }
        };
        [self.keyring.lock(key, except), expected, brought].concat()
    }

    /// Locks what has had its time; returns what is unlocked.
    pub(crate) fn grants(&self) -> Vec<Grant> {
        self.expire();
        [self.keyring.grants(), self.expected.grants(), self.brought.grants()].concat()
    }

    /// Locks what has had its time.
    pub(crate) fn expire(&self) {
        self.renewing.expire();
        self.brought.expire();
        self.prepared.expire();
        self.noted([self.keyring.expire(), self.expected.expire()].concat());
    }

    /// Whether nothing is open.
    pub(crate) fn is_empty(&self) -> bool {
        let is_open = !self.grants().is_empty() || !self.renewing.is_empty();
        !is_open && self.prepared.is_empty()
    }

    /// Notes what was locked. It is locked whether or not the journal can have it.
    pub(crate) fn noted(&self, ended: Vec<Grant>) -> Vec<Grant> {
        // the journal has no unlocking of one that was brought and never used
        for grant in ended.iter().filter(|grant| !grant.is_waiting) {
            let _ = (self.note)(Event::Locked(grant.clone()));
        }
        ended
    }

    fn opened_for_renewal(
        &self,
        key: &KeyRef,
        open: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Arc<dyn VaultKey>, KeyError> {
        self.expire();
        let name = known_as(key);
        let opening = self.renewing.opening(&name);
        // in its turn, so that the same key is not opened once more
        let opened = self.keyring.deriving(key.is_in_token(), || match self.renewing.find(&name) {
            Some(opened) => Ok(opened),
            None => open().inspect(|opened| self.renewing.put(&name, &opening, opened)),
        });
        match opened {
            Ok(_) if opening.was_locked() => Err(locked(key, None, &NotUnlocked::Meanwhile)),
            Err(KeyError::SecretUnavailable(reason)) => {
                Err(KeyError::Locked { key: name, scope: None, reason })
            }
            opened => opened,
        }
    }
}

impl Ring for SharedRing {
    fn open(
        &self,
        peer: &Peer,
        key: &KeyRef,
        open: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Arc<dyn VaultKey>, KeyError> {
        match (peer.class, login_of(peer)) {
            (ClientClass::Renew, _) => self.opened_for_renewal(key, open),
            (_, Some(login)) => {
                self.expire();
                let found = self.keyring.find(&known_as(key), login);
                found.map_err(|reason| locked(key, None, &reason))
            }
            (_, None) => Err(locked(key, None, &NotUnlocked::Locked)),
        }
    }

    fn make(
        &self,
        peer: &Peer,
        key: &KeyRef,
        make: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Arc<dyn VaultKey>, KeyError> {
        let name = known_as(key);
        let given = self.prepared.secret_for(&name, key.is_in_token(), login_of(peer));
        let secret = given.map_err(|error| match error {
            // the PIN is given for a token, which the name alone does not say
            KeyError::Locked { scope, reason, .. } if key.is_in_token() => {
                KeyError::Locked { key: key.uri.clone(), scope, reason }
            }
            error => error,
        })?;
        let made =
            self.keyring.deriving(key.is_in_token(), || self.prepared.with_readers(&name, &secret, make));
        if matches!(made, Err(KeyError::PinRejected(_))) {
            self.prepared.forget(&name);
        }
        made
    }

    fn put(&self, peer: &Peer, key: &KeyRef, opened: Arc<dyn VaultKey>) {
        let name = known_as(key);
        let Some(login) = login_of(peer) else { return };
        if let Some((terms, wall)) = self.prepared.terms(&name, login) {
            // the passphrase was given for making it and for using it
            let note = |event| (self.note)(event);
            let grant = terms.granted(&name, login, wall);
            let _ = self.keyring.put(grant, terms.lasting, Arc::new(opened), &note);
        }
    }

    fn allow(&self, peer: &Peer, key: &KeyRef, scope: Scope, count: u64) -> Result<(), KeyError> {
        let name = known_as(key);
        let Some(login) = login_of(peer).filter(|_| peer.class != ClientClass::Renew) else {
            return match scope {
                // it may have been locked since it was opened
                Scope::Crl | Scope::Renewal if peer.class == ClientClass::Renew => {
                    let is_held = self.renewing.is_held(&name);
                    is_held.then_some(()).ok_or_else(|| locked(key, Some(scope), &NotUnlocked::Locked))
                }
                scope => Err(locked(key, Some(scope), &NotUnlocked::OtherScope(scope))),
            };
        };
        let take = |scope| self.keyring.take(&name, scope, count, login).map(drop);
        let taken = match scope {
            Scope::Renewal => take(Scope::Crl).or_else(|_| take(Scope::Ca)),
            scope => take(scope),
        };
        taken.map_err(|reason| locked(key, Some(scope), &reason))
    }

    fn open_coming(
        &self,
        peer: &Peer,
        coming: (&KeyRef, &[u8; 32]),
        open: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Option<Arc<dyn VaultKey>>, KeyError> {
        self.opened_as_expected(peer, coming, open).map(Some)
    }

    fn forget(&self, key: &KeyRef) {
        self.lock(Some(&known_as(key)));
    }

    fn settled(&self, key: &KeyRef) {
        self.unlock_settled(key);
    }
}

pub(super) fn locked(key: &KeyRef, scope: Option<Scope>, reason: &NotUnlocked) -> KeyError {
    let name = |scope: Scope| if scope == Scope::Renewal { Scope::Ca.name() } else { scope.name() };
    let scope = scope.map(|scope| name(scope).to_owned());
    KeyError::Locked { key: known_as(key), scope, reason: reason.to_string() }
}

/// What a key is made with, until it is used.
pub(super) type PreparedTerms = (Terms, UnixTime);

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
