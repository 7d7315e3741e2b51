//! The paths of a home, and what its directories must be like.
use super::AuthorityName;
use super::access::{Owners, Rule};
use crate::x509::SerialNumber;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the files of the CAs are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Home {
    configuration: PathBuf,
    state: PathBuf,
    log: PathBuf,
}

/// A file of a CA that anyone may fetch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PublicFile {
    /// `NAME.pem`: its certificate, PEM.
    Certificate,
    /// `NAME.crt`: its certificate, DER; caIssuers points here.
    CertificateDer,
    /// `NAME.chain.pem`: its certificate and its issuers', PEM.
    Chain,
    /// `NAME.crossed.pem`: certificates of the same name and key by other issuers, PEM.
    Crossed,
    /// `NAME.crl`: its CRL, DER; crlDistributionPoints points here.
    Crl,
    /// `NAME.crl.pem`: its CRL, PEM.
    CrlPem,
}

impl PublicFile {
    /// What follows the CA's name.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Certificate => ".pem",
            Self::CertificateDer => ".crt",
            Self::Chain => ".chain.pem",
            Self::Crossed => ".crossed.pem",
            Self::Crl => ".crl",
            Self::CrlPem => ".crl.pem",
        }
    }
}

/// The group that the daemon runs as where it has a user of its own.
pub(super) const DAEMON_GROUP: &str = "genfic-ocsp";

/// A directory of the home, its mode, and what it must not have.
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) rule: Rule,
}

