//! `manifest.json`: contents and time of a backup.
use super::entry::ArchiveEntry;
use super::problems::damaged;
use crate::audit::Head;
use crate::error::{Code, Problem, Reason, Shown as _};
use crate::x509::UnixTime;
use crate::x509::extension::CrlNumber;
use base16ct::lower::encode_string as hex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

const FORMAT: &str = "genfic-ca-backup/";
/// Version of the format. Since 2, marks are `keys/NAME.mark` and requests are in `requests/`. Since 3, the signer's
/// journal and the envelopes of keys are in `keys/`.
const VERSION: u64 = 3;
const OLDEST: u64 = 1;
/// Bound of every file but the index, in octets; a CRL of ten million entries takes half of it.
const LARGEST_FILE: u64 = 1 << 30;
/// Bound of the index and of the signer's journal, in octets (4 TiB).
const LARGEST_INDEX: u64 = 1 << 42;

/// The contents of a backup.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BackupManifest {
    format: String,
    /// The version of the program that made it.
    pub program: String,
    /// Time at which the index was copied, RFC 3339.
    pub created: String,
    /// Change number of the index.
    pub change: u64,
    /// The newest audit record.
    pub audit: Record,
    /// Whether keys are included.
    pub with_keys: bool,
    /// The CAs on record.
    pub authorities: Vec<AuthorityEntry>,
    /// Every file, in the order of the archive.
    pub files: Vec<FileEntry>,
}

/// An audit record by its number and digest.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Record {
    /// Its sequence number.
    pub sequence: u64,
    /// Its digest, hexadecimal.
    pub digest: String,
}

/// A CA and its last CRL numbers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuthorityEntry {
    /// Name of the CA.
    pub name: String,
    /// SHA-256 over subject and key of the CA, hexadecimal.
    pub issuer: String,
    /// The highest CRL number used: on record, or in the mark beside the key.
    pub highest_crl: CrlNumber,
    /// The number of the CRL that was published last.
    pub last_crl: Option<CrlNumber>,
}

/// A file of the archive.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileEntry {
    /// Path in the archive.
    pub path: String,
    /// Its length in octets.
    pub size: u64,
    /// SHA-256 of its octets, hexadecimal.
    pub sha256: String,
}

impl BackupManifest {
    pub(super) const FILE: &str = "manifest.json";
    /// Bound of the manifest, in octets (64 MiB).
    pub(super) const LARGEST: u64 = 64 << 20;

    pub(super) fn new(
        created: UnixTime,
        change: u64,
        head: Head,
        with_keys: bool,
        authorities: Vec<AuthorityEntry>,
        files: Vec<FileEntry>,
    ) -> Self {
        Self {
            format: format!("{FORMAT}{VERSION}"),
            program: env!("CARGO_PKG_VERSION").into(),
            created: created.to_string(),
            change,
            audit: Record { sequence: head.sequence, digest: hex(&head.digest) },
            with_keys,
            authorities,
            files,
        }
    }

    /// Reads a manifest, and checks that it names only files that a backup may contain, one for
    /// each place.
    pub(super) fn parse(octets: &[u8], archive: &Path) -> Result<Self, Problem> {
        read(octets, archive, Self::is_known, Self::check)
    }

    fn is_known(format: &str, archive: &Path) -> Result<(), Problem> {
        match format.strip_prefix(FORMAT).and_then(|version| version.parse::<u64>().ok()) {
            Some(OLDEST..=VERSION) => Ok(()),
            Some(version) => {
                let message = format!(
                    "{} is a backup of format {version}, and this program knows {OLDEST} to {VERSION}",
                    archive.shown()
                );
                Err(Problem::new(Code::BackupFormat, message)
                    .hint("use the version of genfic-ca that made it, or a newer one"))
            }
            None => Err(malformed(archive, "it is not a backup's")),
        }
    }

    fn check(&self) -> Result<(), Reason> {
        let mut seen = BTreeMap::new();
        for file in &self.files {
            let entry = file.entry().ok_or_else(|| format!("`{}` has no place in a home", file.path))?;
            check_size(file, matches!(entry, ArchiveEntry::Index | ArchiveEntry::Journal))?;
            match seen.insert(entry.now().to_string(), &file.path) {
                None => {}
                Some(other) if *other == file.path => {
                    return Err(format!("{other} is named twice").into());
                }
                Some(other) => {
                    return Err(format!("{other} and {} have one place in a home", file.path).into());
                }
            }
        }
        if !self.files.iter().any(|file| file.entry() == Some(ArchiveEntry::Index)) {
            return Err("there is no index.db".into());
        }
        self.created().map(drop).ok_or_else(|| format!("`{}` is not a time", self.created).into())
    }

    /// Returns the time at which the index was copied.
    pub(super) fn created(&self) -> Option<UnixTime> {
        UnixTime::parse(&self.created)
    }

    /// Returns whether this is the newest audit record that the manifest names.
    pub(super) fn ends_with(&self, head: &Head) -> bool {
        self.audit.sequence == head.sequence && self.audit.digest == hex(&head.digest)
    }
}

/// Reads a manifest: its format, which has to be a known one, and what it names.
pub(super) fn read<M: DeserializeOwned>(
    octets: &[u8],
    archive: &Path,
    is_known: impl FnOnce(&str, &Path) -> Result<(), Problem>,
    check: impl FnOnce(&M) -> Result<(), Reason>,
) -> Result<M, Problem> {
    let value: serde_json::Value =
        serde_json::from_slice(octets).map_err(|error| malformed(archive, &error.to_string()))?;
    is_known(value.get("format").and_then(serde_json::Value::as_str).unwrap_or_default(), archive)?;
    let manifest = serde_json::from_value(value).map_err(|error| malformed(archive, &error.to_string()))?;
    check(&manifest).map_err(|reason| malformed(archive, &reason.to_string()))?;
    Ok(manifest)
}

fn malformed(archive: &Path, reason: &str) -> Problem {
    damaged(archive, format!("{}: {reason}", BackupManifest::FILE))
}

/// Returns an error for a file that is said to be larger than it can be.
pub(super) fn check_size(file: &FileEntry, is_large: bool) -> Result<(), Reason> {
    let largest = if is_large { LARGEST_INDEX } else { LARGEST_FILE };
    if file.size > largest {
        return Err(format!("{} is said to have {} octets", file.path, file.size).into());
    }
    Ok(())
}

impl FileEntry {
    pub(super) fn entry(&self) -> Option<ArchiveEntry> {
        self.path.parse().ok()
    }
}
