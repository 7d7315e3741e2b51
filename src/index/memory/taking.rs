//! Takes over imported CAs with their certificates, and the findings of a restore.
use super::MemoryIndex;
use super::state::{Ca, Crl, Entry, State};
use crate::audit::AuditEvent;
use crate::index::prelude::*;
use crate::index::{
    Authority, CertificateState, FoundCertificate, FoundRevocation, Import, Imported, ImportedCertificate,
    ImportedContents, IndexError, IntendedAuthority, KeyConflict, Restoration, Restored, Retirement,
    Retiring, Revocation, Supplement, TakenOver, check_key,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateId, CrlReason, IssuerId, Name, UnixTime};

impl AuthorityIndex for MemoryIndex {
    fn import(&self, import: &Import) -> Result<Imported, IndexError> {
        self.write("import", |state| {
            state.check_accepted()?;
            state.check_clock(import.event.at)?;
            let change = state.next_change();
            for (issuer_path, event) in &import.issuer_path {
                let known = state.named(&issuer_path.name).filter(|known| known.issuer == issuer_path.issuer);
                match known.map(|known| state.authority(known)) {
                    Some(known) if known.certificate == issuer_path.certificate => continue,
                    Some(_) => add_authority(state, issuer_path, true, change)?,
                    None if state.ca(&issuer_path.issuer).is_ok() => continue,
                    None => add_authority(state, issuer_path, false, change)?,
                }
                state.append(event.clone());
            }
            add_authority(state, &import.authority, import.renews, change)?;
            state.append(import.event.clone());
            let issuer = import.authority.issuer;
            let imported = take_all(state, issuer, &import.certificates, change)?;
            state.revise(&issuer, change);
            take_crl_numbers(state, issuer, import.crl_number)?;
            Ok(imported)
        })
    }

    fn supplement(&self, supplement: &Supplement) -> Result<Imported, IndexError> {
        let Supplement { issuer, certificates, crl_number, event } = supplement;
        self.write("supplement", |state| {
            if certificates.iter().any(|one| !matches!(one.state, CertificateState::Revoked(_))) {
                state.check_accepted()?;
            }
            state.ca(issuer)?;
            let change = state.next_change();
            let imported = take_all(state, *issuer, certificates, change)?;
            if imported.revoked > 0 {
                state.revise(issuer, state.change);
            }
            event.iter().for_each(|event| state.append(event.clone()));
            take_crl_numbers(state, *issuer, *crl_number)?;
            Ok(imported)
        })
    }

    fn retire(&self, retiring: &Retiring, event: AuditEvent) -> Result<(), IndexError> {
        self.write("retire", |state| {
            state.ca(&retiring.issuer)?;
            let is_taken = |ca: &Ca| ca.name == retiring.name && ca.issuer != retiring.issuer;
            if state.cas.iter().any(is_taken) {
                return Err(IndexError::AuthorityExists(retiring.name.clone()));
            }
            let Some(ca) = state.cas.iter_mut().find(|ca| ca.issuer == retiring.issuer) else {
                return Err(IndexError::UnknownAuthority(retiring.issuer));
            };
            let before = std::mem::replace(&mut ca.name, retiring.name.clone());
            let first = Retirement { at: retiring.at, name: before.clone(), is_complete: false };
            ca.retired.get_or_insert(first).is_complete = false;
            ca.key = ca.key.as_ref().map(|_| retiring.key.clone());
            ca.serves_ocsp = false;
            ca.succeeds = None;
            for other in &mut state.cas {
                if other.succeeds.as_ref() == Some(&before) {
                    other.succeeds = Some(retiring.name.clone());
                }
            }
            state.next_change();
            state.append(event);
            Ok(())
        })
    }

    fn complete_retirement(&self, issuer: &IssuerId) -> Result<(), IndexError> {
        self.write("complete_retirement", |state| {
            state.ca(issuer)?;
            let retired = state.cas.iter_mut().filter(|ca| ca.issuer == *issuer);
            retired.filter_map(|ca| ca.retired.as_mut()).for_each(|retired| retired.is_complete = true);
            Ok(())
        })
    }

