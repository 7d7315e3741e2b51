//! `manifest.json`, which names the files of the status and their time.
use super::StatusError;
use super::failed;
use crate::audit::Head;
use crate::error::Shown as _;
use crate::home::{Aside, Mode, open_file};
use crate::index::StoreError;
use crate::x509::UnixTime;
use base16ct::lower::encode_string as hex;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const SCHEMA: &str = "genfic-ca-status/";
/// Version of the schema. Other versions are refused.
const VERSION: i64 = 1;

/// Value of `identity` in a manifest whose files identify issuers by names in comparable form. Files without
/// the value identify issuers by the octets of their names.
const IDENTITY: &str = "compared-name";

/// The contents of the manifest.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StatusManifest {
    schema: String,
    pub(super) base: StatusPart,
    pub(super) delta: Option<StatusPart>,
    /// The change number of the files.
    pub(super) change: u64,
    /// When it was last confirmed that the files are current, RFC 3339.
    pub(super) time: String,
    /// Whether `time` is of a trusted clock. Manifests of earlier versions do not tell.
    #[serde(default)]
    confirmed: bool,
    /// The newest audit record of the index at that time, which shows whether a later index continues this
    /// state.
    audit: Checkpoint,
    /// How issuers are identified in the files.
    #[serde(default)]
    identity: String,
    /// Whether the files have notAfter of each certificate. Those of earlier versions do not.
    #[serde(default)]
    ends: bool,
}

/// One file of the status.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StatusPart {
    pub(super) file: String,
    /// SHA-256 of the file, hexadecimal.
    pub(super) sha256: String,
    pub(super) change: u64,
    pub(super) rows: u64,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Checkpoint {
    sequence: u64,
    digest: String,
}

/// Identity of a manifest file, found without reading it: device, inode, time of modification and size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FileIdentity(u64, u64, i64, i64, u64);

impl FileIdentity {
    pub(super) fn of(metadata: &std::fs::Metadata) -> Self {
        Self(metadata.dev(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.size())
    }
}

/// Bound of the octets that are read of a manifest, 64 KiB. A manifest has a few hundred octets.
const LARGEST: u64 = 64 << 10;

impl StatusManifest {
    /// The name of the file.
    pub(super) const FILE: &str = "manifest.json";

    pub(super) fn new(base: StatusPart, delta: Option<StatusPart>, head: Head, now: UnixTime) -> Self {
        let change = delta.as_ref().map_or(base.change, |delta| delta.change);
        let audit = Checkpoint { sequence: head.sequence, digest: hex(&head.digest) };
        Self {
            schema: format!("{SCHEMA}{VERSION}"),
            base,
            delta,
            change,
            time: now.to_string(),
            confirmed: true,
            audit,
            identity: IDENTITY.into(),
            ends: true,
        }
    }

    /// Returns whether the files identify issuers as the index does now, and have notAfter of each certificate. Other
    /// files are made again.
    pub(super) fn is_usable(&self) -> bool {
        self.identity == IDENTITY && self.ends
    }

    /// Returns the manifest of a directory; `None` when nothing was published there.
    pub(super) fn read(directory: &Path) -> Result<Option<(Self, FileIdentity)>, StatusError> {
        let path = directory.join(Self::FILE);
        let file = match open_file(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, &error)),
        };
        let metadata = file.metadata().map_err(|error| failed(&path, &error))?;
        let mut text = String::new();
        file.take(LARGEST).read_to_string(&mut text).map_err(|error| failed(&path, &error))?;
        let damaged =
            |reason: String| StatusError::Store(StoreError::Damaged(format!("{}: {reason}", path.shown())));
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let schema = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default();
        match schema.strip_prefix(SCHEMA).and_then(|version| version.parse().ok()) {
            Some(VERSION) => {}
            Some(found) => return Err(StoreError::Schema { found, known: VERSION }.into()),
            None => return Err(damaged("it is not a status manifest".to_owned())),
        }
        let manifest: Self = serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
        let names = std::iter::once(&manifest.base).chain(&manifest.delta);
        if names.into_iter().any(|part| part.file.contains('/') || part.file.starts_with('.')) {
            return Err(damaged("it names a file elsewhere".to_owned()));
        }
        Ok(Some((manifest, FileIdentity::of(&metadata))))
    }

    /// Writes the manifest under a temporary name.
    pub(super) fn write(&self, directory: &Path) -> Result<Aside, StatusError> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| StatusError::Store(StoreError::Backend(format!("manifest.json: {error}"))))?;
        text.push('\n');
        let path = directory.join(Self::FILE);
        Ok(Aside::fill(&path, Mode::Public, |file| file.write_all(text.as_bytes()))?)
    }

    /// Returns when the status was last confirmed.
    pub(super) fn time(&self) -> Result<UnixTime, StatusError> {
        UnixTime::parse(&self.time).ok_or_else(|| {
            StatusError::Store(StoreError::Damaged(format!("manifest.json: `{}` is not a time", self.time)))
        })
    }

    /// Returns when the status was last confirmed, if the clock was trusted.
    pub(super) fn confirmed(&self) -> Option<UnixTime> {
        UnixTime::parse(&self.time).filter(|_| self.confirmed)
    }

    /// Returns the sequence number of the audit record in the manifest.
    pub(super) fn noted(&self) -> u64 {
        self.audit.sequence
    }

    /// Returns the audit record in the manifest; `None` when its digest cannot be read.
    pub(super) fn head(&self) -> Option<Head> {
        let octets = base16ct::mixed::decode_vec(&self.audit.digest).ok()?;
        Some(Head { sequence: self.audit.sequence, digest: octets.try_into().ok()? })
    }

    /// Returns whether the audit record in the manifest is this one.
    pub(super) fn continues(&self, head: &Head) -> bool {
        self.audit.sequence == head.sequence && self.audit.digest == hex(&head.digest)
    }

    /// Returns whether the manifest names a file.
    pub(super) fn names(&self, file: &str) -> bool {
        self.base.file == file || self.delta.as_ref().is_some_and(|delta| delta.file == file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_with_a_sign_is_no_audit_record() {
        let base = StatusPart { file: "base".into(), sha256: "00".repeat(32), change: 1, rows: 0 };
        let head = Head { sequence: 7, digest: [0x0f; 32] };
        let mut manifest = StatusManifest::new(base, None, head, UnixTime(0));
        assert_eq!(manifest.head().map(|head| head.digest), Some([0x0f; 32]));
        manifest.audit.digest = format!("+f{}", "0f".repeat(31));
        assert!(manifest.head().is_none());
    }
}
