//! Index, publisher and status that note each step and fail where they are told to.
use crate::audit::{AuditEvent, AuditRecord, Head};
use crate::home::WriteError;
use crate::index::prelude::*;
use crate::index::sqlite::SqliteIndex;
use crate::index::{
    Authority, CertificateRecord, CertificateState, CrlRecord, Examined, Filter, FoundRevocation, Guard,
    Import, Imported, IndexError, Intent, Issued, KeyUse, NewestSigned, ResponderRecord, Restoration,
    Restored, Selector, StatusRow, StoreError, Supplement, TakenOver,
};
use crate::lint::Linted;
use crate::repository::{PublishError, Publisher};
use crate::status::{StatusComparison, StatusDirectory, StatusError, StatusPublisher};
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CrlEntry, CrlReason, IssuerId, Name, SerialNumber, TbsCertList, UnixTime};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// What was done, in order, and what is to fail.
#[derive(Clone, Default)]
pub(super) struct Script(Arc<Mutex<Scene>>);

type Interruption = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Scene {
    steps: Vec<&'static str>,
    /// The step, and how often it still goes well.
    failing: Vec<(&'static str, usize)>,
    /// The CAs that were read, by name.
    read: Vec<String>,
    /// What another process does before a step.
    before: Option<(&'static str, Interruption)>,
}

impl Script {
    /// Notes a step; true when it is to fail.
    pub(super) fn fails(&self, step: &'static str) -> bool {
        let act = self.0.lock().unwrap().before.take_if(|(before, _)| *before == step);
        if let Some((_, act)) = act {
            act();
        }
        let mut script = self.0.lock().unwrap();
        script.steps.push(step);
        match script.failing.iter_mut().find(|(failing, _)| *failing == step) {
            Some((_, 0)) => true,
            Some((_, times)) => {
                *times -= 1;
                false
            }
            None => false,
        }
    }

    /// Whether this step is to fail from now on.
    pub(super) fn is_failing(&self, step: &'static str) -> bool {
        self.0.lock().unwrap().failing.contains(&(step, 0))
    }

    /// Lets these steps fail from now on, and no other.
    pub(super) fn fail(&self, steps: &[&'static str]) {
        self.0.lock().unwrap().failing = steps.iter().map(|step| (*step, 0)).collect();
    }

    /// Lets this step fail after it went well so many times more.
    pub(super) fn fail_after(&self, times: usize, step: &'static str) {
        self.0.lock().unwrap().failing = vec![(step, times)];
    }

    /// Has another process do this before the step is next taken.
    pub(super) fn before(&self, step: &'static str, act: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap().before = Some((step, Box::new(act)));
    }

    /// The steps since the last call.
    pub(super) fn steps(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap().steps)
    }

    /// The CAs that were read since the last call, by name.
    pub(super) fn read(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().read)
    }

    fn reads<'a>(&self, authorities: impl IntoIterator<Item = &'a Authority>) {
        let names = authorities.into_iter().map(|one| one.name.clone());
        self.0.lock().unwrap().read.extend(names);
    }

    fn index(&self, step: &'static str) -> Result<(), IndexError> {
        if self.fails(step) {
            Err(IndexError::Store(StoreError::Backend(format!("{step} was made to fail"))))
        } else {
            Ok(())
        }
    }

    pub(super) fn publish(&self, step: &'static str) -> Result<(), PublishError> {
        let full = || WriteError { path: step.into(), source: io::Error::from(io::ErrorKind::StorageFull) };
        if self.fails(step) { Err(full().into()) } else { Ok(()) }
    }
}

pub(super) struct Status {
    pub(super) directory: StatusDirectory,
    pub(super) script: Script,
}

impl StatusPublisher for Status {
    fn publish_status(
        &self,
        index: &dyn IndexReader,
        lists: &dyn Publisher,
        now: UnixTime,
    ) -> Result<(), StatusError> {
        self.script.index("status")?;
        let read = self.script.read();
        let published = self.directory.publish_status(index, lists, now);
        // what it reads is for all that trust what it publishes, whatever was issued
        self.script.0.lock().unwrap().read = read;
        published
    }

    fn published_change(&self) -> Result<Option<u64>, StatusError> {
        self.directory.published_change()
    }

    fn is_current(&self, index: &dyn IndexReader) -> Result<bool, StatusError> {
        self.directory.is_current(index)
    }

    fn check_continued(&self, index: &dyn IndexReader, lists: &dyn Publisher) -> Result<(), StatusError> {
        self.directory.check_continued(index, lists)
    }

