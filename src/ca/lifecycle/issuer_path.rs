//! The issuer path of a CA made elsewhere: found by signatures, verified, and named.
use super::Lifecycle;
use super::renewal::ROOT_PROFILE;
use crate::ca::Adoption;
use crate::config::is_authority_name;
use crate::error::{Code, Problem, remedy};
use crate::index::{Authority, IndexError};
use crate::x509::{Certificate, UnixTime, can_verify_old, key_weaknesses};

/// Number of external CAs, bounds how many are put on record above one CA at once; sixteen is far more than
/// real paths have.
const MAX_EXTERNAL: usize = 16;

impl Lifecycle<'_> {
    /// Returns the issuer of the CA, and the external CAs that must be put on record for it, the topmost
    /// first.
    pub(in crate::ca) fn issuer_path(
        &self,
        adoption: &Adoption,
    ) -> Result<(Option<String>, Vec<Authority>), Problem> {
        let known = self.engine.index().authorities()?;
        let mut parent = None;
        let mut issuer_path: Vec<Authority> = Vec::new();
        let now = self.engine.now();
        let mut certificate = adoption.certificate.clone();
        let shown = || adoption.others.iter().chain(known.iter().map(|one| &one.certificate));
        while !is_root(&certificate, shown())? {
            let issued = |issuer: &Certificate| {
                certificate.tbs().names_as_issuer(issuer.tbs())
                    && certificate.was_signed_by(issuer.tbs().public_key())
            };
            let (name, unknown) = match known.iter().find(|one| issued(&one.certificate)) {
                Some(known) => (known.name.clone(), newer(known, &adoption.others, now)),
                None => {
                    // a root is preferred to a key rollover certificate for the same key (RFC 9810 §4.4)
                    let mut fit = adoption.others.iter().filter(|one| one.is_ca() && issued(one));
                    let found = fit.clone().find(|one| is_self_signed(one)).or_else(|| fit.next()).cloned();
                    let found = found.ok_or_else(|| unknown_issuer(&certificate, shown()))?;
                    (self.name_for(&found, adoption, &issuer_path)?, Some(found))
                }
            };
            if issuer_path.len() >= MAX_EXTERNAL {
                return Err(unknown_issuer(&certificate, shown()));
            }
            match issuer_path.last_mut() {
                Some(below) => (below.parent, below.profile) = (Some(name.clone()), "sub-ca".into()),
                None => parent = Some(name.clone()),
            }
            let Some(found) = unknown else { break };
            certificate = found.clone();
            issuer_path.push(external_authority(&name, found));
        }
        issuer_path.reverse();
        Ok((parent, issuer_path))
    }

    /// Returns a free name for an external CA, made from its commonName.
    fn name_for(
        &self,
        certificate: &Certificate,
        adoption: &Adoption,
        issuer_path: &[Authority],
    ) -> Result<String, Problem> {
        let subject = certificate.tbs().subject();
        let text = subject.texts("CN").pop().unwrap_or_else(|| subject.to_string());
        let words: Vec<String> = text
            .to_lowercase()
            .split(|character: char| !character.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let base: String = words.join("-").chars().take(48).collect();
        let base = if is_authority_name(&base) { base } else { "issuer".to_owned() };
        for number in 1..100 {
            let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
            let is_taken = name == adoption.name
                || issuer_path.iter().any(|one| one.name == name)
                || self.engine.index().authority(&name)?.is_some();
            if !is_taken {
                return Ok(name);
            }
        }
        Err(IndexError::AuthorityExists(base).into())
    }
}

fn external_authority(name: &str, certificate: Certificate) -> Authority {
    Authority {
        name: name.to_owned(),
        issuer: certificate.tbs().as_issuer(),
        parent: None,
        profile: ROOT_PROFILE.into(),
        certificate,
        key: String::new(),
        external: true,
        serves_ocsp: false,
        succeeds: None,
        last_end: None,
        retired: None,
    }
}

/// Returns warnings about a CA key that would not be certified today.
pub(in crate::ca) fn weaknesses(name: &str, certificate: &Certificate) -> Vec<String> {
    let weaknesses = key_weaknesses(certificate.tbs().public_key()).into_iter();
    weaknesses
        .map(|weakness| {
            format!(
                "the key of {name} is weak, so that others may be able to sign in its name ({weakness}): replace it \
                 by another CA"
            )
        })
        .collect()
}

