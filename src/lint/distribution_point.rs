//! Rules on distribution points and URLs (RFC 5280 §4.2.1.13, §5.2.5), shared by certificates and CRLs.
use super::element::Element;
use crate::x509::octets::SEQUENCE;

/// Returns the fault of a URL from which a CRL or certificate is fetched; `None` when there is none. The scheme must
/// be plain http: https would require the revocation check that the URL serves.
pub(super) fn url_fault(url: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(url).unwrap_or_default();
    let host = text.strip_prefix("http://").unwrap_or_default();
    let wrong = host.is_empty()
        || host.starts_with('/')
        || !text.is_ascii()
        || text.chars().any(|c| c.is_control() || c.is_whitespace());
    wrong.then(|| format!("{} is no http URL", url.escape_ascii()))
}

/// Returns the faults of the contents of a `DistributionPointName`, which must be one or more URIs under `fullName`.
pub(super) fn point_name_faults(contents: &[u8]) -> Vec<String> {
    let Some(full_name) = Element::only(contents).filter(|name| name.tag == 0xa0) else {
        return vec!["the distribution point has no fullName".into()];
    };
    let mut names = full_name.elements();
    let faults: Vec<String> = names
        .by_ref()
        .filter_map(|name| match name.tag {
            0x86 => url_fault(name.contents),
            _ => Some("the distribution point has a name that is no URL".into()),
        })
        .collect();
    if full_name.contents.is_empty() || !names.is_empty() {
        return vec!["the distribution point has no names that can be read".into()];
    }
    faults
}

/// Returns the faults of a `CRLDistributionPoints` or `FreshestCRL` value. Each point must have a `distributionPoint`
/// only, without `reasons` and `cRLIssuer`.
pub(super) fn points_faults(value: &[u8]) -> Vec<String> {
    let Some(list) = Element::only(value).filter(|list| list.tag == SEQUENCE && !list.contents.is_empty())
    else {
        return vec!["there is no distribution point".into()];
    };
    let mut points = list.elements();
    let mut out = Vec::new();
    for point in points.by_ref() {
        let mut fields = point.elements();
        match fields.next_if(0xa0) {
            Some(name) => out.extend(point_name_faults(name.contents)),
            None => out.push("a distribution point has no location".into()),
        }
        if !fields.is_empty() {
            out.push("a distribution point has reasons or a cRLIssuer".into());
        }
    }
    if !points.is_empty() {
        out.push("the distribution points cannot be read".into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_urls_are_taken() {
        // X10
        assert_eq!(url_fault(b"http://a.example/x.crl"), None);
        for wrong in
            [&b"https://a.example/"[..], b"ldap:///cn=a", b"http://", b"http:///x", b"http://a b/", b"\xff"]
        {
            assert!(url_fault(wrong).is_some(), "{wrong:?}");
        }
    }
}
