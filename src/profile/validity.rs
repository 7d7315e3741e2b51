//! Rules on the validity of a certificate (X2, X11).
//!
//! A number of days is the whole validity: from notBefore to notAfter, both included, it is exactly that many times
//! 86,400 seconds. The time by which notBefore is backdated is included, as in the limits of Apple and the CA/Browser
//! Forum, so that 825 days are never 825 days and an hour.
use super::applicant::{IssuerView, RequestedValidity, RequestedValues};
use super::violation::Verdict;
use crate::document::{Mistake, Section};
use crate::error::{Code, Reason, remedy};
use crate::x509::{UnixTime, Validity};

/// `[validity]` of a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ValidityRules {
    pub(super) days: i64,
    pub(super) max_days: Option<i64>,
    notice_above_days: Option<i64>,
    notice: Option<String>,
    pub(super) flaws: Vec<Mistake>,
}

/// Maximum number of days in a profile: about a thousand years, which keeps times within what DER can write.
const MOST_DAYS: i64 = 365_000;

fn days(days: i64) -> Result<i64, Reason> {
    if (1..=MOST_DAYS).contains(&days) {
        Ok(days)
    } else {
        Err(format!("must be from 1 to {MOST_DAYS}").into())
    }
}

/// Returns the last second of a validity of this many days.
fn last_second(not_before: UnixTime, days: i64) -> UnixTime {
    not_before.plus(days.saturating_mul(UnixTime::DAY).saturating_sub(1))
}

impl ValidityRules {
    pub(super) fn read(section: &mut Section) -> Self {
        let unlimited = !section.has("max_days");
        let without_end = || section.flaw("max_days", "is missing: `-v` may ask for any length");
        let flaws = unlimited.then(without_end).into_iter().collect();
        let rules = Self {
            flaws,
            days: section.require_as("days", days).unwrap_or(1),
            max_days: section.get_as("max_days", days),
            notice_above_days: section.get_as("notice_above_days", days),
            notice: section.get("notice"),
        };
        if rules.max_days.is_some_and(|most| most < rules.days) {
            section.mistake("max_days", "is less than `days`");
        }
        if rules.notice.is_some() && rules.notice_above_days.is_none() {
            section.mistake("notice", "needs `notice_above_days`");
        }
        rules
    }

    /// Returns the profile's validity from now, regardless of the issuer's end.
    pub(super) fn full_length(
        &self,
        issuer: Option<&IssuerView<'_>>,
        backdate: i64,
        now: UnixTime,
    ) -> Validity {
        let not_before = begin(issuer, backdate, now);
        Validity { not_before, not_after: last_second(not_before, self.days) }
    }

    pub(super) fn grant(
        &self,
        values: &RequestedValues,
        issuer: Option<&IssuerView<'_>>,
        now: UnixTime,
        verdict: &mut Verdict,
    ) -> Validity {
        let not_before = begin(issuer, values.backdate, now);
        let issuer_end = issuer.map(IssuerView::end);
        if let Some(issuer) = issuer {
            check_issuer(issuer, now, verdict);
        }
        let profile_end = self.max_days.map(|days| last_second(not_before, days));
        let latest =
            [issuer_end, profile_end, values.until].into_iter().flatten().min().unwrap_or(UnixTime::NO_END);
        let not_after = match values.validity {
            RequestedValidity::Default => {
                let full = last_second(not_before, self.days);
                let earlier = |end: &UnixTime| *end < full;
                if let Some(end) =
                    values.until.filter(|end| earlier(end) && issuer_end.is_none_or(|by| *end <= by))
                {
                    verdict.notice(format!(
                        "the certificate ends with the CA's own on {end} instead of after {} days",
                        self.days
                    ));
                    end
                } else if let Some(end) = issuer_end.filter(earlier) {
                    verdict.notice(format!(
                        "the certificate ends with its issuer on {end} instead of after {} days",
                        self.days
                    ));
                    end
                } else {
                    full
                }
            }
            RequestedValidity::Max => latest,
            RequestedValidity::Days(count) if count < 1 => {
                verdict.refuse(
                    Code::PolicyValidity,
                    "RFC 5280 §4.1.2.5",
                    format!("a certificate cannot be valid for {count} days"),
                    "give at least one day",
                );
                return Validity { not_before, not_after: latest };
            }
            RequestedValidity::Days(count) => last_second(not_before, count),
            RequestedValidity::Until(end) => end,
        };
        self.check_end(not_after, issuer_end, profile_end, latest, verdict);
        if let Some(end) = values.until.filter(|end| not_after > *end) {
            verdict.refuse(
                Code::PolicyLimits,
                "X.509 validity nesting",
                format!("the certificate would end on {not_after}, after the CA's own on {end}"),
                remedy::Request::LessOrUnconstrained,
            );
        }
        if not_after <= now && issuer_end.is_none_or(|end| end > now) {
            verdict.refuse(
                Code::PolicyValidity,
                "RFC 5280 §4.1.2.5",
                format!("the certificate would have ended on {not_after}, which is not after now"),
                "ask for a later end, or backdate less (issuance.backdate in the configuration)",
            );
        }
        let validity = Validity { not_before, not_after };
        self.long(validity, verdict);
        validity
    }

