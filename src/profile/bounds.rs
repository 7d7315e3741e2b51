//! Bounds that hold whatever a profile says: what is beyond them is refused as a whole, before it is looked at
//! one by one.
use super::violation::Verdict;
use crate::error::{Code, Reason, remedy};
use crate::x509::Name;

/// The most alternative names that any profile may allow.
pub(super) const MOST_NAMES: usize = 1000;
/// The most attributes of a subject.
const MOST_ATTRIBUTES: usize = 100;

/// What to do with too many alternative names.
pub(super) const SPREAD: &str = "spread the names over several certificates";

/// A whole number from `least` to `most`.
pub(super) fn within(least: usize, most: usize) -> impl Fn(i64) -> Result<usize, Reason> {
    move |number| match usize::try_from(number) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("must be from {least} to {most}").into()),
    }
}

/// Refuses so many alternative names, if they are too many.
pub(super) fn has_too_many_names(count: usize, verdict: &mut Verdict) -> bool {
    let message = format!("there are {count} alternative names; no profile allows more than {MOST_NAMES}");
    if count > MOST_NAMES {
        verdict.refuse(Code::PolicyNameCount, "name rules", message, SPREAD);
    }
    count > MOST_NAMES
}

/// Refuses a subject of too many attributes.
pub(super) fn has_too_many_attributes(subject: &Name, verdict: &mut Verdict) -> bool {
    let count = subject.attributes().len();
    if count > MOST_ATTRIBUTES {
        let message =
            format!("the subject has {count} attributes; no profile takes more than {MOST_ATTRIBUTES}");
        verdict.refuse(Code::PolicySubjectCount, "subject rules", message, remedy::Request::ShorterSubject);
    }
    count > MOST_ATTRIBUTES
}
