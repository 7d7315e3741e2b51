//! The composition root: makes working objects from the configuration. The only place that names adapters.
mod administration;
#[cfg(debug_assertions)]
pub mod any_octets;
mod backup;
mod ceremony;
mod custody;
mod custody_media;
mod custody_service;
mod daemon;
mod daemon_places;
mod disk_reserve;
mod glance;
mod init;
mod inspection;
mod presign;
mod reconciliation;
mod settings;
mod signer;
mod signer_places;
mod signer_service;
mod signer_tokens;
mod tokens;

pub use administration::{
    BroughtAuthority, BroughtKeyFile, PassphraseFor, SIGNER_ADMIN_SOCKET, SignerAdministration, Unlocking,
    UnlockingTerms, back_up_signer, restore_signer_backup,
};
pub use backup::{restore_backup, verify_backup};
pub use ceremony::sign_ceremony;
pub use custody::{CustodyHome, confine_plugins, listed_on_medium, lock_memory};
pub use custody_media::{ExportToMedia, ExportedToMedia};
pub use custody_service::{CustodyService, LentKey};
pub use daemon::{
    AssembledDaemon, DaemonOptions, DaemonSettings, check_daemon, daemon, daemon_settings,
    verify_daemon_places,
};
pub use glance::Glance;
pub use init::{InitialSetting, Initialization, compare, init};
pub use inspection::Inspection;
pub use reconciliation::{JournalComparison, JournalComparisons};
pub(crate) use settings::read_config;
pub use settings::{check_config, check_profiles, configured_base, leaf_key, secret_sources};
pub use signer::{PromptMaker, SignerKeys, passphrase_orders, serve_signer_child};
pub use signer_service::{SignerService, serve_signer};
pub use signer_tokens::{
    confine_signer_module, confine_signer_tokens, serve_signer_module, serve_signer_tokens,
    serve_standing_signer_tokens,
};
pub use tokens::held_key;

use crate::ca::{
    CaSettings, ClockWatch, CommandPurpose, DiskReserve, Engine, EngineParts, HeldReserve, SerialSource,
};
use crate::clock::{Clock, SystemClock};
use crate::doctor::{self, Due, Examination, Space, Unseen};
use crate::error::{Code, Problem};
use crate::home::{Home, current_actor};
use crate::index::AuthorityReader as _;
use crate::index::sqlite::SqliteIndex;
use crate::ocsp::responder_files::ResponderFiles;
use crate::repository::HomeDirectory;
use crate::signing::{move_former_marks, random_serial};
use crate::status::StatusDirectory;
use crate::x509::{SerialNumber, UnixTime};
use disk_reserve::{FoundBefore, HomeReserve};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// A home with its index, keys, settings and publishers opened.
pub struct Assembly {
    /// The home.
    pub home: Home,
    index: Arc<SqliteIndex>,
    publisher: Arc<HomeDirectory>,
    status: Arc<StatusDirectory>,
    settings: Arc<CaSettings>,
    faults: Vec<Problem>,
    watch: Arc<ClockWatch>,
    /// Dropped last, after everything is closed.
    disk_reserve: Option<HeldReserve>,
}

/// A home that is not opened yet, with disk space for one command.
pub struct Unopened {
    home: Home,
    purpose: CommandPurpose,
    disk_reserve: HeldReserve,
}

impl Unopened {
    /// Makes sure of disk space for a command, from before anything is opened until everything is closed.
    ///
    /// # Errors
    /// `disk.full` when an issuing command has no space.
    pub fn with_disk_reserve(home: Home, purpose: CommandPurpose) -> Result<Self, Problem> {
        let disk_reserve = HomeReserve(home.clone()).find(purpose)?;
        Ok(Self { home, purpose, disk_reserve })
    }

    /// Opens the home. A mistake in the configuration does not hold up a command that publishes revocations.
    ///
    /// # Errors
    /// As [`Assembly::open`].
    pub fn open(self, config: Option<&Path>) -> Result<Assembly, Problem> {
        let Self { home, purpose, disk_reserve } = self;
        let opened = match purpose {
            CommandPurpose::Distrust => Assembly::open_to_distrust(home, config),
            CommandPurpose::Issue | CommandPurpose::Look => Assembly::open(home, config),
        }?;
        Ok(Assembly { disk_reserve: Some(disk_reserve), ..opened })
    }
}

/// Serial numbers from the system's random generator.
#[derive(Clone, Copy, Debug)]
struct SystemRandom;

impl SerialSource for SystemRandom {
    fn serial_number(&self) -> Result<SerialNumber, Problem> {
        Ok(random_serial()?)
    }
}

/// Returns the system's time, for commands without a home.
#[must_use]
pub fn now() -> UnixTime {
    SystemClock.now()
}

