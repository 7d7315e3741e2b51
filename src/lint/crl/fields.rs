//! `TBSCertList` as it is in the octets (RFC 5280 §5.1), not checked yet.
use super::entries::{self, EntryFaults};
use crate::lint::certificate;
use crate::lint::element::Element;
use crate::lint::moment::Moment;
use crate::lint::raw_extension::RawExtension;
use crate::x509::MalformedDer;
use crate::x509::extension::DELTA_CRL_INDICATOR;
use crate::x509::octets::{INTEGER, SEQUENCE};
use der::asn1::ObjectIdentifier;

/// Fields of a TBSCertList, each as an element, and the issuer's certificate when that is known.
#[derive(Clone, Debug)]
pub(in crate::lint) struct CertList<'a> {
    /// Contents of `version`, when the field is present.
    pub(super) version: Option<&'a [u8]>,
    pub(super) signature: Element<'a>,
    pub(super) issuer: Element<'a>,
    pub(super) this_update: Element<'a>,
    pub(super) next_update: Option<Element<'a>>,
    pub(super) revoked: Option<Element<'a>>,
    pub(super) extensions: Vec<RawExtension<'a>>,
    /// Whether the field is present, even when it is empty.
    pub(super) has_extensions: bool,
    pub(super) outer_signature: Option<Element<'a>>,
    pub(super) issuer_certificate: Option<certificate::Fields<'a>>,
    /// Faults of the entries, found in one pass.
    pub(super) entries: EntryFaults,
}

impl<'a> CertList<'a> {
    /// Splits a TBSCertList into its fields.
    pub(in crate::lint) fn read(
        tbs: &'a [u8],
        outer_signature: Option<Element<'a>>,
        issuer_certificate: Option<certificate::Fields<'a>>,
    ) -> Result<Self, MalformedDer> {
        let mut list = Self::take_apart(tbs)
            .ok_or_else(|| MalformedDer::new("TBSCertList", "its fields cannot be told apart"))?;
        (list.outer_signature, list.issuer_certificate) = (outer_signature, issuer_certificate);
        let is_delta = list.has(DELTA_CRL_INDICATOR);
        let this_update = Moment::read(list.this_update).ok();
        list.entries =
            list.revoked.map(|list| entries::examine(list, is_delta, this_update)).unwrap_or_default();
        Ok(list)
    }

    fn take_apart(tbs: &'a [u8]) -> Option<Self> {
        let tbs = Element::only(tbs).filter(|tbs| tbs.tag == SEQUENCE)?;
        let mut fields = tbs.elements();
        let version = fields.next_if(INTEGER).map(|version| version.contents);
        let signature = fields.next_if(SEQUENCE)?;
        let issuer = fields.next_if(SEQUENCE)?;
        let this_update = fields.next()?;
        let next_update = fields.next_if(0x17).or_else(|| fields.next_if(0x18));
        let revoked = fields.next_if(SEQUENCE);
        let explicit = fields.next_if(0xa0);
        let extensions = match explicit {
            Some(explicit) => RawExtension::list(Element::only(explicit.contents)?)?,
            None => Vec::new(),
        };
        fields.is_empty().then_some(Self {
            version,
            signature,
            issuer,
            this_update,
            next_update,
            revoked,
            extensions,
            has_extensions: explicit.is_some(),
            outer_signature: None,
            issuer_certificate: None,
            entries: EntryFaults::default(),
        })
    }

    pub(super) fn extension(&self, oid: ObjectIdentifier) -> Option<&RawExtension<'a>> {
        self.extensions.iter().find(|extension| extension.is(oid))
    }

    pub(super) fn has(&self, oid: ObjectIdentifier) -> bool {
        self.extension(oid).is_some()
    }
}
