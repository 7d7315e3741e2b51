//! What is handed out in the formats of other programs: trust anchors, and a holder's certificate with its key, of what
//! is published. Octets and text alone; nothing is read or written here.
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
