//! Names in the form in which they are compared, beside their octets: which certificates have a name, and the
//! encodings of an issuer's name.
use super::authority;
use crate::index::{IndexError, Intent, StoreError};
use crate::x509::{Certificate, IssuerId, Name, TbsCertificate};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// Returns what the certificates of one subscriber have in common: SHA-256 of the subject in the form in which
/// it is compared. `None` for an empty subject.
pub(super) fn subscriber(subject: &Name) -> Option<[u8; 32]> {
    (!subject.is_empty()).then(|| subject.prepared().digest())
}

/// Records an encoding of an issuer's name, as the certificates that it issued have it.
pub(super) fn note(connection: &Connection, issuer: i64, name: &Name) -> Result<(), IndexError> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO issuer_name (issuer, octets) VALUES (?1, ?2)")?
        .execute((issuer, name.as_der()))?;
    Ok(())
}

/// Records the encoding of a CA's name in a certificate of the CA.
pub(super) fn note_own(connection: &Connection, tbs: &TbsCertificate) -> Result<(), IndexError> {
    let issuer = authority::enter_issuer(connection, &tbs.as_issuer())?;
    note(connection, issuer, tbs.subject())
}

/// Returns every encoding of an issuer's name.
pub(super) fn written(connection: &Connection, issuer: &IssuerId) -> Result<Vec<Name>, IndexError> {
    let mut statement = connection.prepare_cached(
        "SELECT n.octets FROM issuer i CROSS JOIN issuer_name n ON n.issuer = i.number WHERE i.identity = ?1",
    )?;
    let mut rows = statement.query([issuer.0])?;
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

/// Query of the CAs of another key whose certificate has this name; with the third parameter, of retired ones too.
pub(super) const BEARERS: &str = "
    SELECT a.name FROM certificate c INDEXED BY certificate_holder
    CROSS JOIN authority a ON a.certificate = c.number
    WHERE c.holder = ?1 AND c.key <> ?2 AND (?3 OR a.retired_at IS NULL)";

/// Query whether a CA of this name has this key too, so that it is a generation of that CA.
const OWN: &str = "
    SELECT 1 FROM certificate c INDEXED BY certificate_holder
    CROSS JOIN authority a ON a.certificate = c.number
    WHERE c.holder = ?1 AND c.key = ?2 AND c.number <> ?3";

/// Query of a still valid certificate of this name and another key that is not a key of a CA of this index.
pub(super) const HOLDERS: &str = "
    SELECT i.name, c.serial FROM certificate c INDEXED BY certificate_holder
    CROSS JOIN status s ON s.issuer = c.issuer AND s.serial = c.serial
    LEFT JOIN authority i ON i.issuer = c.issuer
    WHERE c.holder = ?1 AND c.key <> ?2 AND (s.state <> 2 OR s.reason = 6) AND c.not_after >= ?3
      AND NOT EXISTS (SELECT 1 FROM certificate k INDEXED BY certificate_key
                      CROSS JOIN authority b ON b.certificate = k.number WHERE k.key = c.key)
    LIMIT 1";

/// Checks that no subscriber and no CA of another key has a CA's name, except the generations of that CA.
/// Cross-certificates and key rollover certificates repeat a CA's name and key, so that they pass.
pub(super) fn check(
    connection: &Connection,
    tbs: &TbsCertificate,
    number: i64,
    intent: &Bearer,
) -> Result<(), IndexError> {
    let Some(subscriber) = subscriber(tbs.subject()) else { return Ok(()) };
    if intent.is_ca && intent.makes.is_none() {
        return Ok(());
    }
    let key = tbs.public_key().digest();
    let taken = |authority: String| {
        Err(IndexError::NameTaken {
            subject: tbs.subject().to_string(),
            bearer: format!("the CA {authority}"),
        })
    };
    let mut statement = connection.prepare_cached(BEARERS)?;
    let bearers: Vec<String> = statement
        .query_map((subscriber, key, intent.makes.is_none()), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let Some((succeeds, at)) = &intent.makes else {
        return bearers.into_iter().next().map_or(Ok(()), taken);
    };
    let is_generation = connection.prepare_cached(OWN)?.exists((subscriber, key, number))?;
    let family = family(connection, succeeds.as_deref())?;
    if let Some(other) = bearers.into_iter().find(|name| !is_generation && !family.contains(name)) {
        return taken(other);
    }
    let mut statement = connection.prepare_cached(HOLDERS)?;
    let found = statement
        .query_row((subscriber, key, at), |row| {
            Ok((row.get::<_, Option<String>>(0)?, super::row::serial(row, 1)))
        })
        .optional()?;
    let Some((issuer, serial)) = found else { return Ok(()) };
    let bearer = format!("the certificate {}/{}", issuer.unwrap_or_default(), serial?);
    Err(IndexError::NameTaken { subject: tbs.subject().to_string(), bearer })
}

/// The facts of a certificate that decide whether it may have a name.
pub(super) struct Bearer {
    is_ca: bool,
    /// For the certificate of a new CA: the previous generation, and the time.
    makes: Option<(Option<String>, i64)>,
}

impl Bearer {
    pub(super) fn of(intent: &Intent, tbs: &TbsCertificate) -> Self {
        let is_ca = crate::x509::extension::BasicConstraints::of(tbs).is_some_and(|one| one.ca);
        let new = intent.authority.as_ref().filter(|new| !new.renews);
        let makes = new.map(|new| (new.succeeds.clone(), intent.event.at.0));
        Self { is_ca, makes }
    }
}

/// Returns the names of a CA and of its earlier generations.
fn family(connection: &Connection, newest: Option<&str>) -> Result<Vec<String>, IndexError> {
    let mut family = Vec::new();
    let mut next = newest.map(str::to_owned);
    while let Some(name) = next.filter(|name| !family.contains(name)) {
        next = authority::named(connection, &name)?.and_then(|one| one.succeeds);
        family.push(name);
    }
    Ok(family)
}

/// Fills in the columns of schema version 5 from the stored octets. A row that cannot be read is left as it is,
/// and the doctor finds it.
pub(super) fn fill(connection: &Connection) -> Result<(), IndexError> {
    let mut issuers: HashMap<[u8; 32], i64> = HashMap::new();
    let mut statement = connection.prepare("SELECT identity, number FROM issuer")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        issuers.insert(row.get(0)?, row.get(1)?);
    }
    let mut identify = connection.prepare(
        "UPDATE issuer SET identity = ?2
         WHERE number = ?1 AND NOT EXISTS (SELECT 1 FROM issuer WHERE identity = ?2)",
    )?;
    let mut put = connection.prepare("UPDATE certificate SET holder = ?2 WHERE number = ?1")?;
    let mut statement = connection.prepare("SELECT number, issuer, tbs, der, subject FROM certificate")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (number, issuer): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (pending, der): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(2)?, row.get(3)?);
        let read = match (&pending, &der) {
            (Some(tbs), _) => TbsCertificate::from_der(tbs).ok(),
            (None, Some(der)) => Certificate::from_der(der).ok().map(|certificate| certificate.tbs().clone()),
            (None, None) => {
                let described = Name::parse(&row.get::<_, String>(4)?).ok();
                put.execute((number, described.as_ref().and_then(subscriber)))?;
                continue;
            }
        };
        let Some(tbs) = read else { continue };
        put.execute((number, subscriber(tbs.subject())))?;
        note(connection, issuer, tbs.issuer())?;
        let before = IssuerId::by_octets(tbs.subject(), tbs.public_key());
        if let Some(own) = issuers.get(&before.0) {
            identify.execute((own, tbs.as_issuer().0))?;
            note(connection, *own, tbs.subject())?;
        }
    }
    Ok(())
}
