//! Syntax of subject alternative names (RFC 5280 §4.2.1.6; RFC 9598; RFC 5890 for A-labels).
use crate::error::Reason;
use crate::x509::{GeneralName, is_invisible};
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use std::net::IpAddr;

/// Reason why a text or a requested value is not a name that a certificate may have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{name}` {reason}")]
pub struct InvalidAltName {
    /// Name as it was given.
    pub name: String,
    /// Fault, to be read after the name: `has a port`.
    pub reason: String,
}

/// Reads `DNS:a.example`, `IP:192.0.2.1`, `email:a@b.example`, `URI:https://a.example/x`, or the same without the
/// prefix. Without a prefix, an address is an IP name, a text with `://` a URI, a text with `@` a mailbox, and
/// anything else a DNS name.
///
/// Host names are written in lower case and in A-labels. A mailbox whose local part is not ASCII becomes an
/// SmtpUTF8Mailbox.
///
/// # Errors
/// When the text is not a name of its kind, with the reason.
pub fn parse_alt_name(text: &str) -> Result<GeneralName, InvalidAltName> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(GeneralName::Ip(address));
    }
    let read = match text.split_once(':') {
        Some((kind, value)) if kind.eq_ignore_ascii_case("dns") => dns(value).map(GeneralName::Dns),
        Some((kind, value)) if kind.eq_ignore_ascii_case("ip") => value
            .parse()
            .map(GeneralName::Ip)
            .map_err(|_| "is not an IP address such as 192.0.2.1 or 2001:db8::1".to_owned())
            .map_err(Reason::from),
        Some((kind, value)) if kind.eq_ignore_ascii_case("email") => mailbox(value),
        Some((kind, value)) if kind.eq_ignore_ascii_case("uri") => uri(value).map(GeneralName::Uri),
        _ if text.contains("://") => uri(text).map(GeneralName::Uri),
        _ if text.contains('@') => mailbox(text),
        _ => dns(text).map(GeneralName::Dns),
    };
    read.map_err(|reason| InvalidAltName { name: printable(text), reason: reason.into() })
}

/// Checks a requested name and returns it in the form that [`parse_alt_name`] writes. Names of other forms than those
/// four are returned unchanged.
///
/// # Errors
/// When the value is not a name of its kind, with the reason.
pub fn check_alt_name(name: &GeneralName) -> Result<GeneralName, InvalidAltName> {
    let checked = match name {
        GeneralName::Dns(text) => dns(text).map(GeneralName::Dns),
        GeneralName::Email(text) | GeneralName::SmtpUtf8Mailbox(text) => mailbox(text),
        GeneralName::Uri(text) => uri(text).map(GeneralName::Uri),
        other => Ok(other.clone()),
    };
    checked.map_err(|reason| InvalidAltName { name: printable(&name.to_string()), reason: reason.into() })
}

/// Returns the text with invisible characters escaped, cut after 260 characters so that a message stays readable.
pub(super) fn printable(text: &str) -> String {
    const SHOWN: usize = 260;
    if let Some((at, _)) = text.char_indices().nth(SHOWN) {
        let start = text.get(..at).unwrap_or_default();
        return format!("{}... ({} characters)", printable(start), text.chars().count());
    }
    text.chars().flat_map(|c| if is_invisible(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Returns a DNS name in lower-case A-labels. A wildcard is allowed once, as the whole left-most label.
pub(super) fn dns(text: &str) -> Result<String, Reason> {
    if let Some(reason) = plain_text(text) {
        return Err(reason.into());
    }
    if text.contains(':') {
        return Err("has a port or another colon; a DNS name has none".into());
    }
    if text.ends_with('.') {
        return Err("ends with a dot; leave it out".into());
    }
    let (wildcard, host) = match text.strip_prefix("*.") {
        Some(rest) => ("*.", rest),
        None => ("", text),
    };
    if host.contains('*') {
        return Err("has a wildcard that is not its whole left-most label".into());
    }
    let ascii = Uts46::new()
        .to_ascii(host.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore)
        .map_err(|_| "cannot be written as an internationalised DNS name".to_owned())?;
    let name = format!("{wildcard}{ascii}");
    if name.len() > 253 {
        return Err("is longer than 253 characters".into());
    }
    for label in ascii.split('.') {
        if label.is_empty() {
            return Err("has an empty label".into());
        }
        if label.len() > 63 {
            return Err("has a label of more than 63 characters".into());
        }
        if !label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err("has characters that a DNS name cannot have".into());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("has a label that begins or ends with a hyphen".into());
        }
    }
    if ascii.rsplit('.').next().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit())) {
        return Err("ends in a number; an address is written IP:192.0.2.1".into());
    }
    Ok(name)
}

