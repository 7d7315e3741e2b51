//! `authorityInfoAccess` (RFC 5280 §4.2.2.1).
use super::{AUTHORITY_INFO_ACCESS, Extension};
use crate::x509::octets::{SEQUENCE, sequence, tlv};
use crate::x509::{GeneralName, MalformedDer};
use der::asn1::ObjectIdentifier;
use der::{Decode, Encode, Reader, SliceReader};

/// `AccessDescription ::= SEQUENCE { accessMethod, accessLocation GeneralName }`
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessDescription {
    /// `accessMethod`
    pub method: ObjectIdentifier,
    /// `accessLocation`
    pub location: GeneralName,
}

impl AccessDescription {
    /// `id-ad-ocsp`
    pub const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
    /// `id-ad-caIssuers`
    pub(crate) const CA_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");

    fn url(method: ObjectIdentifier, url: &str) -> Self {
        Self { method, location: GeneralName::Uri(url.into()) }
    }

    /// Returns the description of an OCSP responder at this URL.
    #[must_use]
    pub fn ocsp(url: &str) -> Self {
        Self::url(Self::OCSP, url)
    }

    /// Returns the description of the issuer's certificate at this URL.
    #[must_use]
    pub(crate) fn ca_issuers(url: &str) -> Self {
        Self::url(Self::CA_ISSUERS, url)
    }

    /// Reads the extension's value.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn list_from_value(value: &[u8]) -> Result<Vec<Self>, MalformedDer> {
        let mut reader = SliceReader::new(value)?;
        let list = reader.sequence(|list| {
            let mut out = Vec::new();
            while !list.is_finished() {
                out.push(list.sequence(|pair| {
                    let method = ObjectIdentifier::decode(pair)?;
                    Ok::<_, MalformedDer>(Self {
                        method,
                        location: GeneralName::from_der(pair.tlv_bytes()?)?,
                    })
                })?);
            }
            Ok::<_, MalformedDer>(out)
        })?;
        reader.finish()?;
        Ok(list)
    }
}

/// Returns `authorityInfoAccess`, not critical, with the descriptions in this order.
#[must_use]
pub(crate) fn authority_info_access(descriptions: &[AccessDescription]) -> Extension {
    let list: Vec<Vec<u8>> = descriptions
        .iter()
        .map(|description| {
            let method = description.method.to_der().unwrap_or_default();
            sequence(&[&method, &description.location.to_der()])
        })
        .collect();
    Extension::new(AUTHORITY_INFO_ACCESS, false, tlv(SEQUENCE, &list.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_descriptions_survive_a_round_trip() {
        // X10
        let list = vec![
            AccessDescription::ocsp("http://a.example/ocsp"),
            AccessDescription::ca_issuers("http://a.example/ca.crt"),
        ];
        let extension = authority_info_access(&list);
        assert!(!extension.critical);
        assert_eq!(AccessDescription::list_from_value(&extension.value), Ok(list));
    }
}
