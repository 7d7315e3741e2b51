//! What of a home can be told at a glance, for those who type: names of CAs, profiles and certificates.
use crate::home::Home;
use crate::index::sqlite::IndexGlance;
use crate::index::{CertificateRecord, Selector};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

/// A look at a home that changes nothing, asks nobody, waits for nobody and fails silently: what cannot be read, or
/// belongs to another user, is as if it were not there.
pub struct Glance {
    profiles: Vec<String>,
    index: Option<Mutex<IndexGlance>>,
}

impl Glance {
    /// Looks at a home.
    #[must_use]
    pub fn at(home: &Home) -> Self {
        let entries = fs::read_dir(home.policy_directory()).into_iter().flatten().flatten();
        let mut profiles: Vec<String> = entries
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned))
            .collect();
        profiles.sort();
        Self { profiles, index: index(home).map(Mutex::new) }
    }

    /// Returns the names of the profiles, by the files that have them.
    #[must_use]
    pub fn profiles(&self) -> &[String] {
        &self.profiles
    }

    /// Returns the names of the CAs, at most `limit`.
    #[must_use]
    pub fn authorities(&self, limit: usize) -> Vec<String> {
        self.read(|index| index.authorities(limit).ok()).unwrap_or_default()
    }

    /// Returns the names of certificates that begin like this, in lower case and each with the newest certificate that
    /// has it, at most `limit`.
    #[must_use]
    pub fn names(&self, beginning: &str, limit: usize) -> Vec<(String, CertificateRecord)> {
        let read = |index: &IndexGlance| {
            let names = index.names(beginning, limit).ok()?.into_iter();
            let with_newest = names.filter_map(|name| {
                let newest = index.select(&Selector::Name(name.clone()), 1).ok()?.pop()?;
                Some((name, newest))
            });
            Some(with_newest.collect())
        };
        self.read(read).unwrap_or_default()
    }

    /// Returns the certificates of a CA, or of any, whose serial numbers begin with these digits, at most `limit`.
    #[must_use]
    pub fn numbered(&self, authority: Option<&str>, digits: &str, limit: usize) -> Vec<CertificateRecord> {
        let selector = Selector::SerialBeginning(authority.map(str::to_owned), digits.to_owned());
        self.read(|index| index.select(&selector, limit).ok()).unwrap_or_default()
    }

    fn read<T>(&self, read: impl FnOnce(&IndexGlance) -> Option<T>) -> Option<T> {
        read(&self.index.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Opens the index of a home that belongs to this user.
fn index(home: &Home) -> Option<IndexGlance> {
    home.verify_owner().ok()?;
    let file = home.index_file();
    let found = fs::symlink_metadata(&file).ok()?;
    let is_ours = found.is_file() && found.uid() == rustix::process::geteuid().as_raw();
    is_ours.then(|| IndexGlance::open(&file).ok()).flatten()
}
