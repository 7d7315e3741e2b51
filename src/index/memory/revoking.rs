//! Revocations and the CRLs that list them.
use super::MemoryIndex;
use super::state::{Crl, Entry, State};
use crate::audit::AuditEvent;
use crate::index::prelude::*;
use crate::index::{
    CertificateState, CrlRecord, FoundRevocation, IndexError, KeyConflict, KeyUse, Revocation, TakenOver,
    TransitionError,
};
use crate::lint::Linted;
use crate::x509::extension::CrlNumber;
use crate::x509::{
    CertificateId, CrlEntry, CrlReason, IssuerId, SerialNumber, TbsCertList, UnixTime, sha256,
};
use std::sync::atomic::Ordering;

fn entries(state: &State, issuer: &IssuerId, visit: &mut dyn FnMut(CrlEntry)) {
    for (id, revocation) in state.listed(issuer) {
        visit(CrlEntry {
            serial_number: id.serial_number.clone(),
            revocation_date: revocation.revoked_at,
            reason: revocation.reason,
            invalidity_date: revocation.invalidity_date,
        });
    }
}

/// Returns an entry with a serial number of 17 octets that grows with `number`.
fn unrecorded(number: u32) -> CrlEntry {
    let mut octets = [0x7f; 17];
    octets[1..5].copy_from_slice(&number.to_be_bytes());
    CrlEntry {
        serial_number: SerialNumber::from_random(octets),
        revocation_date: UnixTime(i64::from(number)),
        reason: Some(CrlReason::Superseded),
        invalidity_date: None,
    }
}

impl CrlReader for MemoryIndex {
    fn revoked(&self, issuer: &IssuerId, visit: &mut dyn FnMut(CrlEntry)) -> Result<(), IndexError> {
        entries(&self.now(), issuer, visit);
        Ok(())
    }

    fn last_crl(&self, issuer: &IssuerId) -> Result<Option<CrlRecord>, IndexError> {
        Ok(self.now().last_crl_record(issuer))
    }

    fn highest_crl_number(&self, issuer: &IssuerId) -> Result<CrlNumber, IndexError> {
        self.now().highest_crl_number(issuer)
    }

    fn recorded_crls(&self, issuer: &IssuerId, number: CrlNumber) -> Result<Vec<[u8; 32]>, IndexError> {
        let state = self.now();
        let digests = state.crls.get(&(*issuer, number)).map(|crl| [crl.digest, crl.delta_digest]);
        Ok(digests.into_iter().flatten().flatten().collect())
    }

    fn is_recorded(&self, issuer: &IssuerId, tbs: &TbsCertList) -> Result<bool, IndexError> {
        let state = self.now();
        let recorded = tbs.crl_number().and_then(|number| state.crls.get(&(*issuer, number)));
        let is_delta = tbs.base_crl_number().is_some();
        let digest = |crl: &Crl| if is_delta { crl.delta_digest } else { crl.digest };
        Ok(recorded.is_some_and(|crl| digest(crl) == Some(sha256(tbs.as_der()))))
    }

    fn delta_base(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        now: UnixTime,
    ) -> Result<Option<CrlNumber>, IndexError> {
        let state = self.now();
        let published = state.crls.range((*issuer, 0)..(*issuer, number)).filter(|(_, crl)| crl.is_published);
        let published: Vec<(CrlNumber, &Crl)> = published.map(|((_, number), crl)| (*number, crl)).collect();
        let current = published.iter().find(|(_, crl)| crl.next_update.is_some_and(|next| next >= now));
        Ok(current.or(published.last()).map(|(number, _)| *number))
    }

    fn changed_since(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        mut serials: Vec<SerialNumber>,
    ) -> Result<Vec<SerialNumber>, IndexError> {
        let state = self.now();
        let Some(since) = state.crls.get(&(*issuer, number)).map(|crl| crl.change) else {
            return Ok(serials);
        };
        serials.retain(|serial| {
            let is_it = |entry: &&Entry| entry.id.issuer == *issuer && entry.id.serial_number == *serial;
            state.entries.iter().find(is_it).is_none_or(|entry| entry.change > since)
        });
        Ok(serials)
    }

