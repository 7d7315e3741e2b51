//! Where the daemon writes: its log files, and the directories of its Unix sockets.
use crate::config::{ListenAddress, LogConfig, LogTarget};
use crate::error::Shown as _;
use rustix::fs::{Access, access};
use std::io::ErrorKind;
use std::path::Path;

/// Returns whether the user of this process may write a file, or make files in a directory.
pub(super) fn may_write(path: &Path) -> bool {
    let how = if path.is_dir() { Access::WRITE_OK | Access::EXEC_OK } else { Access::WRITE_OK };
    access(path, how).is_ok()
}

/// Returns why the daemon could not start with these logs and addresses, one sentence each. `may_write` judges a log
/// file that is there, and a directory.
pub(super) fn unusable_places(
    log: &LogConfig,
    listen: &[ListenAddress],
    may_write: &dyn Fn(&Path) -> bool,
) -> Vec<String> {
    let targets = [Some(&log.target), log.access.as_ref()].into_iter().flatten();
    let logs = targets.filter_map(|target| match target {
        LogTarget::File(path) => unusable_log(path, may_write),
        LogTarget::Stderr => None,
    });
    let sockets = listen.iter().filter_map(|address| match address {
        ListenAddress::Unix(path) => {
            let why = unusable_directory(path, may_write)?;
            Some(format!("{address} cannot be listened on: {why}"))
        }
        ListenAddress::Tcp(_) => None,
    });
    logs.chain(sockets).collect()
}

fn unusable_log(path: &Path, may_write: &dyn Fn(&Path) -> bool) -> Option<String> {
    let why = match path.metadata() {
        Ok(metadata) if !metadata.is_file() => "it is not a regular file".to_owned(),
        Ok(_) if may_write(path) => return None,
        Ok(_) => "no right to write it".to_owned(),
        Err(_) => unusable_directory(path, may_write)?,
    };
    Some(format!("the log {} cannot be written: {why}", path.shown()))
}

/// Returns why nothing can be made in the directory of a path.
fn unusable_directory(path: &Path, may_write: &dyn Fn(&Path) -> bool) -> Option<String> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = parent.unwrap_or(Path::new("."));
    let why = match directory.metadata() {
        Ok(metadata) if !metadata.is_dir() => "is no directory".to_owned(),
        Err(error) if error.kind() != ErrorKind::PermissionDenied => format!("is no directory: {error}"),
        _ if may_write(directory) => return None,
        _ => "may not be written".to_owned(),
    };
    Some(format!("{} {why}", directory.shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(target: &Path, socket: &Path, may_write: &dyn Fn(&Path) -> bool) -> Vec<String> {
        let log = LogConfig { target: LogTarget::File(target.into()), ..LogConfig::default() };
        unusable_places(&log, &[ListenAddress::Unix(socket.into())], may_write)
    }

    #[test]
    fn a_log_and_a_socket_need_a_directory_and_a_log_is_a_regular_file() {
        let directory = tempfile::tempdir().unwrap();
        let (at, file) = (directory.path(), directory.path().join("file"));
        std::fs::write(&file, "").unwrap();
        assert!(places(&at.join("d.log"), &at.join("o.sock"), &may_write).is_empty());
        assert!(places(&file, &at.join("o.sock"), &may_write).is_empty());
        let missing = places(&at.join("none/d.log"), &at.join("none/o.sock"), &|_| true);
        assert_eq!(missing.len(), 2, "{missing:?}");
        assert!(missing.iter().all(|why| why.contains("/none is no directory: ")), "{missing:?}");
        let wrong = places(at, &file.join("o.sock"), &|_| true);
        assert!(wrong[0].ends_with("it is not a regular file"), "{wrong:?}");
        assert!(wrong[1].contains("/file is no directory"), "{wrong:?}");
    }

    #[test]
    fn a_log_and_the_directories_must_be_such_as_may_be_written() {
        let directory = tempfile::tempdir().unwrap();
        let (log, socket) = (directory.path().join("d.log"), directory.path().join("o.sock"));
        let refused = places(&log, &socket, &|_| false);
        assert_eq!(refused.len(), 2, "{refused:?}");
        assert!(refused.iter().all(|why| why.ends_with(" may not be written")), "{refused:?}");
        std::fs::write(&log, "").unwrap();
        assert_eq!(places(&log, &socket, &|path| path != log).len(), 1);
        assert!(!may_write(Path::new("/nonexistent")));
    }
}
