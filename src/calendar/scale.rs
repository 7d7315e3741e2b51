//! Maps a period of time to columns or points.
use crate::x509::UnixTime;

/// A period of time and the number of parts into which it is divided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: UnixTime,
    to: UnixTime,
    width: i64,
}

/// Mark on the axis.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    pub(super) at: UnixTime,
    pub(super) label: String,
}

/// Steps between marks of the axis, in months.
const STEPS: [i64; 10] = [1, 2, 3, 6, 12, 24, 60, 120, 300, 600];

impl Scale {
    pub(super) fn new(from: UnixTime, to: UnixTime, width: i64) -> Self {
        Self { from, to: to.max(from.plus_days(1)), width }
    }

    /// Returns the position of a time, from 0 to the width. Times outside the period are at the edges.
    pub(super) fn position(&self, at: UnixTime) -> i64 {
        let span = i128::from(self.to.0.saturating_sub(self.from.0).max(1));
        let gone = i128::from(at.0.saturating_sub(self.from.0)).clamp(0, span);
        i64::try_from(gone * i128::from(self.width) / span).unwrap_or(self.width)
    }

    pub(super) fn contains(&self, at: UnixTime) -> bool {
        self.from <= at && at <= self.to
    }

    /// Returns at most `most` marks at the beginnings of months or years, in the smallest step that allows it.
    pub(super) fn marks(&self, most: usize) -> Vec<Mark> {
        let mut marks = Vec::new();
        for step in STEPS {
            marks = self.every(step, most);
            if marks.len() <= most {
                break;
            }
        }
        marks
    }

    /// Returns the beginning of every period of this many months. At most `most + 1` marks are returned, so that an
    /// excess is recognised.
    fn every(&self, months: i64, most: usize) -> Vec<Mark> {
        let Some(first) = year_of(self.from) else { return Vec::new() };
        let mut month = first.saturating_mul(12);
        if months > 12 {
            month -= month % months;
        }
        let mut marks = Vec::new();
        while marks.len() <= most {
            let (year, of_year) = (month.div_euclid(12), month.rem_euclid(12) + 1);
            let Some(at) = UnixTime::parse(&format!("{year:04}-{of_year:02}-01")) else { break };
            if at > self.to {
                break;
            }
            if at >= self.from {
                let label =
                    if months < 12 { format!("{year:04}-{of_year:02}") } else { format!("{year:04}") };
                marks.push(Mark { at, label });
            }
            month = month.saturating_add(months);
        }
        marks
    }
}

fn year_of(at: UnixTime) -> Option<i64> {
    at.to_string().split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixTime {
        UnixTime::parse(text).unwrap()
    }

    #[test]
    fn positions_run_from_edge_to_edge() {
        let scale = Scale::new(at("2026-01-01"), at("2036-01-01"), 60);
        assert_eq!(scale.position(at("2026-01-01")), 0);
        assert_eq!(scale.position(at("2036-01-01")), 60);
        assert_eq!(scale.position(at("2031-01-01")), 30);
        assert_eq!((scale.position(UnixTime(0)), scale.position(UnixTime::NO_END)), (0, 60));
        let empty = Scale::new(at("2026-01-01"), at("2026-01-01"), 60);
        assert_eq!(empty.position(at("2026-01-01")), 0);
    }

    #[test]
    fn marks_are_months_or_years_and_never_too_many() {
        let labels = |from: &str, to: &str| {
            let marks = Scale::new(at(from), at(to), 60).marks(6);
            marks.into_iter().map(|mark| mark.label).collect::<Vec<_>>()
        };
        assert_eq!(labels("2026-11-21", "2046-11-21"), ["2030", "2035", "2040", "2045"]);
        assert_eq!(labels("2026-11-21", "2027-03-21"), ["2026-12", "2027-01", "2027-02", "2027-03"]);
        assert_eq!(labels("2026-11-21", "2031-01-02"), ["2027", "2028", "2029", "2030", "2031"]);
        for end in ["2027-01-01", "2040-01-01", "2126-01-01", "9999-12-31"] {
            assert!(labels("2026-11-21", end).len() <= 6 || end == "9999-12-31", "{end}");
        }
    }
}
