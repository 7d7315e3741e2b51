//! Protects the names of CAs: clients find an issuer by its name, so only the CA itself may have it (RFC 5280
//! §4.1.2.4).
use super::applicant::{Applicant, IssuerView};
use super::violation::Verdict;
use crate::error::Code;
use crate::x509::Name;

/// Refuses a subject that is the name of a CA, unless the key is that CA's own. Names are compared by their values.
pub(super) fn check_bearer(
    applicant: &Applicant,
    subject: &Name,
    issuer: Option<&IssuerView<'_>>,
    verdict: &mut Verdict,
) {
    if subject.is_empty() {
        return;
    }
    let (prepared, key) = (subject.prepared(), applicant.public_key.digest());
    let known = applicant.authorities.iter().find(|one| one.key != key && one.subject == prepared);
    let above = issuer
        .into_iter()
        .flat_map(IssuerView::chain)
        .map(|one| one.tbs())
        .find(|tbs| tbs.public_key() != &applicant.public_key && tbs.subject().prepared() == prepared);
    let whose = match (known, above) {
        (Some(known), _) => format!("the CA {}", known.name),
        (None, Some(tbs)) => {
            let is_issuer = issuer.is_some_and(|issuer| issuer.certificate.tbs() == tbs);
            if is_issuer { "the CA that would issue it".to_owned() } else { "a CA above it".to_owned() }
        }
        (None, None) => return,
    };
    verdict.refuse(
        Code::PolicyNameOfACa,
        "RFC 5280 §4.1.2.4, §6.1",
        format!("the subject `{subject}` is the name of {whose}, and the key is another one"),
        "clients find issuers by their names: make the request anew, with another subject",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::KnownAuthority;
    use crate::profile::testing::{authority_with, ec_key, view};
    use crate::x509::octets::{SEQUENCE, SET, sequence, tlv};
    use crate::x509::{AttributeValue, Certificate};

    fn refused(subject: &Name, known: Vec<KnownAuthority>, chain: &[Certificate]) -> Vec<String> {
        let mut applicant = Applicant::new(subject.clone(), ec_key());
        applicant.authorities = known;
        let mut verdict = Verdict::default();
        let (issuer, above) = chain.split_first().unwrap();
        check_bearer(&applicant, subject, Some(&view(issuer, above)), &mut verdict);
        verdict.violations.into_iter().map(|violation| violation.message).collect()
    }

    fn written(tag: u8, text: &[u8]) -> Name {
        let attribute = sequence(&[&[6, 3, 0x55, 4, 3], &tlv(tag, text)]);
        Name::from_der(&tlv(SEQUENCE, &tlv(SET, &attribute))).unwrap()
    }

    #[test]
    fn nobody_else_bears_the_name_of_a_ca_however_it_is_written() {
        // X3
        let chain = [authority_with("CN=Issuing CA", Vec::new()), authority_with("CN=Root", Vec::new())];
        for name in [written(AttributeValue::PRINTABLE_STRING, b"issuing  ca"), written(0x0c, b"ROOT")] {
            assert_eq!(refused(&name, Vec::new(), &chain).len(), 1, "{name}");
        }
        assert!(refused(&written(0x0c, b"Issuing CA 2"), Vec::new(), &chain).is_empty());
        let other = KnownAuthority {
            name: "other".into(),
            subject: written(0x0c, b"Other CA").prepared(),
            key: ec_key().digest(),
        };
        let messages = refused(&written(0x13, b"other CA"), vec![other], &chain);
        assert!(messages[0].contains("the CA other"), "{messages:?}");
    }

    #[test]
    fn a_ca_bears_its_own_name_again() {
        // X3
        let name = written(0x0c, b"Other CA");
        let applicant = Applicant::new(name.clone(), ec_key());
        let own = KnownAuthority {
            name: "other".into(),
            subject: name.prepared(),
            key: applicant.public_key.digest(),
        };
        let applicant = Applicant { authorities: vec![own], ..applicant };
        let mut verdict = Verdict::default();
        let issuer = authority_with("CN=Issuing CA", Vec::new());
        check_bearer(&applicant, &name, Some(&view(&issuer, &[])), &mut verdict);
        assert!(verdict.violations.is_empty());
    }
}
