//! Takes over a CA that was created by another program, in one transaction.
use super::authority;
use super::issuing::{CertificateRow, place, put_names, store_state};
use super::journal::Journal;
use super::restoring::{check_accepted, enter_number, take_crl_numbers};
use super::revoking::revise;
use super::{keys, naming};
use crate::index::{
    Authority, CertificateState, Import, Imported, ImportedCertificate, ImportedContents, IndexError,
    IntendedAuthority, Supplement,
};
use crate::x509::{Certificate, CertificateId, IssuerId, Name};
use rusqlite::Connection;

pub(super) fn import(connection: &Connection, import: &Import) -> Result<Imported, IndexError> {
    check_accepted(connection)?;
    let mut journal = Journal::open(connection)?;
    journal.check_clock(import.event.at)?;
    let change = journal.change()?;
    for (issuer_path, event) in &import.issuer_path {
        match authority::named(connection, &issuer_path.name)?
            .filter(|known| known.issuer == issuer_path.issuer)
        {
            Some(known) if known.certificate == issuer_path.certificate => continue,
            Some(_) => add_authority(connection, issuer_path, true, change)?,
            None if is_authority(connection, &issuer_path.issuer)? => continue,
            None => add_authority(connection, issuer_path, false, change)?,
        }
        journal.append(event.clone())?;
    }
    add_authority(connection, &import.authority, import.renews, change)?;
    journal.append(import.event.clone())?;
    let issuer = &import.authority.issuer;
    let number = authority::authority_number(connection, issuer)?;
    let imported = take_all(connection, &mut journal, issuer, number, &import.certificates)?;
    revise(connection, number, change)?;
    journal.close()?;
    take_crl_numbers(connection, issuer, import.crl_number)?;
    Ok(imported)
}

pub(super) fn supplement(connection: &Connection, supplement: &Supplement) -> Result<Imported, IndexError> {
    let Supplement { issuer, certificates, crl_number, event } = supplement;
    if certificates.iter().any(|one| !matches!(one.state, CertificateState::Revoked(_))) {
        check_accepted(connection)?;
    }
    let number = authority::authority_number(connection, issuer)?;
    let mut journal = Journal::open(connection)?;
    let imported = take_all(connection, &mut journal, issuer, number, certificates)?;
    if imported.revoked > 0 {
        revise(connection, number, journal.change()?)?;
    }
    if let Some(event) = event {
        journal.append(event.clone())?;
    }
    journal.close()?;
    take_crl_numbers(connection, issuer, *crl_number)?;
    Ok(imported)
}

fn take_all(
    connection: &Connection,
    journal: &mut Journal<'_>,
    issuer: &IssuerId,
    number: i64,
    certificates: &[ImportedCertificate],
) -> Result<Imported, IndexError> {
    let mut imported = Imported::default();
    // Certificates that are kept in files have a change number of their own, because the last row of a change
    // shows whether its files exist.
    let is_stored = |one: &ImportedCertificate| {
        matches!(one.contents, ImportedContents::Certificate(_)) && one.state == CertificateState::Issued
    };
    let (kept, others): (Vec<_>, Vec<_>) = certificates.iter().partition(|one| is_stored(one));
    let change = journal.change()?;
    let kept_change = if kept.is_empty() { change } else { journal.another_change()? };
    let all = others.into_iter().map(|one| (one, change));
    for (certificate, change) in all.chain(kept.into_iter().map(|one| (one, kept_change))) {
        if !take(connection, issuer, number, certificate, change)? {
            continue;
        }
        match certificate.contents {
            ImportedContents::Certificate(_) => imported.certificates += 1,
            ImportedContents::Number { .. } => imported.serial_only += 1,
        }
        imported.revoked += usize::from(matches!(certificate.state, CertificateState::Revoked(_)));
        journal.append(certificate.event.clone())?;
    }
    Ok(imported)
}

