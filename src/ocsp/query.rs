//! Sending a request to a responder by HTTP.
use crate::problem::{Exit, Problem};
use std::time::Duration;
use ureq::Agent;
use ureq::http::header::CONTENT_TYPE;

/// Octets of the largest answer that is read.
const MAX_ANSWER: u64 = 256 << 10;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Not `http://`: OCSP answers are signed, and their fetching must not depend on TLS.
    #[error("`{0}` is not an http:// URL")]
    NotHttp(String),
    /// Nothing came back.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// The URL.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server answered with something else than an OCSP response.
    #[error("{url} answered {what}")]
    NotOcsp {
        /// The URL.
        url: String,
        /// Status or media type.
        what: String,
    },
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let message = error.to_string();
        match error {
            QueryError::NotHttp(_) => Self::new(Exit::Usage, "ocsp.url", message)
                .hint("OCSP is asked by plain http; the answer is signed"),
            QueryError::Unreachable { .. } => Self::new(Exit::Failure, "ocsp.unreachable", message)
                .hint("is the responder running, and the URL right?"),
            QueryError::NotOcsp { .. } => Self::new(Exit::Failure, "ocsp.not-a-responder", message)
                .hint("name the responder's URL with --url"),
        }
    }
}

/// Posts a request and returns the answer's octets, unverified; all of it within `timeout`.
///
/// # Errors
/// When the URL is not `http://`, or no OCSP response comes back.
pub fn post(url: &str, request: &[u8], timeout: Duration) -> Result<Vec<u8>, QueryError> {
    if !url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")) {
        return Err(QueryError::NotHttp(url.into()));
    }
    let unreachable =
        |error: ureq::Error| QueryError::Unreachable { url: url.into(), reason: error.to_string() };
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .build()
        .into();
    let mut response = agent
        .post(url)
        .header(CONTENT_TYPE, "application/ocsp-request")
        .header("Accept", "application/ocsp-response")
        .send(request)
        .map_err(unreachable)?;
    let not_ocsp = |what: String| Err(QueryError::NotOcsp { url: url.into(), what });
    if response.status() != 200 {
        return not_ocsp(response.status().to_string());
    }
    match response.body().mime_type() {
        Some("application/ocsp-response") => {}
        other => return not_ocsp(other.unwrap_or("no media type").into()),
    }
    response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(unreachable)
}
