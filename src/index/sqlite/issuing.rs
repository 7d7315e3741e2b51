//! Intents, issued certificates and abandoned certificates. Groups have any size, and each is one transaction.
use super::authority;
use super::journal::Journal;
use super::restoring;
use super::revoking::revise;
use super::row::{serial_column, state_columns};
use super::{keys, naming};
use crate::audit::AuditEvent;
use crate::index::{CertificateState, IndexError, Intent, Issued, Revocation};
use crate::x509::extension::{BasicConstraints, ExtendedKeyUsage, Purpose};
use crate::x509::{Certificate, CertificateId, GeneralName, IssuerId, Name, TbsCertificate, UnixTime};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

pub(super) fn store_intents(connection: &Connection, intents: &[Intent]) -> Result<(), IndexError> {
    let mut journal = Journal::open(connection)?;
    if let Some(earliest) = intents.iter().map(|intent| intent.event.at).min() {
        journal.check_clock(earliest)?;
    }
    let mut fit: HashMap<(IssuerId, UnixTime), (i64, Name)> = HashMap::new();
    let mut uses = keys::Uses::default();
    for intent in intents {
        keys::check_decided(connection, intent)?;
    }
    for intent in intents {
        let tbs = intent.tbs.get();
        let bearer = naming::Bearer::of(intent, tbs);
        // Without a responder certificate, OCSP could not report revocations.
        if intent.requested || !is_responders(tbs) {
            restoring::check_accepted(connection)?;
        }
        let makes_itself = intent.authority.is_some() && tbs.as_issuer() == intent.issuer;
        let (issuer, name) = if makes_itself {
            (authority::enter_issuer(connection, &intent.issuer)?, tbs.subject().clone())
        } else {
            match fit.entry((intent.issuer, intent.event.at)) {
                std::collections::hash_map::Entry::Occupied(known) => known.get().clone(),
                std::collections::hash_map::Entry::Vacant(place) => place
                    .insert(authority::usable_issuer(connection, &intent.issuer, intent.event.at)?)
                    .clone(),
            }
        };
        if name != *tbs.issuer() {
            let (named, is) = tbs.issuer().beside(&name);
            let message = format!("the certificate names {named} as its issuer, which is called {is}");
            return Err(IndexError::IssuerUnfit(message));
        }
        let id = CertificateId { issuer: intent.issuer, serial_number: tbs.serial_number().clone() };
        uses.add(connection, &id, tbs, intent.same_holder_as.as_ref())?;
        let entry = CertificateRow {
            issuer,
            identity: &intent.issuer,
            tbs,
            certificate: None,
            profile: &intent.profile,
            contact: intent.contact.as_deref(),
            requested: intent.requested,
        };
        let number = entry.insert(connection, journal.change()?)?;
        if let Some(new) = &intent.authority {
            authority::enter(connection, &tbs.as_issuer(), new, (number, tbs.public_key().digest()))?;
            naming::note_own(connection, tbs)?;
        }
        journal.sign(intent.event.at, || format!("certificate {}", intent.event.object));
        naming::check(connection, tbs, number, &bearer)?;
        journal.append(intent.event.clone())?;
    }
    journal.close()
}

/// Returns whether the certificate is that of a delegated responder (RFC 6960 §4.2.2.2) and has no other
/// purpose.
fn is_responders(tbs: &TbsCertificate) -> bool {
    let purposes = ExtendedKeyUsage::of(tbs);
    let is_ca = BasicConstraints::of(tbs).is_some_and(|constraints| constraints.ca);
    !is_ca && purposes.is_some_and(|purposes| purposes.0 == [Purpose::OCSP_SIGNING])
}

/// A row of `certificate` with its names and its status.
pub(super) struct CertificateRow<'a> {
    pub(super) issuer: i64,
    pub(super) identity: &'a IssuerId,
    pub(super) tbs: &'a TbsCertificate,
    pub(super) certificate: Option<&'a Certificate>,
    pub(super) profile: &'a str,
    pub(super) contact: Option<&'a str>,
    /// Whether the private key is not in this home.
    pub(super) requested: bool,
}

