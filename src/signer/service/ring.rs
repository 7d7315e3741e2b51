//! The keys that are open.
use crate::signer::{Peer, Scope};
use crate::signing::{KeyError, KeyRef, KeyVault, VaultKey};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The open keys of a signer: those of one command, or those that administrators have unlocked.
pub(crate) trait Ring: Send + Sync {
    /// Opens a key, or finds it open; `open` opens it.
    ///
    /// # Errors
    /// When it cannot be opened, or nobody has unlocked it.
    fn open(
        &self,
        peer: &Peer,
        key: &KeyRef,
        open: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Arc<dyn VaultKey>, KeyError>;

    /// Has a key made, or one that was brought protected, for this client; `make` does it.
    ///
    /// # Errors
    /// When it cannot be made, or this client was given no passphrase for it.
    fn make(
        &self,
        peer: &Peer,
        key: &KeyRef,
        make: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Arc<dyn VaultKey>, KeyError>;

    /// Takes a key that this client has just made.
    fn put(&self, peer: &Peer, key: &KeyRef, opened: Arc<dyn VaultKey>);

    /// Allows so many signatures of this kind with a key, and counts them.
    ///
    /// # Errors
    /// When the key is not unlocked for them.
    fn allow(&self, peer: &Peer, key: &KeyRef, scope: Scope, count: u64) -> Result<(), KeyError>;

    /// Opens a key that comes from another signer and is bound by the envelope with this SHA-256, where that has to
    /// be shown before it is taken; `open` opens it.
    ///
    /// # Errors
    /// When it does not open, or no administrator expects it with this envelope.
    fn open_coming(
        &self,
        peer: &Peer,
        coming: (&KeyRef, &[u8; 32]),
        open: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Option<Arc<dyn VaultKey>>, KeyError>;

    /// Forgets a key that is renamed, replaced or deleted.
    fn forget(&self, key: &KeyRef);

    /// Forgets what was open under the name of a key that is used from now on, and unlocks that where an administrator
    /// brought it.
    fn settled(&self, key: &KeyRef) {
        self.forget(key);
    }
}

/// A ring that others have too.
impl<R: Ring + ?Sized> Ring for Arc<R> {
    fn open(
        &self,
        peer: &Peer,
        key: &KeyRef,
        open: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Arc<dyn VaultKey>, KeyError> {
        (**self).open(peer, key, open)
    }

    fn make(
        &self,
        peer: &Peer,
        key: &KeyRef,
        make: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Arc<dyn VaultKey>, KeyError> {
        (**self).make(peer, key, make)
    }

    fn put(&self, peer: &Peer, key: &KeyRef, opened: Arc<dyn VaultKey>) {
        (**self).put(peer, key, opened);
    }

    fn allow(&self, peer: &Peer, key: &KeyRef, scope: Scope, count: u64) -> Result<(), KeyError> {
        (**self).allow(peer, key, scope, count)
    }

    fn open_coming(
        &self,
        peer: &Peer,
        coming: (&KeyRef, &[u8; 32]),
        open: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Option<Arc<dyn VaultKey>>, KeyError> {
        (**self).open_coming(peer, coming, open)
    }

    fn forget(&self, key: &KeyRef) {
        (**self).forget(key);
    }

    fn settled(&self, key: &KeyRef) {
        (**self).settled(key);
    }
}

/// The keys of one command, which opens them for itself.
#[derive(Default)]
pub(crate) struct OwnRing(Mutex<HashMap<String, Arc<dyn VaultKey>>>);

impl OwnRing {
    fn held(&self) -> MutexGuard<'_, HashMap<String, Arc<dyn VaultKey>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring for OwnRing {
    fn open(
        &self,
        _: &Peer,
        key: &KeyRef,
        open: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Arc<dyn VaultKey>, KeyError> {
        if let Some(held) = self.held().get(&key.uri) {
            return Ok(Arc::clone(held));
        }
        let opened = open()?;
        self.held().insert(key.uri.clone(), Arc::clone(&opened));
        Ok(opened)
    }

    fn make(
        &self,
        _: &Peer,
        _: &KeyRef,
        make: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Arc<dyn VaultKey>, KeyError> {
        make()
    }

    fn put(&self, _: &Peer, key: &KeyRef, opened: Arc<dyn VaultKey>) {
        self.held().insert(key.uri.clone(), opened);
    }

    fn allow(&self, _: &Peer, _: &KeyRef, _: Scope, _: u64) -> Result<(), KeyError> {
        Ok(())
    }

    /// It was opened where it was, or is when it is used.
    fn open_coming(
        &self,
        _: &Peer,
        _: (&KeyRef, &[u8; 32]),
        _: &dyn Fn() -> Result<Arc<dyn VaultKey>, KeyError>,
    ) -> Result<Option<Arc<dyn VaultKey>>, KeyError> {
        Ok(None)
    }

    fn forget(&self, key: &KeyRef) {
        self.held().remove(&key.uri);
    }
}

/// Returns the vault that has the keys of this URI's scheme.
pub(crate) fn vault_of<'v>(vaults: &'v [Arc<dyn KeyVault>], key: &KeyRef) -> Option<&'v Arc<dyn KeyVault>> {
    let scheme = |uri: &str| uri.split_once(':').map(|(scheme, _)| scheme.to_owned());
    let wanted = scheme(&key.uri)?;
    vaults.iter().find(|vault| scheme(&vault.keys().new_key("a").uri).as_deref() == Some(&wanted))
}
