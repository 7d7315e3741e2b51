//! Rules on the subject: each attribute is copied, fixed by the profile, or refused (X4).
use super::alt_name;
use super::attribute_rule::AttributeRule;
use super::bounds::has_too_many_attributes;
use super::presence::Presence;
use super::violation::Verdict;
use crate::document::Section;
use crate::error::{Code, remedy};
use crate::x509::{Attribute, AttributeType, Name};
use const_oid::ObjectIdentifier;

/// `[subject]` of a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct SubjectRules {
    attributes: Vec<AttributeRule>,
    copies_other: bool,
    pub(super) contact_in_subject: bool,
}

pub(super) const CITATION: &str = "subject rules of the profile";

/// How the octets of a granted subject are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Writing {
    /// Encoded anew, in the string types of RFC 5280.
    Anew,
    /// Kept, because the certificates that the CA issues name it by these octets (X3).
    Kept,
    /// Kept, because another certificate of the CA has the same octets. The rules on values do not apply.
    Established,
}

impl SubjectRules {
    pub(super) fn read(section: &mut Section) -> Self {
        let copies_other = section
            .get_as("other", |word: String| match word.as_str() {
                "copy" => Ok(true),
                "refuse" => Ok(false),
                _ => Err("must be \"copy\" or \"refuse\"".to_owned()),
            })
            .unwrap_or(false);
        let contact_in_subject = section.get("contact_in_subject").unwrap_or(false);
        let attributes: Vec<AttributeRule> = section.section("attributes", |table| {
            table.keys().iter().filter_map(|name| AttributeRule::read(table, name)).collect()
        });
        for (at, rule) in attributes.iter().enumerate() {
            if attributes.iter().take(at).any(|earlier| earlier.kind == rule.kind) {
                section.mistake("attributes", format!("{} is named twice", rule.kind.short));
            }
            if contact_in_subject && rule.kind.short == "emailAddress" && rule.presence == Presence::Forbidden
            {
                section.mistake("contact_in_subject", "contradicts the rule that forbids emailAddress");
            }
        }
        Self { attributes, copies_other, contact_in_subject }
    }

    /// Returns the subject as it will be written. The attributes keep their order; those that the profile adds are
    /// inserted.
    pub(super) fn grant(
        &self,
        wanted: &Name,
        writing: Writing,
        contact: Option<&str>,
        verdict: &mut Verdict,
    ) -> Name {
        let mut rdns: Vec<Vec<Attribute>> = Vec::new();
        if has_too_many_attributes(wanted, verdict) {
            return wanted.clone();
        }
        if writing != Writing::Established
            && let Some(label) = wanted.repeated_within_an_rdn()
        {
            let message = format!("one RDN of the subject has {label} twice");
            let remedy = format!("write each {label} as an RDN of its own, with a comma between them");
            verdict.refuse(Code::PolicySubjectRdn, "X.501 §9.3", message, remedy);
        }
        for rdn in wanted.rdns() {
            rdns.push(rdn.iter().map(|one| self.grant_attribute(one, writing, verdict)).collect());
        }
        for rule in &self.attributes {
            rule.check_count(&mut rdns, writing, verdict);
        }
        if let (true, Some(contact)) = (self.contact_in_subject, contact) {
            let there = rdns.iter().flatten().any(|one| one.label() == "emailAddress");
            if let (false, Some(kind)) = (there, AttributeType::by_name("emailAddress"))
                && let Ok(attribute) = Attribute::new(kind, contact)
            {
                verdict.notice(format!("the contact address {contact} is added to the subject"));
                rdns.push(vec![attribute]);
            }
        }
        // the octets are kept even when the attributes within an RDN are not sorted as DER requires
        if writing != Writing::Anew && rdns == wanted.rdns() {
            wanted.clone()
        } else {
            Name::from_rdns(&rdns)
        }
    }

    /// Returns how often an attribute may occur.
    pub(super) fn most(&self, oid: ObjectIdentifier) -> usize {
        self.attributes.iter().find(|rule| rule.kind.oid == oid).map_or(usize::MAX, |rule| rule.max_count)
    }

