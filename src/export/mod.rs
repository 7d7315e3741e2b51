//! Formats of other programs for published certificates: trust anchors, and the certificate of a subscriber with its
//! key. This module makes octets and text; it reads and writes no files.
mod configuration_profile;
mod csv;
pub mod pkcs12;
mod signed_data;
mod snippet;
mod subject_hash;

pub use configuration_profile::configuration_profile;
pub use csv::csv_row;
pub use signed_data::certificates_only;
pub use snippet::{Server, Snippet};
pub use subject_hash::subject_hash;

use der::Encode;
use der::asn1::ObjectIdentifier;

/// An `OBJECT IDENTIFIER`, DER.
fn oid(oid: ObjectIdentifier) -> Vec<u8> {
    oid.to_der().unwrap_or_default()
}
