//! Rules and their findings.
use std::collections::HashSet;
use std::hash::Hash;

/// One violated rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Stable name of the rule, for example `crl_number_present`.
    pub rule: &'static str,
    /// Source of the rule, for example `RFC 5280 §5.2.3`.
    pub citation: &'static str,
    /// What is wrong.
    pub message: String,
}

/// Scope of a rule: whose certificates and CRLs must keep it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Those of every CA.
    Everyone,
    /// Only those that this project signs: the rule is a choice that other CAs may make differently.
    Ours,
}

/// Description of a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Stable name, unique among all rules.
    pub name: &'static str,
    /// Rows of the project's standards table that the rule keeps, for example `X1`.
    pub rows: &'static [&'static str],
    /// Source of the rule, for example `RFC 5280 §4.1.2.2`.
    pub citation: &'static str,
    /// Requirement, one sentence without a full stop.
    pub says: &'static str,
    /// Scope.
    pub reach: Reach,
}

impl Rule {
    pub(super) fn finding(&self, message: impl Into<String>) -> Finding {
        Finding { rule: self.name, citation: self.citation, message: message.into() }
    }
}

/// A rule and its check, which returns a message for each fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleOver<C> {
    pub(super) name: &'static str,
    pub(super) rows: &'static [&'static str],
    pub(super) citation: &'static str,
    pub(super) says: &'static str,
    pub(super) reach: Reach,
    pub(super) check: C,
}

impl<C> RuleOver<C> {
    pub(super) fn rule(&self) -> Rule {
        let Self { name, rows, citation, says, reach, .. } = *self;
        Rule { name, rows, citation, says, reach }
    }
}

/// Returns the items that occurred before, once for each repetition.
pub(super) fn repeated<T: Clone + Eq + Hash>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.into_iter().filter(|item| !seen.insert(item.clone())).collect()
}

/// Returns the message when the rule is broken.
pub(super) fn when(broken: bool, message: impl Into<String>) -> Vec<String> {
    if broken { vec![message.into()] } else { Vec::new() }
}
