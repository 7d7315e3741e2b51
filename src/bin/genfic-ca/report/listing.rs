//! Lists that are written while they are read, because they may be larger than memory.
use super::layout::{Layout, cells};
use super::paint::shown;
use super::paths::resolved;
use super::screen::screen;
use super::{Column, Report, SCHEMA, Style, error_json, json_line};
use genfic_ca::error::{Code, Problem};
use genfic_ca::export::csv_row;
use serde_json::{Value, json};
use std::io::{self, BufWriter, Stdout, Write};

/// Number of rows from which the column widths are computed; 1,000 rows fit in memory.
const MEASURED: usize = 1000;

/// A line format for other programs, in place of a table or one JSON object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lines {
    /// Comma-separated values of RFC 4180, with these fields of each value as columns.
    Csv(&'static [&'static str]),
    /// One JSON value on each line.
    Json,
}

/// A list that is being written to standard output. Nothing is written before the end or the first row that exceeds
/// the buffer, so that an early failure is reported like any other problem.
pub(crate) struct Listing {
    command: &'static str,
    field: &'static str,
    columns: &'static [Column],
    style: Style,
    lines: Option<Lines>,
    out: BufWriter<Stdout>,
    rows: Vec<Vec<String>>,
    has_begun: bool,
    layout: Option<Layout>,
    count: usize,
    more: Vec<(&'static str, Value)>,
}

impl Listing {
    /// Returns a list for this command: `result.FIELD[]` of the JSON object, or a table with these columns.
    pub(crate) fn new(
        command: &'static str,
        field: &'static str,
        columns: &'static [Column],
        style: Style,
    ) -> Self {
        let out = BufWriter::new(io::stdout());
        Self {
            command,
            field,
            columns,
            style,
            lines: None,
            out,
            rows: Vec::new(),
            has_begun: false,
            layout: None,
            count: 0,
            more: Vec::new(),
        }
    }

    /// Returns the same list in a line format; `None` changes nothing.
    pub(crate) fn in_lines(self, lines: Option<Lines>) -> Self {
        Self { lines, ..self }
    }

    /// Writes one more element. `row` is for people and `value` for programs; only one of the two is called.
    pub(crate) fn push(
        &mut self,
        value: impl FnOnce() -> Value,
        row: impl FnOnce() -> Vec<String>,
    ) -> io::Result<()> {
        self.count = self.count.saturating_add(1);
        if let Some(lines) = self.lines {
            return self.push_line(lines, &resolved(value()));
        }
        if self.style.json {
            self.begin_json()?;
            let comma = if self.count > 1 { "," } else { "" };
            return write!(self.out, "{comma}{}", resolved(value()));
        }
        if self.style.quiet {
            return Ok(());
        }
        let row = cells(self.columns, &row());
        match &self.layout {
            Some(layout) => writeln!(self.out, "{}", shown(&layout.row(&row), screen().colours_output)),
            None => {
                self.rows.push(row);
                if self.rows.len() == MEASURED { self.flush_rows() } else { Ok(()) }
            }
        }
    }

    fn push_line(&mut self, lines: Lines, value: &Value) -> io::Result<()> {
        match lines {
            Lines::Json => writeln!(self.out, "{value}"),
            Lines::Csv(columns) => {
                self.begin_csv(columns)?;
                let fields: Vec<String> = columns.iter().map(|column| cell(value.get(column))).collect();
                write!(self.out, "{}", csv_row(&fields))
            }
        }
    }

    fn begin_csv(&mut self, columns: &[&str]) -> io::Result<()> {
        if self.has_begun {
            return Ok(());
        }
        self.has_begun = true;
        let headings: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        write!(self.out, "{}", csv_row(&headings))
    }

    fn begin_json(&mut self) -> io::Result<()> {
        if self.has_begun {
            return Ok(());
        }
        self.has_begun = true;
        let (command, field) = (self.command, self.field);
        write!(
            self.out,
            r#"{{"schema":"{SCHEMA}","command":"{command}","ok":true,"changed":false,"result":{{"{field}":["#
        )
    }

    fn flush_rows(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let layout = Layout::of(self.columns, &rows, screen().width);
        for line in std::iter::once(layout.heading()).chain(rows.iter().map(|row| layout.row(row))) {
            writeln!(self.out, "{}", shown(&line, screen().colours_output))?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    /// Adds a field of `result` that stands beside the list.
    pub(crate) fn also(&mut self, field: &'static str, value: Value) {
        self.more.push((field, value));
    }

    /// Number of elements so far.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Writes the remaining rows, or `nothing` when the list is empty and is for people. [`end`] later writes the
    /// warnings and the end of the JSON object.
    pub(crate) fn finish(mut self, nothing: &str) -> io::Result<Report> {
        if let Some(lines) = self.lines {
            if let Lines::Csv(columns) = lines {
                self.begin_csv(columns)?;
            }
        } else if self.style.json {
            self.begin_json()?;
            write!(self.out, "]")?;
            for (field, value) in &self.more {
                write!(self.out, ",{}:{value}", json!(field))?;
            }
            write!(self.out, "}}")?;
        } else if !self.style.quiet && self.count == 0 {
            writeln!(self.out, "{nothing}")?;
        } else if !self.rows.is_empty() {
            self.flush_rows()?;
        }
        if let Some(line) = self.layout.as_ref().and_then(Layout::left_out) {
            writeln!(self.out, "{line}")?;
        }
        self.out.flush()?;
        Ok(Report { listed: true, ..Report::seen(json!(null), "") })
    }
}

/// Returns a value as one cell; the elements of an array are separated by semicolons.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => list.iter().map(|one| cell(Some(one))).collect::<Vec<_>>().join("; "),
        Some(other) => other.to_string(),
    }
}

/// Writes the rest of the JSON object that a list began.
pub(super) fn end(report: &Report) -> io::Result<()> {
    let mut rest = format!(r#","warnings":{}"#, json!(report.warnings));
    if let Some(problem) = &report.exit {
        rest.push_str(&format!(r#","error":{}"#, error_json(problem)));
    }
    rest.push('}');
    json_line(&rest)
}

/// Returns the problem of a failed write. A closed standard output is no failure, because nobody reads the rest.
pub(crate) fn unwritable(error: &io::Error) -> Problem {
    let message = format!("standard output cannot be written: {error}");
    Problem::new(Code::OutputFailed, message).hint("make room where it goes, then list again")
}
