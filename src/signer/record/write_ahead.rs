//! The connection to the record, which writes ahead, also where processes can share no memory.
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Bound of the wait for another process.
const WAIT: Duration = Duration::from_secs(30);

/// Opens the record. On a file system that lends processes no shared memory, as those of media may not (FUSE), one
/// process alone has it, and others wait.
pub(super) fn connected(path: &Path) -> rusqlite::Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(WAIT)?;
        Ok(connection)
    };
    let shared = open()?;
    match write_ahead(&shared) {
        Ok(()) => return Ok(shared),
        Err(error) if is_of_the_file_system(&error) => drop(shared),
        Err(error) => return Err(error),
    }
    let alone = open()?;
    alone.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    write_ahead(&alone)?;
    Ok(alone)
}

fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // that there is no memory to be shared shows when something is to be written
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")
}

fn is_of_the_file_system(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, ReadOnly, SystemIoFailure};
    matches!(error.sqlite_error_code(), Some(SystemIoFailure | CannotOpen | ReadOnly))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_record_is_written_ahead_also_without_shared_memory() {
        // G6
        let directory = tempfile::tempdir().unwrap();
        for (name, locking) in [("shared", "normal"), ("alone", "exclusive")] {
            let path = directory.path().join(name);
            fs::write(&path, "").unwrap();
            if locking == "exclusive" {
                // where its memory would be
                fs::create_dir(directory.path().join("alone-shm")).unwrap();
            }
            for rows in 1..3 {
                let connection = connected(&path).unwrap();
                connection
                    .execute_batch("CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)")
                    .unwrap();
                let told = |pragma: &str| -> String {
                    connection.pragma_query_value(None, pragma, |row| row.get(0)).unwrap()
                };
                assert_eq!((&*told("journal_mode"), &*told("locking_mode")), ("wal", locking), "{name}");
                let count = connection.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));
                assert_eq!(count.unwrap(), rows, "{name}");
            }
        }
    }
}
