//! Rules on `authorityKeyIdentifier` (RFC 5280 §4.2.1.1, §5.2.1), shared by certificates and CRLs.
use super::element::Element;
use super::raw_extension::RawExtension;
use super::rule::when;
use crate::x509::octets::SEQUENCE;
use base16ct::lower::encode_string as hex;

/// Returns the keyIdentifier when the value is an authorityKeyIdentifier that has one.
pub(super) fn authority(value: &[u8]) -> Option<&[u8]> {
    let list = Element::only(value).filter(|list| list.tag == SEQUENCE)?;
    list.elements().next_if(0x80).map(|identifier| identifier.contents)
}

/// Reports an authorityKeyIdentifier that has no keyIdentifier, or anything besides it.
pub(super) fn key_identifier_only(extension: &RawExtension<'_>) -> Vec<String> {
    match authority(extension.value) {
        None | Some([]) => vec!["there is no keyIdentifier".into()],
        Some(_) => {
            let elements = Element::only(extension.value).map_or(0, |list| list.elements().count());
            when(elements > 1, "there is more than a keyIdentifier")
        }
    }
}

/// Reports a keyIdentifier that differs from the issuer's subjectKeyIdentifier.
pub(super) fn repeats(extension: &RawExtension<'_>, issuers: &[u8]) -> Vec<String> {
    let own = authority(extension.value).unwrap_or(issuers);
    when(own != issuers, format!("the keyIdentifier is {}, the issuer's {}", hex(own), hex(issuers)))
}
