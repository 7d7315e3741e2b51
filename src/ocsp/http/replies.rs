//! The replies of the service, with the headers that belong to each.
use super::caching::{CacheLifetime, HEADERS, put, set_date};
use super::range::Part;
use super::reply_body::{FileBody, ReplyBody};
use crate::ocsp::answer::Answer;
use crate::ocsp::public_files::ServedFile;
use crate::x509::UnixTime;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Response, StatusCode};
use std::sync::Arc;

pub(super) const ANSWER: &str = "application/ocsp-response";
const TEXT: &str = "text/plain; charset=utf-8";

/// The HTTP reply.
pub(crate) type Reply = Response<ReplyBody>;

/// Returns the reply with an answer, with its Date. `headers` are those of a GET, which may validate a cached copy; `None`
/// for a POST.
pub(super) fn answered(answer: Answer, headers: Option<&HeaderMap>, now: UnixTime) -> Reply {
    let Some(life) = answer.life() else {
        let mut reply = of(StatusCode::OK, ANSWER, answer.pieces().into());
        put(reply.headers_mut(), header::CACHE_CONTROL, "no-store");
        return with_date(reply, now);
    };
    let freshness = CacheLifetime::of_answer(life, answer.tag().into(), now);
    let written = freshness.answer_headers(ANSWER, now);
    let is_known = headers.is_some_and(|headers| freshness.is_known_to(headers));
    let mut reply = if is_known { not_modified() } else { Reply::new(answer.pieces().into()) };
    *reply.headers_mut() = written;
    if is_known {
        reply.headers_mut().remove(header::CONTENT_TYPE);
    }
    reply
}

/// Returns the reply to a GET or HEAD for a file: all of it, the part that is asked for, or that the client has it
/// already. A Range counts for GET only (RFC 9110 §14.2).
pub(super) fn file_reply(
    file: &Arc<ServedFile>,
    method: &Method,
    headers: &HeaderMap,
    now: UnixTime,
) -> Reply {
    let freshness = CacheLifetime::of_file(file, now);
    let length = file.octets.len();
    let part = match *method == Method::GET && freshness.continues(headers, now) {
        true => Part::asked(headers, length),
        false => Part::Whole,
    };
    let mut reply = match part {
        _ if freshness.is_known_to(headers) => not_modified(),
        Part::Whole => of(StatusCode::OK, file.media_type, ReplyBody::File(FileBody::new(file))),
        Part::Of(range) => {
            let octets = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
            let body = ReplyBody::File(FileBody::of(file, range));
            let mut reply = of(StatusCode::PARTIAL_CONTENT, file.media_type, body);
            put(reply.headers_mut(), header::CONTENT_RANGE, &octets);
            reply
        }
        Part::Unsatisfiable => {
            let mut reply = text(StatusCode::RANGE_NOT_SATISFIABLE, "the file has no such octets\n");
            put(reply.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{length}"));
            return reply;
        }
    };
    put(reply.headers_mut(), header::ACCEPT_RANGES, "bytes");
    freshness.put(reply.headers_mut());
    reply
}

fn not_modified() -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = StatusCode::NOT_MODIFIED;
    reply
}

pub(super) fn refused_method(allowed: &str) -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "this method is not for this path\n");
    put(reply.headers_mut(), header::ALLOW, allowed);
    reply
}

/// Returns the reply, after which the connection ends.
pub(super) fn closing(mut reply: Reply) -> Reply {
    put(reply.headers_mut(), header::CONNECTION, "close");
    reply
}

pub(super) fn text(status: StatusCode, text: &str) -> Reply {
    let mut reply = of(status, TEXT, Bytes::copy_from_slice(text.as_bytes()).into());
    put(reply.headers_mut(), header::CACHE_CONTROL, "no-store");
    reply
}

fn of(status: StatusCode, media_type: &'static str, body: ReplyBody) -> Reply {
    let mut reply = Reply::new(body);
    *reply.status_mut() = status;
    reply.headers_mut().reserve(HEADERS);
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    reply
}

/// Sets Date.
pub(super) fn with_date(mut reply: Reply, now: UnixTime) -> Reply {
    set_date(reply.headers_mut(), now);
    reply
}