impl Assembly {
    /// Opens a home: checks owners and modes, reads the configuration (`config`, or the home's own) and the
    /// profiles, opens the index.
    ///
    /// # Errors
    /// When there is no home, its permissions are unsafe, the configuration is wrong, or the index cannot be
    /// used. A wrong profile is no error until something is issued under it ([`Assembly::faults`]).
    pub fn open(home: Home, config: Option<&Path>) -> Result<Self, Problem> {
        settings::must_exist(&home)?;
        home.verify()?;
        let config = read_config(&home, config)?;
        let settings = settings::settings(&home, config)?;
        Self::with(home, settings, Vec::new())
    }

    /// Opens a home for publishing revocations, which nothing may hold up. Defaults replace a wrong
    /// configuration, and profiles are not needed.
    ///
    /// # Errors
    /// When there is no home, its permissions or those of the configuration are unsafe, or the index cannot
    /// be used.
    fn open_to_distrust(home: Home, config: Option<&Path>) -> Result<Self, Problem> {
        settings::must_exist(&home)?;
        home.verify()?;
        let (config, mut faults) = settings::read_config_leniently(&home, config)?;
        let compromised_keys = settings::compromised_keys(&home, &config).unwrap_or_else(|problem| {
            faults.push(problem);
            HashSet::new()
        });
        let profiles = settings::read_profiles(&home);
        let settings = CaSettings { config, profiles, compromised_keys, takes_flawed_profiles: false };
        Self::with(home, settings, faults)
    }

    fn with(home: Home, mut settings: CaSettings, faults: Vec<Problem>) -> Result<Self, Problem> {
        let index = SqliteIndex::open(&home.index_file())?;
        // done after the index is open: an earlier version of the program, which does not know the new paths,
        // can no longer open it
        home.move_former();
        move_former_marks(&home.keys_directory());
        settings.takes_flawed_profiles = index.is_migrated()?;
        let publisher = HomeDirectory::new(home.clone());
        let status = StatusDirectory::new(&home.status_directory());
        Ok(Self {
            home,
            index: Arc::new(index),
            publisher: Arc::new(publisher),
            status: Arc::new(status),
            settings: Arc::new(settings),
            faults,
            watch: Arc::new(ClockWatch::unattended()),
            disk_reserve: None,
        })
    }

    /// Returns the assembly with a watch that confirms a clock far from the last confirmed time.
    #[must_use]
    pub fn watched(self, watch: ClockWatch) -> Self {
        Self { watch: Arc::new(watch), ..self }
    }

    /// Returns faults of the configuration and of profiles that did not prevent opening.
    pub fn faults(&self) -> impl Iterator<Item = &Problem> {
        self.faults.iter().chain(self.settings.profiles.faults())
    }

    /// Configuration and profiles.
    #[must_use]
    pub fn settings(&self) -> &CaSettings {
        &self.settings
    }

    /// Returns what is due in this home or has lapsed.
    ///
    /// # Errors
    /// When the index or a directory of the home cannot be read.
    pub fn due(&self) -> Result<Due, Problem> {
        let found = doctor::due(&Examination {
            home: &self.home,
            space: &Space::of(&self.home),
            owner: Ok(()),
            config: Ok(&self.settings.config),
            profiles: Ok(&self.settings.profiles),
            index_file: &self.home.index_file(),
            index: Ok(self.index.as_ref()),
            keys: &SignerKeys::closed(&self.home, &self.settings.config).store(),
            publisher: self.publisher.as_ref(),
            status: self.status.as_ref(),
            responders: &ResponderFiles::new(self.home.responders_directory()),
            compromised_keys: &self.settings.compromised_keys,
            now: now(),
            deep: false,
        });
        found.map_err(|unseen| match unseen {
            Unseen::Record(problem) => problem,
            Unseen::Index(error) | Unseen::Authorities(error) => error.into(),
            other => Problem::new(Code::KeptFileMalformed, other.to_string()),
        })
    }

    /// Returns what somebody who guesses a passphrase of this home would try: the organization's name and those of the
    /// CAs, as far as they can be read.
    #[must_use]
    pub fn known_texts(&self) -> Vec<String> {
        let organization = &self.settings.config.organization;
        let texts = [&organization.organization, &organization.unit, &organization.locality];
        let mut known: Vec<String> = texts.into_iter().flatten().cloned().collect();
        known.extend(self.index.summaries().into_iter().flatten().map(|authority| authority.name));
        known
    }

    /// Returns the use cases over this home with these keys.
    #[must_use]
    pub fn engine(&self, keys: &SignerKeys) -> Engine {
        let reserve: Arc<dyn DiskReserve> = match self.disk_reserve {
            Some(_) => Arc::new(FoundBefore),
            None => Arc::new(HomeReserve(self.home.clone())),
        };
        Engine::new(EngineParts {
            index: self.index.clone(),
            keys: Arc::new(keys.store()),
            publisher: self.publisher.clone(),
            status: self.status.clone(),
            clock: Arc::new(SystemClock),
            watch: self.watch.clone(),
            serials: Arc::new(SystemRandom),
            settings: self.settings.clone(),
            reserve,
            actor: current_actor(),
        })
    }
}
