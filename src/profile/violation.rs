//! Refusals as values: the fault, the rule, and the remedy.
use crate::error::{Code, Problem, Remedy};
use std::fmt;

/// Maximum number of violations shown for one request. More would fill more than a screen.
const SHOWN: usize = 20;

/// One rule that a request breaks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// Stable dotted name, for example `policy.weak-key`, which is the code of the resulting problem.
    pub rule: Code,
    /// Source of the rule, for example `RFC 5280 §4.2.1.10`, or the key of the profile.
    pub citation: &'static str,
    /// Fault, one sentence without a full stop.
    pub message: String,
    /// Remedy, one sentence without a full stop.
    pub remedy: Remedy,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.citation)
    }
}

/// Combines violations into one problem: the code of the first, the messages and the remedies, each remedy once.
impl From<Vec<Violation>> for Problem {
    fn from(violations: Vec<Violation>) -> Self {
        let code = violations.first().map_or(Code::PolicyRefused, |first| first.rule);
        let message = match violations.as_slice() {
            [one] => one.to_string(),
            several => {
                let mut lines: Vec<String> =
                    several.iter().take(SHOWN).map(|one| format!("  - {one}")).collect();
                if let Some(more) = several.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                    lines.push(format!("  - and {more} more"));
                }
                format!("the request breaks {} rules:\n{}", several.len(), lines.join("\n"))
            }
        };
        let mut remedies: Vec<Remedy> = Vec::new();
        for violation in violations.into_iter().take(SHOWN) {
            if !violation.remedy.is_empty() && !remedies.contains(&violation.remedy) {
                remedies.push(violation.remedy);
            }
        }
        Self::new(code, message).hint(remedies.into_iter().fold(Remedy::NONE, Remedy::and))
    }
}

/// Result of the rules on one request: violations and notices, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) violations: Vec<Violation>,
    pub(super) notices: Vec<String>,
}

impl Verdict {
    pub(super) fn refuse(
        &mut self,
        rule: Code,
        citation: &'static str,
        message: impl Into<String>,
        remedy: impl Into<Remedy>,
    ) {
        let violation = Violation { rule, citation, message: message.into(), remedy: remedy.into() };
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    pub(super) fn notice(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notices.contains(&text) {
            self.notices.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn several_violations_become_one_problem_that_tells_all_of_them() {
        let mut verdict = Verdict::default();
        verdict.refuse(Code::PolicyWeakKey, "RFC 8017", "the key is weak", "make a new key");
        verdict.refuse(Code::PolicyNameMissing, "names.require_one_of", "no name", "give a name");
        verdict.refuse(Code::PolicyNameMissing, "names.require_one_of", "no name", "give a name");
        let problem = Problem::from(verdict.violations);
        assert_eq!((problem.code.code(), problem.exit), ("policy.weak-key", Exit::Refused));
        assert_eq!(
            problem.message,
            "the request breaks 2 rules:\n  - the key is weak (RFC 8017)\n  - no name (names.require_one_of)"
        );
        assert_eq!(problem.hint, Remedy::from("make a new key").and("give a name"));
        let mut verdict = Verdict::default();
        for number in 0..300 {
            verdict.refuse(Code::PolicyNameSyntax, "RFC", format!("name {number}"), format!("mend {number}"));
        }
        let problem = Problem::from(verdict.violations);
        assert!(
            problem.message.starts_with("the request breaks 300 rules:\n  - name 0"),
            "{}",
            problem.message
        );
        assert!(problem.message.ends_with("\n  - and 280 more"), "{}", problem.message);
        assert!(matches!(&problem.hint, Remedy::Several(each) if each.len() == 20), "{problem:?}");
    }
}
