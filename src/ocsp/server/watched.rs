//! The listener for those who watch the daemon from outside: `GET /metrics`, and nothing else. It has few connections of
//! its own, so that who reads numbers takes no client's place.
use super::listener::{Accepted, Served};
use crate::ocsp::http::OcspService;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

/// Connections at a time. Further ones wait in the kernel's queue.
const CONNECTIONS: usize = 8;

/// How long a connection may last.
const LONGEST: Duration = Duration::from_secs(60);

/// The media type of Prometheus' text format.
const PAGE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers on this listener until it is dropped.
pub(super) async fn answer(listener: Served, service: Arc<OcspService>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let service = Arc::clone(&service);
        match listener.accept().await {
            Ok(Accepted::Tcp(stream, _)) => drop(tokio::spawn(connection(stream, service, place))),
            Ok(Accepted::Unix(stream)) => drop(tokio::spawn(connection(stream, service, place))),
            Err(error) => {
                tracing::warn!(%error, "a connection for metrics could not be accepted");
                tokio::time::sleep(super::ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection<P>(stream: impl AsyncRead + AsyncWrite + Unpin, service: Arc<OcspService>, place: P) {
    let reply = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(reply(&request, &service)) }
    });
    let connection =
        http1::Builder::new().max_buf_size(16 << 10).serve_connection(TokioIo::new(stream), reply);
    // who takes longer, or breaks off, asks again
    let _ = tokio::time::timeout(LONGEST, connection).await;
    drop(place);
}

fn reply(request: &Request<Incoming>, service: &OcspService) -> Response<Full<Bytes>> {
    let (status, page) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, service.metrics_page()),
        (_, "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, "GET it\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "what there is, is at /metrics\n".to_owned()),
    };
    let mut reply = Response::new(Full::new(page.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PAGE));
    reply
}
