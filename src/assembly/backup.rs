//! Backups of a home: connects them with its stores.
use super::settings::{read_config, settings};
use super::signer::SignerKeys;
use super::{Assembly, now};
use crate::backup::{
    self, Created, Creation, Opener, PublishedState, RestoredHome, Restoring, Stores, Verified,
};
use crate::config::Config;
use crate::error::Problem;
use crate::home::{Home, ReserveFile, current_actor};
use crate::index::sqlite::SqliteIndex;
use crate::index::{CertificateState, Index, IndexError, IndexReader};
use crate::signing::{CaKeys, SealFor};
use crate::status::{StatusDirectory, StatusError, StatusReader as _, StatusSource as _, publish};
use crate::x509::{CertificateId, UnixTime};
use std::path::{Path, PathBuf};

/// The stores of a home: SQLite files, age files and published directories.
#[derive(Clone, Copy, Debug)]
struct Files;

impl Stores for Files {
    fn keys_in(&self, home: &Home) -> Box<dyn CaKeys> {
        // what a backup has is the home's; the signer that listens has a backup of its own
        Box::new(SignerKeys::closed(home, &Config::default()).store())
    }

    fn index_in(&self, home: &Home) -> PathBuf {
        home.index_file()
    }

    fn open_index(&self, path: &Path) -> Result<Box<dyn Index>, IndexError> {
        Ok(Box::new(SqliteIndex::open(path)?))
    }

    fn index_faults(&self, path: &Path) -> Result<Vec<String>, IndexError> {
        SqliteIndex::faults(path)
    }

    fn published_status(
        &self,
        directory: &Path,
        visit: &mut dyn FnMut(CertificateId, CertificateState),
    ) -> Result<PublishedState, StatusError> {
        let snapshot = StatusDirectory::new(directory).open(None)?;
        snapshot.for_each(visit)?;
        Ok(PublishedState { change: snapshot.change(), time: snapshot.time(), head: snapshot.head() })
    }

    fn check_settings(&self, home: &Home) -> Result<(), Problem> {
        let config = read_config(home, None)?;
        settings(home, config).map(drop)
    }

    fn publish_status(
        &self,
        directory: &Path,
        index: &dyn IndexReader,
        now: UnixTime,
    ) -> Result<(), StatusError> {
        publish(index, None, directory, now).map(drop)
    }
}

impl Assembly {
    /// Makes a backup of this home in a new file, or, when `to` is a directory, in a file there that is named
    /// after the time.
    ///
    /// # Errors
    /// When the file exists, or something cannot be read or written.
    pub fn back_up(
        &self,
        to: &Path,
        reader: &SealFor,
        with_keys: bool,
        configuration: Option<&Path>,
    ) -> Result<Created, Problem> {
        let beside: Vec<PathBuf> =
            self.settings.config.keys.compromised_spki_sha256_file.iter().map(Into::into).collect();
        let creation = Creation {
            home: &self.home,
            configuration,
            beside: &beside,
            index: self.index.as_ref(),
            stores: &Files,
            with_keys,
            actor: current_actor(),
            now: now(),
        };
        backup::create(&creation, to, reader)
    }
}

/// Restores a backup into a temporary private directory, and compares it with the home, when there is one.
///
/// # Errors
/// When the backup cannot be opened or is damaged.
pub fn verify_backup(home: &Home, file: &Path, opener: Opener<'_>) -> Result<Verified, Problem> {
    let current = if home.index_file().is_file() {
        home.verify()?;
        Some(SqliteIndex::open(&home.index_file())?)
    } else {
        None
    };
    let current = current.as_ref().map(|index| -> &dyn IndexReader { index });
    backup::verify(file, opener, &Files, home, current)
}

/// Restores a backup into a home that is absent or empty, and brings in what is found in `published`.
///
/// # Errors
/// When there is a home already, the backup does not verify, or nothing can be written.
pub fn restore_backup(
    home: &Home,
    file: &Path,
    opener: Opener<'_>,
    published: &[PathBuf],
) -> Result<RestoredHome, Problem> {
    let restoring =
        Restoring { file, opener, home, stores: &Files, published, actor: current_actor(), now: now() };
    let restored = backup::restore(&restoring)?;
    // a failure is not reported here: issuing commands report a missing reserve
    let _ = ReserveFile::of(home).hold();
    Ok(restored)
}
