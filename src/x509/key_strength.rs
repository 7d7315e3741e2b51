//! Key strength (X13): a stub to be written.
use super::SubjectPublicKeyInfo;

/// Why a public key is too weak to be certified.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyWeakness {
    /// RSA modulus length out of bounds.
    #[error("an RSA modulus of {0} bits; 2048 to 8192 are accepted")]
    ModulusLength(u32),
}

/// Everything that is wrong with a key; empty when nothing is.
#[must_use]
pub fn key_weaknesses(_key: &SubjectPublicKeyInfo) -> Vec<KeyWeakness> {
    Vec::new()
}
