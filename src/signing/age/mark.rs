//! The mark beside a key, `NAME.mark`: a number in decimal.
use crate::home::{Mode, NoteError, ReadError, read_mark, replace};
use crate::signing::MarkError;
use crate::x509::extension::CrlNumber;
use rustix::io::Errno;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long to wait for another process, and how often to look.
const WAIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// The mark of the key in this file. Before it was called that, it was a `.crlnumber`.
pub(super) fn read(key: &Path) -> Result<Option<CrlNumber>, MarkError> {
    let at = |ending: &str| {
        let path = key.with_extension(ending);
        read_mark(&path).map_err(|error| unreadable(&path, error))
    };
    Ok(at("mark")?.max(at("crlnumber")?))
}

/// Raises it; the number noted never goes back.
pub(super) fn raise(key: &Path, number: CrlNumber) -> Result<(), MarkError> {
    let path = key.with_extension("mark");
    let _alone = alone(key.parent().unwrap_or(key)).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => MarkError::Busy,
        _ => MarkError::NotRead { path: path.clone(), source: error },
    })?;
    if read(key)?.is_some_and(|mark| mark >= number) {
        return Ok(());
    }
    Ok(replace(&path, format!("{number}\n").as_bytes(), Mode::Private)?)
}

/// Locks a directory until what is returned is dropped; a process that ends lets go too.
fn alone(directory: &Path) -> io::Result<File> {
    let (file, begun) = (File::open(directory)?, Instant::now());
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < WAIT => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn unreadable(path: &Path, error: NoteError) -> MarkError {
    let path = path.to_owned();
    match error {
        // that says nothing of the file
        NoteError::Read(ReadError::Io(source))
            if [Errno::MFILE, Errno::NFILE, Errno::NOMEM]
                .iter()
                .any(|errno| source.raw_os_error() == Some(errno.raw_os_error())) =>
        {
            MarkError::NotRead { path, source }
        }
        error => MarkError::Unreadable { path, reason: error.to_string() },
    }
}
