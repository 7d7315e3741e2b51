//! Refuses ambiguous requests, which two programs could read in two ways. Such requests can be smuggled past a proxy,
//! so the connection is closed too (RFC 9112 §11.2). What the HTTP library refuses itself is not checked again.
use hyper::header::{HOST, HeaderMap, TRANSFER_ENCODING};
use hyper::{Method, Request, Version};

/// Returns the fault in the head of a request; `None` when there is none.
pub(super) fn fault<B>(request: &Request<B>) -> Option<&'static str> {
    let headers = request.headers();
    // most requests have no header twice, which is quicker to see
    let is_each_once = headers.keys_len() == headers.len();
    let hosts = match is_each_once {
        true => usize::from(headers.contains_key(HOST)),
        false => headers.get_all(HOST).iter().count(),
    };
    if hosts > 1 || hosts == 0 && request.version() == Version::HTTP_11 {
        return Some("there must be one Host (RFC 9112 §3.2)\n");
    }
    let is_coded = !is_each_once || headers.contains_key(TRANSFER_ENCODING);
    if is_coded && !is_plainly_chunked(headers) {
        return Some("the only transfer coding is chunked, once (RFC 9112 §6.1)\n");
    }
    let is_path = request.uri().path().starts_with('/');
    let has_another_form = matches!(*request.method(), Method::CONNECT | Method::OPTIONS);
    (!is_path && !has_another_form).then_some("the target is no path (RFC 9112 §3.2)\n")
}

fn is_plainly_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(target: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method("POST").uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        fault(&request.body(()).unwrap()).is_some()
    }

    #[test]
    fn one_host_one_coding_and_a_path_are_what_a_request_has() {
        // O2
        let host = ("host", "a");
        assert!(!told("/", &[host]));
        assert!(!told("http://a/x", &[host, ("transfer-encoding", "Chunked")]));
        for headers in [
            &[][..],
            &[host, host],
            &[host, ("transfer-encoding", "gzip, chunked")],
            &[host, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
            &[host, ("transfer-encoding", "chunked, chunked")],
        ] {
            assert!(told("/", headers), "{headers:?}");
        }
        assert!(told("healthz", &[host]));
    }
}
