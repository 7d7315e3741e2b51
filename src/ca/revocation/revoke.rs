//! Revoking, holding, releasing: the index first, then the status, then the CRL.
use super::Revocations;
use crate::ca::PublishedCrl;
use crate::error::{Code, Problem, remedy};
use crate::index::{CertificateRecord, CertificateState, Revocation};
use crate::x509::{CrlReason, UnixTime};

/// What became of a certificate.
#[derive(Clone, Debug)]
pub struct Revoked {
    /// The certificate as it stands now.
    pub record: CertificateRecord,
    /// The CRL that says so; `None` when it was not asked for or is owed.
    pub crl: Option<PublishedCrl>,
    /// Why the CRL is owed; or, when the CRL is made, what `unanswered` says.
    pub owed: Option<Problem>,
    /// Why the status could not be published: responders do not know yet. The next command publishes it.
    pub unanswered: Option<Problem>,
}

/// What a revocation with this reason is called in the audit log.
pub(in crate::ca) fn action(reason: Option<CrlReason>) -> &'static str {
    if reason == Some(CrlReason::CertificateHold) { "certificate.held" } else { "certificate.revoked" }
}

impl Revocations<'_> {
    /// Makes sure that an invalidity date has passed: one that is still to come is a slip. With a clock that is behind,
    /// what has passed seems to lie in the future, so the last confirmed time counts too.
    ///
    /// # Errors
    /// Exit status 2 when it has not; when the index cannot be read.
    pub fn check_invalidity_date(&self, invalidity_date: Option<UnixTime>) -> Result<(), Problem> {
        let Some(at) = invalidity_date else { return Ok(()) };
        let state = self.engine.clock_state()?;
        if at <= state.now || state.confirmed().is_some_and(|confirmed| at <= confirmed) {
            return Ok(());
        }
        Err(Problem::new(Code::Usage, "the invalidity date lies in the future")
            .hint("it says since when the key is not to be trusted; give a time that has passed"))
    }

    /// Revokes a certificate, or one on hold for good. The index has it when this returns, whatever becomes of
    /// the published status and of the CRL; both are tried.
    ///
    /// It is done with a clock that is wrong too: nothing may hold a revocation up, and a time that is too early
    /// distrusts more, not less ([`crate::ca::Engine::time_to_distrust`]). No list is signed with such a clock, so it is owed.
    ///
    /// # Errors
    /// When it is revoked already, or the index fails.
    pub fn revoke(
        &self,
        record: &CertificateRecord,
        reason: Option<CrlReason>,
        invalidity_date: Option<UnixTime>,
        with_crl: bool,
    ) -> Result<Revoked, Problem> {
        self.check_invalidity_date(invalidity_date)?;
        let revoked_at = self.engine.time_to_distrust()?;
        let to = record.state.revoke(Revocation { revoked_at, reason, invalidity_date })?;
        self.transition(record, to, action(reason), reason, with_crl)
    }

    /// Lifts the hold on a certificate.
    ///
    /// # Errors
    /// When it is not on hold, others have its key, the CA's CRL revokes it for good, or the index fails.
    pub fn release(&self, record: &CertificateRecord, with_crl: bool) -> Result<Revoked, Problem> {
        if record.key.is_some_and(|key| self.engine.practices().compromised_keys.contains(&key)) {
            let message = "the key is on the list of compromised keys";
            return Err(Problem::new(Code::PolicyCompromisedKey, message).hint(remedy::Record::RevokeHeld(
                format!("{}/{}", record.authority, record.id.serial_number),
            )));
        }
        let to = record.state.release()?;
        self.check_releasable(&record.authority, &record.id)?;
        self.transition(record, to, "certificate.released", None, with_crl)
    }

    fn transition(
        &self,
        record: &CertificateRecord,
        to: CertificateState,
        action: &str,
        reason: Option<CrlReason>,
        with_crl: bool,
    ) -> Result<Revoked, Problem> {
        let record = self.record_transition(record, to, action, reason)?;
        let unanswered = self.answer();
        Ok(self.list(record, unanswered, with_crl))
    }

    /// The index alone.
    pub(in crate::ca) fn record_transition(
        &self,
        record: &CertificateRecord,
        to: CertificateState,
        action: &str,
        reason: Option<CrlReason>,
    ) -> Result<CertificateRecord, Problem> {
        let object = format!("{}/{}", record.authority, record.id.serial_number);
        let mut event = self.engine.event(self.engine.now(), action, object);
        event.details.push(("subject".into(), record.subject.to_string()));
        if let Some(reason) = reason {
            event.details.push(("reason".into(), reason.to_string()));
        }
        self.engine.index().transition(&record.id, &record.state, &to, event)?;
        Ok(CertificateRecord { state: to, ..record.clone() })
    }

    /// Publishes the status; returns why that could not be done.
    pub(in crate::ca) fn answer(&self) -> Option<Problem> {
        self.engine.publication().publish_status().err().map(|error| {
            let problem = Problem::from(error);
            let message = format!("the status is not published, so responders do not know yet: {problem}");
            Problem { message, ..problem }
        })
    }

    /// Publishes the CRL of what stands on record otherwise now.
    pub(in crate::ca) fn list(
        &self,
        record: CertificateRecord,
        unanswered: Option<Problem>,
        with_crl: bool,
    ) -> Revoked {
        let (crl, owed) =
            match with_crl.then(|| self.engine.maintenance().crl_of(&record.authority)).transpose() {
                Ok(crl) => (crl, unanswered.clone()),
                Err(problem) => (None, Some(problem)),
            };
        Revoked { record, crl, owed, unanswered }
    }
}
