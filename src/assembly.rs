//! The composition root: makes working objects from the configuration. The only place that names adapters.
mod backup;
mod daemon;
mod disk_reserve;
mod init;
mod inspection;
mod settings;

pub use backup::{restore_backup, verify_backup};
pub use daemon::{DaemonOptions, daemon};
pub use init::{Initialization, init};
pub use inspection::Inspection;
pub(crate) use settings::read_config;
pub use settings::{leaf_key, secret_sources};

use crate::ca::{
    CaSettings, ClockWatch, CommandPurpose, DiskReserve, Engine, EngineParts, HeldReserve, SerialSource,
};
use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Problem};
use crate::home::{Home, current_actor};
use crate::index::sqlite::SqliteIndex;
use crate::repository::HomeDirectory;
use crate::signing::{AgeFileStore, Nobody, SecretSource, random_serial};
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
    keys: AgeFileStore,
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
        let config = &settings.config;
        let directory = home.keys_directory();
        let keys =
            AgeFileStore::new(directory, config.keys.scrypt_log_n, Arc::new(Nobody)).map_err(|error| {
                Problem::of(Code::ConfigInvalid, error).hint("set [keys] scrypt_log_n in genfic-ca.toml")
            })?;
        let index = SqliteIndex::open(&home.index_file())?;
        // done after the index is open: an earlier version of the program, which does not know the new paths,
        // can no longer open it
        home.move_former();
        keys.move_former();
        settings.takes_flawed_profiles = index.is_migrated()?;
        let publisher = HomeDirectory::new(home.clone());
        let status = StatusDirectory::new(&home.status_directory());
        Ok(Self {
            home,
            index: Arc::new(index),
            keys,
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

    /// Returns the use cases over this home; `secrets` gives the passphrases of CA keys.
    #[must_use]
    pub fn engine(&self, secrets: Arc<dyn SecretSource>) -> Engine {
        let reserve: Arc<dyn DiskReserve> = match self.disk_reserve {
            Some(_) => Arc::new(FoundBefore),
            None => Arc::new(HomeReserve(self.home.clone())),
        };
        Engine::new(EngineParts {
            index: self.index.clone(),
            keys: Arc::new(self.keys.clone().asking(secrets)),
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
