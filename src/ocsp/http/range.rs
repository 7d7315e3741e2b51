//! Range requests (RFC 9110 §14): one range of octets of a CRL or certificate, so that a download that broke off goes
//! on where it ended.
use hyper::header::{HeaderMap, RANGE};
use std::ops::Range;

/// What a GET asks for of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// The whole file: there is no Range, or one that is not followed, such as several ranges at once.
    Whole,
    /// These octets of it.
    Of(Range<usize>),
    /// Octets that it does not have.
    Unsatisfiable,
}

impl Part {
    /// Returns what the Range of a request asks for of a file of `length` octets. A header that is no valid Range is
    /// ignored (RFC 9110 §14.2).
    pub(super) fn asked(headers: &HeaderMap, length: usize) -> Self {
        let mut ranges = headers.get_all(RANGE).iter();
        let (Some(range), None) = (ranges.next(), ranges.next()) else { return Self::Whole };
        range.to_str().ok().and_then(|text| read(text, length)).unwrap_or(Self::Whole)
    }
}

fn read(text: &str, length: usize) -> Option<Part> {
    let (unit, range) = text.trim().split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || range.contains(',') {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    Some(match (number(first), number(last)) {
        (None, Some(0)) if first.is_empty() => Part::Unsatisfiable,
        (None, Some(_)) if first.is_empty() && length == 0 => Part::Unsatisfiable,
        (None, Some(suffix)) if first.is_empty() => Part::Of(length.saturating_sub(suffix)..length),
        (Some(first), None) if last.is_empty() => from(first, length, length),
        (Some(first), Some(last)) if first <= last => from(first, last.saturating_add(1), length),
        _ => return None,
    })
}

fn from(first: usize, end: usize, length: usize) -> Part {
    if first < length { Part::Of(first..end.min(length)) } else { Part::Unsatisfiable }
}

/// Reads digits; a number beyond any length is the greatest one.
fn number(text: &str) -> Option<usize> {
    let is_number = !text.is_empty() && text.chars().all(|digit| digit.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn of(text: &str) -> Part {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_str(text).unwrap());
        Part::asked(&headers, 100)
    }

    #[test]
    fn one_range_is_followed_and_ends_where_the_file_does() {
        for (text, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=10-19", 10..20),
            ("bytes=90-", 90..100),
            ("bytes=90-1000", 90..100),
            ("bytes=-10", 90..100),
            ("bytes=-1000", 0..100),
            ("Bytes=0-99999999999999999999999", 0..100),
        ] {
            assert_eq!(of(text), Part::Of(part), "{text}");
        }
        for text in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(of(text), Part::Unsatisfiable, "{text}");
        }
    }

    #[test]
    fn what_is_no_single_range_of_octets_is_ignored() {
        for text in [
            "bytes=0-1,5-6",
            "bytes=5-1",
            "bytes=-",
            "bytes=",
            "bytes",
            "lines=0-1",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1-+2",
            "bytes=--1",
            "",
        ] {
            assert_eq!(of(text), Part::Whole, "{text}");
        }
        let mut twice = HeaderMap::new();
        twice.append(RANGE, HeaderValue::from_static("bytes=0-1"));
        twice.append(RANGE, HeaderValue::from_static("bytes=2-3"));
        assert_eq!(Part::asked(&twice, 100), Part::Whole);
        assert_eq!(Part::asked(&HeaderMap::new(), 100), Part::Whole);
    }
}
