//! Asking a responder, and fetching CRLs, by HTTP.
use super::client::{Question, VerifiedStatus};
use crate::error::{Code, Problem, remedy};
use crate::x509::UnixTime;
use std::time::Duration;
use ureq::Agent;
use ureq::http::header::CONTENT_TYPE;

/// Octets of the largest answer that is read.
const MAX_ANSWER: u64 = 256 << 10;
/// Octets of the largest CRL that is read.
const MAX_FILE: u64 = 256 << 20;
/// Seconds by which the responder's clock may be off.
const SKEW: i64 = 300;

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
            QueryError::NotHttp(_) => {
                Self::new(Code::OcspUrl, message).hint("OCSP is asked by plain http; the answer is signed")
            }
            QueryError::Unreachable { .. } => {
                Self::new(Code::OcspUnreachable, message).hint("is the responder running, and the URL right?")
            }
            QueryError::NotOcsp { .. } => {
                Self::new(Code::OcspNotAResponder, message).hint(remedy::Access::ResponderUrl)
            }
        }
    }
}

/// Posts a request and returns the answer's octets, unverified; all of it within `timeout`.
///
/// # Errors
/// When the URL is not `http://`, or no OCSP response comes back.
pub fn post(url: &str, request: &[u8], timeout: Duration) -> Result<Vec<u8>, QueryError> {
    let agent = agent(url, timeout)?;
    let unreachable =
        |error: ureq::Error| QueryError::Unreachable { url: url.into(), reason: error.to_string() };
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

fn agent(url: &str, timeout: Duration) -> Result<Agent, QueryError> {
    if !url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")) {
        return Err(QueryError::NotHttp(url.into()));
    }
    Ok(Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .build()
        .into())
}

/// Fetches a CRL or a CA certificate; all of it within `timeout`.
///
/// # Errors
/// When the URL is not `http://`, or it is not answered with 200 and at most 256 MiB.
pub fn fetch(url: &str, timeout: Duration) -> Result<Vec<u8>, QueryError> {
    let unreachable =
        |error: ureq::Error| QueryError::Unreachable { url: url.into(), reason: error.to_string() };
    let mut response = agent(url, timeout)?.get(url).call().map_err(unreachable)?;
    if response.status() != 200 {
        return Err(QueryError::NotOcsp { url: url.into(), what: response.status().to_string() });
    }
    response.body_mut().with_config().limit(MAX_FILE).read_to_vec().map_err(unreachable)
}

/// Asks a responder about a certificate and verifies its answer.
///
/// # Errors
/// When there is no answer, or it does not verify.
pub fn ask(
    url: &str,
    question: &Question,
    now: UnixTime,
    timeout: Duration,
) -> Result<VerifiedStatus, Problem> {
    let answer = post(url, &question.to_request(), timeout)?;
    Ok(question.verify(&answer, now, SKEW)?)
}
