//! Tables: their columns, and how each gives way where the terminal is narrow.
use super::layout::Layout;
use super::screen::screen;

/// What the cells of a column contain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Contents {
    /// What names the row, or is short: whole, always.
    Whole,
    /// Words with times to the minute, of which the days may do.
    Days,
    /// A serial number in hexadecimal digits, alone or behind `CA/`.
    Serial,
    /// A serial number, or something else of any length that may end with `…`.
    Object,
    /// Text that may end with `…`.
    Text,
    /// A distinguished name, whose last part tells most: it may begin with `…`.
    Subject,
    /// Words that have a colour; the first of them always stays.
    State,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(super) heading: &'static str,
    pub(super) contents: Contents,
    /// Whether times in its cells lose their seconds.
    pub(super) has_times: bool,
    /// Its place in the order in which columns are left out, from 1; 0 for one that always stays.
    pub(super) leaves: u8,
}

impl Column {
    const fn new(heading: &'static str, contents: Contents) -> Self {
        Self { heading, contents, has_times: false, leaves: 0 }
    }

    /// Returns a column whose cells stay whole.
    pub(crate) const fn whole(heading: &'static str) -> Self {
        Self::new(heading, Contents::Whole)
    }

    /// Returns a column of serial numbers, which are shortened to as many digits as tell them apart.
    pub(crate) const fn serial(heading: &'static str) -> Self {
        Self::new(heading, Contents::Serial)
    }

    /// Returns a column of serial numbers and other objects, such as files, which may be shortened like text.
    pub(crate) const fn object(heading: &'static str) -> Self {
        Self::new(heading, Contents::Object)
    }

    /// Returns a column of distinguished names, which are shortened from their beginning.
    pub(crate) const fn subject(heading: &'static str) -> Self {
        Self::new(heading, Contents::Subject)
    }

    /// Returns a column of text that may be shortened.
    pub(crate) const fn text(heading: &'static str) -> Self {
        Self::new(heading, Contents::Text)
    }

    /// Returns a column of words such as `valid` and `revoked`.
    pub(crate) const fn state(heading: &'static str) -> Self {
        Self::new(heading, Contents::State)
    }

    /// Returns a column with times of RFC 3339, which are shown to the minute, or to the day where that does not fit.
    pub(crate) const fn times(heading: &'static str) -> Self {
        Self { has_times: true, ..Self::new(heading, Contents::Days) }
    }

    /// Returns a column with times of RFC 3339, which are shown to the minute.
    pub(crate) const fn moments(heading: &'static str) -> Self {
        Self { has_times: true, ..Self::new(heading, Contents::Whole) }
    }

    /// Returns the column as the `place`th that is left out where the terminal is narrow, 1 the first.
    pub(crate) const fn leaves(self, place: u8) -> Self {
        Self { leaves: place, ..self }
    }
}

impl From<&'static str> for Column {
    fn from(heading: &'static str) -> Self {
        Self::text(heading)
    }
}

/// Returns a table with headings and two blanks between columns, as wide as the terminal at most, and what was left
/// out of it for that.
pub(crate) fn table<C: Into<Column> + Copy>(columns: &[C], rows: &[Vec<String>]) -> String {
    let columns: Vec<Column> = columns.iter().map(|column| (*column).into()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| super::layout::cells(&columns, row)).collect();
    let layout = Layout::of(&columns, &rows, screen().width);
    let mut lines = vec![layout.heading()];
    lines.extend(rows.iter().map(|row| layout.row(row)));
    lines.extend(layout.left_out());
    lines.join("\n")
}
