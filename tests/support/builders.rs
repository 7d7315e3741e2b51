//! The builders of the library's unit tests, for integration tests.
#![allow(dead_code, unused_imports, reason = "each test binary uses its part")]
#[path = "../../src/testing/certificate.rs"]
mod certificate;
#[path = "../../src/testing/key.rs"]
mod key;
#[path = "../../src/testing/request.rs"]
mod request;

pub(crate) use certificate::CertificateBuilder;
pub(crate) use key::{EC, P256, RSA, TestKey, public_key};
pub(crate) use request::*;

use genfic_ca::x509;
