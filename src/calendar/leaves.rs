//! When holders' certificates end: counted by week and month. Pure.
use super::day;
use crate::x509::UnixTime;
use std::collections::BTreeMap;

/// Number of months that are shown one by one: the 825 days of a server certificate are 28 of them.
const MONTHS: usize = 36;

/// Numbers of certificates that end, from a point in time on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Leaves {
    /// Months in their order, from the current one to the last in which something ends, at most three years.
    pub months: Vec<Month>,
    /// Number of certificates that end after the last of these months.
    pub later: u64,
    /// Number of all certificates.
    pub total: u64,
    /// Number of certificates of each CA, by name.
    pub authorities: BTreeMap<String, u64>,
    /// Number of certificates below a revoked CA, which end with it and are counted nowhere else.
    pub below_revoked: u64,
}

/// A month, and what ends in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Month {
    /// Year and month, for example `2030-01`.
    pub label: String,
    /// Number of certificates.
    pub count: u64,
    /// Its weeks from Monday to Sunday, the first and the last cut to the month. There are at most six.
    pub weeks: Vec<Week>,
}

/// A week, or the part of it that is in one month.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Week {
    /// First second of its first day.
    pub first: UnixTime,
    /// First second of its last day.
    pub last: UnixTime,
    /// Number of certificates.
    pub count: u64,
}

impl Week {
    /// Returns the days of the month that it has: `7-13`, or `7`.
    #[must_use]
    pub fn days(&self) -> String {
        let (first, last) = (of_month(self.first), of_month(self.last));
        if first == last { first } else { format!("{first}-{last}") }
    }
}

impl Leaves {
    /// Counts ends: each a time, the name of the CA and a number of certificates.
    #[must_use]
    pub fn new<'e>(now: UnixTime, ends: impl IntoIterator<Item = (UnixTime, &'e str, u64)>) -> Self {
        let mut by_day: BTreeMap<i64, u64> = BTreeMap::new();
        let mut leaves = Self::default();
        for (at, authority, count) in ends {
            let day = by_day.entry(at.0.div_euclid(UnixTime::DAY)).or_default();
            *day = day.saturating_add(count);
            leaves.total = leaves.total.saturating_add(count);
            let own = leaves.authorities.entry(authority.to_owned()).or_default();
            *own = own.saturating_add(count);
        }
        let last = by_day.keys().next_back().copied().unwrap_or(i64::MIN);
        let mut next = now.0.div_euclid(UnixTime::DAY);
        while next <= last {
            let at = UnixTime(next.saturating_mul(UnixTime::DAY));
            let label: String = day(at).chars().take(7).collect();
            let is_new = leaves.months.last().is_none_or(|month| month.label != label);
            if is_new && leaves.months.len() == MONTHS {
                break;
            }
            let count = by_day.get(&next).copied().unwrap_or(0);
            if is_new {
                leaves.months.push(Month { label, count: 0, weeks: Vec::new() });
            }
            if let Some(month) = leaves.months.last_mut() {
                month.take(at, count);
            }
            next = next.saturating_add(1);
        }
        leaves.later = by_day.range(next..).map(|(_, count)| *count).fold(0, u64::saturating_add);
        leaves
    }

    /// Returns the greatest number of a month, and of a week; at least 1.
    #[must_use]
    pub(crate) fn greatest(&self) -> (u64, u64) {
        let month = self.months.iter().map(|month| month.count).max().unwrap_or(0);
        let weeks = self.months.iter().flat_map(|month| &month.weeks).map(|week| week.count);
        (month.max(1), weeks.max().unwrap_or(0).max(1))
    }
}

impl Month {
    fn take(&mut self, at: UnixTime, count: u64) {
        self.count = self.count.saturating_add(count);
        // 1970-01-01 was a Thursday
        let is_monday = at.0.div_euclid(UnixTime::DAY).saturating_add(3).rem_euclid(7) == 0;
        match self.weeks.last_mut().filter(|_| !is_monday) {
            Some(week) => {
                week.last = at;
                week.count = week.count.saturating_add(count);
            }
            None => self.weeks.push(Week { first: at, last: at, count }),
        }
    }
}

/// Returns the day of the month, without a leading zero.
fn of_month(at: UnixTime) -> String {
    let date = day(at);
    date.rsplit('-').next().unwrap_or_default().trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixTime {
        UnixTime::parse(text).unwrap()
    }

    fn leaves(ends: &[(&str, u64)]) -> Leaves {
        Leaves::new(
            at("2026-11-30T10:00:00Z"),
            ends.iter().map(|(time, count)| (at(time), "genfic-user", *count)),
        )
    }

    #[test]
    fn ends_are_counted_by_week_and_month_and_the_sums_agree() {
        // G4
        let leaves = leaves(&[
            ("2026-11-30T23:59:59Z", 1),
            ("2026-12-01", 2),
            ("2026-12-06T23:59:59Z", 4),
            ("2026-12-07", 8),
            ("2027-02-28", 16),
        ]);
        let told: Vec<(String, u64, Vec<String>)> = leaves
            .months
            .iter()
            .map(|month| {
                let weeks = month.weeks.iter().map(|week| format!("{}: {}", week.days(), week.count));
                (month.label.clone(), month.count, weeks.collect())
            })
            .collect();
        assert_eq!(told[0], ("2026-11".into(), 1, vec!["30: 1".into()]));
        let december = ["1-6: 6", "7-13: 8", "14-20: 0", "21-27: 0", "28-31: 0"].map(String::from).to_vec();
        assert_eq!(told[1], ("2026-12".into(), 14, december));
        assert_eq!((told.len(), told[2].1, told[3].1), (4, 0, 16));
        assert_eq!((leaves.total, leaves.later), (31, 0));
        for month in &leaves.months {
            assert_eq!(month.weeks.iter().map(|week| week.count).sum::<u64>(), month.count);
            assert!(month.weeks.len() <= 6);
        }
    }

    #[test]
    fn after_three_years_there_is_one_number() {
        let leaves = leaves(&[("2026-12-01", 1), ("2029-10-31", 2), ("2029-11-01", 4), ("9999-12-31", 8)]);
        assert_eq!(leaves.months.len(), MONTHS);
        assert_eq!(leaves.months.last().unwrap().label, "2029-10");
        assert_eq!((leaves.total, leaves.later), (15, 12));
    }

    #[test]
    fn without_certificates_there_is_no_month() {
        assert_eq!(leaves(&[]), Leaves::default());
    }
}
