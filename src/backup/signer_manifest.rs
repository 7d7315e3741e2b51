//! `manifest.json` of a backup of the signer: which of its files are in it, and up to where its journal goes.
use super::manifest::{FileEntry, Record, check_size, read};
use crate::error::{Code, Problem, Reason, Shown as _};
use crate::home::AuthorityName;
use crate::signer::JOURNAL;
use crate::signing::KeyFile;
use crate::x509::UnixTime;
use crate::x509::extension::CrlNumber;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

const FORMAT: &str = "genfic-signer-backup/";
const VERSION: u64 = 1;
/// Endings of files beside a key, besides its mark.
const BESIDE: [&str; 5] = [".envelope.toml", ".pem", ".shares.toml", ".bound.toml", ".accepted"];

/// The contents of a backup of the signer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SignerManifest {
    format: String,
    /// The version of the program that made it.
    pub program: String,
    /// When it was made, RFC 3339.
    pub created: String,
    /// The newest entry of the journal, and the digest of its group.
    pub journal: Record,
    /// The keys, with the numbers in their marks.
    pub keys: Vec<SignerKeyEntry>,
    /// Every file, in the order of the archive.
    pub files: Vec<FileEntry>,
}

/// A key of the signer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SignerKeyEntry {
    /// Its name: that of its CA.
    pub name: String,
    /// The highest CRL number used with it.
    pub highest_crl: Option<CrlNumber>,
}

/// Returns whether this is the name of a file of the signer that belongs into a backup. What is derived from others, or
/// half written, does not.
pub(super) fn is_kept(name: &str) -> bool {
    let beside = || BESIDE.iter().find_map(|ending| name.strip_suffix(ending));
    name == JOURNAL
        || name.parse::<KeyFile>().is_ok()
        || beside().is_some_and(|stem| stem.parse::<AuthorityName>().is_ok())
}

impl SignerManifest {
    pub(super) fn new(
        created: UnixTime,
        journal: Record,
        keys: Vec<SignerKeyEntry>,
        files: Vec<FileEntry>,
    ) -> Self {
        let program = env!("CARGO_PKG_VERSION").into();
        Self {
            format: format!("{FORMAT}{VERSION}"),
            program,
            created: created.to_string(),
            journal,
            keys,
            files,
        }
    }

    /// Reads a manifest, and checks that it names only files that a signer has, each once.
    pub(super) fn parse(octets: &[u8], archive: &Path) -> Result<Self, Problem> {
        read(octets, archive, Self::is_known, Self::check)
    }

    fn is_known(format: &str, archive: &Path) -> Result<(), Problem> {
        if format == format!("{FORMAT}{VERSION}") {
            return Ok(());
        }
        let message =
            format!("{} is `{format}`, and no backup of a signer that this program knows", archive.shown());
        Err(Problem::new(Code::BackupFormat, message)
            .hint("a backup of a home is verified and restored as one"))
    }

    fn check(&self) -> Result<(), Reason> {
        let mut seen = BTreeSet::new();
        for file in &self.files {
            if !is_kept(&file.path) {
                return Err(format!("`{}` is no file of a signer", file.path).into());
            }
            check_size(file, file.path == JOURNAL)?;
            if !seen.insert(&file.path) {
                return Err(format!("{} is named twice", file.path).into());
            }
        }
        if !seen.iter().any(|path| *path == JOURNAL) {
            return Err("there is no journal".into());
        }
        self.created().map(drop).ok_or_else(|| format!("`{}` is not a time", self.created).into())
    }

    /// Returns when it was made.
    pub(super) fn created(&self) -> Option<UnixTime> {
        UnixTime::parse(&self.created)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_signer_are_kept_and_nothing_else() {
        for name in
            ["journal", "a.age", "a.mark", "a.envelope.toml", "a-0123456789abcdef.pem", "a.shares.toml"]
        {
            assert!(is_kept(name), "{name}");
        }
        let digest = "0123456789abcdef".repeat(4);
        assert!(is_kept(&format!("{digest}.bound.toml")) && is_kept(&format!("{digest}.accepted")));
        for name in [
            "",
            "record.db",
            "record.db-wal",
            "a.coming",
            "a.ready",
            "../a.age",
            "a/b.pem",
            ".new-x",
            "a",
            ".pem",
            "journal.x",
        ] {
            assert!(!is_kept(name), "{name}");
        }
    }

    #[test]
    fn a_manifest_that_names_what_is_none_of_a_signers_is_refused() {
        let file = |path: &str| FileEntry { path: path.into(), size: 1, sha256: String::new() };
        let of = |files: Vec<FileEntry>| {
            let record = Record { sequence: 1, digest: String::new() };
            SignerManifest::new(UnixTime(0), record, Vec::new(), files)
        };
        let read = |manifest: &SignerManifest| {
            SignerManifest::parse(&serde_json::to_vec(manifest).unwrap(), Path::new("b.age"))
        };
        let whole = of(vec![file("a.age"), file("journal")]);
        assert_eq!(read(&whole).unwrap(), whole);
        for files in
            [vec![file("a.age")], vec![file("journal"), file("../x")], vec![file("journal"), file("journal")]]
        {
            assert_eq!(read(&of(files)).unwrap_err().code, Code::BackupDamaged);
        }
        let other = SignerManifest { format: "genfic-ca-backup/3".into(), ..whole };
        assert_eq!(read(&other).unwrap_err().code, Code::BackupFormat);
    }
}
