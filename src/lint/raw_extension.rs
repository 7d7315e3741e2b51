//! Extensions as they are in the octets, and the rules shared by those of certificates and CRLs.
use super::element::{Element, Elements, der_fault};
use super::rule;
use crate::x509::octets::{OCTET_STRING, SEQUENCE};
use base16ct::lower::encode_string as hex;
use der::asn1::ObjectIdentifier;

/// `Extension`, not checked yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawExtension<'a> {
    /// Contents of `extnID`.
    pub(super) oid: &'a [u8],
    /// Contents of `critical`, when the field is present.
    pub(super) critical: Option<&'a [u8]>,
    /// Contents of `extnValue`.
    pub(super) value: &'a [u8],
}

impl<'a> RawExtension<'a> {
    /// Reads the elements of `Extensions`; `None` when they are not extensions.
    pub(super) fn list(extensions: Element<'a>) -> Option<Vec<Self>> {
        let mut elements = extensions.elements();
        let list: Option<Vec<Self>> = elements.by_ref().map(Self::read).collect();
        list.filter(|_| extensions.tag == SEQUENCE && elements.is_empty())
    }

    fn read(element: Element<'a>) -> Option<Self> {
        let mut fields = element.elements();
        let oid = fields.next_if(6)?.contents;
        let critical = fields.next_if(1).map(|critical| critical.contents);
        let value = fields.next_if(OCTET_STRING)?.contents;
        (element.tag == SEQUENCE && fields.is_empty()).then_some(Self { oid, critical, value })
    }

    pub(super) fn is(&self, oid: ObjectIdentifier) -> bool {
        self.oid == oid.as_bytes()
    }

    pub(super) fn is_critical(&self) -> bool {
        self.critical.is_some_and(|contents| contents != [0])
    }

    /// Returns the object identifier in dots, or its octets in hexadecimal when they are malformed.
    pub(super) fn name(&self) -> String {
        name(self.oid)
    }
}

fn name(oid: &[u8]) -> String {
    ObjectIdentifier::from_bytes(oid).map_or_else(|_| hex(oid), |oid: ObjectIdentifier| oid.to_string())
}

pub(super) fn repeated(list: &[RawExtension<'_>]) -> Vec<String> {
    let again = rule::repeated(list.iter().map(|one| one.oid));
    again.into_iter().map(|oid| format!("the extension {} stands there again", name(oid))).collect()
}

pub(super) fn wrongly_encoded(list: &[RawExtension<'_>]) -> Vec<String> {
    let mut out = Vec::new();
    for one in list {
        match one.critical {
            None | Some([0xff]) => {}
            Some([0]) => out.push(format!("the extension {} has critical FALSE written out", one.name())),
            Some(_) => out.push(format!("the extension {} has a critical that is no BOOLEAN", one.name())),
        }
        if Elements(one.value).is_empty() {
            out.push(format!("the extension {} has no value", one.name()));
        } else if let Some(fault) = der_fault(one.value) {
            out.push(format!("the extension {} is not DER: {fault}", one.name()));
        }
    }
    out
}

pub(super) fn unknown_critical(list: &[RawExtension<'_>], known: &[ObjectIdentifier]) -> Vec<String> {
    list.iter()
        .filter(|one| one.is_critical() && !known.iter().any(|oid| one.is(*oid)))
        .map(|one| format!("the extension {} is critical and not known here", one.name()))
        .collect()
}
