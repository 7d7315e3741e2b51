//! Rules on `crlExtensions` as a whole, and on the extensions of every CRL (RFC 5280 §5.1.2.7, §5.2.1, §5.2.3).
use super::{CertList, CrlRule};
use crate::lint::rule::{RuleOver, Scope, when};
use crate::lint::tlv::{Tlv, is_minimal_integer};
use crate::lint::{key_identifier, raw_extension};
use crate::x509::extension::{
    AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT,
};
use crate::x509::octets::INTEGER;

const AUTHORITY: &str = "RFC 5280 §5.2.1";
const NUMBER: &str = "RFC 5280 §5.2.3";

pub(super) const RULES: &[CrlRule] = &[
    RuleOver {
        name: "crl_extensions_not_empty",
        rows: &["C1"],
        citation: "RFC 5280 §5.1.2.7",
        says: "There is never an empty list of extensions",
        scope: Scope::Everyone,
        check: not_empty,
    },
    RuleOver {
        name: "crl_extensions_unique",
        rows: &["C1"],
        citation: "RFC 5280 §5.2",
        says: "No extension stands there twice",
        scope: Scope::Everyone,
        check: |list| raw_extension::repeated(&list.extensions),
    },
    RuleOver {
        name: "crl_extensions_encoding",
        rows: &["C1"],
        citation: "RFC 5280 §5.2, X.690 §11.5",
        says: "Extensions are DER, and critical is left out where it is FALSE",
        scope: Scope::Everyone,
        check: |list| raw_extension::wrongly_encoded(&list.extensions),
    },
    RuleOver {
        name: "crl_critical_extensions_known",
        rows: &["C5"],
        citation: "RFC 5280 §5.2",
        says: "No extension is critical that is not known here",
        scope: Scope::Everyone,
        check: critical_known,
    },
    RuleOver {
        name: "crl_authority_key_identifier_present",
        rows: &["C1"],
        citation: AUTHORITY,
        says: "There is an authorityKeyIdentifier",
        scope: Scope::Everyone,
        check: |list| when(!list.has(AUTHORITY_KEY_IDENTIFIER), "there is no authorityKeyIdentifier"),
    },
    RuleOver {
        name: "crl_authority_key_identifier_form",
        rows: &["C1", "X3"],
        citation: AUTHORITY,
        says: "authorityKeyIdentifier is not critical, and holds the keyIdentifier and nothing else",
        scope: Scope::Everyone,
        check: authority_form,
    },
    RuleOver {
        name: "crl_authority_key_identifier_repeats_issuers",
        rows: &["C1", "X6"],
        citation: AUTHORITY,
        says: "authorityKeyIdentifier has the octets of the issuer's subjectKeyIdentifier",
        scope: Scope::Everyone,
        check: authority_repeats,
    },
    RuleOver {
        name: "crl_number_present",
        rows: &["C1"],
        citation: NUMBER,
        says: "There is a cRLNumber",
        scope: Scope::Everyone,
        check: |list| when(!list.has(CRL_NUMBER), "there is no cRLNumber"),
    },
    RuleOver {
        name: "crl_number_form",
        rows: &["C1"],
        citation: NUMBER,
        says: "cRLNumber is not critical, not negative, and has at most 20 octets",
        scope: Scope::Everyone,
        check: number_form,
    },
];

fn not_empty(list: &CertList<'_>) -> Vec<String> {
    let empty = list.has_extensions && list.extensions.is_empty();
    when(empty, "the list of extensions is empty")
}

fn critical_known(list: &CertList<'_>) -> Vec<String> {
    // Rules of their own forbid that the other known extensions are critical.
    let known = [DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT, AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER];
    let known = known.into_iter().chain([crate::x509::extension::FRESHEST_CRL]);
    raw_extension::unknown_critical(&list.extensions, &known.collect::<Vec<_>>())
}

fn authority_form(list: &CertList<'_>) -> Vec<String> {
    let Some(extension) = list.extension(AUTHORITY_KEY_IDENTIFIER) else { return Vec::new() };
    let mut out = when(extension.is_critical(), "authorityKeyIdentifier is critical");
    out.extend(key_identifier::key_identifier_only(extension));
    out
}

