//! HTTP headers that let clients and proxies cache answers and files (RFC 9919 §6, RFC 9111).
use crate::ocsp::answer::{Life, Tag};
use crate::ocsp::public_files::ServedFile;
use crate::x509::UnixTime;
use bytes::Bytes;
use httpdate::HttpDate;
use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};
use std::cell::RefCell;
use std::io::Write;
use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

/// Limit of max-age for a CRL or a certificate, in seconds.
const FILE_MAX_AGE: i64 = 3600;

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
}

/// The tag of an answer.
impl From<Tag> for EntityTag {
    fn from(tag: Tag) -> Self {
        let mut digits = [0; 64];
        let length = base16ct::lower::encode(&tag.0, &mut digits).map_or(0, <[u8]>::len);
        Self { digits, length }
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
        for form in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(read_http_date(form), Some(NOW), "{form}");
        }
        assert_eq!(read_http_date("yesterday"), None);
    }

    #[test]
    fn an_answer_is_fresh_until_there_is_a_newer_one_and_one_for_a_nonce_never() {
        // O9
        let headers_of = |life: &Life, now| {
            let mut headers = HeaderMap::new();
            CacheLifetime::of_answer(life, EntityTag::new("t"), now).put(&mut headers);
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
        let freshness = CacheLifetime::of_answer(&life(), EntityTag::new("t"), NOW);
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

    fn file(modified: UnixTime) -> ServedFile {
        ServedFile {
            octets: [][..].into(),
            media_type: "application/pkix-crl",
            tag: "t".into(),
            modified,
            next_update: None,
            list: None,
        }
    }

    #[test]
    fn a_file_is_known_by_its_date_and_by_every_later_one_and_its_date_never_lies_in_the_future() {
        // O9
        let freshness = CacheLifetime::of_file(&file(NOW), NOW.plus(5));
        let known = |at: UnixTime| freshness.is_known_to(&asking(header::IF_MODIFIED_SINCE, &http_date(at)));
        assert!(!known(NOW.plus(-1)));
        assert!(known(NOW) && known(NOW.plus(1)) && known(NOW.plus(1000)));
        let mut twice = asking(header::IF_MODIFIED_SINCE, &http_date(NOW));
        twice.append(header::IF_MODIFIED_SINCE, http_date(NOW).parse().unwrap());
        assert!(!freshness.is_known_to(&twice), "two dates are none");
        let mut headers = HeaderMap::new();
        CacheLifetime::of_file(&file(NOW.plus(1000)), NOW).put(&mut headers);
        assert_eq!(headers[header::LAST_MODIFIED], http_date(NOW));
    }

    #[test]
    fn a_part_is_sent_to_who_has_a_part_of_the_same_file() {
        let now = NOW.plus(5);
        let freshness = CacheLifetime::of_file(&file(NOW), now);
        let continues = |value: &str| freshness.continues(&asking(header::IF_RANGE, value), now);
        assert!(freshness.continues(&HeaderMap::new(), now));
        assert!(continues("\"t\"") && continues(&http_date(NOW)));
        assert!(!continues("\"u\"") && !continues("W/\"t\"") && !continues(&http_date(NOW.plus(1))));
        assert!(!freshness.continues(&asking(header::IF_RANGE, &http_date(NOW)), NOW), "it may change yet");
    }

    #[test]
    fn a_date_alone_does_not_prolong_an_older_answer_from_the_same_status() {
        // O9
        let later = Life { produced_at: NOW.plus(50_000), next_update: NOW.plus(136_400), ..life() };
        let later = Life { refresh_at: NOW.plus(93_200), ..later };
        let freshness = CacheLifetime::of_answer(&later, EntityTag::new("t"), NOW.plus(50_000));
        let date = http_date(NOW.plus(-300));
        assert!(!freshness.is_known_to(&asking(header::IF_MODIFIED_SINCE, &date)));
    }
}
