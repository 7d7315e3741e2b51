//! Directories that interrupted commands left behind.
use super::place::prefix;
use super::workplace::left_in;
use crate::home::Home;
use std::io;
use std::path::{Path, PathBuf};

/// Prefix of the directories within the home in which a backup is made or verified.
pub(super) const WITHIN_HOME: &str = ".backup-";

/// Returns such directories within the home and beside it that no process has locked.
#[must_use]
pub(crate) fn left_behind(home: &Home) -> Vec<PathBuf> {
    places(home)
        .into_iter()
        .flat_map(|(within, prefix)| left_in(&within, &prefix))
        .map(|(_, path)| path)
        .collect()
}

/// Removes such a directory, unless a process has locked it.
///
/// # Errors
/// `WouldBlock` when a process has locked it; others when it cannot be removed.
pub(crate) fn remove_left(path: &Path) -> io::Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let found = left_in(path.parent().unwrap_or(Path::new(".")), &name);
    match found.iter().find(|(_, one)| one == path) {
        Some((_lock, path)) => std::fs::remove_dir_all(path),
        None if path.symlink_metadata().is_err() => Ok(()),
        None => Err(io::ErrorKind::WouldBlock.into()),
    }
}

fn places(home: &Home) -> Vec<(PathBuf, String)> {
    let mut places = vec![(home.directory().to_owned(), WITHIN_HOME.to_owned())];
    for restored in [home.directory(), home.configuration_directory()] {
        let Ok(target) = std::path::absolute(restored) else { continue };
        let prefix = prefix(&target);
        places.extend(target.parent().map(|parent| (parent.to_owned(), prefix.clone())));
        places.push((target, prefix));
    }
    places.dedup();
    places.sort();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::super::workplace::Workplace;
    use super::*;
    use std::fs;

    #[test]
    fn what_was_left_in_and_beside_a_home_is_found_and_removed_unless_it_is_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        assert_eq!(left_behind(&home), Vec::<PathBuf>::new());
        let within = home.directory().join(".backup-left");
        let beside = directory.path().join(".home.restoring-left");
        for path in [&within, &beside] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("index.db"), "x").unwrap();
        }
        let in_use = Workplace::new(home.directory(), ".backup-").unwrap();
        assert_eq!(left_behind(&home), vec![beside.clone()], "a new one removes those of its kind");
        fs::create_dir(&within).unwrap();
        let mut found = left_behind(&home);
        found.sort();
        assert_eq!(found, [beside.clone(), within.clone()]);
        remove_left(in_use.path()).unwrap_err();
        [&within, &beside].into_iter().for_each(|path| remove_left(path).unwrap());
        assert!(!within.exists() && !beside.exists() && in_use.path().exists());
    }
}
