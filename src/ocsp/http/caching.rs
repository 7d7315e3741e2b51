//! HTTP headers that let clients and proxies cache answers and files (RFC 9919 §6, RFC 9111).
use crate::ocsp::answer::{Life, Tag};
use crate::ocsp::public_files::ServedFile;
use crate::x509::UnixTime;
use bytes::Bytes;
use httpdate::HttpDate;
use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue, InvalidHeaderValue};
use std::cell::RefCell;
use std::io::Write;
use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

/// Limit of max-age for a CRL or a certificate, in seconds.
const FILE_MAX_AGE: i64 = 3600;

/// Headers of an answer, with those that the HTTP library adds.
pub(super) const HEADERS: usize = 8;

/// Octets of a date.
const LONGEST_DATE: usize = 29;

/// Octets of the longest values of a reply: a tag with its quotes, two dates, and `Cache-Control`.
const VALUES: usize = 66 + 2 * LONGEST_DATE + 80;

/// For how long a reply may be cached, and the validators for revalidating it.
#[derive(Clone, Debug)]
pub(super) struct CacheLifetime {
    tag: EntityTag,
    modified: UnixTime,
    expires: Option<UnixTime>,
    max_age: i64,
    dates: Dates,
}

/// A part of an entity tag that tells replies apart: hexadecimal digits, at most those of a SHA-256 hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct EntityTag {
    digits: [u8; 64],
    length: usize,
}

impl EntityTag {
    /// Returns the tag with these digits. Longer ones are cut short.
    fn new(text: &str) -> Self {
        let mut tag = Self { digits: [0; 64], length: text.len().min(64) };
        tag.digits.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        tag
    }

    fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }

    /// The tag in quotes.
    fn to_value(self) -> Result<HeaderValue, InvalidHeaderValue> {
        let mut quoted = Vec::with_capacity(self.length + 2);
        quoted.push(b'"');
        quoted.extend_from_slice(self.as_bytes());
        quoted.push(b'"');
        HeaderValue::from_maybe_shared(Bytes::from(quoted))
    }
}

/// Headers of an answer, and what they were written for: thisUpdate, nextUpdate, max-age, and the time.
type WrittenHeaders = (Option<(UnixTime, Option<UnixTime>, i64, UnixTime)>, HeaderMap);

/// The tag of an answer.
impl From<Tag> for EntityTag {
    fn from(tag: Tag) -> Self {
        let mut digits = [0; 64];
        for (digits, octet) in digits.as_chunks_mut::<2>().0.iter_mut().zip(tag.0) {
            *digits =
                [octet >> 4, octet & 15].map(|half| if half < 10 { b'0' + half } else { b'a' + half - 10 });
        }
        Self { digits, length: 2 * tag.0.len() }
    }
}

/// What the date in `If-Modified-Since` shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Dates {
    /// Nothing: two different replies may have the same date.
    Nothing,
    /// The date of the reply itself shows that the client has it.
    Same,
    /// That date and every later one show it (RFC 9110 §13.1.3).
    SameOrLater,
}

impl CacheLifetime {
    /// Returns the freshness of a signed answer; `tag` is its hash.
    ///
    /// Last-Modified is thisUpdate and Expires is nextUpdate (RFC 9919 §6). max-age ends when the responder has a
    /// newer answer. An answer with a nonce is never fresh: caching it is allowed and useless.
    ///
    /// Successive answers from one status have the same thisUpdate. So a date alone proves that a client's copy is
    /// still good only if the earliest of these answers lasts as long as max-age promises.
    pub(super) fn of_answer(life: &Life, tag: EntityTag, now: UnixTime) -> Self {
        let max_age = if life.is_for_one { 0 } else { life.refresh_at.0.saturating_sub(now.0).max(0) };
        let length = life.next_update.0.saturating_sub(life.produced_at.0);
        Self {
            tag,
            modified: life.this_update,
            expires: Some(if life.is_for_one { now } else { life.next_update }),
            max_age,
            dates: if now.plus(max_age) <= life.this_update.plus(length) {
                Dates::Same
            } else {
                Dates::Nothing
            },
        }
    }

