//! Keys that note each step and fail where they are told to.
use super::faulty::Script;
use crate::signing::sealed::Sealed;
use crate::signing::{
    AgeFileStore, KeyError, KeyRef, KeyStore, PlainKey, SecretSource, Signer, SoftKey, ToBeSigned,
};
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo};

pub(super) struct Keys {
    pub(super) store: AgeFileStore,
    pub(super) script: Script,
}

struct FaultySigner(Box<dyn Signer>, Script);

impl Sealed for FaultySigner {}

impl Signer for FaultySigner {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.0.public_key()
    }

    fn sign(&self, message: ToBeSigned<'_>) -> Result<Vec<u8>, KeyError> {
        if self.1.fails("sign") {
            return Err(KeyError::Cryptography("signing"));
        }
        // a faulty machine: the signature is of something else
        if self.1.is_failing("miscalculate") {
            return self.0.sign(ToBeSigned::new(b"something else"));
        }
        self.0.sign(message)
    }
}

impl KeyStore for Keys {
    fn generate(
        &self,
        key: &KeyRef,
        algorithm: KeyAlgorithm,
        secrets: &dyn SecretSource,
    ) -> Result<Box<dyn Signer>, KeyError> {
        self.script.fails("generate");
        Ok(Box::new(FaultySigner(self.store.generate(key, algorithm, secrets)?, self.script.clone())))
    }

    fn keep(
        &self,
        key: &KeyRef,
        foreign: SoftKey,
        secrets: &dyn SecretSource,
    ) -> Result<Box<dyn Signer>, KeyError> {
        self.script.fails("keep");
        Ok(Box::new(FaultySigner(self.store.keep(key, foreign, secrets)?, self.script.clone())))
    }

    fn open(&self, key: &KeyRef, secrets: &dyn SecretSource) -> Result<Box<dyn Signer>, KeyError> {
        self.script.fails("open");
        Ok(Box::new(FaultySigner(self.store.open(key, secrets)?, self.script.clone())))
    }

    fn generate_plain(&self, algorithm: KeyAlgorithm) -> Result<PlainKey, KeyError> {
        self.store.generate_plain(algorithm)
    }

    fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.script.fails("discard");
        self.store.discard(key)
    }

    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.store.inspect(key)
    }
}
