//! Answers one HTTP request.
use super::access::Access;
use super::asked::{Asked, Begun, Logged};
use super::caching::put;
use super::framing::fault;
use super::get_path::request_in;
use super::log_throttle::LogThrottle;
use super::pages::router;
use super::parts::Parts;
use super::refresh::Refresher;
use super::replies::{Reply, answered, closing, file_reply, refused_method, text, with_date};
use super::request_body::{BodyFault, Limit, copied, first, rest};
use super::signing::Signing;
use super::target::{ASKED_BY_POST, below, is_ocsp, is_request_path, is_request_type, request_in_line};
use super::turn::{Held, Turn};
use crate::clock::Clock;
use crate::ocsp::answer::{Answer, Refusal};
use crate::ocsp::metrics::{AnswerPath, MethodKind, Metrics, exposition, gauges};
use crate::ocsp::presigned;
use crate::ocsp::responder::{Plan, plan};
use crate::ocsp::response::ResponseStatus;
use crate::ocsp::rules::{Controls, Rules};
use crate::ocsp::settings::ServerSettings;
use crate::ocsp::snapshot::Snapshot;
use crate::x509::UnixTime;
use arc_swap::ArcSwap;
use axum::Router;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;
use tower::ServiceExt;

/// The HTTP interface of the responder: OCSP by POST and GET, CRLs and CA certificates, health.
#[derive(Clone)]
pub struct OcspService {
    parts: Arc<Parts>,
    refresher: Option<Refresher>,
    others: Router,
}

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
            metrics: Arc::default(),
            max_body: server.max_body,
            max_path: server.max_path,
            body_timeout: server.body_timeout,
        });
        Self::with(parts, None)
    }

    fn with(parts: Arc<Parts>, refresher: Option<Refresher>) -> Self {
        let others = router(Arc::clone(&parts), refresher.clone());
        Self { parts, refresher, others }
    }

    /// Returns the same service, which checks for new status before it answers that a certificate is unknown.
    #[must_use]
    pub(crate) fn with_looker(self, refresher: Refresher) -> Self {
        Self::with(self.parts, Some(refresher))
    }

    /// The counters, for what is counted elsewhere.
    #[must_use]
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.parts.metrics
    }

    /// Returns the counters and what is so now, as Prometheus reads them.
    #[must_use]
    pub(crate) fn metrics_page(&self) -> String {
        let parts = &self.parts;
        let (rules, now) = (parts.rules.0.load(), parts.clock.now());
        let gauges = gauges(&parts.snapshot.load(), &rules, parts.signing.queue(), now);
        exposition(&parts.metrics.counts(), &gauges)
    }

    /// Returns what a new configuration changes.
    #[must_use]
    pub fn controls(&self) -> Controls {
        self.parts.rules.clone()
    }

    /// Reads the head of a request of a client with this address. Who is ahead of his answers waits for his `turn` before
    /// he is answered.
    pub(crate) fn begin<B>(
        &self,
        request: Request<B>,
        client: Option<IpAddr>,
        turn: Option<Turn>,
    ) -> Asked<B> {
        let rules = self.parts.rules.0.load_full();
        let now = self.parts.clock.now();
        let logged = rules.access.as_ref().map(|_| {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            Box::new(Logged { client, method, path })
        });
        let method = MethodKind::of(request.method());
        let begun = self.begun(&rules, request, turn.is_some(), now);
        Asked { begun, rules, now, turn, logged, method }
    }

    fn begun<B>(&self, rules: &Rules, request: Request<B>, is_ahead: bool, now: UnixTime) -> Begun<B> {
        if let Some(reply) = self.refused_head(&request, now) {
            return Begun::Answered(with_date(reply, now));
        }
        let path = below(request.uri().path(), &rules.paths);
        if is_ocsp(path) && *request.method() == Method::POST && is_request_type(request.headers()) {
            // the buffer of the head is released with it
            return Begun::Asking(request.into_body());
        }
        let early = if is_ahead { None } else { request_in_line(path, request.method()) };
        match early.and_then(|octets| self.parts.at_once(rules, &octets, now)) {
            Some(answer) => {
                self.parts.metrics.answer(answer.status(), AnswerPath::Kept);
                Begun::Answered(noted(rules, answer, Some(request.headers()), now))
            }
            None => Begun::Other(Box::new(request)),
        }
    }

    /// Answers a request, and adds it to the access log where there is one.
    pub(crate) async fn finish<B>(&self, asked: &mut Asked<B>) -> Reply
    where
        B: Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Asked { begun, rules, now, turn, logged, method } = asked;
        let (rules, now) = (&*rules, *now);
        // what takes longer is kept elsewhere, so that the future of what is answered at once stays small
        let reply = match begun {
            Begun::Answered(reply) => std::mem::take(reply),
            Begun::Asking(body) => self.by_body(rules, body, turn, now).await,
            Begun::Other(request) => {
                let reply = Box::pin(self.route(rules, request, turn.take(), now)).await;
                with_date(self.noting_errors(reply, now), now)
            }
        };
        self.parts.metrics.request(*method, reply.status());
        if let (Some(log), Some(logged)) = (&rules.access, logged) {
            log.add(&Access {
                time: now,
                client: logged.client,
                method: &logged.method,
                path: &logged.path,
                status: reply.status().as_u16(),
                octets: if logged.method == Method::HEAD { 0 } else { reply.body().size_hint().lower() },
                answer: reply.extensions().get().copied(),
            });
        }
        reply
    }

    /// Answers by the body of a POST.
    async fn by_body<B>(
        &self,
        rules: &Arc<Rules>,
        body: &mut B,
        turn: &mut Option<Turn>,
        now: UnixTime,
    ) -> Reply
    where
        B: Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut limit = Limit::new(self.parts.body_timeout);
        let begun = match limit.within(first(body, self.parts.max_body)).await {
            Ok(Ok(octets)) => {
                if turn.is_none()
                    && body.is_end_stream()
                    && let Some(answer) = self.parts.at_once(rules, &octets, now)
                {
                    self.parts.metrics.answer(answer.status(), AnswerPath::Kept);
                    return noted(rules, answer, None, now);
                }
                // a copy, since the frame keeps the buffer that it was read into
                Ok(Ok(copied(&octets, &*body, self.parts.max_body)))
            }
            Ok(Err(fault)) => Ok(Err(fault)),
            Err(elapsed) => Err(elapsed),
        };
        let is_whole = body.is_end_stream();
        Box::pin(async {
            let come = match begun {
                Ok(Ok(octets)) => limit.within(rest(octets, body, self.parts.max_body)).await,
                Ok(Err(fault)) => Ok(Err(fault)),
                Err(elapsed) => Err(elapsed),
            };
            let reply = match come {
                Ok(Ok(octets)) => {
                    // what came in one frame was looked for already, unless its client is ahead
                    let is_missed = is_whole && turn.is_none();
                    let _turn = come_to(turn.take()).await;
                    noted(rules, self.answer(rules, &octets, is_missed, now).await, None, now)
                }
                Ok(Err(BodyFault::TooLarge)) => {
                    closing(text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n"))
                }
                Ok(Err(BodyFault::CutShort)) => {
                    closing(text(StatusCode::BAD_REQUEST, "the body is cut short\n"))
                }
                Err(_) => closing(text(StatusCode::REQUEST_TIMEOUT, "the body took too long\n")),
            };
            with_date(self.noting_errors(reply, now), now)
        })
        .await
    }

    /// Returns the reply to a request that is refused by its head alone.
    fn refused_head<B>(&self, request: &Request<B>, now: UnixTime) -> Option<Reply> {
        if request.uri().path().len() > self.parts.max_path {
            return Some(self.noting_errors(text(StatusCode::URI_TOO_LONG, "the path is too long\n"), now));
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
    async fn route<B>(
        &self,
        rules: &Arc<Rules>,
        request: &Request<B>,
        turn: Option<Turn>,
        now: UnixTime,
    ) -> Reply
    where
        B: Body<Data = Bytes> + Send + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = below(request.uri().path(), &rules.paths);
        let is_ocsp = is_ocsp(path);
        if *request.method() == Method::POST && is_ocsp {
            let mut reply = text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/ocsp-request\n");
            put(reply.headers_mut(), HeaderName::from_static("accept-post"), ASKED_BY_POST);
            return reply;
        }
        let is_missed = turn.is_none();
        let _turn = come_to(turn).await;
        match *request.method() {
            Method::GET | Method::HEAD if is_request_path(path) => match request_in(path) {
                Some(octets) => {
                    let answer = self.answer(rules, &octets, is_missed, now).await;
                    noted(rules, answer, Some(request.headers()), now)
                }
                None => text(StatusCode::NOT_FOUND, "OCSP requests go to POST / or GET /BASE64\n"),
            },
            Method::OPTIONS if path == "*" => refused_method("GET, HEAD, POST"),
            _ if is_ocsp || (is_request_path(path) && request_in(path).is_some()) => {
                refused_method(if is_ocsp { "GET, HEAD, POST" } else { "GET, HEAD" })
            }
            _ => match self.file(path, request, now) {
                Some(reply) => reply,
                None => self.other(path, request.method()).await,
            },
        }
    }

    /// Answers from the cache, or signs. `is_missed` says that it was looked for in the cache by the octets already.
    async fn answer(&self, rules: &Arc<Rules>, octets: &[u8], is_missed: bool, now: UnixTime) -> Answer {
        let parts = &self.parts;
        let at_once = if is_missed { None } else { parts.at_once(rules, octets, now) };
        if let Some(answer) = at_once {
            parts.metrics.answer(answer.status(), AnswerPath::Kept);
            return answer;
        }
        let snapshot = parts.snapshot.load();
        if let Some(store) = snapshot.answers() {
            let answer = presigned::answer(octets, &snapshot, store, (&rules.settings, &rules.cache), now);
            return parts.noted(answer, AnswerPath::Stored, now);
        }
        drop(snapshot);
        let decide = || plan(octets, &parts.snapshot.load(), &rules.settings, now);
        let mut decided = decide();
        if let Some(refresher) = &self.refresher
            && is_ignorant(&decided)
        {
            refresher.refresh().await;
            decided = decide();
        }
        let (answer, path) = match decided {
            Err(refusal) => (refusal.into(), AnswerPath::Live),
            Ok(plan) => match rules.cache.get(&plan, now) {
                Some(answer) => (answer, AnswerPath::Kept),
                None => {
                    let anew = parts.anew(rules, octets, now);
                    (parts.signing.answer(rules, plan, anew, &parts.metrics, now).await, AnswerPath::Live)
                }
            },
        };
        parts.noted(answer, path, now)
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

async fn come_to(turn: Option<Turn>) -> Held {
    turn?.come().await
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