    pub(super) fn grant_attribute(
        &self,
        attribute: &Attribute,
        writing: Writing,
        verdict: &mut Verdict,
    ) -> Attribute {
        let label = attribute.label();
        let rule = self.attributes.iter().find(|rule| rule.kind.oid == attribute.oid);
        if rule.is_some_and(|rule| rule.presence == Presence::Forbidden) {
            verdict.refuse(
                Code::PolicySubjectForbidden,
                CITATION,
                format!("the subject has {label}, which the profile forbids"),
                remedy::Request::WithoutAttribute(label),
            );
            return attribute.clone();
        }
        if rule.is_none() && !self.copies_other {
            verdict.refuse(
                Code::PolicySubjectUnlisted,
                CITATION,
                format!("the subject has {label}, which the profile does not mention"),
                remedy::Request::WithoutAttributeOrListed(label),
            );
            return attribute.clone();
        }
        let Some(kind) = attribute.kind().filter(|_| writing != Writing::Established) else {
            return attribute.clone();
        };
        let Some(text) = attribute.text() else {
            verdict.refuse(
                Code::PolicySubjectValue,
                "RFC 5280 §4.1.2.4",
                format!("{label} of the subject is not text"),
                remedy::Request::AnewOrOtherSubject,
            );
            return attribute.clone();
        };
        if let Some(rule) = rule {
            rule.check_value(&text, verdict);
        }
        // The name of an existing CA is kept. In other names blanks at the ends are invisible, yet programs copy
        // them.
        if kind.short == "CN" && writing == Writing::Anew && text.trim() != text {
            refuse_value(kind.short, &text, "begins or ends with a blank", verdict);
        }
        if kind.short == "emailAddress"
            && let Err(reason) = alt_name::mailbox(&text)
        {
            refuse_value(kind.short, &text, &reason.to_string(), verdict);
        }
        match Attribute::new(kind, &text) {
            Ok(granted) if writing == Writing::Anew => granted,
            Ok(_) => attribute.clone(),
            Err(_) => {
                let reason = kind.refuses(&text).unwrap_or_else(|| "cannot be written".into());
                refuse_value(kind.short, &text, &reason, verdict);
                attribute.clone()
            }
        }
    }
}

