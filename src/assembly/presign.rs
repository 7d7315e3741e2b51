//! Signing answers beforehand, with the keys of a home's responders.
use super::Assembly;
use super::daemon::DaemonSettings;
use crate::clock::{Clock as _, SystemClock};
use crate::error::Problem;
use crate::ocsp::presigned::{Made, Making, make};
use crate::ocsp::public_files::PublicFiles;
use crate::ocsp::reload::Reloader;
use crate::status::{StatusDirectory, StatusError};
use std::path::Path;

impl Assembly {
    /// Makes a file of answers about the certificates of a CA, or of every CA, from the published status. `step` is called
    /// for each certificate.
    ///
    /// # Errors
    /// When the status cannot be read, a CA has no valid responder certificate, its key does not sign, or the file cannot
    /// be written.
    pub fn presign(&self, authority: Option<&str>, path: &Path, step: fn()) -> Result<Made, Problem> {
        let settings = DaemonSettings::of(self.settings.config.clone());
        let now = SystemClock.now();
        let reloader = Reloader::new(
            StatusDirectory::new(&self.home.status_directory()),
            settings.responders(&self.home),
            PublicFiles::new(self.home.public_directory()),
            now,
        );
        let current = reloader.current();
        let snapshot = current.load();
        let status = match (reloader.view(), snapshot.status()) {
            (Some(view), Some(_)) => view.as_ref(),
            _ => return Err(StatusError::NotPublished(snapshot.faults().join("; ")).into()),
        };
        Ok(make(&Making {
            path,
            snapshot: &snapshot,
            status,
            authority,
            settings: settings.responder(),
            now,
            step,
        })?)
    }
}
