//! Bounds the number of simultaneous connections. When all places are taken, a new client gets that of the connection
//! that has been idle longest. So clients that connect and send nothing delay nobody, however many there are. A
//! connection whose answer is going out is not idle, unless its client takes nothing of it for seconds.
//!
//! A connection says by an atomic number of its own whether it is idle. Only who needs a place looks at all of them.
use atomic_waker::AtomicWaker;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::collections::HashMap;
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

/// All places.
pub(super) struct ConnectionLimit {
    slots: Arc<Semaphore>,
    turns: AtomicU64,
    places: Mutex<HashMap<u64, Arc<Place>>>,
    is_stopping: AtomicBool,
}

/// What others see of a connection, and what they tell it.
#[derive(Default)]
struct Place {
    /// [`BUSY`], or the turn since which the client has to send something.
    idle_since: AtomicU64,
    /// Whether the place is needed for another client.
    is_wanted: AtomicBool,
    waker: AtomicWaker,
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
        let place = Arc::new(Place::default());
        self.with(|places| places.insert(number, Arc::clone(&place)));
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

    /// Asks the connection that has been idle longest, and was not asked since, for its place.
    fn ask_the_longest_idle(&self) {
        let idle = |place: &&Arc<Place>| {
            !place.is_wanted.load(Ordering::Relaxed) && place.idle_since.load(Ordering::Relaxed) != BUSY
        };
        let longest = self.with(|places| {
            let since = |place: &&Arc<Place>| place.idle_since.load(Ordering::Relaxed);
            places.values().filter(idle).min_by_key(since).cloned()
        });
        if let Some(place) = longest {
            place.is_wanted.store(true, Ordering::Release);
            place.waker.wake();
        }
    }

    /// Has every connection end with the answer that it is at.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.with(|places| places.values().for_each(|place| place.waker.wake()));
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

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<u64, Arc<Place>>) -> T) -> T {
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
    /// Its place is needed for another client.
    pub(super) is_wanted: bool,
    /// The server ends.
    pub(super) is_stopping: bool,
}

impl ConnectionPermit {
    /// Records that the client has connected, sent a whole request, or received its answer: its connection is now the
    /// last to be closed.
    fn begin_turn(&self) {
        self.work();
        self.turn.store(self.connection_limit.next_turn(), Ordering::Relaxed);
    }

