//! The traits of an index. Each method is a transaction.
use super::{
    SqliteIndex, authority, copy, ending, examining, finding, importing, issuing, journal, keys, naming,
    reading, restoring, revoking, summaries,
};
use crate::audit::{AuditEvent, AuditRecord, Head};
use crate::index::prelude::*;
use crate::index::{
    Authority, AuthoritySummary, CertificateRecord, CertificateState, CrlRecord, Ending, Examined, Filter,
    FoundRevocation, Guard, Import, Imported, IndexError, Intent, Issued, KeyUse, NewestSigned,
    ResponderRecord, Restoration, Restored, Retiring, Selector, StatusRow, Supplement, TakenOver,
};
use crate::lint::Linted;
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CrlEntry, IssuerId, Name, SerialNumber, TbsCertList, UnixTime, sha256};
use std::ops::RangeInclusive;
use std::path::Path;

impl CertificateReader for SqliteIndex {
    fn status(&self, id: &CertificateId) -> Result<Option<CertificateState>, IndexError> {
        self.read(|connection| reading::status(connection, id))
    }

    fn certificate(&self, id: &CertificateId) -> Result<Option<CertificateRecord>, IndexError> {
        self.read(|connection| reading::certificate(connection, id))
    }

    fn select(&self, selector: &Selector, limit: usize) -> Result<Vec<CertificateRecord>, IndexError> {
        self.read(|connection| finding::select(connection, selector, limit))
    }

    fn names(&self, beginning: &str, limit: usize) -> Result<Vec<String>, IndexError> {
        self.read(|connection| finding::names(connection, beginning, limit))
    }

    fn names_near(&self, name: &str, limit: usize) -> Result<Vec<String>, IndexError> {
        self.read(|connection| finding::names_near(connection, name, limit))
    }

    fn list(
        &self,
        filter: &Filter,
        visit: &mut dyn FnMut(CertificateRecord) -> bool,
    ) -> Result<(), IndexError> {
        self.read(|connection| reading::list(connection, filter, visit))
    }

    fn endings(&self, first: UnixTime, last: UnixTime) -> Result<Vec<Ending>, IndexError> {
        self.read(|connection| ending::endings(connection, first, last))
    }

    fn responders(&self, now: UnixTime) -> Result<Vec<ResponderRecord>, IndexError> {
        self.read(|connection| reading::responders(connection, now))
    }

    fn key_uses(&self, key: &[u8; 32]) -> Result<Vec<KeyUse>, IndexError> {
        self.read(|connection| keys::uses(connection, key))
    }

    fn one_subscriber(&self, key: &[u8; 32]) -> Result<Vec<Name>, IndexError> {
        self.read(|connection| keys::one_subscriber(connection, key))
    }

    fn on_compromised_keys(
        &self,
        now: UnixTime,
        visit: &mut dyn FnMut(CertificateRecord),
    ) -> Result<(), IndexError> {
        self.read(|connection| keys::on_compromised(connection, now, visit))
    }
}

impl ChangeReader for SqliteIndex {
    fn change_number(&self) -> Result<u64, IndexError> {
        self.read(|connection| Ok(journal::read_head(connection)?.2))
    }

    fn change_of(&self, id: &CertificateId) -> Result<Option<u64>, IndexError> {
        self.read(|connection| reading::change_of(connection, id))
    }

    fn last_of_changes(&self, visit: &mut dyn FnMut(StatusRow) -> bool) -> Result<(), IndexError> {
        self.read(|connection| reading::last_of_changes(connection, visit))
    }

    fn status_rows(&self, since: u64, visit: &mut dyn FnMut(StatusRow)) -> Result<(), IndexError> {
        self.read(|connection| reading::status_rows(connection, since, visit))
    }
}

impl AuthorityReader for SqliteIndex {
    fn authorities(&self) -> Result<Vec<Authority>, IndexError> {
        self.read(authority::all)
    }

    fn authority(&self, name: &str) -> Result<Option<Authority>, IndexError> {
        self.read(|connection| authority::named(connection, name))
    }

    fn authority_of(&self, issuer: &IssuerId) -> Result<Option<Authority>, IndexError> {
        self.read(|connection| authority::identified(connection, issuer))
    }

    fn summaries(&self) -> Result<Vec<AuthoritySummary>, IndexError> {
        self.read(summaries::all)
    }

    fn successor(&self, name: &str) -> Result<Option<Authority>, IndexError> {
        self.read(|connection| authority::successor(connection, name))
    }

