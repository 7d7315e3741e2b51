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
    let mut registered = Registered::default();
    std::future::poll_fn(|cx| {
        permit.wakes(cx.waker(), &mut registered);
        if permit.told().is_wanted { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn has_to_go(permit: &ConnectionPermit) -> bool {
    tokio::time::timeout(Duration::from_millis(1), wanted(permit)).await.is_ok()
}

fn is_idle(place: &Place) -> bool {
    place.idle_since.load(Ordering::Relaxed) != BUSY
}

fn waiting(connection_limit: &ConnectionLimit) -> usize {
    connection_limit.with(|places| places.values().filter(|place| is_idle(place)).count())
}

#[tokio::test]
async fn the_connection_that_waits_longest_makes_room_and_one_that_is_answered_does_not() {
    // O2
    let connection_limit = ConnectionLimit::new(2);
    let (one, two) = (connection_limit.take().await.unwrap(), connection_limit.take().await.unwrap());
    one.begin_turn();
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
async fn the_longest_idle_is_found_however_the_connections_have_moved_since() {
    // O2
    let connection_limit = ConnectionLimit::new(8);
    let mut permits = Vec::new();
    for _ in 0..8 {
        permits.push(connection_limit.take().await.unwrap());
    }
    for one in [3, 0, 6, 1] {
        permits[one].begin_turn();
        permits[one].sent();
    }
    permits[2].begin_turn();
    for longest in [4, 5, 7, 3, 0, 6, 1] {
        connection_limit.ask_the_longest_idle();
        let mut wanted = Vec::new();
        for (at, permit) in permits.iter().enumerate() {
            if permit.told().is_wanted {
                wanted.push(at);
                permit.begin_turn();
            }
        }
        assert_eq!(wanted, [longest]);
    }
    connection_limit.ask_the_longest_idle();
    assert!(permits.iter().all(|permit| !permit.told().is_wanted), "all are busy");
    permits[2].sent();
    connection_limit.ask_the_longest_idle();
    assert!(permits[2].told().is_wanted);
    drop(permits);
    assert!(connection_limit.with(|places| places.is_empty()));
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
    permit.begin_turn();
    assert_eq!((waits(), is_idle(&permit.place)), (0, false), "it is made, and goes out");
    permit.rest();
    assert_eq!((waits(), is_idle(&permit.place)), (1, true));
    permit.resume();
    assert_eq!((waits(), is_idle(&permit.place)), (0, false));
    permit.sent();
    assert_eq!((waits(), is_idle(&permit.place)), (1, true));
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
