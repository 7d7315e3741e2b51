//! `manifest.json`, which names the files of the status and their time.
use super::{StatusError, failed};
use crate::audit::Head;
use crate::error::Shown as _;
use crate::home::{Aside, Mode, open_file};
use crate::index::StoreError;
use crate::x509::{UnixTime, sha256};
use base16ct::lower::encode_string as hex;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const SCHEMA: &str = "genfic-ca-status/";
/// Version of the schema. Readers refuse other versions, except that publishers know what [`FORMER`] notes.
const VERSION: i64 = 2;
/// Version whose files are databases. They are not read by responders.
const FORMER: i64 = 1;

/// The contents of the manifest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct StatusManifest {
    /// `None` in a manifest of the former version.
    files: Option<StatusFiles>,
    noted: Noted,
    /// The names of the files.
    names: Vec<String>,
}

/// The files of a state.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StatusFiles {
    pub(super) authorities: FilePart,
    /// `sha256` is that of the table of the base, which has the digests of its blocks.
    pub(super) base: FilePart,
    /// `length` and `sha256` are those of the groups in force. The file may be longer.
    pub(super) delta: Option<FilePart>,
}

/// One file of the status.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct FilePart {
    pub(super) file: String,
    /// Octets of the file.
    pub(super) length: u64,
    /// A SHA-256 digest, hexadecimal, that stands for the contents.
    pub(super) sha256: String,
}

/// What a manifest notes beside its files.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Noted {
    /// The change number of the files.
    change: u64,
    /// When it was last confirmed that the files are current, RFC 3339.
    time: String,
    /// Whether `time` is of a trusted clock. The first manifests do not tell.
    #[serde(default)]
    confirmed: bool,
    /// The newest audit record of the index at that time, which shows whether a later index continues this
    /// state.
    audit: Checkpoint,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Checkpoint {
    sequence: u64,
    digest: String,
}

/// The manifest as it is written.
#[derive(Deserialize, Serialize)]
struct Contents {
    schema: String,
    #[serde(flatten)]
    files: StatusFiles,
    #[serde(flatten)]
    noted: Noted,
}

/// A manifest of the former version.
#[derive(Deserialize)]
struct FormerContents {
    base: Named,
    delta: Option<Named>,
    #[serde(flatten)]
    noted: Noted,
}

#[derive(Deserialize)]
struct Named {
    file: String,
}

/// Identity of a manifest file, found without reading it: device, inode, time of modification and size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FileIdentity(u64, u64, i64, i64, u64);

impl FileIdentity {
    pub(super) fn of(metadata: &std::fs::Metadata) -> Self {
        Self(metadata.dev(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.size())
    }
}

/// Bound of the octets that are read of a manifest, 64 KiB. A manifest has less than a thousand octets.
const LARGEST: u64 = 64 << 10;

impl FilePart {
    /// Opens the file.
    ///
    /// # Errors
    /// [`StatusError::Incomplete`] when it is missing or shorter than it should be, as while it is being copied.
    pub(super) fn open(&self, directory: &Path) -> Result<File, StatusError> {
        let path = directory.join(&self.file);
        let file = open_file(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => StatusError::Incomplete(path.clone()),
            _ => failed(&path, &error),
        })?;
        let length = file.metadata().map_err(|error| failed(&path, &error))?.len();
        if length < self.length { Err(StatusError::Incomplete(path)) } else { Ok(file) }
    }

    /// Returns whether the file has these octets.
    pub(super) fn is_of(&self, octets: &[u8]) -> bool {
        u64::try_from(octets.len()) == Ok(self.length) && hex(&sha256(octets)) == self.sha256
    }

    /// The length of the file; `None` when it is not there.
    fn found(&self, directory: &Path) -> Option<u64> {
        let metadata = std::fs::metadata(directory.join(&self.file)).ok()?;
        metadata.is_file().then_some(metadata.len())
    }
}

impl StatusFiles {
    pub(super) fn all(&self) -> impl Iterator<Item = &FilePart> {
        [&self.authorities, &self.base].into_iter().chain(&self.delta)
    }

    /// Returns whether the files are there and have their lengths. A delta may be longer.
    pub(super) fn are_there(&self, directory: &Path) -> bool {
        [&self.authorities, &self.base].iter().all(|part| part.found(directory) == Some(part.length))
            && self.delta.iter().all(|part| part.found(directory) >= Some(part.length))
    }
}

impl StatusManifest {
    /// The name of the file.
    pub(super) const FILE: &str = "manifest.json";

    pub(super) fn new(files: StatusFiles, change: u64, head: Head, now: UnixTime) -> Self {
        let audit = Checkpoint { sequence: head.sequence, digest: hex(&head.digest) };
        let noted = Noted { change, time: now.to_string(), confirmed: true, audit };
        Self::of(files, noted)
    }

    fn of(files: StatusFiles, noted: Noted) -> Self {
        let names = files.all().map(|part| part.file.clone()).collect();
        Self { files: Some(files), noted, names }
    }

    /// The files; `None` in a manifest of the former version.
    pub(super) fn files(&self) -> Option<&StatusFiles> {
        self.files.as_ref()
    }

