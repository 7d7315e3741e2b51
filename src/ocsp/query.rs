//! HTTP client: asks an OCSP responder, and fetches CRLs.
use super::client::{Question, VerifiedStatus};
use crate::error::{Code, Problem, remedy};
use crate::x509::UnixTime;
use std::time::Duration;
use ureq::Agent;
use ureq::http::header::CONTENT_TYPE;

/// Limit of an OCSP response in octets: 256 KiB, many times the size of one with a certificate.
const MAX_ANSWER: u64 = 256 << 10;
/// Limit of a fetched file in octets: 256 MiB, the largest CRL that is supported.
const MAX_FILE: u64 = 256 << 20;
/// Tolerated difference of the responder's clock, in seconds.
const SKEW: i64 = 300;

/// Why no response was received.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The URL is not `http://`. OCSP responses are signed, and fetching them must not depend on TLS.
    #[error("`{0}` is not an http:// URL")]
    NotHttp(String),
    /// The server could not be reached, or did not answer in time.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// The URL that was asked.
        url: String,
        /// The cause.
        reason: String,
    },
    /// The server answered with something else than an OCSP response.
    #[error("{url} answered {what}")]
    NotOcsp {
        /// The URL that was asked.
        url: String,
        /// The HTTP status or media type.
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

/// Posts a request and returns the octets of the response, unverified. The exchange takes `timeout` at most.
///
/// # Errors
/// When the URL is not `http://`, or no OCSP response is received.
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

/// Fetches a CRL or a CA certificate. The exchange takes `timeout` at most.
///
/// # Errors
/// When the URL is not `http://`, or the answer is not 200 with at most 256 MiB.
pub fn fetch(url: &str, timeout: Duration) -> Result<Vec<u8>, QueryError> {
    fetch_at_most(url, timeout, MAX_FILE)
}

/// Fetches a file of at most `most` octets. The exchange takes `timeout` at most.
///
/// # Errors
/// As [`fetch`].
pub fn fetch_at_most(url: &str, timeout: Duration, most: u64) -> Result<Vec<u8>, QueryError> {
    let unreachable =
        |error: ureq::Error| QueryError::Unreachable { url: url.into(), reason: error.to_string() };
    let mut response = agent(url, timeout)?.get(url).call().map_err(unreachable)?;
    if response.status() != 200 {
        return Err(QueryError::NotOcsp { url: url.into(), what: response.status().to_string() });
    }
    response.body_mut().with_config().limit(most).read_to_vec().map_err(unreachable)
}

/// Asks a responder about a certificate and verifies the response.
///
/// # Errors
/// When no response is received, or it does not verify.
pub fn ask(
    url: &str,
    question: &Question,
    now: UnixTime,
    timeout: Duration,
) -> Result<VerifiedStatus, Problem> {
    let answer = post(url, &question.to_request(), timeout)?;
    Ok(question.verify(&answer, now, SKEW)?)
}
