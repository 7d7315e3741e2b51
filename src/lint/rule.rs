//! What a rule is, and what it finds.
use std::collections::HashSet;
use std::hash::Hash;

/// One violated rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Stable name of the rule, for example `crl_number_present`.
    pub rule: &'static str,
    /// Where the rule comes from, for example `RFC 5280 §5.2.3`.
    pub citation: &'static str,
    /// What is wrong here.
    pub message: String,
}

/// Whose certificates and CRLs a rule is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Everybody's.
    Everyone,
    /// Only those that this project is about to sign: a choice that others may make differently.
    Ours,
}

/// A rule, to be listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Stable name, unique among all rules.
    pub name: &'static str,
    /// The rows of the project's standards table that it keeps, for example `X1`.
    pub rows: &'static [&'static str],
    /// Where it comes from, for example `RFC 5280 §4.1.2.2`.
    pub citation: &'static str,
    /// What it asks for, one sentence without a full stop.
    pub says: &'static str,
    /// Whose.
    pub reach: Reach,
}

impl Rule {
    pub(super) fn finding(&self, message: impl Into<String>) -> Finding {
        Finding { rule: self.name, citation: self.citation, message: message.into() }
    }
}

/// A rule and its check, which says what is wrong, once for each thing.
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

/// Those that were there before, each as often as it is there again.
pub(super) fn repeated<T: Clone + Eq + Hash>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.into_iter().filter(|item| !seen.insert(item.clone())).collect()
}

/// The message, when the rule is broken.
pub(super) fn when(broken: bool, message: impl Into<String>) -> Vec<String> {
    if broken { vec![message.into()] } else { Vec::new() }
}
