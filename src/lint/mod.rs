//! Checks of what is about to be signed, as encoded, and of any certificate or CRL. Pure.
//!
//! Rules read the octets with a decoder of their own, so that an error of the encoder is not repeated here. Each rule
//! has a name, the rows of the standards table that it keeps, and a citation. [`rules`] lists them.
mod algorithm;
mod certificate;
mod crl;
mod distribution_point;
mod key_identifier;
mod linted;
mod moment;
mod octets;
mod raw_extension;
mod rule;
mod tlv;

pub use linted::Linted;
pub(crate) use linted::{check_certificate, check_certificate_beside, check_certificate_named, check_crl};
pub use octets::lint_octets;
pub use rule::LintFinding;
pub(crate) use rule::{Rule, Scope};

#[cfg(test)]
use octets::{findings_of_certificate, findings_of_crl};

use crate::x509::extension::subject_key_identifier;
use crate::x509::{Certificate, Name, TbsCertList, TbsCertificate};
use certificate::{Fields, Subject};
use crl::CertList;

/// Rule that only [`check_certificate`] applies.
const ISSUER_KNOWN: Rule = Rule {
    name: "issuer_known",
    rows: &["X3", "X11"],
    citation: "RFC 5280 §6.1",
    says: "Nothing but a root is signed without its issuer's certificate at hand",
    scope: Scope::Ours,
};

/// Returns every rule: those on certificates and those on CRLs, each in the order of the fields, then those on both.
pub fn rules() -> impl Iterator<Item = Rule> {
    let certificates = certificate::certificate_rules().map(|rule| rule.rule());
    let crls = crl::crl_rules().map(|rule| rule.rule());
    certificates.chain(crls).chain([octets::DER, octets::DECODABLE, ISSUER_KNOWN])
}

/// Returns the findings that keep a certificate from being signed. `issuer` is `None` for a self-signed root.
fn findings_ours(tbs: &TbsCertificate, issuer: Option<&Certificate>) -> Vec<LintFinding> {
    let mut findings = certificate_findings(tbs, issuer);
    if issuer.is_none() && !tbs.is_self_issued() {
        findings.push(ISSUER_KNOWN.finding("the issuer's certificate is not at hand"));
    }
    findings
}

/// Names of the rules on how a subject is written. They do not apply to a CA that already has a name, because its
/// certificates repeat the octets (X3).
const WRITING: [&str; 3] = ["subject_text_is_utf8", "subject_string_types", "subject_rdn_order"];

/// Returns the findings for a CA whose name was written by another program. When the subject repeats the octets of
/// that name, the rules in [`WRITING`] are not applied.
fn findings_named(tbs: &TbsCertificate, issuer: Option<&Certificate>, name: &Name) -> Vec<LintFinding> {
    let repeated = tbs.subject() == name;
    let mut findings = findings_ours(tbs, issuer);
    findings.retain(|finding| !(repeated && WRITING.contains(&finding.rule)));
    findings
}

/// Names of the rules that are not applied to the certificate of a CA whose other certificates are not at hand: their
/// names and key identifiers may have been made by another program, and are repeated as they are (X3, X6).
const ESTABLISHED: [&str; 5] = [
    "subject_text_is_utf8",
    "subject_string_types",
    "subject_rdn_order",
    "subject_values",
    "subject_key_identifier_method",
];

/// Returns every broken rule of a certificate of ours that is about to be signed. `issuer` is `None` for a self-signed
/// root.
#[must_use]
pub(crate) fn certificate_findings_of_ours(
    tbs: &TbsCertificate,
    issuer: Option<&Certificate>,
) -> Vec<LintFinding> {
    findings_ours(tbs, issuer)
}

/// Returns the same of the certificate of a CA that may have another one, which is not at hand.
#[must_use]
pub(crate) fn certificate_findings_of_ca(
    tbs: &TbsCertificate,
    issuer: Option<&Certificate>,
) -> Vec<LintFinding> {
    let mut findings = findings_ours(tbs, issuer);
    findings.retain(|finding| !ESTABLISHED.contains(&finding.rule));
    findings
}