    fn confirmed(&self) -> Result<Option<UnixTime>, StatusError> {
        self.directory.confirmed()
    }

    fn compare(&self, index: &dyn IndexReader) -> Result<StatusComparison, StatusError> {
        self.directory.compare(index)
    }

    fn rebuild_status(
        &self,
        index: &dyn IndexReader,
        lists: &dyn Publisher,
        now: UnixTime,
    ) -> Result<(), StatusError> {
        self.directory.rebuild_status(index, lists, now)
    }
}

pub(super) struct Records {
    pub(super) index: SqliteIndex,
    pub(super) script: Script,
    /// How many more entries a list has than the index knows of.
    pub(super) more: AtomicU32,
}

/// An entry whose serial number has 17 octets and grows with this.
fn entry(number: u32) -> CrlEntry {
    let mut octets = [0x7f; 17];
    octets[1..5].copy_from_slice(&number.to_be_bytes());
    CrlEntry {
        serial_number: SerialNumber::from_random(octets),
        revocation_date: UnixTime(i64::from(number)),
        reason: Some(CrlReason::Superseded),
        invalidity_date: None,
    }
}

type Visit<'v, T> = &'v mut dyn FnMut(T);
type Until<'v, T> = &'v mut dyn FnMut(T) -> bool;

impl CertificateReader for Records {
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, IndexError> {
        self.index.status(id)
    }
    fn certificate(&self, id: &CertificateId) -> Result<Option<CertificateRecord>, IndexError> {
        self.index.certificate(id)
    }
    fn select(&self, selector: &Selector, limit: usize) -> Result<Vec<CertificateRecord>, IndexError> {
        self.index.select(selector, limit)
    }
    fn list(&self, filter: &Filter, visit: Until<'_, CertificateRecord>) -> Result<(), IndexError> {
        self.index.list(filter, visit)
    }
    fn responders(&self, now: UnixTime) -> Result<Vec<ResponderRecord>, IndexError> {
        self.index.responders(now)
    }
    fn key_uses(&self, key: &[u8; 32]) -> Result<Vec<KeyUse>, IndexError> {
        self.index.key_uses(key)
    }
    fn one_holder(&self, key: &[u8; 32]) -> Result<Vec<Name>, IndexError> {
        self.index.one_holder(key)
    }
    fn on_compromised_keys(
        &self,
        now: UnixTime,
        visit: Visit<'_, CertificateRecord>,
    ) -> Result<(), IndexError> {
        self.index.on_compromised_keys(now, visit)
    }
}

impl ChangeReader for Records {
    fn change_number(&self) -> Result<u64, IndexError> {
        self.index.change_number()
    }
    fn change_of(&self, id: &CertificateId) -> Result<Option<u64>, IndexError> {
        self.index.change_of(id)
    }
    fn last_of_changes(&self, visit: Until<'_, StatusRow>) -> Result<(), IndexError> {
        self.index.last_of_changes(visit)
    }
    fn status_rows(&self, since: u64, visit: Visit<'_, StatusRow>) -> Result<(), IndexError> {
        self.index.status_rows(since, visit)
    }
}

impl AuthorityReader for Records {
    fn authorities(&self) -> Result<Vec<Authority>, IndexError> {
        let all = self.index.authorities()?;
        self.script.reads(&all);
        Ok(all)
    }
    fn authority(&self, name: &str) -> Result<Option<Authority>, IndexError> {
        let found = self.index.authority(name)?;
        self.script.reads(&found);
        Ok(found)
    }
    fn successor(&self, name: &str) -> Result<Option<Authority>, IndexError> {
        let found = self.index.successor(name)?;
        self.script.reads(&found);
        Ok(found)
    }
    fn bearers(&self, name: &Name) -> Result<Vec<Authority>, IndexError> {
        let found = self.index.bearers(name)?;
        self.script.reads(&found);
        Ok(found)
    }
    fn names_of_issuer(&self, issuer: &IssuerId) -> Result<Vec<Name>, IndexError> {
        self.index.names_of_issuer(issuer)
    }
}

impl AuthorityIndex for Records {
    fn import(&self, import: &Import) -> Result<Imported, IndexError> {
        self.script.index("import")?;
        self.index.import(import)
    }
    fn supplement(&self, supplement: &Supplement) -> Result<Imported, IndexError> {
        self.script.index("supplement")?;
        self.index.supplement(supplement)
    }
    fn set_serves_ocsp(&self, issuer: &IssuerId, serves: bool, event: AuditEvent) -> Result<(), IndexError> {
        self.index.set_serves_ocsp(issuer, serves, event)
    }
}

