//! A key store that records each step and fails where the script says so.
use super::faulty::{Script, forward};
use crate::index::Recorded;
use crate::signing::{
    Admitted, AgeFileStore, BroughtKey, CaKeys, CaSigner, DiscardKeys, ImportKeys, InspectKeys, KeyError,
    KeyPlace, KeyRef, LocalSigner, Mark, MarkError, PrivateKey, ProtectKeys, SigningError, SoftKey, sealed,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{
    Certificate, CertificateList, GeneralName, KeyAlgorithm, Name, SerialNumber, SubjectPublicKeyInfo,
    TbsCertList, TbsCertificate,
};
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
            return Err(KeyError::Cryptography("signing".into()));
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

/// A signer that does not know when these certificates end: it signs no CRL that leaves one of them out.
pub(super) struct Forgetful {
    pub(super) signer: Arc<dyn CaSigner>,
    pub(super) unknown: Vec<SerialNumber>,
}

impl sealed::Sealed for Forgetful {}

impl CaSigner for Forgetful {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.signer.public_key()
    }

    fn sign_certificate(
        &self,
        tbs: Recorded<TbsCertificate>,
        issuer: Option<&Certificate>,
    ) -> Result<Certificate, SigningError> {
        self.signer.sign_certificate(tbs, issuer)
    }

    fn sign_crl(
        &self,
        tbs: Recorded<TbsCertList>,
        issuer: &Certificate,
    ) -> Result<CertificateList, SigningError> {
        let is_lacking = |serial: &&SerialNumber| tbs.get().find(serial).is_none();
        // one at a time, as a signer may that looks no further than the first ones
        let unknown: Vec<SerialNumber> = self.unknown.iter().filter(is_lacking).take(1).cloned().collect();
        if unknown.is_empty() {
            return self.signer.sign_crl(tbs, issuer);
        }
        let code = crate::error::Code::SignerCrlEntryUnknown;
        Err(SigningError::NotAdmitted { code, message: "not known".into(), hint: "show it".into(), unknown })
    }

    fn sign_request(&self, subject: &Name, names: &[GeneralName]) -> Result<Vec<u8>, SigningError> {
        self.signer.sign_request(subject, names)
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
        rename(from: &KeyRef, to: &KeyRef) -> Result<bool, KeyError>;
        inspecting() -> Option<&dyn InspectKeys>;
        protecting() -> Option<&dyn ProtectKeys>;
    }

    fn importing(&self) -> Option<&dyn ImportKeys> {
        Some(self)
    }

    fn discarding(&self) -> Option<&dyn DiscardKeys> {
        Some(self)
    }
}

impl ImportKeys for Keys {
    fn import(&self, key: &KeyRef, opened: BroughtKey) -> Result<Arc<dyn CaSigner>, KeyError> {
        self.script.fails("keep");
        let opened = opened.into_key()?;
        Ok(self.faulty(self.store.write(key, || Ok(opened))?))
    }
}

impl DiscardKeys for Keys {
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.script.fails("discard");
        self.store.discard(key)
    }
}
