//! Conversion of values to columns and of columns to values.
use crate::index::{CertificateState, IndexError, Revocation, StoreError};
use crate::x509::{Certificate, CrlReason, IssuerId, SerialNumber, UnixTime};
use rusqlite::Row;

/// Columns `state, revoked_at, reason, invalidity_date` of a state.
pub(crate) type StateColumns = (i64, Option<i64>, Option<u8>, Option<i64>);

/// The columns that [`state`] reads, in its order, of a table with the alias `s`.
pub(crate) const STATE: &str = "s.state, s.revoked_at, s.reason, s.invalidity_date";

/// Returns the four columns of a state.
pub(crate) fn state_columns(state: &CertificateState) -> StateColumns {
    match state {
        CertificateState::Pending => (0, None, None, None),
        CertificateState::Issued => (1, None, None, None),
        CertificateState::Revoked(revocation) => (
            2,
            Some(revocation.revoked_at.0),
            revocation.reason.map(CrlReason::number),
            revocation.invalidity_date.map(|at| at.0),
        ),
    }
}

/// Reads a state from four columns, of which this is the first.
pub(crate) fn state(row: &Row<'_>, first: usize) -> Result<CertificateState, StoreError> {
    Ok(match row.get(first)? {
        0 => CertificateState::Pending,
        1 => CertificateState::Issued,
        2 => CertificateState::Revoked(revocation(row, first + 1)?),
        other => return Err(StoreError::Damaged(format!("there is no state {other}"))),
    })
}

/// Reads a revocation from three columns, of which this is the first.
pub(crate) fn revocation(row: &Row<'_>, first: usize) -> Result<Revocation, StoreError> {
    let reason = match row.get::<_, Option<u8>>(first + 1)? {
        None => None,
        Some(number) => Some(
            CrlReason::from_number(number)
                .ok_or_else(|| StoreError::Damaged(format!("there is no reason {number}")))?,
        ),
    };
    Ok(Revocation {
        revoked_at: UnixTime(row.get(first)?),
        reason,
        invalidity_date: row.get::<_, Option<i64>>(first + 2)?.map(UnixTime),
    })
}

/// Returns a serial number padded to 20 octets, so that octets sort as numbers do.
pub(crate) fn serial_column(serial_number: &SerialNumber) -> [u8; 20] {
    let mut column = [0; 20];
    let octets = serial_number.as_be_octets();
    for (to, from) in column.iter_mut().rev().zip(octets.iter().rev()) {
        *to = *from;
    }
    column
}

/// Reads the serial number in this column.
pub(crate) fn serial(row: &Row<'_>, at: usize) -> Result<SerialNumber, StoreError> {
    let octets = row.get_ref(at)?.as_blob().map_err(|error| StoreError::Damaged(error.to_string()))?;
    SerialNumber::from_be_octets(octets).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// Reads the issuer identity in this column.
pub(crate) fn issuer(row: &Row<'_>, at: usize) -> Result<IssuerId, StoreError> {
    Ok(IssuerId(row.get(at)?))
}

/// Reads the certificate in this column.
pub(crate) fn certificate(row: &Row<'_>, at: usize) -> Result<Certificate, IndexError> {
    let octets = row
        .get_ref(at)?
        .as_blob()
        .map_err(|error| IndexError::Store(StoreError::Damaged(error.to_string())))?;
    Certificate::from_der(octets).map_err(|error| IndexError::Store(StoreError::Damaged(error.to_string())))
}

/// Converts a count to SQLite's signed integer.
pub(crate) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Damaged(format!("{number} does not fit 63 bits")))
}

/// Converts SQLite's signed integer to a count, which is never negative.
pub(crate) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Damaged(format!("{number} is negative")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_sort_as_numbers() {
        let column = |hex: &str| serial_column(&hex.parse().unwrap());
        assert!(column("ff") < column("0100"));
        assert_eq!(SerialNumber::from_be_octets(&column("0100")), "100".parse());
    }
}
