//! Bounds the number of simultaneous connections. When all places are taken, a new client gets that of the connection
//! that has been idle longest. So clients that connect and send nothing delay nobody, however many there are. A
//! connection whose answer is going out is not idle, unless its client takes nothing of it for seconds.
//!
//! A connection says by an atomic number of its own whether it is idle. They are kept in the order in which they were
//! found idle when somebody needed a place, so that who needs one looks at those that have moved since, and at no others.
use atomic_waker::AtomicWaker;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Time between two attempts to free a place for a waiting client while all connections are being answered.
const PAUSE: Duration = Duration::from_millis(20);

/// The server has something to do on this connection.
const BUSY: u64 = 0;

/// Bound of the connections that are looked at for one place. The next attempt goes on behind them.
const LOOKS: usize = 1024;

/// Connections by the turn since which they were idle when they were last looked at, and their number. They are idle since
/// that turn or a later one.
type Places = BTreeMap<(u64, u64), Arc<Place>>;

/// All places.
pub(super) struct ConnectionLimit {
    slots: Arc<Semaphore>,
    turns: AtomicU64,
    places: Mutex<Places>,
    is_stopping: AtomicBool,
}

/// What others see of a connection, and what they tell it.
#[derive(Default)]
struct Place {
    /// [`BUSY`], or the turn since which the client has to send something.
    idle_since: AtomicU64,
    /// The idle time, as in `idle_since`, in which the connection was asked for its place; one that has ended counts no more.
    wanted_since: AtomicU64,
    /// The turn under which it stands among all places; changed while these are locked.
    stands_at: AtomicU64,
    /// How often the connection was woken to be told something.
    calls: AtomicU64,
    waker: AtomicWaker,
}

impl Place {
    /// Wakes the connection, which then looks what it is told.
    fn call(&self) {
        self.calls.fetch_add(1, Ordering::Release);
        self.waker.wake();
    }
}

/// Whom a connection last had woken.
#[derive(Debug, Default)]
pub(super) struct Registered {
    waker: Option<Waker>,
    calls: u64,
}

