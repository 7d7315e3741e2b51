//! Rules on subject alternative names, which decide which of the candidates are granted (X7, X8, X12).
use super::alt_name::{self, check_alt_name};
use super::applicant::{Applicant, RequestedValues};
use super::bounds::{MOST_NAMES, SPREAD, has_too_many_names, within};
use super::violation::Verdict;
use crate::document::{Mistake, Section};
use crate::error::{Code, Reason, remedy};
use crate::x509::extension::{NameConstraints, Subtree};
use crate::x509::{GeneralName, Name, apparent_host};
use std::net::IpAddr;

const KINDS: [(&str, &str); 4] = [("dns", "DNS"), ("ip", "IP"), ("email", "email"), ("uri", "URI")];
const CITATION: &str = "name rules of the profile";

/// `[names]` of a profile.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct NameRules {
    kinds: Vec<&'static str>,
    require_one_of: Vec<&'static str>,
    limits: NameConstraints,
    wildcards: bool,
    underscores: bool,
    dns_from_common_name: bool,
    max_count: usize,
    pub(super) flaws: Vec<Mistake>,
}

fn kind(word: &str) -> Result<&'static str, Reason> {
    KINDS
        .iter()
        .find(|row| row.0 == word)
        .map(|row| row.1)
        .ok_or_else(|| format!("`{word}` is not a kind of name; one of dns, ip, email, uri").into())
}

/// Reads a list of subtrees in the form typed after `--permit`.
pub(super) fn subtrees(section: &mut Section, key: &str) -> Vec<Subtree> {
    section.list_as(key, str::parse).unwrap_or_default()
}

/// Reports an empty list of permitted subtrees. Such a list permits everything, while its author probably meant
/// to permit nothing.
pub(super) fn permits_nothing(section: &Section, key: &str) -> Option<Mistake> {
    let message = "is empty, which permits everything: leave it out, or say what is permitted";
    section.is_empty_list(key).then(|| section.flaw(key, message))
}

impl NameRules {
    /// Tells whether DNS names can be granted.
    pub(super) fn take_dns(&self) -> bool {
        self.kinds.contains(&"DNS")
    }

    pub(super) fn read(section: &mut Section) -> Self {
        let flaws = permits_nothing(section, "permitted").into_iter().collect();
        let rules = Self {
            flaws,
            kinds: section.list_as("kinds", kind).unwrap_or_default(),
            require_one_of: section.list_as("require_one_of", kind).unwrap_or_default(),
            limits: NameConstraints {
                permitted: subtrees(section, "permitted"),
                excluded: subtrees(section, "excluded"),
            }
            .closed_for_addresses()
            .closed_for_hosts(),
            wildcards: section.get("wildcards").unwrap_or(false),
            underscores: section.get("underscores").unwrap_or(false),
            dns_from_common_name: section.get("dns_from_common_name").unwrap_or(false),
            max_count: section.get_as("max_count", within(1, MOST_NAMES)).unwrap_or(100),
        };
        if rules.require_one_of.iter().any(|wanted| !rules.kinds.contains(wanted)) {
            section.mistake("require_one_of", "names a kind that `kinds` does not allow");
        }
        if !rules.kinds.contains(&"DNS") {
            for (key, set) in [
                ("wildcards", rules.wildcards),
                ("underscores", rules.underscores),
                ("dns_from_common_name", rules.dns_from_common_name),
            ] {
                if set {
                    section.mistake(key, "needs \"dns\" among `kinds`");
                }
            }
        }
        rules
    }

    /// Returns the names for the certificate.
    pub(super) fn grant(
        &self,
        applicant: &Applicant,
        values: &RequestedValues,
        subject: &Name,
        verdict: &mut Verdict,
    ) -> Vec<GeneralName> {
        let mut granted = Vec::new();
        let candidates = values.alt_names.as_ref().unwrap_or(&applicant.alt_names);
        let malformed = if values.alt_names.is_none() { applicant.malformed_names.len() } else { 0 };
        if has_too_many_names(candidates.len() + malformed, verdict) {
            return granted;
        }
        if values.alt_names.is_none() {
            for malformed in &applicant.malformed_names {
                verdict.refuse(
                    Code::PolicyNameSyntax,
                    "RFC 5280 §4.2.1.6",
                    format!("a requested alternative name is malformed: {malformed}"),
                    remedy::Request::AnewOrOtherNames,
                );
            }
        }
        for candidate in candidates {
            match check_alt_name(candidate) {
                Ok(name) => add(&mut granted, name),
                Err(error) => verdict.refuse(
                    Code::PolicyNameSyntax,
                    "RFC 5280 §4.2.1.6",
                    format!("the alternative name {error}"),
                    remedy::Request::CorrectName,
                ),
            }
        }
        let untouched =
            candidates.is_empty() && (values.alt_names.is_some() || applicant.malformed_names.is_empty());
        if self.dns_from_common_name
            && untouched
            && let Some(name) = subject.common_name().as_deref().and_then(host_name)
            && self.kinds.contains(&name.kind())
        {
            verdict.notice(format!("{name} is taken from the common name"));
            add(&mut granted, name);
        }
        for name in &granted {
            self.check(name, verdict);
        }
        self.check_whole(&granted, subject, verdict);
        for text in subject.texts("emailAddress") {
            if let Ok(mailbox) = alt_name::mailbox(&text)
                && !granted.contains(&mailbox)
            {
                verdict.notice(format!(
                    "{mailbox} is taken from the subject into the alternative names (RFC 5280 §4.1.2.6)"
                ));
                self.check_limits(&mailbox, verdict);
                granted.push(mailbox);
            }
        }
        granted
    }

