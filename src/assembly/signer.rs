//! Assembles `genfic-signer` as the child of one command, and the keys of a program that has none.
use super::settings::KeptProfiles;
use super::{signer_places, signer_tokens};
use crate::config::Config;
use crate::error::{Code, Problem};
use crate::home::Home;
use crate::signer::{
    Announcing, Demand, Door, FrameError, JournalPlace, Link, Orders, OwnRing, OwnRules, Peer, ProfileReader,
    RemoteKeys, RemoteTokens, Signer, SignerParts, SourceMaker, confine, serve_child,
};
use crate::signing::{
    AgeFileStore, BroughtKey, CaKeys, FileContents, FindKeys, KeyError, KeyRecipient, KeyVault,
    NewPassphrases, OfflineKeys, PassphraseOrders, PassphrasePolicy, SecretSource, SecretSpec, TokenStore,
};
use crate::x509::UnixTime;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes a prompt on the terminal: one that asks only where a person may be asked, and judges new passphrases.
pub type PromptMaker = fn(bool, Option<Arc<PassphrasePolicy>>) -> Box<dyn SecretSource>;

/// Serves the command at the other end of this connection, which has started this process, until it closes it.
///
/// # Errors
/// When the connection fails.
pub fn serve_signer_child(connection: UnixStream, prompt: PromptMaker) -> Result<(), Problem> {
    let failed = |reason: String| Problem::new(Code::SignerUnavailable, reason);
    let peer = Peer::of(&connection, Door::Parent).map_err(|error| failed(error.to_string()))?;
    let make = |orders: &Orders, announcing: Announcing| child(orders, announcing, prompt);
    match serve_child(connection, &peer, env!("CARGO_PKG_VERSION"), make) {
        // the command ended without a word, as one that was killed does
        Ok(()) | Err(FrameError::Io(_) | FrameError::Closed) => Ok(()),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn child(orders: &Orders, announcing: Announcing, prompt: PromptMaker) -> Result<Signer, KeyError> {
    let passphrases = PassphraseOrders::from(orders.clone());
    let (attended, policy) = (passphrases.attended, passphrases.new.policy.clone());
    let directory = PathBuf::from(orders.directory.clone());
    let modules = passphrases.modules.clone();
    let process = signer_tokens::started(&passphrases)?;
    // whoever is the user of the command can do all of it anyway: what the system does not offer is no reason to stop
    confine(&signer_places::of_child(&directory, &passphrases), Demand::Possible)
        .map_err(|error| KeyError::Signer(error.to_string()))?;
    let sources = passphrases.sources(announcing.announce(prompt(attended, policy)));
    let sources = Arc::new(sources.for_command(announcing.connection()));
    let store = AgeFileStore::new(&directory, orders.scrypt_log_n, sources.clone())
        .map_err(|error| KeyError::Signer(error.to_string()))?
        .with_recipients(recipients(orders)?);
    let beside: Arc<dyn KeyVault> = Arc::new(TokenStore::new(Vec::new(), &directory, sources.clone()));
    let tokens = match process {
        Some(launcher) => Arc::new(RemoteTokens::of_command(launcher, &modules, sources.clone(), beside)?),
        None => beside,
    };
    let vaults: Vec<Arc<dyn KeyVault>> = vec![Arc::new(store), tokens];
    let source: Box<SourceMaker> =
        Box::new(move |spec: SecretSpec| Arc::new(spec.source(announcing.announce(prompt(attended, None)))));
    let rules = OwnRules::new(directory.clone(), profiles_of(orders), super::now)
        .of_ceremony(orders.ceremony.map(UnixTime));
    Ok(Signer::new(SignerParts {
        vaults,
        ring: Box::new(OwnRing::default()),
        rules: Box::new(rules),
        journal: Arc::new(JournalPlace::within(directory)),
        now: super::now,
        sources: Some(sources),
        source: Some(source),
    }))
}

/// Returns the reader of the profiles that a child goes by: those of its command's home.
fn profiles_of(orders: &Orders) -> Box<ProfileReader> {
    let kept = orders.profiles.clone().map(|directory| KeptProfiles::within(&PathBuf::from(directory)));
    Box::new(move || kept.as_ref().map(KeptProfiles::read).unwrap_or_default())
}

/// Returns the recipients that the orders name. One that is not understood is an error: a key would be opened by others
/// than its owner wanted.
fn recipients(orders: &Orders) -> Result<BTreeMap<String, Vec<KeyRecipient>>, KeyError> {
    let read = |(name, all): (&String, &Vec<String>)| {
        let all: Result<Vec<KeyRecipient>, _> = all.iter().map(|text| text.parse()).collect();
        all.map(|all| (name.clone(), all)).map_err(|error| KeyError::Signer(error.to_string()))
    };
    orders.recipients.iter().map(read).collect()
}

/// The CA keys of a home, which a signer has: no key and no passphrase of one comes into this process. The signer is
/// started when a key is first needed, and ends with this value.
#[derive(Clone)]
pub struct SignerKeys {
    here: RemoteKeys,
    /// The keys on the medium in use.
    medium: Option<RemoteKeys>,
    passphrases: PassphraseOrders,
    scrypt_log_n: u8,
    /// The home's directory of profiles.
    profiles: PathBuf,
}

impl SignerKeys {
    /// Returns the keys of this home. Passphrases come from where the orders say.
    #[must_use]
    pub fn of(home: &Home, config: &Config, passphrases: &PassphraseOrders) -> Self {
        let (scrypt_log_n, passphrases) = (config.keys.scrypt_log_n, passphrases.clone());
        let profiles = home.policy_directory();
        let own = keys_in(&home.keys_directory(), scrypt_log_n, &passphrases, &profiles);
        let with_recipients = passphrases.recipients.keys().cloned().collect();
        let here = own.with_service(config.keys.signer_socket.clone().map(Link::socket), with_recipients);
        Self { here, medium: None, passphrases, scrypt_log_n, profiles }
    }

    /// Returns the keys of this home, for which nobody is asked and no passphrase is there. Those in the signer that
    /// listens are asked where the configuration says.
    pub(super) fn closed(home: &Home, config: &Config) -> Self {
        Self::of(home, config, &PassphraseOrders::nobody())
    }

    /// Returns the same keys, and those that a medium has in this directory: a signer of their own has them.
    #[must_use]
    pub fn with_medium(&self, directory: &Path) -> Self {
        let medium = keys_in(directory, self.scrypt_log_n, &self.passphrases, &self.profiles);
        Self { medium: Some(medium), ..self.clone() }
    }

    /// Returns them as a store.
    pub(super) fn store(&self) -> OfflineKeys {
        let shared = |keys: &RemoteKeys| -> Arc<dyn CaKeys> { Arc::new(keys.clone()) };
        OfflineKeys::new(shared(&self.here), self.medium.as_ref().map(shared))
    }

    /// Asks for the passphrase of a key that is made later.
    ///
    /// # Errors
    /// When it is not given.
    pub fn ask_new_passphrase(&self, authority: &str) -> Result<(), Problem> {
        Ok(self.here.ask_new_passphrase(authority)?)
    }

    /// Has the signer read and decrypt the private key in a file that is open here and was not read. Returns the key and
    /// the form that it had there.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] when there is no private key in it; when it cannot be used.
    pub fn read_foreign(
        &self,
        file: OwnedFd,
        path: &Path,
        old: Option<&SecretSpec>,
    ) -> Result<(BroughtKey, String), KeyError> {
        self.here.read_foreign(file, path, old)
    }

    /// Returns the warnings about passphrases since the last call, one sentence each.
    #[must_use]
    pub fn take_notes(&self) -> Vec<String> {
        let medium = self.medium.iter().flat_map(RemoteKeys::take_notes);
        self.here.take_notes().into_iter().chain(medium).collect()
    }

    /// Removes the files of generated passphrases whose keys were not made, after a failure.
    pub fn take_back(&self) {
        [Some(&self.here), self.medium.as_ref()].into_iter().flatten().for_each(RemoteKeys::take_back);
    }
}

impl FindKeys for SignerKeys {
    fn find_keys(&self, files: &[(File, &Path)]) -> Result<Vec<FileContents>, KeyError> {
        self.here.find_keys(files)
    }
}

pub(super) fn keys_in(
    directory: &Path,
    scrypt_log_n: u8,
    passphrases: &PassphraseOrders,
    profiles: &Path,
) -> RemoteKeys {
    let orders = Orders::of(directory, scrypt_log_n, passphrases).with_profiles(profiles);
    RemoteKeys::new(directory.to_owned(), Link::child(orders, passphrases.aside), None)
}

/// Returns the keys on a medium, for what a request for a ceremony asks for that was made at this time.
pub(super) fn keys_for_ceremony(medium: &Path, passphrases: &PassphraseOrders, made: UnixTime) -> RemoteKeys {
    let scrypt_log_n = Config::default().keys.scrypt_log_n;
    let orders = Orders::of(medium, scrypt_log_n, passphrases);
    let orders = orders.with_profiles(&medium.join("policy")).with_ceremony(made);
    RemoteKeys::new(medium.to_owned(), Link::child(orders, passphrases.aside), None)
}

/// Returns where passphrases of CA keys come from: the source given or configured, and for CAs with a configured source
/// of their own that one first.
#[must_use]
pub fn passphrase_orders(
    config: &Config,
    given: Option<SecretSpec>,
    new: NewPassphrases,
    attended: bool,
) -> PassphraseOrders {
    let own = config.authorities.iter();
    let authorities =
        own.filter_map(|(name, authority)| Some((name.clone(), authority.passphrase_from.clone()?)));
    PassphraseOrders {
        default: given.unwrap_or_else(|| config.passphrase_from.clone()),
        authorities: authorities.collect(),
        new,
        attended,
        recipients: config.recipients(),
        modules: config.pkcs11.modules.clone(),
        ..PassphraseOrders::nobody()
    }
}
