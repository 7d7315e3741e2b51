//! Which columns of a table are shown how wide. Pure: the width is given.
use super::paint::{Colour, painted};
use super::table::{Column, Contents};
use super::visible;
use genfic_ca::error::on_one_line;
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Blanks between two columns.
const GAP: usize = 2;
/// Digits of a shortened serial number; more where they do not tell two of the table apart.
const DIGITS: usize = 8;
/// Width to which text is shortened before a column is left out for it.
const LEAST_TEXT: usize = 24;
/// The same of an object, which is shortened further only when no column can be left out.
const LEAST_OBJECT: usize = 20;
/// Width to which words that have a colour are shortened where nothing else is left to give way.
const LEAST_STATE: usize = 16;
/// Width that cells of any kind keep while others are wider than their least width.
const SMALL: usize = 12;

/// Returns the cells of a row as they are shown at full length: on one line, nothing invisible, times to the minute.
pub(super) fn cells(columns: &[Column], row: &[String]) -> Vec<String> {
    let cell = |(at, cell): (usize, &String)| {
        let cell = visible(&on_one_line(cell)).into_owned();
        if columns.get(at).is_some_and(|column| column.has_times) { to_the_minute(&cell) } else { cell }
    };
    row.iter().enumerate().map(cell).collect()
}

/// How cells are shortened that stay of use.
#[derive(Clone, Copy, Default)]
struct Brief {
    /// Digits of serial numbers; `None` for all.
    digits: Option<usize>,
    /// Whether days stand for times.
    days: bool,
}

/// A column that is shown.
struct Shown {
    /// Its place in the rows.
    at: usize,
    column: Column,
    width: usize,
}

/// How a table is shown.
pub(super) struct Layout {
    shown: Vec<Shown>,
    brief: Brief,
    absent: Vec<&'static str>,
    is_cut: bool,
    /// Whether cells are cut to their columns; rows that come later may be wider than those that were measured.
    has_limit: bool,
}

impl Layout {
    /// Returns the layout for these rows within `limit` columns of the terminal. What is too wide gives way in this
    /// order: serial numbers, objects and text are shortened, the latter two to a certain width; times become days;
    /// columns are left out in their order; text and objects are shortened further.
    pub(super) fn of(columns: &[Column], rows: &[Vec<String>], limit: Option<usize>) -> Self {
        let whole = Self::with(columns, rows, Brief::default(), 0);
        let Some(limit) = limit else { return whole };
        if whole.width() <= limit {
            return Self { has_limit: true, ..whole };
        }
        let digits = Some(telling_apart(columns, rows));
        let last = columns.iter().map(|column| column.leaves).max().unwrap_or(0);
        let steps = std::iter::once((false, 0)).chain((0..=last).map(|left| (true, left)));
        let mut layout = steps
            .map(|(days, left)| Self::with(columns, rows, Brief { digits, days }, left))
            .find(|layout| layout.least_width() <= limit)
            .unwrap_or_else(|| Self::with(columns, rows, Brief { digits, days: true }, last));
        layout.narrow(limit);
        layout.has_limit = true;
        layout
    }

