//! Extensions of certificates and CRLs, one in each file (RFC 5280 §4.2, §5.2, §5.3).
mod access;
mod basic_constraints;
mod crl_entry;
mod crl_number;
mod distribution_points;
mod key_identifier;
mod key_usage;
mod name_constraints;
mod subject_alt_name;
mod subtree_text;

pub use access::AccessDescription;
pub(crate) use access::authority_info_access;
pub use basic_constraints::BasicConstraints;
pub use crl_entry::invalidity_date;
#[cfg(test)]
pub(crate) use crl_entry::reason_code;
pub(crate) use crl_entry::{INVALIDITY_DATE, REASON_CODE, put_invalidity_date, put_reason_code};
pub use crl_number::crl_number;
pub(crate) use crl_number::delta_crl_indicator;
pub(crate) use crl_number::{CrlNumber, read_number};
#[cfg(test)]
pub(crate) use distribution_points::IssuingDistributionPoint;
pub(crate) use distribution_points::crl_distribution_points;
pub use distribution_points::distribution_point_urls;
pub(crate) use distribution_points::freshest_crl;
pub(crate) use distribution_points::urls_of;
pub use key_identifier::{authority_key_identifier, subject_key_identifier, subject_key_identifier_for};
pub(crate) use key_identifier::{
    authority_key_identifier_of, names_issuer_by_number, subject_key_identifier_of,
};
pub use key_usage::{ExtendedKeyUsage, KeyUsage, Purpose};
pub use name_constraints::{NameConstraints, Subtree};
pub(crate) use subject_alt_name::subject_alt_name;

use super::MalformedDer;
use super::octets::{OCTET_STRING, sequence, tlv};
use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::{Decode, Encode, Reader, SliceReader};

const fn ce(oid: &'static str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(oid)
}

/// `id-ce-subjectKeyIdentifier`
pub const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ce("2.5.29.14");
/// `id-ce-keyUsage`
pub const KEY_USAGE: ObjectIdentifier = ce("2.5.29.15");
/// `id-ce-subjectAltName`
pub(crate) const SUBJECT_ALT_NAME: ObjectIdentifier = ce("2.5.29.17");
/// `id-ce-basicConstraints`
pub const BASIC_CONSTRAINTS: ObjectIdentifier = ce("2.5.29.19");
/// `id-ce-cRLNumber`
pub(crate) const CRL_NUMBER: ObjectIdentifier = ce("2.5.29.20");
/// `id-ce-deltaCRLIndicator`
pub(crate) const DELTA_CRL_INDICATOR: ObjectIdentifier = ce("2.5.29.27");
/// `id-ce-issuingDistributionPoint`
pub(crate) const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ce("2.5.29.28");
/// `id-ce-nameConstraints`
pub const NAME_CONSTRAINTS: ObjectIdentifier = ce("2.5.29.30");
/// `id-ce-cRLDistributionPoints`
pub const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ce("2.5.29.31");
/// `id-ce-certificatePolicies`
pub(crate) const CERTIFICATE_POLICIES: ObjectIdentifier = ce("2.5.29.32");
/// `id-ce-authorityKeyIdentifier`
pub const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = ce("2.5.29.35");
/// `id-ce-extKeyUsage`
pub(crate) const EXTENDED_KEY_USAGE: ObjectIdentifier = ce("2.5.29.37");
/// `id-ce-freshestCRL`
pub(crate) const FRESHEST_CRL: ObjectIdentifier = ce("2.5.29.46");
/// `id-ce-noRevAvail` (RFC 9608)
pub(crate) const NO_REV_AVAIL: ObjectIdentifier = ce("2.5.29.56");
/// `id-pe-authorityInfoAccess`
pub const AUTHORITY_INFO_ACCESS: ObjectIdentifier = ce("1.3.6.1.5.5.7.1.1");
/// `id-pkix-ocsp-nocheck` (RFC 6960 §4.2.2.2.1)
pub(crate) const OCSP_NO_CHECK: ObjectIdentifier = ce("1.3.6.1.5.5.7.48.1.5");

/// `id-ce-policyMappings`
pub(crate) const POLICY_MAPPINGS: ObjectIdentifier = ce("2.5.29.33");
/// `id-ce-policyConstraints`
pub(crate) const POLICY_CONSTRAINTS: ObjectIdentifier = ce("2.5.29.36");
/// `id-ce-inhibitAnyPolicy`
pub(crate) const INHIBIT_ANY_POLICY: ObjectIdentifier = ce("2.5.29.54");

