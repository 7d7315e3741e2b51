//! The calendar as text of 80 columns.
use super::scale::Scale;
use super::{Calendar, Leaves, Outlook, day};
use crate::x509::UnixTime;

const WIDTH: usize = 80;
/// Maximum length of a name in characters, which leaves room for the bars.
const NAME: usize = 24;
/// Columns reserved after the longest bar, for a space and a date.
const DATE: usize = 11;

impl Calendar {
    /// Returns a bar for each CA, then a line for each entry. The text has no colours and is ASCII, apart from the
    /// ellipsis of names that are cut. Returns `None` when there is no CA.
    #[must_use]
    pub fn timeline(&self) -> Option<String> {
        if self.outlooks.is_empty() {
            return None;
        }
        let mut lines = self.bars();
        lines.push(String::new());
        lines.push(format!("{:<10}  {:<10}  {}", "DATE", "IN", "WHAT"));
        for entry in self.entries() {
            let away = distance(self.now, entry.at);
            lines.push(format!("{:<10}  {away:<10}  {}", day(entry.at), entry.sentence()));
        }
        lines.extend(self.leaves.iter().flat_map(ends_by_month));
        Some(lines.join("\n"))
    }

    fn bars(&self) -> Vec<String> {
        let labels: Vec<String> = self.outlooks.iter().map(label).collect();
        let left = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let columns = WIDTH.saturating_sub(left + 2 + DATE);
        let end = self.outlooks.iter().map(|outlook| outlook.validity.not_after).max().unwrap_or(self.now);
        let width = i64::try_from(columns).unwrap_or(0).saturating_sub(1);
        let scale = Scale::new(self.now, end, width);
        let column = |at| usize::try_from(scale.position(at)).unwrap_or(0);
        let mut axis = vec![' '; columns];
        for mark in scale.marks(columns / 10) {
            let start = column(mark.at);
            // a label that does not fit is left out
            if start + mark.label.len() <= columns {
                for (place, letter) in axis.iter_mut().skip(start).zip(mark.label.chars()) {
                    *place = letter;
                }
            }
        }
        let axis: String = axis.into_iter().collect();
        let mut lines = vec![format!("{:<left$}  {}", "", axis).trim_end().to_owned()];
        for (outlook, label) in self.outlooks.iter().zip(labels) {
            let bar = if !outlook.is_usable {
                "revoked or ended".to_owned()
            } else {
                let full = outlook.full_length.as_ref().map_or(UnixTime(0), |full| full.last);
                let (full, end) = (column(full), column(outlook.validity.not_after));
                let after = if outlook.full_length.is_some() { '-' } else { '.' };
                let signs = (0..=end).map(|at| match at {
                    at if at == end => '|',
                    at if at < full => '=',
                    _ => after,
                });
                format!("{} {}", signs.collect::<String>(), day(outlook.validity.not_after))
            };
            lines.push(format!("{label:<left$}  {bar}"));
        }
        lines.push(format!("{:<left$}  === issues at full length   --- ends what it issues with itself", ""));
        if self.outlooks.iter().any(|outlook| outlook.is_usable && outlook.full_length.is_none()) {
            lines.push(format!("{:<left$}  ... issues no more", ""));
        }
        lines
    }
}

/// Returns a line for each month in which certificates of holders end, with the numbers of its weeks.
fn ends_by_month(leaves: &Leaves) -> Vec<String> {
    let title = format!("certificates of holders: {}", leaves.total);
    let width = leaves.greatest().0.to_string().len().max(4);
    let mut lines = vec![String::new(), title];
    if leaves.below_revoked > 0 {
        lines.push(format!("below revoked CAs, and not counted: {}", leaves.below_revoked));
    }
    if leaves.months.is_empty() && leaves.later == 0 {
        return lines;
    }
    lines.push(format!("{:<7}  {:>width$}  BY WEEK", "MONTH", "ENDS"));
    for month in leaves.months.iter().filter(|month| month.count > 0) {
        let weeks = month.weeks.iter().filter(|week| week.count > 0);
        let weeks: Vec<String> = weeks.map(|week| format!("{}: {}", week.days(), week.count)).collect();
        lines.push(
            format!("{}  {:>width$}  {}", month.label, month.count, weeks.join("  ")).trim_end().to_owned(),
        );
    }
    if leaves.later > 0 {
        lines.push(format!("{:<7}  {:>width$}", "later", leaves.later));
    }
    lines
}

