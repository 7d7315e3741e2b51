//! Passphrases of keys that are about to come from another signer: each opens what is handed over, once, so that nothing
//! is taken in that is not the key of its CA.
use super::keyring::Asked;
use super::unlocked::{Grant, Login, Terms};
use crate::signer::Scope;
use crate::signing::Secret;
use crate::x509::UnixTime;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

struct Awaited {
    secret: Secret,
    /// SHA-256 of the envelope that the administrator was shown and confirmed.
    envelope: Digest,
    grant: Grant,
    ends: Instant,
}

/// SHA-256.
pub(super) type Digest = [u8; 32];

/// The keys that administrators expect, each until it came or its time is over.
#[derive(Default)]
pub(super) struct Expected(Mutex<BTreeMap<String, Awaited>>);

impl Expected {
    fn awaited(&self) -> MutexGuard<'_, BTreeMap<String, Awaited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Expects a key with this passphrase, and with the envelope of this digest.
    pub(super) fn put(&self, asked: &Asked, secret: Secret, envelope: Digest, wall: UnixTime) -> Grant {
        let mut grant = asked.terms.granted(&asked.key, asked.login, wall);
        // it is opened once, and then locked in its new place
        grant.left.retain(|scope, _| *scope == Scope::Move);
        let ends = Instant::now() + asked.terms.lasting.min(Terms::LONGEST);
        let awaited = Awaited { secret, envelope, grant: grant.clone(), ends };
        self.awaited().insert(asked.key.clone(), awaited);
        grant
    }

    /// Returns the passphrase of a key that this login expects, and the digest of the envelope that it confirmed.
    pub(super) fn secret(&self, key: &str, login: Login) -> Option<(Secret, Digest)> {
        let now = Instant::now();
        let awaited = self.awaited();
        let own = awaited.get(key).filter(|one| one.grant.login == login && one.ends > now);
        own.map(|one| (one.secret.clone(), one.envelope))
    }

    /// Forgets a key, and returns what was expected.
    pub(super) fn forget(&self, key: &str) -> Option<Grant> {
        self.awaited().remove(key).map(|one| one.grant)
    }

    pub(super) fn forget_all(&self) -> Vec<Grant> {
        std::mem::take(&mut *self.awaited()).into_values().map(|one| one.grant).collect()
    }

    /// Forgets the keys whose time is over; returns what ended.
    pub(super) fn expire(&self) -> Vec<Grant> {
        let now = Instant::now();
        self.awaited().extract_if(.., |_, one| one.ends <= now).map(|(_, one)| one.grant).collect()
    }

    /// Returns what is expected.
    pub(super) fn grants(&self) -> Vec<Grant> {
        self.awaited().values().map(|one| one.grant.clone()).collect()
    }
}
