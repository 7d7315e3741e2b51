//! Rules on algorithm identifiers (RFC 4055, 5480, 5758, 8410), shared by certificates and CRLs.
use super::element::Element;
use super::rule::when;
use crate::x509::{SignatureAlgorithm, SubjectPublicKeyInfo};

/// Reports an identifier whose octets are not exactly those of an algorithm that we sign with.
pub(super) fn exactness(identifier: Element<'_>) -> Vec<String> {
    match SignatureAlgorithm::from_der(identifier.whole) {
        Ok(algorithm) if algorithm.to_der() == identifier.whole => Vec::new(),
        Ok(algorithm) => vec![format!("{algorithm} lacks its NULL parameters")],
        Err(error) => vec![error.reason],
    }
}

/// Reports a signature algorithm that a key of the issuer's type cannot have used.
pub(super) fn fitness(identifier: Element<'_>, issuer_key: Element<'_>) -> Vec<String> {
    let (Ok(algorithm), Ok(key)) =
        (SignatureAlgorithm::from_der(identifier.whole), SubjectPublicKeyInfo::from_der(issuer_key.whole))
    else {
        return Vec::new();
    };
    let fits = key.algorithm().can_sign_with(algorithm);
    when(!fits, format!("the issuer's {} key cannot sign with {algorithm}", key.algorithm()))
}

/// Reports an identifier outside the signed part that differs from the one inside.
pub(super) fn equality(inner: Element<'_>, outer: Option<Element<'_>>) -> Vec<String> {
    let differs = outer.is_some_and(|outer| outer.whole != inner.whole);
    when(differs, "the identifiers inside and outside of what is signed differ")
}