    fn crl_is_owed(&self, issuer: &IssuerId) -> Result<bool, IndexError> {
        let state = self.now();
        let shown = state.last_crl(issuer).map(|(_, crl)| crl.change);
        Ok(state.entered(issuer).is_some_and(|ca| shown.is_none_or(|shown| ca.revised > shown)))
    }
}

impl RevocationIndex for MemoryIndex {
    fn transition(
        &self,
        id: &CertificateId,
        from: &CertificateState,
        to: &CertificateState,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.write("transition", |state| {
            let number = state.place(id)?;
            if state.entries[number].state != *from {
                return Err(IndexError::Conflict(id.clone()));
            }
            from.check_transition(to)?;
            if *to == CertificateState::Issued {
                state.check_accepted()?;
                check_release(state, &state.entries[number])?;
            }
            let change = state.next_change();
            state.store_state(number, to.clone(), change);
            state.revise(&id.issuer, change);
            if *from == CertificateState::Pending {
                state.leave(number);
            }
            state.append(event);
            Ok(())
        })
    }

    fn next_crl_number(
        &self,
        issuer: &IssuerId,
        floor: CrlNumber,
        this_update: UnixTime,
        visit: &mut dyn FnMut(CrlEntry),
    ) -> Result<CrlNumber, IndexError> {
        let (number, view) = self.write("next_crl_number", |state| {
            state.check_clock(this_update)?;
            let number = state.highest_crl_number(issuer)?.max(floor).saturating_add(1);
            i64::try_from(number).map_err(|_| IndexError::CrlNumber(number))?;
            let taken = Crl { this_update: Some(this_update), change: state.change, ..Crl::default() };
            state.crls.insert((*issuer, number), taken);
            Ok((number, state.clone()))
        })?;
        entries(&view, issuer, visit);
        (0..self.store.unrecorded.load(Ordering::SeqCst)).for_each(|number| visit(unrecorded(number)));
        Ok(number)
    }

    fn store_crl(
        &self,
        issuer: &IssuerId,
        tbs: &Linted<TbsCertList>,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.write("store_crl", |state| {
            let tbs = tbs.get();
            state.ca(issuer)?;
            let number = tbs.crl_number().ok_or(IndexError::CrlNumber(0))?;
            let this_update = tbs.this_update();
            if tbs.base_crl_number().is_some() {
                let complete = state.crls.get_mut(&(*issuer, number)).filter(|crl| {
                    crl.digest.is_some() && crl.delta_digest.is_none() && crl.this_update == Some(this_update)
                });
                let complete = complete.ok_or(IndexError::CrlNumber(number))?;
                complete.delta_digest = Some(sha256(tbs.as_der()));
                state.sign(this_update, format!("CRL {number} of {}", event.object));
                state.append(event);
                return Ok(());
            }
            let before = state.crls.range((*issuer, 0)..(*issuer, number)).rev();
            let before = before.map(|(_, crl)| crl).find(|crl| crl.digest.is_some());
            let before = before.and_then(|crl| crl.this_update);
            let taken = state.crls.get_mut(&(*issuer, number));
            let crl = taken
                .filter(|crl| crl.digest.is_none() && crl.this_update == Some(this_update))
                .ok_or(IndexError::CrlNumber(number))?;
            if let Some(newest) = before.filter(|newest| this_update < *newest) {
                return Err(IndexError::ClockBehind { now: this_update, newest });
            }
            crl.next_update = Some(tbs.next_update().unwrap_or(this_update));
            crl.digest = Some(sha256(tbs.as_der()));
            state.sign(this_update, format!("CRL {number} of {}", event.object));
            state.append(event);
            Ok(())
        })
    }

