//! Revoking, holding, releasing: the index first, then the status, then the CRL.
use super::{Pki, PublishedCrl};
use crate::index::{CertificateRecord, CertificateState, IndexReader, Revocation, Selector, StatusValue};
use crate::problem::{Exit, Problem};
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

/// The certificates that `selector` may mean to somebody who wants to revoke: those of this CA, or of any,
/// that are neither expired nor revoked; with `held`, those on hold in place of those that are valid.
///
/// # Errors
/// When the index cannot be read.
pub fn find_revocable(
    index: &dyn IndexReader,
    selector: &Selector,
    authority: Option<&str>,
    now: UnixTime,
) -> Result<Vec<CertificateRecord>, Problem> {
    let mut found = index.select(selector, 1000)?;
    found.retain(|record| {
        authority.is_none_or(|name| record.authority == name)
            && matches!(record.status(now), StatusValue::Valid | StatusValue::Held | StatusValue::Pending)
    });
    Ok(found)
}

impl Pki<'_> {
    /// Revokes a certificate, or one on hold for good. The index has it when this returns, whatever becomes of
    /// the published status and of the CRL; both are tried.
    ///
    /// It is done with a clock that stands behind the newest record too: nothing may hold a revocation up, and
    /// a time that is too early distrusts more, not less. No list is signed with such a clock, so it is owed.
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
        let now = self.clock.now();
        if invalidity_date.is_some_and(|at| at > now) {
            return Err(Problem::new(Exit::Usage, "usage", "the invalidity date lies in the future")
                .hint("it says since when the key is not to be trusted; give a time that has passed"));
        }
        let to = record.state.revoke(Revocation { revoked_at: now, reason, invalidity_date })?;
        let action = if reason == Some(CrlReason::CertificateHold) {
            "certificate.held"
        } else {
            "certificate.revoked"
        };
        self.transition(record, to, now, action, reason, with_crl)
    }

    /// Lifts the hold on a certificate.
    ///
    /// # Errors
    /// When it is not on hold, or the CA's CRL revokes it for good, or the index fails.
    pub fn release(&self, record: &CertificateRecord, with_crl: bool) -> Result<Revoked, Problem> {
        let to = record.state.release()?;
        self.check_releasable(&record.authority, &record.id)?;
        self.transition(record, to, self.clock.now(), "certificate.released", None, with_crl)
    }

    fn transition(
        &self,
        record: &CertificateRecord,
        to: CertificateState,
        at: UnixTime,
        action: &str,
        reason: Option<CrlReason>,
        with_crl: bool,
    ) -> Result<Revoked, Problem> {
        let object = format!("{}/{}", record.authority, record.id.serial_number);
        let mut event = self.event(at, action, object);
        event.details.push(("subject".into(), record.subject.to_string()));
        if let Some(reason) = reason {
            event.details.push(("reason".into(), reason.to_string()));
        }
        self.index.transition(&record.id, &record.state, &to, event)?;
        let published = self.publish_status();
        let unanswered = published.err().map(|error| {
            let problem = Problem::from(error);
            let message = format!("the status is not published, so responders do not know yet: {problem}");
            Problem { message, ..problem }
        });
        let record = CertificateRecord { state: to, ..record.clone() };
        let list = || {
            let signer = self.unlock_for_crl(&record.authority)?;
            self.publish_crl(&record.authority, &signer)
        };
        let (crl, owed) = match with_crl.then(list).transpose() {
            Ok(crl) => (crl, unanswered.clone()),
            Err(problem) => (None, Some(problem)),
        };
        Ok(Revoked { record, crl, owed, unanswered })
    }
}