fn plain_text(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("is empty".into());
    }
    if text.contains('\0') {
        return Some("has a NUL character".into());
    }
    text.chars()
        .any(|c| c.is_whitespace() || is_invisible(c))
        .then(|| "has a blank, a control character or one that cannot be seen".into())
}

/// Returns an `rfc822Name` when the local part is ASCII, otherwise an `SmtpUTF8Mailbox` with its host in A-labels.
pub(super) fn mailbox(text: &str) -> Result<GeneralName, Reason> {
    if let Some(reason) = plain_text(text) {
        return Err(reason.into());
    }
    let (local, host) =
        text.rsplit_once('@').ok_or_else(|| "is not a mailbox such as a@b.example".to_owned())?;
    let atom = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    if !local.split('.').all(|part| !part.is_empty() && part.chars().all(atom)) {
        return Err("has a local part with characters or dots that are not supported".into());
    }
    if local.len() > 64 {
        return Err("has a local part of more than 64 octets".into());
    }
    if host.starts_with("*.") {
        return Err("has a wildcard in its host".into());
    }
    let host = dns(host).map_err(|reason| format!("has a host that {reason}"))?;
    let whole = format!("{local}@{host}");
    if whole.len() > 254 {
        return Err("is longer than 254 octets".into());
    }
    Ok(if local.is_ascii() { GeneralName::Email(whole) } else { GeneralName::SmtpUtf8Mailbox(whole) })
}

/// Checks an absolute URI with a scheme and a host, and returns it as written.
fn uri(text: &str) -> Result<String, Reason> {
    if let Some(reason) = plain_text(text) {
        return Err(reason.into());
    }
    if !text.is_ascii() {
        return Err("has characters beyond ASCII; write them percent-encoded, the host in A-labels".into());
    }
    let (scheme, rest) = text
        .split_once("://")
        .ok_or_else(|| "is not an absolute URI such as https://a.example/".to_owned())?;
    let mut characters = scheme.chars();
    if !characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        || !characters.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        return Err("has no scheme".into());
    }
    if text.chars().any(|c| "<>\"{}|\\^`".contains(c)) {
        return Err("has characters that a URI cannot have".into());
    }
    let escapes_are_whole = text.split('%').skip(1).all(|after| {
        after.get(..2).is_some_and(|digits| digits.chars().all(|digit| digit.is_ascii_hexdigit()))
    });
    if !escapes_are_whole {
        return Err("has a % that is not followed by two hexadecimal digits".into());
    }
    match uri_host(rest) {
        Some(UriHost::Address) => Ok(text.to_owned()),
        Some(UriHost::Name(host)) if !host.contains('*') => {
            dns(&host).map_err(|reason| format!("has a host that {reason}"))?;
            Ok(text.to_owned())
        }
        _ => Err("has no host, or a malformed one".into()),
    }
}

/// Host of a URI.
pub(super) enum UriHost {
    Name(String),
    Address,
}

