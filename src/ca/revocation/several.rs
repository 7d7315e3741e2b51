//! Revocation, hold and release of several certificates: all are recorded, then the status is published once,
//! and one CRL of each CA.
use super::Revocations;
use super::revoke::action;
use crate::ca::maintenance::OwnSignatures;
use crate::ca::{IssuedResponder, PublishedCrl};
use crate::error::{Code, Exit, Problem, remedy};
use crate::index::{CertificateRecord, CertificateState, Revocation};
use crate::x509::{CrlReason, UnixTime};
use std::collections::BTreeSet;

/// A change of the state of several certificates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StateChange {
    /// Revoked or, with the reason `certificateHold`, on hold.
    Revoke {
        /// Why.
        reason: Option<CrlReason>,
        /// Since when the keys are thought to be untrustworthy.
        invalidity_date: Option<UnixTime>,
    },
    /// Released from hold.
    Release,
}

/// The result of changing the state of several certificates.
#[derive(Clone, Debug, Default)]
pub struct ChangedStates {
    /// The certificates in their new states.
    pub changed: Vec<CertificateRecord>,
    /// Other certificates for the same keys that were revoked with them.
    pub also: Vec<CertificateRecord>,
    /// Certificates that stay as they are, as `CA/SERIAL`, and the reason.
    pub refused: Vec<(String, Problem)>,
    /// The CRLs with the changes, one of each CA.
    pub crls: Vec<PublishedCrl>,
    /// Outstanding CRLs: name of the CA, and the reason.
    pub owed: Vec<(String, Problem)>,
    /// CAs whose responder's certificate was revoked: the new one, or why there is none yet.
    pub responders: Vec<(String, Result<IssuedResponder, Problem>)>,
    /// Why the status could not be published, so that responders do not know of the changes yet.
    pub unanswered: Option<Problem>,
    /// Other certificates for the same keys that are still relied on.
    pub left: Vec<CertificateRecord>,
}

impl Revocations<'_> {
    /// Changes the state of each of these certificates. Each is recorded in a transaction of its own, so that a
    /// command that is cut short leaves those before it recorded. One that cannot change does not hold up the
    /// others. The status is published once, and with `with_crl` one CRL of each CA.
    ///
    /// Other certificates for a compromised key are revoked as by [`Revocations::revoke_with_key`].
    ///
    /// # Errors
    /// Exit status 2 for an invalidity date in the future; when the clock's record cannot be read. Nothing has
    /// changed then.
    pub fn change_several(
        &self,
        records: &[CertificateRecord],
        change: StateChange,
        with_crl: bool,
    ) -> Result<ChangedStates, Problem> {
        if let StateChange::Revoke { invalidity_date, .. } = change {
            self.check_invalidity_date(invalidity_date)?;
        }
        let mut states = ChangedStates::default();
        let mut stopped: Option<Problem> = None;
        for record in records {
            let done = match &stopped {
                None => self.change_one(record, change),
                Some(problem) => Err(problem.clone()),
            };
            match done {
                Ok(changed) => states.changed.push(changed),
                Err(problem) => {
                    // what is in one certificate does not hold up the next one; a full disk does
                    if stopped.is_none() && is_of_the_whole(&problem) {
                        stopped = Some(problem.clone());
                    }
                    let label = format!("{}/{}", record.authority, record.id.serial_number);
                    states.refused.push((label, problem));
                }
            }
            self.engine.step();
        }
        if !states.changed.is_empty() {
            self.change_others(change, &mut states);
            states.unanswered = self.answer();
            if with_crl {
                self.list_several(&mut states);
            }
        }
        Ok(states)
    }

    fn change_one(
        &self,
        record: &CertificateRecord,
        change: StateChange,
    ) -> Result<CertificateRecord, Problem> {
        match change {
            StateChange::Revoke { reason, invalidity_date } => {
                let revoked_at = self.engine.time_to_distrust()?;
                let to = record.state.revoke(Revocation { revoked_at, reason, invalidity_date })?;
                self.record_transition(record, to, action(reason), reason)
            }
            StateChange::Release => {
                let to = self.released(record)?;
                self.record_transition(record, to, "certificate.released", None)
            }
        }
    }

    /// Revokes the other certificates for compromised keys, and notes those that stay.
    fn change_others(&self, change: StateChange, states: &mut ChangedStates) {
        let StateChange::Revoke { reason, invalidity_date } = change else { return };
        if reason.is_some_and(CrlReason::is_of_the_key) {
            for named in &states.changed {
                let revoked = self.revoke_others(named, false, reason, invalidity_date, &mut states.also);
                if let Err(problem) = revoked {
                    let label = format!("{}/{}", named.authority, named.id.serial_number);
                    let message = format!("others for its key are not all revoked: {}", problem.message);
                    states.refused.push((label, Problem { message, ..problem }));
                }
            }
        }
        let id = |one: &CertificateRecord| format!("{}/{}", one.authority, one.id.serial_number);
        let mut seen: BTreeSet<String> = states.changed.iter().map(id).collect();
        for named in &states.changed {
            for other in self.others_of_the_key(named).unwrap_or_default() {
                if seen.insert(id(&other)) {
                    states.left.push(other);
                }
            }
        }
    }

    fn list_several(&self, states: &mut ChangedStates) {
        let issuers: BTreeSet<String> =
            states.changed.iter().chain(&states.also).map(|one| one.authority.clone()).collect();
        for issuer in issuers {
            let OwnSignatures { crl, responder } = self.sign_after(&issuer, &states.changed);
            match crl {
                Ok(crl) => states.crls.extend(crl),
                Err(problem) => states.owed.push((issuer.clone(), problem)),
            }
            states.responders.extend(responder.transpose().map(|responder| (issuer, responder)));
        }
    }

    /// Returns the state of a certificate whose hold is lifted.
    ///
    /// # Errors
    /// When it is not on hold, its key is compromised, or the CA's CRL revokes it for good.
    pub(super) fn released(&self, record: &CertificateRecord) -> Result<CertificateState, Problem> {
        if record.key.is_some_and(|key| self.engine.settings().compromised_keys.contains(&key)) {
            let message = "the key is on the list of compromised keys";
            return Err(Problem::new(Code::PolicyCompromisedKey, message).hint(remedy::Record::RevokeHeld(
                format!("{}/{}", record.authority, record.id.serial_number),
            )));
        }
        let to = record.state.release()?;
        self.check_releasable(&record.authority, &record.id)?;
        Ok(to)
    }
}

/// Whether a problem would meet the next certificate too.
fn is_of_the_whole(problem: &Problem) -> bool {
    let is_of_one = problem.code == Code::IndexConflict;
    !is_of_one && matches!(problem.exit, Exit::Failure | Exit::Busy | Exit::Permissions)
}
