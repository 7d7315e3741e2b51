//! The files of a retired CA: moved to the name that it has on record, and its responder's key removed.
use super::PublishError;
use crate::failpoint;
use crate::home::{AuthorityName, Home, PublicFile, WriteError, sync_directory};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Moves the files of a CA to another name. What is moved already stays; returns whether there was anything to move.
pub(super) fn move_authority(
    home: &Home,
    from: &AuthorityName,
    to: &AuthorityName,
) -> Result<bool, PublishError> {
    let mut moved = false;
    for file in PublicFile::ALL {
        moved |= move_file(&home.public_file(from, file), &home.public_file(to, file))?;
    }
    for (old, new) in [
        (home.issued_directory(from), home.issued_directory(to)),
        (home.ocsp_directory(from), home.ocsp_directory(to)),
    ] {
        if !old.is_dir() {
            continue;
        }
        home.create_authority(to)?;
        for entry in fs::read_dir(&old).map_err(|source| failed(&old, source))? {
            let entry = entry.map_err(|source| failed(&old, source))?;
            move_file(&entry.path(), &new.join(entry.file_name()))?;
        }
        fs::remove_dir(&old).map_err(|source| failed(&old, source))?;
        failpoint::passed("retired: directory removed");
        moved = true;
    }
    for directory in [home.public_directory(), home.issued_root(), home.responders_directory()] {
        if moved {
            sync_directory(&directory)?;
        }
    }
    Ok(moved)
}

/// Removes the responder certificates and keys of a CA; returns whether there were any.
pub(super) fn remove_responder(home: &Home, name: &AuthorityName) -> Result<bool, PublishError> {
    let directory = home.ocsp_directory(name);
    let mut removed = false;
    // a certificate goes before its key: whoever finds the certificate looks for the key beside it
    for ending in ["pem", "key"] {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|found| found == ending) {
                fs::remove_file(&path).map_err(|source| failed(&path, source))?;
                failpoint::passed("retired: responder removed");
                removed = true;
            }
        }
    }
    if removed {
        sync_directory(&directory)?;
    }
    Ok(removed)
}

fn move_file(from: &Path, to: &Path) -> Result<bool, PublishError> {
    match fs::rename(from, to) {
        Ok(()) => {
            failpoint::passed("retired: file moved");
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(from, error)),
    }
}

fn failed(path: &Path, source: io::Error) -> PublishError {
    WriteError { path: path.to_owned(), source }.into()
}
