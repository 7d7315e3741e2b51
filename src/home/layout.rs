//! The paths of a home, and the rules for its directories.
use super::AuthorityName;
use super::access::{AccessRule, Owners};
use crate::x509::SerialNumber;
use std::fs;
use std::path::{Path, PathBuf};

/// The directories that have the files of the CAs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Home {
    configuration: PathBuf,
    state: PathBuf,
    log: PathBuf,
}

/// A file of a CA that anyone may fetch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PublicFile {
    /// `NAME.pem`: the CA's certificate, PEM.
    Certificate,
    /// `NAME.crt`: the CA's certificate, DER. caIssuers points here (RFC 5280 §4.2.2.1).
    CertificateDer,
    /// `NAME.chain.pem`: the CA's certificate and those of its issuers, PEM.
    Chain,
    /// `NAME.crossed.pem`: the CA's cross-certificates, for the same name and key by other issuers, PEM.
    CrossCertificates,
    /// `NAME.crl`: the CA's CRL, DER. cRLDistributionPoints points here (RFC 5280 §4.2.1.13).
    Crl,
    /// `NAME.crl.pem`: the CA's CRL, PEM.
    CrlPem,
    /// `NAME.delta.crl`: the CA's delta CRL, DER. freshestCRL points here (RFC 5280 §5.2.6).
    DeltaCrl,
    /// `NAME.delta.crl.pem`: the CA's delta CRL, PEM.
    DeltaCrlPem,
}

impl PublicFile {
    /// Every file of a CA.
    pub const ALL: [Self; 8] = [
        Self::Certificate,
        Self::CertificateDer,
        Self::Chain,
        Self::CrossCertificates,
        Self::Crl,
        Self::CrlPem,
        Self::DeltaCrl,
        Self::DeltaCrlPem,
    ];

    /// Returns what follows the CA's name in the file name.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Certificate => ".pem",
            Self::CertificateDer => ".crt",
            Self::Chain => ".chain.pem",
            Self::CrossCertificates => ".crossed.pem",
            Self::Crl => ".crl",
            Self::CrlPem => ".crl.pem",
            Self::DeltaCrl => ".delta.crl",
            Self::DeltaCrlPem => ".delta.crl.pem",
        }
    }
}

/// The group of the daemon, where it has a user of its own.
pub(super) const DAEMON_GROUP: &str = "genfic-ocsp";

/// A directory of the home, with its mode and the rule that it must obey.
pub(super) struct Permission {
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) rule: AccessRule,
}

