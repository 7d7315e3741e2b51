//! Decides and signs answers: a function of the request's octets, the published status, the responders and the time.
//!
//! An answer has one signature and so one responder: that of the CA that the first CertID with a known issuer names.
//! CertIDs of other CAs in the same request are answered `unknown`. Clients ask about one certificate of a chain at a
//! time, and TLS staples one answer for each certificate.
use super::answer::{Answer, Life};
use super::cache::AnswerCache;
use super::cert_id::CertId;
use super::delegate::DelegatedResponder;
use super::freshness::Freshness;
use super::oid;
use super::request::{OcspRequest, nonce_extension};
use super::response::{ResponseStatus, encode_response};
use super::response_data::{CertStatus, ResponseData, SingleResponse};
use super::settings::{NonceHandling, NotIssued, ResponderSettings};
use super::snapshot::{ServedIssuer, Snapshot};
use crate::index::{CertificateState, StoreError};
use crate::status::{StatusEntry, StatusError};
use crate::x509::octets::tlv;
use crate::x509::{CertificateId, CrlReason, Extension, IssuerId, UnixTime};
use std::sync::Arc;

/// What is on record about the certificate that a CertID identifies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CertificateStanding {
    /// The responder's CA issued or revoked the certificate.
    Recorded(CertificateState),
    /// The responder's CA never assigned the serial number, or its certificate does not exist yet.
    NotIssued,
    /// The CertID names another CA, known or unknown.
    Elsewhere,
}

/// An answer that is decided and not signed yet.
#[derive(Clone, Debug)]
pub struct Plan {
    responder: Arc<DelegatedResponder>,
    entries: Vec<(CertId, CertificateStanding)>,
    nonce: Option<Vec<u8>>,
    /// Time at which the status was known to be true.
    status_time: UnixTime,
    archive_cutoff: Option<UnixTime>,
    /// The earliest end of the certificates that have not ended; no answer outlasts it.
    ends: Option<UnixTime>,
}

/// Answers a request, whatever its octets are.
#[must_use]
pub fn answer(
    octets: &[u8],
    snapshot: &Snapshot,
    settings: &ResponderSettings,
    cache: Option<&AnswerCache>,
    now: UnixTime,
) -> Answer {
    let plan = match plan(octets, snapshot, settings, now) {
        Ok(plan) => plan,
        Err(refusal) => return refusal,
    };
    if let Some(answer) = cache.and_then(|cache| cache.get(&plan, now)) {
        return answer;
    }
    let answer = plan.sign(settings, now);
    if let Some(cache) = cache {
        cache.put(&plan, &answer);
    }
    answer
}

/// Decides the answer and the responder that signs it.
///
/// # Errors
/// The answer, when it needs no signature.
pub fn plan(
    octets: &[u8],
    snapshot: &Snapshot,
    settings: &ResponderSettings,
    now: UnixTime,
) -> Result<Plan, Answer> {
    let request = OcspRequest::from_der(octets, settings.max_cert_ids)
        .map_err(|error| Answer::refused(ResponseStatus::MalformedRequest, error.to_string()))?;
    let Some(status) = snapshot.status() else {
        let since = snapshot.unreadable_since().unwrap_or(now);
        let passes = now.0.saturating_sub(since.0) <= settings.patience;
        return Err(unavailable(passes, "there is no status".into()));
    };
    let issuer = request.cert_ids().iter().find_map(|id| snapshot.issuer(id, now)).ok_or_else(|| {
        Answer::refused(ResponseStatus::Unauthorized, "no CertID is of an issuer that is served here".into())
    })?;
    let freshness = Freshness::of(status.time(), settings, now);
    if freshness != Freshness::Current {
        let reason = format!("the status is of {}", status.time());
        return Err(unavailable(freshness == Freshness::Lapsed, reason));
    }
    let responder = choose_responder(issuer, &request, settings, now)?;
    let mut entries = Vec::with_capacity(request.cert_ids().len());
    let mut ends: Option<UnixTime> = None;
    for id in request.cert_ids() {
        let is_of_issuer =
            snapshot.issuer(id, now).is_some_and(|of| of.authority.issuer == issuer.authority.issuer);
        let standing = if is_of_issuer {
            let (standing, end) = standing(id, issuer.authority.issuer, snapshot)?;
            let end = end.filter(|end| *end >= now);
            ends = ends.into_iter().chain(end).min();
            standing
        } else {
            CertificateStanding::Elsewhere
        };
        entries.push((id.clone(), standing));
    }
    let began = issuer.authority.certificate.tbs().validity().not_before;
    Ok(Plan {
        responder,
        entries,
        nonce: request.nonce().filter(|_| settings.nonce == NonceHandling::Echo).map(<[u8]>::to_vec),
        status_time: status.time().min(now),
        archive_cutoff: settings.archive_cutoff.map(|length| now.plus(-length).max(began)),
        ends,
    })
}

fn unavailable(passes: bool, reason: String) -> Answer {
    let status = if passes { ResponseStatus::TryLater } else { ResponseStatus::InternalError };
    Answer::refused(status, reason)
}

/// Returns a valid responder whose algorithm the client prefers, else the first valid one (O10, O13).
fn choose_responder(
    issuer: &ServedIssuer,
    request: &OcspRequest,
    settings: &ResponderSettings,
    now: UnixTime,
) -> Result<Arc<DelegatedResponder>, Answer> {
    let signing_with =
        |algorithm| issuer.valid_responders(now).find(|one| one.signer().algorithm() == algorithm);
    let preferred = request.preferred_algorithms().iter().find_map(|algorithm| signing_with(*algorithm));
    if let Some(responder) = preferred.or_else(|| issuer.valid_responders(now).next()) {
        return Ok(Arc::clone(responder));
    }
    let name = &issuer.authority.name;
    // one that is revoked is replaced soon
    let passes = issuer.is_withdrawn
        || issuer.responders.iter().any(|responder| {
            let validity = responder.certificate().tbs().validity();
            let beyond = now.0.saturating_sub(validity.not_after.0);
            let ahead = validity.not_before.0.saturating_sub(now.0);
            beyond.max(ahead) <= settings.patience
        });
    Err(unavailable(passes, format!("{name} has no valid responder certificate")))
}