    fn set_key(&self, issuer: &IssuerId, key: &str, event: AuditEvent) -> Result<(), IndexError> {
        self.write("set_key", |state| {
            let own = state.cas.iter_mut().find(|ca| ca.issuer == *issuer && ca.key.is_some());
            let Some(ca) = own else { return Err(IndexError::UnknownAuthority(*issuer)) };
            ca.key = Some(key.to_owned());
            state.next_change();
            state.append(event);
            Ok(())
        })
    }

    fn set_serves_ocsp(&self, issuer: &IssuerId, serves: bool, event: AuditEvent) -> Result<(), IndexError> {
        self.write("set_serves_ocsp", |state| {
            state.ca(issuer)?;
            for ca in state.cas.iter_mut().filter(|ca| ca.issuer == *issuer) {
                ca.serves_ocsp = serves;
            }
            state.next_change();
            state.append(event);
            Ok(())
        })
    }
}

impl RestorationIndex for MemoryIndex {
    fn restore(&self, restoration: &Restoration) -> Result<TakenOver, IndexError> {
        self.write("restore", |state| {
            state.change = state.change.max(restoration.change);
            let change = state.next_change();
            state.append(restoration.event.clone());
            if let Some(at) = restoration.signed {
                state.sign(at, "what was published after the backup was made".into());
            }
            state.restored = Some(Restored { at: restoration.event.at, backup: restoration.backup });
            state.superseded.extend(&restoration.superseded);
            let mut taken = TakenOver::default();
            for found in &restoration.certificates {
                if take_certificate(state, found, change)? {
                    state.append(found.event.clone());
                    taken.certificates += 1;
                }
            }
            for found in &restoration.revocations {
                let Some(is_known) = take_revocation(state, found, change)? else { continue };
                *(if is_known { &mut taken.revoked } else { &mut taken.serial_only }) += 1;
                state.append(found.event.clone());
            }
            state.cas.iter_mut().for_each(|ca| ca.revised = change);
            for (issuer, number) in &restoration.crl_numbers {
                take_crl_numbers(state, *issuer, *number)?;
            }
            Ok(taken)
        })
    }

    fn accept_restored(&self, event: AuditEvent) -> Result<bool, IndexError> {
        self.write("accept_restored", |state| {
            let is_restored = state.restored.take().is_some();
            if is_restored {
                state.append(event);
            }
            Ok(is_restored)
        })
    }
}

fn take_crl_numbers(state: &mut State, issuer: IssuerId, number: CrlNumber) -> Result<(), IndexError> {
    if state.highest_crl_number(&issuer)? < number {
        let taken = Crl { change: state.change, ..Crl::default() };
        state.crls.insert((issuer, number), taken);
    }
    Ok(())
}

fn found_entry(id: CertificateId, certificate: &Certificate, state: CertificateState, change: u64) -> Entry {
    Entry {
        id,
        tbs: Some(certificate.tbs().clone()),
        certificate: Some(certificate.clone()),
        described: (Name::empty(), UnixTime::NO_END),
        profile: String::new(),
        contact: None,
        requested: true,
        state,
        is_closed: false,
        change,
    }
}

fn numbered_entry(
    id: CertificateId,
    described: (Name, UnixTime),
    state: CertificateState,
    change: u64,
) -> Entry {
    Entry {
        id,
        tbs: None,
        certificate: None,
        described,
        profile: String::new(),
        contact: None,
        requested: false,
        state,
        is_closed: false,
        change,
    }
}

