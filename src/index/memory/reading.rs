//! Reading. Each read sees one moment, whatever changes meanwhile.
use super::MemoryIndex;
use super::state::{Entry, by_serial, is_responders};
use crate::audit::{AuditEvent, AuditRecord, Head};
use crate::index::prelude::*;
use crate::index::{
    Authority, AuthoritySummary, CertificateRecord, CertificateState, Filter, IndexError, KeyUse,
    NewestSigned, ResponderRecord, Restored, Selector, StatusRow,
};
use crate::x509::{CertificateId, IssuerId, Name, UnixTime};
use std::collections::{BTreeMap, BTreeSet};

impl CertificateReader for MemoryIndex {
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, IndexError> {
        let state = self.now();
        Ok(state.find(id).map(|number| state.entries[number].state.clone()))
    }

    fn certificate(&self, id: &CertificateId) -> Result<Option<CertificateRecord>, IndexError> {
        let state = self.now();
        Ok(state.find(id).map(|number| state.record(&state.entries[number])))
    }

    fn select(&self, selector: &Selector, limit: usize) -> Result<Vec<CertificateRecord>, IndexError> {
        let state = self.now();
        let is_meant = |entry: &&Entry| {
            let fingerprint = entry.certificate.as_ref().map(crate::x509::Certificate::fingerprint);
            match selector {
                Selector::Serial(serial) => entry.id.serial_number == *serial,
                Selector::AuthoritySerial(name, serial) => {
                    let is_issuers = state.entered(&entry.id.issuer).is_some_and(|ca| ca.name == *name);
                    is_issuers && entry.id.serial_number == *serial
                }
                Selector::SerialBeginning(name, digits) => {
                    let authority = state.entered(&entry.id.issuer).map(|ca| &ca.name);
                    let is_issuers = name.is_none() || authority == name.as_ref();
                    is_issuers && entry.id.serial_number.to_string().starts_with(&digits.to_lowercase())
                }
                Selector::Fingerprint(prefix) => fingerprint.is_some_and(|fingerprint| {
                    !prefix.is_empty() && fingerprint.to_hex().starts_with(&prefix.to_lowercase())
                }),
                Selector::Exact(exact) => fingerprint.as_ref() == Some(exact),
                Selector::Name(name) => entry.names().contains(&name.to_lowercase()),
            }
        };
        let newest_first = state.entries.iter().enumerate().rev();
        let mut meant: Vec<(usize, &Entry)> = newest_first.filter(|(_, entry)| is_meant(entry)).collect();
        if matches!(selector, Selector::SerialBeginning(..)) {
            meant.sort_by_key(|(_, entry)| entry.id.serial_number.as_be_octets().len());
            meant.truncate(limit);
            meant.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        }
        Ok(meant.into_iter().take(limit).map(|(_, entry)| entry).map(|entry| state.record(entry)).collect())
    }

    fn names(&self, beginning: &str, limit: usize) -> Result<Vec<String>, IndexError> {
        let names = all_names(&self.now().entries);
        Ok(names.into_iter().filter(|name| name.starts_with(&beginning.to_lowercase())).take(limit).collect())
    }

    fn names_near(&self, name: &str, limit: usize) -> Result<Vec<String>, IndexError> {
        let names = all_names(&self.now().entries);
        let name = name.to_lowercase();
        let before = names.range(..name.clone()).rev().take(limit);
        let mut near: Vec<String> = before.chain(names.range(name.clone()..).take(limit)).cloned().collect();
        near.sort();
        Ok(near)
    }

    fn list(
        &self,
        filter: &Filter,
        visit: &mut dyn FnMut(CertificateRecord) -> bool,
    ) -> Result<(), IndexError> {
        let state = self.now();
        let mut entries: Vec<&Entry> = state.entries.iter().collect();
        if filter.ending.is_some() {
            entries.sort_by_key(|entry| entry.validity().not_after);
        }
        for entry in entries {
            let record = state.record(entry);
            if passes(filter, entry, &record) && !visit(record) {
                break;
            }
        }
        Ok(())
    }

