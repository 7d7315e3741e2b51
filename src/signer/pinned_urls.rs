//! The URLs that certificates of a key may name: where relying parties look for CRLs, OCSP responders and issuers.
use super::Refusal;
use crate::error::Code;
use crate::x509::extension::{
    AUTHORITY_INFO_ACCESS, AccessDescription, CRL_DISTRIBUTION_POINTS, FRESHEST_CRL, distribution_point_urls,
};
use crate::x509::{GeneralName, TbsCertList, TbsCertificate};

/// Returns whether every URL that begins so is at one server: the name of the host has ended.
pub(crate) fn is_base(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let Some((host, _)) = rest.split_once('/') else { return false };
    let is_plain = |c: char| c.is_ascii_graphic() && !['"', '\\', '@', '?', '#', ',', ' '].contains(&c);
    let is_scheme = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_lowercase());
    is_scheme && !host.is_empty() && text.ends_with('/') && text.chars().all(is_plain)
}

/// Checks that a certificate names no other places than these. What is there and is no URL is refused too.
///
/// # Errors
/// When it does.
pub(super) fn check(tbs: &TbsCertificate, bases: Option<&[String]>) -> Result<(), Refusal> {
    let Some(bases) = bases else { return Ok(()) };
    let refuse = |place: &str| {
        let message = format!(
            "the certificate sends its readers to {place}, and the key was made for {}",
            bases.join(", ")
        );
        Err(Refusal::beyond(Code::SignerEnvelopeUrl, "RFC 5280 §4.2.1.13, §4.2.2.1", message))
    };
    let mut urls = Vec::new();
    for oid in [CRL_DISTRIBUTION_POINTS, FRESHEST_CRL] {
        let Some(points) = tbs.extension(oid) else { continue };
        match distribution_point_urls(&points.value) {
            Ok(named) if !named.is_empty() => urls.extend(named),
            _ => return refuse("a distribution point without a URL"),
        }
    }
    if let Some(access) = tbs.extension(AUTHORITY_INFO_ACCESS) {
        for one in AccessDescription::list_from_value(&access.value).unwrap_or_default() {
            match one.location {
                GeneralName::Uri(url) => urls.push(url),
                other => return refuse(&other.to_string()),
            }
        }
    }
    elsewhere(&urls, bases).map_or(Ok(()), |url| refuse(url))
}

/// Returns the first URL that is not below one of these bases.
fn elsewhere<'u>(urls: &'u [String], bases: &[String]) -> Option<&'u String> {
    urls.iter().find(|url| !bases.iter().any(|base| url.starts_with(base.as_str())))
}

/// Checks that a CRL sends its readers to no other places than these for delta CRLs (RFC 5280 §5.2.6).
///
/// # Errors
/// When it does, or names a place without a URL.
pub(super) fn check_crl(tbs: &TbsCertList, bases: Option<&[String]>) -> Result<(), Refusal> {
    let freshest = tbs.extensions().iter().find(|one| one.oid == FRESHEST_CRL);
    let (Some(bases), Some(freshest)) = (bases, freshest) else { return Ok(()) };
    let urls = distribution_point_urls(&freshest.value).unwrap_or_default();
    let place = if urls.is_empty() {
        Some("a place without a URL")
    } else {
        elsewhere(&urls, bases).map(String::as_str)
    };
    let Some(place) = place else { return Ok(()) };
    let message = format!(
        "the CRL sends its readers to {place} for delta CRLs, and the key was made for {}",
        bases.join(", ")
    );
    Err(Refusal::beyond(Code::SignerEnvelopeUrl, "RFC 5280 §5.2.6", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_ends_behind_the_host_so_that_no_other_host_begins_with_it() {
        for text in [
            "http://pki.example",
            "http:///",
            "pki.example/",
            "http://a@b/",
            "http://pki.example/a",
            "HTTP://a/",
        ] {
            assert!(!is_base(text), "{text}");
        }
        assert!(is_base("http://pki.example/pki/") && is_base("http://pki.example:8080/"));
    }
}