fn is_self_signed(certificate: &Certificate) -> bool {
    let tbs = certificate.tbs();
    tbs.is_self_issued() && certificate.was_signed_by(tbs.public_key())
}

/// Whether this is a root certificate. A key rollover certificate between two roots of one name is not, when
/// the certificate of its issuer is in `shown`.
fn is_root<'c>(
    certificate: &Certificate,
    mut shown: impl Iterator<Item = &'c Certificate>,
) -> Result<bool, Problem> {
    let tbs = certificate.tbs();
    if !tbs.is_self_issued() {
        return Ok(false);
    }
    if is_self_signed(certificate) {
        return Ok(true);
    }
    let signed_it = |one: &Certificate| {
        tbs.names_as_issuer(one.tbs()) && certificate.was_signed_by(one.tbs().public_key())
    };
    if shown.any(signed_it) {
        return Ok(false);
    }
    if !can_verify_old(tbs.public_key(), certificate.signature_algorithm()) {
        return Err(unverifiable(certificate, certificate));
    }
    let message = format!("the certificate of `{}` does not verify with its own key", tbs.subject());
    Err(Problem::new(Code::CertificateSignature, message)
        .hint("take another copy of it; this one is damaged or is not what it says"))
}

/// The problem of a signature that may be right but cannot be verified here.
fn unverifiable(certificate: &Certificate, issuer: &Certificate) -> Problem {
    let message = format!(
        "the certificate of `{}` is signed with {} by a key of the type {}, which cannot be verified here: with SHA-256 and SHA-512 \
         RSA keys of 1024 to 8192 bits can, with SHA-384 those of 2048 to 8192",
        certificate.tbs().subject(),
        certificate.signature_algorithm(),
        issuer.tbs().public_key().algorithm(),
    );
    Problem::new(Code::CertificateUnverifiable, message).hint(
        "what cannot be verified is not put on record, with the CA's key or without: have the last CRLs made by the \
         program it comes from, and issue anew under another CA",
    )
}

fn unknown_issuer<'c>(certificate: &Certificate, shown: impl Iterator<Item = &'c Certificate>) -> Problem {
    let tbs = certificate.tbs();
    let is_named = |one: &&Certificate| {
        tbs.names_as_issuer(one.tbs())
            && !can_verify_old(one.tbs().public_key(), certificate.signature_algorithm())
    };
    let shown: Vec<&Certificate> = shown.collect();
    if let Some(issuer) = shown.iter().copied().find(|one| is_named(one)) {
        return unverifiable(certificate, issuer);
    }
    let of_this_name = shown.iter().any(|one| tbs.names_as_issuer(one.tbs()));
    let message = if of_this_name {
        format!(
            "the certificate of `{}` names as its issuer `{}`, and the key of the CA of that name which is known or was \
             shown did not sign it",
            tbs.subject(),
            tbs.issuer()
        )
    } else {
        format!(
            "the certificate of `{}` was issued by `{}`, which is neither a CA of this home nor among what was shown",
            tbs.subject(),
            tbs.issuer()
        )
    };
    Problem::new(Code::IssuerUnknown, message).hint(remedy::Authority::ShowIssuers)
}

/// Returns the certificate in `others` that replaces the one on record of an external CA: same name, key and
/// issuer, currently valid, and not older. One that begins in the same second counts as newer, because it was
/// shown last.
fn newer(known: &Authority, others: &[Certificate], now: UnixTime) -> Option<Certificate> {
    let begins = |certificate: &Certificate| certificate.tbs().validity().not_before;
    let of_it = |one: &&Certificate| {
        let tbs = one.tbs();
        tbs.as_issuer() == known.issuer
            && one.is_ca()
            && **one != known.certificate
            && tbs.issuer().is_same_as(known.certificate.tbs().issuer())
            && is_self_signed(one) == is_self_signed(&known.certificate)
            && begins(one) >= begins(&known.certificate)
            && begins(one) <= now
            && now <= tbs.validity().not_after
    };
    others.iter().filter(of_it).max_by_key(|one| begins(one)).filter(|_| known.is_external()).cloned()
}
