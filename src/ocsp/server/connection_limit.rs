//! Bounds the number of simultaneous connections. When all places are taken, a new client gets that of the connection
//! that has been idle longest. So clients that connect and send nothing delay nobody, however many there are. A
//! connection whose answer is going out is not idle, unless its client takes nothing of it for seconds.
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Time between two attempts to free a place for a waiting client while all connections are being answered.
const PAUSE: Duration = Duration::from_millis(20);

/// All places.
pub(super) struct ConnectionLimit {
    slots: Arc<Semaphore>,
    waiting: Mutex<IdleConnections>,
}

/// Idle connections, which wait for their clients to send something; the one idle longest comes first.
#[derive(Default)]
struct IdleConnections {
    turns: u64,
    connections: BTreeMap<u64, Arc<Notify>>,
}

impl ConnectionLimit {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { slots: Arc::new(Semaphore::new(most)), waiting: Mutex::default() })
    }

    /// Returns a free place, or takes that of the connection that has been idle longest; `None` when the server has
    /// ended.
    pub(super) async fn take(self: &Arc<Self>) -> Option<Arc<ConnectionPermit>> {
        let slot = match Arc::clone(&self.slots).try_acquire_owned() {
            Ok(slot) => slot,
            Err(_) => loop {
                self.with(|waiting| waiting.connections.pop_first().map(|(_, leave)| leave.notify_one()));
                let freed = Arc::clone(&self.slots).acquire_owned();
                if let Ok(freed) = tokio::time::timeout(PAUSE, freed).await {
                    break freed.ok()?;
                }
            },
        };
        let permit = ConnectionPermit {
            connection_limit: Arc::clone(self),
            leave: Arc::default(),
            turn: Mutex::default(),
            is_idle: AtomicBool::default(),
            _slot: slot,
        };
        permit.begin_turn();
        permit.wait();
        Some(Arc::new(permit))
    }

    /// Waits until all places are free again.
    pub(super) async fn all_free(&self, most: usize) {
        let all = u32::try_from(most).unwrap_or(u32::MAX);
        // an error means that no place can be taken any more
        let _ = self.slots.acquire_many(all).await;
    }

    fn with<T>(&self, change: impl FnOnce(&mut IdleConnections) -> T) -> T {
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The place of one connection; dropping it frees the place.
pub(super) struct ConnectionPermit {
    connection_limit: Arc<ConnectionLimit>,
    leave: Arc<Notify>,
    turn: Mutex<u64>,
    is_idle: AtomicBool,
    _slot: OwnedSemaphorePermit,
}

impl ConnectionPermit {
    fn turn(&self) -> u64 {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that the client has connected, sent a whole request, or received its answer: its connection is now the
    /// last to be closed.
    fn begin_turn(&self) {
        self.work();
        let next = self.connection_limit.with(|waiting| {
            waiting.turns += 1;
            waiting.turns
        });
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// Marks the connection as idle: the client has to send something.
    fn wait(&self) {
        self.is_idle.store(true, Ordering::Relaxed);
        self.connection_limit
            .with(|waiting| waiting.connections.insert(self.turn(), Arc::clone(&self.leave)));
    }

    /// Marks the connection as busy: the server has to answer.
    fn work(&self) {
        self.is_idle.store(false, Ordering::Relaxed);
        self.connection_limit.with(|waiting| waiting.connections.remove(&self.turn()));
    }

    /// Whether the connection is idle. One that was asked to leave and has begun a request since is not.
    pub(super) fn is_idle(&self) -> bool {
        self.is_idle.load(Ordering::Relaxed)
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

    /// Waits until the place is needed for another client.
    pub(super) async fn wanted(&self) {
        self.leave.notified().await;
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
        self.work();
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

    async fn has_to_go(permit: &ConnectionPermit) -> bool {
        tokio::time::timeout(Duration::from_millis(1), permit.wanted()).await.is_ok()
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
        two.wanted().await;
        assert!(!has_to_go(&one).await, "it was answered last");
        drop(two);
        assert!(third.await.unwrap());

        let held = connection_limit.take().await.unwrap();
        held.begin_turn();
        let fourth = tokio::spawn({
            let connection_limit = Arc::clone(&connection_limit);
            async move { connection_limit.take().await.is_some() }
        });
        one.wanted().await;
        assert!(!has_to_go(&held).await, "it is being answered");
        drop(one);
        assert!(fourth.await.unwrap());
        assert!(connection_limit.with(|waiting| waiting.connections.is_empty()));
    }

    #[tokio::test]
    async fn an_answer_that_is_under_way_keeps_its_place_and_one_that_nobody_takes_does_not() {
        // O2
        let connection_limit = ConnectionLimit::new(1);
        let permit = connection_limit.take().await.unwrap();
        let waits = || connection_limit.with(|waiting| waiting.connections.len());
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
        let waits = || connection_limit.with(|waiting| waiting.connections.len());
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
        let waits = || connection_limit.with(|waiting| waiting.connections.len());
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