    fn check_end(
        &self,
        not_after: UnixTime,
        issuer_end: Option<UnixTime>,
        profile_end: Option<UnixTime>,
        latest: UnixTime,
        verdict: &mut Verdict,
    ) {
        let remedy = format!("the latest end is {latest}; `-v max` means just that");
        if let Some(end) = issuer_end.filter(|end| not_after > *end) {
            verdict.refuse(
                Code::PolicyOutlivesIssuer,
                "X.509 validity nesting",
                format!("the certificate would end on {not_after}, after its issuer on {end}"),
                remedy.clone(),
            );
        }
        if profile_end.is_some_and(|end| not_after > end) {
            verdict.refuse(
                Code::PolicyTooLong,
                "validity.max_days of the profile",
                format!(
                    "the certificate would end on {not_after}; the profile allows {} days",
                    self.max_days.unwrap_or_default()
                ),
                remedy,
            );
        }
    }

    fn long(&self, validity: Validity, verdict: &mut Verdict) {
        let Some(limit) = self.notice_above_days else { return };
        if validity.not_after > last_second(validity.not_before, limit) {
            let because = self.notice.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
            verdict.notice(format!("the certificate is valid for more than {limit} days{because}"));
        }
    }
}

fn begin(issuer: Option<&IssuerView<'_>>, backdate: i64, now: UnixTime) -> UnixTime {
    let backdated = now.plus(backdate.max(0).saturating_neg());
    issuer.map_or(backdated, |issuer| backdated.max(issuer.certificate.tbs().validity().not_before))
}

