//! Takes the findings of a restore over, and refuses issuance until the restore is accepted.
use super::authority;
use super::issuing::{CertificateRow, place, put_names, store_state};
use super::journal::Journal;
use super::naming;
use super::revoking::{highest_crl_number, revise};
use super::row::{serial_column, signed, state_columns};
use crate::audit::{AuditEvent, Head};
use crate::index::{
    CertificateState, FoundCertificate, FoundRevocation, IndexError, Restoration, Restored, Revocation,
    TakenOver,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CrlReason, IssuerId, Name, UnixTime};
use rusqlite::{Connection, OptionalExtension};

pub(super) fn restored(connection: &Connection) -> Result<Option<Restored>, IndexError> {
    let mut statement = connection.prepare_cached("SELECT at, backup FROM restored")?;
    let row = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(row.map(|(at, backup)| Restored { at: UnixTime(at), backup: UnixTime(backup) }))
}

/// Refuses an operation between a restore and its acceptance.
pub(super) fn check_accepted(connection: &Connection) -> Result<(), IndexError> {
    match restored(connection)? {
        Some(Restored { backup, .. }) => Err(IndexError::NotAccepted { backup }),
        None => Ok(()),
    }
}

pub(super) fn accept(connection: &Connection, event: AuditEvent) -> Result<bool, IndexError> {
    if restored(connection)?.is_none() {
        return Ok(false);
    }
    let mut journal = Journal::open(connection)?;
    connection.execute("DELETE FROM restored", [])?;
    journal.append(event)?;
    journal.close()?;
    Ok(true)
}

pub(super) fn supersedes(connection: &Connection, head: &Head) -> Result<bool, IndexError> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM superseded WHERE sequence = ?1 AND digest = ?2")?;
    Ok(statement.exists((signed(head.sequence)?, head.digest))?)
}

pub(super) fn restore(connection: &Connection, restoration: &Restoration) -> Result<TakenOver, IndexError> {
    let mut journal = Journal::open(connection)?;
    journal.skip_changes(restoration.change);
    let change = journal.change()?;
    journal.append(restoration.event.clone())?;
    if let Some(at) = restoration.signed {
        journal.sign(at, || "what was published after the backup was made".into());
    }
    connection.execute(
        "INSERT OR REPLACE INTO restored (one, at, backup) VALUES (1, ?1, ?2)",
        (restoration.event.at.0, restoration.backup.0),
    )?;
    for head in &restoration.superseded {
        connection.execute(
            "INSERT OR IGNORE INTO superseded VALUES (?1, ?2)",
            (signed(head.sequence)?, head.digest),
        )?;
    }
    let mut taken = TakenOver::default();
    for found in &restoration.certificates {
        if take_certificate(connection, found, change)? {
            journal.append(found.event.clone())?;
            taken.certificates += 1;
        }
    }
    for found in &restoration.revocations {
        match take_revocation(connection, found, change)? {
            Taken::Nothing => continue,
            Taken::Known => taken.revoked += 1,
            Taken::ByNumber => taken.serial_only += 1,
        }
        journal.append(found.event.clone())?;
    }
    connection.execute("UPDATE authority SET revised = ?1", [change])?;
    journal.close()?;
    for (issuer, number) in &restoration.crl_numbers {
        take_crl_numbers(connection, issuer, *number)?;
    }
    Ok(taken)
}

pub(super) fn take_over(
    connection: &Connection,
    revocations: &[FoundRevocation],
) -> Result<TakenOver, IndexError> {
    let mut journal = Journal::open(connection)?;
    let change = journal.change()?;
    let mut taken = TakenOver::default();
    for found in revocations {
        match take_revocation(connection, found, change)? {
            Taken::Nothing if !reopen(connection, &found.id, change)? => continue,
            Taken::Nothing | Taken::Known => taken.revoked += 1,
            Taken::ByNumber => taken.serial_only += 1,
        }
        let issuer = authority::authority_number(connection, &found.id.issuer)?;
        revise(connection, issuer, change)?;
        journal.append(found.event.clone())?;
    }
    if taken == TakenOver::default() {
        return Ok(taken);
    }
    journal.close()?;
    Ok(taken)
}

/// Puts a revoked certificate back on CRLs after it was marked as one that need not be listed any more. Returns
/// false when it is still listed.
fn reopen(connection: &Connection, id: &CertificateId, change: i64) -> Result<bool, IndexError> {
    let (issuer, certificate, _) = place(connection, id)?;
    let reopened = connection
        .prepare_cached(
            "UPDATE status SET closed = 0, change = ?3,
                 not_after = (SELECT not_after FROM certificate WHERE number = ?4)
             WHERE issuer = ?1 AND serial = ?2 AND state = 2 AND closed = 1",
        )?
        .execute((issuer, serial_column(&id.serial_number), change, certificate))?;
    Ok(reopened == 1)
}

/// Uses up CRL numbers up to this one.
pub(super) fn take_crl_numbers(
    connection: &Connection,
    issuer: &IssuerId,
    number: CrlNumber,
) -> Result<(), IndexError> {
    if highest_crl_number(connection, issuer)? < number {
        let column = i64::try_from(number).map_err(|_| IndexError::CrlNumber(number))?;
        connection
            .prepare_cached("INSERT INTO crl (issuer, number, change) SELECT ?1, ?2, change FROM head")?
            .execute((authority::authority_number(connection, issuer)?, column))?;
    }
    Ok(())
}