impl ConnectionLimit {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            slots: Arc::new(Semaphore::new(most)),
            turns: AtomicU64::new(BUSY),
            places: Mutex::default(),
            is_stopping: AtomicBool::default(),
        })
    }

    /// Returns a free place, or takes that of the connection that has been idle longest; `None` when the server has
    /// ended.
    pub(super) async fn take(self: &Arc<Self>) -> Option<Arc<ConnectionPermit>> {
        let slot = match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(slot) => slot,
            Err(_) => loop {
                self.ask_the_longest_idle();
                let freed = Arc::clone(&self.slots).acquire_owned();
                if let Ok(freed) = tokio::time::timeout(PAUSE, freed).await {
                    break freed.ok()?;
                }
            },
        };
        let number = self.next_turn();
        let place = Arc::new(Place { stands_at: AtomicU64::new(number), ..Place::default() });
        self.with(|places| places.insert((number, number), Arc::clone(&place)));
        let permit = ConnectionPermit {
            connection_limit: Arc::clone(self),
            number,
            place,
            turn: AtomicU64::new(number),
            _slot: slot,
        };
        permit.wait();
        Some(Arc::new(permit))
    }

    /// Asks the connection that has been idle longest, and was not asked since it is, for its place.
    fn ask_the_longest_idle(&self) {
        let longest = self.with(|places| {
            for _ in 0..LOOKS.min(2 * places.len()) {
                let ((stood_at, number), place) = places.pop_first()?;
                let since = place.idle_since.load(Ordering::Relaxed);
                let is_asked = place.wanted_since.load(Ordering::Relaxed) == since;
                let is_longest = since == stood_at && !is_asked;
                // one that is busy, or was asked, comes behind all that are idle now
                let stands_at = if since == BUSY || is_asked { self.next_turn() } else { since };
                place.stands_at.store(stands_at, Ordering::Relaxed);
                places.insert((stands_at, number), Arc::clone(&place));
                if is_longest {
                    return Some((since, place));
                }
            }
            None
        });
        if let Some((since, place)) = longest {
            place.wanted_since.store(since, Ordering::Release);
            place.call();
        }
    }

    /// Has every connection end with the answer that it is at.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.with(|places| places.values().for_each(|place| place.call()));
    }

    /// Waits until all places are free again.
    pub(super) async fn all_free(&self, most: usize) {
        let all = u32::try_from(most).unwrap_or(u32::MAX);
        // an error means that no place can be taken any more
        let _ = self.slots.acquire_many(all).await;
    }

    fn next_turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Places) -> T) -> T {
        change(&mut self.places.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The place of one connection; dropping it frees the place.
pub(super) struct ConnectionPermit {
    connection_limit: Arc<ConnectionLimit>,
    number: u64,
    place: Arc<Place>,
    turn: AtomicU64,
    _slot: OwnedSemaphorePermit,
}

/// What a connection is told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Told {
    /// Its place is needed for another client, and it is idle as it was when it was asked.
    pub(super) is_wanted: bool,
    /// The server ends.
    pub(super) is_stopping: bool,
}

impl ConnectionPermit {
    /// Records that a request has begun to arrive, or that its answer has gone out: the connection is now the last to be
    /// closed. It is busy until the answer has gone out ([`Self::sent`]), except while it waits for the body of the request.
    pub(super) fn begin_turn(&self) {
        self.work();
        self.turn.store(self.connection_limit.next_turn(), Ordering::Relaxed);
    }

    /// Marks the connection as idle: the client has to send something.
    fn wait(&self) {
        self.place.idle_since.store(self.turn.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Marks the connection as busy: the server has to answer.
    fn work(&self) {
        self.place.idle_since.store(BUSY, Ordering::Relaxed);
    }

    /// Marks the connection as idle while its client takes nothing of its answer.
    pub(super) fn rest(&self) {
        self.wait();
    }

    /// Marks the connection as busy again: the client takes its answer.
    pub(super) fn resume(&self) {
        self.work();
    }

    /// Records that the answer has gone out: the client has to send something.
    pub(super) fn sent(&self) {
        self.begin_turn();
        self.wait();
    }

    /// Has this task woken when the connection is told something. Who was woken has to ask for it again; until then asking
    /// again costs little.
    pub(super) fn wakes(&self, waker: &Waker, registered: &mut Registered) {
        // what is told after this is told to the task that is registered
        let calls = self.place.calls.load(Ordering::Acquire);
        let is_same = registered.waker.as_ref().is_some_and(|known| known.will_wake(waker));
        if !is_same || registered.calls != calls {
            self.place.waker.register(waker);
            *registered = Registered { waker: Some(waker.clone()), calls };
        }
    }

    /// Returns what the connection is told.
    pub(super) fn told(&self) -> Told {
        let idle_since = self.place.idle_since.load(Ordering::Relaxed);
        let is_wanted = idle_since != BUSY && self.place.wanted_since.load(Ordering::Acquire) == idle_since;
        Told { is_wanted, is_stopping: self.connection_limit.is_stopping.load(Ordering::Acquire) }
    }

    /// Waits for something that other clients may get first. Meanwhile the connection counts as idle, and its place
    /// may be given away.
    pub(super) async fn aside<T>(&self, wait: impl Future<Output = T>) -> T {
        self.wait();
        let come = wait.await;
        self.work();
        come
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.connection_limit.with(|places| {
            places.remove(&(self.place.stands_at.load(Ordering::Relaxed), self.number));
        });
    }
}

/// The body of a request. While it does not arrive, the connection counts as idle.
pub(super) struct Awaited<B> {
    body: B,
    permit: Arc<ConnectionPermit>,
}

impl<B> Awaited<B> {
    pub(super) fn new(body: B, permit: Arc<ConnectionPermit>) -> Self {
        Self { body, permit }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Awaited<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_pending() {
            self.permit.wait()
        } else {
            self.permit.work()
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[path = "connection_limit_tests.rs"]
mod tests;