    /// The change number of the files.
    pub(super) fn change(&self) -> u64 {
        self.noted.change
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
        let mut octets = Vec::new();
        file.take(LARGEST).read_to_end(&mut octets).map_err(|error| failed(&path, &error))?;
        let manifest = Self::parse(&octets).map_err(|error| match error {
            StoreError::Damaged(reason) => StoreError::Damaged(format!("{}: {reason}", path.shown())),
            error => error,
        })?;
        Ok(Some((manifest, FileIdentity::of(&metadata))))
    }

    /// Reads the octets of a manifest.
    pub(super) fn parse(octets: &[u8]) -> Result<Self, StoreError> {
        let damaged = |reason: String| StoreError::Damaged(reason);
        let value: serde_json::Value =
            serde_json::from_slice(octets).map_err(|error| damaged(error.to_string()))?;
        let schema = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default();
        let manifest = match schema.strip_prefix(SCHEMA).and_then(|version| version.parse().ok()) {
            Some(VERSION) => {
                let contents: Contents =
                    serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
                Self::of(contents.files, contents.noted)
            }
            Some(FORMER) => {
                let contents: FormerContents =
                    serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
                let names = std::iter::once(contents.base).chain(contents.delta).map(|part| part.file);
                Self { files: None, noted: contents.noted, names: names.collect() }
            }
            Some(found) => return Err(StoreError::Schema { found, known: VERSION }),
            None => return Err(damaged("it is not a status manifest".to_owned())),
        };
        let is_elsewhere = |name: &String| name.is_empty() || name.contains('/') || name.starts_with('.');
        if manifest.names.iter().any(is_elsewhere) {
            return Err(damaged("it names a file elsewhere".to_owned()));
        }
        Ok(manifest)
    }

    /// Returns the octets of the manifest; `None` for the former version, which is not written.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let (files, noted) = (self.files.clone()?, self.noted.clone());
        let contents = Contents { schema: format!("{SCHEMA}{VERSION}"), files, noted };
        let mut octets = serde_json::to_vec_pretty(&contents).ok()?;
        octets.push(b'\n');
        Some(octets)
    }

    /// Writes the manifest under a temporary name.
    pub(super) fn write(&self, directory: &Path) -> Result<Aside, StatusError> {
        let octets = self.encode().ok_or_else(|| StoreError::Backend("manifest.json".to_owned()))?;
        let path = directory.join(Self::FILE);
        Ok(Aside::fill(&path, Mode::Public, |file| file.write_all(&octets))?)
    }

    /// Returns when the status was last confirmed.
    pub(super) fn time(&self) -> Result<UnixTime, StatusError> {
        UnixTime::parse(&self.noted.time).ok_or_else(|| {
            let fault = format!("manifest.json: `{}` is not a time", self.noted.time);
            StatusError::Store(StoreError::Damaged(fault))
        })
    }

    /// Returns when the status was last confirmed, if the clock was trusted.
    pub(super) fn confirmed(&self) -> Option<UnixTime> {
        UnixTime::parse(&self.noted.time).filter(|_| self.noted.confirmed)
    }

    /// Returns the sequence number of the audit record in the manifest.
    pub(super) fn noted(&self) -> u64 {
        self.noted.audit.sequence
    }

    /// Returns the audit record in the manifest; `None` when its digest cannot be read.
    pub(super) fn head(&self) -> Option<Head> {
        let octets = base16ct::mixed::decode_vec(&self.noted.audit.digest).ok()?;
        Some(Head { sequence: self.noted.audit.sequence, digest: octets.try_into().ok()? })
    }

    /// Returns whether the audit record in the manifest is this one.
    pub(super) fn continues(&self, head: &Head) -> bool {
        self.noted.audit.sequence == head.sequence && self.noted.audit.digest == hex(&head.digest)
    }

    /// Returns whether the manifest names a file.
    pub(super) fn names(&self, file: &str) -> bool {
        self.names.iter().any(|name| name == file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> StatusManifest {
        let part = |file: &str| FilePart { file: file.into(), length: 5, sha256: "00".repeat(32) };
        let files = StatusFiles { authorities: part("a"), base: part("b"), delta: Some(part("d")) };
        StatusManifest::new(files, 3, Head { sequence: 7, digest: [0x0f; 32] }, UnixTime(0))
    }

    #[test]
    fn a_digest_with_a_sign_is_no_audit_record() {
        let mut manifest = manifest();
        assert_eq!(manifest.head().map(|head| head.digest), Some([0x0f; 32]));
        manifest.noted.audit.digest = format!("+f{}", "0f".repeat(31));
        assert!(manifest.head().is_none());
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let written = manifest();
        assert_eq!(StatusManifest::parse(&written.encode().unwrap()).unwrap(), written);
        assert!(written.names("d") && !written.names("e"));
    }

    #[test]
    fn a_former_manifest_tells_what_it_notes_and_has_no_files() {
        let text = r#"{"schema": "genfic-ca-status/1", "change": 4, "time": "2026-01-02T03:04:05Z",
            "base": {"file": "base-1.db", "sha256": "", "change": 1, "rows": 1}, "delta": null,
            "audit": {"sequence": 2, "digest": "00"}}"#;
        let manifest = StatusManifest::parse(text.as_bytes()).unwrap();
        assert_eq!((manifest.files(), manifest.change(), manifest.noted()), (None, 4, 2));
        assert!(manifest.names("base-1.db") && manifest.confirmed().is_none() && manifest.encode().is_none());
    }
}
