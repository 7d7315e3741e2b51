//! Room on the file systems of the home.
use super::finding::{Finding, Severity};
use super::{Examination, Looked};
use crate::home::quoted;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

/// With less, nothing can be relied upon to be written.
const SCARCE: u64 = 8 << 20;
/// With less, a large CRL or status file may not fit.
const LITTLE: u64 = 64 << 20;
/// With fewer free files, new ones soon cannot be made.
const FEW_FILES: u64 = 200;

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let home = examination.home;
    let mut seen = BTreeSet::new();
    let mut least = u64::MAX;
    let public = [home.status_directory(), home.public_directory(), home.keys_directory()];
    for path in [home.directory().to_owned()].into_iter().chain(public) {
        let Ok(metadata) = path.metadata() else { continue };
        if !seen.insert(metadata.dev()) {
            continue;
        }
        let Ok(system) = rustix::fs::statvfs(&path) else { continue };
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        least = least.min(free);
        let files = if system.f_files == 0 { u64::MAX } else { system.f_favail };
        let object = path.display().to_string();
        if let Some(severity) = judged(free, files) {
            let left = format!("is on a file system with {} MiB and {files} files free", free >> 20);
            let remedy = format!("df -h {0}; df -i {0}", quoted(&path));
            findings.push(Finding::of(severity, "space.low", object, left).remedy(remedy));
        }
    }
    if seen.is_empty() {
        return Err("no file system could be asked".into());
    }
    Ok(format!("{} MiB free", least >> 20))
}

fn judged(free: u64, files: u64) -> Option<Severity> {
    if free < SCARCE || files == 0 {
        Some(Severity::Error)
    } else if free < LITTLE || files < FEW_FILES {
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
        assert_eq!(judged(LITTLE, u64::MAX), None);
        assert_eq!(judged(LITTLE - 1, u64::MAX), Some(Severity::Warning));
        assert_eq!(judged(LITTLE, FEW_FILES - 1), Some(Severity::Warning));
        assert_eq!(judged(SCARCE - 1, u64::MAX), Some(Severity::Error));
        assert_eq!(judged(u64::MAX, 0), Some(Severity::Error));
    }
}