/// Returns the findings for a CA that already has a certificate with the same name and key. That name, and a
/// subjectKeyIdentifier that another method made (X6), are repeated unchanged, and our own rules on them are not
/// applied.
fn findings_beside(
    tbs: &TbsCertificate,
    issuer: Option<&Certificate>,
    other: &Certificate,
) -> Vec<LintFinding> {
    let mut findings = findings_ours(tbs, issuer);
    let of_one_ca = tbs.subject() == other.tbs().subject()
        && tbs.public_key() == other.tbs().public_key()
        && subject_key_identifier(tbs) == subject_key_identifier(other.tbs());
    if findings.is_empty() || !of_one_ca {
        return findings;
    }
    let borne = certificate_findings(other.tbs(), None);
    let is_borne = |finding: &LintFinding| {
        finding.rule.starts_with("subject_") && (WRITING.contains(&finding.rule) || borne.contains(finding))
    };
    findings.retain(|finding| !is_borne(finding));
    findings
}

/// Returns every broken rule of a TBSCertificate. Without an issuer, rules that need it are left out, unless the
/// certificate is self-issued.
#[must_use]
pub fn certificate_findings(tbs: &TbsCertificate, issuer: Option<&Certificate>) -> Vec<LintFinding> {
    let issuer = issuer.and_then(|issuer| Fields::read(issuer.tbs().as_der()).ok());
    match Fields::read(tbs.as_der()) {
        Ok(fields) => octets::certificate(&Subject::new(fields, issuer), Scope::Ours),
        Err(error) => vec![octets::undecodable(&error)],
    }
}

/// Returns every broken rule of a TBSCertList. Without an issuer, rules that need it are left out.
#[must_use]
pub fn crl_findings(tbs: &TbsCertList, issuer: Option<&Certificate>) -> Vec<LintFinding> {
    let issuer = issuer.and_then(|issuer| Fields::read(issuer.tbs().as_der()).ok());
    match CertList::read(tbs.as_der(), None, issuer) {
        Ok(list) => octets::crl(&list, Scope::Ours),
        Err(error) => vec![octets::undecodable(&error)],
    }
}

#[cfg(test)]
mod tests {
    use super::certificate::draft::CertificateDraft;
    use super::crl::draft::CrlDraft;
    use super::*;
    use crate::x509::CertificateList;

    fn certificate(draft: &CertificateDraft) -> Certificate {
        draft.unsigned()
    }

    #[test]
    fn only_what_keeps_every_rule_is_linted() {
        // X3, X5
        let (root, parent) =
            (certificate(&CertificateDraft::root()), certificate(&CertificateDraft::parent()));
        let leaf = certificate(&CertificateDraft::leaf());
        assert!(check_certificate(root.tbs().clone(), None).is_ok());
        assert_eq!(check_certificate(leaf.tbs().clone(), Some(&parent)).unwrap().get(), leaf.tbs());
        let wrong = check_certificate(leaf.tbs().clone(), Some(&root)).unwrap_err();
        assert!(wrong.iter().any(|finding| finding.rule == "issuer_repeats_subject"));
        let orphan = check_certificate(leaf.tbs().clone(), None).unwrap_err();
        assert_eq!(orphan[0].rule, "issuer_known");
    }

    #[test]
    fn every_rule_is_listed_under_a_name_of_its_own() {
        let all: Vec<Rule> = rules().collect();
        for (at, rule) in all.iter().enumerate() {
            assert!(!all[..at].iter().any(|other| other.name == rule.name), "{} twice", rule.name);
            assert!(rule.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
            assert!(!rule.rows.is_empty() && !rule.citation.is_empty() && !rule.says.ends_with('.'));
        }
        for row in ["X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8", "X9", "X10", "X11", "X12", "X14"] {
            assert!(all.iter().any(|rule| rule.rows.contains(&row)), "no rule for {row}");
        }
        for row in ["C1", "C2", "C4", "C5"] {
            assert!(all.iter().any(|rule| rule.rows.contains(&row)), "no rule for {row}");
        }
    }

    #[test]
    fn a_crl_is_linted_against_its_issuer() {
        // C1
        let crl = CertificateList::from_der(&CrlDraft::complete().unsigned_der()).unwrap();
        assert!(check_crl(crl.tbs().clone(), &certificate(&CertificateDraft::parent())).is_ok());
        let wrong = check_crl(crl.tbs().clone(), &certificate(&CertificateDraft::root())).unwrap_err();
        let rules: Vec<&str> = wrong.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, ["crl_issuer_repeats_subject", "crl_authority_key_identifier_repeats_issuers"]);
    }
}
