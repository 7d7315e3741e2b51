//! CA keys in tokens: smart cards, HSMs and their like, used through PKCS#11 modules (G17, K4).
//!
//! A key is made in its token and never leaves it. Digests are computed here, the token signs them. A token is found
//! by a URI of RFC 7512, among the modules that the configuration names.
mod failure;
mod key;
mod modules;
mod public_half;
mod scheme;
mod store;
mod token;
mod uri;

pub use store::TokenStore;
pub(super) use store::files_in;
pub use uri::{InvalidTokenUri, TokenUri};
