//! File systems of a test's own: small ones, and ones that cannot be written.
use crate::support::{run, skipped};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set where mounts are the test's own.
const INSIDE: &str = "GENFIC_TEST_MOUNTS";

/// Runs the test of this name again where what it mounts is seen by nobody else and is gone with it. True
/// there; false outside, once it has passed there.
pub(crate) fn are_our_own(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let Some(how) = how() else {
        skipped("no mounts of its own: neither unshare -m nor unshare -rm is permitted");
        return false;
    };
    let output = Command::new("unshare")
        .args([how, "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "yes")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
    let ran = text[0].contains("1 passed");
    assert!(ran, "{}{}", text[0], text[1]);
    false
}

/// What gives a process mounts of its own, where the machine lets this user have them; many containers do not.
fn how() -> Option<&'static str> {
    let directory = tempfile::tempdir().unwrap();
    let mounts = |how: &str| {
        let words = [how, "--", "mount", "-t", "tmpfs", "genfic"];
        let mounted = Command::new("unshare").args(words).arg(directory.path()).output().unwrap();
        mounted.status.success()
    };
    ["-m", "-rm"].into_iter().find(|how| mounts(how))
}

/// A file system in memory.
pub(crate) struct Disk {
    path: PathBuf,
}

impl Disk {
    /// One of this size, in KiB, over this directory.
    pub(crate) fn over(path: &Path, size: u64) -> Self {
        let options = format!("size={size}k,mode=0755");
        let path_text = path.to_str().unwrap();
        run(path, &["mount", "-t", "tmpfs", "-o", &options, "genfic", path_text]).ok();
        Self { path: path.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is free, in octets.
    pub(super) fn free(&self) -> u64 {
        let status = statvfs(&self.path).unwrap();
        status.f_bavail * status.f_frsize
    }

    /// Fills it until this much is free.
    pub(super) fn fill(&self, left: u64) {
        let mut private = OpenOptions::new();
        let file = private.write(true).create_new(true).mode(0o600).open(self.path.join("filler")).unwrap();
        let size = self.free().saturating_sub(left);
        if size > 0 {
            fallocate(&file, FallocateFlags::empty(), 0, size).unwrap();
        }
    }

    /// Makes room again.
    pub(super) fn make_room(&self) {
        fs::remove_file(self.path.join("filler")).unwrap();
    }
}

/// Lets nobody write into a directory any more, until it is [`unmounted`].
pub(super) fn read_only(path: &Path) {
    let text = path.to_str().unwrap();
    run(path, &["mount", "--bind", text, text]).ok();
    run(path, &["mount", "-o", "remount,bind,ro", text]).ok();
}

/// What was mounted over this directory is gone.
pub(super) fn unmounted(path: &Path) {
    run(Path::new("/"), &["umount", path.to_str().unwrap()]).ok();
}