/// Returns the host in the part of a URI after `://`; `None` when there is no host or the port is malformed.
pub(super) fn uri_host(rest: &str) -> Option<UriHost> {
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = if let Some(bracketed) = host.strip_prefix('[') {
        let (address, after) = bracketed.split_once(']')?;
        address.parse::<std::net::Ipv6Addr>().ok()?;
        return after.strip_prefix(':').map_or(after.is_empty(), is_port).then_some(UriHost::Address);
    } else {
        host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)))
    };
    if host.is_empty() || !port.is_none_or(is_port) {
        return None;
    }
    Some(if host.parse::<IpAddr>().is_ok() { UriHost::Address } else { UriHost::Name(host.to_owned()) })
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> String {
        parse_alt_name(text).unwrap().to_string()
    }

    #[test]
    fn names_are_read_with_and_without_their_kind() {
        // X7
        for (text, name) in [
            ("DNS:a.example", "DNS:a.example"),
            ("A.Example", "DNS:a.example"),
            ("myhost", "DNS:myhost"),
            ("dns:*.a.example", "DNS:*.a.example"),
            ("ip:192.0.2.1", "IP:192.0.2.1"),
            ("2001:db8::1", "IP:2001:db8::1"),
            ("IP:2001:DB8::1", "IP:2001:db8::1"),
            ("a@B.example", "email:a@b.example"),
            ("email:first.last+tag@b.example", "email:first.last+tag@b.example"),
            ("https://a.example:8443/x?y#z", "URI:https://a.example:8443/x?y#z"),
            ("URI:spiffe://a.example/w", "URI:spiffe://a.example/w"),
            ("http://[2001:db8::1]:80/", "URI:http://[2001:db8::1]:80/"),
        ] {
            assert_eq!(parsed(text), name);
        }
    }

    #[test]
    fn international_names_are_written_as_a_labels() {
        // X7
        assert_eq!(parsed("bücher.example"), "DNS:xn--bcher-kva.example");
        assert_eq!(parsed("*.bücher.example"), "DNS:*.xn--bcher-kva.example");
        assert_eq!(
            parse_alt_name("a@bücher.example").unwrap(),
            GeneralName::Email("a@xn--bcher-kva.example".into())
        );
        assert_eq!(
            parse_alt_name("é@bücher.example").unwrap(),
            GeneralName::SmtpUtf8Mailbox("é@xn--bcher-kva.example".into())
        );
        assert!(parse_alt_name("xn--a.example").is_err(), "not an A-label");
    }

    #[test]
    fn malformed_names_are_refused_with_the_reason() {
        // X7
        for (text, reason) in [
            ("", "empty"),
            ("DNS:a\0.example", "NUL"),
            ("a b.example", "blank"),
            ("a.example:443", "port"),
            ("a.example.", "dot"),
            ("a..example", "empty label"),
            ("-a.example", "hyphen"),
            ("a.*.example", "wildcard"),
            ("w*.example", "wildcard"),
            ("*.*.example", "wildcard"),
            ("*", "wildcard"),
            ("a/b.example", "characters"),
            ("DNS:192.0.2.1", "number"),
            ("IP:192.0.2.256", "IP address"),
            ("email:a", "mailbox"),
            ("@b.example", "local part"),
            ("a..b@b.example", "local part"),
            ("a@b@c.example", "local part"),
            ("a@-b.example", "host"),
            ("a@*.b.example", "wildcard"),
            ("URI:/relative", "absolute"),
            ("://a.example", "scheme"),
            ("http:///path", "host"),
            ("http://a b/", "blank"),
            ("http://a.example:x/", "host"),
            ("http://a.example/%zz", "hexadecimal"),
            ("http://é.example/", "ASCII"),
            ("http://[::1/", "host"),
        ] {
            let error = parse_alt_name(text).unwrap_err();
            assert!(error.reason.contains(reason), "{text}: {error}");
        }
        let long = format!("{}.example", "a".repeat(64));
        assert!(parse_alt_name(&long).unwrap_err().reason.contains("63"));
        let longer = vec!["a".repeat(60); 5].join(".");
        assert!(parse_alt_name(&longer).unwrap_err().reason.contains("253"));
    }

    #[test]
    fn requested_values_are_checked_and_written_anew() {
        // X12
        let dns = |text: &str| GeneralName::Dns(text.into());
        assert_eq!(check_alt_name(&dns("WWW.Example")), Ok(dns("www.example")));
        assert!(check_alt_name(&dns("a.example\0.evil.example")).is_err());
        assert!(check_alt_name(&GeneralName::Email("nobody".into())).is_err());
        assert!(check_alt_name(&GeneralName::Uri("relative".into())).is_err());
        let error = check_alt_name(&dns("a\u{7}b")).unwrap_err();
        assert!(!error.to_string().contains('\u{7}'), "control characters are not shown raw");
    }

    proptest! {
        #[test]
        fn what_is_accepted_once_is_accepted_unchanged_again(text in "\\PC{0,40}") {
            if let Ok(name) = parse_alt_name(&text) {
                prop_assert_eq!(check_alt_name(&name), Ok(name));
            }
        }
    }
}
