//! HTTP headers that let clients and proxies cache answers and files (RFC 9919 §6, RFC 9111).
use crate::ocsp::answer::Life;
use crate::ocsp::public_files::ServedFile;
use crate::x509::UnixTime;
use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

/// Limit of max-age for a CRL or a certificate, in seconds.
const FILE_MAX_AGE: i64 = 3600;

/// For how long a reply may be cached, and the validators for revalidating it.
#[derive(Clone, Debug)]
pub(super) struct CacheLifetime {
    tag: String,
    modified: UnixTime,
    expires: Option<UnixTime>,
    max_age: i64,
    /// Whether `If-Modified-Since` is decisive. It is not while two different replies may have the same date.
    dates_tell: bool,
}

impl CacheLifetime {
    /// Returns the freshness of a signed answer; `tag` is its hash.
    ///
    /// Last-Modified is thisUpdate and Expires is nextUpdate (RFC 9919 §6). max-age ends when the responder has a
    /// newer answer. An answer with a nonce is never fresh: caching it is allowed and useless.
    ///
    /// Successive answers from one status have the same thisUpdate. So a date alone proves that a client's copy is
    /// still good only if the earliest of these answers lasts as long as max-age promises.
    pub(super) fn of_answer(life: &Life, tag: String, now: UnixTime) -> Self {
        let max_age = if life.is_for_one { 0 } else { life.refresh_at.0.saturating_sub(now.0).max(0) };
        let length = life.next_update.0.saturating_sub(life.produced_at.0);
        Self {
            tag,
            modified: life.this_update,
            expires: Some(if life.is_for_one { now } else { life.next_update }),
            max_age,
            dates_tell: now.plus(max_age) <= life.this_update.plus(length),
        }
    }

    /// Returns the freshness of a CRL or certificate.
    pub(super) fn of_file(file: &ServedFile, now: UnixTime) -> Self {
        let left = file.next_update.map_or(i64::MAX, |next| next.0.saturating_sub(now.0)).max(0);
        Self {
            tag: file.tag.clone(),
            modified: file.modified,
            expires: file.next_update,
            max_age: FILE_MAX_AGE.min(left / 2),
            dates_tell: true,
        }
    }

    /// Writes the headers of a 200 or 304 reply.
    pub(super) fn put(&self, headers: &mut HeaderMap) {
        let control = format!("max-age={}, public, no-transform, must-revalidate", self.max_age);
        put(headers, header::ETAG, &format!("\"{}\"", self.tag));
        put(headers, header::LAST_MODIFIED, &http_date(self.modified));
        if let Some(expires) = self.expires {
            put(headers, header::EXPIRES, &http_date(expires));
        }
        put(headers, header::CACHE_CONTROL, &control);
    }

    /// Whether the client already has the current reply. The entity tag takes precedence over the date (RFC 9110
    /// §13.2.2).
    pub(super) fn is_known_to(&self, request: &HeaderMap) -> bool {
        let mut tags = request.get_all(header::IF_NONE_MATCH).iter().peekable();
        if tags.peek().is_some() {
            let texts = tags.filter_map(|value| value.to_str().ok());
            return texts.flat_map(|text| text.split(',')).any(|tag| self.is_tag(tag.trim()));
        }
        let since = request.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
        self.dates_tell && since.and_then(read_http_date) == Some(self.modified)
    }

    fn is_tag(&self, tag: &str) -> bool {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(&self.tag)
    }
}

/// Writes a header. A value that is not valid in a header is left out.
pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Returns an HTTP date, for example `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(at: UnixTime) -> String {
    Timestamp::from_second(at.0)
        .and_then(|at| DateTimePrinter::new().timestamp_to_rfc9110_string(&at))
        .unwrap_or_default()
}

fn read_http_date(text: &str) -> Option<UnixTime> {
    DateTimeParser::new().parse_timestamp(text).ok().map(|at| UnixTime(at.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(784_111_777);

    fn life() -> Life {
        Life {
            this_update: NOW.plus(-300),
            produced_at: NOW,
            next_update: NOW.plus(86_400),
            refresh_at: NOW.plus(43_200),
            is_for_one: false,
        }
    }

    fn asking(name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        put(&mut headers, name, value);
        headers
    }

    #[test]
    fn dates_are_written_and_read_as_http_has_them() {
        assert_eq!(http_date(NOW), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(read_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(NOW));
        assert_eq!(read_http_date("yesterday"), None);
    }

    #[test]
    fn an_answer_is_fresh_until_there_is_a_newer_one_and_one_for_a_nonce_never() {
        // O9
        let headers_of = |life: &Life, now| {
            let mut headers = HeaderMap::new();
            CacheLifetime::of_answer(life, "t".into(), now).put(&mut headers);
            headers
        };
        let headers = headers_of(&life(), NOW.plus(200));
        assert_eq!(headers[header::CACHE_CONTROL], "max-age=43000, public, no-transform, must-revalidate");
        assert_eq!(headers[header::EXPIRES], http_date(NOW.plus(86_400)));
        assert_eq!(headers[header::LAST_MODIFIED], http_date(NOW.plus(-300)));
        assert_eq!(headers[header::ETAG], "\"t\"");
        let headers = headers_of(&Life { is_for_one: true, ..life() }, NOW);
        assert_eq!(headers[header::CACHE_CONTROL], "max-age=0, public, no-transform, must-revalidate");
    }

    #[test]
    fn a_client_that_has_the_answer_is_recognised_by_tag_or_date() {
        // O9
        let freshness = CacheLifetime::of_answer(&life(), "t".into(), NOW);
        for tag in ["\"t\"", "W/\"t\"", "\"a\", \"t\"", "*"] {
            assert!(freshness.is_known_to(&asking(header::IF_NONE_MATCH, tag)), "{tag}");
        }
        assert!(!freshness.is_known_to(&asking(header::IF_NONE_MATCH, "\"u\"")));
        assert!(!freshness.is_known_to(&HeaderMap::new()));
        let date = http_date(NOW.plus(-300));
        let mut headers = asking(header::IF_MODIFIED_SINCE, &date);
        assert!(freshness.is_known_to(&headers));
        put(&mut headers, header::IF_NONE_MATCH, "\"u\"");
        assert!(!freshness.is_known_to(&headers), "the tag counts before the date");
    }

    #[test]
    fn a_date_alone_does_not_prolong_an_older_answer_from_the_same_status() {
        // O9
        let later = Life { produced_at: NOW.plus(50_000), next_update: NOW.plus(136_400), ..life() };
        let later = Life { refresh_at: NOW.plus(93_200), ..later };
        let freshness = CacheLifetime::of_answer(&later, "t".into(), NOW.plus(50_000));
        let date = http_date(NOW.plus(-300));
        assert!(!freshness.is_known_to(&asking(header::IF_MODIFIED_SINCE, &date)));
    }
}
