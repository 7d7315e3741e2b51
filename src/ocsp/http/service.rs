//! Answers one HTTP request.
use super::caching::{CacheLifetime, http_date, put};
use super::framing::fault;
use super::get_path::request_in;
use super::log_throttle::LogThrottle;
use super::refresh::Refresher;
use super::reply_body::{FileBody, ReplyBody};
use super::request_body::{BodyFault, collect};
use super::turn::{Held, Turn};
use crate::clock::Clock;
use crate::failpoint;
use crate::ocsp::answer::Answer;
use crate::ocsp::cache::AnswerCache;
use crate::ocsp::public_files::ServedFile;
use crate::ocsp::readiness::{report, unreadiness};
use crate::ocsp::responder::{Plan, plan};
use crate::ocsp::response::ResponseStatus;
use crate::ocsp::settings::{ResponderSettings, ServerSettings};
use crate::ocsp::snapshot::Snapshot;
use crate::x509::{Fingerprint, UnixTime};
use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tower::ServiceExt;

const ASKED_BY_POST: &str = "application/ocsp-request";
const ANSWER: &str = "application/ocsp-response";
const TEXT: &str = "text/plain; charset=utf-8";

/// The HTTP reply.
pub(super) type Reply = Response<ReplyBody>;

/// The HTTP interface of the responder: OCSP by POST and GET, CRLs and CA certificates, health.
#[derive(Clone)]
pub struct OcspService {
    parts: Arc<Parts>,
    refresher: Option<Refresher>,
    others: Router,
}

struct Parts {
    snapshot: Arc<ArcSwap<Snapshot>>,
    settings: ResponderSettings,
    cache: AnswerCache,
    clock: Arc<dyn Clock>,
    log_throttle: LogThrottle,
    /// Bounds the simultaneous signatures. There are as many as processors, so that those that wait hold no thread.
    signing: Semaphore,
    max_body: usize,
    max_path: usize,
    body_timeout: Duration,
}

/// State of the routes.
type Asked = (Arc<Parts>, Option<Refresher>);

