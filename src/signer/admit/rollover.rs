//! Key rollover certificates (RFC 9810 §4.4): with which other generations of its CA a key links itself. No profile grants
//! such a link.
use super::{KeyInUse, Refusal};
use crate::error::Code;
use crate::signer::KeyEnvelope;
use crate::x509::{Certificate, Extension, TbsCertificate, extension, sha256};

/// Why a certificate of another CA is believed to be that of another generation of this one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Vouching {
    /// Somebody who may say so has said it: the user of the keys, or an administrator.
    Accepted,
    /// The signer binds the key by an envelope, since an administrator had it made here or brought here.
    Bound,
    /// Nobody has said anything of it.
    Unknown,
}

/// Tells whether this certifies another generation of the same CA: a key that the signer has too, and the extensions of
/// that key's own certificate. Both are roots, since those below them get their new keys from their issuers. The name is
/// the same; a root that got another name with its new key was made for no more than this one.
///
/// # Errors
/// For a generation of the same name for which nobody stands, or that may do more than this key.
pub(super) fn is_rollover(
    key: &KeyInUse<'_>,
    envelope: &KeyEnvelope,
    tbs: &TbsCertificate,
) -> Result<bool, Refusal> {
    if !key.own.iter().all(|own| own.tbs().is_self_issued()) {
        return Ok(false);
    }
    let is_same_name = key.own.iter().any(|own| own.tbs().subject().is_same_as(tbs.subject()));
    let mut refusal = None;
    for other in key.others.iter().filter(|other| is_linked_with(key, tbs, other)) {
        let is_within = envelope.bounding(other.tbs()).is_within(envelope);
        match (key.generations)(other) {
            Vouching::Accepted if is_same_name || is_within => return Ok(true),
            Vouching::Bound if is_within || (is_same_name && is_no_wider(key, envelope, other.tbs())) => {
                return Ok(true);
            }
            Vouching::Accepted | Vouching::Bound | Vouching::Unknown => refusal = Some(unaccepted(other)),
        }
    }
    match refusal.filter(|_| is_same_name) {
        Some(refusal) => Err(refusal),
        // what is not linked is certified as any other CA is
        None => Ok(false),
    }
}

/// Tells whether this certificate lets its CA certify no more than the newest certificate of the key does. Where the
/// envelope was narrowed since, that is all that those who trust the CA believe already.
pub(super) fn is_no_wider(key: &KeyInUse<'_>, envelope: &KeyEnvelope, tbs: &TbsCertificate) -> bool {
    key.newest().is_some_and(|own| envelope.bounding(tbs).is_within(&envelope.bounding(own.tbs())))
}

fn is_linked_with(key: &KeyInUse<'_>, tbs: &TbsCertificate, certificate: &Certificate) -> bool {
    let other = certificate.tbs();
    other.is_self_issued()
        && other.public_key() == tbs.public_key()
        && other.subject() == tbs.subject()
        && tbs.validity().not_after <= other.validity().not_after
        && kept(other) == kept(tbs)
        && is_vouched_for(key, certificate)
}

/// The extensions that a link has from the other generation.
fn kept(tbs: &TbsCertificate) -> Vec<&Extension> {
    let is_replaced = |one: &&Extension| {
        [
            extension::AUTHORITY_KEY_IDENTIFIER,
            extension::CRL_DISTRIBUTION_POINTS,
            extension::AUTHORITY_INFO_ACCESS,
            extension::FRESHEST_CRL,
            extension::SUBJECT_KEY_IDENTIFIER,
        ]
        .contains(&one.oid)
    };
    tbs.extensions().iter().filter(|one| !is_replaced(one)).collect()
}

/// Whether its own key or one that the signer knows signed it: one that nobody here vouches for could ask for anything.
fn is_vouched_for(key: &KeyInUse<'_>, one: &Certificate) -> bool {
    let known = key.own.iter().chain(key.above).chain(key.others);
    one.is_signed_by(one.tbs().public_key())
        || known
            .filter(|by| one.tbs().names_as_issuer(by.tbs()))
            .any(|by| one.is_signed_by(by.tbs().public_key()))
}

fn unaccepted(other: &Certificate) -> Refusal {
    let tbs = other.tbs();
    let message = format!(
        "the key would link itself with another generation of `{}`, which may do more than it or whose key is not bound here, \
         and no administrator has accepted that; its certificate is {}, valid until {}, and has the SHA-256 {}",
        tbs.subject(),
        tbs.serial_number(),
        tbs.validity().not_after,
        base16ct::lower::encode_string(&sha256(other.as_der()))
    );
    let hint = "compare it with the certificate of that generation; when it is that one, an administrator accepts it, with the \
        option accept-certificate of the command that shows the envelope of the key";
    Refusal::new(Code::SignerCertificateUnknown, "RFC 9810 §4.4", message, hint)
}
