//! Algorithm identifiers (RFC 4055, 5480, 5758, 8410), for certificates and CRLs alike.
use super::element::Element;
use super::rule::when;
use crate::x509::{SignatureAlgorithm, SubjectPublicKeyInfo};

/// Whether the identifier is, octet for octet, that of an algorithm we sign with.
pub(super) fn exactness(identifier: Element<'_>) -> Vec<String> {
    match SignatureAlgorithm::from_der(identifier.whole) {
        Ok(algorithm) if algorithm.to_der() == identifier.whole => Vec::new(),
        Ok(algorithm) => vec![format!("{algorithm} lacks its NULL parameters")],
        Err(error) => vec![error.reason],
    }
}

/// Whether a key of the issuer's type can have made a signature of this type.
pub(super) fn fitness(identifier: Element<'_>, issuer_key: Element<'_>) -> Vec<String> {
    let (Ok(algorithm), Ok(key)) =
        (SignatureAlgorithm::from_der(identifier.whole), SubjectPublicKeyInfo::from_der(issuer_key.whole))
    else {
        return Vec::new();
    };
    let fits = key.algorithm().can_sign_with(algorithm);
    when(!fits, format!("the issuer's {} key cannot sign with {algorithm}", key.algorithm()))
}

/// Whether the identifier outside of what is signed repeats the one inside.
pub(super) fn equality(inner: Element<'_>, outer: Option<Element<'_>>) -> Vec<String> {
    let differs = outer.is_some_and(|outer| outer.whole != inner.whole);
    when(differs, "the identifiers inside and outside of what is signed differ")
}