impl OcspService {
    /// Returns a service that answers each request from the snapshot that is current at that time.
    #[must_use]
    pub fn new(
        snapshot: Arc<ArcSwap<Snapshot>>,
        settings: ResponderSettings,
        server: &ServerSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let parts = Arc::new(Parts {
            snapshot,
            cache: AnswerCache::new(&settings),
            settings,
            clock,
            log_throttle: LogThrottle::default(),
            signing: Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)),
            max_body: server.max_body,
            max_path: server.max_path,
            body_timeout: server.body_timeout,
        });
        Self::with(parts, None)
    }

    fn with(parts: Arc<Parts>, refresher: Option<Refresher>) -> Self {
        let others = Router::new()
            .route("/healthz", get(async || with_date(text(StatusCode::OK, "ok\n"), None)))
            .route("/readyz", get(readyz))
            .fallback(nothing)
            .with_state((Arc::clone(&parts), refresher.clone()));
        Self { parts, refresher, others }
    }

    /// Returns the same service, which checks for new status before it answers that a certificate is unknown.
    #[must_use]
    pub(crate) fn with_looker(self, refresher: Refresher) -> Self {
        Self::with(self.parts, Some(refresher))
    }

    /// Answers one request. The two OCSP routes are handled before the router, which would take longer than they do,
    /// and which changes escapes and slashes in the path.
    pub async fn reply<B>(&self, request: Request<B>) -> Result<Reply, Infallible>
    where
        B: Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let now = self.parts.clock.now();
        let path = request.uri().path();
        let is_ocsp = matches!(path.trim_matches('/'), "" | "ocsp");
        if path.len() > self.parts.max_path {
            return Ok(with_date(text(StatusCode::URI_TOO_LONG, "the path is too long\n"), Some(now)));
        }
        if let Some(fault) = fault(&request) {
            return Ok(with_date(closing(text(StatusCode::BAD_REQUEST, fault)), Some(now)));
        }
        let turn = request.extensions().get::<Turn>().cloned();
        if *request.method() == Method::POST && is_ocsp {
            return Ok(with_date(self.post(request, turn, now).await, Some(now)));
        }
        let _turn = come(turn).await;
        let reply = match *request.method() {
            Method::GET | Method::HEAD if !path.contains('.') && !is_probe(path) => match request_in(path) {
                Some(octets) => self.get(&octets, request.headers(), now).await,
                None => text(StatusCode::NOT_FOUND, "OCSP requests go to POST / or GET /BASE64\n"),
            },
            Method::OPTIONS if path == "*" => refused_method("GET, HEAD, POST"),
            _ if is_ocsp || (!path.contains('.') && !is_probe(path) && request_in(path).is_some()) => {
                refused_method(if is_ocsp { "GET, HEAD, POST" } else { "GET, HEAD" })
            }
            _ => match self.file(&request, now) {
                Some(reply) => reply,
                None => return Ok(self.other(request).await),
            },
        };
        Ok(with_date(reply, Some(now)))
    }

    async fn post<B>(&self, request: Request<B>, turn: Option<Turn>, now: UnixTime) -> Reply
    where
        B: Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if !is_request_type(request.headers()) {
            let mut reply = text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/ocsp-request\n");
            put(reply.headers_mut(), HeaderName::from_static("accept-post"), ASKED_BY_POST);
            return reply;
        }
        // the buffer of the head is released with it
        let body = collect(request.into_body(), self.parts.max_body);
        match tokio::time::timeout(self.parts.body_timeout, body).await {
            Ok(Ok(body)) => {
                let _turn = come(turn).await;
                answered(&self.answer(&body, now).await, None, now)
            }
            Ok(Err(BodyFault::TooLarge)) => {
                closing(text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n"))
            }
            Ok(Err(BodyFault::CutShort)) => closing(text(StatusCode::BAD_REQUEST, "the body is cut short\n")),
            Err(_) => closing(text(StatusCode::REQUEST_TIMEOUT, "the body took too long\n")),
        }
    }

    async fn get(&self, octets: &[u8], headers: &HeaderMap, now: UnixTime) -> Reply {
        answered(&self.answer(octets, now).await, Some(headers), now)
    }

    /// Answers from the cache, or signs on a blocking thread so that other requests are not delayed.
    async fn answer(&self, octets: &[u8], now: UnixTime) -> Answer {
        let parts = &self.parts;
        let decide = || plan(octets, &parts.snapshot.load(), &parts.settings, now);
        let mut decided = decide();
        if let Some(refresher) = &self.refresher
            && is_ignorant(&decided)
        {
            refresher.refresh().await;
            decided = decide();
        }
        let answer = match decided {
            Err(refusal) => refusal,
            Ok(plan) => match parts.cache.get(&plan, now) {
                Some(answer) => answer,
                None => Arc::clone(parts).sign(plan, now).await,
            },
        };
        match answer.status() {
            ResponseStatus::Successful => {}
            ResponseStatus::TryLater | ResponseStatus::InternalError => {
                if let Some(times) = parts.log_throttle.add(answer.reason(), now) {
                    tracing::warn!(status = %answer.status(), reason = answer.reason(), times, "no answer");
                }
            }
            status => tracing::debug!(%status, reason = answer.reason(), "no answer"),
        }
        answer
    }

    /// Answers `GET /NAME.crl` and `GET /NAME.crt`. The name is looked up in the snapshot and never used as a path.
    fn file<B>(&self, request: &Request<B>, now: UnixTime) -> Option<Reply> {
        let snapshot = self.parts.snapshot.load();
        let file = snapshot.file(request.uri().path().trim_start_matches('/'))?;
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        Some(if is_read { file_reply(file, request.headers(), now) } else { refused_method("GET, HEAD") })
    }

    async fn other<B>(&self, request: Request<B>) -> Reply {
        let (head, _) = request.into_parts();
        let request = Request::from_parts(head, axum::body::Body::empty());
        let Ok(response) = self.others.clone().oneshot(request).await;
        let (head, body) = response.into_parts();
        let octets = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Response::from_parts(head, octets.into())
    }
}

impl Parts {
    async fn sign(self: Arc<Self>, plan: Plan, now: UnixTime) -> Answer {
        let failed = |reason: String| Answer::refused(ResponseStatus::InternalError, reason);
        let Ok(_turn) = self.signing.acquire().await else { return failed("shutting down".into()) };
        let parts = Arc::clone(&self);
        let signed = spawn_blocking(move || {
            failpoint::in_thread("daemon: sign");
            let answer = plan.sign(&parts.settings, now);
            parts.cache.put(&plan, &answer);
            answer
        });
        signed.await.unwrap_or_else(|error| failed(error.to_string()))
    }
}

