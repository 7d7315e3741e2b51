//! The proof that every rule was kept. This file alone makes one, and from nothing but what the rules said.
use super::{Finding, crl_findings, findings_beside, findings_named, findings_ours};
use crate::x509::{Certificate, Name, TbsCertList, TbsCertificate};

/// Proof that every rule was kept. Only this module makes one.
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
    /// What was checked.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Gives the proof up.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Checks a certificate before it is signed. `issuer` is `None` for a self-signed root.
///
/// # Errors
/// Every rule that is broken.
pub(crate) fn check_certificate(
    tbs: TbsCertificate,
    issuer: Option<&Certificate>,
) -> Result<Linted<TbsCertificate>, Vec<Finding>> {
    let findings = findings_ours(&tbs, issuer);
    if findings.is_empty() { Ok(Linted(tbs)) } else { Err(findings) }
}

/// Checks a certificate for a CA whose name was made elsewhere: when its octets are repeated, nothing is said of how
/// they are written.
///
/// # Errors
/// Every other rule that is broken.
pub(crate) fn check_certificate_named(
    tbs: TbsCertificate,
    issuer: Option<&Certificate>,
    name: &Name,
) -> Result<Linted<TbsCertificate>, Vec<Finding>> {
    let findings = findings_named(&tbs, issuer, name);
    if findings.is_empty() { Ok(Linted(tbs)) } else { Err(findings) }
}

/// Checks a certificate for a CA that has one already, of the same name and key: that name, and a
/// subjectKeyIdentifier that another method made (X6), are repeated as they are, whatever our own rules say.
///
/// # Errors
/// Every other rule that is broken.
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
/// Every rule that is broken.
pub(crate) fn check_crl(tbs: TbsCertList, issuer: &Certificate) -> Result<Linted<TbsCertList>, Vec<Finding>> {
    let findings = crl_findings(&tbs, Some(issuer));
    if findings.is_empty() { Ok(Linted(tbs)) } else { Err(findings) }
}