    /// Returns the layout without the first `left` of the columns that can be left out.
    fn with(columns: &[Column], rows: &[Vec<String>], brief: Brief, left: u8) -> Self {
        let stays = |column: &Column| column.leaves == 0 || column.leaves > left;
        let width = |at: usize, column: &Column| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            let widths = cells.map(|cell| shortened(cell, *column, brief).width());
            widths.max().unwrap_or(0).max(column.heading.width())
        };
        let shown = columns.iter().enumerate().filter(|(_, column)| stays(column));
        let mut absent: Vec<&Column> = columns.iter().filter(|column| !stays(column)).collect();
        absent.sort_by_key(|column| std::cmp::Reverse(column.leaves));
        Self {
            shown: shown
                .map(|(at, column)| Shown { at, column: *column, width: width(at, column) })
                .collect(),
            brief,
            absent: absent.iter().map(|column| column.heading).collect(),
            is_cut: false,
            has_limit: false,
        }
    }

    fn sum(&self, width: impl Fn(&Shown) -> usize) -> usize {
        let widths: usize = self.shown.iter().map(width).sum();
        widths.saturating_add(self.shown.len().saturating_sub(1).saturating_mul(GAP))
    }

    fn width(&self) -> usize {
        self.sum(|shown| shown.width)
    }

    fn least_width(&self) -> usize {
        self.sum(|shown| {
            let least = match shown.column.contents {
                Contents::Text | Contents::Subject => LEAST_TEXT,
                Contents::Object => LEAST_OBJECT,
                _ => return shown.width,
            };
            shown.width.min(least.max(shown.column.heading.width()))
        })
    }

    /// Narrows columns, always the widest, until the table fits: text and objects first, then the words of states, and
    /// at last text and objects to the width of their headings.
    fn narrow(&mut self, limit: usize) {
        let mut excess = self.width().saturating_sub(limit);
        self.is_cut = excess > 0;
        let floors = [(SMALL, LEAST_OBJECT, usize::MAX), (SMALL, SMALL, LEAST_STATE), (0, 0, LEAST_STATE)];
        for (text, object, state) in floors {
            let can_give = |shown: &&mut Shown| {
                let floor = match shown.column.contents {
                    Contents::Text | Contents::Subject => text,
                    Contents::Object => object,
                    Contents::State => state,
                    _ => return false,
                };
                shown.width > floor.max(shown.column.heading.width())
            };
            while excess > 0
                && let Some(widest) = self.shown.iter_mut().filter(can_give).max_by_key(|shown| shown.width)
            {
                widest.width = widest.width.saturating_sub(1);
                excess = excess.saturating_sub(1);
            }
        }
    }

    /// Returns the line of headings.
    pub(super) fn heading(&self) -> String {
        self.line(|shown| shown.column.heading.to_owned(), |_, text| text)
    }

    /// Returns the line of a row of [`cells`].
    pub(super) fn row(&self, row: &[String]) -> String {
        let cell = |shown: &Shown| {
            let cell = shortened(row.get(shown.at).map_or("", String::as_str), shown.column, self.brief);
            match shown.column.contents {
                _ if !self.has_limit => cell.into_owned(),
                Contents::Text | Contents::Object => cut(&cell, shown.width),
                Contents::Subject => cut_before(&cell, shown.width),
                Contents::State => cut_anywhere(&cell, shown.width.max(LEAST_STATE)),
                _ => cell.into_owned(),
            }
        };
        let paint = |shown: &Shown, text: String| match Colour::of_state(&text) {
            Some(colour) if shown.column.contents == Contents::State => painted(colour, &text),
            _ => text,
        };
        self.line(cell, paint)
    }

    fn line(&self, cell: impl Fn(&Shown) -> String, paint: impl Fn(&Shown, String) -> String) -> String {
        let mut line = String::new();
        let mut gap = 0_usize;
        for shown in &self.shown {
            let text = cell(shown);
            if text.is_empty() {
                gap = gap.saturating_add(shown.width).saturating_add(GAP);
                continue;
            }
            line.push_str(&" ".repeat(gap));
            gap = shown.width.saturating_sub(text.width()).saturating_add(GAP);
            line.push_str(&paint(shown, text));
        }
        line
    }

    /// Returns a line that names what is not shown; `None` when everything is.
    pub(super) fn left_out(&self) -> Option<String> {
        match (self.absent.as_slice(), self.is_cut) {
            ([], false) => None,
            ([], true) => Some("(shortened to the width of the terminal; --wide shows everything)".into()),
            (absent, _) => Some(format!("(--wide shows {} too)", absent.join(", "))),
        }
    }
}

/// Returns the cell as it is shown in brief.
fn shortened(cell: &str, column: Column, brief: Brief) -> Cow<'_, str> {
    match (column.contents, brief.digits) {
        (Contents::Serial | Contents::Object, Some(digits)) => abbreviated(cell, digits),
        (Contents::Days, _) if brief.days => Cow::Owned(without(cell, b"dddd-dd-ddTdd:ddZ", 10, "")),
        _ => Cow::Borrowed(cell),
    }
}

/// Returns the cell with its serial number, if it has one, shortened to these digits. What follows behind a blank stays.
fn abbreviated(cell: &str, digits: usize) -> Cow<'_, str> {
    let name = cell.split(' ').next().unwrap_or_default();
    let start = name.rfind('/').map_or(0, |slash| slash.saturating_add(1));
    let serial = name.get(start..).unwrap_or_default();
    let is_longer = serial.len() > digits && serial.chars().all(|digit| digit.is_ascii_hexdigit());
    let kept = cell.get(..start.saturating_add(digits)).zip(cell.get(name.len()..));
    match kept.filter(|_| is_longer) {
        Some((kept, "")) => Cow::Borrowed(kept),
        Some((kept, rest)) => Cow::Owned(format!("{kept}{rest}")),
        None => Cow::Borrowed(cell),
    }
}

