//! Rules on `extKeyUsage` (RFC 5280 §4.2.1.12) and on responder certificates (RFC 6960 §4.2.2.2).
use super::{CertificateRule, Subject, never_critical};
use crate::lint::rule::{RuleOver, Scope, repeated, when};
use crate::x509::extension::{
    AUTHORITY_INFO_ACCESS, AccessDescription, CRL_DISTRIBUTION_POINTS, EXTENDED_KEY_USAGE, ExtendedKeyUsage,
    NO_REV_AVAIL, OCSP_NO_CHECK, Purpose,
};

const CITATION: &str = "RFC 5280 §4.2.1.12";
const RESPONDER: &str = "RFC 6960 §4.2.2.2, §4.2.2.2.1";

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "extended_key_usage_form",
        rows: &["X9"],
        citation: CITATION,
        says: "extKeyUsage is a list of purposes, with one at least and none twice",
        scope: Scope::Everyone,
        check: form,
    },
    RuleOver {
        name: "extended_key_usage_not_any",
        rows: &["X9"],
        citation: CITATION,
        says: "extKeyUsage does not have anyExtendedKeyUsage",
        scope: Scope::Everyone,
        check: not_any,
    },
    RuleOver {
        name: "extended_key_usage_of_ca",
        rows: &["X9"],
        citation: "RFC 6960 §4.2.2.2",
        says: "A CA certificate does not have OCSPSigning: it would answer for its issuer",
        scope: Scope::Everyone,
        check: of_ca,
    },
    RuleOver {
        name: "extended_key_usage_within_issuer",
        rows: &["X9"],
        citation: CITATION,
        says: "Purposes are among those of the issuer, OCSPSigning excepted",
        scope: Scope::Everyone,
        check: within_issuer,
    },
    RuleOver {
        name: "responder_purpose_alone",
        rows: &["X9", "O7"],
        citation: RESPONDER,
        says: "OCSPSigning does not stand beside other purposes",
        scope: Scope::Everyone,
        check: alone,
    },
    RuleOver {
        name: "responder_no_check",
        rows: &["X9", "O7"],
        citation: RESPONDER,
        says: "A responder's certificate has id-pkix-ocsp-nocheck, a NULL, and no other has it",
        scope: Scope::Everyone,
        check: no_check,
    },
    RuleOver {
        name: "responder_no_check_not_critical",
        rows: &["X9", "O7"],
        citation: RESPONDER,
        says: "id-pkix-ocsp-nocheck is not critical",
        scope: Scope::Everyone,
        check: |subject| never_critical(subject, OCSP_NO_CHECK, "id-pkix-ocsp-nocheck"),
    },
    RuleOver {
        name: "responder_without_pointers",
        rows: &["X10", "O7"],
        citation: RESPONDER,
        says: "A responder's certificate names neither a CRL nor a responder",
        scope: Scope::Everyone,
        check: without_pointers,
    },
];

fn is_responder(subject: &Subject<'_>) -> bool {
    subject.own.purposes().contains(&Purpose::OCSP_SIGNING) && !subject.own.is_ca()
}

fn form(subject: &Subject<'_>) -> Vec<String> {
    let Some(extension) = subject.own.extension(EXTENDED_KEY_USAGE) else { return Vec::new() };
    match ExtendedKeyUsage::from_value(extension.value) {
        Ok(ExtendedKeyUsage(list)) if list.is_empty() => vec!["extKeyUsage is empty".into()],
        Ok(ExtendedKeyUsage(list)) => {
            let again = repeated(list).into_iter();
            again.map(|purpose| format!("the purpose {purpose} stands there twice")).collect()
        }
        Err(error) => vec![error.reason],
    }
}

fn not_any(subject: &Subject<'_>) -> Vec<String> {
    when(subject.own.purposes().contains(&Purpose::ANY), "extKeyUsage has anyExtendedKeyUsage")
}

fn of_ca(subject: &Subject<'_>) -> Vec<String> {
    let odd = subject.own.is_ca() && subject.own.purposes().contains(&Purpose::OCSP_SIGNING);
    when(odd, "a CA certificate with OCSPSigning")
}

