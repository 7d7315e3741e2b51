//! Values of messages: paths, references to keys, places.
use crate::home::{AccessCause, AccessFinding};
use crate::signing::{KeyPlace, KeyRef};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A path: text, or octets where they are not UTF-8.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum WirePath {
    /// UTF-8.
    Text(String),
    /// Other octets.
    Octets(Vec<u8>),
}

impl From<&Path> for WirePath {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Octets(path.as_os_str().as_bytes().to_vec()),
        }
    }
}

impl From<WirePath> for PathBuf {
    fn from(path: WirePath) -> Self {
        match path {
            WirePath::Text(text) => text.into(),
            WirePath::Octets(octets) => OsString::from_vec(octets).into(),
        }
    }
}

/// A reference to a key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireKey {
    /// The URI in the index.
    pub(crate) uri: String,
    /// SHA-256 of the SubjectPublicKeyInfo, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<[u8; 32]>,
}

impl From<&KeyRef> for WireKey {
    fn from(key: &KeyRef) -> Self {
        Self { uri: key.uri.clone(), identity: key.identity }
    }
}

impl From<WireKey> for KeyRef {
    fn from(key: WireKey) -> Self {
        Self { identity: key.identity, uri: key.uri }
    }
}

/// The place of a key or mark.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WirePlace {
    /// A file.
    File(WirePath),
    /// A URI.
    Uri(String),
}

impl From<&KeyPlace> for WirePlace {
    fn from(place: &KeyPlace) -> Self {
        match place {
            KeyPlace::File(path) => Self::File(path.as_path().into()),
            KeyPlace::Uri(uri) => Self::Uri(uri.clone()),
        }
    }
}

impl From<WirePlace> for KeyPlace {
    fn from(place: WirePlace) -> Self {
        match place {
            WirePlace::File(path) => Self::File(path.into()),
            WirePlace::Uri(uri) => Self::Uri(uri),
        }
    }
}

/// An owner or mode that gives others access.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct WireAccess {
    path: WirePath,
    cause: WireCause,
    fault: String,
    remedy: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum WireCause {
    Kind,
    Owner,
    Mode(u32),
    Shared(u32),
    Shut(u32),
    Group,
    Parent,
    Unreadable,
    Linked,
}

impl From<&AccessFinding> for WireAccess {
    fn from(finding: &AccessFinding) -> Self {
        let cause = match finding.cause {
            AccessCause::Kind => WireCause::Kind,
            AccessCause::Owner => WireCause::Owner,
            AccessCause::Mode(bits) => WireCause::Mode(bits),
            AccessCause::Shared(bits) => WireCause::Shared(bits),
            AccessCause::Shut(bits) => WireCause::Shut(bits),
            AccessCause::Group => WireCause::Group,
            AccessCause::Parent => WireCause::Parent,
            AccessCause::Unreadable => WireCause::Unreadable,
            AccessCause::Linked => WireCause::Linked,
        };
        let path = finding.path.as_path().into();
        Self { path, cause, fault: finding.fault.clone(), remedy: finding.remedy.clone() }
    }
}

impl From<WireAccess> for AccessFinding {
    fn from(access: WireAccess) -> Self {
        let cause = match access.cause {
            WireCause::Kind => AccessCause::Kind,
            WireCause::Owner => AccessCause::Owner,
            WireCause::Mode(bits) => AccessCause::Mode(bits),
            WireCause::Shared(bits) => AccessCause::Shared(bits),
            WireCause::Shut(bits) => AccessCause::Shut(bits),
            WireCause::Group => AccessCause::Group,
            WireCause::Parent => AccessCause::Parent,
            WireCause::Unreadable => AccessCause::Unreadable,
            WireCause::Linked => AccessCause::Linked,
        };
        Self { path: access.path.into(), cause, fault: access.fault, remedy: access.remedy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_not_text_comes_over_unchanged() {
        for octets in [&b"/home/x/keys"[..], b"/home/\xff\xfe/keys"] {
            let path = PathBuf::from(OsString::from_vec(octets.to_vec()));
            let text = serde_json::to_string(&WirePath::from(path.as_path())).unwrap();
            assert_eq!(PathBuf::from(serde_json::from_str::<WirePath>(&text).unwrap()), path);
        }
    }
}