/// Tells whether the extension is about certificate policies.
#[must_use]
pub(crate) fn is_of_policies(oid: ObjectIdentifier) -> bool {
    [CERTIFICATE_POLICIES, POLICY_MAPPINGS, POLICY_CONSTRAINTS, INHIBIT_ANY_POLICY].contains(&oid)
}

/// Tells whether this program understands the certificate extension.
#[must_use]
pub fn is_known(oid: ObjectIdentifier) -> bool {
    const OTHERS: [ObjectIdentifier; 12] = [
        SUBJECT_KEY_IDENTIFIER,
        KEY_USAGE,
        SUBJECT_ALT_NAME,
        BASIC_CONSTRAINTS,
        NAME_CONSTRAINTS,
        CRL_DISTRIBUTION_POINTS,
        AUTHORITY_KEY_IDENTIFIER,
        EXTENDED_KEY_USAGE,
        FRESHEST_CRL,
        NO_REV_AVAIL,
        AUTHORITY_INFO_ACCESS,
        OCSP_NO_CHECK,
    ];
    is_of_policies(oid) || OTHERS.contains(&oid)
}

/// `Extension`
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Extension {
    /// `extnID`
    pub oid: ObjectIdentifier,
    /// `critical`
    pub critical: bool,
    /// Contents of `extnValue`: the DER of the extension's own type.
    pub value: Vec<u8>,
}

impl Extension {
    /// Returns an extension with these contents.
    #[must_use]
    pub fn new(oid: ObjectIdentifier, critical: bool, value: Vec<u8>) -> Self {
        Self { oid, critical, value }
    }

    /// Encodes `Extension`, DER. A `critical` of FALSE is left out.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let critical: &[u8] = if self.critical { &[1, 1, 0xff] } else { &[] };
        let oid = self.oid.to_der().unwrap_or_default();
        sequence(&[&oid, critical, &tlv(OCTET_STRING, &self.value)])
    }

    /// Reads `Extensions`, one whole `SEQUENCE OF Extension`.
    ///
    /// # Errors
    /// When the octets are malformed or empty, or encode a FALSE that DER leaves out.
    pub(crate) fn list_from_der(octets: &[u8]) -> Result<Vec<Self>, MalformedDer> {
        let mut reader = SliceReader::new(octets)?;
        let list = reader.sequence(|list| {
            let mut out = Vec::new();
            while !list.is_finished() {
                out.push(list.sequence(read)?);
            }
            Ok::<_, MalformedDer>(out)
        });
        let list = list.map_err(|error| error.reading("Extensions"))?;
        reader.finish()?;
        if list.is_empty() {
            return Err(MalformedDer::new("Extensions", "the list is empty"));
        }
        Ok(list)
    }
}

fn read<'r>(fields: &mut SliceReader<'r>) -> Result<Extension, MalformedDer> {
    let oid = ObjectIdentifier::decode(fields)?;
    let mut critical = false;
    if fields.peek_byte() == Some(1) {
        critical = bool::decode(fields)?;
        if !critical {
            return Err(MalformedDer::new("Extension", "critical FALSE is written out"));
        }
    }
    let value = <&OctetStringRef>::decode(fields)?;
    Ok(Extension { oid, critical, value: value.as_bytes().to_vec() })
}

/// Returns `noRevAvail` (RFC 9608 §2): NULL, not critical.
#[must_use]
pub(crate) fn no_rev_avail() -> Extension {
    Extension::new(NO_REV_AVAIL, false, tlv(0x05, &[]))
}

/// Returns `id-pkix-ocsp-nocheck` (RFC 6960 §4.2.2.2.1): NULL, not critical.
#[must_use]
pub fn ocsp_no_check() -> Extension {
    Extension::new(OCSP_NO_CHECK, false, tlv(0x05, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_list_survives_a_round_trip() {
        let list = [no_rev_avail(), Extension::new(KEY_USAGE, true, vec![3, 2, 1, 6])];
        let der = tlv(0x30, &list.iter().map(Extension::to_der).collect::<Vec<_>>().concat());
        assert_eq!(Extension::list_from_der(&der).unwrap(), list);
    }

    #[test]
    fn a_written_out_false_and_an_empty_list_are_not_der() {
        let written = sequence(&[&sequence(&[&KEY_USAGE.to_der().unwrap(), &[1, 1, 0], &[4, 0]])]);
        assert!(Extension::list_from_der(&written).is_err());
        assert!(Extension::list_from_der(&[0x30, 0]).is_err());
    }
}