fn add_authority(
    state: &mut State,
    authority: &Authority,
    renews: bool,
    change: u64,
) -> Result<(), IndexError> {
    let Authority {
        name, issuer, parent, profile, certificate, key, external, serves_ocsp, succeeds, ..
    } = authority;
    let tbs = certificate.tbs();
    if tbs.as_issuer() != *issuer {
        return Err(IndexError::IssuerUnfit(format!("{name}'s certificate is of another name or key")));
    }
    let uses = state.key_uses(&tbs.public_key().digest());
    if let Err(conflict @ (KeyConflict::Compromised(_) | KeyConflict::Revoked(..) | KeyConflict::Held(..))) =
        check_key(&uses, tbs.subject(), true, &[])
    {
        let id = CertificateId { issuer: *issuer, serial_number: tbs.serial_number().clone() };
        return Err(IndexError::KeyRefused { id, conflict });
    }
    let identity = match parent {
        None => *issuer,
        Some(parent) => {
            let known = state.named(parent);
            known.ok_or_else(|| IndexError::IssuerUnfit(format!("there is no CA named {parent}")))?.issuer
        }
    };
    let id = CertificateId { issuer: identity, serial_number: tbs.serial_number().clone() };
    let number = match state.find(&id) {
        Some(number) => {
            complete(state, number, certificate)?;
            state.entries[number].profile.clone_from(profile);
            number
        }
        None => {
            let entry = found_entry(id, certificate, CertificateState::Issued, change);
            state.insert(Entry { profile: profile.clone(), ..entry })?
        }
    };
    state.note_name(*issuer, tbs.subject());
    let outside = state.cas.iter_mut().find(|ca| ca.issuer == *issuer && ca.name == *name && ca.external);
    if let Some(ca) = outside.filter(|_| !renews && !external) {
        (ca.key, ca.external) = (Some(key.clone()), false);
        ca.serves_ocsp = *serves_ocsp;
        return Ok(());
    }
    let new = IntendedAuthority {
        name: name.clone(),
        key: (!external).then(|| key.clone()),
        serves_ocsp: *serves_ocsp,
        succeeds: succeeds.clone(),
        renews,
    };
    state.enter(*issuer, &new, number)?;
    state.install(number);
    Ok(())
}

/// Checks that the certificate on record is this one, and adds its octets where only the serial number was
/// known.
fn complete(state: &mut State, number: usize, certificate: &Certificate) -> Result<(), IndexError> {
    let entry = &mut state.entries[number];
    if entry.certificate.as_ref() == Some(certificate) {
        return Ok(());
    }
    if entry.tbs.is_some() {
        return Err(IndexError::SerialInUse(entry.id.clone()));
    }
    entry.tbs = Some(certificate.tbs().clone());
    entry.certificate = Some(certificate.clone());
    let issuer = entry.id.issuer;
    state.note_name(issuer, certificate.tbs().issuer());
    Ok(())
}

fn take_all(
    state: &mut State,
    issuer: IssuerId,
    certificates: &[ImportedCertificate],
    change: u64,
) -> Result<Imported, IndexError> {
    let is_stored = |one: &ImportedCertificate| {
        matches!(one.contents, ImportedContents::Certificate(_)) && one.state == CertificateState::Issued
    };
    let (kept, others): (Vec<_>, Vec<_>) = certificates.iter().partition(|one| is_stored(one));
    // Certificates that are kept in files have a change number of their own.
    let kept_change = if kept.is_empty() { change } else { state.next_change() };
    let all = others.into_iter().map(|one| (one, change));
    let mut imported = Imported::default();
    for (certificate, change) in all.chain(kept.into_iter().map(|one| (one, kept_change))) {
        if !take(state, issuer, certificate, change)? {
            continue;
        }
        match certificate.contents {
            ImportedContents::Certificate(_) => imported.certificates += 1,
            ImportedContents::Number { .. } => imported.serial_only += 1,
        }
        imported.revoked += usize::from(matches!(certificate.state, CertificateState::Revoked(_)));
        state.append(certificate.event.clone());
    }
    Ok(imported)
}

