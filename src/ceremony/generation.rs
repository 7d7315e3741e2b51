//! Key rollover certificates in a ceremony (RFC 9810 §4.4): with which other generation of a CA a key links itself.
//!
//! The signer makes one for a key whose certificate lies beside its own, and limits it by no profile and no envelope. A
//! request brings such a certificate along, and whoever writes a request can make one that fits. So it counts only when
//! the people at the ceremony name it, or when it lies on the medium already.
use super::rules::{Known, is_of_same};
use super::{Item, Request, ToBeSigned};
use crate::error::{Code, Problem, remedy};
use crate::x509::{Certificate, Fingerprint};

/// The certificate of another generation of the CA, whose key an item certifies.
#[derive(Clone, Copy)]
pub(crate) struct Generation<'a> {
    /// That certificate.
    pub(crate) certificate: &'a Certificate,
    /// Whether it lies on the medium, and not only in the request.
    pub(crate) is_on_medium: bool,
}

impl Item {
    /// Returns the certificate that this item brings of another generation of its issuer, a root: it has the issuer's
    /// name and the key that is to be certified, and is signed by that key. Anybody can make such a certificate.
    #[must_use]
    pub fn other_generation(&self) -> Option<&Certificate> {
        let (ToBeSigned::Certificate(tbs), Some(shown)) = (&self.tbs, &self.beside) else { return None };
        let is_generation = tbs.subject().is_same_as(tbs.issuer())
            && shown.tbs().is_self_issued()
            && is_of_same(shown, tbs)
            && shown.is_signed_by(shown.tbs().public_key());
        is_generation.then_some(shown)
    }
}

/// Returns what people have to know of a key rollover certificate before it is signed: lines about the certificate of the
/// other generation with this fingerprint.
#[must_use]
pub fn link_text(other: &Fingerprint) -> [String; 2] {
    [
        "KEY ROLLOVER LINK, which no profile and no envelope limits: whoever trusts this CA trusts that key from then on"
            .to_owned(),
        format!("other generation: the certificate with the fingerprint {other}"),
    ]
}

fn is_named(certificate: &Certificate, known: &Known) -> bool {
    known.named.contains(&certificate.fingerprint())
}

/// Returns the other generation for whose key an item is a key rollover certificate: the one that the request brings if it
/// lies on the medium or was named, else one for the same key that lies there, else the one of the request alone.
#[must_use]
pub(crate) fn generation<'a>(item: &'a Item, known: &'a Known) -> Option<Generation<'a>> {
    let ToBeSigned::Certificate(tbs) = &item.tbs else { return None };
    let own = known.issuer.tbs();
    if tbs.public_key() == own.public_key() || !tbs.subject().is_same_as(own.subject()) {
        return None;
    }
    let shown = item.other_generation().filter(|_| own.is_self_issued());
    let of = |certificate, is_on_medium| Generation { certificate, is_on_medium };
    if let Some(shown) = shown.filter(|shown| is_named(shown, known) || known.others.contains(shown)) {
        return Some(of(shown, known.others.contains(shown)));
    }
    let there = known.others.iter().find(|one| is_of_same(one, tbs)).map(|one| of(one, true));
    there.or_else(|| shown.map(|shown| of(shown, false)))
}

/// Checks that each other generation with which a request links the key lies on the medium or was named, and that no other
/// was named.
///
/// # Errors
/// `ceremony.refused`.
pub(crate) fn check_named(request: &Request, known: &Known) -> Result<(), Problem> {
    let all: Vec<Generation<'_>> = request.items.iter().filter_map(|item| generation(item, known)).collect();
    if let Some(unnamed) = all.iter().find(|one| !one.is_on_medium && !is_named(one.certificate, known)) {
        let message = format!(
            "the key would link itself with another generation of {}, which no profile and no envelope limits, and nobody \
             here has named that",
            known.issuer.tbs().subject()
        );
        let brought = unnamed.certificate.fingerprint().to_string();
        return Err(
            Problem::new(Code::CeremonyRefused, message).hint(remedy::Authority::NameGeneration(brought))
        );
    }
    let is_asked = |named: &&Fingerprint| all.iter().any(|one| one.certificate.fingerprint() == **named);
    match known.named.iter().find(|named| !is_asked(named)) {
        None => Ok(()),
        Some(named) => Err(Problem::new(
            Code::CeremonyRefused,
            format!("the request asks for no link with the generation whose certificate has the fingerprint {named}"),
        )
        .hint("nothing was signed; have the request made anew for that generation, or name none")),
    }
}