fn authority_repeats(list: &CertList<'_>) -> Vec<String> {
    let issuers = list.issuer_certificate.as_ref().and_then(|issuer| issuer.key_identifier());
    match (list.extension(AUTHORITY_KEY_IDENTIFIER), issuers) {
        (Some(extension), Some(issuers)) => key_identifier::repeats(extension, issuers),
        _ => Vec::new(),
    }
}

/// Returns the faults of a CRL number or base CRL number.
pub(super) fn number_faults(value: &[u8]) -> Vec<String> {
    match Tlv::only(value).filter(|integer| integer.tag == INTEGER).map(|integer| integer.contents) {
        Some(contents) if is_minimal_integer(contents) => {
            let negative = contents.first().is_some_and(|first| *first >= 0x80);
            let mut out = when(negative, "the number is negative");
            out.extend(when(contents.len() > 20, format!("the number has {} octets", contents.len())));
            out
        }
        _ => vec!["the number is no INTEGER".into()],
    }
}

fn number_form(list: &CertList<'_>) -> Vec<String> {
    let Some(extension) = list.extension(CRL_NUMBER) else { return Vec::new() };
    let mut out = number_faults(extension.value);
    out.extend(when(extension.is_critical(), "cRLNumber is critical"));
    out
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCrl> {
    use super::draft::{BrokenCrl, CrlDraft};
    use crate::lint::certificate::draft::PARENT_IDENTIFIER;
    use crate::x509::Extension;
    use crate::x509::extension::{authority_key_identifier, crl_number};
    use crate::x509::octets::{sequence, tlv};
    let put = |extension: Extension| move |list: &mut CrlDraft| list.put(extension.clone());
    let raw = |octets: Vec<u8>| move |list: &mut CrlDraft| list.raw_extensions.push(octets.clone());
    let number = |contents: &[u8]| put(Extension::new(CRL_NUMBER, false, tlv(INTEGER, contents)));
    let authority = authority_key_identifier(&PARENT_IDENTIFIER);
    let with_serial = sequence(&[&tlv(0x80, &PARENT_IDENTIFIER), &tlv(0xa1, &[]), &tlv(0x82, &[1])]);
    vec![
        BrokenCrl::complete("crl_extensions_not_empty", |list| {
            list.extensions = Vec::new();
            list.has_empty_list = true;
        })
        .and("crl_authority_key_identifier_present")
        .and("crl_number_present"),
        BrokenCrl::complete("crl_extensions_unique", raw(crl_number(7).to_der())),
        BrokenCrl::complete(
            "crl_extensions_encoding",
            raw(sequence(&[&[6, 2, 0x2a, 3], &[1, 1, 0], &[4, 2, 5, 0]])),
        ),
        BrokenCrl::complete(
            "crl_critical_extensions_known",
            put(Extension::new("1.2.3".parse().unwrap(), true, vec![5, 0])),
        ),
        BrokenCrl::complete("crl_authority_key_identifier_present", |list| {
            list.remove(AUTHORITY_KEY_IDENTIFIER)
        }),
        BrokenCrl::complete(
            "crl_authority_key_identifier_form",
            put(Extension::new(AUTHORITY_KEY_IDENTIFIER, false, with_serial)),
        ),
        BrokenCrl::complete(
            "crl_authority_key_identifier_form",
            put(Extension { critical: true, ..authority }),
        ),
        BrokenCrl::complete(
            "crl_authority_key_identifier_repeats_issuers",
            put(authority_key_identifier(&[9; 20])),
        ),
        BrokenCrl::complete("crl_number_present", |list| list.remove(CRL_NUMBER)),
        BrokenCrl::complete("crl_number_form", number(&[0x80])),
        BrokenCrl::complete("crl_number_form", number(&[0x55; 21])),
        BrokenCrl::complete("crl_number_form", put(Extension { critical: true, ..crl_number(7) })),
        BrokenCrl::complete("crl_number_form", put(Extension::new(CRL_NUMBER, false, vec![4, 1, 7]))),
    ]
}
