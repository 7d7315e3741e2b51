//! Comparison of what is there with what is asked for.
use crate::error::{Code, Problem};
use crate::x509::extension::NameConstraints;
use crate::x509::{GeneralName, Validity};
use std::fmt::Display;

/// A point in which what is there is other than what is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// The point, in one word: `profile`, `subject`, `names` and so on.
    pub what: &'static str,
    /// What is asked for.
    pub asked: String,
    /// What is there.
    pub found: String,
}

impl Difference {
    /// Returns a difference.
    #[must_use]
    pub fn new(what: &'static str, asked: impl Display, found: impl Display) -> Self {
        Self { what, asked: asked.to_string(), found: found.to_string() }
    }

    /// Returns the difference between two values, if they are not equal.
    #[must_use]
    pub fn between<T: Display + PartialEq>(what: &'static str, asked: &T, found: &T) -> Option<Self> {
        (asked != found).then(|| Self::new(what, asked, found))
    }

    /// Returns the problem that an object is there otherwise than asked, with each difference on a line.
    #[must_use]
    pub fn problem(object: impl Display, differences: &[Self]) -> Problem {
        let lines: Vec<String> = differences
            .iter()
            .map(|one| format!("  {}: asked for {}, there is {}", one.what, one.asked, one.found))
            .collect();
        let message = format!("{object} is there, and is not as asked\n{}", lines.join("\n"));
        Problem::new(Code::EnsureDiffers, message)
    }
}

/// Returns the number of days of a validity, rounded: both ends belong to it (RFC 5280 §4.1.2.5).
pub(in crate::ca) fn days(validity: Validity) -> i64 {
    let day = crate::x509::UnixTime::DAY;
    let seconds = validity.not_after.0.saturating_sub(validity.not_before.0).saturating_add(1);
    seconds.saturating_add(day / 2).div_euclid(day)
}

/// Returns names as a list in one line.
pub(in crate::ca) fn listed(names: &[impl Display]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Returns whether two lists have the same names, in any order.
#[must_use]
pub fn same_names(one: &[GeneralName], other: &[GeneralName]) -> bool {
    one.iter().all(|name| other.contains(name)) && other.iter().all(|name| one.contains(name))
}

/// Compares name constraints that are asked for with those of a CA. What the CA's profile adds is no difference.
pub(in crate::ca) fn of_constraints(
    asked: &NameConstraints,
    with_profile: &NameConstraints,
    found: &NameConstraints,
) -> Vec<Difference> {
    let closed = |one: &NameConstraints| one.clone().closed_for_addresses().closed_for_hosts();
    let permitted = if asked.permitted.is_empty() { &found.permitted } else { &with_profile.permitted };
    let most = NameConstraints { permitted: permitted.clone(), excluded: with_profile.excluded.clone() };
    let (least, most) = (closed(asked), closed(&most));
    let lists = [
        ("permit", &asked.permitted, &least.permitted, &most.permitted, &found.permitted),
        ("exclude", &asked.excluded, &least.excluded, &most.excluded, &found.excluded),
    ];
    let differs = lists.into_iter().filter(|(_, asked, least, most, found)| {
        let is_there = least.iter().all(|tree| found.contains(tree));
        let is_all = found.iter().all(|tree| least.contains(tree) || most.contains(tree));
        let is_as_asked = asked.is_empty() || (is_there && is_all);
        !is_as_asked
    });
    differs.map(|(what, asked, _, _, found)| Difference::new(what, listed(asked), listed(found))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::UnixTime;
    use crate::x509::extension::Subtree;

    fn constraints(permitted: &[&str], excluded: &[&str]) -> NameConstraints {
        let trees = |words: &[&str]| words.iter().map(|word| word.parse::<Subtree>().unwrap()).collect();
        NameConstraints { permitted: trees(permitted), excluded: trees(excluded) }
    }

    #[test]
    fn every_difference_is_named_with_what_is_asked_and_what_is_there() {
        // G22
        let differences =
            [Difference::new("profile", "user-ca", "system-ca"), Difference::new("key", "p384", "p256")];
        let problem = Difference::problem("genfic", &differences);
        assert_eq!((problem.code.code(), problem.exit.code()), ("ensure.differs", 4));
        for line in ["profile: asked for user-ca, there is system-ca", "key: asked for p384, there is p256"] {
            assert!(problem.message.contains(line), "{problem}");
        }
        assert_eq!(Difference::between("key", &1, &1), None);
        assert!(Difference::between("key", &1, &2).is_some());
    }

    #[test]
    fn a_validity_of_days_is_as_many_days_whatever_its_last_second_is() {
        for (seconds, expected) in [(86_399, 1), (86_400, 1), (30 * 86_400 - 1, 30), (30 * 86_400 + 3600, 30)]
        {
            let validity = Validity { not_before: UnixTime(1000), not_after: UnixTime(1000 + seconds) };
            assert_eq!(days(validity), expected, "{seconds}");
        }
    }

    #[test]
    fn constraints_differ_when_one_is_missing_or_more_are_there_than_profile_and_asker_want() {
        let closed = |one: &NameConstraints| one.clone().closed_for_addresses().closed_for_hosts();
        let what = |asked: &NameConstraints, profile: &NameConstraints, found: &NameConstraints| {
            let all = of_constraints(asked, profile, found);
            all.into_iter().map(|one| one.what).collect::<Vec<_>>()
        };
        let one = constraints(&["a.example"], &[]);
        let two = constraints(&["a.example", "b.example"], &["c.a.example"]);
        assert!(what(&one, &one, &closed(&one)).is_empty());
        assert_eq!(what(&two, &two, &closed(&one)), ["permit", "exclude"]);
        assert_eq!(what(&one, &one, &closed(&two)), ["permit"], "nothing is asked about what is excluded");
        assert_eq!(what(&one, &one, &NameConstraints::default()), ["permit"]);
        assert!(what(&one, &two, &closed(&two)).is_empty(), "the profile asks for the rest");
        assert!(what(&NameConstraints::default(), &one, &closed(&two)).is_empty(), "nothing is asked");
    }
}
