//! Counts what ends.
use super::row::unsigned;
use crate::index::{Ending, IndexError};
use crate::x509::UnixTime;
use rusqlite::Connection;

/// What ends, counted by day, issuer and profile. `CROSS` keeps the order of tables, and `status_ending` has the rows.
pub(super) const ENDINGS: &str = "
    SELECT s.not_after / 86400 * 86400, coalesce(a.name, ''), c.profile, count(*)
    FROM status s INDEXED BY status_ending
    CROSS JOIN certificate c ON c.number = s.certificate
    LEFT JOIN authority a ON a.issuer = c.issuer
    WHERE s.state = 1 AND s.not_after BETWEEN ?1 AND ?2
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";

pub(super) fn endings(
    connection: &Connection,
    first: UnixTime,
    last: UnixTime,
) -> Result<Vec<Ending>, IndexError> {
    let mut statement = connection.prepare_cached(ENDINGS)?;
    let mut rows = statement.query((first.0, last.0))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Ending {
            day: UnixTime(row.get(0)?),
            authority: row.get(1)?,
            profile: row.get(2)?,
            count: unsigned(row.get(3)?)?,
        });
    }
    Ok(found)
}
