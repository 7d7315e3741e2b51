//! The part of the picture that shows when holders' certificates end: a row for each month, a cell for each week, the
//! fuller the darker, and a bar for the month.
use super::super::{Leaves, Month, day};
use super::{MARGIN, Page, RIGHT};

const ROW: i64 = 26;
const CELL: i64 = 66;
const CELLS: i64 = MARGIN + 72;
const BAR: i64 = CELLS + 6 * CELL + 24;
/// Room after the longest bar, for its number.
const NUMBER: i64 = 70;

/// Returns the height of this part in points.
pub(super) fn height(leaves: &Leaves) -> i64 {
    let rows = i64::try_from(leaves.months.len()).unwrap_or(0) + i64::from(leaves.later > 0);
    64 + ROW * rows
}

/// Returns its content in words.
pub(super) fn description(leaves: &Leaves) -> String {
    let months: Vec<String> =
        leaves.months.iter().map(|month| format!("{}: {}", month.label, month.count)).collect();
    format!("Certificates of holders that end: {}; later: {}.", months.join(", "), leaves.later)
}

/// Draws it below `top`.
pub(super) fn draw(page: &mut Page, top: i64, leaves: &Leaves) {
    let title = format!("What holders have, and when it ends: {} certificates", leaves.total);
    page.text("head", MARGIN, top, &title);
    page.text("small", CELLS, top + 22, "by week, from Monday to Sunday");
    page.text("small", BAR, top + 22, "by month");
    let (most, fullest) = leaves.greatest();
    let mut y = top + 32;
    for month in &leaves.months {
        row(page, y, month, most, fullest);
        y += ROW;
    }
    if leaves.later > 0 {
        page.text("name", MARGIN, y + 15, "later");
        page.text("small", BAR, y + 15, &leaves.later.to_string());
    }
}

fn row(page: &mut Page, y: i64, month: &Month, most: u64, fullest: u64) {
    page.text("name", MARGIN, y + 15, &month.label);
    for (x, week) in (0..).map(|at| CELLS + CELL * at).zip(&month.weeks) {
        let told = match week.count {
            1 => format!("{} to {}: 1 certificate", day(week.first), day(week.last)),
            count => format!("{} to {}: {count} certificates", day(week.first), day(week.last)),
        };
        page.bar("rest", x, y, CELL - 4, ROW - 4, &told);
        if week.count > 0 {
            let share = 25 + scaled(week.count, fullest, 75);
            page.shaded("short", (x, y), (CELL - 4, ROW - 4), share, &told);
            page.centred("cell", x + CELL / 2 - 2, y + 15, &week.count.to_string());
        }
    }
    let width = scaled(month.count, most, RIGHT - NUMBER - BAR);
    page.bar("full", BAR, y + 3, width, ROW - 10, &format!("{}: {} certificates", month.label, month.count));
    if month.count > 0 {
        page.text("small", BAR + width + 6, y + 15, &month.count.to_string());
    }
}

/// Returns the part of `width` that a number is of the greatest one; at least 1 for what is not 0.
fn scaled(number: u64, greatest: u64, width: i64) -> i64 {
    let width = u128::try_from(width).unwrap_or(0);
    let part = u128::from(number) * width / u128::from(greatest.max(1));
    i64::try_from(part).unwrap_or(0).max(i64::from(number > 0))
}

#[cfg(test)]
mod tests {
    use super::super::super::fixture::{NOW, calendar};
    use super::*;

    #[test]
    fn each_week_is_a_cell_with_its_number_and_each_month_a_bar() {
        // G4
        let ends = [(NOW.plus_days(1), "genfic-user", 3), (NOW.plus_days(40), "genfic-user", 1_000_000)];
        let leaves = Leaves::new(NOW, ends);
        let months = leaves.months.clone();
        let without = calendar().svg();
        let svg = calendar().with_leaves(Some(leaves)).svg();
        assert!(!without.contains("What holders have") && svg.contains("when it ends: 1000003 certificates"));
        for month in &months {
            assert!(svg.contains(&format!(">{}</text>", month.label)), "{}", month.label);
            for week in &month.weeks {
                assert!(svg.contains(&format!(
                    "{} to {}: {} certificates",
                    day(week.first),
                    day(week.last),
                    week.count
                )));
            }
        }
        assert!(svg.contains(r#"class="cell""#) && svg.contains("1000000</text>"));
        assert!(svg.contains("Certificates of holders that end: "), "it is told in words too");
        let height = |svg: &str| -> i64 {
            svg.split_once("height=\"").unwrap().1.split_once('"').unwrap().0.parse().unwrap()
        };
        assert!(height(&svg) > height(&without));
        for element in svg.lines().filter(|line| line.starts_with("<rect") && line.contains(" x=")) {
            let number = |key: &str| -> i64 {
                element
                    .split_once(&format!(" {key}=\""))
                    .unwrap()
                    .1
                    .split_once('"')
                    .unwrap()
                    .0
                    .parse()
                    .unwrap()
            };
            assert!(
                number("x") + number("width") <= RIGHT && number("y") + number("height") <= height(&svg),
                "{element}"
            );
        }
    }
}