fn refuse_value(label: &str, text: &str, reason: &str, verdict: &mut Verdict) {
    verdict.refuse(
        Code::PolicySubjectValue,
        "RFC 5280 Appendix A.1",
        format!("{label} `{}` of the subject {reason}", alt_name::printable(text)),
        remedy::Request::CorrectSubject,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;
    use crate::x509::octets::{SEQUENCE, SET, sequence, tlv};

    const RULES: &str = r#"
        [attributes]
        C = { use = "optional", fixed = "BE" }
        O = { use = "required", max_length = 10 }
        OU = { max_count = 2 }
        CN = "required"
        L = "forbidden"
        emailAddress = "optional"
    "#;

    fn rules(text: &str) -> SubjectRules {
        document::read(text, SubjectRules::read).unwrap()
    }

    fn granted(rules: &SubjectRules, subject: &Name) -> Result<(String, Vec<String>), Vec<&'static str>> {
        let mut verdict = Verdict::default();
        let name = rules.grant(subject, Writing::Anew, None, &mut verdict);
        if verdict.violations.is_empty() {
            Ok((name.to_string(), verdict.notices))
        } else {
            Err(verdict.violations.iter().map(|violation| violation.rule.code()).collect())
        }
    }

    #[test]
    fn blanks_around_a_common_name_are_not_granted() {
        // X4
        for typed in [r"O=a,CN=\ b", r"O=a,CN=b\ ", "O=a,CN=\u{a0}\u{a0}b\\\u{a0}"] {
            assert_eq!(
                granted(&rules(RULES), &parsed(typed)),
                Err(vec!["policy.subject-value"]),
                "{typed:?}"
            );
        }
    }

    #[test]
    fn the_octets_of_a_cas_name_are_kept_whatever_string_types_they_have() {
        // X3
        let value =
            |oid: u8, tag: u8, text: &[u8]| tlv(SET, &sequence(&[&[6, 3, 0x55, 4, oid], &tlv(tag, text)]));
        let octets =
            tlv(SEQUENCE, &[value(6, 0x0c, b"BE"), value(10, 0x14, b"\xe9"), value(3, 0x13, b"c")].concat());
        let name = Name::from_der(&octets).unwrap();
        let keep = |writing, name: &Name| {
            let mut verdict = Verdict::default();
            let kept = rules(RULES).grant(name, writing, None, &mut verdict);
            (kept, verdict.violations.len())
        };
        assert_eq!(keep(Writing::Kept, &name), (name.clone(), 0));
        assert_ne!(keep(Writing::Anew, &name).0, name);
        let odd = Name::from_der(&tlv(
            SEQUENCE,
            &[value(6, 0x13, b"BE"), value(10, 0x13, b"x"), value(3, 0x0c, b"a\x07")].concat(),
        ))
        .unwrap();
        assert_eq!(keep(Writing::Kept, &odd), (odd.clone(), 1), "what nobody could read is no name");
        assert_eq!(keep(Writing::Established, &odd), (odd.clone(), 0), "but of one that is there already");
    }

    fn parsed(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn attributes_are_copied_in_their_order() {
        // X4
        let subject = parsed("C=BE,O=Example,OU=b,OU=a,CN=x,emailAddress=a@b.example");
        let (name, notices) = granted(&rules(RULES), &subject).unwrap();
        assert_eq!(name, subject.to_string());
        assert_eq!(notices, Vec::<String>::new());
    }

    #[test]
    fn a_fixed_attribute_is_added_in_its_place_with_a_notice() {
        // X4
        let (name, notices) = granted(&rules(RULES), &parsed("O=Example,CN=x")).unwrap();
        assert_eq!(name, "C=BE, O=Example, CN=x");
        assert_eq!(notices, ["C=BE is added to the subject by the profile"]);
    }

    #[test]
    fn everything_that_is_wrong_with_a_subject_is_told_at_once() {
        // X4
        let subject =
            parsed("C=NL,L=Ghent,O=Far too long a name,OU=a,OU=b,OU=c,street=x,emailAddress=nobody");
        assert_eq!(
            granted(&rules(RULES), &subject).unwrap_err(),
            [
                "policy.subject-fixed",
                "policy.subject-forbidden",
                "policy.subject-value",
                "policy.subject-unlisted",
                "policy.subject-value",
                "policy.subject-missing",
                "policy.subject-count",
            ]
        );
    }

    #[test]
    fn other_attributes_are_copied_where_the_profile_says_so() {
        // X4
        let open = rules("other = 'copy'");
        assert_eq!(granted(&open, &parsed("street=x,CN=a")).unwrap().0, "street=x, CN=a");
        // an unknown type in a multi-valued RDN
        let odd = [0x30, 26, 0x31, 24, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, b'a', 0x30, 12, 6, 7, 0x2a]
            .into_iter()
            .chain([3, 4, 5, 6, 7, 8, 0x0c, 1, b'b'])
            .collect::<Vec<u8>>();
        let odd = Name::from_der(&odd).unwrap();
        assert_eq!(granted(&open, &odd).unwrap().0, odd.to_string());
    }

    #[test]
    fn values_are_written_in_the_string_types_of_the_rfc() {
        // X4: countryName as UTF8String and organizationName as TeletexString in the request
        let teletex = [
            0x30, 26, 0x31, 11, 0x30, 9, 6, 3, 0x55, 4, 6, 0x0c, 2, b'B', b'E', 0x31, 11, 0x30, 9, 6, 3,
            0x55, 4, 10, 0x14, 2, b'a', 0xe9,
        ];
        let name = Name::from_der(&teletex).unwrap();
        let granted = rules("other = 'copy'").grant(&name, Writing::Anew, None, &mut Verdict::default());
        assert_eq!(granted, parsed("C=BE,O=aé"));
    }

    #[test]
    fn values_beyond_the_upper_bounds_are_refused() {
        // X4
        let long = [0x30, 77, 0x31, 75, 0x30, 73, 6, 3, 0x55, 4, 3, 0x0c, 66].into_iter().chain([b'x'; 66]);
        let long: Vec<u8> = long.collect();
        let name = Name::from_der(&long).unwrap();
        assert_eq!(granted(&rules("other = 'copy'"), &name), Err(vec!["policy.subject-value"]));
    }

    #[test]
    fn the_contact_goes_into_the_subject_only_where_the_profile_says_so() {
        // G9
        let subject = parsed("CN=a");
        let with = rules("contact_in_subject = true\nother = 'copy'");
        let mut verdict = Verdict::default();
        let name = with.grant(&subject, Writing::Anew, Some("ops@b.example"), &mut verdict);
        assert_eq!(name.to_string(), "CN=a, emailAddress=ops@b.example");
        assert_eq!(verdict.notices.len(), 1);
        let without = rules("other = 'copy'");
        assert_eq!(without.grant(&subject, Writing::Anew, Some("ops@b.example"), &mut verdict), subject);
    }

    #[test]
    fn mistakes_in_the_rules_are_told() {
        for (text, expected) in [
            ("other = 'drop'", "other"),
            ("[attributes]\nXX = 'required'", "attribute type"),
            ("[attributes]\nCN = 'maybe'", "required"),
            ("[attributes]\nCN = { max_length = 65 }", "from 1 to 64"),
            ("[attributes]\nCN = { max_count = 0 }", "from 1 to 100"),
            ("[attributes]\nC = { fixed = 'be' }", "two capital"),
            ("[attributes]\nC = { use = 'forbidden', fixed = 'BE' }", "contradicts"),
            ("[attributes]\nC = { fixd = 'BE' }", "not known"),
            ("[attributes]\nCN = 'required'\ncommonName = 'optional'", "twice"),
            ("contact_in_subject = true\n[attributes]\nemailAddress = 'forbidden'", "contradicts"),
        ] {
            let mistakes = document::read(text, SubjectRules::read).unwrap_err();
            assert!(mistakes[0].to_string().contains(expected), "{text}: {mistakes:?}");
        }
    }
}
