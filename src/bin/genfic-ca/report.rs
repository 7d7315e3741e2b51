//! The output of commands: text for people, and one JSON object for programs.
use crate::hints;
use genfic_ca::error::{Exit, Notice, Problem, Remedy, on_one_line};
use genfic_ca::x509::is_invisible;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::sync::OnceLock;
use unicode_width::UnicodeWidthStr;

mod layout;
mod listing;
mod paint;
mod paths;
mod screen;
mod table;

pub(crate) use listing::{Lines, Listing, unwritable};
pub(crate) use paint::{Colour, painted};
pub(crate) use paths::{path_value, path_values};
pub(crate) use screen::look;
pub(crate) use table::{Column, table};

const SCHEMA: &str = "genfic-ca/1";

/// The outcome of a command that succeeded.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Whether the command changed anything.
    pub(crate) changed: bool,
    /// `result` of the JSON object.
    pub(crate) result: Value,
    /// Text for people, of one or more lines.
    pub(crate) text: String,
    /// Warnings about what was done.
    pub(crate) warnings: Vec<String>,
    /// A problem whose exit status replaces 0 although the command succeeded.
    pub(crate) exit: Option<Problem>,
    /// Octets for standard output in place of the text (`show --der`).
    pub(crate) octets: Option<Vec<u8>>,
    /// Whether a [`Listing`] has already written the text or the start of the JSON object.
    pub(crate) listed: bool,
    /// The program that replaces this process after the report is written.
    pub(crate) then: Option<std::process::Command>,
}

impl Report {
    /// Returns a report that changed nothing.
    pub(crate) fn seen(result: Value, text: impl Into<String>) -> Self {
        Self { result, text: text.into(), ..Self::default() }
    }

    /// Returns a report of a change.
    pub(crate) fn done(result: Value, text: impl Into<String>) -> Self {
        Self { changed: true, ..Self::seen(result, text) }
    }

    /// Returns the report with these warnings added.
    pub(crate) fn warn(mut self, warnings: impl IntoIterator<Item = impl Into<Notice>>) -> Self {
        self.warnings.extend(warnings.into_iter().map(|warning| told_with_remedy(&warning.into())));
        self
    }

    /// Returns the report with the exit status of this problem, if any.
    pub(crate) fn ending(mut self, exit: Option<Problem>) -> Self {
        self.exit = exit;
        self
    }
}

/// Returns a warning with its remedy: a sentence follows after a semicolon, a command that can be run after a colon.
fn told_with_remedy(notice: &Notice) -> String {
    let remedy = hints::text(&notice.remedy);
    match &notice.remedy {
        none if none.is_empty() => notice.message.clone(),
        Remedy::Repair(_) => format!("{}: {remedy}", notice.message),
        _ => format!("{}; {remedy}", notice.message),
    }
}

/// How a report is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

/// Writes the outcome and returns the exit status.
pub(crate) fn conclude(command: &str, outcome: Result<Report, Problem>, style: Style) -> u8 {
    let mut outcome = outcome;
    let then = outcome.as_mut().ok().and_then(|report| report.then.take());
    let (status, written) = match &outcome {
        Ok(report) => {
            let status = report.exit.as_ref().map_or(0, |problem| problem.exit.code());
            let written = match style.json {
                true if report.listed => listing::end(report),
                true => report_json(command, report),
                false => report_text(report, style),
            };
            (status, written)
        }
        Err(problem) => {
            let status = problem.exit.code();
            (status, if style.json { problem_json(command, problem) } else { problem_text(problem) })
        }
    };
    if let Some(mut program) = then {
        let error = program.exec();
        let _ = complaint(&format!(
            "error: {} cannot be started: {error}",
            program.get_program().to_string_lossy()
        ));
        return Exit::Failure.code();
    }
    match written {
        Ok(()) => status,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => status,
        Err(error) => {
            let _ = complaint(&format!("error: standard output cannot be written: {error}"));
            status.max(Exit::Failure.code())
        }
    }
}

fn report_json(command: &str, report: &Report) -> io::Result<()> {
    let mut object = json!({
        "schema": SCHEMA,
        "command": command,
        "ok": report.exit.as_ref().is_none_or(|problem| problem.exit == Exit::Findings),
        "changed": report.changed,
        "result": paths::resolved(report.result.clone()),
        "warnings": report.warnings,
    });
    if let (Some(problem), Some(fields)) = (&report.exit, object.as_object_mut()) {
        fields.insert("error".into(), error_json(problem));
    }
    json_line(&object.to_string())
}