/// Returns the name, indented below its issuer. A long name is cut.
fn label(outlook: &Outlook) -> String {
    let name = format!("{}{}", "  ".repeat(outlook.depth.min(4)), outlook.name);
    if name.chars().count() <= NAME {
        return name;
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

/// Returns the time until `at` in days, months or years.
fn distance(now: UnixTime, at: UnixTime) -> String {
    let days = at.0.saturating_sub(now.0).div_euclid(UnixTime::DAY);
    let counted = |number: i64, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    match days {
        ..0 => "overdue".into(),
        0 => "today".into(),
        1..100 => counted(days, "day"),
        100..730 => counted(days / 30, "month"),
        _ => counted(days / 365, "year"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{NOW, calendar, outlook};
    use super::*;

    #[test]
    fn the_timeline_fits_into_80_columns_and_is_plain() {
        let text = calendar().timeline().unwrap();
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
            assert!(!line.contains('\u{1b}') && line.trim_end() == line, "{line:?}");
        }
        let bar = text.lines().find(|line| line.starts_with("  genfic-user ")).unwrap();
        assert!(bar.contains("===") && bar.contains("-| 20"), "{text}");
        assert!(text.contains("genfic-old     revoked or ended"), "{text}");
        assert!(text.contains("overdue     responder of genfic-user due"), "{text}");
    }

    #[test]
    fn a_long_name_is_cut_and_leaves_the_bar_its_room() {
        let name = "a-name-of-sixty-four-characters-is-the-longest-one-that-a-ca-has";
        let text = Calendar::new(vec![outlook(name, 3, 20)], NOW).timeline().unwrap();
        let bar = text.lines().nth(1).unwrap();
        assert!(bar.starts_with("      a-name-of-sixty-f…  ="), "{bar}");
        assert!(bar.chars().count() <= 80);
    }

    #[test]
    fn a_ca_that_issues_no_more_is_told_from_one_that_does() {
        let mut older = outlook("older", 0, 2);
        older.full_length = None;
        let text = Calendar::new(vec![older, outlook("newer", 0, 9)], NOW).timeline().unwrap();
        let bar = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        assert!(bar("older").contains("...|") && !bar("older").contains('='), "{text}");
        assert!(!bar("newer").contains("...") && text.contains("... issues no more"), "{text}");
    }

    #[test]
    fn what_holders_have_stands_below_by_month_with_its_weeks() {
        // G4
        let many = 400_000;
        let ends = (0..60).map(|days| (NOW.plus_days(days), "genfic-user", many));
        let calendar = calendar().with_leaves(Some(Leaves::new(NOW, ends)));
        let text = calendar.timeline().unwrap();
        assert!(text.contains("\ncertificates of holders: 24000000\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("MONTH")).skip(1).collect();
        assert!((2..=4).contains(&rows.len()) && rows[0].contains(": "), "{text}");
        let sum: u64 =
            rows.iter().map(|row| row.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!(sum, 60 * many);
    }

    #[test]
    fn without_a_ca_there_is_no_timeline() {
        assert_eq!(Calendar::new(Vec::new(), NOW).timeline(), None);
    }

    #[test]
    fn distances_are_told_in_numbers_that_can_be_grasped() {
        let told = |days: i64| distance(NOW, NOW.plus_days(days));
        assert_eq!(
            [-1, 0, 1, 99, 100, 729, 730, 3650].map(told),
            ["overdue", "today", "1 day", "99 days", "3 months", "24 months", "2 years", "10 years"]
        );
        assert_eq!(distance(NOW, NOW.plus(-1)), "overdue");
    }
}
