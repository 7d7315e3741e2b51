//! The certificates for each key, and the subjects that are one subscriber.
use super::authority;
use super::journal::Journal;
use super::reading::{read_tbs, record, records};
use super::row::certificate as read_certificate;
use super::row::{self, STATE};
use crate::audit::AuditEvent;
use crate::index::{
    CertificateRecord, CertificateState, IndexError, Intent, KeyConflict, KeyUse, StoreError, check_key,
};
use crate::x509::extension::BasicConstraints;
use crate::x509::{Certificate, CertificateId, IssuerId, Name, TbsCertificate, UnixTime};
use rusqlite::Connection;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Sets the location of the key of a CA.
pub(super) fn set_key(
    connection: &Connection,
    issuer: &IssuerId,
    key: &str,
    event: AuditEvent,
) -> Result<(), IndexError> {
    let mut journal = Journal::open(connection)?;
    let number = authority::authority_number(connection, issuer)?;
    let changed = connection
        .prepare_cached("UPDATE key_place SET uri = ?2 WHERE authority = ?1")?
        .execute((number, key))?;
    if changed == 0 {
        return Err(IndexError::UnknownAuthority(*issuer));
    }
    journal.change()?;
    journal.append(event)?;
    journal.close()
}

/// Query of the certificates for a key, with the CA whose certificate each one is.
pub(super) fn uses_query() -> String {
    format!(
        "SELECT i.identity, c.serial, c.tbs, c.der, a.name, {STATE}
         FROM certificate c
         CROSS JOIN issuer i ON i.number = c.issuer
         CROSS JOIN status s ON s.issuer = c.issuer AND s.serial = c.serial
         LEFT JOIN authority a ON a.certificate = c.number
         WHERE c.key = ?1 ORDER BY c.number"
    )
}

pub(super) fn uses(connection: &Connection, key: &[u8; 32]) -> Result<Vec<KeyUse>, IndexError> {
    let mut statement = connection.prepare_cached(&uses_query())?;
    let mut rows = statement.query([key])?;
    let mut uses = Vec::new();
    while let Some(row) = rows.next()? {
        let unsigned = row.get::<_, Option<Vec<u8>>>(2)?;
        let is_signed = unsigned.is_none();
        let tbs = match unsigned {
            Some(octets) => read_tbs(&octets)?,
            None => read_certificate(row, 3)?.tbs().clone(),
        };
        let state = row::state(row, 5)?;
        uses.push(KeyUse {
            id: CertificateId { issuer: row::issuer(row, 0)?, serial_number: row::serial(row, 1)? },
            subject: tbs.subject().clone(),
            authority: row.get(4)?,
            is_ca: is_ca(&tbs),
            not_after: tbs.validity().not_after,
            is_abandoned: !is_signed && matches!(state, CertificateState::Revoked(_)),
            state,
        });
    }
    Ok(uses)
}

fn is_ca(tbs: &TbsCertificate) -> bool {
    BasicConstraints::of(tbs).is_some_and(|constraints| constraints.ca)
}

/// Returns the subjects that an operator has declared to be one subscriber with this key.
pub(super) fn one_subscriber(connection: &Connection, key: &[u8; 32]) -> Result<Vec<Name>, IndexError> {
    let mut statement = connection.prepare_cached("SELECT subject FROM same_holder WHERE key = ?1")?;
    let mut rows = statement.query([key])?;
    let mut names = Vec::new();
    while let Some(row) = rows.next()? {
        let octets: Vec<u8> = row.get(0)?;
        names.push(
            Name::from_der(&octets)
                .map_err(|error| IndexError::Store(StoreError::Damaged(error.to_string())))?,
        );
    }
    Ok(names)
}

/// The earlier certificates for the keys of one group. Each key is read once.
#[derive(Default)]
pub(super) struct Uses(HashMap<[u8; 32], Vec<KeyUse>>);

