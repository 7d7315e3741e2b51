//! Keys that were moved to media outside of the home, beside those that are in it.
use super::{AdministerKeys, KeyDescription, KeyLimits, LimitsChange, RememberSignatures, ToBeShown};
use super::{
    BroughtKey, CaKeys, CaSigner, DiscardKeys, ImportKeys, InspectKeys, KeyError, KeyPlace, KeyRef, Mark,
    MarkError, MoveKeys, ProtectKeys, Reencrypted, TokenUri,
};
use crate::index::KeyLocation;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, KeyAlgorithm, SerialNumber};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

/// A store of the keys of this home, and of those whose URIs say that they are on media (`offline:NAME.age`): of these
/// the medium in use has the keys. Marks are kept in both places, so that neither an older medium nor an older home
/// brings a CRL number back.
pub(crate) struct OfflineKeys {
    here: Arc<dyn CaKeys>,
    medium: Option<Arc<dyn CaKeys>>,
}

impl OfflineKeys {
    /// Returns the keys of a home together with those of a medium, if there is one in use.
    #[must_use]
    pub(crate) fn new(here: Arc<dyn CaKeys>, medium: Option<Arc<dyn CaKeys>>) -> Self {
        Self { here, medium }
    }

    /// Returns the reference to a key of this home, or of the signer that listens, for the same key on a medium.
    #[must_use]
    pub(crate) fn on_media(key: &KeyRef) -> Option<KeyRef> {
        let (KeyLocation::File(name) | KeyLocation::FileOfService(name)) = key.location() else {
            return None;
        };
        Some(key.moved_to(KeyLocation::Media(name)))
    }

    /// Returns the reference by which the store of a medium, or of this home, knows a key that is on media; `None` for
    /// a key that is not.
    #[must_use]
    pub(crate) fn within_store(key: &KeyRef) -> Option<KeyRef> {
        let KeyLocation::Media(name) = key.location() else { return None };
        Some(key.moved_to(KeyLocation::File(name)))
    }

    /// Returns the store that has a key, and the reference by which that store knows it.
    fn store(&self, key: &KeyRef) -> Result<(&dyn CaKeys, KeyRef), KeyError> {
        match (Self::within_store(key), &self.medium) {
            (None, _) => Ok((self.here.as_ref(), key.clone())),
            (Some(known), Some(medium)) => Ok((medium.as_ref(), known)),
            (Some(known), None) => Err(KeyError::Offline(stem(&known).to_owned())),
        }
    }
}

/// Returns the name under which users know the key.
fn stem(key: &KeyRef) -> &str {
    let file = key.location().file().unwrap_or(&key.uri);
    file.strip_suffix(".age").unwrap_or(file)
}

impl CaKeys for OfflineKeys {
    fn new_key(&self, authority: &str) -> KeyRef {
        self.here.new_key(authority)
    }

    fn new_key_in(&self, token: &TokenUri, authority: &str) -> KeyRef {
        self.here.new_key_in(token, authority)
    }

    fn imported_key(&self, authority: &str) -> KeyRef {
        self.here.imported_key(authority)
    }

    fn place(&self, key: &KeyRef) -> KeyPlace {
        self.store(key).map_or_else(|_| KeyPlace::Uri(key.uri.clone()), |(store, key)| store.place(&key))
    }