fn is_authority(connection: &Connection, issuer: &IssuerId) -> Result<bool, IndexError> {
    match authority::authority_number(connection, issuer) {
        Ok(_) => Ok(true),
        Err(IndexError::UnknownAuthority(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn add_authority(
    connection: &Connection,
    authority: &Authority,
    renews: bool,
    change: i64,
) -> Result<(), IndexError> {
    let tbs = authority.certificate.tbs();
    if tbs.as_issuer() != authority.issuer {
        let message = format!("{}'s certificate is of another name or key", authority.name);
        return Err(IndexError::IssuerUnfit(message));
    }
    keys::check_authority(connection, &authority.certificate)?;
    let (issuer, identity) = match &authority.parent {
        None => (authority::enter_issuer(connection, &authority.issuer)?, authority.issuer),
        Some(name) => {
            let parent = authority::named(connection, name)?
                .ok_or_else(|| IndexError::IssuerUnfit(format!("there is no CA named {name}")))?;
            (authority::authority_number(connection, &parent.issuer)?, parent.issuer)
        }
    };
    let id = CertificateId { issuer: identity, serial_number: tbs.serial_number().clone() };
    let number = match place(connection, &id) {
        Ok((_, number, _)) => {
            complete(connection, &id, number, &authority.certificate)?;
            connection
                .prepare_cached("UPDATE certificate SET profile = ?2 WHERE number = ?1")?
                .execute((number, &authority.profile))?;
            number
        }
        Err(IndexError::NotFound(_)) => {
            let entry = CertificateRow {
                issuer,
                identity: &identity,
                tbs,
                certificate: Some(&authority.certificate),
                profile: &authority.profile,
                contact: None,
                requested: true,
            };
            entry.insert(connection, change)?
        }
        Err(error) => return Err(error),
    };
    let Authority { issuer, name, key, external, serves_ocsp, succeeds, .. } = authority;
    naming::note_own(connection, tbs)?;
    if !renews && authority::come_home(connection, authority)? {
        return Ok(());
    }
    let new = IntendedAuthority {
        name: name.clone(),
        key: (!external).then(|| key.clone()),
        serves_ocsp: *serves_ocsp,
        succeeds: succeeds.clone(),
        renews,
    };
    authority::enter(connection, issuer, &new, (number, tbs.public_key().digest()))?;
    authority::install(connection, number)
}

/// Checks that the certificate on record is this one, and adds its octets where only the serial number was
/// known.
fn complete(
    connection: &Connection,
    id: &CertificateId,
    number: i64,
    certificate: &Certificate,
) -> Result<(), IndexError> {
    let (der, tbs) = (certificate.as_der(), certificate.tbs());
    let same = connection.prepare_cached("SELECT 1 FROM certificate WHERE number = ?1 AND der = ?2")?;
    if { same }.exists((number, der))? {
        return Ok(());
    }
    let validity = tbs.validity();
    let described: String = connection
        .prepare_cached("SELECT subject FROM certificate WHERE number = ?1")?
        .query_row([number], |row| row.get(0))?;
    let completed = connection
        .prepare_cached(
            "UPDATE certificate SET der = ?2, fingerprint = ?3, key = ?4, subject = ?5, not_before = ?6,
                 not_after = ?7, holder = ?8
             WHERE number = ?1 AND der IS NULL AND tbs IS NULL",
        )?
        .execute((
            number,
            der,
            certificate.fingerprint().0,
            tbs.public_key().digest(),
            tbs.subject().to_string().to_lowercase(),
            validity.not_before.0,
            validity.not_after.0,
            naming::subscriber(tbs.subject()),
        ))?;
    if completed != 1 {
        return Err(IndexError::SerialInUse(id.clone()));
    }
    connection
        .prepare_cached("UPDATE status SET not_after = ?2 WHERE certificate = ?1")?
        .execute((number, validity.not_after.0))?;
    // The name in the other program's database is not a name of the certificate.
    let described = Name::parse(&described).unwrap_or_else(|_| Name::empty());
    for name in described.texts("CN") {
        connection
            .prepare_cached("DELETE FROM name WHERE value = ?1 AND certificate = ?2")?
            .execute((name.to_lowercase(), number))?;
    }
    let (issuer, _, _) = place(connection, id)?;
    naming::note(connection, issuer, tbs.issuer())?;
    put_names(connection, number, tbs.subject(), &tbs.subject_alt_names())
}

/// Returns whether the certificate was new, or its state was.
fn take(
    connection: &Connection,
    issuer: &IssuerId,
    number: i64,
    imported: &ImportedCertificate,
    change: i64,
) -> Result<bool, IndexError> {
    let id = CertificateId { issuer: *issuer, serial_number: imported.serial_number.clone() };
    let Some(known) = super::reading::status(connection, &id)? else {
        match &imported.contents {
            ImportedContents::Certificate(certificate) => {
                let entry = CertificateRow {
                    issuer: number,
                    identity: issuer,
                    tbs: certificate.tbs(),
                    certificate: Some(certificate),
                    profile: "",
                    contact: None,
                    requested: true,
                };
                entry.insert(connection, change)?;
                if imported.state != CertificateState::Issued {
                    store_state(connection, number, &id, &imported.state, change)?;
                }
            }
            ImportedContents::Number { subject, not_after } => {
                enter_number(connection, &id, subject, *not_after, &imported.state, change)?;
            }
        }
        return Ok(true);
    };
    let (_, row, _) = place(connection, &id)?;
    if let ImportedContents::Certificate(certificate) = &imported.contents {
        complete(connection, &id, row, certificate)?;
    }
    let CertificateState::Revoked(revocation) = &imported.state else { return Ok(false) };
    let Ok(revoked) = known.revoke(revocation.clone()) else { return Ok(false) };
    store_state(connection, number, &id, &revoked, change)?;
    Ok(true)
}
