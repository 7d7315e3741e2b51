//! What the head of a request asks for.
use super::get_path::request_in;
use hyper::Method;
use hyper::header::{self, HeaderMap};

/// The media type of a request.
pub(super) const ASKED_BY_POST: &str = "application/ocsp-request";

/// Returns the path below that of a URL in certificates. Where the path begins with none of them, it is left as it is: a
/// web server in front may have taken it away.
pub(super) fn below<'a>(path: &'a str, bases: &[String]) -> &'a str {
    let found = bases.iter().find_map(|base| match path.strip_prefix(base.as_str())? {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    });
    found.unwrap_or(path)
}

/// Whether a path is one of the two for OCSP requests.
pub(super) fn is_ocsp(path: &str) -> bool {
    matches!(path, "/" | "/ocsp") || matches!(path.trim_matches('/'), "" | "ocsp")
}

/// Whether a path may have a request in it, and is none of the others.
pub(super) fn is_request_path(path: &str) -> bool {
    !path.contains('.') && !is_probe(path)
}

/// Returns the octets of the request in the path of a GET or HEAD.
pub(super) fn request_in_line(path: &str, method: &Method) -> Option<Vec<u8>> {
    let is_asked = matches!(*method, Method::GET | Method::HEAD) && is_request_path(path);
    if is_asked { request_in(path) } else { None }
}

fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// Whether the Content-Type is that of RFC 6960, is absent, or is `application/octet-stream`.
pub(super) fn is_request_type(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    if value.as_bytes() == ASKED_BY_POST.as_bytes() {
        return true;
    }
    let named = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    [ASKED_BY_POST, "application/octet-stream"].iter().any(|known| named.eq_ignore_ascii_case(known))
}
