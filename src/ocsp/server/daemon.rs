//! The responder daemon: assembled from its parts, and run until it is told to stop.
use super::open_files::make_room;
use super::{Listeners, ServerError, keep_reloading, listeners, serve};
use crate::clock::Clock;
use crate::ocsp::http::{OcspService, Refreshes, refreshes};
use crate::ocsp::public_files::PublicFiles;
use crate::ocsp::reload::Reloader;
use crate::ocsp::responder_files::ResponderFiles;
use crate::ocsp::rules::{Controls, Rules};
use crate::ocsp::served::ServedStatus;
use crate::ocsp::settings::ServerSettings;
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

/// A responder that is loaded and does not listen yet.
pub struct Daemon<S: ServedStatus> {
    reloader: Reloader<S>,
    service: OcspService,
    refreshes: Refreshes,
    settings: ServerSettings,
    clock: Arc<dyn Clock>,
    runtime: Runtime,
    hangup: Signal,
}

impl<S: ServedStatus> Daemon<S> {
    /// Loads the files. What is missing may appear later. SIGHUP is handled from here on, because loading long CRLs takes
    /// seconds.
    ///
    /// # Errors
    /// When threads or signal handlers are not available.
    pub fn new(
        source: S,
        responder_files: ResponderFiles,
        public_files: PublicFiles,
        rules: Rules,
        server: ServerSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        let mut builder = runtime::Builder::new_multi_thread();
        // at most eight tasks run before new connections are noticed
        builder.event_interval(8);
        // threads for signatures, of which as many as processors are made at a time, and for the look for new files
        builder.max_blocking_threads(available_parallelism().map_or(2, usize::from) + 2);
        let runtime = builder.enable_all().build().map_err(ServerError::Start)?;
        let hangup = runtime.block_on(async { signal(SignalKind::hangup()) }).map_err(ServerError::Start)?;
        let now = clock.now();
        let max_connections = make_room(server.max_connections);
        let server = ServerSettings { max_connections, ..server };
        let reloader = Reloader::new(source, responder_files, public_files, now);
        let (refresher, refreshes) = refreshes();
        let service = OcspService::new(reloader.current(), rules, &server, Arc::clone(&clock));
        let service = service.with_looker(refresher);
        Ok(Self { reloader, service, refreshes, settings: server, clock, runtime, hangup })
    }

    /// Returns the listeners: the sockets that systemd passed, else those on the addresses of the settings.
    ///
    /// # Errors
    /// When there is none, or an address cannot be bound.
    pub fn listeners(&self) -> Result<Listeners, ServerError> {
        listeners(&self.settings.listen, self.settings.metrics.as_ref())
    }

    /// Serves until SIGTERM or SIGINT, then lets open requests end. SIGHUP calls `reload`, which may block, and then
    /// starts a look for new files at once. `ready` is called when the signals are handled and connections are about to be accepted, `stopping` when a
    /// signal to end has arrived.
    ///
    /// # Errors
    /// When threads, signal handlers or a listener are not available, or when a task that must not end has ended.
    pub fn run(
        self,
        listeners: Listeners,
        ready: impl FnOnce(),
        stopping: impl FnOnce(),
        reload: impl Fn(&Controls) + Send + Sync + 'static,
    ) -> Result<(), ServerError> {
        let (runtime, mut hangup) = (self.runtime, self.hangup);
        let served = runtime.block_on(async {
            let of = |kind| signal(kind).map_err(ServerError::Start);
            let (mut terminate, mut interrupt) = (of(SignalKind::terminate())?, of(SignalKind::interrupt())?);
            let at_once = Arc::new(Notify::new());
            let interval = self.settings.poll_interval;
            let controls = self.service.controls();
            let rules = (self.clock, controls.clone());
            let reloading =
                keep_reloading(self.reloader, self.refreshes, Arc::clone(&at_once), interval, rules);
            let reload = Arc::new(reload);
            let heeding = async {
                while hangup.recv().await.is_some() {
                    tracing::info!("SIGHUP: looking for new files and another configuration");
                    let (reload, controls) = (Arc::clone(&reload), controls.clone());
                    if let Err(error) = spawn_blocking(move || reload(&controls)).await {
                        tracing::error!(%error, "the configuration cannot be read again");
                    }
                    at_once.notify_one();
                }
            };
            ready();
            let reloading = tokio::spawn(reloading);
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
