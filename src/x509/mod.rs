//! Values of RFC 5280 and RFC 2986 and their DER. Pure: no I/O, no clock, no randomness of its own.
//!
//! What is decoded keeps the octets it came from: names, keys and signatures are copied and verified as they were
//! received, never as a re-encoding. Whether two names are the same is asked of their values (RFC 5280 §7.1).
mod algorithm;
mod apparent_host;
mod attribute;
mod attribute_value;
mod certificate;
mod content;
mod crl;
mod crl_builder;
mod crl_listing;
mod crl_outline;
mod csr;
mod digest;
pub mod extension;
mod general_name;
mod key_strength;
mod name;
mod name_text;
pub mod octets;
pub mod pem;
mod prepared_name;
mod reason;
mod seal;
mod serial;
mod spki;
pub mod text;
mod time;

pub use algorithm::{KeyAlgorithm, SignatureAlgorithm};
pub(crate) use algorithm::{KeyScheme, PrivateAlgorithm, Unidentified, identify};
pub(crate) use apparent_host::apparent_host;
pub(crate) use attribute::StringKind;
pub use attribute::{AttributeType, is_invisible};
pub(crate) use attribute_value::AttributeValue;
pub use certificate::{Certificate, CertificateId, IssuerId, TbsCertificate};
pub use content::Content;
pub(crate) use crl::CrlEntry;
pub use crl::{CertificateList, TbsCertList};
pub(crate) use crl_builder::TbsCertListBuilder;
pub(crate) use crl_listing::CrlListing;
pub(crate) use crl_listing::compare as compare_serials;
pub(crate) use crl_outline::CrlOutline;
pub use csr::{CertificationRequest, CsrError};
pub(crate) use csr::{VerifiedCsr, encode_request};
pub use digest::Fingerprint;
pub(crate) use digest::{sha1, sha256, sha384, sha512};
pub use extension::Extension;
pub use general_name::GeneralName;
pub(crate) use key_strength::KeyWeakness;
pub use key_strength::key_weaknesses;
pub(crate) use name::NameError;
pub use name::{Attribute, Name};
pub(crate) use prepared_name::PreparedName;
pub use reason::CrlReason;
pub(crate) use seal::{Signed, can_verify_old, verify_old};
pub use seal::{seal, verify};
pub use serial::SerialNumber;
pub use spki::SubjectPublicKeyInfo;
pub(crate) use time::read_time;
pub use time::{UnixTime, Validity};

/// Octets that are not the DER they should be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not valid DER for {what}: {reason}")]
pub struct MalformedDer {
    /// What was being read, for example `Certificate`.
    pub what: &'static str,
    /// Why it cannot be read.
    pub reason: String,
    /// Whether it is well-formed and merely names an algorithm that is none of ours.
    pub unsupported: bool,
}

impl MalformedDer {
    /// What was being read, and why it cannot be.
    #[must_use]
    pub fn new(what: &'static str, reason: impl Into<String>) -> Self {
        Self { what, reason: reason.into(), unsupported: false }
    }

    /// Something well-formed that names an algorithm that is none of ours.
    #[must_use]
    pub fn unsupported(what: &'static str, reason: impl Into<String>) -> Self {
        Self { what, reason: reason.into(), unsupported: true }
    }

    /// The same, saying what was being read.
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
