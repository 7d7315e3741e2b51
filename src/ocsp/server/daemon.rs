//! The whole of it in one value: built from its parts, bound, run until it is told to stop.
use super::open_files::make_room;
use super::{ServerError, keep_reloading, listeners, serve};
use crate::clock::Clock;
use crate::ocsp::http::{Looks, OcspService, looks};
use crate::ocsp::public_files::PublicFiles;
use crate::ocsp::readiness::unreadiness;
use crate::ocsp::reload::Reloader;
use crate::ocsp::responder_files::ResponderFiles;
use crate::ocsp::settings::{ResponderSettings, ServerSettings};
use crate::status::StatusSource;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// A responder that is loaded and not listening yet.
pub struct Daemon<S: StatusSource> {
    reloader: Reloader<S>,
    service: OcspService,
    looks: Looks,
    settings: ServerSettings,
    clock: Arc<dyn Clock>,
    runtime: Runtime,
    hangup: Signal,
}

impl<S: StatusSource> Daemon<S> {
    /// Loads what is there, and says in the log what is missing; it need not be there yet. SIGHUP is heeded from here
    /// on: to load long lists takes seconds.
    ///
    /// # Errors
    /// When threads or signals cannot be had.
    pub fn new(
        source: S,
        responder_files: ResponderFiles,
        public_files: PublicFiles,
        responder: ResponderSettings,
        server: ServerSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        let mut builder = runtime::Builder::new_multi_thread();
        // so many requests at most are answered before it is seen who else has come
        builder.event_interval(8);
        // signatures, of which there are as many as processors at a time, and the look for new files
        builder.max_blocking_threads(available_parallelism().map_or(2, usize::from) + 2);
        let runtime = builder.enable_all().build().map_err(ServerError::Start)?;
        let hangup = runtime.block_on(async { signal(SignalKind::hangup()) }).map_err(ServerError::Start)?;
        let now = clock.now();
        let max_connections = make_room(server.max_connections);
        let server = ServerSettings { max_connections, ..server };
        let reloader = Reloader::new(source, responder_files, public_files, now);
        for reason in unreadiness(&reloader.current().load(), &responder, now) {
            tracing::warn!("not ready: {reason}");
        }
        let (looker, looks) = looks();
        let service = OcspService::new(reloader.current(), responder, &server, Arc::clone(&clock));
        let service = service.with_looker(looker);
        Ok(Self { reloader, service, looks, settings: server, clock, runtime, hangup })
    }

    /// The listeners to run on: those that systemd passed, or the addresses of the settings.
    ///
    /// # Errors
    /// When there is none, or one cannot be had.
    pub fn listeners(&self) -> Result<Vec<TcpListener>, ServerError> {
        listeners(&self.settings)
    }

    /// Serves until SIGTERM or SIGINT, then lets open requests end; SIGHUP has new files looked for at once.
    /// `ready` is called when the signals are heeded and connections are about to be accepted, `stopping` when one
    /// to end has come.
    ///
    /// # Errors
    /// When threads, signals or a listener cannot be had, or something ends that must not.
    pub fn run(
        self,
        listeners: Vec<TcpListener>,
        ready: impl FnOnce(),
        stopping: impl FnOnce(),
    ) -> Result<(), ServerError> {
        let (runtime, mut hangup) = (self.runtime, self.hangup);
        let served = runtime.block_on(async {
            let of = |kind| signal(kind).map_err(ServerError::Start);
            let (mut terminate, mut interrupt) = (of(SignalKind::terminate())?, of(SignalKind::interrupt())?);
            let at_once = Arc::new(Notify::new());
            let interval = self.settings.poll_interval;
            let reloading =
                keep_reloading(self.reloader, self.looks, Arc::clone(&at_once), interval, self.clock);
            let reloading = tokio::spawn(reloading);
            let heeding = async {
                while hangup.recv().await.is_some() {
                    tracing::info!("SIGHUP: looking for new files");
                    at_once.notify_one();
                }
            };
            ready();
            let stop = async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                stopping();
            };
            tokio::select! {
                served = serve(listeners, self.service, &self.settings, stop) => served,
                _ = reloading => Err(ServerError::Ended("looking for new files")),
                () = heeding => Err(ServerError::Ended("heeding SIGHUP")),
            }
        });
        runtime.shutdown_background();
        served
    }
}
