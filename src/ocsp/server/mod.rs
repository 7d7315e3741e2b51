//! The server: listening, connections and their limits, and an orderly end.
mod changes;
mod connection;
mod connection_limit;
mod daemon;
mod followed;
mod listener;
mod open_files;
mod pace;
mod stall;
mod watched;

pub use connection::{CONNECTION_OCTETS, SOCKET_OCTETS};
pub use daemon::Daemon;
pub use listener::{Listener, Listeners};

use super::health::Health;
use super::http::{OcspService, Refreshes};
use super::reload::Reloader;
use super::rules::Controls;
use super::served::ServedStatus;
use super::settings::ServerSettings;
use crate::clock::Clock;
use crate::config::ListenAddress;
use crate::error::{Code, Problem, Remedy, remedy};
use crate::failpoint;
use changes::Changes;
use connection::{Connection, prepare};
use connection_limit::ConnectionLimit;
use listener::{Accepted, Served, listeners};
use stall::Patience;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinSet, spawn_blocking};

/// Pause after accepting a connection has failed, for example because no file descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the server cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An address cannot be listened on.
    #[error("{address} cannot be listened on: {source}")]
    Bind {
        /// The address.
        address: ListenAddress,
        /// The cause.
        source: io::Error,
    },
    /// A socket that systemd passed cannot be used.
    #[error("the socket that systemd passed cannot be used: {0}")]
    Passed(io::Error),
    /// The process could not get a resource that it needs to serve.
    #[error("the server cannot start: {0}")]
    Start(io::Error),
    /// The named task, which the daemon depends on, has ended.
    #[error("{0} has ended; the log says why")]
    Ended(&'static str),
    /// There is no address to listen on.
    #[error("there is no address to listen on")]
    NoAddress,
}

impl From<ServerError> for Problem {
    fn from(error: ServerError) -> Self {
        let code =
            if matches!(error, ServerError::Ended(_)) { Code::DaemonEnded } else { Code::DaemonListen };
        let problem = Self::new(code, error.to_string());
        let hint: Remedy = match error {
            ServerError::Bind { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "ports below 1024 need socket activation, or CAP_NET_BIND_SERVICE".into()
            }
            ServerError::Bind { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "make its directory, owned by the user of genfic-ocspd".into()
            }
            ServerError::Bind { .. } => remedy::Access::OtherAddress.into(),
            ServerError::Passed(_) => "look at the .socket unit".into(),
            ServerError::Start(_) => "look at the limits on processes and open files".into(),
            ServerError::Ended(_) => {
                "start it again, and report what the log says; systemd does the first".into()
            }
            ServerError::NoAddress => remedy::Access::Address.into(),
        };
        problem.hint(hint)
    }
}

/// Looks at the files in use, and logs what is lacking and whether the daemon is ready. The future that is returned looks
/// for new files every `interval`, whenever the system tells that some have changed, and whenever `at_once` is notified,
/// and for new status when a client requests a check; it logs what has changed. It never ends by itself: if it does,
/// something is wrong, and the daemon must not continue.
pub(crate) fn keep_reloading<S: ServedStatus>(
    mut reloader: Reloader<S>,
    mut refreshes: Refreshes,
    at_once: Arc<Notify>,
    interval: Duration,
    (clock, controls): (Arc<dyn Clock>, Controls),
) -> impl Future<Output = ()> {
    let (current, mut health) = (reloader.current(), Health::default());
    let mut look = move |now| health.look(&current.load(), &controls.settings(), now);
    look(clock.now());
    async move {
        let mut changes = match reloader.watch().and_then(Changes::new) {
            Ok(changes) => Some(changes),
            Err(error) => {
                tracing::info!(%error, "changed files are not told of, and looked for several times a second");
                None
            }
        };
        // the first look says what is to be watched
        let mut is_asked = true;
        let mut waiting = None;
        let mut polled_at = Instant::now();
        loop {
            let is_due = is_asked || polled_at.elapsed() >= interval;
            let time = Arc::clone(&clock);
            let began = Instant::now();
            let polled = spawn_blocking(move || {
                failpoint::in_thread("daemon: look");
                if is_due || reloader.is_behind() {
                    reloader.poll(time.now());
                }
                reloader
            });
            if is_due {
                polled_at = began;
            }
            match polled.await {
                Ok(back) => reloader = back,
                Err(error) => {
                    tracing::error!(%error, "reloading has ended");
                    return;
                }
            }
            drop(waiting);
            if let Some(changes) = &mut changes {
                changes.looked(began.elapsed());
            }
            if is_due {
                look(clock.now());
            }
            (waiting, is_asked) = tokio::select! {
                waiting = refreshes.next(interval.saturating_sub(polled_at.elapsed())) => (waiting, false),
                () = at_once.notified() => (None, true),
                () = told(&mut changes) => (None, true),
            };
        }
    }
}

/// Waits until the system tells of changed files, for ever where it does not.
async fn told(changes: &mut Option<Changes>) {
    match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}

/// Serves until `stop` is done, then lets open requests end, for `shutdown_timeout` at most.
///
/// # Errors
/// When a listener cannot be used, or can no longer be used.
pub async fn serve(
    listeners: Listeners,
    service: OcspService,
    settings: &ServerSettings,
    stop: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    let connection_limit = ConnectionLimit::new(settings.max_connections);
    // half of the processors are left to clients that wait for each answer
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let turns = Arc::new(Semaphore::new((processors / 2).max(1)));
    let (service, mut accepting) = (Arc::new(service), JoinSet::new());
    for listener in listeners.metrics {
        let listener = listener.serve().map_err(ServerError::Start)?;
        accepting.spawn(watched::answer(listener, Arc::clone(&service)));
    }
    for listener in listeners.clients {
        let listener = listener.serve().map_err(ServerError::Start)?;
        let connection = Connection {
            service: Arc::clone(&service),
            patience: Patience { head: settings.header_timeout, idle: settings.idle_timeout },
            turns: Arc::clone(&turns),
        };
        accepting.spawn(accept(listener, connection, Arc::clone(&connection_limit)));
    }
    tokio::select! {
        () = stop => {}
        _ = accepting.join_next() => return Err(ServerError::Ended("accepting connections")),
    }
    accepting.shutdown().await;
    connection_limit.stop();
    let all_free = connection_limit.all_free(settings.max_connections);
    if tokio::time::timeout(settings.shutdown_timeout, all_free).await.is_err() {
        tracing::warn!("connections that did not end in time were cut");
    }
    Ok(())
}

/// Accepts connections, and finds a place for each before the next. While all connections are being answered, those
/// above the limit, except for one, stay in the kernel's queue.
async fn accept(listener: Served, connection: Connection, connection_limit: Arc<ConnectionLimit>) {
    loop {
        match listener.accept().await {
            Ok(accepted) => {
                failpoint::in_thread("daemon: accept");
                let Some(permit) = connection_limit.take().await else { return };
                let connection = connection.clone();
                match accepted {
                    Accepted::Tcp(stream, from) => tokio::spawn(connection.serve(stream, Some(from), permit)),
                    Accepted::Unix(stream) => tokio::spawn(connection.serve(stream, None, permit)),
                };
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod download_tests;
#[cfg(test)]
mod tests;
