//! Copies the whole index into one file.
use super::connection::{create_empty, failed};
use crate::index::{IndexError, StoreError};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::path::Path;
use std::time::Duration;

/// Bound of the attempts to get the lock; with `PAUSE` between them they take 30 s.
const ATTEMPTS: usize = 300;
const PAUSE: Duration = Duration::from_millis(100);

/// Copies every page in one step. The step is one read transaction, which no writer waits for in WAL mode.
pub(super) fn write(source: &Connection, path: &Path) -> Result<(), IndexError> {
    let mut copy = create_empty(path)?;
    let backup = Backup::new(source, &mut copy)?;
    for _ in 0..ATTEMPTS {
        match backup.step(-1)? {
            StepResult::Done => {
                drop(backup);
                // Closing the copy keeps its pages, and leaves no file beside it.
                copy.close().map_err(|(_, error)| error)?;
                return std::fs::File::open(path)
                    .and_then(|file| file.sync_all())
                    .map_err(|error| failed(path, &error));
            }
            StepResult::Busy | StepResult::Locked => std::thread::sleep(PAUSE),
            _ => {}
        }
    }
    Err(IndexError::Store(StoreError::Busy))
}
