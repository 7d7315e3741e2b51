//! The record's write-ahead log, also where processes can share no memory.
use rusqlite::Connection;

/// Has SQLite write ahead. A file system that lends processes no shared memory, as those of media may not (FAT by FUSE),
/// gets a log of one process alone; others wait.
pub(super) fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    if set(connection).is_ok_and(|is_set| is_set) {
        return Ok(());
    }
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    set(connection).map(drop)
}

/// Returns whether the log is written ahead now.
fn set(connection: &Connection) -> rusqlite::Result<bool> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    // a log without memory beside it is noticed when it is first read
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(mode == "wal")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::OpenFlags;

    #[test]
    fn the_record_is_written_ahead_also_without_shared_memory() {
        // G6
        let directory = tempfile::tempdir().unwrap();
        for (vfs, locking) in [("unix", "normal"), ("unix-dotfile", "exclusive")] {
            let path = directory.path().join(vfs);
            let connection = Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), vfs).unwrap();
            write_ahead(&connection).unwrap();
            connection.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
            let told = |pragma: &str| -> String {
                connection.pragma_query_value(None, pragma, |row| row.get(0)).unwrap()
            };
            assert_eq!(
                (told("journal_mode").as_str(), told("locking_mode").as_str()),
                ("wal", locking),
                "{vfs}"
            );
        }
    }
}