    fn check(&self, name: &GeneralName, verdict: &mut Verdict) {
        if !self.kinds.contains(&name.kind()) {
            let allowed = if self.kinds.is_empty() { "none".to_owned() } else { self.kinds.join(", ") };
            verdict.refuse(
                Code::PolicyNameKind,
                CITATION,
                format!(
                    "the alternative name {name} is of a kind that the profile does not allow ({allowed})"
                ),
                remedy::Request::WithoutName,
            );
        }
        if let GeneralName::Dns(text) = name {
            if text.starts_with("*.") && !self.wildcards {
                verdict.refuse(
                    Code::PolicyNameWildcard,
                    CITATION,
                    format!("the alternative name {name} has a wildcard, which the profile does not allow"),
                    "name each host, or use a profile with wildcards = true",
                );
            }
            if text.contains('_') && !self.underscores {
                verdict.refuse(
                    Code::PolicyNameSyntax,
                    "RFC 5280 §4.2.1.6",
                    format!("the alternative name {name} has an underscore, which host names do not have"),
                    "use a name without underscore, or a profile with underscores = true",
                );
            }
        }
        self.check_limits(name, verdict);
    }

    fn check_limits(&self, name: &GeneralName, verdict: &mut Verdict) {
        if let Some(reason) = self.limits.refuses(name) {
            verdict.refuse(
                Code::PolicyNameNotPermitted,
                CITATION,
                format!("the name {reason}"),
                "use a name within what the profile permits",
            );
        }
    }

    fn check_whole(&self, granted: &[GeneralName], subject: &Name, verdict: &mut Verdict) {
        if granted.len() > self.max_count {
            verdict.refuse(
                Code::PolicyNameCount,
                CITATION,
                format!(
                    "there are {} alternative names; the profile allows {}",
                    granted.len(),
                    self.max_count
                ),
                SPREAD,
            );
        }
        let satisfied = self.require_one_of.is_empty()
            || granted.iter().any(|name| self.require_one_of.contains(&name.kind()));
        if !satisfied {
            let wanted = self.require_one_of.join(" or ");
            let example = match self.require_one_of.first() {
                Some(&"IP") => "IP:192.0.2.1",
                Some(&"email") => "email:name@host.example",
                Some(&"URI") => "URI:https://host.example/",
                _ => "DNS:host.example",
            };
            verdict.refuse(
                Code::PolicyNameMissing,
                CITATION,
                format!("there is no alternative name of kind {wanted}, which the profile requires"),
                remedy::Request::NameLike(example.into()),
            );
        }
        for name in common_host_names(subject) {
            if satisfied && self.kinds.contains(&name.kind()) && !granted.contains(&name) {
                verdict.refuse(
                    Code::PolicyCommonName,
                    "BR §7.1.4.3",
                    format!("the common name is a host name, and {name} is not among the alternative names"),
                    remedy::Request::NameOrOtherCommonName(name.to_string()),
                );
            }
            self.check_limits(&name, verdict);
        }
        for mailbox in subject.texts("CN").iter().flat_map(|text| alt_name::mailbox(text)) {
            self.check_limits(&mailbox, verdict);
        }
    }
}

fn add(granted: &mut Vec<GeneralName>, name: GeneralName) {
    if !granted.contains(&name) {
        granted.push(name);
    }
}

fn host_name(text: &str) -> Option<GeneralName> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(GeneralName::Ip(address));
    }
    alt_name::dns(text).ok().map(GeneralName::Dns)
}

/// Returns the host names and addresses for which common names could be mistaken, even when they are disguised.
/// Clients that find no alternative names, and people, read a common name as a host.
pub(super) fn common_host_names(subject: &Name) -> Vec<GeneralName> {
    subject
        .texts("CN")
        .iter()
        .filter_map(|text| apparent_host(text))
        .filter_map(|host| host_name(&host))
        .collect()
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
