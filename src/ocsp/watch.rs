//! Notices changed files at once, where the system tells of them (inotify(7)).
//!
//! What is told is only that something has changed: what, is found as at any other look. File systems of other hosts tell
//! nothing, so the looks at intervals remain.
use rustix::fs::inotify::{CreateFlags, ReadFlags, WatchFlags, add_watch, init, remove_watch};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// What is told: files that were renamed there, written to the end, given other permissions, or are gone, and
/// directories that are new. A file that is only begun says nothing yet.
const CHANGES: WatchFlags = WatchFlags::MOVED_TO
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// Says which directories are watched.
#[derive(Debug)]
pub(crate) struct Watch {
    inotify: OwnedFd,
    watched: BTreeMap<PathBuf, i32>,
}

impl Watch {
    /// Returns a watch of no directory.
    ///
    /// # Errors
    /// When the system has none, or no more for this user.
    pub(crate) fn new() -> io::Result<Self> {
        let inotify = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        Ok(Self { inotify, watched: BTreeMap::new() })
    }

    /// Returns the descriptor from which [`has_change`] is read. Reading it does not wait.
    ///
    /// # Errors
    /// When there are no more descriptors.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.inotify.try_clone()
    }

    /// Watches these directories and no others. One that is not there, or cannot be watched, is left out; one that was
    /// replaced is watched in its new form.
    pub(crate) fn follow(&mut self, directories: impl Iterator<Item = PathBuf>) {
        let mut before = std::mem::take(&mut self.watched);
        for directory in directories {
            // the same directory gets the same number again
            if let Ok(number) = add_watch(&self.inotify, &directory, CHANGES) {
                if before.get(&directory) == Some(&number) {
                    before.remove(&directory);
                }
                self.watched.insert(directory, number);
            }
        }
        for number in before.into_values() {
            if !self.watched.values().any(|watched| *watched == number) {
                // one that is gone was let go by the system
                let _ = remove_watch(&self.inotify, number);
            }
        }
    }
}

/// Whether the octets that were read from the descriptor tell of a change that counts.
pub(crate) fn has_change(mut octets: &[u8]) -> bool {
    while let Some((event, rest)) = Event::split(octets) {
        if event.is_change() {
            return true;
        }
        octets = rest;
    }
    false
}

/// What the system tells of one file: `struct inotify_event`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Event<'a> {
    mask: ReadFlags,
    /// Name of the file in its directory; empty for the directory itself.
    name: &'a [u8],
}

impl<'a> Event<'a> {
    /// Returns the first event, and those after it.
    fn split(octets: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, rest) = octets.split_first_chunk::<16>()?;
        let number = |at: usize| Some(u32::from_ne_bytes(*head.get(at..)?.first_chunk()?));
        let (name, rest) = rest.split_at_checked(usize::try_from(number(12)?).ok()?)?;
        Some((Self { mask: ReadFlags::from_bits_retain(number(4)?), name }, rest))
    }

    /// Whether a file that is read has changed. The other events are of files that are being written under another name, or
    /// are only begun. That there were more than the system keeps is a change.
    fn is_change(&self) -> bool {
        let is_begun = self.mask.contains(ReadFlags::CREATE) && !self.mask.contains(ReadFlags::ISDIR);
        !is_begun && !self.name.starts_with(b".") && !self.mask.contains(ReadFlags::IGNORED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Takes whether a change has been told by now.
    fn is_told(descriptor: &OwnedFd) -> bool {
        let mut octets = [0; 4096];
        let mut is_told = false;
        while let Ok(length @ 1..) = rustix::io::read(descriptor, &mut octets) {
            is_told |= has_change(&octets[..length]);
        }
        is_told
    }

    #[test]
    fn a_file_that_comes_into_its_place_is_told_and_one_that_is_being_written_is_not() {
        // O12
        let home = tempfile::tempdir().unwrap();
        let mut watch = Watch::new().unwrap();
        let told = watch.descriptor().unwrap();
        watch.follow([home.path().to_owned(), home.path().join("none")].into_iter());
        assert!(!is_told(&told));
        let (aside, there) = (home.path().join(".new-1"), home.path().join("manifest.json"));
        fs::write(&aside, "1").unwrap();
        assert!(!is_told(&told));
        fs::rename(&aside, &there).unwrap();
        assert!(is_told(&told) && !is_told(&told), "once");
        fs::write(&there, "2").unwrap();
        assert!(is_told(&told));
        fs::remove_file(&there).unwrap();
        assert!(is_told(&told));
        fs::create_dir(home.path().join("ca")).unwrap();
        assert!(is_told(&told));
    }

    #[test]
    fn a_directory_that_is_replaced_is_followed_and_one_that_is_not_asked_for_any_more_is_let_go() {
        let home = tempfile::tempdir().unwrap();
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        fs::create_dir(&one).unwrap();
        let mut watch = Watch::new().unwrap();
        let told = watch.descriptor().unwrap();
        watch.follow([one.clone()].into_iter());
        fs::rename(&one, &two).unwrap();
        fs::create_dir(&one).unwrap();
        watch.follow([one.clone()].into_iter());
        is_told(&told);
        fs::write(two.join("file"), "").unwrap();
        assert!(!is_told(&told), "it is not in its place any more");
        fs::write(one.join("file"), "").unwrap();
        assert!(is_told(&told));
        watch.follow(std::iter::empty());
        is_told(&told);
        fs::write(one.join("file"), "").unwrap();
        assert!(!is_told(&told));
    }
}