    fn generate(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn CaSigner>, KeyError> {
        let (store, key) = self.store(key)?;
        store.generate(&key, algorithm)
    }

    fn signer(&self, key: &KeyRef) -> Result<Arc<dyn CaSigner>, KeyError> {
        let (store, key) = self.store(key)?;
        store.signer(&key)
    }

    fn mark(&self, key: &KeyRef) -> Result<Mark, MarkError> {
        let Some(known) = Self::within_store(key) else { return self.here.mark(key) };
        let here = self.here.mark(&known)?;
        let Some(medium) = &self.medium else { return Ok(here) };
        let there = medium.mark(&known)?;
        Ok(if there.number > here.number { there } else { here })
    }

    fn note_profile(&self, key: &KeyRef, profile: &str) {
        let known = Self::within_store(key);
        let key = known.as_ref().unwrap_or(key);
        self.here.note_profile(key, profile);
        if let Some(medium) = &self.medium {
            medium.note_profile(key, profile);
        }
    }

    fn raise_mark(&self, key: &KeyRef, number: CrlNumber) -> Result<(), MarkError> {
        let Some(known) = Self::within_store(key) else { return self.here.raise_mark(key, number) };
        if let Some(medium) = &self.medium {
            medium.raise_mark(&known, number)?;
        }
        self.here.raise_mark(&known, number)
    }

    fn rename(&self, from: &KeyRef, to: &KeyRef) -> Result<bool, KeyError> {
        // a key on media keeps its name there
        if Self::within_store(to).is_some() { Ok(false) } else { self.here.rename(from, to) }
    }

    fn importing(&self) -> Option<&dyn ImportKeys> {
        self.here.importing().map(|_| -> &dyn ImportKeys { self })
    }

    fn inspecting(&self) -> Option<&dyn InspectKeys> {
        self.here.inspecting().map(|_| -> &dyn InspectKeys { self })
    }

    fn discarding(&self) -> Option<&dyn DiscardKeys> {
        self.here.discarding()
    }

    fn remembering(&self) -> Option<&dyn RememberSignatures> {
        self.here.remembering().map(|_| -> &dyn RememberSignatures { self })
    }

    fn moving(&self) -> Option<&dyn MoveKeys> {
        self.here.moving()
    }

    fn protecting(&self) -> Option<&dyn ProtectKeys> {
        self.here.protecting().map(|_| -> &dyn ProtectKeys { self })
    }

    fn administering(&self) -> Option<&dyn AdministerKeys> {
        self.here.administering().map(|_| -> &dyn AdministerKeys { self })
    }
}

impl ImportKeys for OfflineKeys {
    fn import(&self, key: &KeyRef, brought: BroughtKey) -> Result<Arc<dyn CaSigner>, KeyError> {
        let (store, key) = self.store(key)?;
        store.import(&key, brought)
    }
}

impl InspectKeys for OfflineKeys {
    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError> {
        let (store, key) = self.store(key)?;
        store.inspecting().map_or(Ok(()), |store| store.inspect(&key))
    }

    fn sealed(&self, key: &KeyRef) -> Result<Vec<u8>, KeyError> {
        let (store, key) = self.store(key)?;
        let inspecting = store.inspecting().ok_or_else(|| KeyError::NotFound(store.place(&key)))?;
        inspecting.sealed(&key)
    }

    fn files(&self, key: &KeyRef) -> Vec<PathBuf> {
        // of a key whose medium is away, the mark is here
        let here = || (self.here.as_ref(), Self::within_store(key).unwrap_or_else(|| key.clone()));
        let (store, key) = self.store(key).unwrap_or_else(|_| here());
        store.inspecting().map(|store| store.files(&key)).unwrap_or_default()
    }
}

impl ProtectKeys for OfflineKeys {
    fn reencrypt(&self, key: &KeyRef) -> Result<Reencrypted, KeyError> {
        let (store, key) = self.store(key)?;
        store.protector(&key)?.reencrypt(&key)
    }

    fn put_reencrypted(&self, reencrypted: &Reencrypted) -> Result<(), KeyError> {
        // one whose medium is in use was encrypted there; a file names its own place
        let store = self.medium.as_ref().unwrap_or(&self.here);
        store.protecting().map_or(Ok(()), |store| store.put_reencrypted(reencrypted))
    }
}

impl OfflineKeys {
    /// Returns the memory of the store that has a key, and the reference by which that store knows it.
    fn memory(&self, key: &KeyRef) -> Result<(&dyn RememberSignatures, KeyRef), KeyError> {
        let (store, key) = self.store(key)?;
        let memory = store.remembering().ok_or_else(|| KeyError::NotFound(store.place(&key)))?;
        Ok((memory, key))
    }
}

impl RememberSignatures for OfflineKeys {
    fn to_be_shown(
        &self,
        key: &KeyRef,
        last: CrlNumber,
        left_out: &[SerialNumber],
    ) -> Result<ToBeShown, KeyError> {
        let (memory, key) = self.memory(key)?;
        memory.to_be_shown(&key, last, left_out)
    }

