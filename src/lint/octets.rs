//! Linting of octets: any certificate or CRL, including foreign ones and those that our decoder refuses.
use super::certificate::{Fields, Subject, certificate_rules};
use super::crl::{CertList, crl_rules};
use super::element::{Element, der_fault};
use super::rule::{Finding, Reach, Rule, RuleOver};
use crate::x509::octets::{INTEGER, SEQUENCE};
use crate::x509::{Certificate, CertificateList, MalformedDer, pem};

/// Rule that the whole octets are DER.
pub(super) const DER: Rule = Rule {
    name: "der",
    rows: &["X4", "X12"],
    citation: "RFC 5280 §4.1, X.690 §10, §11",
    says: "Lengths, BOOLEANs, INTEGERs and BIT STRINGs are DER, wherever they stand",
    reach: Reach::Everyone,
};

/// Rule that our decoder accepts the octets.
pub(super) const DECODABLE: Rule = Rule {
    name: "decodable",
    rows: &["X1", "X14", "C1"],
    citation: "RFC 5280 §4.1, §5.1",
    says: "The certificate or CRL can be read by this program",
    reach: Reach::Everyone,
};

/// Returns every broken rule of a certificate or CRL, PEM or DER. In a PEM text, the first block of either kind is
/// linted. `issuer` is the issuer's certificate; without it, rules that need it are left out. Rules that are only
/// about what this project makes ([`Reach::Ours`]) are left out too.
///
/// # Errors
/// When the octets are neither a certificate nor a CRL, not even a malformed one.
pub fn lint_octets(octets: &[u8], issuer: Option<&Certificate>) -> Result<Vec<Finding>, MalformedDer> {
    let neither = |reason: String| MalformedDer::new("certificate or CRL", reason);
    let blocks = pem::decode_file(octets, "").map_err(|error| neither(error.to_string()))?;
    let block = blocks
        .iter()
        .find(|block| matches!(block.label.as_str(), "" | "CERTIFICATE" | "X509 CERTIFICATE" | "X509 CRL"))
        .ok_or_else(|| neither("there is no CERTIFICATE and no X509 CRL block".into()))?;
    let frame = Frame::read(&block.der).ok_or_else(|| neither("its octets begin like neither".into()))?;
    let (mut findings, decoded) = if frame.is_crl {
        (crl_in(&frame, issuer, Reach::Everyone), CertificateList::from_der(&block.der).map(drop))
    } else {
        (certificate_in(&frame, issuer, Reach::Everyone), Certificate::from_der(&block.der).map(drop))
    };
    findings
        .extend(der_fault(&block.der).map(|fault| DER.finding(format!("the octets are not DER: {fault}"))));
    findings.extend(decoded.err().map(|error| undecodable(&error)));
    Ok(findings)
}

/// Returns the finding for octets that the decoder cannot read.
pub(super) fn undecodable(error: &MalformedDer) -> Finding {
    DECODABLE.finding(error.to_string())
}

/// `SEQUENCE { toBeSigned, signatureAlgorithm, signature }` and its signed part.
struct Frame<'a> {
    tbs: &'a [u8],
    outer_signature: Element<'a>,
    is_crl: bool,
}

impl<'a> Frame<'a> {
    fn read(octets: &'a [u8]) -> Option<Self> {
        let frame = Element::only(octets).filter(|frame| frame.tag == SEQUENCE)?;
        let mut parts = frame.elements();
        let (tbs, outer_signature) = (parts.next_if(SEQUENCE)?, parts.next_if(SEQUENCE)?);
        parts.next_if(3)?;
        // In certificates `issuer` is followed by `validity`, in CRLs by `thisUpdate`.
        let mut fields = tbs.elements();
        fields.next_if(0xa0);
        fields.next_if(INTEGER);
        fields.next_if(SEQUENCE)?;
        fields.next_if(SEQUENCE)?;
        let is_crl = match fields.next()?.tag {
            0x17 | 0x18 => true,
            SEQUENCE => false,
            _ => return None,
        };
        parts.is_empty().then_some(Self { tbs: tbs.whole, outer_signature, is_crl })
    }
}

fn certificate_in(frame: &Frame<'_>, issuer: Option<&Certificate>, reach: Reach) -> Vec<Finding> {
    let issuer = issuer.and_then(|issuer| Fields::read(issuer.tbs().as_der()).ok());
    match Fields::read(frame.tbs) {
        Ok(mut fields) => {
            fields.outer_signature = Some(frame.outer_signature);
            certificate(&Subject::new(fields, issuer), reach)
        }
        Err(_) => Vec::new(),
    }
}

fn crl_in(frame: &Frame<'_>, issuer: Option<&Certificate>, reach: Reach) -> Vec<Finding> {
    let issuer = issuer.and_then(|issuer| Fields::read(issuer.tbs().as_der()).ok());
    CertList::read(frame.tbs, Some(frame.outer_signature), issuer)
        .map_or_else(|_| Vec::new(), |list| crl(&list, reach))
}

