//! The open connections: how many there are at each door, and how they are ended.
use crate::signer::peer::Door;
use std::collections::BTreeMap;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// All open connections.
pub(super) struct Connections {
    most: usize,
    open: Mutex<Open>,
    changed: Condvar,
}

#[derive(Default)]
struct Open {
    next: u64,
    /// The door, and a second descriptor by which the connection is ended.
    connections: BTreeMap<u64, (Door, UnixStream)>,
}

/// A place among the clients; free again when it is dropped, as when the thread that has it panics.
pub(super) struct Place {
    number: u64,
    connections: Arc<Connections>,
}

impl Connections {
    /// No connections, of which there may be so many for each door.
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default(), changed: Condvar::new() }
    }

    /// Takes a place; `None` when all at this door are taken, or there is no descriptor for it.
    pub(super) fn place(connections: &Arc<Self>, door: Door, connection: &UnixStream) -> Option<Place> {
        let second = connection.try_clone().ok()?;
        let mut open = connections.lock();
        if open.connections.values().filter(|(of, _)| *of == door).count() >= connections.most {
            return None;
        }
        let number = open.next;
        open.next = open.next.wrapping_add(1);
        open.connections.insert(number, (door, second));
        Some(Place { number, connections: Arc::clone(connections) })
    }

    /// Returns whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().connections.is_empty()
    }

    /// Lets clients have the answer that is under way and ask nothing more. Waits for that, and no longer than this.
    pub(super) fn end(&self, wait: Duration) {
        let open = self.lock();
        for (_, connection) in open.connections.values() {
            // it may be gone already
            let _ = connection.shutdown(Shutdown::Read);
        }
        let waiting = |open: &mut Open| !open.connections.is_empty();
        drop(self.changed.wait_timeout_while(open, wait, waiting));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().connections.remove(&self.number);
        self.connections.changed.notify_all();
    }
}
