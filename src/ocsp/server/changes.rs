//! Waits until the system tells of changed files.
use crate::ocsp::watch::has_change;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use tokio::net::unix::pipe::Receiver;

/// Octets for what is read in one go: some changes of files with the longest names.
const PIECE: usize = 4096;

/// Shortest time between two looks because of changes.
const PAUSE: Duration = Duration::from_millis(5);

/// How many times as long as a look takes no other begins because of changes.
const REST: u32 = 3;

/// Waits for changes.
#[derive(Debug)]
pub(super) struct Changes {
    /// It is read as a pipe is.
    inotify: Receiver,
    /// No change is told before.
    rest_until: Instant,
}

impl Changes {
    /// Returns what waits at this descriptor, inside of a runtime.
    ///
    /// # Errors
    /// When the runtime cannot wait for it.
    pub(super) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let inotify = Receiver::from_owned_fd_unchecked(descriptor)?;
        Ok(Self { inotify, rest_until: Instant::now() })
    }

    /// Waits until something has changed since it was last told so.
    pub(super) async fn next(&mut self) {
        tokio::time::sleep_until(self.rest_until.into()).await;
        while !self.has_changed() {
            if self.inotify.readable().await.is_err() {
                // the runtime ends
                std::future::pending::<()>().await;
            }
        }
    }

    /// Takes all that there is to be told. Returns whether something of it counts.
    fn has_changed(&self) -> bool {
        let mut counts = false;
        let mut octets = [0; PIECE];
        while let Ok(length @ 1..) = self.inotify.try_read(&mut octets) {
            counts |= has_change(octets.get(..length).unwrap_or_default());
        }
        counts
    }

    /// Takes what has changed until now as seen by a look that took this long. The next is told after a rest, so that
    /// files that change without end do not keep a processor busy.
    pub(super) fn looked(&mut self, took: Duration) {
        let rest = took.saturating_mul(REST).max(PAUSE);
        self.rest_until = Instant::now().checked_add(rest).unwrap_or_else(Instant::now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::watch::Watch;
    use std::fs;

    #[tokio::test]
    async fn who_waits_for_changes_is_woken_by_one() {
        // O12
        let home = tempfile::tempdir().unwrap();
        let mut watch = Watch::new().unwrap();
        watch.follow([home.path().to_owned()].into_iter());
        let mut changes = Changes::new(watch.descriptor().unwrap()).unwrap();
        let none = tokio::time::timeout(Duration::from_millis(1), changes.next()).await;
        assert!(none.is_err());
        let file = home.path().join("file");
        let written = tokio::task::spawn_blocking(move || fs::write(file, "1").unwrap());
        changes.next().await;
        written.await.unwrap();
        changes.looked(Duration::from_millis(1));
        assert!(changes.rest_until > Instant::now());
    }
}
