//! `cRLDistributionPoints`, `freshestCRL` and `issuingDistributionPoint` (RFC 5280 §4.2.1.13, §5.2.5, §5.2.6).
use super::{CRL_DISTRIBUTION_POINTS, Extension};
use crate::x509::octets::{SEQUENCE, sequence, tlv};
use crate::x509::{GeneralName, MalformedDer};
use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader};

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
#[cfg(test)]
#[must_use]
pub(crate) fn freshest_crl(urls: &[String]) -> Extension {
    Extension::new(super::FRESHEST_CRL, false, points(urls))
}

/// Returns the URIs in the value of `cRLDistributionPoints` or `freshestCRL`.
///
/// # Errors
/// When the value is malformed.
pub fn distribution_point_urls(value: &[u8]) -> Result<Vec<String>, MalformedDer> {
    let mut reader = SliceReader::new(value)?;
    let mut urls = Vec::new();
    reader.sequence(|list| {
        while !list.is_finished() {
            list.sequence(|point| {
                while !point.is_finished() {
                    let element = point.tlv_bytes()?;
                    if element.first() == Some(&0xa0) {
                        urls.extend(full_name_urls(AnyRef::from_der(element)?.value())?);
                    }
                }
                Ok::<_, MalformedDer>(())
            })?;
        }
        Ok::<_, MalformedDer>(())
    })?;
    reader.finish()?;
    Ok(urls)
}

fn full_name_urls(point_name: &[u8]) -> Result<Vec<String>, MalformedDer> {
    if point_name.first() != Some(&0xa0) {
        return Ok(Vec::new());
    }
    let names = tlv(SEQUENCE, AnyRef::from_der(point_name)?.value());
    let names = GeneralName::list_from_der(&names)?;
    Ok(names
        .into_iter()
        .filter_map(|name| match name {
            GeneralName::Uri(url) => Some(url),
            _ => None,
        })
        .collect())
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