fn within_issuer(subject: &Subject<'_>) -> Vec<String> {
    let Some(parent) = subject.parent() else { return Vec::new() };
    let issuers = parent.purposes();
    if issuers.is_empty() || issuers.contains(&Purpose::ANY) {
        return Vec::new();
    }
    let own = subject.own.purposes().into_iter();
    own.filter(|purpose| *purpose != Purpose::OCSP_SIGNING && !issuers.contains(purpose))
        .map(|purpose| format!("the purpose {purpose} is not among those of the issuer"))
        .collect()
}

fn alone(subject: &Subject<'_>) -> Vec<String> {
    let several = subject.own.purposes().iter().any(|purpose| *purpose != Purpose::OCSP_SIGNING);
    when(is_responder(subject) && several, "OCSPSigning stands beside other purposes")
}

fn no_check(subject: &Subject<'_>) -> Vec<String> {
    match (is_responder(subject), subject.own.extension(OCSP_NO_CHECK)) {
        (true, None) => vec!["a responder's certificate without id-pkix-ocsp-nocheck".into()],
        (false, Some(_)) => vec!["id-pkix-ocsp-nocheck in a certificate of no responder".into()],
        (true, Some(extension)) => when(extension.value != [5, 0], "id-pkix-ocsp-nocheck is not NULL"),
        (false, None) => Vec::new(),
    }
}

fn without_pointers(subject: &Subject<'_>) -> Vec<String> {
    if !is_responder(subject) || !subject.own.has(OCSP_NO_CHECK) {
        return Vec::new();
    }
    let access = subject.own.extension(AUTHORITY_INFO_ACCESS);
    let access =
        access.and_then(|one| AccessDescription::list_from_value(one.value).ok()).unwrap_or_default();
    let ocsp = access.iter().any(|description| description.method == AccessDescription::OCSP);
    let pointed = ocsp || subject.own.has(CRL_DISTRIBUTION_POINTS) || subject.own.has(NO_REV_AVAIL);
    when(pointed, "a responder's certificate says where its own revocation can be asked for")
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft};
    use crate::x509::Extension;
    use crate::x509::extension::{authority_info_access, crl_distribution_points, ocsp_no_check};
    let usage = |purposes: &[Purpose]| {
        let extension = ExtendedKeyUsage(purposes.to_vec()).to_extension();
        move |draft: &mut CertificateDraft| draft.put(extension.clone())
    };
    let mut limited = CertificateDraft::child_ca();
    limited.put(ExtendedKeyUsage(vec![Purpose::CLIENT_AUTH]).to_extension());
    vec![
        BrokenCertificate::leaf("extended_key_usage_form", usage(&[])),
        BrokenCertificate::leaf(
            "extended_key_usage_form",
            usage(&[Purpose::SERVER_AUTH, Purpose::SERVER_AUTH]),
        ),
        BrokenCertificate::leaf("extended_key_usage_form", |leaf| {
            leaf.put(Extension::new(EXTENDED_KEY_USAGE, false, vec![4, 0]))
        }),
        BrokenCertificate::leaf("extended_key_usage_not_any", usage(&[Purpose::ANY])),
        BrokenCertificate::child_ca("extended_key_usage_of_ca", usage(&[Purpose::OCSP_SIGNING])),
        BrokenCertificate::leaf("extended_key_usage_within_issuer", |_| ()).issued_by(limited),
        BrokenCertificate::responder(
            "responder_purpose_alone",
            usage(&[Purpose::OCSP_SIGNING, Purpose::CLIENT_AUTH]),
        ),
        BrokenCertificate::responder("responder_no_check", |responder| responder.remove(OCSP_NO_CHECK)),
        BrokenCertificate::responder("responder_no_check", |responder| {
            responder.put(Extension { value: vec![4, 0], ..ocsp_no_check() });
        }),
        BrokenCertificate::leaf("responder_no_check", |leaf| leaf.put(ocsp_no_check())),
        BrokenCertificate::responder("responder_no_check_not_critical", |responder| {
            responder.put(Extension { critical: true, ..ocsp_no_check() });
        }),
        BrokenCertificate::responder("responder_without_pointers", |responder| {
            responder.put(crl_distribution_points(&["http://a.example/a.crl".into()]));
        }),
        BrokenCertificate::responder("responder_without_pointers", |responder| {
            responder.put(authority_info_access(&[AccessDescription::ocsp("http://a.example/")]));
        }),
    ]
}