fn problem_json(command: &str, problem: &Problem) -> io::Result<()> {
    let object = json!({
        "schema": SCHEMA,
        "command": command,
        "ok": false,
        "changed": false,
        "result": null,
        "warnings": [],
        "error": error_json(problem),
    });
    json_line(&object.to_string())
}

fn error_json(problem: &Problem) -> Value {
    json!({
        "code": problem.code.code(),
        "exit": problem.exit.code(),
        "message": problem.message,
        "hint": hints::text(&problem.hint),
    })
}

/// Typed words of more than one line, each with its replacement in messages.
static TYPED: OnceLock<Vec<(String, String)>> = OnceLock::new();

/// Keeps typed words with line breaks from breaking the lines of messages that repeat them.
pub(crate) fn keep_on_one_line(words: &[OsString]) {
    let text = words.iter().skip(1).filter_map(|word| word.to_str());
    let values = text.flat_map(|word| [Some(word), word.split_once('=').map(|(_, value)| value)]).flatten();
    let odd = values.filter(|word| word.trim().contains(char::is_control)).map(|word| word.trim());
    let mut typed: Vec<(String, String)> =
        odd.map(|word| (word.to_owned(), on_one_line(word).into_owned())).collect();
    // longer words come first, because they may contain shorter ones
    typed.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    let _ = TYPED.set(typed);
}

/// Returns the text with each typed word on one line.
fn told(text: &str) -> Cow<'_, str> {
    let typed = TYPED.get().map(Vec::as_slice).unwrap_or_default();
    typed.iter().fold(Cow::Borrowed(text), |text, (word, written)| match text.contains(word) {
        true => Cow::Owned(text.replace(word, written)),
        false => text,
    })
}

fn report_text(report: &Report, style: Style) -> io::Result<()> {
    if let Some(octets) = &report.octets {
        io::stdout().write_all(octets)?;
        io::stdout().flush()?;
    } else if !style.quiet && !report.text.is_empty() {
        line(io::stdout(), &told(report.text.trim_end()))?;
    }
    for warning in &report.warnings {
        complaint(&format!("{} {warning}", painted(Colour::Yellow, "warning:")))?;
    }
    match &report.exit {
        Some(problem) if problem.exit != Exit::Findings => problem_text(problem),
        _ => Ok(()),
    }
}

fn problem_text(problem: &Problem) -> io::Result<()> {
    let mut text = format!("{} {}", painted(Colour::Red, "error:"), problem.message);
    if !problem.hint.is_empty() {
        text.push('\n');
        text.push_str(&hints::text(&problem.hint));
    }
    text.push_str(&format!("\n(exit {}, {})", problem.exit.code(), problem.code));
    complaint(&text)
}

/// Writes a warning or a problem to standard error.
fn complaint(text: &str) -> io::Result<()> {
    written(io::stderr(), &told(text), screen::screen().colours_errors)
}

/// Returns the text with control characters escaped that would move the cursor, recolour the screen or reverse the
/// line. Names in requests, certificates and files are chosen by others.
fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |c: char| is_invisible(c) && c != '\n' && c != '\t';
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let written = |c: char| if is_hidden(c) { c.escape_unicode().collect() } else { String::from(c) };
    Cow::Owned(text.chars().map(written).collect())
}

fn line(to: impl Write, text: &str) -> io::Result<()> {
    written(to, text, screen::screen().colours_output)
}

fn written(mut to: impl Write, text: &str, in_colour: bool) -> io::Result<()> {
    to.write_all(paint::shown(text, in_colour).as_bytes())?;
    to.write_all(b"\n")?;
    to.flush()
}

/// Writes JSON with everything but plain characters escaped as JSON escapes it, so that it cannot affect a terminal
/// and stays JSON.
fn json_line(text: &str) -> io::Result<()> {
    let mut octets = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if is_invisible(c) {
            let units =
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            octets.push_str(&units);
        } else {
            octets.push(c);
        }
    }
    octets.push('\n');
    io::stdout().write_all(octets.as_bytes())?;
    io::stdout().flush()
}

/// Returns a number and what it counts, for example `1 certificate` or `2 certificates`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Returns two aligned columns, the first padded to its longest cell.
pub(crate) fn columns(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(left, _)| left.width()).max().unwrap_or(0);
    rows.iter()
        .map(|(left, right)| {
            let gap = " ".repeat(width.saturating_sub(left.width()));
            format!("{left}{gap}  {}", on_one_line(right)).trim_end().to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}