    /// Returns the freshness of a CRL or certificate. Last-Modified never lies in the future, also when the file's
    /// time does, because it was written by another clock (RFC 9110 §8.8.2.1).
    pub(super) fn of_file(file: &ServedFile, now: UnixTime) -> Self {
        let left = file.next_update.map_or(i64::MAX, |next| next.0.saturating_sub(now.0)).max(0);
        Self {
            tag: EntityTag::new(&file.tag),
            modified: file.modified.min(now),
            expires: file.next_update,
            max_age: FILE_MAX_AGE.min(left / 2),
            dates: Dates::SameOrLater,
        }
    }

    /// Writes the headers of a 200 or 304 reply. Their values share one buffer.
    pub(super) fn put(&self, headers: &mut HeaderMap) {
        let mut values = Vec::with_capacity(VALUES);
        values.push(b'"');
        values.extend_from_slice(self.tag.as_bytes());
        values.push(b'"');
        let tag = values.len();
        put_date(&mut values, Dated::LastModified, self.modified);
        let modified = values.len();
        if let Some(expires) = self.expires {
            put_date(&mut values, Dated::Expires, expires);
        }
        let expires = values.len();
        // writing into memory does not fail
        let _ = write!(values, "max-age={}, public, no-transform, must-revalidate", self.max_age);
        let values = Bytes::from(values);
        let mut put = |name, part: Range<usize>| {
            if let Ok(value) = HeaderValue::from_maybe_shared(values.slice(part)) {
                headers.insert(name, value);
            }
        };
        put(header::ETAG, 0..tag);
        put(header::LAST_MODIFIED, tag..modified);
        if modified < expires {
            put(header::EXPIRES, modified..expires);
        }
        put(header::CACHE_CONTROL, expires..values.len());
    }

    /// Returns the headers of a reply with an answer at `now`, with Content-Type and Date. Most answers of a second have all
    /// but the tag in common, so each thread keeps a few of them.
    pub(super) fn answer_headers(&self, media_type: &'static str, now: UnixTime) -> HeaderMap {
        thread_local! {
            static WRITTEN: RefCell<[WrittenHeaders; 32]> = RefCell::default();
        }
        let of = (self.modified, self.expires, self.max_age, now);
        let mut headers = WRITTEN.with_borrow_mut(|written| {
            // multiplied, so that times at the same distance have different places
            let spread = self.max_age.wrapping_add(self.modified.0).wrapping_mul(0x9e37_79b9) >> 24;
            let place = usize::try_from(spread.rem_euclid(32)).unwrap_or_default();
            let Some((known, headers)) = written.get_mut(place) else { return HeaderMap::new() };
            if *known != Some(of) {
                headers.clear();
                headers.reserve(HEADERS);
                self.put(headers);
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
                set_date(headers, now);
                *known = Some(of);
            }
            headers.clone()
        });
        // it is the first, and so found without its hash
        let tag = headers.iter_mut().find(|(name, _)| *name == header::ETAG);
        if let (Some((_, tag)), Ok(value)) = (tag, self.tag.to_value()) {
            *tag = value;
        }
        headers
    }

    /// Whether the client already has the current reply. The entity tag takes precedence over the date (RFC 9110
    /// §13.2.2).
    pub(super) fn is_known_to(&self, request: &HeaderMap) -> bool {
        let mut tags = request.get_all(header::IF_NONE_MATCH).iter().peekable();
        if tags.peek().is_some() {
            let texts = tags.filter_map(|value| value.to_str().ok());
            return texts.flat_map(|text| text.split(',')).any(|tag| self.is_tag(tag.trim()));
        }
        let mut dates = request.get_all(header::IF_MODIFIED_SINCE).iter();
        let (Some(since), None) = (dates.next(), dates.next()) else { return false };
        let Some(since) = since.to_str().ok().and_then(read_http_date) else { return false };
        match self.dates {
            Dates::Nothing => false,
            Dates::Same => since == self.modified,
            Dates::SameOrLater => since >= self.modified,
        }
    }

