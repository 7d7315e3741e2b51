//! Checks of the free space on the file systems of the home, and of the reserve for revoking.
use super::finding::{Finding, Mending, Severity};
use super::{Examination, FindingCode, Looked, Unseen};
use crate::error::{Shown as _, remedy};
use crate::home::{Home, ReserveFile, quoted};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Free octets below which no write can be relied upon.
const SCARCE: u64 = 8 << 20;
/// Free octets below which a large CRL or status file may not fit.
const LITTLE: u64 = 64 << 20;
/// Number of free inodes below which new files will soon be impossible.
const FEW_FILES: u64 = 200;

/// Free space before anything was opened, since a command on a full disk releases the reserve.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Space {
    systems: Vec<System>,
    /// Sizes of the file `reserve` in octets: required and actual.
    wanted: u64,
    kept: u64,
}

/// A file system that contains the home or a part of it.
#[derive(Clone, Debug, Eq, PartialEq)]
struct System {
    path: PathBuf,
    /// Free space in octets.
    free: u64,
    /// Number of files that can be created.
    files: u64,
}

impl Space {
    /// Measures the file systems of a home.
    #[must_use]
    pub fn of(home: &Home) -> Self {
        let parts = [home.status_directory(), home.public_directory(), home.keys_directory()];
        let mut seen = BTreeSet::new();
        let mut systems = Vec::new();
        for path in [home.directory().to_owned()].into_iter().chain(parts) {
            let Ok(metadata) = path.metadata() else { continue };
            if !seen.insert(metadata.dev()) {
                continue;
            }
            let Ok(system) = rustix::fs::statvfs(&path) else { continue };
            let free = system.f_bavail.saturating_mul(system.f_frsize);
            let files = if system.f_files == 0 { u64::MAX } else { system.f_favail };
            systems.push(System { path, free, files });
        }
        let reserve = ReserveFile::of(home);
        Self { systems, wanted: reserve.size(), kept: reserve.kept() }
    }
}

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let space = examination.space;
    for system in &space.systems {
        let System { path, free, files } = system;
        if let Some(severity) = judged(*free, *files, space.wanted) {
            let files = if *files == u64::MAX { String::new() } else { format!(" and {files} files") };
            let left = format!("is on a file system with {} MiB{files} free", free >> 20);
            let remedy = format!("df -h {0}; df -i {0}", quoted(path));
            findings.push(
                Finding::of(severity, FindingCode::SpaceLow, path.shown().to_string(), left).remedy(remedy),
            );
        }
    }
    if space.kept < space.wanted && examination.home.has_index() {
        findings.push(reserve(examination));
    }
    let Some(least) = space.systems.iter().map(|system| system.free).min() else {
        return Err(Unseen::NoFileSystem);
    };
    Ok(format!("{} MiB free, {} MiB kept for revoking", least >> 20, space.kept >> 20).into())
}

fn reserve(examination: &Examination<'_>) -> Finding {
    let space = examination.space;
    let has_room = space.systems.first().is_none_or(|system| {
        let needed =
            space.wanted.saturating_sub(space.kept).saturating_add(ReserveFile::to_issue(space.wanted));
        system.free >= needed
    });
    let message = format!(
        "keeps {} of the {} MiB that revoking may need on a full disk: nothing is issued without them",
        space.kept >> 20,
        space.wanted >> 20
    );
    let file = examination.home.reserve_file().shown().to_string();
    let remedy = if has_room { remedy::Repair::Fix } else { remedy::Repair::SpaceThenFix };
    Finding::warning(FindingCode::SpaceReserve, file, message).remedy(remedy).mending(Mending::ReserveFile)
}

/// Returns the severity of a shortage. `wanted` is the number of octets that revoking writes at most.
fn judged(free: u64, files: u64, wanted: u64) -> Option<Severity> {
    if free < SCARCE.max(ReserveFile::to_issue(wanted)) || files == 0 {
        Some(Severity::Error)
    } else if free < LITTLE.max(wanted) || files < FEW_FILES {
        Some(Severity::Warning)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_a_warning_and_none_an_error() {
        let small = SCARCE;
        assert_eq!(judged(LITTLE, u64::MAX, small), None);
        assert_eq!(judged(LITTLE - 1, u64::MAX, small), Some(Severity::Warning));
        assert_eq!(judged(LITTLE, FEW_FILES - 1, small), Some(Severity::Warning));
        assert_eq!(judged(SCARCE - 1, u64::MAX, small), Some(Severity::Error));
        assert_eq!(judged(u64::MAX, 0, small), Some(Severity::Error));
        let large = 10 * LITTLE;
        assert_eq!(judged(large - 1, u64::MAX, large), Some(Severity::Warning), "the lists are large");
        assert_eq!(judged(large / 4 - 1, u64::MAX, large), Some(Severity::Error), "nothing is issued");
    }
}
