//! Values of RFC 5280 and RFC 2986 and their DER. Pure: no I/O, no clock, no source of randomness.
//!
//! Decoded values keep the octets from which they were read. Names, keys and signatures are copied and verified as
//! received, never as a re-encoding. Names are compared by their values (RFC 5280 §7.1).
mod algorithm;
mod apparent_host;
mod attribute;
mod attribute_value;
mod certificate;
mod crl;
mod crl_builder;
mod crl_entry_reason;
mod crl_listing;
mod crl_summary;
mod csr;
mod digest;
mod encode_signed;
pub mod extension;
mod general_name;
mod key_strength;
mod name;
mod name_text;
pub mod octets;
mod other_name;
pub mod pem;
mod pem_kind;
mod prepared_name;
mod reason;
mod serial;
mod spki;
pub mod text;
mod time;
mod wrapped;

pub use algorithm::{KeyAlgorithm, SignatureAlgorithm};
pub(crate) use algorithm::{KeyScheme, PrivateAlgorithm, Unidentified, identify};
pub(crate) use apparent_host::apparent_host;
pub(crate) use attribute::StringKind;
pub use attribute::{AttributeType, is_invisible};
pub(crate) use attribute_value::AttributeValue;
pub use certificate::{Certificate, CertificateId, IssuerId, TbsCertificate};
pub(crate) use crl::CrlEntry;
pub use crl::{CertificateList, TbsCertList};
pub(crate) use crl_builder::TbsCertListBuilder;
pub(crate) use crl_entry_reason::{Revoked, reason_alone};
pub(crate) use crl_listing::CrlListing;
pub(crate) use crl_listing::compare as compare_serials;
pub(crate) use crl_summary::CrlSummary;
pub use csr::{CertificationRequest, CsrError};
pub(crate) use csr::{VerifiedCsr, encode_request};
pub use digest::Fingerprint;
pub(crate) use digest::{sha1, sha256, sha384, sha512};
pub(crate) use encode_signed::{Signed, can_verify_old, verify_old};
pub use encode_signed::{encode_signed, verify};
pub use extension::Extension;
pub use general_name::GeneralName;
pub(crate) use key_strength::KeyWeakness;
pub use key_strength::key_weaknesses;
pub(crate) use name::NameError;
pub use name::{Attribute, Name};
pub use pem_kind::PemKind;
pub(crate) use prepared_name::PreparedName;
pub use reason::CrlReason;
pub use serial::SerialNumber;
pub use spki::SubjectPublicKeyInfo;
pub(crate) use time::read_time;
pub use time::{UnixTime, Validity};

/// Error for octets that are not the expected DER.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not valid DER for {what}: {reason}")]
pub struct MalformedDer {
    /// Type that was being read, for example `Certificate`.
    pub what: &'static str,
    /// Reason why it cannot be read.
    pub reason: String,
    /// Whether the octets are well-formed and only name an algorithm that is not supported.
    pub unsupported: bool,
}

impl MalformedDer {
    /// Returns an error with the type that was being read and the reason.
    #[must_use]
    pub fn new(what: &'static str, reason: impl Into<String>) -> Self {
        Self { what, reason: reason.into(), unsupported: false }
    }

    /// Returns an error for well-formed octets that name an algorithm that is not supported.
    #[must_use]
    pub fn unsupported(what: &'static str, reason: impl Into<String>) -> Self {
        Self { what, reason: reason.into(), unsupported: true }
    }

    /// Returns the same error with another type that was being read.
    #[must_use]
    pub fn reading(mut self, what: &'static str) -> Self {
        self.what = what;
        self
    }
}

impl From<der::Error> for MalformedDer {
    fn from(error: der::Error) -> Self {
        Self::new("ASN.1", error.to_string())
    }
}