    fn show_certificates(
        &self,
        key: &KeyRef,
        issuer: &Certificate,
        certificates: &[Certificate],
    ) -> Result<(), KeyError> {
        let (memory, key) = self.memory(key)?;
        memory.show_certificates(&key, issuer, certificates)
    }

    fn show_crl(&self, key: &KeyRef, issuer: &Certificate, crl: &[u8]) -> Result<(), KeyError> {
        let (memory, key) = self.memory(key)?;
        memory.show_crl(&key, issuer, crl)
    }

    fn abandon(&self, key: &KeyRef, serials: &[SerialNumber]) -> Result<(), KeyError> {
        match self.memory(key) {
            // what a ceremony was asked for and did not sign is in no journal here
            Err(KeyError::Offline(_)) => Ok(()),
            memory => memory.and_then(|(memory, key)| memory.abandon(&key, serials)),
        }
    }

    /// Returns what was used in this home. Each medium knows what it signed itself.
    fn used_serials(&self, key: &KeyRef) -> Result<Vec<SerialNumber>, KeyError> {
        let within = Self::within_store(key).unwrap_or_else(|| key.clone());
        self.here.remembering().map_or(Ok(Vec::new()), |here| here.used_serials(&within))
    }

    fn note_return(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.here.remembering().map_or(Ok(()), |here| here.note_return(key))
    }

    fn accept_gap(&self) -> Result<(), KeyError> {
        self.here.remembering().map_or(Ok(()), RememberSignatures::accept_gap)
    }
}

impl OfflineKeys {
    /// Runs something with the store that has a key, and the reference by which that store knows it.
    fn administer<T>(
        &self,
        (store, key): (&dyn CaKeys, KeyRef),
        run: impl FnOnce(&dyn AdministerKeys, &KeyRef) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        let place = || store.place(&key);
        let store = store.administering().ok_or_else(|| KeyError::NotFound(place()))?;
        run(store, &key)
    }
}

impl AdministerKeys for OfflineKeys {
    fn describe(&self, key: &KeyRef) -> Result<KeyDescription, KeyError> {
        // of a key whose medium is away, it is remembered here when it was used here
        let within = Self::within_store(key);
        let here = || (self.here.as_ref(), within.clone().unwrap_or_else(|| key.clone()));
        let describe = |at| self.administer(at, |store, key| store.describe(key));
        let mut described = describe(self.store(key).unwrap_or_else(|_| here()))?;
        if within.is_some() && self.medium.is_some() {
            // the medium does not know of what was signed here before it was written
            let used_here = describe(here()).ok().and_then(|here| here.last_used);
            described.last_used = described.last_used.max(used_here);
        }
        Ok(described)
    }

    fn export(&self, key: &KeyRef, file: OwnedFd) -> Result<(), KeyError> {
        self.administer(self.store(key)?, |store, key| store.export(key, file))
    }

    fn note_protection(&self, key: &KeyRef, how: &str) -> Result<(), KeyError> {
        self.administer(self.store(key)?, |store, key| store.note_protection(key, how))
    }

    fn limits(&self, key: &KeyRef, settings: &[(String, String)]) -> Result<LimitsChange, KeyError> {
        self.administer(self.store(key)?, |store, key| store.limits(key, settings))
    }

    fn set_limits(
        &self,
        key: &KeyRef,
        settings: &[(String, String)],
        before: &KeyLimits,
    ) -> Result<(), KeyError> {
        self.administer(self.store(key)?, |store, key| store.set_limits(key, settings, before))
    }
}
