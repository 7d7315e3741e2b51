//! Revocation, hold and release: first the index, then the status, then the CRL.
use super::Revocations;
use crate::ca::PublishedCrl;
use crate::ca::maintenance::{IssuedResponder, OwnSignatures};
use crate::error::{Code, Problem};
use crate::index::{CertificateRecord, CertificateState, Revocation};
use crate::status::StatusError;
use crate::x509::{CrlReason, UnixTime};

/// The result of a revocation or a release.
#[derive(Clone, Debug)]
pub struct Revoked {
    /// The certificate in its new state.
    pub record: CertificateRecord,
    /// The CRL with the change; `None` when it was not requested or is outstanding.
    pub crl: Option<PublishedCrl>,
    /// Why the CRL is outstanding; when the CRL was published, the same as `unanswered`.
    pub owed: Option<Problem>,
    /// Why the status could not be published, so that responders do not know of the change yet. The next
    /// command publishes it.
    pub unanswered: Option<Problem>,
    /// The new responder certificate of the CA, when the revoked one was that of its responder, or why there is none
    /// yet.
    pub responder: Option<Result<IssuedResponder, Problem>>,
}

/// Returns the audit action of a revocation with this reason.
pub(in crate::ca) fn action(reason: Option<CrlReason>) -> &'static str {
    if reason == Some(CrlReason::CertificateHold) { "certificate.held" } else { "certificate.revoked" }
}

/// The problem that responders do not know of a change yet.
pub(super) fn unanswered(error: StatusError) -> Problem {
    let problem = Problem::from(error);
    let message = format!("the status is not published, so responders do not know yet: {problem}");
    Problem { message, ..problem }
}

impl Revocations<'_> {
    /// Checks that an invalidity date has passed: one in the future is a mistake. With a clock that is
    /// behind, a past time seems to be in the future, so the last confirmed time counts too.
    ///
    /// # Errors
    /// Exit status 2 when it has not passed; when the index cannot be read.
    pub fn check_invalidity_date(&self, invalidity_date: Option<UnixTime>) -> Result<(), Problem> {
        let Some(at) = invalidity_date else { return Ok(()) };
        let state = self.engine.clock_state()?;
        if at <= state.now || state.confirmed().is_some_and(|confirmed| at <= confirmed) {
            return Ok(());
        }
        Err(Problem::new(Code::Usage, "the invalidity date lies in the future")
            .hint("it says since when the key is not to be trusted; give a time that has passed"))
    }

    /// Revokes a certificate, or revokes for good one that is on hold. The index has the revocation when this
    /// returns. Publishing the status and the CRL are both tried; their failures do not undo it.
    ///
    /// A wrong clock does not prevent a revocation: nothing may hold one up, and a time that is too early
    /// distrusts more, not less ([`crate::ca::Engine::time_to_distrust`]). With such a clock no CRL is
    /// signed, so the CRL stays outstanding.
    ///
    /// # Errors
    /// When the certificate is revoked already, or the index fails.
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
    /// When it is not on hold, its key is compromised, the CA's CRL revokes it for good, or the index fails.
    pub fn release(&self, record: &CertificateRecord, with_crl: bool) -> Result<Revoked, Problem> {
        let to = self.released(record)?;
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

    /// Records the transition in the index, and publishes nothing.
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

    /// Publishes the status; returns why that failed, or `None`.
    pub(in crate::ca) fn answer(&self) -> Option<Problem> {
        self.engine.publication().publish_status().err().map(unanswered)
    }

    /// Publishes the CRL after the state of a certificate has changed. When the certificate was that of the CA's
    /// responder and is revoked now, the responder gets a new key and certificate: daemons do not use the revoked
    /// one.
    pub(in crate::ca) fn list(
        &self,
        record: CertificateRecord,
        unanswered: Option<Problem>,
        with_crl: bool,
    ) -> Revoked {
        let OwnSignatures { crl, responder } = match with_crl {
            true => self.sign_after(&record.authority, std::slice::from_ref(&record)),
            false => OwnSignatures { crl: Ok(None), responder: Ok(None) },
        };
        let responder = responder.transpose();
        let (crl, owed) = match crl {
            Ok(crl) => (crl, unanswered.clone()),
            Err(problem) => (None, Some(problem)),
        };
        Revoked { record, crl, owed, unanswered, responder }
    }

    /// Publishes the CRL of a CA after the states of these certificates have changed. When one of them was that of the
    /// CA's responder and is revoked, the responder gets a new key and certificate.
    pub(super) fn sign_after(&self, authority: &str, changed: &[CertificateRecord]) -> OwnSignatures {
        let maintenance = self.engine.maintenance();
        let is_lost = changed.iter().any(|one| one.authority == authority && self.is_lost_responder(one));
        match is_lost {
            true => maintenance.crl_and_responder_of(authority),
            false => OwnSignatures { crl: maintenance.crl_of(authority).map(Some), responder: Ok(None) },
        }
    }

    /// Whether a certificate is that of its CA's responder, revoked, and a new one can be made.
    fn is_lost_responder(&self, record: &CertificateRecord) -> bool {
        let engine = self.engine;
        let installed = engine.publication().responder_certificate(&record.authority);
        let is_installed =
            installed.is_some_and(|installed| *installed.tbs().serial_number() == record.id.serial_number);
        let can_issue = || {
            let authority = engine.hierarchy().authority(&record.authority)?;
            engine.hierarchy().check_usable(&authority, engine.now()).map(|_| authority.serves_ocsp)
        };
        is_installed
            && matches!(record.state, CertificateState::Revoked(_))
            && can_issue().is_ok_and(|can| can)
    }
}
