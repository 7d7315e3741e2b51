//! One connection: its limits, and its requests one after the other.
use super::connection_limit::{Awaited, ConnectionPermit, Registered};
use super::followed::Followed;
use super::listener::Stream;
use super::pace::Pace;
use super::stall::{Patience, Stall};
use crate::failpoint;
use crate::ocsp::http::{OcspService, Turn};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use rustix::net::listen;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::Semaphore;

/// Limit of a request's head in octets. It also bounds the read and write buffers of the connection.
const MAX_HEAD: usize = 16 << 10;

/// Receive and send buffer in octets that the kernel is asked for; it allocates twice as much.
const SOCKET_BUFFERS: (usize, usize) = (32 << 10, 64 << 10);

/// Number of connections in the listen queue; the system may allow fewer.
const QUEUE: i32 = 1024;

/// Bound of the octets that a connection takes besides the body of its request.
pub const CONNECTION_OCTETS: usize = 32 << 10;

/// Bound of the octets that the kernel holds for a connection.
pub const SOCKET_OCTETS: usize = 2 * (SOCKET_BUFFERS.0 + SOCKET_BUFFERS.1);

/// Sets the kernel buffers and the listen queue of a listener. The buffers of its connections count as the service's
/// memory, and would grow to several megabytes for a client that reads nothing. The long queue lets many clients wait
/// in the kernel: a client that finds it full tries again only a second later.
pub(super) fn prepare(listener: impl AsFd) {
    let (receive, send) = SOCKET_BUFFERS;
    let prepared = set_socket_recv_buffer_size(&listener, receive)
        .and_then(|()| set_socket_send_buffer_size(&listener, send))
        .and_then(|()| listen(&listener, QUEUE));
    if let Err(error) = prepared {
        tracing::warn!(%error, "a listener cannot be prepared for crowds");
    }
}

#[derive(Clone)]
pub(super) struct Connection {
    pub(super) service: Arc<OcspService>,
    pub(super) patience: Patience,
    /// Permits for requests that were sent before the client received the previous answer.
    pub(super) turns: Arc<Semaphore>,
}

/// What the requests of a connection have in common.
struct Shared {
    service: Arc<OcspService>,
    permit: Arc<ConnectionPermit>,
    pace: Arc<Pace>,
    turns: Arc<Semaphore>,
}

impl Shared {
    /// Returns the turn of a request that was sent ahead of the previous answer. Until it is granted, another client may
    /// take the connection's place.
    fn turn(&self) -> Turn {
        let (turns, permit) = (Arc::clone(&self.turns), Arc::clone(&self.permit));
        Turn::new(move || {
            let (turns, here) = (Arc::clone(&turns), Arc::clone(&permit));
            async move { here.aside(turns.acquire_owned()).await.ok() }
        })
    }
}

impl Connection {
    /// Serves a client with this address until it or the server ends the connection.
    pub(super) async fn serve(
        self,
        stream: impl Stream,
        client: Option<IpAddr>,
        permit: Arc<ConnectionPermit>,
    ) {
        failpoint::in_thread("daemon: connection");
        let pace = Arc::new(Pace::new());
        let metrics = Arc::clone(self.service.metrics());
        let socket = Stall::new(stream, self.patience, Arc::clone(&pace), Arc::clone(&permit), metrics);
        let shared =
            Arc::new(Shared { service: self.service, permit: Arc::clone(&permit), pace, turns: self.turns });
        let reply = move |request: hyper::Request<Incoming>| {
            let shared = Arc::clone(&shared);
            shared.pace.asked();
            shared.permit.begin_turn();
            let turn = shared.pace.is_ahead().then(|| shared.turn());
            let request = request.map(|body| Awaited::new(body, Arc::clone(&shared.permit)));
            let mut asked = shared.service.begin(request, client, turn);
            async move {
                let reply = shared.service.finish(&mut asked).await;
                shared.pace.answered();
                let pace = Arc::clone(&shared.pace);
                Ok::<_, Infallible>(reply.map(|body| Followed::new(body, pace)))
            }
        };
        let connection = http1::Builder::new()
            // a client that has sent everything may close its sending half, and is answered all the same
            .half_close(true)
            // the socket has a time of its own for heads, which does not count while a connection lies idle
            .header_read_timeout(None)
            .max_buf_size(MAX_HEAD)
            .serve_connection(socket, service_fn(reply));
        let mut connection = std::pin::pin!(connection);
        let mut is_stopping = false;
        let mut registered = Registered::default();
        let ended = poll_fn(|cx| {
            permit.wakes(cx.waker(), &mut registered);
            let told = permit.told();
            if told.is_wanted {
                return Poll::Ready(Ok(()));
            }
            if told.is_stopping && !is_stopping {
                connection.as_mut().graceful_shutdown();
                is_stopping = true;
            }
            connection.as_mut().poll(cx)
        });
        if let Err(error) = ended.await {
            tracing::debug!(%error, "connection");
        }
    }
}
