//! Answers one HTTP request.
use super::access::Access;
use super::caching::put;
use super::framing::fault;
use super::get_path::request_in;
use super::log_throttle::LogThrottle;
use super::refresh::Refresher;
use super::replies::{Reply, answered, closing, file_reply, refused_method, text, with_date};
use super::reply_body::ReplyBody;
use super::request_body::{BodyFault, Collected, collect, within};
use super::signing::Signing;
use super::turn::{Held, Turn};
use crate::clock::Clock;
use crate::ocsp::answer::{Answer, Refusal};
use crate::ocsp::readiness::{report, unreadiness};
use crate::ocsp::responder::{Plan, plan};
use crate::ocsp::response::ResponseStatus;
use crate::ocsp::rules::{Controls, Rules};
use crate::ocsp::settings::ServerSettings;
use crate::ocsp::snapshot::Snapshot;
use crate::x509::UnixTime;
use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

const ASKED_BY_POST: &str = "application/ocsp-request";

/// The HTTP interface of the responder: OCSP by POST and GET, CRLs and CA certificates, health.
#[derive(Clone)]
pub struct OcspService {
    parts: Arc<Parts>,
    refresher: Option<Refresher>,
    others: Router,
}

struct Parts {
    snapshot: Arc<ArcSwap<Snapshot>>,
    rules: Controls,
    clock: Arc<dyn Clock>,
    log_throttle: LogThrottle,
    signing: Signing,
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
        rules: Rules,
        server: &ServerSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let parts = Arc::new(Parts {
            snapshot,
            rules: Controls(Arc::new(ArcSwap::from_pointee(rules))),
            clock,
            log_throttle: LogThrottle::default(),
            signing: Signing::default(),
            max_body: server.max_body,
            max_path: server.max_path,
            body_timeout: server.body_timeout,
        });
        Self::with(parts, None)
    }

    fn with(parts: Arc<Parts>, refresher: Option<Refresher>) -> Self {
        let others = Router::new()
            .route("/healthz", get(async || routed(text(StatusCode::OK, "ok\n"))))
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

    /// Returns what a new configuration changes.
    #[must_use]
    pub fn controls(&self) -> Controls {
        self.parts.rules.clone()
    }

    /// Answers one request of a client with this address, and adds it to the access log where there is one.
    pub async fn reply<B>(&self, request: Request<B>, client: Option<IpAddr>) -> Result<Reply, Infallible>
    where
        B: Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let rules = self.parts.rules.0.load_full();
        let now = self.parts.clock.now();
        let Some(log) = &rules.access else { return Ok(self.reply_by(&rules, request, now).await) };
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let reply = self.reply_by(&rules, request, now).await;
        log.add(&Access {
            time: now,
            client,
            method: &method,
            path: &path,
            status: reply.status().as_u16(),
            octets: if method == Method::HEAD { 0 } else { reply.body().size_hint().lower() },
            answer: reply.extensions().get().copied(),
        });
        Ok(reply)
    }

    async fn reply_by<B>(&self, rules: &Arc<Rules>, request: Request<B>, now: UnixTime) -> Reply
    where
        B: Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if let Some(reply) = self.refused_head(&request, now) {
            return with_date(self.noting_errors(reply, now), now);
        }
        let path = below(request.uri().path(), &rules.paths);
        let is_ocsp = matches!(path.trim_matches('/'), "" | "ocsp");
        // who is ahead of his answers waits for his turn first
        let is_ahead = request.extensions().get::<Turn>().is_some();
        let is_answered_by_body =
            is_ocsp && *request.method() == Method::POST && is_request_type(request.headers());
        if !is_answered_by_body {
            let early = request_in_line(path, &request).filter(|_| !is_ahead);
            if let Some(answer) = early.and_then(|octets| self.parts.at_once(rules, &octets, now)) {
                return with_date(noted(rules, answer, Some(request.headers()), now), now);
            }
            // what takes longer is kept elsewhere, so that the future of what is answered at once stays small
            let reply = Box::pin(self.route(rules, request, now)).await;
            return with_date(self.noting_errors(reply, now), now);
        }
        let turn = request.extensions().get::<Turn>().cloned();
        // the buffer of the head is released with it
        let early = |octets: &[u8]| (!is_ahead).then(|| self.parts.at_once(rules, octets, now)).flatten();
        let body = collect(request.into_body(), self.parts.max_body, early);
        let reply = match within(self.parts.body_timeout, body).await {
            Ok(Ok(Collected::Early(answer))) => return with_date(noted(rules, answer, None, now), now),
            Ok(Ok(Collected::Octets(octets))) => Box::pin(self.post(rules, octets, turn, now)).await,
            Ok(Err(BodyFault::TooLarge)) => {
                closing(text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n"))
            }
            Ok(Err(BodyFault::CutShort)) => closing(text(StatusCode::BAD_REQUEST, "the body is cut short\n")),
            Err(_) => closing(text(StatusCode::REQUEST_TIMEOUT, "the body took too long\n")),
        };
        with_date(self.noting_errors(reply, now), now)
    }

    /// Returns the reply to a request that is refused by its head alone.
    fn refused_head<B>(&self, request: &Request<B>, now: UnixTime) -> Option<Reply> {
        if request.uri().path().len() > self.parts.max_path {
            return Some(text(StatusCode::URI_TOO_LONG, "the path is too long\n"));
        }
        let fault = fault(request)?;
        self.parts.refused("400", fault.trim_end(), now);
        Some(closing(text(StatusCode::BAD_REQUEST, fault)))
    }

    /// Logs a reply that refuses something.
    fn noting_errors(&self, reply: Reply, now: UnixTime) -> Reply {
        if reply.status().is_client_error() {
            let status = reply.status();
            self.parts.refused(status.as_str(), status.canonical_reason().unwrap_or_default(), now);
        }
        reply
    }

    /// Finds what answers a request. The two OCSP routes are handled before the router, which would take longer than
    /// they do, and which changes escapes and slashes in the path.
    async fn route<B>(&self, rules: &Arc<Rules>, request: Request<B>, now: UnixTime) -> Reply
    where
        B: Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = below(request.uri().path(), &rules.paths);
        let is_ocsp = matches!(path.trim_matches('/'), "" | "ocsp");
        if *request.method() == Method::POST && is_ocsp {
            let mut reply = text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/ocsp-request\n");
            put(reply.headers_mut(), HeaderName::from_static("accept-post"), ASKED_BY_POST);
            return reply;
        }
        let _turn = come(request.extensions().get::<Turn>().cloned()).await;
        match *request.method() {
            Method::GET | Method::HEAD if is_request_path(path) => match request_in(path) {
                Some(octets) => self.get(rules, &octets, request.headers(), now).await,
                None => text(StatusCode::NOT_FOUND, "OCSP requests go to POST / or GET /BASE64\n"),
            },
            Method::OPTIONS if path == "*" => refused_method("GET, HEAD, POST"),
            _ if is_ocsp || (is_request_path(path) && request_in(path).is_some()) => {
                refused_method(if is_ocsp { "GET, HEAD, POST" } else { "GET, HEAD" })
            }
            _ => match self.file(path, &request, now) {
                Some(reply) => reply,
                None => self.other(path, request.method()).await,
            },
        }
    }

    async fn post(&self, rules: &Arc<Rules>, octets: Vec<u8>, turn: Option<Turn>, now: UnixTime) -> Reply {
        let _turn = come(turn).await;
        noted(rules, self.answer(rules, &octets, now).await, None, now)
    }

    async fn get(&self, rules: &Arc<Rules>, octets: &[u8], headers: &HeaderMap, now: UnixTime) -> Reply {
        noted(rules, self.answer(rules, octets, now).await, Some(headers), now)
    }

    /// Answers from the cache, or signs.
    async fn answer(&self, rules: &Arc<Rules>, octets: &[u8], now: UnixTime) -> Answer {
        let parts = &self.parts;
        if let Some(answer) = parts.at_once(rules, octets, now) {
            return answer;
        }
        let decide = || plan(octets, &parts.snapshot.load(), &rules.settings, now);
        let mut decided = decide();
        if let Some(refresher) = &self.refresher
            && is_ignorant(&decided)
        {
            refresher.refresh().await;
            decided = decide();
        }
        let answer = match decided {
            Err(refusal) => refusal.into(),
            Ok(plan) => match rules.cache.get(&plan, now) {
                Some(answer) => answer,
                None => parts.signing.answer(rules, plan, now).await,
            },
        };
        match answer.status() {
            ResponseStatus::Successful => {}
            ResponseStatus::TryLater | ResponseStatus::InternalError => {
                if let Some(times) = parts.log_throttle.add(answer.reason(), now) {
                    tracing::warn!(status = %answer.status(), reason = answer.reason(), times, "no answer");
                }
            }
            status => parts.refused(&status.to_string(), answer.reason(), now),
        }
        answer
    }

    /// Answers `GET /NAME.crl` and `GET /NAME.crt`. The name is looked up in the snapshot and never used as a path.
    fn file<B>(&self, path: &str, request: &Request<B>, now: UnixTime) -> Option<Reply> {
        let snapshot = self.parts.snapshot.load();
        let file = snapshot.file(path.trim_start_matches('/'))?;
        Some(match *request.method() {
            Method::GET | Method::HEAD => file_reply(file, request.method(), request.headers(), now),
            _ => refused_method("GET, HEAD"),
        })
    }

    async fn other(&self, path: &str, method: &Method) -> Reply {
        let mut request = Request::new(axum::body::Body::empty());
        *request.method_mut() = method.clone();
        *request.uri_mut() = path.parse().unwrap_or_default();
        let Ok(response) = self.others.clone().oneshot(request).await;
        let (head, body) = response.into_parts();
        let octets = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Response::from_parts(head, octets.into())
    }
}