    fn bearers(&self, name: &Name) -> Result<Vec<Authority>, IndexError> {
        self.read(|connection| authority::bearers(connection, name))
    }

    fn names_of_issuer(&self, issuer: &IssuerId) -> Result<Vec<Name>, IndexError> {
        self.read(|connection| naming::written(connection, issuer))
    }
}

impl AuthorityIndex for SqliteIndex {
    fn import(&self, import: &Import) -> Result<Imported, IndexError> {
        self.write(|connection| importing::import(connection, import))
    }

    fn supplement(&self, supplement: &Supplement) -> Result<Imported, IndexError> {
        self.write(|connection| importing::supplement(connection, supplement))
    }

    fn retire(&self, retiring: &Retiring, event: AuditEvent) -> Result<(), IndexError> {
        self.write(|connection| authority::retire(connection, retiring, event))
    }

    fn complete_retirement(&self, issuer: &IssuerId) -> Result<(), IndexError> {
        self.write(|connection| authority::complete_retirement(connection, issuer))
    }

    fn set_key(&self, issuer: &IssuerId, key: &str, event: AuditEvent) -> Result<(), IndexError> {
        self.write(|connection| keys::set_key(connection, issuer, key, event))
    }

    fn set_serves_ocsp(&self, issuer: &IssuerId, serves: bool, event: AuditEvent) -> Result<(), IndexError> {
        self.write(|connection| revoking::set_serves_ocsp(connection, issuer, serves, event))
    }
}

impl IssuanceReader for SqliteIndex {
    fn pending(&self) -> Result<Vec<CertificateId>, IndexError> {
        self.read(reading::pending)
    }

    fn newest_signed(&self) -> Result<Option<NewestSigned>, IndexError> {
        self.read(journal::newest_signed)
    }
}

impl IssuanceIndex for SqliteIndex {
    fn signing(&self) -> Result<Guard, IndexError> {
        self.interlock.share()
    }

    fn nobody_is_signing(&self) -> Result<Option<Guard>, IndexError> {
        self.interlock.exclude()
    }

    fn store_intents(&self, intents: &[Intent]) -> Result<(), IndexError> {
        self.let_grow(intents.len())?;
        self.write(|connection| issuing::store_intents(connection, intents))
    }

    fn record_issued(&self, certificates: &[Issued]) -> Result<(), IndexError> {
        self.write(|connection| issuing::record_issued(connection, certificates))
    }

    fn abandon(&self, pending: &[(CertificateId, AuditEvent)]) -> Result<usize, IndexError> {
        self.write(|connection| issuing::abandon(connection, pending))
    }
}

impl CrlReader for SqliteIndex {
    fn revoked(&self, issuer: &IssuerId, visit: &mut dyn FnMut(CrlEntry)) -> Result<(), IndexError> {
        self.read(|connection| revoking::revoked(connection, issuer, visit))
    }

    fn last_crl(&self, issuer: &IssuerId) -> Result<Option<CrlRecord>, IndexError> {
        self.read(|connection| revoking::last_crl(connection, issuer))
    }

    fn highest_crl_number(&self, issuer: &IssuerId) -> Result<CrlNumber, IndexError> {
        self.read(|connection| revoking::highest_crl_number(connection, issuer))
    }

    fn recorded_crls(&self, issuer: &IssuerId, number: CrlNumber) -> Result<Vec<[u8; 32]>, IndexError> {
        self.read(|connection| revoking::recorded_crls(connection, issuer, number))
    }

    fn is_recorded(&self, issuer: &IssuerId, tbs: &TbsCertList) -> Result<bool, IndexError> {
        self.read(|connection| revoking::is_recorded(connection, issuer, tbs))
    }

    fn delta_base(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        now: UnixTime,
    ) -> Result<Option<CrlNumber>, IndexError> {
        self.read(|connection| revoking::delta_base(connection, issuer, number, now))
    }

    fn changed_since(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        serials: Vec<SerialNumber>,
    ) -> Result<Vec<SerialNumber>, IndexError> {
        self.read(|connection| revoking::changed_since(connection, issuer, number, serials))
    }

    fn crl_is_owed(&self, issuer: &IssuerId) -> Result<bool, IndexError> {
        self.read(|connection| revoking::crl_is_owed(connection, issuer))
    }
}

