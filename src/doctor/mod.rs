//! Looking for everything that is wrong with a home, and mending what can be mended without asking.
//!
//! A check a file. Each looks at what it can and says what it could not look at and why: nothing that is
//! wrong keeps another check from running. Checks only read; [`mend_files`] and [`mend_records`] do what is
//! safe, needs nobody's decision and cannot make anything that was revoked good again.
mod authorities;
mod clock;
mod code;
mod compromised;
mod finding;
mod issued;
mod keys;
mod lists;
mod looked;
mod mend;
mod places;
mod policy;
mod public;
mod records;
mod responders;
mod space;
mod statuses;

pub use code::FindingCode;
pub use finding::{Consequence, Finding, Severity};
pub use looked::{Seen, Unseen};
pub use mend::{Mended, Unmended};
pub(crate) use mend::{mend_files, mend_records};
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

/// A file that could not be read as what it should be, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unread {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub fault: String,
    /// Whether it is not there at all.
    pub is_missing: bool,
}

/// What is looked at, as far as it could be opened.
pub struct Examination<'a> {
    /// The home.
    pub home: &'a Home,
    /// How much room there was.
    pub space: &'a Space,
    /// Whether it is this user's.
    pub owner: Result<(), Problem>,
    /// The configuration, or every mistake in it.
    pub config: Result<&'a Config, &'a [Unread]>,
    /// The profiles, or every mistake in them.
    pub profiles: Result<&'a Profiles, &'a [Unread]>,
    /// Where the index is.
    pub index_file: &'a Path,
    /// The index.
    pub index: Result<&'a dyn StoredIndex, &'a Problem>,
    /// The keys, with passphrases that are at hand; no person is asked.
    pub keys: &'a dyn CaKeys,
    /// What is published for everybody.
    pub publisher: &'a dyn Publisher,
    /// What is published for responders.
    pub status: &'a dyn crate::status::StatusPublisher,
    /// The responders' certificates and keys.
    pub responders: &'a ResponderFiles,
    /// SHA-256 digests of the public keys that others have, by the list of them.
    pub compromised_keys: &'a HashSet<[u8; 32]>,
    /// The time.
    pub now: UnixTime,
    /// Whether every signature and every file is compared, however many there are.
    pub deep: bool,
}

/// One check that was run, or could not be.
#[derive(Debug)]
pub struct Check {
    /// Its name, for example `crl`.
    pub name: &'static str,
    /// What was looked at; or why nothing was.
    pub looked: Result<Seen, Unseen>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

type CheckFn = fn(&Examination<'_>, &mut Vec<Finding>) -> Looked;

/// The checks in the order in which they are told.
const CHECKS: [(&str, CheckFn); 13] = [
    ("home", places::check),
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

/// What a command at work has recorded and is about to publish is no finding: these look twice.
const MOVING: [&str; 4] = ["public", "crl", "status", "responder"];
/// As long as a command takes from its record to the files.
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

/// What an older copy of the index does not know of may be a CA's: nobody is told to take it away.
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
    /// The index, or why a check that needs it does not run.
    fn index(&self) -> Result<&'a dyn StoredIndex, Unseen> {
        self.index.map_err(|problem| Unseen::NoIndex(problem.clone()))
    }

    /// The paths above CAs, and how they stand.
    fn hierarchy(&self) -> Result<Hierarchy<'a>, Unseen> {
        Ok(Hierarchy::over(self.index()?))
    }

    /// The CAs on record.
    fn authorities(&self) -> Result<Vec<Authority>, Unseen> {
        self.index()?.authorities().map_err(Unseen::Authorities)
    }

    /// Their names, where they can be file names.
    fn names(&self) -> Option<Vec<AuthorityName>> {
        let authorities = self.authorities().ok()?;
        Some(authorities.iter().filter_map(|authority| authority.name.parse().ok()).collect())
    }

    /// The configuration, or the defaults where it cannot be read.
    fn settings(&self) -> Config {
        self.config.cloned().unwrap_or_default()
    }
}

/// Says no when there is something in a directory that reading could wait for without end, or that leads
/// elsewhere. The check of owners and modes tells it.
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

/// A number and what it counts.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
