//! `TBSCertificate` as it is in the octets (RFC 5280 §4.1), not checked yet.
use crate::lint::key_identifier;
use crate::lint::moment::Moment;
use crate::lint::raw_extension::RawExtension;
use crate::lint::tlv::Tlv;
use crate::x509::extension::{
    self, AUTHORITY_KEY_IDENTIFIER, BasicConstraints, ExtendedKeyUsage, KeyUsage, Purpose, SUBJECT_ALT_NAME,
    SUBJECT_KEY_IDENTIFIER,
};
use crate::x509::octets::{INTEGER, OCTET_STRING, SEQUENCE};
use crate::x509::{GeneralName, MalformedDer, Name};
use der::asn1::ObjectIdentifier;
use std::cell::OnceCell;

/// The fields of a TBSCertificate, each as an element.
#[derive(Clone, Debug)]
pub(in crate::lint) struct Fields<'a> {
    /// Contents of the explicit `version`, when the field is present.
    pub(in crate::lint) version: Option<&'a [u8]>,
    pub(in crate::lint) serial_number: Tlv<'a>,
    pub(in crate::lint) signature: Tlv<'a>,
    pub(in crate::lint) issuer: Tlv<'a>,
    pub(in crate::lint) not_before: Tlv<'a>,
    pub(in crate::lint) not_after: Tlv<'a>,
    pub(in crate::lint) subject: Tlv<'a>,
    pub(in crate::lint) public_key: Tlv<'a>,
    pub(in crate::lint) has_unique_identifiers: bool,
    pub(in crate::lint) extensions: Vec<RawExtension<'a>>,
    /// Whether the field is present, even when it is empty.
    pub(in crate::lint) has_extensions: bool,
    /// `signatureAlgorithm` of the whole certificate; `None` when only the TBSCertificate is known.
    pub(in crate::lint) outer_signature: Option<Tlv<'a>>,
    /// Whether issuer and subject are the same name, once a rule has asked.
    self_issued: OnceCell<bool>,
}

impl<'a> Fields<'a> {
    /// Splits a TBSCertificate into its fields.
    pub(in crate::lint) fn read(tbs: &'a [u8]) -> Result<Self, MalformedDer> {
        Self::take_apart(tbs)
            .ok_or_else(|| MalformedDer::new("TBSCertificate", "its fields cannot be told apart"))
    }

    fn take_apart(tbs: &'a [u8]) -> Option<Self> {
        let tbs = Tlv::only(tbs).filter(|tbs| tbs.tag == SEQUENCE)?;
        let mut fields = tbs.tlvs();
        let version = fields.next_if(0xa0).map(|explicit| explicit.contents);
        let serial_number = fields.next_if(INTEGER)?;
        let signature = fields.next_if(SEQUENCE)?;
        let issuer = fields.next_if(SEQUENCE)?;
        let validity = fields.next_if(SEQUENCE)?;
        let mut times = validity.tlvs();
        let (not_before, not_after) = (times.next()?, times.next()?);
        let subject = fields.next_if(SEQUENCE)?;
        let public_key = fields.next_if(SEQUENCE)?;
        let identifiers = [0x81, 0x82].map(|tag| fields.next_if(tag).is_some());
        let explicit = fields.next_if(0xa3);
        let extensions = match explicit {
            Some(explicit) => RawExtension::list(Tlv::only(explicit.contents)?)?,
            None => Vec::new(),
        };
        (fields.is_empty() && times.is_empty()).then_some(Self {
            version,
            serial_number,
            signature,
            issuer,
            not_before,
            not_after,
            subject,
            public_key,
            has_unique_identifiers: identifiers.contains(&true),
            extensions,
            has_extensions: explicit.is_some(),
            outer_signature: None,
            self_issued: OnceCell::new(),
        })
    }