impl RevocationIndex for SqliteIndex {
    fn transition(
        &self,
        id: &CertificateId,
        from: &CertificateState,
        to: &CertificateState,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.write(|connection| revoking::transition(connection, id, from, to, event))
    }

    fn next_crl_number(
        &self,
        issuer: &IssuerId,
        floor: CrlNumber,
        this_update: UnixTime,
        visit: &mut dyn FnMut(CrlEntry),
    ) -> Result<CrlNumber, IndexError> {
        self.read(|view| {
            let number = self.write(|connection| {
                let number = revoking::take_crl_number(connection, issuer, floor, this_update)?;
                // This read fixes the snapshot of the view while no other process can write, so that entries
                // come in the order of the numbers.
                journal::read_head(view)?;
                Ok(number)
            })?;
            revoking::revoked(view, issuer, visit)?;
            Ok(number)
        })
    }

    fn store_crl(
        &self,
        issuer: &IssuerId,
        tbs: &Linted<TbsCertList>,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        let tbs = tbs.get();
        let digest = sha256(tbs.as_der()); // hashed before the transaction: a long CRL takes long
        self.write(|connection| revoking::store_crl(connection, issuer, tbs, digest, event))
    }

    fn record_crl_published(
        &self,
        issuer: &IssuerId,
        number: CrlNumber,
        confirmed: UnixTime,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        self.write(|connection| revoking::record_crl_published(connection, issuer, number, confirmed, event))
    }

    fn record_foreign_crl(
        &self,
        issuer: &IssuerId,
        tbs: &TbsCertList,
        is_complete: bool,
        event: AuditEvent,
    ) -> Result<(), IndexError> {
        let digest = sha256(tbs.as_der());
        self.write(|connection| {
            revoking::record_foreign_crl(connection, issuer, tbs, is_complete, digest, event)
        })
    }

    fn take_over(&self, revocations: &[FoundRevocation]) -> Result<TakenOver, IndexError> {
        self.write(|connection| restoring::take_over(connection, revocations))
    }
}

impl AuditReader for SqliteIndex {
    fn audit_head(&self) -> Result<Head, IndexError> {
        self.read(|connection| Ok(journal::read_head(connection)?.0))
    }

    fn audit_records(&self, from: u64, visit: &mut dyn FnMut(AuditRecord) -> bool) -> Result<(), IndexError> {
        self.read(|connection| journal::records(connection, from, visit))
    }

    fn audit_within(
        &self,
        from: u64,
        times: RangeInclusive<UnixTime>,
        visit: &mut dyn FnMut(AuditRecord) -> bool,
    ) -> Result<(), IndexError> {
        self.read(|connection| journal::records_within(connection, from, &times, visit))
    }

    fn audit_naming(
        &self,
        text: &str,
        from: u64,
        visit: &mut dyn FnMut(AuditRecord) -> bool,
    ) -> Result<(), IndexError> {
        self.read(|connection| journal::records_naming(connection, text, from, visit))
    }
}

impl AuditIndex for SqliteIndex {
    fn record_event(&self, event: AuditEvent) -> Result<(), IndexError> {
        self.record_events(vec![event])
    }

    fn record_events(&self, events: Vec<AuditEvent>) -> Result<(), IndexError> {
        self.write(|connection| {
            let mut journal = journal::Journal::open(connection)?;
            events.into_iter().try_for_each(|event| journal.append(event))?;
            journal.close()
        })
    }
}

impl RestorationReader for SqliteIndex {
    fn restored(&self) -> Result<Option<Restored>, IndexError> {
        self.read(restoring::restored)
    }

    fn supersedes(&self, head: &Head) -> Result<bool, IndexError> {
        self.read(|connection| restoring::supersedes(connection, head))
    }
}

impl RestorationIndex for SqliteIndex {
    fn restore(&self, restoration: &Restoration) -> Result<TakenOver, IndexError> {
        self.write(|connection| restoring::restore(connection, restoration))
    }

    fn accept_restored(&self, event: AuditEvent) -> Result<bool, IndexError> {
        self.write(|connection| restoring::accept(connection, event))
    }
}

impl StoredIndex for SqliteIndex {
    fn copy_to(&self, path: &Path) -> Result<(), IndexError> {
        self.readers.with_connection(|connection| copy::write(connection, path))
    }

    fn examine(&self, visit: &mut dyn FnMut(Examined)) -> Result<(), IndexError> {
        self.read(|connection| examining::examine(connection, visit))
    }
}
