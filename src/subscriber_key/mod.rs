//! File formats of private keys of responders, subscribers and other programs: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017),
//! SEC 1 (RFC 5915), and the older encryption of PEM (RFC 1421).
mod foreign;
mod legacy_pem;
mod pkcs8_file;
mod subscriber_file;

pub use foreign::ForeignKey;
pub(crate) use foreign::{has_private_key, without_private_keys};
pub(crate) use pkcs8_file::encrypted_ca_key_pem;
pub use pkcs8_file::encrypted_private_key_pem;
pub use subscriber_file::read_subscriber_key_file;
