//! Syntax of names in a subjectAltName (RFC 1034 §3.5, RFC 1123 §2.1, RFC 3986, RFC 5890, RFC 9598).
use crate::x509::{GeneralName, apparent_host};
use std::net::Ipv4Addr;

/// Returns the fault in the syntax of a name. Only DNS names, mailboxes and URIs have a syntax that can be broken.
pub(super) fn fault(name: &GeneralName) -> Option<&'static str> {
    match name {
        GeneralName::Dns(text) => dns(text),
        GeneralName::Email(text) => mailbox(text),
        GeneralName::SmtpUtf8Mailbox(text) if text.is_ascii() => {
            Some("is ASCII and belongs in an rfc822Name")
        }
        GeneralName::SmtpUtf8Mailbox(text) => mailbox(text),
        GeneralName::Uri(text) => uri(text),
        _ => None,
    }
}

/// Returns the DNS name or IP address for which a common name could be mistaken.
pub(super) fn apparent_host_name(text: &str) -> Option<String> {
    let is_address = |host: &String| host.parse::<std::net::IpAddr>().is_ok();
    apparent_dns(text).or_else(|| apparent_host(text).filter(is_address))
}

/// Returns the DNS name for which a common name could be mistaken.
pub(super) fn apparent_dns(text: &str) -> Option<String> {
    apparent_host(text).filter(|host| host.contains('.') && dns(host).is_none())
}

fn dns(text: &str) -> Option<&'static str> {
    let host = text.strip_prefix("*.").unwrap_or(text);
    if host.contains('*') {
        return Some("has a wildcard that is not the whole left-most label");
    }
    host_fault(host)
}

fn host_fault(host: &str) -> Option<&'static str> {
    if host.is_empty() || host.len() > 253 {
        return Some("is empty or longer than 253 octets");
    }
    if host.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Some("has a blank, NUL or control character");
    }
    if host.contains([':', '/', '@']) {
        return Some("has a port, a path or a mailbox in it");
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return Some("is an IP address written as a DNS name");
    }
    host.split('.').find_map(label_fault)
}

fn label_fault(label: &str) -> Option<&'static str> {
    if label.is_empty() || label.len() > 63 {
        return Some("has a label that is empty or longer than 63 octets");
    }
    if !label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Some("has other characters than letters, digits, hyphens and dots");
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Some("has a label that begins or ends with a hyphen");
    }
    if label.get(2..4) == Some("--") {
        let lower = label.to_ascii_lowercase();
        let (unicode, decoded) = idna::domain_to_unicode(&lower);
        let is_a_label = lower.starts_with("xn--")
            && decoded.is_ok()
            && !unicode.is_ascii()
            && idna::domain_to_ascii(&unicode).is_ok_and(|again| again == lower);
        return (!is_a_label).then_some("has a label with hyphens in places 3 and 4 that is no A-label");
    }
    None
}

fn mailbox(text: &str) -> Option<&'static str> {
    let Some((local, host)) = text.rsplit_once('@') else { return Some("has no @") };
    if local.is_empty() || local.len() > 64 {
        return Some("has a local part that is empty or longer than 64 octets");
    }
    if local.chars().any(|c| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"@".contains(c)) {
        return Some("has characters that a mailbox has only in quotes, if at all");
    }
    if local.split('.').any(str::is_empty) {
        return Some("has a local part with a dot where none belongs");
    }
    host_fault(host)
}

fn uri(text: &str) -> Option<&'static str> {
    let Some((scheme, rest)) = text.split_once(':') else { return Some("is not absolute: it has no scheme") };
    let letters = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(letters) {
        return Some("is not absolute: it has no scheme");
    }
    if rest.is_empty()
        || rest.chars().any(|c| c.is_control() || c.is_whitespace() || "<>\"{}|\\^`".contains(c))
    {
        return Some("is empty or has characters that are written with % in a URI");
    }
    let authority = rest.strip_prefix("//")?;
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(literal) = host.strip_prefix('[') {
        let address = literal.split_once(']').map_or("", |(address, _)| address);
        return address.parse::<std::net::Ipv6Addr>().is_err().then_some("has no IPv6 address in brackets");
    }
    let host = host.split_once(':').map_or(host, |(host, _port)| host);
    if host.parse::<Ipv4Addr>().is_ok() { None } else { host_fault(host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_need_them_are_in_order() {
        // X7
        for name in [
            GeneralName::Dns("a.example".into()),
            GeneralName::Dns("*.a.example".into()),
            GeneralName::Dns("localhost".into()),
            GeneralName::Dns("xn--bcher-kva.example".into()),
            GeneralName::Email("first.last+x@b.example".into()),
            GeneralName::SmtpUtf8Mailbox("é@xn--bcher-kva.example".into()),
            GeneralName::Uri("https://u@a.example:8443/x?y#z".into()),
            GeneralName::Uri("http://192.0.2.1/".into()),
            GeneralName::Uri("http://[2001:db8::1]:80/".into()),
            GeneralName::Uri("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6".into()),
            GeneralName::Ip("::1".parse().unwrap()),
        ] {
            assert_eq!(fault(&name), None, "{name}");
        }
    }

    #[test]
    fn names_as_they_must_not_be_written_are_told() {
        // X7
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a\0b",
            "a:80",
            "*",
            "a.*.b",
            "*a.b",
            "**.a",
            "a_b",
            "-a.b",
            "a-.b",
            "192.0.2.1",
            "xn--a.example",
            "ab--c.example",
            "a/b",
            "xn--zzzzzzzz--.b",
        ] {
            assert!(fault(&GeneralName::Dns(text.into())).is_some(), "{text:?}");
        }
        for text in
            ["a", "@b.example", "a@", "a b@c.example", "<a@c.example>", "a..b@c.example", "a@b@c.example"]
        {
            assert!(fault(&GeneralName::Email(text.into())).is_some(), "{text:?}");
        }
        for text in ["/relative", "a.example", "http://", "http://a b/", "1x:y", "http://[zz]/", "http:"] {
            assert!(fault(&GeneralName::Uri(text.into())).is_some(), "{text:?}");
        }
        assert!(fault(&GeneralName::SmtpUtf8Mailbox("a@b.example".into())).is_some());
        assert!(fault(&GeneralName::SmtpUtf8Mailbox("é@bücher.example".into())).is_some());
        assert!(fault(&GeneralName::Dns("x".repeat(64))).is_some());
    }
}
