//! Lists that are said while they are read: they may be longer than memory.
use super::paths::resolved;
use super::{Report, SCHEMA, Style, error_json, json_line, table, visible};
use genfic_ca::error::{Code, Problem, on_one_line};
use genfic_ca::handout::csv_row;
use serde_json::{Value, json};
use std::io::{self, BufWriter, Stdout, Write};

/// How many rows decide how wide the columns are.
const MEASURED: usize = 1000;

/// How a list is said where neither a table nor one JSON object is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lines {
    /// RFC 4180, with these fields of each value as columns.
    Csv(&'static [&'static str]),
    /// One JSON value a line.
    Json,
}

/// A list on its way to standard output. Nothing is written before the first row that does not fit in memory
/// or the end, so that what fails at once is said as any other problem.
pub(crate) struct Listing {
    command: &'static str,
    field: &'static str,
    headings: &'static [&'static str],
    style: Style,
    lines: Option<Lines>,
    out: BufWriter<Stdout>,
    rows: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
    count: usize,
}

impl Listing {
    /// A list for this command: `result.FIELD[]` of the object, or a table with these headings.
    pub(crate) fn new(
        command: &'static str,
        field: &'static str,
        headings: &'static [&'static str],
        style: Style,
    ) -> Self {
        let out = BufWriter::new(io::stdout());
        Self { command, field, headings, style, lines: None, out, rows: Vec::new(), widths: None, count: 0 }
    }

    /// The same, said in lines for other programs.
    pub(crate) fn in_lines(self, lines: Option<Lines>) -> Self {
        Self { lines, ..self }
    }

    /// Says one more; `row` is for people, `value` for programs, and only one of them is made.
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
        match &self.widths {
            Some(widths) => writeln!(self.out, "{}", padded(&cells(row()), widths)),
            None => {
                self.rows.push(cells(row()));
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
        if self.widths.is_some() {
            return Ok(());
        }
        self.widths = Some(Vec::new());
        let headings: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        write!(self.out, "{}", csv_row(&headings))
    }

    fn begin_json(&mut self) -> io::Result<()> {
        if self.widths.is_some() {
            return Ok(());
        }
        self.widths = Some(Vec::new());
        let (command, field) = (self.command, self.field);
        write!(
            self.out,
            r#"{{"schema":"{SCHEMA}","command":"{command}","ok":true,"changed":false,"result":{{"{field}":["#
        )
    }

    fn flush_rows(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
            let heading = self.headings.get(at).map_or(0, |heading| heading.chars().count());
            cells.max().unwrap_or(0).max(heading)
        };
        self.widths = Some((0..self.headings.len()).map(width).collect());
        writeln!(self.out, "{}", table(self.headings, &rows))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Says what is left; `nothing` for people when the list is empty. What is written after is the end of
    /// the object and warnings.
    pub(crate) fn finish(mut self, nothing: &str) -> io::Result<Report> {
        if let Some(lines) = self.lines {
            if let Lines::Csv(columns) = lines {
                self.begin_csv(columns)?;
            }
        } else if self.style.json {
            self.begin_json()?;
            write!(self.out, "]}}")?;
        } else if !self.style.quiet && self.count == 0 {
            writeln!(self.out, "{nothing}")?;
        } else if !self.rows.is_empty() {
            self.flush_rows()?;
        }
        self.out.flush()?;
        Ok(Report { listed: true, ..Report::seen(json!(null), "") })
    }
}

/// A value in one cell; the items of a list are apart by semicolons.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => list.iter().map(|one| cell(Some(one))).collect::<Vec<_>>().join("; "),
        Some(other) => other.to_string(),
    }
}

/// What is shown of a row: each cell on one line.
fn cells(row: Vec<String>) -> Vec<String> {
    row.into_iter().map(|cell| visible(&on_one_line(&cell)).into_owned()).collect()
}

fn padded(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// The rest of the object that a list began.
pub(super) fn end(report: &Report) -> io::Result<()> {
    let mut rest = format!(r#","warnings":{}"#, json!(report.warnings));
    if let Some(problem) = &report.exit {
        rest.push_str(&format!(r#","error":{}"#, error_json(problem)));
    }
    rest.push('}');
    json_line(&rest)
}

/// Standard output that is gone is no failure: nobody reads the rest. Another failure is one.
pub(crate) fn unwritable(error: &io::Error) -> Problem {
    let message = format!("standard output cannot be written: {error}");
    Problem::new(Code::OutputFailed, message).hint("make room where it goes, then list again")
}