/// Returns what is on record about a certificate, and its end.
fn standing(
    id: &CertId,
    issuer: IssuerId,
    snapshot: &Snapshot,
) -> Result<(CertificateStanding, Option<UnixTime>), Answer> {
    let Some(serial_number) = id.serial_number() else { return Ok((CertificateStanding::NotIssued, None)) };
    let id = CertificateId { issuer, serial_number: serial_number.clone() };
    match snapshot.entry(&id) {
        Ok(Some(StatusEntry { state: CertificateState::Pending, .. }) | None) => {
            Ok((CertificateStanding::NotIssued, None))
        }
        Ok(Some(StatusEntry { state, not_after })) => Ok((CertificateStanding::Recorded(state), not_after)),
        Err(error) => {
            Err(unavailable(matches!(error, StatusError::Store(StoreError::Busy)), error.to_string()))
        }
    }
}

impl Plan {
    /// The responder that signs the answer.
    #[must_use]
    pub fn responder(&self) -> &Arc<DelegatedResponder> {
        &self.responder
    }

    /// CertIDs in the order of the request, and what is on record about each.
    #[must_use]
    pub fn entries(&self) -> &[(CertId, CertificateStanding)] {
        &self.entries
    }

    /// Whether the answer repeats a nonce, and so is for one request only.
    #[must_use]
    pub(crate) fn has_nonce(&self) -> bool {
        self.nonce.is_some()
    }

    /// Whether the certificates of all CertIDs are on record.
    #[must_use]
    pub(crate) fn is_all_recorded(&self) -> bool {
        self.entries.iter().all(|(_, standing)| matches!(standing, CertificateStanding::Recorded(_)))
    }

    /// Signs the answer at `now`. A key that fails gives `internalError`.
    #[must_use]
    pub fn sign(&self, settings: &ResponderSettings, now: UnixTime) -> Answer {
        let length = match self.is_all_recorded() {
            true => settings.next_update,
            false => settings.next_update.min(ResponderSettings::UNKNOWN_LIFE),
        };
        let validity = self.responder.certificate().tbs().validity();
        let ends = self.ends.unwrap_or(validity.not_after);
        let next_update = now.plus(length).min(validity.not_after).min(ends);
        let responses: Vec<SingleResponse> =
            self.entries.iter().map(|entry| self.single(entry, settings, now, next_update)).collect();
        let life = Life {
            this_update: responses.iter().map(|single| single.this_update).max().unwrap_or(now),
            produced_at: now,
            next_update,
            refresh_at: now.plus(next_update.0.saturating_sub(now.0) / 2),
            is_for_one: self.has_nonce(),
        };
        let mut extensions: Vec<Extension> = self.nonce.iter().map(|nonce| nonce_extension(nonce)).collect();
        let denies =
            |(_, standing): &(CertId, CertificateStanding)| *standing == CertificateStanding::NotIssued;
        if settings.not_issued == NotIssued::Revoked && self.entries.iter().any(denies) {
            extensions.push(Extension::new(oid::EXTENDED_REVOKE, false, tlv(0x05, &[])));
        }
        let responder_id = self.responder.responder_id();
        let tbs = ResponseData { responder_id, produced_at: now, responses, extensions }.encoded();
        let signer = self.responder.signer();
        match signer.sign(&tbs) {
            Ok(signature) => {
                let certificate = self.responder.certificate();
                Answer::signed(
                    encode_response(tbs.as_der(), signer.algorithm(), &signature, certificate),
                    life,
                )
            }
            Err(error) => Answer::refused(ResponseStatus::InternalError, error.to_string()),
        }
    }

    fn single(
        &self,
        (cert_id, standing): &(CertId, CertificateStanding),
        settings: &ResponderSettings,
        now: UnixTime,
        next_update: UnixTime,
    ) -> SingleResponse {
        let mut this_update = self.status_time.plus(-settings.backdate);
        let status = match standing {
            CertificateStanding::Recorded(CertificateState::Revoked(revocation)) => {
                // thisUpdate cannot lie before a revocation that the answer states
                this_update = this_update.max(revocation.revoked_at.min(now));
                let reason = revocation.reason.filter(|reason| *reason != CrlReason::Unspecified);
                CertStatus::Revoked { at: revocation.revoked_at, reason }
            }
            CertificateStanding::Recorded(CertificateState::Issued) => CertStatus::Good,
            CertificateStanding::NotIssued if settings.not_issued == NotIssued::Revoked => {
                CertStatus::Revoked { at: UnixTime(0), reason: Some(CrlReason::CertificateHold) }
            }
            CertificateStanding::Recorded(CertificateState::Pending)
            | CertificateStanding::NotIssued
            | CertificateStanding::Elsewhere => CertStatus::Unknown,
        };
        let cutoff = self.archive_cutoff.filter(|_| matches!(standing, CertificateStanding::Recorded(_)));
        let extensions =
            cutoff.map(|at| Extension::new(oid::ARCHIVE_CUTOFF, false, at.to_generalized_der())).into_iter();
        SingleResponse {
            cert_id: cert_id.clone(),
            status,
            this_update,
            next_update: Some(next_update),
            extensions: extensions.collect(),
        }
    }
}

#[cfg(test)]
#[path = "responder_tests.rs"]
mod tests;
