//! The files that a backup may contain, and their places in a home.
use crate::home::{AuthorityName, Home, Mode};
use crate::signer::JOURNAL;
use crate::signing::KeyFile;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What follows the name of a CA in the name of the file of its key's envelope.
const ENVELOPE: &str = ".envelope.toml";

/// A file of a backup: its place in the archive and in a home.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ArchiveEntry {
    /// `index.db`
    Index,
    /// `configuration/NAME`: `genfic-ca.toml`, and the files that it names in its directory.
    Configuration(String),
    /// `policy/NAME`
    Policy(String),
    /// `public/NAME`
    Public(String),
    /// `keys/NAME`: a file of the store of CA keys.
    OfKeys(KeyFile),
    /// `keys/journal`: the signer's journal.
    Journal,
    /// `keys/NAME.envelope.toml`: the envelope of a key.
    Envelope(AuthorityName),
    /// `keys/NAME.pem`: the signer's own copies of the certificates of a CA.
    OwnCertificates(AuthorityName),
    /// `requests/NAME.waiting`: a pending certification request.
    PendingRequest(AuthorityName),
    /// `keys/NAME.waiting`: the former place of a pending certification request.
    FormerPendingRequest(AuthorityName),
    /// `requests/NAME.ceremony`: the request for a ceremony that is not answered yet.
    Ceremony(AuthorityName),
    /// `requests/NAME.history`: what the key of a CA signed in ceremonies.
    CeremonyHistory(AuthorityName),
    /// `ocsp/NAME/responder.pem`
    ResponderCertificate(AuthorityName),
    /// `ocsp/NAME/responder.key`
    ResponderKey(AuthorityName),
}

impl ArchiveEntry {
    /// Returns the path in a home whose index is `index`.
    pub(super) fn path_in(&self, home: &Home, index: &Path) -> PathBuf {
        match self {
            Self::Index => index.to_owned(),
            Self::Configuration(name) => home.configuration_directory().join(name),
            Self::Policy(name) => home.policy_directory().join(name),
            Self::Public(name) => home.public_directory().join(name),
            Self::OfKeys(file) => home.keys_directory().join(file.now().to_string()),
            Self::Journal => home.keys_directory().join(JOURNAL),
            Self::Envelope(name) => home.keys_directory().join(format!("{name}{ENVELOPE}")),
            Self::OwnCertificates(name) => home.keys_directory().join(format!("{name}.pem")),
            Self::PendingRequest(name) | Self::FormerPendingRequest(name) => home.pending_request_file(name),
            Self::Ceremony(name) => home.ceremony_file(name),
            Self::CeremonyHistory(name) => home.ceremony_history_file(name),
            Self::ResponderCertificate(name) => home.responder_certificate_file(name),
            Self::ResponderKey(name) => home.responder_key_file(name),
        }
    }

    /// Returns the entry that a file in the same place has now. Two entries have one place when these are the same.
    pub(super) fn now(&self) -> Self {
        match self {
            Self::OfKeys(file) => Self::OfKeys(file.now()),
            Self::FormerPendingRequest(name) => Self::PendingRequest(name.clone()),
            now => now.clone(),
        }
    }

    /// Returns the mode of the restored file.
    pub(super) fn mode(&self) -> Mode {
        match self {
            Self::Index
            | Self::OfKeys(_)
            | Self::Journal
            | Self::Envelope(_)
            | Self::OwnCertificates(_)
            | Self::PendingRequest(_)
            | Self::FormerPendingRequest(_)
            | Self::Ceremony(_)
            | Self::CeremonyHistory(_) => Mode::Private,
            Self::ResponderCertificate(_) | Self::ResponderKey(_) => Mode::Group,
            Self::Configuration(_) | Self::Policy(_) | Self::Public(_) => Mode::Public,
        }
    }

    /// Returns whether a backup has it only with the keys of CAs: without them, a journal would be of other signatures
    /// than the keys that are put back.
    pub(super) fn is_with_keys(&self) -> bool {
        match self {
            Self::OfKeys(file) => file.is_key(),
            Self::Journal => true,
            _ => false,
        }
    }

    /// Returns the CA whose directory in `ocsp/` contains the file.
    pub(super) fn responder(&self) -> Option<&AuthorityName> {
        match self {
            Self::ResponderCertificate(name) | Self::ResponderKey(name) => Some(name),
            _ => None,
        }
    }
}

