//! Bounds that apply whatever a profile says. A request beyond them is refused as a whole, without evaluating its
//! parts one by one.
use super::violation::Verdict;
use crate::error::{Code, Reason, remedy};
use crate::x509::Name;

/// Maximum number of alternative names that a profile may allow. A thousand names make a certificate of some tens of
/// kilobytes.
pub(super) const MOST_NAMES: usize = 1000;
/// Maximum number of attributes of a subject. Real subjects have about ten; the bound limits the work on hostile
/// requests.
const MOST_ATTRIBUTES: usize = 100;

/// Remedy for too many alternative names.
pub(super) const SPREAD: &str = "spread the names over several certificates";

/// Accepts a whole number from `least` to `most`.
pub(super) fn within(least: usize, most: usize) -> impl Fn(i64) -> Result<usize, Reason> {
    move |number| match usize::try_from(number) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("must be from {least} to {most}").into()),
    }
}

/// Refuses `count` alternative names when they are too many, and returns whether they are.
pub(super) fn has_too_many_names(count: usize, verdict: &mut Verdict) -> bool {
    let message = format!("there are {count} alternative names; no profile allows more than {MOST_NAMES}");
    if count > MOST_NAMES {
        verdict.refuse(Code::PolicyNameCount, "name rules", message, SPREAD);
    }
    count > MOST_NAMES
}

/// Refuses a subject with too many attributes, and returns whether it has too many.
pub(super) fn has_too_many_attributes(subject: &Name, verdict: &mut Verdict) -> bool {
    let count = subject.attributes().len();
    if count > MOST_ATTRIBUTES {
        let message =
            format!("the subject has {count} attributes; no profile takes more than {MOST_ATTRIBUTES}");
        verdict.refuse(Code::PolicySubjectCount, "subject rules", message, remedy::Request::ShorterSubject);
    }
    count > MOST_ATTRIBUTES
}