/// Returns the number of digits that tells the serial numbers of these rows apart.
fn telling_apart(columns: &[Column], rows: &[Vec<String>]) -> usize {
    let mut digits = DIGITS;
    let has_serials = |column: &Column| matches!(column.contents, Contents::Serial | Contents::Object);
    for (at, _) in columns.iter().enumerate().filter(|(_, column)| has_serials(column)) {
        let mut cells: Vec<&str> = rows.iter().filter_map(|row| row.get(at)).map(String::as_str).collect();
        cells.sort_unstable();
        cells.dedup();
        let same = |digits: usize| {
            let mut short = cells.iter().map(|cell| abbreviated(cell, digits));
            let mut before = short.next();
            short.any(|cell| before.replace(cell.clone()) == Some(cell))
        };
        let longest = cells.iter().map(|cell| cell.len()).max().unwrap_or(0);
        while digits < longest && same(digits) {
            digits = digits.saturating_add(1);
        }
    }
    digits
}

/// Returns the text within this width, ending with `…` when it is longer, after a whole word where there is one.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept = beginning(text, width.saturating_sub(1));
    let ends_word = text.get(kept.len()..).is_some_and(|rest| rest.starts_with([' ', ',']));
    let boundary = kept.rfind([' ', ',']).filter(|at| *at > 0 && !ends_word);
    let words = boundary.and_then(|at| kept.get(..at)).unwrap_or(kept);
    format!("{}…", words.trim_end_matches([' ', ',']))
}

/// Returns the text within this width, ending with `…` when it is longer, also within a word.
fn cut_anywhere(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    format!("{}…", beginning(text, width.saturating_sub(1)))
}

/// Returns the distinguished name within this width: as many of its last parts as fit, behind `…` when it is longer.
/// A last part that does not fit is cut itself.
fn cut_before(name: &str, width: usize) -> String {
    if name.width() <= width {
        return name.to_owned();
    }
    let is_part = |at: &usize| !name.get(..*at).is_some_and(|before| before.ends_with('\\'));
    let commas: Vec<usize> = name.match_indices(',').map(|(at, _)| at).filter(is_part).collect();
    let rest = |at: &usize| name.get(*at..).unwrap_or_default();
    if let Some(rest) = commas.iter().map(rest).find(|rest| rest.width() < width) {
        return format!("…{rest}");
    }
    let last = commas.last().map(rest).unwrap_or_default();
    if last.is_empty() || width <= SMALL {
        return cut(name, width);
    }
    let part = last.trim_start_matches([',', ' ']);
    let before = last.strip_suffix(part).unwrap_or_default();
    let room = width.saturating_sub(1).saturating_sub(before.len());
    format!("…{before}{}", cut(part, room))
}

/// Returns as much of the beginning of a text as fits into this width.
fn beginning(text: &str, width: usize) -> &str {
    let mut used = 0_usize;
    let ends = |(_, c): &(usize, char)| {
        used = used.saturating_add(c.width().unwrap_or(0));
        used > width
    };
    let end = text.char_indices().find(ends).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

/// Returns the text with the seconds of each time of RFC 3339 left out.
fn to_the_minute(text: &str) -> String {
    without(text, b"dddd-dd-ddTdd:dd:ddZ", 16, "Z")
}

/// Returns the text with everything of this shape, `d` a digit, cut to its first octets and ended in this way.
fn without(text: &str, shape: &[u8], kept: usize, end: &str) -> String {
    let fits = |candidate: &str| {
        candidate.len() == shape.len()
            && candidate.bytes().zip(shape).all(|(octet, shape)| match shape {
                b'd' => octet.is_ascii_digit(),
                other => octet == *other,
            })
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        match text.get(at..at.saturating_add(shape.len())) {
            Some(time) if fits(time) => {
                out.push_str(time.get(..kept).unwrap_or(time));
                out.push_str(end);
                at = at.saturating_add(shape.len());
            }
            _ => {
                out.push(c);
                at = at.saturating_add(c.len_utf8());
            }
        }
    }
    out
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