impl Parts {
    /// Logs why a request was refused: each reason at once, and then once a minute with its count. Each request is
    /// logged at level debug.
    fn refused(&self, status: &str, reason: &str, now: UnixTime) {
        if let Some(times) = self.log_throttle.add(reason, now) {
            tracing::info!(status, reason, times, "refused");
        } else {
            tracing::debug!(status, reason, "refused");
        }
    }

    /// Returns the answer that needs no look at the request or the status.
    fn at_once(&self, rules: &Rules, octets: &[u8], now: UnixTime) -> Option<Answer> {
        rules.cache.at_once(octets, &self.snapshot.load(), &rules.settings, now)
    }
}

/// Whether newer status than the loaded one could change the answer.
fn is_ignorant(plan: &Result<Plan, Refusal>) -> bool {
    match plan {
        Ok(plan) => !plan.is_all_recorded(),
        Err(refusal) => refusal.status() != ResponseStatus::MalformedRequest,
    }
}

/// Returns the reply with an answer, whose status it has with it when requests are logged.
fn noted(rules: &Rules, answer: Answer, headers: Option<&HeaderMap>, now: UnixTime) -> Reply {
    let status = answer.status();
    let mut reply = answered(answer, headers, now);
    if rules.access.is_some() {
        reply.extensions_mut().insert(status);
    }
    reply
}