impl Uses {
    /// Checks that the key of a certificate may be certified for its subject, and adds the certificate to the
    /// uses of the key. Where `same_holder_as` is a former subject for this key, both subjects are first
    /// recorded as one subscriber.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        id: &CertificateId,
        tbs: &TbsCertificate,
        same_holder_as: Option<&Name>,
    ) -> Result<(), IndexError> {
        let (key, subject) = (tbs.public_key().digest(), tbs.subject());
        let uses = match self.0.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(uses(connection, &key)?),
        };
        if !uses.is_empty() {
            if let Some(former) = same_holder_as.filter(|former| uses.iter().any(|past| past.is_of(former))) {
                let mut statement =
                    connection.prepare_cached("INSERT OR IGNORE INTO same_holder VALUES (?1, ?2)")?;
                for subject in [former, subject] {
                    statement.execute((key, subject.as_der()))?;
                }
            }
            let one_subscriber = one_subscriber(connection, &key)?;
            check_key(uses, subject, is_ca(tbs), &one_subscriber)
                .map_err(|conflict| refused(id, conflict))?;
        }
        uses.push(KeyUse {
            id: id.clone(),
            subject: subject.clone(),
            authority: None,
            is_ca: is_ca(tbs),
            not_after: tbs.validity().not_after,
            is_abandoned: false,
            state: CertificateState::Pending,
        });
        Ok(())
    }
}

/// Refuses a renewal when another certificate for its key was recorded since it was decided.
pub(super) fn check_decided(connection: &Connection, intent: &Intent) -> Result<(), IndexError> {
    intent.check_decided(|key| uses(connection, key))
}

/// Refuses the import of a CA of the name and key of a certificate that is revoked or on hold, so that the
/// import does not undo that.
pub(super) fn check_authority(connection: &Connection, certificate: &Certificate) -> Result<(), IndexError> {
    let tbs = certificate.tbs();
    let uses = uses(connection, &tbs.public_key().digest())?;
    match check_key(&uses, tbs.subject(), true, &[]) {
        Err(conflict @ (KeyConflict::Compromised(_) | KeyConflict::Revoked(..) | KeyConflict::Held(..))) => {
            let serial_number = tbs.serial_number().clone();
            Err(refused(&CertificateId { issuer: tbs.as_issuer(), serial_number }, conflict))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Refuses the release of a certificate whose key another subscriber has.
pub(super) fn check_release(
    connection: &Connection,
    id: &CertificateId,
    number: i64,
) -> Result<(), IndexError> {
    let mut statement = connection.prepare_cached("SELECT key FROM certificate WHERE number = ?1")?;
    let Some(key) = statement.query_row([number], |row| row.get::<_, Option<[u8; 32]>>(0))? else {
        return Ok(());
    };
    let uses = uses(connection, &key)?;
    let is_of_the_key = |past: &&KeyUse| matches!(&past.state, CertificateState::Revoked(revocation) if revocation.is_of_the_key());
    match uses.iter().find(is_of_the_key) {
        Some(past) => Err(refused(id, KeyConflict::Compromised(past.id.serial_number.clone()))),
        None => Ok(()),
    }
}

fn refused(id: &CertificateId, conflict: KeyConflict) -> IndexError {
    IndexError::KeyRefused { id: id.clone(), conflict }
}

/// Query of the certificates that are still valid although one for the same key was revoked because the key was
/// compromised.
pub(super) fn on_compromised_query() -> String {
    format!(
        "{} WHERE c.number IN (
             SELECT other.number FROM status revoked INDEXED BY status_revoked
             CROSS JOIN certificate known ON known.number = revoked.certificate
             CROSS JOIN certificate other ON other.key = known.key
             CROSS JOIN status s ON s.issuer = other.issuer AND s.serial = other.serial
             WHERE revoked.state = 2 AND revoked.reason IN (1, 2, 10) AND s.not_after >= ?1
                 AND (s.state < 2 OR s.reason = 6))
         ORDER BY c.number",
        records()
    )
}

pub(super) fn on_compromised(
    connection: &Connection,
    now: UnixTime,
    visit: &mut dyn FnMut(CertificateRecord),
) -> Result<(), IndexError> {
    let mut statement = connection.prepare_cached(&on_compromised_query())?;
    let mut rows = statement.query([now.0])?;
    while let Some(row) = rows.next()? {
        visit(record(row)?);
    }
    Ok(())
}
