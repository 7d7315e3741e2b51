//! `cRLDistributionPoints`, `freshestCRL` and `issuingDistributionPoint` (RFC 5280 §4.2.1.13, §5.2.5, §5.2.6).
use super::{CRL_DISTRIBUTION_POINTS, Extension};
use crate::x509::octets::{SEQUENCE, sequence, tlv};
use crate::x509::{GeneralName, MalformedDer};
use der::Decode;
use x509_cert::ext::pkix::CrlDistributionPoints;
use x509_cert::ext::pkix::name::{self, DistributionPointName};

/// Returns `DistributionPointName` with one `fullName` URI, in its explicit `[0]`. The certificate's distribution
/// point and the CRL's issuing distribution point use the same octets.
fn point_name(url: &str) -> Vec<u8> {
    tlv(0xa0, &tlv(0xa0, &GeneralName::Uri(url.into()).to_der()))
}

fn points(urls: &[String]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = urls.iter().map(|url| sequence(&[&point_name(url)])).collect();
    tlv(SEQUENCE, &list.concat())
}

/// Returns `cRLDistributionPoints`, not critical, with one distribution point for each URL.
#[must_use]
pub(crate) fn crl_distribution_points(urls: &[String]) -> Extension {
    Extension::new(CRL_DISTRIBUTION_POINTS, false, points(urls))
}

/// Returns `freshestCRL`, not critical, with one distribution point for each URL.
#[must_use]
pub(crate) fn freshest_crl(urls: &[String]) -> Extension {
    Extension::new(super::FRESHEST_CRL, false, points(urls))
}

/// Returns the URIs in the value of `cRLDistributionPoints` or `freshestCRL`.
///
/// # Errors
/// When the value is malformed.
pub fn distribution_point_urls(value: &[u8]) -> Result<Vec<String>, MalformedDer> {
    let points = CrlDistributionPoints::from_der(value)?.0;
    Ok(points.into_iter().flat_map(|point| urls_of(point.distribution_point)).collect())
}

/// The URIs in `distributionPoint`.
pub(crate) fn urls_of(point: Option<DistributionPointName>) -> Vec<String> {
    let Some(DistributionPointName::FullName(names)) = point else { return Vec::new() };
    let url = |name| match name {
        name::GeneralName::UniformResourceIdentifier(url) => Some(url.to_string()),
        _ => None,
    };
    names.into_iter().filter_map(url).collect()
}

/// `IssuingDistributionPoint`, limited to a location and a kind of certificate.
#[cfg(test)]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct IssuingDistributionPoint {
    /// `distributionPoint`, one `fullName` URI.
    pub url: Option<String>,
    /// `onlyContainsUserCerts`
    pub only_user_certificates: bool,
    /// `onlyContainsCACerts`
    pub only_ca_certificates: bool,
}

#[cfg(test)]
impl IssuingDistributionPoint {
    /// Returns the extension, critical.
    #[must_use]
    pub(crate) fn to_extension(&self) -> Extension {
        let mut contents = self.url.as_deref().map(point_name).unwrap_or_default();
        if self.only_user_certificates {
            contents.extend(tlv(0x81, &[0xff]));
        }
        if self.only_ca_certificates {
            contents.extend(tlv(0x82, &[0xff]));
        }
        Extension::new(super::ISSUING_DISTRIBUTION_POINT, true, tlv(SEQUENCE, &contents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificates_point_and_the_crls_point_have_the_same_octets() {
        // C5
        let url = "http://a.example/ca.crl".to_owned();
        let certificate = crl_distribution_points(std::slice::from_ref(&url)).value;
        let crl = IssuingDistributionPoint { url: Some(url), ..Default::default() }.to_extension();
        assert!(crl.critical);
        assert_eq!(certificate[4..], crl.value[2..]);
    }

    #[test]
    fn the_urls_can_be_read_back() {
        // X10
        let urls = vec!["http://a.example/1.crl".to_owned(), "http://b.example/1.crl".to_owned()];
        assert_eq!(distribution_point_urls(&crl_distribution_points(&urls).value), Ok(urls.clone()));
        assert_eq!(distribution_point_urls(&freshest_crl(&urls).value), Ok(urls));
    }
}