impl CertificateRow<'_> {
    pub(super) fn insert(&self, connection: &Connection, change: i64) -> Result<i64, IndexError> {
        let tbs = self.tbs;
        let serial = serial_column(tbs.serial_number());
        let taken = connection
            .prepare_cached("SELECT 1 FROM status WHERE issuer = ?1 AND serial = ?2")?
            .exists((self.issuer, serial))?;
        if taken {
            let serial_number = tbs.serial_number().clone();
            return Err(IndexError::SerialInUse(CertificateId { issuer: *self.identity, serial_number }));
        }
        let validity = tbs.validity();
        connection
            .prepare_cached(
                "INSERT INTO certificate (issuer, serial, key, subject, profile, contact, not_before,
                     not_after, tbs, der, fingerprint, holder)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute((
                self.issuer,
                serial,
                tbs.public_key().digest(),
                tbs.subject().to_string().to_lowercase(),
                self.profile,
                self.contact,
                validity.not_before.0,
                validity.not_after.0,
                self.certificate.is_none().then(|| tbs.as_der()),
                self.certificate.map(Certificate::as_der),
                self.certificate.map(|certificate| certificate.fingerprint().0),
                naming::subscriber(tbs.subject()),
            ))?;
        let number = connection.last_insert_rowid();
        if tbs.as_issuer() != *self.identity && !is_responders(tbs) {
            authority::note_end(connection, self.issuer, validity.not_after)?;
        }
        let state =
            if self.certificate.is_some() { CertificateState::Issued } else { CertificateState::Pending };
        connection
            .prepare_cached(
                "INSERT INTO status (issuer, serial, certificate, state, not_after, change)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((self.issuer, serial, number, state_columns(&state).0, validity.not_after.0, change))?;
        naming::note(connection, self.issuer, tbs.issuer())?;
        put_names(connection, number, tbs.subject(), &tbs.subject_alt_names())?;
        if super::reading::is_responders(tbs) {
            connection
                .prepare_cached("INSERT INTO responder VALUES (?1, ?2)")?
                .execute((number, self.requested))?;
        }
        Ok(number)
    }
}

/// Stores the names by which a certificate can be found.
pub(super) fn put_names(
    connection: &Connection,
    number: i64,
    subject: &Name,
    alt_names: &[GeneralName],
) -> Result<(), IndexError> {
    let mut names = subject.texts("CN");
    names.extend(alt_names.iter().map(GeneralName::value));
    let mut statement = connection.prepare_cached("INSERT OR IGNORE INTO name VALUES (?1, ?2)")?;
    for name in names {
        statement.execute((name.to_lowercase(), number))?;
    }
    Ok(())
}

pub(super) fn record_issued(connection: &Connection, certificates: &[Issued]) -> Result<(), IndexError> {
    let mut journal = Journal::open(connection)?;
    for issued in certificates {
        let id = issued.id();
        let (issuer, number, state) = place(connection, &id)?;
        let der = issued.certificate.as_der();
        let updated = connection
            .prepare_cached(
                "UPDATE certificate SET der = ?1, fingerprint = ?2, tbs = NULL WHERE number = ?3 AND tbs = ?4",
            )?
            .execute((der, issued.certificate.fingerprint().0, number, issued.certificate.tbs().as_der()))?;
        if state != 0 || updated != 1 {
            return Err(IndexError::Conflict(id));
        }
        store_state(connection, issuer, &id, &CertificateState::Issued, journal.change()?)?;
        authority::install(connection, number)?;
        journal.append(issued.event.clone())?;
    }
    journal.close()
}

pub(super) fn abandon(
    connection: &Connection,
    pending: &[(CertificateId, AuditEvent)],
) -> Result<usize, IndexError> {
    let mut journal = Journal::open(connection)?;
    let mut abandoned = 0;
    for (id, event) in pending {
        let (issuer, number, state) = place(connection, id)?;
        if state != 0 {
            continue;
        }
        // A clock that is far ahead would give a revocation time in the future. The certificate was not handed
        // out before the newest signature either.
        let revoked_at = journal.newest().map_or(event.at, |signed| event.at.min(signed));
        let revocation = Revocation { revoked_at, reason: None, invalidity_date: None };
        let change = journal.change()?;
        store_state(connection, issuer, id, &CertificateState::Revoked(revocation), change)?;
        revise(connection, issuer, change)?;
        authority::leave(connection, number)?;
        journal.append(event.clone())?;
        abandoned += 1;
    }
    journal.close()?;
    Ok(abandoned)
}

/// Returns the row numbers of issuer and certificate, and the number of the state.
pub(super) fn place(connection: &Connection, id: &CertificateId) -> Result<(i64, i64, i64), IndexError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.issuer, s.certificate, s.state FROM issuer i
         CROSS JOIN status s ON s.issuer = i.number WHERE i.identity = ?1 AND s.serial = ?2",
    )?;
    let found = statement
        .query_row((id.issuer.0, serial_column(&id.serial_number)), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    found.ok_or_else(|| IndexError::NotFound(id.clone()))
}

/// Replaces the state of a certificate.
pub(super) fn store_state(
    connection: &Connection,
    issuer: i64,
    id: &CertificateId,
    state: &CertificateState,
    change: i64,
) -> Result<(), IndexError> {
    let (number, revoked_at, reason, invalidity_date) = state_columns(state);
    connection
        .prepare_cached(
            "UPDATE status SET state = ?3, revoked_at = ?4, reason = ?5, invalidity_date = ?6,
                 closed = 0, change = ?7
             WHERE issuer = ?1 AND serial = ?2",
        )?
        .execute((
            issuer,
            serial_column(&id.serial_number),
            number,
            revoked_at,
            reason,
            invalidity_date,
            change,
        ))?;
    Ok(())
}
