//! Proof that no rule is broken. Only this file makes one, and only from the findings of the rules.
use super::{Finding, crl_findings, findings_beside, findings_named, findings_ours};
use crate::x509::{Certificate, Name, TbsCertList, TbsCertificate};

/// Proof that the value breaks no rule. Only this module makes one.
///
/// ```compile_fail,E0423
/// # use genfic_ca::{lint::Linted, x509::TbsCertificate};
/// fn unchecked(tbs: TbsCertificate) -> Linted<TbsCertificate> {
///     Linted(tbs)
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Linted<T>(T);

impl<T> Linted<T> {
    /// Returns the checked value.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Returns the value and drops the proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Checks a certificate before it is signed. `issuer` is `None` for a self-signed root.
///
/// # Errors
/// Every broken rule.
pub(crate) fn check_certificate(
    tbs: TbsCertificate,
    issuer: Option<&Certificate>,
) -> Result<Linted<TbsCertificate>, Vec<Finding>> {
    let findings = findings_ours(&tbs, issuer);
    if findings.is_empty() { Ok(Linted(tbs)) } else { Err(findings) }
}

/// Checks a certificate of a CA whose name was written by another program. When the subject repeats the octets of
/// that name, the rules on how it is written are not applied.
///
/// # Errors
/// Every broken rule except those.
pub(crate) fn check_certificate_named(
    tbs: TbsCertificate,
    issuer: Option<&Certificate>,
    name: &Name,
) -> Result<Linted<TbsCertificate>, Vec<Finding>> {
    let findings = findings_named(&tbs, issuer, name);
    if findings.is_empty() { Ok(Linted(tbs)) } else { Err(findings) }
}

/// Checks a certificate of a CA that already has one with the same name and key. That name, and a
/// subjectKeyIdentifier that another method made (X6), are repeated unchanged, and our own rules on them are not
/// applied.
///
/// # Errors
/// Every broken rule except those.
pub(crate) fn check_certificate_beside(
    tbs: TbsCertificate,
    issuer: Option<&Certificate>,
    other: &Certificate,
) -> Result<Linted<TbsCertificate>, Vec<Finding>> {
    let findings = findings_beside(&tbs, issuer, other);
    if findings.is_empty() { Ok(Linted(tbs)) } else { Err(findings) }
}

/// Checks a CRL before it is signed.
///
/// # Errors
/// Every broken rule.
pub(crate) fn check_crl(tbs: TbsCertList, issuer: &Certificate) -> Result<Linted<TbsCertList>, Vec<Finding>> {
    let findings = crl_findings(&tbs, Some(issuer));
    if findings.is_empty() { Ok(Linted(tbs)) } else { Err(findings) }
}
