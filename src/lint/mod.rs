//! Checks over what is about to be signed, as encoded. Pure.
use crate::x509::{Certificate, TbsCertList, TbsCertificate};

/// One violated rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Stable name of the rule, for example `crl_has_number`.
    pub rule: &'static str,
    /// Where the rule comes from, for example `RFC 5280 §5.2.3`.
    pub citation: &'static str,
    /// What is wrong here.
    pub message: String,
}

/// Proof that every rule was kept. Only this module makes one.
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
pub fn check_certificate(
    tbs: TbsCertificate,
    issuer: Option<&Certificate>,
) -> Result<Linted<TbsCertificate>, Vec<Finding>> {
    let findings = certificate_findings(&tbs, issuer);
    if findings.is_empty() { Ok(Linted(tbs)) } else { Err(findings) }
}

/// Every broken rule of a TBSCertificate; rules that need the issuer are left out without one, unless it
/// is self-issued.
#[must_use]
pub fn certificate_findings(_tbs: &TbsCertificate, _issuer: Option<&Certificate>) -> Vec<Finding> {
    Vec::new()
}

/// Checks a CRL before it is signed.
///
/// # Errors
/// Every rule that is broken.
pub fn check_crl(tbs: TbsCertList, issuer: &Certificate) -> Result<Linted<TbsCertList>, Vec<Finding>> {
    let findings = crl_findings(&tbs, Some(issuer));
    if findings.is_empty() { Ok(Linted(tbs)) } else { Err(findings) }
}

/// Every broken rule of a TBSCertList; rules that need the issuer are left out without one.
#[must_use]
pub fn crl_findings(_tbs: &TbsCertList, _issuer: Option<&Certificate>) -> Vec<Finding> {
    Vec::new()
}