    /// Marks the connection as idle: the client has to send something.
    fn wait(&self) {
        self.place.is_wanted.store(false, Ordering::Relaxed);
        self.place.idle_since.store(self.turn.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Marks the connection as busy: the server has to answer.
    fn work(&self) {
        self.place.idle_since.store(BUSY, Ordering::Relaxed);
    }

    /// Whether the connection is idle. One that was asked to leave and has begun a request since is not.
    pub(super) fn is_idle(&self) -> bool {
        self.place.idle_since.load(Ordering::Relaxed) != BUSY
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

    /// Has this task woken when the connection is told something.
    pub(super) fn wakes(&self, waker: &Waker) {
        self.place.waker.register(waker);
    }

    /// Returns what the connection was told since the last call.
    pub(super) fn told(&self) -> Told {
        let is_wanted = self.place.is_wanted.load(Ordering::Acquire);
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

    /// Runs `answer` for a request that has begun to arrive. The connection is busy until the answer has gone out
    /// ([`Self::sent`]), except while it waits for the body of the request.
    pub(super) async fn answer<T>(&self, answer: impl Future<Output = T>) -> T {
        self.begin_turn();
        answer.await
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.connection_limit.with(|places| places.remove(&self.number));
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
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    /// A body that never arrives.
    struct Never;

    impl Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }

    /// Waits until the connection is asked for its place.
    async fn wanted(permit: &ConnectionPermit) {
        std::future::poll_fn(|cx| {
            permit.wakes(cx.waker());
            if permit.told().is_wanted { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    async fn has_to_go(permit: &ConnectionPermit) -> bool {
        tokio::time::timeout(Duration::from_millis(1), wanted(permit)).await.is_ok()
    }

    fn waiting(connection_limit: &ConnectionLimit) -> usize {
        let is_idle = |place: &&Arc<Place>| place.idle_since.load(Ordering::Relaxed) != BUSY;
        connection_limit.with(|places| places.values().filter(is_idle).count())
    }

    #[tokio::test]
    async fn the_connection_that_waits_longest_makes_room_and_one_that_is_answered_does_not() {
        // O2
        let connection_limit = ConnectionLimit::new(2);
        let (one, two) = (connection_limit.take().await.unwrap(), connection_limit.take().await.unwrap());
        one.answer(async {}).await;
        one.sent();
        let third = tokio::spawn({
            let connection_limit = Arc::clone(&connection_limit);
            async move { connection_limit.take().await.is_some() }
        });
        wanted(&two).await;
        assert!(!has_to_go(&one).await, "it was answered last");
        drop(two);
        assert!(third.await.unwrap());

        let held = connection_limit.take().await.unwrap();
        held.begin_turn();
        let fourth = tokio::spawn({
            let connection_limit = Arc::clone(&connection_limit);
            async move { connection_limit.take().await.is_some() }
        });
        wanted(&one).await;
        assert!(!has_to_go(&held).await, "it is being answered");
        drop(one);
        assert!(fourth.await.unwrap());
        assert_eq!(waiting(&connection_limit), 0);
    }

    #[tokio::test]
    async fn who_is_asked_for_his_place_and_begins_a_request_is_asked_again_when_he_waits_again() {
        // O2
        let connection_limit = ConnectionLimit::new(2);
        let (one, two) = (connection_limit.take().await.unwrap(), connection_limit.take().await.unwrap());
        connection_limit.ask_the_longest_idle();
        assert!(has_to_go(&one).await && !has_to_go(&two).await);
        one.begin_turn();
        connection_limit.ask_the_longest_idle();
        assert!(has_to_go(&two).await, "the first is busy");
        one.sent();
        assert!(!has_to_go(&one).await, "that was before its answer");
        connection_limit.ask_the_longest_idle();
        assert!(has_to_go(&one).await, "the other was asked already");
    }

    #[tokio::test]
    async fn all_connections_are_told_that_the_server_ends_and_those_that_come_then_too() {
        let connection_limit = ConnectionLimit::new(2);
        let one = connection_limit.take().await.unwrap();
        assert!(!one.told().is_stopping);
        connection_limit.stop();
        assert!(one.told().is_stopping && connection_limit.take().await.unwrap().told().is_stopping);
    }

    #[tokio::test]
    async fn an_answer_that_is_under_way_keeps_its_place_and_one_that_nobody_takes_does_not() {
        // O2
        let connection_limit = ConnectionLimit::new(1);
        let permit = connection_limit.take().await.unwrap();
        let waits = || waiting(&connection_limit);
        permit.answer(async {}).await;
        assert_eq!((waits(), permit.is_idle()), (0, false), "it is made, and goes out");
        permit.rest();
        assert_eq!((waits(), permit.is_idle()), (1, true));
        permit.resume();
        assert_eq!((waits(), permit.is_idle()), (0, false));
        permit.sent();
        assert_eq!((waits(), permit.is_idle()), (1, true));
    }

    #[tokio::test]
    async fn a_connection_that_is_ahead_of_its_answers_makes_room_until_its_turn_comes() {
        // O2
        let connection_limit = ConnectionLimit::new(1);
        let permit = connection_limit.take().await.unwrap();
        let waits = || waiting(&connection_limit);
        permit.begin_turn();
        let never = permit.aside(std::future::pending::<()>());
        assert!(tokio::time::timeout(Duration::from_millis(1), never).await.is_err());
        assert_eq!(waits(), 1);
        permit.aside(async {}).await;
        assert_eq!(waits(), 0);
    }

    #[tokio::test]
    async fn a_connection_whose_body_does_not_come_is_one_that_waits() {
        // O2
        let connection_limit = ConnectionLimit::new(1);
        let permit = connection_limit.take().await.unwrap();
        let waits = || waiting(&connection_limit);
        permit.begin_turn();
        assert_eq!(waits(), 0);
        let mut body = Awaited::new(Never, Arc::clone(&permit));
        let frame = tokio::time::timeout(Duration::from_millis(1), body.frame()).await;
        assert!(frame.is_err());
        assert_eq!(waits(), 1);
        let whole = Awaited::new(Full::new(Bytes::from_static(b"x")), Arc::clone(&permit));
        assert_eq!(whole.collect().await.unwrap().to_bytes().len(), 1);
        assert_eq!(waits(), 0);
    }
}