/// Returns whether a name has one component, is not hidden and is no reference to another directory.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 90
        && !name.starts_with('.')
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control)
}

/// Writes the path in the archive.
impl fmt::Display for ArchiveEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index => f.write_str("index.db"),
            Self::Configuration(name) => write!(f, "configuration/{name}"),
            Self::Policy(name) => write!(f, "policy/{name}"),
            Self::Public(name) => write!(f, "public/{name}"),
            Self::OfKeys(file) => write!(f, "keys/{file}"),
            Self::Journal => write!(f, "keys/{JOURNAL}"),
            Self::Envelope(name) => write!(f, "keys/{name}{ENVELOPE}"),
            Self::OwnCertificates(name) => write!(f, "keys/{name}.pem"),
            Self::PendingRequest(name) => write!(f, "requests/{name}.waiting"),
            Self::FormerPendingRequest(name) => write!(f, "keys/{name}.waiting"),
            Self::Ceremony(name) => write!(f, "requests/{name}.ceremony"),
            Self::CeremonyHistory(name) => write!(f, "requests/{name}.history"),
            Self::ResponderCertificate(name) => write!(f, "ocsp/{name}/responder.pem"),
            Self::ResponderKey(name) => write!(f, "ocsp/{name}/responder.key"),
        }
    }
}

impl FromStr for ArchiveEntry {
    type Err = ();

    fn from_str(path: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = path.split('/').collect();
        let authority = |name: &str| name.parse::<AuthorityName>().map_err(drop);
        match parts.as_slice() {
            ["index.db"] => Ok(Self::Index),
            ["configuration", name] if is_plain(name) => Ok(Self::Configuration((*name).to_owned())),
            ["policy", name] if is_plain(name) => Ok(Self::Policy((*name).to_owned())),
            ["public", name] if is_plain(name) => Ok(Self::Public((*name).to_owned())),
            ["keys", JOURNAL] => Ok(Self::Journal),
            ["keys", file] if file.ends_with(ENVELOPE) => {
                authority(file.strip_suffix(ENVELOPE).unwrap_or_default()).map(Self::Envelope)
            }
            ["keys", file] => match file.rsplit_once('.') {
                Some((name, "pem")) => authority(name).map(Self::OwnCertificates),
                Some((name, "waiting")) => authority(name).map(Self::FormerPendingRequest),
                _ => file.parse().map(Self::OfKeys),
            },
            ["requests", file] => match file.rsplit_once('.') {
                Some((name, "waiting")) => authority(name).map(Self::PendingRequest),
                Some((name, "ceremony")) => authority(name).map(Self::Ceremony),
                Some((name, "history")) => authority(name).map(Self::CeremonyHistory),
                _ => Err(()),
            },
            ["ocsp", name, "responder.pem"] => authority(name).map(Self::ResponderCertificate),
            ["ocsp", name, "responder.key"] => authority(name).map(Self::ResponderKey),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_place_and_none_outside_the_home() {
        for path in [
            "index.db",
            "configuration/genfic-ca.toml",
            "policy/user.toml.example",
            "public/genfic.crl.pem",
            "keys/genfic.mark",
            "keys/genfic.crlnumber",
            "keys/genfic.age",
            "keys/genfic.envelope.toml",
            "keys/genfic.pem",
            "keys/journal",
            "keys/genfic-user.waiting",
            "requests/genfic-user.waiting",
            "requests/genfic.ceremony",
            "requests/genfic.history",
            "ocsp/genfic/responder.pem",
            "ocsp/genfic/responder.key",
        ] {
            assert_eq!(path.parse::<ArchiveEntry>().unwrap().to_string(), path);
        }
        for path in [
            "",
            "/index.db",
            "./index.db",
            "../index.db",
            "index.db/",
            "index.db-wal",
            "policy/",
            "policy/..",
            "policy/../index.db",
            "policy/a/b",
            "policy/.new-x",
            "policy/a\\b",
            "policy/a\nb",
            "public//a",
            "keys/.age",
            "keys/a",
            "keys/record.db",
            "keys/journal.age.toml",
            "keys/.envelope.toml",
            "keys/../a.age",
            "keys/A B.age",
            "requests/a.age",
            "requests/../a.waiting",
            "ocsp/../responder.key",
            "ocsp/a/other.key",
            "status/manifest.json",
            "issued/a/1.pem",
            "home.lock",
        ] {
            assert!(path.parse::<ArchiveEntry>().is_err(), "{path}");
        }
    }
}