fn check_issuer(issuer: &IssuerView<'_>, now: UnixTime, verdict: &mut Verdict) {
    for certificate in issuer.chain() {
        let (validity, subject) = (certificate.tbs().validity(), certificate.tbs().subject());
        if now > validity.not_after {
            verdict.refuse(
                Code::PolicyIssuerExpired,
                "RFC 5280 §6.1.3",
                format!("the CA `{subject}` ended on {} and issues nothing more", validity.not_after),
                "renew the CA, or use another",
            );
        } else if now < validity.not_before {
            verdict.refuse(
                Code::PolicyIssuerNotYetValid,
                "RFC 5280 §6.1.3",
                format!("the CA `{subject}` is not valid before {}", validity.not_before),
                "wait, or check the clock",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;
    use crate::error::Remedy;
    use crate::profile::testing::{authority_until, view};
    use proptest::prelude::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);
    const HOUR: i64 = 3600;
    const RULES: &str = "days = 100\nmax_days = 200\nnotice_above_days = 150\nnotice = 'too long for some'";

    fn grant(validity: RequestedValidity, issuer_end: Option<UnixTime>) -> (Validity, Verdict) {
        let rules = document::read(RULES, ValidityRules::read).unwrap();
        let mut verdict = Verdict::default();
        let certificate = issuer_end.map(|end| authority_until("CN=CA", NOW.plus_days(-10), end));
        let issuer = certificate.as_ref().map(|certificate| view(certificate, &[]));
        let values = RequestedValues { validity, backdate: HOUR, ..RequestedValues::default() };
        (rules.grant(&values, issuer.as_ref(), NOW, &mut verdict), verdict)
    }

    fn broken(validity: RequestedValidity, issuer_end: Option<UnixTime>) -> Vec<&'static str> {
        grant(validity, issuer_end).1.violations.iter().map(|violation| violation.rule.code()).collect()
    }

    #[test]
    fn a_day_count_is_the_whole_validity_with_both_ends() {
        // X2
        for (validity, days) in [
            (RequestedValidity::Default, 100),
            (RequestedValidity::Days(7), 7),
            (RequestedValidity::Max, 200),
        ] {
            let (validity, verdict) = grant(validity, None);
            assert!(verdict.violations.is_empty());
            assert_eq!(validity.not_before, NOW.plus(-HOUR));
            assert_eq!(validity.not_after.0 - validity.not_before.0 + 1, days * 86_400);
        }
    }

    #[test]
    fn not_before_is_backdated_but_never_before_the_issuers() {
        // X2
        let certificate = authority_until("CN=CA", NOW.plus(-60), NOW.plus_days(1000));
        let rules = document::read(RULES, ValidityRules::read).unwrap();
        let values = RequestedValues { backdate: HOUR, ..RequestedValues::default() };
        let validity = rules.grant(&values, Some(&view(&certificate, &[])), NOW, &mut Verdict::default());
        assert_eq!(validity.not_before, NOW.plus(-60));
    }

    #[test]
    fn the_default_length_is_cut_to_the_issuers_end_with_a_notice() {
        // X11
        let end = NOW.plus_days(50);
        let (validity, verdict) = grant(RequestedValidity::Default, Some(end));
        assert_eq!(validity.not_after, end);
        assert!(verdict.violations.is_empty() && verdict.notices[0].contains(&end.to_string()));
        assert!(grant(RequestedValidity::Default, Some(NOW.plus_days(100))).1.notices.is_empty());
    }

    #[test]
    fn an_explicit_length_beyond_the_issuer_is_refused_with_the_latest_date() {
        // X11
        let end = NOW.plus_days(50);
        for validity in [RequestedValidity::Days(60), RequestedValidity::Until(end.plus(1))] {
            let (_, verdict) = grant(validity, Some(end));
            assert_eq!(verdict.violations[0].rule.code(), "policy.outlives-issuer");
            let remedy = &verdict.violations[0].remedy;
            assert!(matches!(remedy, Remedy::Words(words) if words.contains(&end.to_string())), "{remedy:?}");
        }
        assert_eq!(broken(RequestedValidity::Until(end), Some(end)), [""; 0]);
        assert_eq!(grant(RequestedValidity::Max, Some(end)).0.not_after, end);
    }

    #[test]
    fn the_end_of_a_ca_further_up_counts_too() {
        // X11
        let issuer = authority_until("CN=Sub", NOW, NOW.plus_days(90));
        let root = authority_until("CN=Root", NOW, NOW.plus_days(30));
        let rules = document::read(RULES, ValidityRules::read).unwrap();
        let chain = [root];
        let validity = rules.grant(
            &RequestedValues::default(),
            Some(&view(&issuer, &chain)),
            NOW,
            &mut Verdict::default(),
        );
        assert_eq!(validity.not_after, NOW.plus_days(30));
    }

    #[test]
    fn the_profiles_maximum_holds_and_long_ones_are_noticed() {
        // G9
        assert_eq!(broken(RequestedValidity::Days(201), None), ["policy.too-long"]);
        assert_eq!(broken(RequestedValidity::Days(200), None), [""; 0]);
        assert!(grant(RequestedValidity::Days(150), None).1.notices.is_empty());
        let notice = grant(RequestedValidity::Days(151), None).1.notices;
        assert_eq!(notice, ["the certificate is valid for more than 150 days: too long for some"]);
    }

    #[test]
    fn an_issuer_that_is_not_valid_now_issues_nothing() {
        // X11
        assert_eq!(broken(RequestedValidity::Default, Some(NOW.plus(-1))), ["policy.issuer-expired"]);
        let early = authority_until("CN=CA", NOW.plus(60), NOW.plus_days(9));
        let rules = document::read(RULES, ValidityRules::read).unwrap();
        let mut verdict = Verdict::default();
        rules.grant(&RequestedValues::default(), Some(&view(&early, &[])), NOW, &mut verdict);
        assert_eq!(verdict.violations[0].rule.code(), "policy.issuer-not-yet-valid");
    }

    #[test]
    fn an_end_that_has_passed_is_refused() {
        assert_eq!(broken(RequestedValidity::Until(NOW), None), ["policy.validity"]);
        assert_eq!(broken(RequestedValidity::Days(0), None), ["policy.validity"]);
        assert_eq!(broken(RequestedValidity::Days(-5), None), ["policy.validity"]);
        assert_eq!(broken(RequestedValidity::Days(i64::MAX), None), ["policy.too-long"]);
    }

    #[test]
    fn no_end_at_all_comes_only_on_request() {
        // X2
        let rules = document::read("days = 10", ValidityRules::read).unwrap();
        let granted = |validity| {
            let values = RequestedValues { validity, ..RequestedValues::default() };
            rules.grant(&values, None, NOW, &mut Verdict::default()).not_after
        };
        assert_eq!(granted(RequestedValidity::Until(UnixTime::NO_END)), UnixTime::NO_END);
        assert!(granted(RequestedValidity::Default) < UnixTime::NO_END);
    }

    #[test]
    fn mistakes_in_the_rules_are_told() {
        for text in
            ["", "days = 0", "days = 'x'", "days = 9\nmax_days = 8", "days = 1\nnotice = 'x'", "day = 1"]
        {
            assert!(document::read(text, ValidityRules::read).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_granted_outlives_its_issuer_or_the_maximum(days in 0_i64..300, left in 1_i64..400) {
            // X11
            let end = NOW.plus_days(left);
            for validity in [RequestedValidity::Default, RequestedValidity::Max, RequestedValidity::Days(days), RequestedValidity::Until(NOW.plus_days(days))] {
                let (validity, verdict) = grant(validity, Some(end));
                if verdict.violations.is_empty() {
                    prop_assert!(validity.not_after <= end && validity.contains(NOW));
                    prop_assert!(validity.not_after.0 - validity.not_before.0 < 200 * 86_400);
                }
            }
        }
    }
}
