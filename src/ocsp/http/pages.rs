//! Pages for those who look whether the daemon is well: `/healthz` and `/readyz`.
use super::parts::Parts;
use super::refresh::Refresher;
use super::replies::{Reply, text};
use super::reply_body::ReplyBody;
use crate::ocsp::readiness::{report, unreadiness};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use hyper::{Response, StatusCode};
use std::sync::Arc;

/// State of the routes.
type RouteState = (Arc<Parts>, Option<Refresher>);

/// Returns the routes of the pages; everything else is not found.
pub(super) fn router(parts: Arc<Parts>, refresher: Option<Refresher>) -> Router {
    Router::new()
        .route("/healthz", get(async || routed(text(StatusCode::OK, "ok\n"))))
        .route("/readyz", get(readyz))
        .fallback(nothing)
        .with_state((parts, refresher))
}

async fn readyz(State((parts, refresher)): State<RouteState>) -> Response<axum::body::Body> {
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
