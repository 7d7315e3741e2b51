//! The mark beside a key, `NAME.mark`: a number in decimal.
use crate::home::{Mode, NoteError, NoteFault, ReadError, Writing, read_mark, replace_alone};
use crate::signing::MarkError;
use crate::x509::extension::CrlNumber;
use rustix::io::Errno;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long to wait for another process.
const WAIT: Duration = Duration::from_secs(30);

/// The mark of the key in this file. Before it was called that, it was a `.crlnumber`.
pub(super) fn read(key: &Path) -> Result<Option<CrlNumber>, MarkError> {
    let at = |ending: &str| read_mark(&key.with_extension(ending)).map_err(unreadable);
    // in this order, one that is moved meanwhile is not missed
    let former = at("crlnumber")?;
    Ok(former.max(at("mark")?))
}

/// Raises it; the number noted never goes back.
pub(super) fn raise(key: &Path, number: CrlNumber) -> Result<(), MarkError> {
    let path = key.with_extension("mark");
    let alone = Writing::alone(key.parent().unwrap_or(key), WAIT).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => MarkError::Busy,
        _ => MarkError::NotRead { path: path.clone(), source: error },
    })?;
    if read(key)?.is_some_and(|mark| mark >= number) {
        return Ok(());
    }
    Ok(replace_alone(&alone, &path, format!("{number}\n").as_bytes(), Mode::Private)?)
}

fn unreadable(NoteError { path, fault }: NoteError) -> MarkError {
    match fault {
        // that says nothing of the file
        NoteFault::Read(ReadError::Io(source))
            if [Errno::MFILE, Errno::NFILE, Errno::NOMEM]
                .iter()
                .any(|errno| source.raw_os_error() == Some(errno.raw_os_error())) =>
        {
            MarkError::NotRead { path, source }
        }
        fault => MarkError::Unreadable { path, reason: fault.to_string() },
    }
}
