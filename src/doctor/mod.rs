//! Examination of a home, and repair of what can be repaired without asking.
//!
//! Each check has a file. A check reports what it could not check and why, and a fault that one check finds keeps no
//! other from running. Checks only read. [`mend_files`] and [`mend_records`] make repairs that are safe, need
//! nobody's decision and cannot make a revoked certificate valid.
mod authorities;
mod clock;
mod code;
mod compromised;
mod due;
mod external_crls;
mod finding;
mod issued;
mod keys;
mod lists;
mod looked;
mod mend;
mod online;
mod permissions;
mod policy;
mod public;
mod records;
mod responders;
mod space;
mod statuses;

pub use code::FindingCode;
pub use due::{Due, due};
pub use finding::{Consequence, Finding, Severity};
pub use looked::{Seen, Unseen};
pub use mend::{Mended, Unmended};
pub(crate) use mend::{mend_files, mend_records};
pub use online::check_online;
pub use space::Space;

use looked::Looked;

use crate::ca::Hierarchy;
use crate::config::Config;
use crate::error::Problem;
use crate::home::{AuthorityName, Home};
use crate::index::{Authority, StoredIndex};
use crate::ocsp::responder_files::ResponderFiles;
use crate::profile::Profiles;
use crate::repository::Publisher;
use crate::signing::CaKeys;
use crate::x509::{Certificate, UnixTime};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A file that could not be read, or whose contents are invalid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unread {
    /// The file.
    pub file: PathBuf,
    /// The reason.
    pub fault: String,
    /// Whether the file is missing.
    pub is_missing: bool,
}

/// The objects of an examination, as far as they could be opened.
pub struct Examination<'a> {
    /// The home.
    pub home: &'a Home,
    /// Free space before anything was opened.
    pub space: &'a Space,
    /// An error when the home belongs to another user.
    pub owner: Result<(), Problem>,
    /// The configuration, or all of its mistakes.
    pub config: Result<&'a Config, &'a [Unread]>,
    /// The profiles, or all of their mistakes.
    pub profiles: Result<&'a Profiles, &'a [Unread]>,
    /// Path of the index.
    pub index_file: &'a Path,
    /// The index.
    pub index: Result<&'a dyn StoredIndex, &'a Problem>,
    /// The CA keys, with the passphrases that are available without asking a user.
    pub keys: &'a dyn CaKeys,
    /// The files published for relying parties.
    pub publisher: &'a dyn Publisher,
    /// The status published for responders.
    pub status: &'a dyn crate::status::StatusPublisher,
    /// The responders' certificates and keys.
    pub responders: &'a ResponderFiles,
    /// SHA-256 digests of the SubjectPublicKeyInfo of compromised keys, from the configured list.
    pub compromised_keys: &'a HashSet<[u8; 32]>,
    /// The current time.
    pub now: UnixTime,
    /// Whether every signature and file is compared, however many there are.
    pub deep: bool,
}

/// One check with its result.
#[derive(Debug)]
pub struct Check {
    /// Its name, for example `crl`.
    pub name: &'static str,
    /// The scope of the check, or why it was not possible.
    pub looked: Result<Seen, Unseen>,
    /// The findings, the most severe first.
    pub findings: Vec<Finding>,
}

type CheckFn = fn(&Examination<'_>, &mut Vec<Finding>) -> Looked;

/// The checks, in the order in which they are reported.
const CHECKS: [(&str, CheckFn); 13] = [
    ("home", permissions::check),
    ("space", space::check),
    ("policy", policy::check),
    ("index", records::check_index),
    ("audit", records::check_audit),
    ("certificates", records::check_certificates),
    ("clock", clock::check),
    ("keys", keys::check),
    ("authorities", authorities::check),
    ("public", public::check),
    ("crl", lists::check),
    ("status", statuses::check),
    ("responder", responders::check),
];

/// Checks that run twice when they find something, since a command may have recorded what it is about to publish.
const MOVING: [&str; 4] = ["public", "crl", "status", "responder"];
/// Pause before the second run: the time that a command takes from its record to its files.
const PAUSE: Duration = Duration::from_millis(300);

/// Runs every check.
#[must_use]
pub fn diagnose(examination: &Examination<'_>) -> Vec<Check> {
    let run = |(name, check): &(&'static str, CheckFn)| {
        let mut findings = Vec::new();
        let mut looked = check(examination, &mut findings);
        if !findings.is_empty() && MOVING.contains(name) {
            std::thread::sleep(PAUSE);
            findings.clear();
            looked = check(examination, &mut findings);
        }
        if examination.owner.is_err() {
            findings.iter_mut().for_each(|finding| finding.mending = None);
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings.dedup();
        Check { name, looked, findings }
    };
    let mut checks: Vec<Check> = CHECKS.iter().map(run).collect();
    if checks.iter().flat_map(|check| &check.findings).any(|one| mend::OLDER_COPY.contains(&one.code)) {
        keep_what_may_be_known(examination.home, &mut checks);
    }
    for check in &mut checks {
        check.findings = finding::shortened(std::mem::take(&mut check.findings));
    }
    checks
}

/// Removes findings about unknown files of CAs. An index that is an older copy may not know a file that belongs to a
/// CA, so nobody is advised to remove one.
fn keep_what_may_be_known(home: &Home, checks: &mut [Check]) {
    let directories = [home.keys_directory(), home.public_directory(), home.directory().join("issued")];
    let may_be_known = |finding: &Finding| {
        finding.code == FindingCode::HomeUnknownFile
            && directories.iter().any(|one| Path::new(&finding.object).starts_with(one))
    };
    for check in checks {
        check.findings.retain(|finding| !may_be_known(finding));
    }
}

impl<'a> Examination<'a> {
    /// Returns the index, or why a check that needs it does not run.
    fn index(&self) -> Result<&'a dyn StoredIndex, Unseen> {
        self.index.map_err(|problem| Unseen::NoIndex(problem.clone()))
    }

    /// Returns the issuer paths of the CAs and their states.
    fn hierarchy(&self) -> Result<Hierarchy<'a>, Unseen> {
        Ok(Hierarchy::over(self.index()?))
    }

    /// Returns the CAs on record.
    fn authorities(&self) -> Result<Vec<Authority>, Unseen> {
        self.index()?.authorities().map_err(Unseen::Authorities)
    }

    /// Returns the names of the CAs, without those that cannot be file names.
    fn names(&self) -> Option<Vec<AuthorityName>> {
        let authorities = self.authorities().ok()?;
        Some(authorities.iter().filter_map(|authority| authority.name.parse().ok()).collect())
    }

    /// Returns the configuration, or the defaults when it cannot be read.
    fn settings(&self) -> Config {
        self.config.cloned().unwrap_or_default()
    }
}

/// Returns an error when a directory contains anything but regular files: reading could block, or follow a link out
/// of the home. The check of owners and modes reports the object.
fn only_files(directory: &std::path::Path) -> Result<(), Unseen> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    match entries.map(|entry| entry.path()).find(|path| !is_plain(path)) {
        Some(path) => Err(Unseen::NotAFile(path)),
        None => Ok(()),
    }
}

fn is_plain(path: &std::path::Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
}

fn certificates(authorities: &[Arc<Authority>]) -> Vec<Certificate> {
    authorities.iter().map(|authority| authority.certificate.clone()).collect()
}

/// Returns a number with its noun in the singular or plural.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