/// Returns whether the certificate was new, or its state was.
fn take(
    state: &mut State,
    issuer: IssuerId,
    imported: &ImportedCertificate,
    change: u64,
) -> Result<bool, IndexError> {
    let id = CertificateId { issuer, serial_number: imported.serial_number.clone() };
    let Some(number) = state.find(&id) else {
        let becomes = imported.state.clone();
        state.insert(match &imported.contents {
            ImportedContents::Certificate(certificate) => found_entry(id, certificate, becomes, change),
            ImportedContents::Number { subject, not_after } => {
                numbered_entry(id, (subject.clone(), *not_after), becomes, change)
            }
        })?;
        return Ok(true);
    };
    if let ImportedContents::Certificate(certificate) = &imported.contents {
        complete(state, number, certificate)?;
    }
    let CertificateState::Revoked(revocation) = &imported.state else { return Ok(false) };
    let Ok(revoked) = state.entries[number].state.revoke(revocation.clone()) else { return Ok(false) };
    state.store_state(number, revoked, change);
    Ok(true)
}

/// Returns whether the certificate was new.
fn take_certificate(state: &mut State, found: &FoundCertificate, change: u64) -> Result<bool, IndexError> {
    let tbs = found.certificate.tbs();
    let id = CertificateId { issuer: found.issuer, serial_number: tbs.serial_number().clone() };
    let Some(number) = state.find(&id) else {
        state.ca(&found.issuer)?;
        let entry = found_entry(id, &found.certificate, CertificateState::Issued, change);
        let number = state.insert(Entry { requested: false, ..entry })?;
        install_found(state, tbs.as_issuer(), number);
        return Ok(true);
    };
    let entry = &mut state.entries[number];
    let is_intended = entry.tbs.as_ref().is_some_and(|intended| intended.as_der() == tbs.as_der());
    // This one was being signed when the backup was made.
    let completed = entry.state == CertificateState::Pending && is_intended;
    if completed {
        entry.certificate = Some(found.certificate.clone());
        state.store_state(number, CertificateState::Issued, change);
        state.install(number);
    }
    Ok(completed)
}

/// Replaces a CA's certificate by one that was found, where that renewed it.
fn install_found(state: &mut State, issuer: IssuerId, number: usize) {
    let Some(at) = state.cas.iter().position(|ca| ca.issuer == issuer) else { return };
    let (old, new) = (&state.entries[state.cas[at].certificate], &state.entries[number]);
    let is_renewal = old.state == CertificateState::Issued
        && old.id.issuer == new.id.issuer
        && old.validity().not_before < new.validity().not_before;
    if is_renewal {
        state.entries[number].profile = old.profile.clone();
        state.cas[at].certificate = number;
    }
}

/// Records a revocation. Returns whether the certificate was on record; `None` when nothing was new.
pub(super) fn take_revocation(
    state: &mut State,
    found: &FoundRevocation,
    change: u64,
) -> Result<Option<bool>, IndexError> {
    let reason = found.revocation.reason.filter(|reason| *reason != CrlReason::RemoveFromCrl);
    let revocation = Revocation { reason, ..found.revocation.clone() };
    let Some(number) = state.find(&found.id) else {
        state.ca(&found.id.issuer)?;
        let reason = reason.filter(|reason| *reason != CrlReason::Unspecified);
        let revoked = CertificateState::Revoked(Revocation { reason, ..revocation });
        let unknown = (Name::empty(), UnixTime::NO_END);
        state.insert(numbered_entry(found.id.clone(), unknown, revoked, change))?;
        return Ok(Some(false));
    };
    let before = state.entries[number].state.clone();
    // A pending certificate cannot be released, so that it is revoked and not held.
    let revocation = match before {
        CertificateState::Pending if revocation.is_hold() => Revocation { reason: None, ..revocation },
        _ => revocation,
    };
    let Ok(revoked) = before.revoke(revocation) else { return Ok(None) };
    state.store_state(number, revoked, change);
    state.revise(&found.id.issuer, change);
    if before == CertificateState::Pending {
        state.leave(number);
    }
    Ok(Some(true))
}
