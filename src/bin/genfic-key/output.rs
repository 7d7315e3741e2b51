//! What a command says: text for people, one JSON object for programs.
use crate::hints;
use genfic_ca::error::{Exit, Problem};
use genfic_ca::x509::is_invisible;
use serde_json::{Value, json};
use std::io::{self, ErrorKind, Write};

const SCHEMA: &str = "genfic-ca/1";

/// The outcome of a command that succeeded.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) changed: bool,
    pub(crate) result: Value,
    pub(crate) text: String,
    pub(crate) warnings: Vec<String>,
}

/// How it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

/// Writes the outcome and returns the exit status.
pub(crate) fn conclude(command: &str, outcome: Result<Report, Problem>, style: Style) -> u8 {
    let status = outcome.as_ref().map_or_else(|problem| problem.exit.code(), |_| 0);
    let written = if style.json {
        line(io::stdout(), &object(command, &outcome).to_string())
    } else {
        text(&outcome, style)
    };
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = line(io::stderr(), &format!("error: standard output cannot be written: {error}"));
            status.max(Exit::Failure.code())
        }
        _ => status,
    }
}

fn object(command: &str, outcome: &Result<Report, Problem>) -> Value {
    match outcome {
        Ok(report) => json!({
            "schema": SCHEMA,
            "command": command,
            "ok": true,
            "changed": report.changed,
            "result": report.result,
            "warnings": report.warnings,
        }),
        Err(problem) => json!({
            "schema": SCHEMA,
            "command": command,
            "ok": false,
            "changed": false,
            "result": null,
            "warnings": [],
            "error": {
                "code": problem.code.code(),
                "exit": problem.exit.code(),
                "message": problem.message,
                "hint": hints::text(&problem.hint),
            },
        }),
    }
}

fn text(outcome: &Result<Report, Problem>, style: Style) -> io::Result<()> {
    match outcome {
        Ok(report) => {
            // of a command that has written all itself there is none
            if !style.quiet && !report.text.is_empty() {
                line(io::stdout(), &visible(&report.text))?;
            }
            report
                .warnings
                .iter()
                .try_for_each(|one| line(io::stderr(), &visible(&format!("warning: {one}"))))
        }
        Err(problem) => {
            let mut text = format!("error: {}", problem.message);
            if !problem.hint.is_empty() {
                text.push_str(&format!("\n{}", hints::text(&problem.hint)));
            }
            text.push_str(&format!("\n(exit {}, {})", problem.exit.code(), problem.code));
            line(io::stderr(), &visible(&text))
        }
    }
}

/// Returns the text without what would move the cursor or recolour the screen.
pub(crate) fn visible(text: &str) -> String {
    let is_hidden = |c: char| is_invisible(c) && c != '\n';
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if is_hidden(c) {
            out.extend(c.escape_unicode())
        } else {
            out.push(c)
        }
        out
    })
}

fn line(mut to: impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.write_all(b"\n")?;
    to.flush()
}