    pub(in crate::lint) fn extension(&self, oid: ObjectIdentifier) -> Option<&RawExtension<'a>> {
        self.extensions.iter().find(|extension| extension.is(oid))
    }

    pub(in crate::lint) fn has(&self, oid: ObjectIdentifier) -> bool {
        self.extension(oid).is_some()
    }

    pub(in crate::lint) fn basic_constraints(&self) -> Option<BasicConstraints> {
        BasicConstraints::from_value(self.extension(extension::BASIC_CONSTRAINTS)?.value).ok()
    }

    pub(in crate::lint) fn is_ca(&self) -> bool {
        self.basic_constraints().is_some_and(|constraints| constraints.ca)
    }

    pub(in crate::lint) fn key_usage(&self) -> Option<KeyUsage> {
        KeyUsage::from_value(self.extension(extension::KEY_USAGE)?.value).ok()
    }

    /// Returns the purposes of the extKeyUsage; empty when the extension is absent or malformed.
    pub(in crate::lint) fn purposes(&self) -> Vec<Purpose> {
        let extension = self.extension(extension::EXTENDED_KEY_USAGE);
        extension.and_then(|one| ExtendedKeyUsage::from_value(one.value).ok()).unwrap_or_default().0
    }

    /// Returns the names of the subjectAltName that can be read. Malformed ones are skipped.
    pub(in crate::lint) fn alternative_names(&self) -> Vec<GeneralName> {
        let list = self.extension(SUBJECT_ALT_NAME).and_then(|one| Tlv::only(one.value));
        let tlvs = list.into_iter().flat_map(|list| list.tlvs());
        tlvs.filter_map(|tlv| GeneralName::from_der(tlv.whole).ok()).collect()
    }

    /// Returns the octets of the subjectKeyIdentifier.
    pub(in crate::lint) fn key_identifier(&self) -> Option<&'a [u8]> {
        let tlv = Tlv::only(self.extension(SUBJECT_KEY_IDENTIFIER)?.value)?;
        (tlv.tag == OCTET_STRING).then_some(tlv.contents)
    }

    pub(in crate::lint) fn subject_name(&self) -> Option<Name> {
        Name::from_der(self.subject.whole).ok()
    }

    pub(in crate::lint) fn is_self_issued(&self) -> bool {
        let read = |name: Tlv<'_>| Name::from_der(name.whole).ok();
        *self.self_issued.get_or_init(|| {
            self.issuer.whole == self.subject.whole
                || read(self.issuer).is_some_and(|issuer| {
                    read(self.subject).is_some_and(|subject| issuer.is_same_as(&subject))
                })
        })
    }

    /// Tells whether the authorityKeyIdentifier differs from the certificate's own subjectKeyIdentifier.
    pub(in crate::lint) fn names_another_key(&self) -> bool {
        let issuers =
            self.extension(AUTHORITY_KEY_IDENTIFIER).and_then(|one| key_identifier::authority(one.value));
        issuers.zip(self.key_identifier()).is_some_and(|(issuers, own)| issuers != own)
    }

    pub(in crate::lint) fn validity(&self) -> (Option<Moment>, Option<Moment>) {
        (Moment::read(self.not_before).ok(), Moment::read(self.not_after).ok())
    }
}

/// A certificate, and its issuer's certificate when that is known.
#[derive(Clone, Debug)]
pub(in crate::lint) struct Subject<'a> {
    pub(in crate::lint) own: Fields<'a>,
    /// Issuer's certificate. For a root, the certificate itself.
    pub(in crate::lint) issuer: Option<Fields<'a>>,
}

impl<'a> Subject<'a> {
    /// Returns the certificate with its issuer. A self-issued certificate without another issuer is its own issuer,
    /// unless it is not a CA certificate and its authorityKeyIdentifier is of another key.
    pub(in crate::lint) fn new(own: Fields<'a>, issuer: Option<Fields<'a>>) -> Self {
        let is_own = || own.is_self_issued() && (own.is_ca() || !own.names_another_key());
        let issuer = issuer.or_else(|| is_own().then(|| own.clone()));
        Self { own, issuer }
    }

    /// Tells whether the certificate is a root: self-issued and with the same key as its issuer.
    pub(in crate::lint) fn is_root(&self) -> bool {
        let same_key = |issuer: &Fields<'_>| issuer.public_key.whole == self.own.public_key.whole;
        self.own.is_self_issued() && self.issuer.as_ref().is_some_and(same_key)
    }

    /// Returns the issuer when it is another certificate.
    pub(in crate::lint) fn parent(&self) -> Option<&Fields<'a>> {
        self.issuer.as_ref().filter(|_| !self.is_root())
    }
}