    fn responders(&self, now: UnixTime) -> Result<Vec<ResponderRecord>, IndexError> {
        let state = self.now();
        let is_responder = |entry: &&Entry| {
            entry.certificate.as_ref().is_some_and(|one| is_responders(one.tbs()))
                && entry.validity().not_after >= now
        };
        let responders = state.entries.iter().filter(is_responder);
        Ok(responders
            .map(|entry| ResponderRecord { record: state.record(entry), requested: entry.requested })
            .collect())
    }

    fn key_uses(&self, key: &[u8; 32]) -> Result<Vec<KeyUse>, IndexError> {
        Ok(self.now().key_uses(key))
    }

    fn one_subscriber(&self, key: &[u8; 32]) -> Result<Vec<Name>, IndexError> {
        Ok(self.now().one_subscriber(key))
    }

    fn on_compromised_keys(
        &self,
        now: UnixTime,
        visit: &mut dyn FnMut(CertificateRecord),
    ) -> Result<(), IndexError> {
        let state = self.now();
        let is_of_the_key = |entry: &&Entry| match &entry.state {
            CertificateState::Revoked(revocation) => revocation.is_of_the_key(),
            CertificateState::Pending | CertificateState::Issued => false,
        };
        let compromised: BTreeSet<[u8; 32]> =
            state.entries.iter().filter(is_of_the_key).filter_map(Entry::key).collect();
        for entry in &state.entries {
            let is_relied_on = match &entry.state {
                CertificateState::Revoked(revocation) => revocation.is_hold(),
                CertificateState::Pending | CertificateState::Issued => true,
            };
            let has_ended = entry.validity().not_after < now;
            if is_relied_on && !has_ended && entry.key().is_some_and(|key| compromised.contains(&key)) {
                visit(state.record(entry));
            }
        }
        Ok(())
    }
}

fn all_names(entries: &[Entry]) -> BTreeSet<String> {
    entries.iter().flat_map(Entry::names).collect()
}

fn passes(filter: &Filter, entry: &Entry, record: &CertificateRecord) -> bool {
    let Filter { authority, status, ending, subject, profile } = filter;
    let end = record.validity.not_after;
    let is_named = |glob: &String| {
        let glob = glob.to_lowercase();
        let subject = record.subject.to_string().to_lowercase();
        matches(&glob, &subject) || entry.names().iter().any(|name| matches(&glob, name))
    };
    authority.as_ref().is_none_or(|name| record.authority == *name)
        && status.is_none_or(|(status, now)| record.status(now) == status)
        && ending.is_none_or(|(first, last)| {
            record.state == CertificateState::Issued && (first..=last).contains(&end)
        })
        && subject.as_ref().is_none_or(is_named)
        && profile.as_ref().is_none_or(|profile| record.profile == *profile)
}

/// Matches a glob: `*` stands for any text, `?` for one character.
fn matches(glob: &str, text: &str) -> bool {
    let mut rest = text.chars();
    match glob.chars().next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len())
            .filter(|at| text.is_char_boundary(*at))
            .any(|at| matches(&glob[1..], &text[at..])),
        Some('?') => rest.next().is_some() && matches(&glob[1..], rest.as_str()),
        Some(one) => rest.next() == Some(one) && matches(&glob[one.len_utf8()..], rest.as_str()),
    }
}

fn row(entry: &Entry) -> StatusRow {
    StatusRow {
        id: entry.id.clone(),
        state: entry.state.clone(),
        change: entry.change,
        not_after: entry.validity().not_after,
    }
}

impl ChangeReader for MemoryIndex {
    fn change_number(&self) -> Result<u64, IndexError> {
        Ok(self.now().change)
    }

    fn change_of(&self, id: &CertificateId) -> Result<Option<u64>, IndexError> {
        let state = self.now();
        Ok(state.find(id).map(|number| state.entries[number].change))
    }

    fn last_of_changes(&self, visit: &mut dyn FnMut(StatusRow) -> bool) -> Result<(), IndexError> {
        let state = self.now();
        let mut last: BTreeMap<u64, &Entry> = BTreeMap::new();
        for entry in &state.entries {
            let known = last.entry(entry.change).or_insert(entry);
            if by_serial(&known.id, &entry.id).is_lt() {
                *known = entry;
            }
        }
        for entry in last.into_values().rev() {
            if !visit(row(entry)) {
                break;
            }
        }
        Ok(())
    }

