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
use crate::ocsp::status::StatusSource;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

/// A responder that is loaded and not listening yet.
pub struct Daemon<S: StatusSource> {
    reloader: Reloader<S>,
    service: OcspService,
    looks: Looks,
    settings: ServerSettings,
    clock: Arc<dyn Clock>,
}

impl<S: StatusSource> Daemon<S> {
    /// Loads what is there, and says in the log what is missing; it need not be there yet.
    #[must_use]
    pub fn new(
        source: S,
        responder_files: ResponderFiles,
        public_files: PublicFiles,
        responder: ResponderSettings,
        server: ServerSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let now = clock.now();
        let max_connections = make_room(server.max_connections);
        let server = ServerSettings { max_connections, ..server };
        let reloader = Reloader::new(source, responder_files, public_files, now);
        for reason in unreadiness(&reloader.current().load(), &responder, now) {
            tracing::warn!("not ready: {reason}");
        }
        let (looker, looks) = looks();
        let service = OcspService::new(reloader.current(), responder, &server, Arc::clone(&clock));
        Self { reloader, service: service.with_looker(looker), looks, settings: server, clock }
    }

    /// The listeners to run on: those that systemd passed, or the addresses of the settings.
    ///
    /// # Errors
    /// When there is none, or one cannot be had.
    pub fn listeners(&self) -> Result<Vec<TcpListener>, ServerError> {
        listeners(&self.settings)
    }

    /// Serves until SIGTERM or SIGINT, then lets open requests end. `ready` is called when both signals are
    /// heeded and connections are about to be accepted, `stopping` when one has come.
    ///
    /// # Errors
    /// When threads, signals or a listener cannot be had.
    pub fn run(
        self,
        listeners: Vec<TcpListener>,
        ready: impl FnOnce(),
        stopping: impl FnOnce(),
    ) -> Result<(), ServerError> {
        let runtime =
            runtime::Builder::new_multi_thread().enable_all().build().map_err(ServerError::Start)?;
        let served = runtime.block_on(async {
            let (mut terminate, mut interrupt) =
                (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            tokio::spawn(keep_reloading(self.reloader, self.looks, self.settings.poll_interval, self.clock));
            ready();
            let stop = async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                stopping();
            };
            serve(listeners, self.service, &self.settings, stop).await
        });
        runtime.shutdown_background();
        served.map_err(|error: io::Error| ServerError::Start(error))
    }
}
