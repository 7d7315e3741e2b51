//! The signer's side: a store of keys whose tokens other processes reach.
use super::TokenRequest;
use super::key::key_on;
use super::launched::TokenProcess;
use super::launching::Launcher;
use super::processes::{ModuleTerms, Processes};
use crate::signer::protocol::WireKey;
use crate::signing::{
    BroughtKey, CaKeys, CaSigner, DiscardKeys, ImportKeys, InspectKeys, KeyError, KeyPlace, KeyRef, KeyVault,
    Mark, MarkError, ProtectKeys, SecretSource, VaultKey,
};
use crate::x509::KeyAlgorithm;
use crate::x509::extension::CrlNumber;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

/// Keys in tokens that other processes reach.
pub(crate) struct RemoteTokens {
    /// What needs no token: names and marks.
    beside: Arc<dyn KeyVault>,
    processes: Processes,
    launcher: Option<Arc<Launcher>>,
}

impl RemoteTokens {
    /// Returns the tokens of a service, whose launcher connects to it; without `is_expected` none does. PINs come from
    /// `secrets`; `beside` is a store without modules, which keeps marks.
    pub(crate) fn of_service(
        secrets: Arc<dyn SecretSource>,
        beside: Arc<dyn KeyVault>,
        is_expected: bool,
    ) -> Self {
        let launcher = Arc::new(Launcher::of_service(is_expected));
        let processes = Processes::new(Arc::<Launcher>::clone(&launcher), secrets, ModuleTerms::Service);
        Self { beside, processes, launcher: Some(launcher) }
    }

    /// Returns the tokens in these modules, for a command: the launcher was started here. PINs come from `secrets`;
    /// `beside` is a store without modules, which keeps marks.
    ///
    /// # Errors
    /// When the launcher does not answer.
    pub(crate) fn of_command(
        launcher: TokenProcess,
        modules: &[PathBuf],
        secrets: Arc<dyn SecretSource>,
        beside: Arc<dyn KeyVault>,
    ) -> Result<Self, KeyError> {
        let launcher = Arc::new(Launcher::of_command(launcher, modules)?);
        Ok(Self {
            beside,
            processes: Processes::new(launcher, secrets, ModuleTerms::Command),
            launcher: None,
        })
    }

    /// Takes the launcher that has connected, in the place of a former one that is gone. Keys that were open there are
    /// locked.
    ///
    /// # Errors
    /// When it does not answer, is of another version, or the former one is still connected.
    pub(crate) fn connect(&self, connection: UnixStream) -> Result<(), KeyError> {
        let Some(launcher) = &self.launcher else { return Ok(()) };
        // one that says nothing holds nobody up
        launcher.begin(TokenProcess::of(connection), &[])?;
        self.processes.forget();
        Ok(())
    }

    /// Returns the modules of the launcher.
    #[cfg(test)]
    pub(super) fn modules(&self) -> Result<Vec<PathBuf>, KeyError> {
        use super::launching::Launch as _;
        let none = || KeyError::Signer("there is none".into());
        Ok(self.launcher.as_ref().ok_or_else(none)?.launchable()?.modules.to_vec())
    }

    /// Returns tokens whose processes a test starts, which have this long for an answer.
    #[cfg(test)]
    pub(in crate::signer) fn limited(
        launch: impl super::launching::Launch + 'static,
        secrets: Arc<dyn SecretSource>,
        beside: Arc<dyn KeyVault>,
        limit: std::time::Duration,
    ) -> Self {
        let processes = Processes::new(Arc::new(launch), secrets, ModuleTerms::Service).limited(limit);
        Self { beside, processes, launcher: None }
    }
}

impl KeyVault for RemoteTokens {
    fn keys(&self) -> &dyn CaKeys {
        self
    }

    fn open_key(&self, key: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError> {
        key_on(&self.processes.of(key)?, TokenRequest::Open { key: key.into() })
    }

    fn make_key(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn VaultKey>, KeyError> {
        let request = TokenRequest::Make { key: key.into(), algorithm: algorithm.to_string() };
        key_on(&self.processes.of(key)?, request)
    }

    fn take_key(&self, key: &KeyRef, brought: BroughtKey) -> Result<Arc<dyn VaultKey>, KeyError> {
        self.beside.take_key(key, brought)
    }

    fn check_secret(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.processes.of(key)?.done(TokenRequest::LogIn { key: key.into() })
    }
}

impl CaKeys for RemoteTokens {
    fn new_key(&self, authority: &str) -> KeyRef {
        self.beside.keys().new_key(authority)
    }

    fn place(&self, key: &KeyRef) -> KeyPlace {
        self.beside.keys().place(key)
    }

    /// The signer uses [`KeyVault::make_key`].
    fn generate(&self, key: &KeyRef, _: KeyAlgorithm) -> Result<Arc<dyn CaSigner>, KeyError> {
        Err(KeyError::Backend(self.place(key), "it is used through the signer".into()))
    }

    /// The signer uses [`KeyVault::open_key`].
    fn signer(&self, key: &KeyRef) -> Result<Arc<dyn CaSigner>, KeyError> {
        Err(KeyError::Backend(self.place(key), "it is used through the signer".into()))
    }

    fn mark(&self, key: &KeyRef) -> Result<Mark, MarkError> {
        self.beside.keys().mark(key)
    }

    fn raise_mark(&self, key: &KeyRef, number: CrlNumber) -> Result<(), MarkError> {
        self.beside.keys().raise_mark(key, number)
    }

    fn rename(&self, from: &KeyRef, to: &KeyRef) -> Result<bool, KeyError> {
        self.beside.keys().rename(from, to)
    }

    fn importing(&self) -> Option<&dyn ImportKeys> {
        None
    }

    fn inspecting(&self) -> Option<&dyn InspectKeys> {
        Some(self)
    }

    fn discarding(&self) -> Option<&dyn DiscardKeys> {
        Some(self)
    }

    fn protecting(&self) -> Option<&dyn ProtectKeys> {
        None
    }
}

impl DiscardKeys for RemoteTokens {
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.processes.of(key)?.done(TokenRequest::Discard { key: WireKey::from(key) })
    }
}

impl InspectKeys for RemoteTokens {
    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.processes.of(key)?.done(TokenRequest::Inspect { key: WireKey::from(key) })
    }

    fn sealed(&self, key: &KeyRef) -> Result<Vec<u8>, KeyError> {
        let none = || KeyError::Backend(self.place(key), "a key does not leave its token".into());
        self.beside.keys().inspecting().ok_or_else(none)?.sealed(key)
    }

    fn files(&self, key: &KeyRef) -> Vec<PathBuf> {
        self.beside.keys().inspecting().map(|keys| keys.files(key)).unwrap_or_default()
    }
}