    /// Whether a part may be sent: there is no `If-Range`, or the client has a part of this very file. A date shows
    /// that when it is this file's, and a second before now: the file may change twice in one (RFC 9110 §13.1.5).
    pub(super) fn continues(&self, request: &HeaderMap, now: UnixTime) -> bool {
        let Some(value) = request.get(header::IF_RANGE) else { return true };
        let text = value.to_str().unwrap_or_default().trim();
        match text.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) {
            Some(tag) => tag.as_bytes() == self.tag.as_bytes(),
            None => read_http_date(text) == Some(self.modified) && self.modified < now,
        }
    }

    fn is_tag(&self, tag: &str) -> bool {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        let quoted = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        tag == "*" || quoted.is_some_and(|tag| tag.as_bytes() == self.tag.as_bytes())
    }
}

/// Writes a header. A value that is not valid in a header is left out.
pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// A time and how it is written.
type WrittenDate = (i64, [u8; LONGEST_DATE]);

/// Headers with a date.
#[derive(Clone, Copy)]
enum Dated {
    Date,
    LastModified,
    Expires,
}

/// Appends an HTTP date, for example `Sun, 06 Nov 1994 08:49:37 GMT`. A time that it cannot write is written as the nearest
/// one that it can. Each thread remembers a few of each header, because many answers were signed in the same second.
fn put_date(out: &mut Vec<u8>, header: Dated, at: UnixTime) {
    thread_local! {
        static WRITTEN: RefCell<[[WrittenDate; 16]; 3]> =
            const { RefCell::new([[(i64::MIN, [0; LONGEST_DATE]); 16]; 3]) };
    }
    WRITTEN.with_borrow_mut(|[date, modified, expires]| {
        let written = match header {
            Dated::Date => date,
            Dated::LastModified => modified,
            Dated::Expires => expires,
        };
        let place = usize::try_from(at.0.rem_euclid(16)).unwrap_or_default();
        let Some((of, octets)) = written.get_mut(place) else { return };
        if *of != at.0 {
            let seconds = u64::try_from(at.0.clamp(0, UnixTime::NO_END.0)).unwrap_or_default();
            // a date has just as many octets
            let _ = write!(&mut octets[..], "{}", HttpDate::from(UNIX_EPOCH + Duration::from_secs(seconds)));
            *of = at.0;
        }
        out.extend_from_slice(octets);
    });
}

/// Returns an HTTP date.
#[cfg(test)]
pub(super) fn http_date(at: UnixTime) -> String {
    let mut out = Vec::new();
    put_date(&mut out, Dated::Date, at);
    String::from_utf8(out).unwrap()
}

/// Sets Date from the service's own clock, so that it agrees with the times in the answer. Each thread writes it once a
/// second.
pub(super) fn set_date(headers: &mut HeaderMap, now: UnixTime) {
    thread_local! {
        static LAST: RefCell<(UnixTime, HeaderValue)> =
            const { RefCell::new((UnixTime(i64::MIN), HeaderValue::from_static(""))) };
    }
    LAST.with_borrow_mut(|(of, value)| {
        if *of != now {
            let mut out = Vec::with_capacity(LONGEST_DATE);
            put_date(&mut out, Dated::Date, now);
            if let Ok(written) = HeaderValue::from_maybe_shared(Bytes::from(out)) {
                (*of, *value) = (now, written);
            }
        }
        headers.insert(header::DATE, value.clone());
    });
}

/// Reads a date in any of the three forms that HTTP has had (RFC 9110 §5.6.7).
fn read_http_date(text: &str) -> Option<UnixTime> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(UnixTime::from_duration(since))
}

#[cfg(test)]
#[path = "caching_tests.rs"]
mod tests;
