//! Keys that an administrator has in custody: what comes back is the same key, which what was handed over opens.
use super::descriptor::read_handed;
use super::keyring::{Asked, Event, UnlockError};
use super::names::{known_as, login_of};
use super::ring::{SharedRing, locked};
use super::unlocked::NotUnlocked;
use crate::failpoint;
use crate::signer::journal::replaced;
use crate::signer::{ClientClass, Peer, Scope};
use crate::signing::{KeyError, KeyRef, KeyVault, OpenedKey, Protection, Secret, VaultKey};
use crate::x509::sha256;
use std::sync::Arc;

/// A key file that comes back in the place of the one that was lent.
pub(crate) struct Resealed {
    /// SHA-256 of the file that was lent.
    pub(crate) before: [u8; 32],
    /// The new file.
    pub(crate) sealed: Vec<u8>,
    /// The record of the shares that open it.
    pub(crate) record: Option<Vec<u8>>,
    /// What was done, in the words of the client.
    pub(crate) how: String,
}

/// Tells whether this was once the SHA-256 of the file of this key, which is named by that of its SubjectPublicKeyInfo.
pub(crate) type WasInPlace<'a> = dyn Fn(&[u8; 32], &[u8; 32]) -> Result<bool, KeyError> + 'a;

impl SharedRing {
    /// Returns a key that this administrator has unlocked for custody, and counts one use of that.
    ///
    /// # Errors
    /// When it is not, or the client is no administrator.
    pub(crate) fn in_custody(&self, peer: &Peer, key: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError> {
        self.expire();
        let refused = |reason: &NotUnlocked| locked(key, Some(Scope::Custody), reason);
        let login = login_of(peer).filter(|_| peer.class == ClientClass::Administrator);
        let login = login.ok_or_else(|| refused(&NotUnlocked::Locked))?;
        let taken = self.keyring.take(&known_as(key), Scope::Custody, 1, login);
        taken.map(|held| Arc::clone(held.as_ref())).map_err(|reason| refused(&reason))
    }

    /// Opens a key with the passphrase that was handed over, to be written out with the other one.
    ///
    /// # Errors
    /// When the one is wrong or the other is soon guessed.
    pub(crate) fn taken_out(
        &self,
        (old, new): (&Asked, &Asked),
        vault: &dyn KeyVault,
        key: &KeyRef,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(OpenedKey, Secret), UnlockError> {
        let open = |_: &str, secret: &Secret| self.prepared.with(secret, || vault.take_out(key));
        let opened = self.keyring.opened(old, &open, &self.note, is_over)?;
        Ok((opened, self.prepared.chosen(new, is_over)?))
    }

    /// Replaces the file of a key that is unlocked for custody by one of the same key, which the secret behind the
    /// descriptor opens. The key is locked for everybody then. The journal has it before the file is replaced, which is one
    /// step.
    ///
    /// # Errors
    /// When the key is not unlocked for that, the new file is no file of the same key or is not opened by the secret, the
    /// secret is soon guessed, the file was changed since it was lent, or the new one was in its place before. The old
    /// one stays then. It may be the new one already when the directory cannot be written.
    pub(crate) fn put_sealed(
        &self,
        (peer, asked): (&Peer, &Asked),
        vault: &dyn KeyVault,
        key: &KeyRef,
        new: &Resealed,
        was_in_place: &WasInPlace<'_>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), UnlockError> {
        let files = vault.moving().ok_or_else(|| KeyError::Signer("no file of it is replaced".into()))?;
        let present = self.in_custody(peer, key)?;
        files.check_resealed(key, &new.before, &new.sealed)?;
        let identity = present.public_key().digest();
        let digest = sha256(&new.sealed);
        if was_in_place(&identity, &digest)? {
            let reason = "this file was in its place before, and what opened it then is not to open it again; \
                nothing was changed";
            return Err(KeyError::Backend(vault.keys().place(key), reason.into()).into());
        }
        let secret = read_handed(&asked.from, asked.handed, asked.user, "", is_over)?;
        if matches!(Protection::of(&new.sealed), Some(Protection::Passphrase { .. })) {
            self.prepared.judge(&asked.key, &secret)?;
        }
        let open = || self.prepared.with(&secret, || files.open_taken(key, &new.sealed));
        let opened = self.keyring.deriving(false, open)?;
        if opened.public_key().digest() != identity {
            return Err(KeyError::OtherKey(vault.keys().place(key)).into());
        }
        drop((opened, present));
        (self.note)(Event::Protected {
            key: asked.key.clone(),
            identity,
            login: asked.login,
            how: new.told(&digest),
        })?;
        failpoint::passed("signer: new protection in the journal");
        let put = files.put_resealed(key, &new.before, &new.sealed, new.record.as_deref());
        // also after an error: the file may be the new one
        self.lock(Some(&asked.key));
        put?;
        failpoint::passed("signer: new protection in place");
        Ok(())
    }
}

impl Resealed {
    /// Returns what the journal has of it: what is seen here, and then the words of the client.
    fn told(&self, digest: &[u8; 32]) -> String {
        let protection = Protection::of(&self.sealed).map(|protection| protection.to_string());
        format!(
            "{}: {}{}; the client says \"{}\"",
            replaced(&self.before, digest),
            protection.unwrap_or_default(),
            if self.record.is_some() { ", with a record of its shares" } else { "" },
            self.how.replace('"', "'"),
        )
    }
}