impl IssuanceReader for Records {
    fn pending(&self) -> Result<Vec<CertificateId>, IndexError> {
        self.index.pending()
    }
    fn newest_signed(&self) -> Result<Option<NewestSigned>, IndexError> {
        self.index.newest_signed()
    }
}

impl IssuanceIndex for Records {
    fn signing(&self) -> Result<Guard, IndexError> {
        self.index.signing()
    }
    fn nobody_is_signing(&self) -> Result<Option<Guard>, IndexError> {
        self.index.nobody_is_signing()
    }
    fn store_intents(&self, intents: &[Intent]) -> Result<(), IndexError> {
        self.script.index("intent")?;
        self.index.store_intents(intents)
    }
    fn record_issued(&self, certificates: &[Issued]) -> Result<(), IndexError> {
        self.script.index("recorded")?;
        self.index.record_issued(certificates)
    }
    fn abandon(&self, pending: &[(CertificateId, AuditEvent)]) -> Result<usize, IndexError> {
        self.index.abandon(pending)
    }
}

impl CrlReader for Records {
    fn revoked(&self, issuer: &IssuerId, visit: Visit<'_, CrlEntry>) -> Result<(), IndexError> {
        self.index.revoked(issuer, visit)
    }
    fn last_crl(&self, issuer: &IssuerId) -> Result<Option<CrlRecord>, IndexError> {
        self.index.last_crl(issuer)
    }
    fn highest_crl_number(&self, issuer: &IssuerId) -> Result<CrlNumber, IndexError> {
        self.index.highest_crl_number(issuer)
    }
    fn is_recorded(&self, issuer: &IssuerId, tbs: &TbsCertList) -> Result<bool, IndexError> {
        self.index.is_recorded(issuer, tbs)
    }
    fn crl_is_owed(&self, issuer: &IssuerId) -> Result<bool, IndexError> {
        self.index.crl_is_owed(issuer)
    }
}

impl RevocationIndex for Records {
    fn transition(
        &self,
        id: &CertificateId,
        from: &CertificateState,
        to: &CertificateState,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.script.index("transition")?;
        self.index.transition(id, from, to, event)
    }
    fn next_crl_number(
        &self,
        issuer: &IssuerId,
        floor: CrlNumber,
        this_update: UnixTime,
        visit: Visit<'_, CrlEntry>,
    ) -> Result<CrlNumber, IndexError> {
        self.script.index("number")?;
        let number = self.index.next_crl_number(issuer, floor, this_update, visit)?;
        (0..self.more.load(Ordering::SeqCst)).for_each(|number| visit(entry(number)));
        Ok(number)
    }
    fn store_crl(
        &self,
        issuer: &IssuerId,
        tbs: &Linted<TbsCertList>,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.script.index("list")?;
        self.index.store_crl(issuer, tbs, event)
    }
    fn record_crl_published(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        confirmed: UnixTime,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.script.index("listed")?;
        self.index.record_crl_published(issuer, number, confirmed, event)
    }
    fn take_over(&self, revocations: &[FoundRevocation]) -> Result<TakenOver, IndexError> {
        self.script.index("take over")?;
        self.index.take_over(revocations)
    }
}

impl AuditReader for Records {
    fn audit_head(&self) -> Result<Head, IndexError> {
        self.index.audit_head()
    }
    fn audit_records(&self, from: u64, visit: Until<'_, AuditRecord>) -> Result<(), IndexError> {
        self.index.audit_records(from, visit)
    }
}

impl AuditIndex for Records {
    fn record_event(&self, event: AuditEvent) -> Result<(), IndexError> {
        self.index.record_event(event)
    }
    fn record_events(&self, events: Vec<AuditEvent>) -> Result<(), IndexError> {
        self.script.index("events")?;
        self.index.record_events(events)
    }
}

impl RestorationReader for Records {
    fn restored(&self) -> Result<Option<Restored>, IndexError> {
        self.index.restored()
    }
    fn supersedes(&self, head: &Head) -> Result<bool, IndexError> {
        self.index.supersedes(head)
    }
}

impl RestorationIndex for Records {
    fn restore(&self, restoration: &Restoration) -> Result<TakenOver, IndexError> {
        self.index.restore(restoration)
    }
    fn accept_restored(&self, event: AuditEvent) -> Result<bool, IndexError> {
        self.index.accept_restored(event)
    }
}

impl StoredIndex for Records {
    fn copy_to(&self, path: &Path) -> Result<(), IndexError> {
        self.index.copy_to(path)
    }
    fn examine(&self, visit: Visit<'_, Examined>) -> Result<(), IndexError> {
        self.index.examine(visit)
    }
}
