//! Decodes the OCSP request in the path of a GET (RFC 6960 A.1): base64, with or without percent escapes.
use crate::ocsp::request::OcspRequest;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Slashes at the end of a path that may be separators. Each costs decoding it once more.
const SEPARATORS: usize = 4;

/// Returns the DER octets of the request in a raw path, after `/` or `/ocsp/`. Returns `None` when the path is empty,
/// has characters outside of base64, or is evidently no OCSP request.
///
/// The DER of a request begins with the tag of a SEQUENCE, so its base64 begins with `M` and one of the letters `A`
/// to `P`. Every slash before that is a separator. A text that begins otherwise is another path, unless padding at
/// its end shows that it is base64. A slash at the end is a separator as well when the request is complete without
/// it; so are up to four.
pub(super) fn request_in(path: &str) -> Option<Vec<u8>> {
    let text = if path.contains('%') { Cow::Owned(unescape(path)?) } else { Cow::Borrowed(path) };
    let text = text.trim_start_matches('/');
    let text = text.strip_prefix("ocsp/").unwrap_or(text).trim_start_matches('/');
    // nearly all are so, and what can be decoded has no other characters
    if begins_like_a_request(text)
        && !text.ends_with('/')
        && let Ok(octets) = LENIENT.decode(text)
    {
        return Some(octets);
    }
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    if !text.chars().all(is_base64) || !(begins_like_a_request(text) || text.ends_with('=')) {
        return None;
    }
    let decoded = |text: &str| LENIENT.decode(text).ok();
    let is_whole = |octets: &Vec<u8>| OcspRequest::from_der(octets, usize::MAX).is_ok();
    let as_it_is = decoded(text);
    if !text.ends_with('/') || as_it_is.as_ref().is_some_and(is_whole) {
        return Some(as_it_is.unwrap_or_default());
    }
    let mut shorter = text;
    for _ in 0..SEPARATORS {
        let Some(rest) = shorter.strip_suffix('/') else { break };
        shorter = rest;
        if let Some(octets) = decoded(shorter).filter(is_whole) {
            return Some(octets);
        }
    }
    Some(as_it_is.unwrap_or_default())
}

fn begins_like_a_request(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next() == Some('M') && letters.next().is_none_or(|second| ('A'..='P').contains(&second))
}

/// Decodes percent escapes; `None` when one is invalid or stands for no ASCII character.
fn unescape(path: &str) -> Option<String> {
    let mut out = String::with_capacity(path.len());
    let mut parts = path.split('%');
    out.push_str(parts.next()?);
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let is_hexadecimal = digits.chars().all(|digit| digit.is_ascii_hexdigit());
        let octet = u8::from_str_radix(digits, 16).ok().filter(|octet| is_hexadecimal && octet.is_ascii())?;
        out.push(char::from(octet));
        out.push_str(rest);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::fixture::Hierarchy;
    use base64::engine::general_purpose::STANDARD;

    /// Returns a request whose base64 contains `+` and `/` and has this much padding.
    fn request(padding: usize) -> (Vec<u8>, String) {
        let hierarchy = Hierarchy::new();
        (0..=255u8)
            .flat_map(|nonce| (1..4).map(move |length| vec![nonce; length]))
            .map(|nonce| OcspRequest::new(vec![hierarchy.id(2)], Some([vec![0xfb, 0xff], nonce].concat())))
            .map(|request| (request.to_der(), STANDARD.encode(request.to_der())))
            .find(|(_, text)| {
                text.contains('+') && text.contains('/') && text.matches('=').count() == padding
            })
            .unwrap()
    }

    #[test]
    fn a_request_is_found_however_the_path_is_written() {
        // O1
        for padding in 0..3 {
            let (octets, text) = request(padding);
            let escaped = text.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
            for text in [text.as_str(), escaped.as_str(), text.trim_end_matches('=')] {
                for prefix in ["/", "//", "/ocsp/", "/ocsp//", "//ocsp/"] {
                    for suffix in ["", "/", "//"] {
                        let path = format!("{prefix}{text}{suffix}");
                        assert_eq!(request_in(&path).as_ref(), Some(&octets), "{path}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_base64_is_no_request_and_broken_base64_is_an_empty_one() {
        // O2
        for path in ["/", "//", "/ocsp", "/ocsp/", "/a.crl", "/%zz", "/%+1", "/%4", "/%c3%a9", "/a_b"] {
            assert_eq!(request_in(path), None, "{path}");
        }
        assert_eq!(request_in("/MEowS"), Some(Vec::new()));
        assert_eq!(request_in("/M"), Some(Vec::new()));
        assert_eq!(request_in("/MA=="), Some(vec![0x30]));
        assert_eq!(request_in("/aGVsbG8="), Some(b"hello".to_vec()));
    }

    #[test]
    fn paths_that_happen_to_be_of_letters_are_no_requests() {
        // O2
        for path in ["/admin", "/readyz/", "/healthz/", "/status", "/test", "/api/v1/health", "/Me", "/mAAA"]
        {
            for path in [path.to_owned(), format!("/ocsp{path}"), format!("/{path}")] {
                assert_eq!(request_in(&path), None, "{path}");
            }
        }
    }
}
