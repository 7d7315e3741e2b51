//! File formats of other people's keys: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017), SEC 1 (RFC 5915), and what PEM itself
//! encrypted (RFC 1421).
mod foreign;
mod holder_file;
mod legacy_pem;
mod pkcs8_file;

pub use foreign::ForeignKey;
pub use holder_file::read_holder_key_file;
pub use pkcs8_file::encrypted_private_key_pem;
