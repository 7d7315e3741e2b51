//! Checks of the clock against every recorded time of the home.
use super::finding::Finding;
use super::{Examination, FindingCode, Looked};
use crate::ca::{ClockState, ClockStatus};
use crate::error::{Shown as _, remedy};
use crate::x509::UnixTime;

/// Command that sets a clock that was set back, or carried forward by mistake.
const SET: &str = "timedatectl set-ntp true";
/// Days without a signature after which the clock is reported for a look; a home is rarely unused for that long.
const UNSIGNED_DAYS: i64 = 90;
/// Tolerance in seconds for file times, since network file systems may have a clock of their own.
const TOLERANCE: i64 = 300;

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let now = examination.now;
    let signed = examination.index.ok().and_then(|index| index.newest_signed().ok()).flatten();
    let newest = signed.as_ref().map(|signed| signed.at);
    findings.extend(newest.and_then(|newest| against_record(now, newest)));
    let published = examination.status.confirmed().ok().flatten();
    let trust = examination.settings().clock.trust;
    findings.extend(unconfirmed(&ClockState { now, signed, published, trust }));
    let survey = examination.home.survey(None, &[], now);
    if let Some((path, at)) = survey.newest
        && at.0.saturating_sub(now.0) > TOLERANCE
    {
        let message = format!("was written at {at}, and the clock says {now}: one of the two is wrong");
        findings
            .push(Finding::warning(FindingCode::ClockFiles, path.shown().to_string(), message).remedy(SET));
    }
    let looked = match newest {
        Some(newest) => format!("{now}, last signed at {newest}"),
        None => now.to_string(),
    };
    Ok(looked.into())
}

fn unconfirmed(state: &ClockState) -> Option<Finding> {
    let ClockStatus::Unconfirmed(confirmed) = state.status() else { return None };
    let message = format!(
        "says {}, long after the last confirmed time, {confirmed}: nothing is signed unattended (exit status 13)",
        state.now
    );
    Some(
        Finding::warning(FindingCode::ClockUnconfirmed, "the clock", message)
            .remedy(remedy::Repair::ConfirmClock),
    )
}

fn against_record(now: UnixTime, newest: UnixTime) -> Option<Finding> {
    if now < newest {
        let message = format!(
            "says {now}, before something was signed at {newest}: nothing is signed (exit status 13)"
        );
        return Some(Finding::error(FindingCode::ClockBehind, "the clock", message).remedy(SET));
    }
    if now > newest.plus_days(UNSIGNED_DAYS) {
        let days = (now.0.saturating_sub(newest.0)) / UnixTime::DAY;
        let message = format!(
            "says {now}, {days} days after anything was signed: look whether it jumped before anything is signed"
        );
        return Some(Finding::note(FindingCode::ClockAhead, "the clock", message).remedy("timedatectl"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_behind_what_was_signed_is_an_error_and_one_far_ahead_a_note() {
        let newest = UnixTime(1_800_000_000);
        let code = |now| against_record(now, newest).map(|finding| finding.code);
        assert_eq!(code(newest.plus(-1)), Some(FindingCode::ClockBehind));
        assert_eq!(code(newest), None);
        assert_eq!(code(newest.plus_days(UNSIGNED_DAYS)), None);
        assert_eq!(code(newest.plus_days(UNSIGNED_DAYS).plus(1)), Some(FindingCode::ClockAhead));
    }
}
