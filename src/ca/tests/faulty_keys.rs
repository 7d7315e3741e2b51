//! A key store that records each step and fails where the script says so.
use super::faulty::{Script, forward};
use crate::signing::{
    Admitted, AgeFileStore, CaKeys, CaSigner, DiscardKeys, ImportKeys, InspectKeys, KeyError, KeyPlace,
    KeyRef, LocalSigner, Mark, MarkError, OpenedKey, PrivateKey, SoftKey,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo};
use std::sync::Arc;

pub(super) struct Keys {
    pub(super) store: AgeFileStore,
    pub(super) script: Script,
}

struct FaultyKey(SoftKey, Script);

impl PrivateKey for FaultyKey {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.0.public_key()
    }

    fn sign<T>(&self, message: &Admitted<T>) -> Result<Vec<u8>, KeyError> {
        if self.1.fails("sign") {
            return Err(KeyError::Cryptography("signing"));
        }
        // a faulty machine: the signature is over other octets
        if self.1.is_failing("miscalculate") {
            return Ok(self.0.forge(b"something else"));
        }
        self.0.sign(message)
    }
}

impl Keys {
    fn faulty(&self, key: SoftKey) -> Arc<dyn CaSigner> {
        Arc::new(LocalSigner(FaultyKey(key, self.script.clone())))
    }
}

impl CaKeys for Keys {
    fn new_key(&self, authority: &str) -> KeyRef {
        self.store.new_key(authority)
    }

    fn place(&self, key: &KeyRef) -> KeyPlace {
        self.store.place(key)
    }

    fn generate(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn CaSigner>, KeyError> {
        self.script.fails("generate");
        Ok(self.faulty(self.store.write(key, || SoftKey::generate(algorithm))?))
    }

    fn signer(&self, key: &KeyRef) -> Result<Arc<dyn CaSigner>, KeyError> {
        self.script.fails("open");
        Ok(self.faulty(self.store.open(key)?))
    }

    forward! { store write;
        mark(key: &KeyRef) -> Result<Mark, MarkError>;
        raise_mark(key: &KeyRef, number: CrlNumber) -> Result<(), MarkError>, "reserve";
        inspecting() -> Option<&dyn InspectKeys>;
    }

    fn importing(&self) -> Option<&dyn ImportKeys> {
        Some(self)
    }

    fn discarding(&self) -> Option<&dyn DiscardKeys> {
        Some(self)
    }
}

impl ImportKeys for Keys {
    fn import(&self, key: &KeyRef, opened: OpenedKey) -> Result<Arc<dyn CaSigner>, KeyError> {
        self.script.fails("keep");
        Ok(self.faulty(self.store.write(key, || Ok(opened.into_inner()))?))
    }
}

impl DiscardKeys for Keys {
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.script.fails("discard");
        self.store.discard(key)
    }
}