impl Home {
    /// Returns a home with everything below one directory.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        let state = directory.into();
        Self { configuration: state.clone(), log: state.join("log"), state }
    }

    /// Returns a home in two directories other than the system's, for a home under construction.
    #[must_use]
    pub fn in_directories(configuration: impl Into<PathBuf>, state: impl Into<PathBuf>) -> Self {
        let state = state.into();
        Self { configuration: configuration.into(), log: state.join("log"), state }
    }

    /// Returns the home of the system: `/etc/genfic-ca`, `/var/lib/genfic-ca` and `/var/log/genfic-ca`.
    #[must_use]
    pub fn system() -> Self {
        Self {
            configuration: "/etc/genfic-ca".into(),
            state: "/var/lib/genfic-ca".into(),
            log: "/var/log/genfic-ca".into(),
        }
    }

    /// Returns the system's directory for files that administrators exchange with the user who runs `genfic-ca`:
    /// requests, certificates, exports. It is no part of a home.
    #[must_use]
    pub fn work_directory() -> &'static Path {
        Path::new("/var/spool/genfic-ca")
    }

    /// Returns the directory of index, keys and public files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.state
    }

    /// Returns the directory of the configuration, which is the same one except in the system's home.
    #[must_use]
    pub fn configuration_directory(&self) -> &Path {
        &self.configuration
    }

    /// Returns the path of the configuration, `genfic-ca.toml`.
    #[must_use]
    pub fn configuration_file(&self) -> PathBuf {
        self.configuration.join("genfic-ca.toml")
    }

    /// Returns the directory of the certificate profiles, `policy/`.
    #[must_use]
    pub fn policy_directory(&self) -> PathBuf {
        self.configuration.join("policy")
    }

    /// Returns the path of the index, `index.db`.
    #[must_use]
    pub fn index_file(&self) -> PathBuf {
        self.state.join("index.db")
    }

    /// Returns whether there is an index. A directory without one is not a home of CAs, or no longer one.
    #[must_use]
    pub(crate) fn has_index(&self) -> bool {
        self.index_file().is_file()
    }

    /// Returns the paths of the index and of the files beside it: write-ahead log, shared memory, journal, and
    /// the lock of processes that sign.
    pub(super) fn index_files(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let index = self.index_file().into_os_string();
        ["", "-wal", "-shm", "-journal", "-signing"].into_iter().map(move |ending| {
            let mut file = index.clone();
            file.push(ending);
            file.into()
        })
    }

    /// Returns the directory of the published status, `status/`.
    #[must_use]
    pub fn status_directory(&self) -> PathBuf {
        self.state.join("status")
    }

    /// Returns the files of the signer beside the keys: its journal, and the record that it keeps of it.
    #[must_use]
    pub(crate) fn signer_files(&self) -> [PathBuf; 5] {
        ["journal", "record.db", "record.db-journal", "record.db-shm", "record.db-wal"]
            .map(|name| self.keys_directory().join(name))
    }

    /// Returns the directory of the store of CA keys, `keys/`.
    #[must_use]
    pub fn keys_directory(&self) -> PathBuf {
        self.state.join("keys")
    }

    /// Returns the directory of the pending requests of CAs, `requests/`.
    #[must_use]
    pub(crate) fn requests_directory(&self) -> PathBuf {
        self.state.join("requests")
    }

    /// Returns the path of a CA's pending request, `requests/NAME.waiting`.
    #[must_use]
    pub(crate) fn pending_request_file(&self, authority: &AuthorityName) -> PathBuf {
        self.requests_directory().join(format!("{authority}.waiting"))
    }

    /// Returns the path of the request for a ceremony that is not answered yet, `requests/NAME.ceremony`.
    #[must_use]
    pub(crate) fn ceremony_file(&self, authority: &AuthorityName) -> PathBuf {
        self.requests_directory().join(format!("{authority}.ceremony"))
    }

    /// Returns the path of what a CA's key signed in ceremonies, `requests/NAME.history`.
    #[must_use]
    pub(crate) fn ceremony_history_file(&self, authority: &AuthorityName) -> PathBuf {
        self.requests_directory().join(format!("{authority}.history"))
    }

    /// Returns the path of the note that the key of a CA is being moved, `requests/NAME.moving`.
    #[must_use]
    pub(crate) fn key_move_file(&self, authority: &AuthorityName) -> PathBuf {
        self.requests_directory().join(format!("{authority}.moving"))
    }

    /// Returns the directory that the responder of a CA reads, `ocsp/NAME/`.
    #[must_use]
    pub(crate) fn ocsp_directory(&self, authority: &AuthorityName) -> PathBuf {
        self.responders_directory().join(authority.as_str())
    }

    /// Returns the directory that contains those of all responders, `ocsp/`.
    #[must_use]
    pub fn responders_directory(&self) -> PathBuf {
        self.state.join("ocsp")
    }

    /// Returns the path of a CA's responder certificate, `ocsp/NAME/responder.pem`.
    #[must_use]
    pub(crate) fn responder_certificate_file(&self, authority: &AuthorityName) -> PathBuf {
        self.ocsp_directory(authority).join("responder.pem")
    }

    /// Returns the path of a CA's responder key, `ocsp/NAME/responder.key`.
    #[must_use]
    pub(crate) fn responder_key_file(&self, authority: &AuthorityName) -> PathBuf {
        self.ocsp_directory(authority).join("responder.key")
    }

    /// Returns the directory of the files that anyone may fetch, `public/`.
    #[must_use]
    pub fn public_directory(&self) -> PathBuf {
        self.state.join("public")
    }

    /// Returns the path of a CA's public file, for example `public/NAME.crl`.
    #[must_use]
    pub fn public_file(&self, authority: &AuthorityName, file: PublicFile) -> PathBuf {
        self.public_directory().join(format!("{authority}{}", file.ending()))
    }

    /// Returns the directory of the certificates that a CA issued, `issued/NAME/`.
    #[must_use]
    pub(crate) fn issued_directory(&self, authority: &AuthorityName) -> PathBuf {
        self.issued_root().join(authority.as_str())
    }

    /// Returns the directory that contains those of all CAs, `issued/`.
    #[must_use]
    pub(crate) fn issued_root(&self) -> PathBuf {
        self.state.join("issued")
    }

    /// Returns the path of an issued certificate, `issued/NAME/SERIAL.pem`.
    #[must_use]
    pub fn issued_file(&self, authority: &AuthorityName, serial: &SerialNumber) -> PathBuf {
        self.issued_directory(authority).join(format!("{serial}.pem"))
    }

    /// Returns the path of the file that a command locks before it changes the home, `home.lock`.
    #[must_use]
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.state.join("home.lock")
    }

    /// Returns the path of the file that keeps disk space for revocations on a full disk, `reserve`.
    #[must_use]
    pub(crate) fn reserve_file(&self) -> PathBuf {
        self.state.join("reserve")
    }

    /// Returns the directory for exports of the audit records, which is created for the first export.
    #[must_use]
    pub fn log_directory(&self) -> &Path {
        &self.log
    }

    pub(super) fn permissions(&self) -> Vec<Permission> {
        let place = |path, mode, owners, forbidden| Permission {
            path,
            mode,
            rule: AccessRule::directory(owners, forbidden),
        };
        let mut permissions = Vec::new();
        if self.configuration != self.state {
            permissions.push(place(self.configuration.clone(), 0o755, Owners::UserOrRoot, 0o022));
        }
        permissions.extend([
            place(self.state.clone(), 0o711, Owners::User, 0o022),
            place(self.policy_directory(), 0o755, Owners::UserOrRoot, 0o022),
            place(self.keys_directory(), 0o700, Owners::User, 0o077),
            place(self.requests_directory(), 0o700, Owners::User, 0o077),
            place(self.issued_root(), 0o700, Owners::User, 0o077),
            place(self.status_directory(), 0o2750, Owners::User, 0o027),
            place(self.responders_directory(), 0o2750, Owners::User, 0o027),
            place(self.public_directory(), 0o755, Owners::User, 0o022),
        ]);
        permissions
    }

    /// Returns whether there is anything here. An empty directory, as a package creates it, is not a home yet.
    /// A directory that cannot be read counts as a home.
    #[must_use]
    pub fn exists(&self) -> bool {
        let is_vacant = || fs::read_dir(&self.state).is_ok_and(|mut entries| entries.next().is_none());
        self.state.is_dir() && !is_vacant()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_directory_is_not_a_home_yet() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path());
        assert!(!home.exists() && !Home::at(directory.path().join("absent")).exists());
        fs::write(directory.path().join("index.db"), "").unwrap();
        assert!(home.exists());
    }

    #[test]
    fn the_paths_are_those_of_the_contract() {
        let (home, system) = (Home::at("/h"), Home::system());
        let name: AuthorityName = "genfic-user".parse().unwrap();
        let serial = "0abc".parse().unwrap();
        for (path, expected) in [
            (home.configuration_file(), "/h/genfic-ca.toml"),
            (home.policy_directory(), "/h/policy"),
            (home.index_file(), "/h/index.db"),
            (home.keys_directory(), "/h/keys"),
            (home.responder_key_file(&name), "/h/ocsp/genfic-user/responder.key"),
            (home.responder_certificate_file(&name), "/h/ocsp/genfic-user/responder.pem"),
            (home.public_file(&name, PublicFile::Chain), "/h/public/genfic-user.chain.pem"),
            (home.public_file(&name, PublicFile::CrlPem), "/h/public/genfic-user.crl.pem"),
            (home.issued_file(&name, &serial), "/h/issued/genfic-user/0abc.pem"),
            (system.configuration_file(), "/etc/genfic-ca/genfic-ca.toml"),
            (system.policy_directory(), "/etc/genfic-ca/policy"),
            (system.index_file(), "/var/lib/genfic-ca/index.db"),
            (system.log_directory().to_owned(), "/var/log/genfic-ca"),
        ] {
            assert_eq!(path, Path::new(expected));
        }
    }
}
