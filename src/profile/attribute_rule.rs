//! Rule on one attribute of a subject: `CN = "required"`, or a table with `use`, `fixed`, `max_length`, `max_count`.
use super::alt_name;
use super::bounds::within;
use super::presence::Presence;
use super::subject::{CITATION, Writing};
use super::violation::Verdict;
use crate::document::Section;
use crate::error::{Code, remedy};
use crate::x509::{Attribute, AttributeType};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct AttributeRule {
    pub(super) kind: AttributeType,
    pub(super) presence: Presence,
    fixed: Option<String>,
    max_length: usize,
    pub(super) max_count: usize,
}

impl AttributeRule {
    /// Reads `CN = "required"`, or a table with `use`, `fixed`, `max_length`, `max_count`.
    pub(super) fn read(table: &mut Section, name: &str) -> Option<Self> {
        let kind = AttributeType::by_name(name);
        let presence = |word: String| Presence::parse(&word);
        let Some(kind) = kind else {
            table.mistake(name, "is not an attribute type, such as C, O, OU, CN or emailAddress");
            return None;
        };
        let mut rule = Self {
            kind,
            presence: Presence::Optional,
            fixed: None,
            max_length: kind.upper_bound,
            max_count: 1,
        };
        if !table.is_table(name) {
            rule.presence = table.get_as(name, presence)?;
            return Some(rule);
        }
        table.section(name, |entry| {
            rule.presence = entry.get_as("use", presence).unwrap_or(Presence::Optional);
            rule.fixed = entry.get_as("fixed", |text: String| match kind.refuses(&text) {
                None => Ok(text),
                Some(reason) => Err(format!("`{text}` {reason}")),
            });
            rule.max_length =
                entry.get_as("max_length", within(1, kind.upper_bound)).unwrap_or(rule.max_length);
            rule.max_count = entry.get_as("max_count", within(1, 100)).unwrap_or(1);
            if rule.fixed.is_some() && rule.presence == Presence::Forbidden {
                entry.mistake("fixed", "contradicts use = \"forbidden\"");
            }
        });
        Some(rule)
    }

    pub(super) fn check_value(&self, text: &str, verdict: &mut Verdict) {
        let label = self.kind.short;
        if let Some(fixed) = self.fixed.as_ref().filter(|fixed| *fixed != text) {
            verdict.refuse(
                Code::PolicySubjectFixed,
                CITATION,
                format!(
                    "{label} of the subject is `{}`; the profile wants `{fixed}`",
                    alt_name::printable(text)
                ),
                format!("set {label} to `{fixed}` or leave it out"),
            );
        }
        let length = text.chars().count();
        if length > self.max_length && self.max_length < self.kind.upper_bound {
            verdict.refuse(
                Code::PolicySubjectValue,
                CITATION,
                format!(
                    "{label} of the subject has {length} characters; the profile allows {}",
                    self.max_length
                ),
                format!("shorten {label}"),
            );
        }
    }

    /// Checks how often the attribute occurs. A missing attribute with a fixed value is added, unless the subject is
    /// already established.
    pub(super) fn check_count(
        &self,
        rdns: &mut Vec<Vec<Attribute>>,
        writing: Writing,
        verdict: &mut Verdict,
    ) {
        let label = self.kind.short;
        let count = rdns.iter().flatten().filter(|one| one.oid == self.kind.oid).count();
        if count > self.max_count {
            verdict.refuse(
                Code::PolicySubjectCount,
                CITATION,
                format!("the subject has {label} {count} times; the profile allows {}", self.max_count),
                format!("leave the superfluous {label} out"),
            );
        }
        let is_there = self.fixed.is_some() && writing == Writing::Established;
        if count > 0 || is_there || self.presence == Presence::Forbidden {
            return;
        }
        if let Some(attribute) = self.fixed.as_ref().and_then(|fixed| Attribute::new(self.kind, fixed).ok()) {
            verdict.notice(format!(
                "{label}={} is added to the subject by the profile",
                attribute.text().unwrap_or_default()
            ));
            let rank = |one: &Attribute| AttributeType::ALL.iter().position(|kind| kind.oid == one.oid);
            let place = rdns
                .iter()
                .position(|rdn| rdn.iter().all(|one| rank(one) > rank(&attribute)))
                .unwrap_or(rdns.len());
            rdns.insert(place, vec![attribute]);
        } else if self.presence == Presence::Required {
            verdict.refuse(
                Code::PolicySubjectMissing,
                CITATION,
                format!("the subject has no {label} ({}), which the profile requires", self.kind.long),
                remedy::Request::Attribute(label.into()),
            );
        }
    }
}