    fn record_crl_published(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        confirmed: UnixTime,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.write("record_crl_published", |state| {
            state.ca(issuer)?;
            let crl = state.crls.get_mut(&(*issuer, number)).filter(|crl| crl.digest.is_some());
            let crl = crl.ok_or(IndexError::CrlNumber(number))?;
            crl.is_published = true;
            let (ended_by, change) = (crl.this_update.unwrap_or(confirmed).min(confirmed), crl.change);
            let is_done = |entry: &&mut Entry| {
                entry.id.issuer == *issuer
                    && matches!(entry.state, CertificateState::Revoked(_))
                    && entry.validity().not_after < ended_by
                    && entry.change <= change
            };
            state.entries.iter_mut().filter(is_done).for_each(|entry| entry.is_closed = true);
            state.append(event);
            Ok(())
        })
    }

    fn record_foreign_crl(
        &self,
        issuer: &IssuerId,
        tbs: &TbsCertList,
        is_complete: bool,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.write("record_foreign_crl", |state| {
            let number = tbs.crl_number().ok_or(IndexError::CrlNumber(0))?;
            if i64::try_from(number).is_err() || number <= state.highest_crl_number(issuer)? {
                return Err(IndexError::CrlNumber(number));
            }
            let this_update = tbs.this_update();
            let before = state.crls.range((*issuer, 0)..(*issuer, number)).rev();
            let before = before.map(|(_, crl)| crl).find(|crl| crl.digest.is_some());
            if let Some(newest) =
                before.and_then(|crl| crl.this_update).filter(|newest| this_update < *newest)
            {
                return Err(IndexError::ClockBehind { now: this_update, newest });
            }
            let crl = Crl {
                this_update: Some(this_update),
                next_update: Some(tbs.next_update().unwrap_or(this_update)),
                digest: Some(sha256(tbs.as_der())),
                delta_digest: None,
                change: if is_complete { state.change } else { 0 },
                is_published: true,
            };
            state.crls.insert((*issuer, number), crl);
            state.append(event);
            Ok(())
        })
    }

    fn take_over(&self, revocations: &[FoundRevocation]) -> Result<TakenOver, IndexError> {
        self.write("take_over", |state| {
            let before = state.change;
            let change = state.next_change();
            let mut taken = TakenOver::default();
            for found in revocations {
                match super::taking::take_revocation(state, found, change)? {
                    Some(is_known) => {
                        *(if is_known { &mut taken.revoked } else { &mut taken.serial_only }) += 1
                    }
                    None => {
                        let number = state.place(&found.id)?;
                        let entry = &mut state.entries[number];
                        if !std::mem::take(&mut entry.is_closed) {
                            continue;
                        }
                        entry.change = change;
                        taken.revoked += 1;
                    }
                }
                state.ca(&found.id.issuer)?;
                state.revise(&found.id.issuer, change);
                state.append(found.event.clone());
            }
            if taken == TakenOver::default() {
                state.change = before;
            }
            Ok(taken)
        })
    }
}

/// Refuses the release of a certificate whose octets are not on record, or whose key another subscriber has.
fn check_release(state: &State, entry: &Entry) -> Result<(), IndexError> {
    let Some(key) = entry.key().filter(|_| entry.certificate.is_some()) else {
        return Err(TransitionError::KnownByNumber.into());
    };
    let of_the_key = |past: &KeyUse| match &past.state {
        CertificateState::Revoked(revocation) => Revocation::is_of_the_key(revocation),
        CertificateState::Pending | CertificateState::Issued => false,
    };
    match state.key_uses(&key).into_iter().find(of_the_key) {
        Some(past) => Err(IndexError::KeyRefused {
            id: entry.id.clone(),
            conflict: KeyConflict::Compromised(past.id.serial_number),
        }),
        None => Ok(()),
    }
}
