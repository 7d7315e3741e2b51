//! `manifest.json`: which files are the status, and of when.
use super::StatusError;
use super::failed;
use crate::audit::Head;
use crate::error::Shown as _;
use crate::home::{Aside, Mode, open_file};
use crate::index::StoreError;
use crate::x509::UnixTime;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const SCHEMA: &str = "genfic-ca-status/";
const VERSION: i64 = 1;

/// Names as they are compared; files without this word have issuers by the octets of their names.
const IDENTITY: &str = "compared-name";

/// The manifest's contents.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Manifest {
    schema: String,
    pub(super) base: Part,
    pub(super) delta: Option<Part>,
    /// The change number that the files are of.
    pub(super) change: u64,
    /// When it was last confirmed that nothing newer is to be published, RFC 3339.
    pub(super) time: String,
    /// Whether that is the time of a clock that was trusted; what earlier versions wrote does not say.
    #[serde(default)]
    confirmed: bool,
    /// The newest audit record of the index at that time: shows whether a later index continues this one.
    audit: Checkpoint,
    /// What issuers are identified by in the files.
    #[serde(default)]
    identity: String,
}

/// One file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Part {
    pub(super) file: String,
    /// Of the file's octets, hexadecimal.
    pub(super) sha256: String,
    pub(super) change: u64,
    pub(super) rows: u64,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Checkpoint {
    sequence: u64,
    digest: String,
}

/// Tells one manifest file from the next without reading it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FileIdentity(u64, u64, i64, i64, u64);

impl FileIdentity {
    pub(super) fn of(metadata: &std::fs::Metadata) -> Self {
        Self(metadata.dev(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.size())
    }
}

/// Octets that are read of a manifest; it has a few hundred.
const LARGEST: u64 = 64 << 10;

impl Manifest {
    /// The file's name.
    pub(super) const FILE: &str = "manifest.json";

    pub(super) fn new(base: Part, delta: Option<Part>, head: Head, now: UnixTime) -> Self {
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
        }
    }

    /// Whether its files identify issuers as the index does now; others are written anew.
    pub(super) fn compares_names(&self) -> bool {
        self.identity == IDENTITY
    }

    /// The manifest of a directory; `None` when nothing was published there.
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

    /// The file, not in place yet.
    pub(super) fn write(&self, directory: &Path) -> Result<Aside, StatusError> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| StatusError::Store(StoreError::Backend(format!("manifest.json: {error}"))))?;
        text.push('\n');
        let path = directory.join(Self::FILE);
        Ok(Aside::fill(&path, Mode::Public, |file| file.write_all(text.as_bytes()))?)
    }

    /// When it was last confirmed.
    pub(super) fn time(&self) -> Result<UnixTime, StatusError> {
        UnixTime::parse(&self.time).ok_or_else(|| {
            StatusError::Store(StoreError::Damaged(format!("manifest.json: `{}` is not a time", self.time)))
        })
    }

    /// The same, when the clock was trusted.
    pub(super) fn confirmed(&self) -> Option<UnixTime> {
        UnixTime::parse(&self.time).filter(|_| self.confirmed)
    }

    /// The sequence number of the audit record noted.
    pub(super) fn noted(&self) -> u64 {
        self.audit.sequence
    }

    /// The audit record noted; `None` when its digest cannot be read.
    pub(super) fn head(&self) -> Option<Head> {
        let digits = self.audit.digest.as_bytes();
        let octets: Option<Vec<u8>> = digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        Some(Head { sequence: self.audit.sequence, digest: octets?.try_into().ok()? })
    }

    /// Whether the audit record noted is this one.
    pub(super) fn continues(&self, head: &Head) -> bool {
        self.audit.sequence == head.sequence && self.audit.digest == hex(&head.digest)
    }

    /// Whether a file is part of it.
    pub(super) fn names(&self, file: &str) -> bool {
        self.base.file == file || self.delta.as_ref().is_some_and(|delta| delta.file == file)
    }
}

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
