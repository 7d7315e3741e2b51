//! Error messages of backups.
use crate::error::remedy::Access;
use crate::error::{Code, Problem, Shown as _};
use crate::home::is_of_another_user;
use std::fmt::Display;
use std::io;
use std::path::Path;

/// Returns the problem of a damaged archive.
pub(super) fn damaged(file: &Path, reason: impl Display) -> Problem {
    let message = format!("{} is not a whole backup: {reason}", file.shown());
    Problem::new(Code::BackupDamaged, message).hint("use another copy or an older backup")
}

/// Returns the problem of a file that cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let code = if error.kind() == io::ErrorKind::NotFound { Code::FileMissing } else { Code::FileNotRead };
    let problem = Problem::new(code, format!("{} cannot be read: {error}", path.shown()));
    if is_of_another_user(path, error) {
        return problem.hint(Access::SharedDirectory);
    }
    problem.hint("look at its name, owner and mode")
}

/// Returns the problem of a file that cannot be written.
pub(super) fn unwritten(path: &Path, error: &io::Error) -> Problem {
    let code = if error.kind() == io::ErrorKind::PermissionDenied {
        Code::FileNotPermitted
    } else {
        Code::FileNotWritten
    };
    let problem = Problem::new(code, format!("{} cannot be written: {error}", path.shown()));
    if is_of_another_user(path, error) {
        return problem.hint(Access::SharedDirectory);
    }
    problem.hint("make room or mend owner and mode, then run it again")
}