/// Whether newer status than the loaded one could change the answer.
fn is_ignorant(plan: &Result<Plan, Answer>) -> bool {
    match plan {
        Ok(plan) => !plan.is_all_recorded(),
        Err(refusal) => refusal.status() != ResponseStatus::MalformedRequest,
    }
}

async fn come(turn: Option<Turn>) -> Held {
    turn?.come().await
}

fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// Whether the Content-Type is that of RFC 6960, is absent, or is `application/octet-stream`.
fn is_request_type(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let named = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    [ASKED_BY_POST, "application/octet-stream"].iter().any(|known| named.eq_ignore_ascii_case(known))
}

/// Returns the reply with an answer. `headers` are those of a GET, which may validate a cached copy; `None` for a
/// POST.
fn answered(answer: &Answer, headers: Option<&HeaderMap>, now: UnixTime) -> Reply {
    let octets = || Bytes::from_owner(Arc::clone(answer.octets())).into();
    let Some(life) = answer.life() else {
        let mut reply = of(StatusCode::OK, ANSWER, octets());
        put(reply.headers_mut(), header::CACHE_CONTROL, "no-store");
        return reply;
    };
    let tag = Fingerprint::of(answer.octets()).to_hex();
    fresh_or_not_modified(octets, ANSWER, &CacheLifetime::of_answer(life, tag, now), headers)
}

fn fresh_or_not_modified(
    body: impl FnOnce() -> ReplyBody,
    media_type: &str,
    freshness: &CacheLifetime,
    headers: Option<&HeaderMap>,
) -> Reply {
    let mut reply = match headers.is_some_and(|headers| freshness.is_known_to(headers)) {
        true => {
            let mut reply = Reply::default();
            *reply.status_mut() = StatusCode::NOT_MODIFIED;
            reply
        }
        false => of(StatusCode::OK, media_type, body()),
    };
    freshness.put(reply.headers_mut());
    reply
}

async fn readyz(State((parts, refresher)): State<Asked>) -> Reply {
    let now = parts.clock.now();
    let snapshot = parts.snapshot.load();
    let mut reasons = unreadiness(&snapshot, &parts.settings, now);
    if refresher.is_some_and(|refresher| refresher.has_stopped()) {
        reasons.push("new status is not looked for any more".into());
    }
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    with_date(text(status, &report(&reasons, &snapshot, now)), Some(now))
}

async fn nothing(State((parts, _)): State<Asked>) -> Reply {
    with_date(text(StatusCode::NOT_FOUND, "there is no such file\n"), Some(parts.clock.now()))
}

fn file_reply(file: &Arc<ServedFile>, headers: &HeaderMap, now: UnixTime) -> Reply {
    let body = || ReplyBody::File(FileBody::new(file));
    fresh_or_not_modified(body, file.media_type, &CacheLifetime::of_file(file, now), Some(headers))
}

fn refused_method(allowed: &str) -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "this method is not for this path\n");
    put(reply.headers_mut(), header::ALLOW, allowed);
    reply
}

fn closing(mut reply: Reply) -> Reply {
    put(reply.headers_mut(), header::CONNECTION, "close");
    reply
}

fn text(status: StatusCode, text: &str) -> Reply {
    let mut reply = of(status, TEXT, Bytes::copy_from_slice(text.as_bytes()).into());
    put(reply.headers_mut(), header::CACHE_CONTROL, "no-store");
    reply
}

fn of(status: StatusCode, media_type: &str, body: ReplyBody) -> Reply {
    let mut reply = Reply::new(body);
    *reply.status_mut() = status;
    put(reply.headers_mut(), header::CONTENT_TYPE, media_type);
    reply
}

/// Sets Date from the service's own clock, so that it agrees with the times in the answer.
fn with_date(mut reply: Reply, now: Option<UnixTime>) -> Reply {
    if let Some(now) = now {
        put(reply.headers_mut(), header::DATE, &http_date(now));
    }
    reply
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
