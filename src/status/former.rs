//! The status files of the former version, which are SQLite databases. Nothing answers from them. What they have as
//! permanently revoked still binds the publisher that replaces them.
use super::StatusError;
use crate::index::is_final;
use crate::index::sqlite::row;
use crate::x509::CertificateId;
use rusqlite::{Connection, OpenFlags};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Returns the certificates that such a file has as permanently revoked.
pub(super) fn revoked_in(path: &Path) -> Result<Vec<CertificateId>, StatusError> {
    let connection = connect(path)?;
    let mut statement = connection.prepare(
        "SELECT i.identity, s.serial, s.state, s.revoked_at, s.reason, s.invalidity_date FROM status s
         JOIN issuer i ON i.number = s.issuer WHERE s.state = 2",
    )?;
    let mut rows = statement.query([])?;
    let mut revoked = Vec::new();
    while let Some(row) = rows.next()? {
        if is_final(&row::state(row, 2)?) {
            revoked.push(CertificateId { issuer: row::issuer(row, 0)?, serial_number: row::serial(row, 1)? });
        }
    }
    Ok(revoked)
}

/// Opens such a file as immutable.
fn connect(path: &Path) -> Result<Connection, StatusError> {
    let mut uri = "file:".to_owned();
    for &octet in path.as_os_str().as_bytes() {
        match octet {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(octet))
            }
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(uri, flags)?)
}
