//! Builders for tests: keys, certificates, CRLs and requests, correct ones and ones with one thing wrong.
//!
//! `certificate`, `key` and `request` use only the public parts of [`x509`], so that tests outside the crate
//! use them too (`tests/support/builders.rs`).
mod certificate;
mod crl;
#[allow(dead_code, reason = "tests outside use the rest")]
mod key;
#[allow(dead_code, reason = "tests outside use the rest")]
mod request;
mod skipped;

pub(crate) use certificate::CertificateBuilder;
pub(crate) use crl::{CrlBuilder, crl, entry, tbs_cert_list};
pub(crate) use key::{ED25519, RSA, TestKey, public_key};
pub(crate) use request::{CHALLENGE_PASSWORD, attribute, info};
pub(crate) use skipped::{is_root, skipped};

use crate::x509;
use crate::x509::{Name, UnixTime};

/// 2027-01-15T08:00:00Z
pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}