/// Returns whether the certificate was new.
fn take_certificate(
    connection: &Connection,
    found: &FoundCertificate,
    change: i64,
) -> Result<bool, IndexError> {
    let tbs = found.certificate.tbs();
    let id = CertificateId { issuer: found.issuer, serial_number: tbs.serial_number().clone() };
    let (issuer, number, state) = match place(connection, &id) {
        Ok(place) => place,
        Err(IndexError::NotFound(_)) => {
            let entry = CertificateRow {
                issuer: authority::authority_number(connection, &found.issuer)?,
                identity: &found.issuer,
                tbs,
                certificate: Some(&found.certificate),
                profile: "",
                contact: None,
                // Whether its key came with a request is not known. A certificate of the home's own responder
                // is the likelier case.
                requested: false,
            };
            let number = entry.insert(connection, change)?;
            authority::install_found(connection, &tbs.as_issuer(), number)?;
            return Ok(true);
        }
        Err(error) => return Err(error),
    };
    // This one was being signed when the backup was made.
    let completed = state == 0
        && connection
            .prepare_cached(
                "UPDATE certificate SET der = ?1, fingerprint = ?2, tbs = NULL WHERE number = ?3 AND tbs = ?4",
            )?
            .execute((
                found.certificate.as_der(),
                found.certificate.fingerprint().0,
                number,
                tbs.as_der(),
            ))?
            == 1;
    if completed {
        store_state(connection, issuer, &id, &CertificateState::Issued, change)?;
        authority::install(connection, number)?;
    }
    Ok(completed)
}

enum Taken {
    Nothing,
    Known,
    ByNumber,
}

fn take_revocation(
    connection: &Connection,
    found: &FoundRevocation,
    change: i64,
) -> Result<Taken, IndexError> {
    let reason = found.revocation.reason.filter(|reason| *reason != CrlReason::RemoveFromCrl);
    let revocation = Revocation { reason, ..found.revocation.clone() };
    let Some(state) = super::reading::status(connection, &found.id)? else {
        let reason = revocation.reason.filter(|reason| *reason != CrlReason::Unspecified);
        let state = CertificateState::Revoked(Revocation { reason, ..revocation });
        if enter_again(connection, &found.id, &state, change)? {
            return Ok(Taken::Known);
        }
        enter_number(connection, &found.id, &Name::empty(), UnixTime::NO_END, &state, change)?;
        return Ok(Taken::ByNumber);
    };
    // A pending certificate cannot be released, so that it is revoked and not held.
    let revocation = match state {
        CertificateState::Pending if revocation.is_hold() => Revocation { reason: None, ..revocation },
        _ => revocation,
    };
    let Ok(revoked) = state.revoke(revocation) else { return Ok(Taken::Nothing) };
    let (issuer, certificate, _) = place(connection, &found.id)?;
    store_state(connection, issuer, &found.id, &revoked, change)?;
    revise(connection, issuer, change)?;
    if state == CertificateState::Pending {
        authority::leave(connection, certificate)?;
    }
    Ok(Taken::Known)
}

/// Records the state of a certificate that has a row and no state. Returns false when there is no row.
fn enter_again(
    connection: &Connection,
    id: &CertificateId,
    state: &CertificateState,
    change: i64,
) -> Result<bool, IndexError> {
    let issuer = authority::authority_number(connection, &id.issuer)?;
    let (state, revoked_at, reason, invalidity_date) = state_columns(state);
    let entered = connection
        .prepare_cached(
            "INSERT INTO status (issuer, serial, certificate, state, revoked_at, reason, invalidity_date,
                 not_after, change)
             SELECT issuer, serial, number, ?3, ?4, ?5, ?6, not_after, ?7 FROM certificate
             WHERE issuer = ?1 AND serial = ?2 ORDER BY number DESC LIMIT 1",
        )?
        .execute((
            issuer,
            serial_column(&id.serial_number),
            state,
            revoked_at,
            reason,
            invalidity_date,
            change,
        ))?;
    Ok(entered == 1)
}

/// Records a certificate of which only the serial number and another program's entry are known.
pub(super) fn enter_number(
    connection: &Connection,
    id: &CertificateId,
    subject: &Name,
    not_after: UnixTime,
    state: &CertificateState,
    change: i64,
) -> Result<(), IndexError> {
    let issuer = authority::authority_number(connection, &id.issuer)?;
    let serial = serial_column(&id.serial_number);
    // The subject is stored as text, since there are no octets.
    let subject_text = subject.to_string();
    connection
        .prepare_cached(
            "INSERT INTO certificate (issuer, serial, subject, profile, not_before, not_after, holder)
             VALUES (?1, ?2, ?3, '', 0, ?4, ?5)",
        )?
        .execute((issuer, serial, subject_text, not_after.0, naming::subscriber(subject)))?;
    let number = connection.last_insert_rowid();
    authority::note_end(connection, issuer, not_after)?;
    let (state, revoked_at, reason, invalidity_date) = state_columns(state);
    connection
        .prepare_cached(
            "INSERT INTO status (issuer, serial, certificate, state, revoked_at, reason, invalidity_date,
                 not_after, change)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute((issuer, serial, number, state, revoked_at, reason, invalidity_date, not_after.0, change))?;
    put_names(connection, number, subject, &[])
}