    fn status_rows(&self, since: u64, visit: &mut dyn FnMut(StatusRow)) -> Result<(), IndexError> {
        let state = self.now();
        let mut entries: Vec<&Entry> = state.entries.iter().filter(|entry| entry.change > since).collect();
        if since == 0 {
            entries.sort_by(|a, b| a.id.issuer.cmp(&b.id.issuer).then_with(|| by_serial(&a.id, &b.id)));
        } else {
            entries.sort_by_key(|entry| entry.change);
        }
        entries.into_iter().for_each(|entry| visit(row(entry)));
        Ok(())
    }
}

impl AuthorityReader for MemoryIndex {
    fn authorities(&self) -> Result<Vec<Authority>, IndexError> {
        let all = self.now().authorities();
        self.note_read(&all);
        Ok(all)
    }

    fn authority(&self, name: &str) -> Result<Option<Authority>, IndexError> {
        let state = self.now();
        let found = state.named(name).map(|ca| state.authority(ca));
        self.note_read(&found);
        Ok(found)
    }

    fn authority_of(&self, issuer: &IssuerId) -> Result<Option<Authority>, IndexError> {
        let state = self.now();
        let found = state.ca(issuer).ok().map(|ca| state.authority(ca));
        self.note_read(&found);
        Ok(found)
    }

    fn summaries(&self) -> Result<Vec<AuthoritySummary>, IndexError> {
        let state = self.now();
        Ok(state.authorities().iter().map(|authority| state.summary(authority)).collect())
    }

    fn successor(&self, name: &str) -> Result<Option<Authority>, IndexError> {
        let is_next = |one: &Authority| one.succeeds.as_deref() == Some(name);
        let found = self.now().authorities().into_iter().find(is_next);
        self.note_read(&found);
        Ok(found)
    }

    fn bearers(&self, name: &Name) -> Result<Vec<Authority>, IndexError> {
        let mut bearers = self.now().authorities();
        bearers.retain(|one| !name.is_empty() && one.certificate.tbs().subject().is_same_as(name));
        bearers.sort_by(|a, b| a.name.cmp(&b.name));
        self.note_read(&bearers);
        Ok(bearers)
    }

    fn names_of_issuer(&self, issuer: &IssuerId) -> Result<Vec<Name>, IndexError> {
        Ok(self.now().issuer_names.get(issuer).cloned().unwrap_or_default())
    }
}

impl IssuanceReader for MemoryIndex {
    fn pending(&self) -> Result<Vec<CertificateId>, IndexError> {
        let state = self.now();
        let pending = state.entries.iter().filter(|entry| entry.state == CertificateState::Pending);
        Ok(pending.map(|entry| entry.id.clone()).collect())
    }

    fn newest_signed(&self) -> Result<Option<NewestSigned>, IndexError> {
        Ok(self.now().newest.clone())
    }
}

impl AuditReader for MemoryIndex {
    fn audit_head(&self) -> Result<Head, IndexError> {
        Ok(self.now().chain.head())
    }

    fn audit_records(&self, from: u64, visit: &mut dyn FnMut(AuditRecord) -> bool) -> Result<(), IndexError> {
        let state = self.now();
        for record in state.audit.iter().filter(|record| record.sequence >= from) {
            if !visit(record.clone()) {
                break;
            }
        }
        Ok(())
    }
}

impl AuditIndex for MemoryIndex {
    fn record_event(&self, event: AuditEvent) -> Result<(), IndexError> {
        self.write("record_event", |state| {
            state.append(event);
            Ok(())
        })
    }

    fn record_events(&self, events: Vec<AuditEvent>) -> Result<(), IndexError> {
        self.write("record_events", |state| {
            events.into_iter().for_each(|event| state.append(event));
            Ok(())
        })
    }
}

impl RestorationReader for MemoryIndex {
    fn restored(&self) -> Result<Option<Restored>, IndexError> {
        Ok(self.now().restored)
    }

    fn supersedes(&self, head: &Head) -> Result<bool, IndexError> {
        Ok(self.now().superseded.contains(head))
    }
}
