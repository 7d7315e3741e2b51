//! What the commands do.
mod combine;
mod custodians;
mod export_bundle;
mod open;
mod page;
mod rewrap;
mod split;

use crate::cli::{Action, Global};
use crate::output::Report;
use crate::terminal::{self, Typed};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::{Existing, Mode, WriteError, write_whole};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// Runs a command.
pub(crate) fn run(global: &Global, command: Action) -> Result<Report, Problem> {
    match command {
        Action::Rewrap(args) => rewrap::rewrap(global, &args),
        Action::Open(args) => open::open(global, &args),
        Action::Split(args) => split::split(global, &args),
        Action::Combine(args) => combine::combine(global, &args),
        Action::Page(args) => page::page(global, &args),
        Action::ExportBundle(args) => export_bundle::export_bundle(global, &args),
    }
}

/// Asks for confirmation of something that cannot be taken back.
fn confirm(global: &Global, question: &str) -> Result<(), Problem> {
    if global.yes {
        return Ok(());
    }
    if global.no_input || global.json || !terminal::is_attended() {
        return Err(Problem::new(Code::InputConfirmation, question).hint("add --yes to answer yes"));
    }
    match terminal::ask(&format!("{question} [y/N] "), true) {
        Ok(Typed::Line(answer)) if matches!(answer.trim(), "y" | "Y" | "yes") => Ok(()),
        Ok(Typed::Interrupted) => Err(Problem::new(Code::InputInterrupted, "interrupted; nothing was done")),
        _ => Err(Problem::new(Code::InputDeclined, "not confirmed; nothing was done")),
    }
}

/// Refuses a path where something is already.
fn must_be_free(path: &Path) -> Result<(), Problem> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(_) => Err(there_already(path)),
        Err(error) => Err(not_written(path, error)),
    }
}

/// Writes a file that nobody but its owner can read, where nothing is yet.
fn put(path: &Path, contents: &[u8]) -> Result<(), Problem> {
    write_whole(path, Mode::Private, Existing::Keep, |file| file.write_all(contents)).map_err(
        |WriteError { path, source }| match source.kind() {
            ErrorKind::AlreadyExists => there_already(&path),
            _ => not_written(&path, source),
        },
    )
}

fn there_already(path: &Path) -> Problem {
    Problem::new(Code::FileExists, format!("{} is there already", path.shown()))
        .hint("name another file, or move this one away; nothing was changed")
}

fn not_written(path: &Path, error: std::io::Error) -> Problem {
    let code = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Code::FileNotPermitted,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::DiskFull,
        _ => Code::FileNotWritten,
    };
    Problem::new(code, format!("{} cannot be written: {error}", path.shown()))
        .because(error)
        .hint("make room, or name a directory that you may write to; the key is as it was")
}