impl Home {
    /// A home with everything below one directory.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        let state = directory.into();
        Self { configuration: state.clone(), log: state.join("log"), state }
    }

    /// A home in two directories that are not the system's: one that is being made.
    #[must_use]
    pub fn in_directories(configuration: impl Into<PathBuf>, state: impl Into<PathBuf>) -> Self {
        let state = state.into();
        Self { configuration: configuration.into(), log: state.join("log"), state }
    }

    /// The system's: `/etc/genfic-ca`, `/var/lib/genfic-ca` and `/var/log/genfic-ca`.
    #[must_use]
    pub fn system() -> Self {
        Self {
            configuration: "/etc/genfic-ca".into(),
            state: "/var/lib/genfic-ca".into(),
            log: "/var/log/genfic-ca".into(),
        }
    }

    /// The directory that has index, keys and public files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.state
    }

    /// The directory that has the configuration; the same one unless it is the system's home.
    #[must_use]
    pub fn configuration_directory(&self) -> &Path {
        &self.configuration
    }

    /// The configuration, `genfic-ca.toml`.
    #[must_use]
    pub fn configuration_file(&self) -> PathBuf {
        self.configuration.join("genfic-ca.toml")
    }

    /// The certificate profiles, `policy/`.
    #[must_use]
    pub fn policy_directory(&self) -> PathBuf {
        self.configuration.join("policy")
    }

    /// What was issued, `index.db`.
    #[must_use]
    pub fn index_file(&self) -> PathBuf {
        self.state.join("index.db")
    }

    /// Whether there is an index: without one it is no home of CAs, or not any more.
    #[must_use]
    pub(crate) fn has_index(&self) -> bool {
        self.index_file().is_file()
    }

    /// The index and what is beside it at work: log, its map, journal, and the lock of those who sign.
    pub(super) fn index_files(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let index = self.index_file().into_os_string();
        ["", "-wal", "-shm", "-journal", "-signing"].into_iter().map(move |ending| {
            let mut file = index.clone();
            file.push(ending);
            file.into()
        })
    }

    /// The index's public face, `status/`.
    #[must_use]
    pub fn status_directory(&self) -> PathBuf {
        self.state.join("status")
    }

    /// What the store of CA keys has, `keys/`.
    #[must_use]
    pub fn keys_directory(&self) -> PathBuf {
        self.state.join("keys")
    }

    /// The requests of CAs that wait for their certificates, `requests/`.
    #[must_use]
    pub(crate) fn requests_directory(&self) -> PathBuf {
        self.state.join("requests")
    }

    /// The request of a CA that waits for its certificate, `requests/NAME.waiting`.
    #[must_use]
    pub(crate) fn waiting_file(&self, authority: &AuthorityName) -> PathBuf {
        self.requests_directory().join(format!("{authority}.waiting"))
    }

    /// What the responder of a CA reads, `ocsp/NAME/`.
    #[must_use]
    pub(crate) fn ocsp_directory(&self, authority: &AuthorityName) -> PathBuf {
        self.responders_directory().join(authority.as_str())
    }

    /// The directory of all of these, `ocsp/`.
    #[must_use]
    pub fn responders_directory(&self) -> PathBuf {
        self.state.join("ocsp")
    }

    /// The responder certificate of a CA, `ocsp/NAME/responder.pem`.
    #[must_use]
    pub(crate) fn responder_certificate_file(&self, authority: &AuthorityName) -> PathBuf {
        self.ocsp_directory(authority).join("responder.pem")
    }

    /// The responder key of a CA, `ocsp/NAME/responder.key`.
    #[must_use]
    pub(crate) fn responder_key_file(&self, authority: &AuthorityName) -> PathBuf {
        self.ocsp_directory(authority).join("responder.key")
    }

    /// What anyone may fetch, `public/`.
    #[must_use]
    pub fn public_directory(&self) -> PathBuf {
        self.state.join("public")
    }

    /// A public file of a CA, for example `public/NAME.crl`.
    #[must_use]
    pub fn public_file(&self, authority: &AuthorityName, file: PublicFile) -> PathBuf {
        self.public_directory().join(format!("{authority}{}", file.ending()))
    }

    /// The certificates that a CA issued, `issued/NAME/`.
    #[must_use]
    pub(crate) fn issued_directory(&self, authority: &AuthorityName) -> PathBuf {
        self.issued_root().join(authority.as_str())
    }

    /// The directory of all of these, `issued/`.
    #[must_use]
    pub(crate) fn issued_root(&self) -> PathBuf {
        self.state.join("issued")
    }

    /// One of them, `issued/NAME/SERIAL.pem`.
    #[must_use]
    pub fn issued_file(&self, authority: &AuthorityName, serial: &SerialNumber) -> PathBuf {
        self.issued_directory(authority).join(format!("{serial}.pem"))
    }

    /// What a command that changes the home locks, `home.lock`.
    #[must_use]
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.state.join("home.lock")
    }

    /// The space that is kept for revoking on a full disk, `reserve`.
    #[must_use]
    pub(crate) fn reserve_file(&self) -> PathBuf {
        self.state.join("reserve")
    }

    /// Where exports of the audit records go; made when there is one.
    #[must_use]
    pub fn log_directory(&self) -> &Path {
        &self.log
    }

    pub(super) fn places(&self) -> Vec<Place> {
        let place =
            |path, mode, owners, forbidden| Place { path, mode, rule: Rule::directory(owners, forbidden) };
        let mut places = Vec::new();
        if self.configuration != self.state {
            places.push(place(self.configuration.clone(), 0o755, Owners::UserOrRoot, 0o022));
        }
        places.extend([
            place(self.state.clone(), 0o711, Owners::User, 0o022),
            place(self.policy_directory(), 0o755, Owners::UserOrRoot, 0o022),
            place(self.keys_directory(), 0o700, Owners::User, 0o077),
            place(self.requests_directory(), 0o700, Owners::User, 0o077),
            place(self.issued_root(), 0o700, Owners::User, 0o077),
            place(self.status_directory(), 0o2750, Owners::User, 0o027),
            place(self.responders_directory(), 0o2750, Owners::User, 0o027),
            place(self.public_directory(), 0o755, Owners::User, 0o022),
        ]);
        places
    }

    /// Whether there is anything here: an empty directory, as a package makes it, is not a home yet. One that
    /// cannot be looked into may be.
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
