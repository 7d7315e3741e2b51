//! Listening, connections and their limits, and a clean end.
mod daemon;
mod open_files;
mod places;
mod stall;

pub use daemon::Daemon;

use super::http::{Looks, OcspService};
use super::reload::Reloader;
use super::settings::ServerSettings;
use super::status::StatusSource;
use crate::clock::Clock;
use crate::problem::{Exit, Problem};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use listenfd::ListenFd;
use places::{Awaited, Place, Places};
use stall::Stall;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

/// For how long accepting pauses when it fails, as when there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Octets of a request's head that are waited for; one that is longer and comes at once may still be read.
const MAX_HEAD: usize = 32 << 10;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An address cannot be listened on.
    #[error("{address} cannot be listened on: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A socket that was passed cannot be used.
    #[error("the socket that systemd passed cannot be used: {0}")]
    Passed(io::Error),
    /// The process cannot have what it needs to serve.
    #[error("the server cannot start: {0}")]
    Start(io::Error),
    /// There is nothing to listen on.
    #[error("there is no address to listen on")]
    NoAddress,
}

impl From<ServerError> for Problem {
    fn from(error: ServerError) -> Self {
        let problem = Self::new(Exit::Failure, "daemon.listen", error.to_string());
        problem.hint(match error {
            ServerError::Bind { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "ports below 1024 need socket activation, or CAP_NET_BIND_SERVICE"
            }
            ServerError::Bind { .. } => "stop what listens there, or choose another address with --listen",
            ServerError::Passed(_) => "look at the .socket unit",
            ServerError::Start(_) => "look at the limits on processes and open files",
            ServerError::NoAddress => "name one with --listen ADDR:PORT",
        })
    }
}

/// Takes the sockets that systemd passed, or else binds the addresses of the settings.
///
/// # Errors
/// When there is none, or one cannot be had.
pub fn listeners(settings: &ServerSettings) -> Result<Vec<TcpListener>, ServerError> {
    let mut passed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for at in 0..passed.len() {
        listeners.extend(passed.take_tcp_listener(at).map_err(ServerError::Passed)?);
    }
    if listeners.is_empty() {
        for address in &settings.listen {
            let bound = TcpListener::bind(address);
            listeners.push(bound.map_err(|source| ServerError::Bind { address: *address, source })?);
        }
    }
    if listeners.is_empty() { Err(ServerError::NoAddress) } else { Ok(listeners) }
}

/// Looks for new files every `interval`, and for new status when a look is asked for, for ever.
pub async fn keep_reloading<S: StatusSource>(
    mut reloader: Reloader<S>,
    mut looks: Looks,
    interval: Duration,
    clock: Arc<dyn Clock>,
) {
    let mut polled_at = Instant::now();
    loop {
        let waiting = looks.next(interval.saturating_sub(polled_at.elapsed())).await;
        let is_due = polled_at.elapsed() >= interval;
        let clock = Arc::clone(&clock);
        let polled = spawn_blocking(move || {
            if is_due || reloader.is_behind() {
                reloader.poll(clock.now());
            }
            reloader
        });
        if is_due {
            polled_at = Instant::now();
        }
        match polled.await {
            Ok(back) => reloader = back,
            Err(error) => {
                tracing::error!(%error, "reloading has ended");
                return;
            }
        }
        drop(waiting);
    }
}

/// Serves until `stop` is done, then lets open requests end, for `shutdown_timeout` at most.
///
/// # Errors
/// When a listener cannot be used.
pub async fn serve(
    listeners: Vec<TcpListener>,
    service: OcspService,
    settings: &ServerSettings,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let places = Places::new(settings.max_connections);
    let (stopping, stopped) = watch::channel(false);
    let mut accepting = JoinSet::new();
    for listener in listeners {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let connection = Connection {
            service: service.clone(),
            header_timeout: settings.header_timeout,
            idle_timeout: settings.idle_timeout,
            stopped: stopped.clone(),
        };
        accepting.spawn(accept(listener, connection, Arc::clone(&places)));
    }
    stop.await;
    accepting.shutdown().await;
    stopping.send_replace(true);
    let all_free = places.all_free(settings.max_connections);
    if tokio::time::timeout(settings.shutdown_timeout, all_free).await.is_err() {
        tracing::warn!("connections that did not end in time were cut");
    }
    Ok(())
}

#[derive(Clone)]
struct Connection {
    service: OcspService,
    header_timeout: Duration,
    idle_timeout: Duration,
    stopped: watch::Receiver<bool>,
}

/// Gives each connection a place before it looks for the next: while all are being answered, what is above the
/// limit, but for one, is in the kernel's queue.
async fn accept(listener: tokio::net::TcpListener, connection: Connection, places: Arc<Places>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Some(place) = places.take().await else { return };
                tokio::spawn(connection.clone().serve(stream, place));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn stopped(stopped: &mut watch::Receiver<bool>) {
    // an error means that the server is gone, which is as good a reason to stop
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

impl Connection {
    async fn serve(mut self, stream: TcpStream, place: Arc<Place>) {
        let _ = stream.set_nodelay(true);
        let io = Stall::new(TokioIo::new(stream), self.idle_timeout);
        let (service, here) = (self.service, Arc::clone(&place));
        let reply = move |request: hyper::Request<Incoming>| {
            let (service, here) = (service.clone(), Arc::clone(&here));
            async move {
                let request = request.map(|body| Awaited::new(body, Arc::clone(&here)));
                here.answer(service.reply(request)).await
            }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // who has sent all may close that half, and is answered all the same
            .half_close(true)
            .header_read_timeout(self.header_timeout)
            .max_buf_size(MAX_HEAD)
            .serve_connection(io, service_fn(reply));
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = place.wanted() => return,
            () = stopped(&mut self.stopped) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection");
        }
    }
}

#[cfg(test)]
mod tests;