/// Returns the path below that of a URL in certificates. Where the path begins with none of them, it is left as it is: a
/// web server in front may have taken it away.
fn below<'a>(path: &'a str, bases: &[String]) -> &'a str {
    let found = bases.iter().find_map(|base| match path.strip_prefix(base.as_str())? {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    });
    found.unwrap_or(path)
}

/// Whether a path may have a request in it, and is none of the others.
fn is_request_path(path: &str) -> bool {
    !path.contains('.') && !is_probe(path)
}

/// Returns the octets of the request in the path of a GET or HEAD.
fn request_in_line<B>(path: &str, request: &Request<B>) -> Option<Vec<u8>> {
    let is_asked = matches!(*request.method(), Method::GET | Method::HEAD) && is_request_path(path);
    if is_asked { request_in(path) } else { None }
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
    if value.as_bytes() == ASKED_BY_POST.as_bytes() {
        return true;
    }
    let named = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    [ASKED_BY_POST, "application/octet-stream"].iter().any(|known| named.eq_ignore_ascii_case(known))
}

async fn readyz(State((parts, refresher)): State<Asked>) -> Response<axum::body::Body> {
    let now = parts.clock.now();
    let snapshot = parts.snapshot.load();
    let mut reasons = unreadiness(&snapshot, &parts.rules.0.load().settings, now);
    if refresher.is_some_and(|refresher| refresher.has_stopped()) {
        reasons.push("new status is not looked for any more".into());
    }
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    routed(text(status, &report(&reasons, &snapshot, now)))
}

async fn nothing() -> Response<axum::body::Body> {
    routed(text(StatusCode::NOT_FOUND, "there is no such file\n"))
}

/// Returns a reply as the router has it, which knows bodies in one piece.
fn routed(reply: Reply) -> Response<axum::body::Body> {
    reply.map(|body| match body {
        ReplyBody::Whole([first, _]) => first.into(),
        ReplyBody::File(_) => axum::body::Body::empty(),
    })
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