/// Returns the findings of the rules on certificates, within this scope of rules.
pub(super) fn certificate(subject: &Subject<'_>, reach: Reach) -> Vec<Finding> {
    certificate_rules().flat_map(|rule| apply(rule, reach, |check| check(subject))).collect()
}

/// Returns the findings of the rules on CRLs, within this scope of rules.
pub(super) fn crl(list: &CertList<'_>, reach: Reach) -> Vec<Finding> {
    crl_rules().flat_map(|rule| apply(rule, reach, |check| check(list))).collect()
}

fn apply<C: Copy>(rule: &RuleOver<C>, reach: Reach, run: impl Fn(C) -> Vec<String>) -> Vec<Finding> {
    if reach == Reach::Everyone && rule.reach == Reach::Ours {
        return Vec::new();
    }
    run(rule.check).into_iter().map(|message| rule.rule().finding(message)).collect()
}

/// Returns the findings of a whole certificate, our own rules included.
#[cfg(test)]
pub(super) fn findings_of_certificate(octets: &[u8], issuer: Option<&Certificate>) -> Vec<Finding> {
    certificate_in(&Frame::read(octets).unwrap(), issuer, Reach::Ours)
}

/// Returns the findings of a whole CRL, our own rules included.
#[cfg(test)]
pub(super) fn findings_of_crl(octets: &[u8], issuer: Option<&Certificate>) -> Vec<Finding> {
    crl_in(&Frame::read(octets).unwrap(), issuer, Reach::Ours)
}

#[cfg(test)]
mod tests {
    use super::super::certificate::draft::Draft;
    use super::super::crl::draft::Draft as CrlDraft;
    use super::*;
    use proptest::prelude::*;

    fn rules(octets: &[u8]) -> Vec<&'static str> {
        lint_octets(octets, None).unwrap().into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn certificates_and_crls_are_told_apart_in_pem_and_der() {
        let (certificate, crl) = (Draft::leaf().unsigned_der(), CrlDraft::complete().unsigned_der());
        assert_eq!(rules(&certificate), Vec::<&str>::new());
        assert_eq!(rules(&crl), Vec::<&str>::new());
        assert_eq!(rules(pem::encode("CERTIFICATE", &certificate).as_bytes()), Vec::<&str>::new());
        let mut old = CrlDraft::complete();
        old.version = Vec::new();
        assert_eq!(
            rules(pem::encode("X509 CRL", &old.unsigned_der()).as_bytes()),
            ["crl_version_is_v2", "decodable"]
        );
        for neither in [&b"hello"[..], b"", &[0x30, 0], pem::encode("PRIVATE KEY", &[1]).as_bytes()] {
            assert!(lint_octets(neither, None).is_err());
        }
    }

    #[test]
    fn what_the_decoder_refuses_is_a_finding_and_not_an_error() {
        // X1
        let mut leaf = Draft::leaf();
        leaf.serial_number = vec![2, 1, 0x80];
        assert_eq!(rules(&leaf.unsigned_der()), ["serial_number_positive", "decodable"]);
        leaf.raw_extensions = vec![vec![5, 0]];
        assert_eq!(rules(&leaf.unsigned_der()), ["decodable"]);
    }

    #[test]
    fn choices_of_this_project_are_not_asked_of_others() {
        // X6
        let mut leaf = Draft::leaf();
        leaf.serial_number = vec![2, 1, 1];
        leaf.put(crate::x509::Extension::new(
            crate::x509::extension::SUBJECT_KEY_IDENTIFIER,
            false,
            vec![4, 2, 1, 2],
        ));
        assert_eq!(rules(&leaf.unsigned_der()), Vec::<&str>::new());
        let ours = leaf.findings(None);
        let ours: Vec<&str> = ours.iter().map(|finding| finding.rule).collect();
        assert_eq!(ours, ["serial_number_random_bits", "subject_key_identifier_method"]);
    }

    #[test]
    fn octets_that_are_not_der_are_found_wherever_they_are() {
        let mut leaf = Draft::leaf();
        leaf.unique_identifiers = vec![0xa1, 3, 1, 1, 1];
        assert!(rules(&leaf.unsigned_der()).contains(&"der"));
    }

    proptest! {
        #[test]
        fn arbitrary_octets_do_no_harm(octets: Vec<u8>) {
            let _ = lint_octets(&octets, None);
        }

        #[test]
        fn garbled_certificates_and_crls_do_no_harm(
            which in 0..4_usize,
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in proptest::option::of(any::<prop::sample::Index>()),
        ) {
            let good = [
                Draft::leaf().unsigned_der(),
                Draft::responder().unsigned_der(),
                CrlDraft::shard().unsigned_der(),
                CrlDraft::delta().unsigned_der(),
            ];
            let mut octets = good[which].clone();
            for (at, octet) in changes {
                let at = at.index(octets.len());
                octets[at] = octet;
            }
            if let Some(cut) = cut {
                octets.truncate(cut.index(octets.len()));
            }
            let issuer = Draft::parent().unsigned();
            let _ = lint_octets(&octets, Some(&issuer));
        }
    }
}
