//! Decides and signs answers: a function of the request's octets, the published status, the responders and the time.
//!
//! An answer has one signature and so one responder: that of the CA that the first CertID with a known issuer names.
//! CertIDs of other CAs in the same request are answered `unknown`. Clients ask about one certificate of a chain at a
//! time, and TLS staples one answer for each certificate.
use super::answer::{Answer, Life, Refusal, Tag};
use super::cache::AnswerCache;
use super::cert_id::CertId;
use super::delegate::DelegatedResponder;
use super::freshness::Freshness;
use super::oid;
use super::request::{OcspRequest, nonce_extension};
use super::response::{ResponseStatus, Surroundings};
use super::response_data::{CertStatus, DataParts, SingleResponse, put_extensions};
use super::settings::{NonceHandling, NotIssued, ResponderSettings};
use super::snapshot::{Generation, ServedIssuer, Snapshot};
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
    generation: Generation,
    responder: Arc<DelegatedResponder>,
    /// Whether the client's preferences chose another responder than all others get.
    is_preferred: bool,
    entries: Vec<(CertId, CertificateStanding)>,
    nonce: Option<Vec<u8>>,
    /// Time at which the status was known to be true.
    status_time: UnixTime,
    archive_cutoff: Option<UnixTime>,
    /// The earliest end of the CA and of those certificates that have not ended; no answer outlasts it.
    ends: UnixTime,
}

/// A signed answer, and what it was put together of.
pub(crate) struct Signed {
    pub(super) answer: Answer,
    pub(super) signature: Vec<u8>,
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
    if let Some(answer) = cache.and_then(|cache| cache.at_once(octets, snapshot, settings, now)) {
        return answer;
    }
    let plan = match plan(octets, snapshot, settings, now) {
        Ok(plan) => plan,
        Err(refusal) => return refusal.into(),
    };
    if let Some(answer) = cache.and_then(|cache| cache.get(&plan, now)) {
        return answer;
    }
    plan.sign(settings, cache, now)
}

/// Decides the answer and the responder that signs it.
///
/// # Errors
/// When the answer needs no signature.
pub fn plan(
    octets: &[u8],
    snapshot: &Snapshot,
    settings: &ResponderSettings,
    now: UnixTime,
) -> Result<Plan, Refusal> {
    let request = OcspRequest::from_der(octets, settings.max_cert_ids)
        .map_err(|error| Refusal::new(ResponseStatus::MalformedRequest, error.to_string()))?;
    let Some(status) = snapshot.status() else {
        let since = snapshot.unreadable_since().unwrap_or(now);
        let passes = now.0.saturating_sub(since.0) <= settings.patience;
        return Err(unavailable(passes, "there is no status".into()));
    };
    let issuer = request.cert_ids().iter().find_map(|id| snapshot.issuer(id, now)).ok_or_else(|| {
        Refusal::new(ResponseStatus::Unauthorized, "no CertID is of an issuer that is served here".into())
    })?;
    let freshness = Freshness::of(status.time(), settings, now);
    if freshness != Freshness::Current {
        let reason = format!("the status is of {}", status.time());
        return Err(unavailable(freshness == Freshness::Lapsed, reason));
    }
    let (responder, is_preferred) = choose_responder(issuer, &request, settings, now)?;
    let mut entries = Vec::with_capacity(request.cert_ids().len());
    let validity = issuer.authority.certificate.tbs().validity();
    let mut ends = validity.not_after;
    for id in request.cert_ids() {
        let is_of_issuer =
            snapshot.issuer(id, now).is_some_and(|of| of.authority.issuer == issuer.authority.issuer);
        let standing = if is_of_issuer {
            let (standing, end) = standing(id, issuer.authority.issuer, snapshot)?;
            ends = end.filter(|end| *end >= now).map_or(ends, |end| ends.min(end));
            standing
        } else {
            CertificateStanding::Elsewhere
        };
        entries.push((id.clone(), standing));
    }
    Ok(Plan {
        generation: snapshot.generation(),
        responder,
        is_preferred,
        entries,
        nonce: request.nonce().filter(|_| settings.nonce == NonceHandling::Echo).map(<[u8]>::to_vec),
        status_time: status.time().min(now),
        archive_cutoff: settings.archive_cutoff.map(|length| now.plus(-length).max(validity.not_before)),
        ends,
    })
}

pub(super) fn unavailable(passes: bool, reason: String) -> Refusal {
    let status = if passes { ResponseStatus::TryLater } else { ResponseStatus::InternalError };
    Refusal::new(status, reason)
}

/// Returns a valid responder whose algorithm the client prefers, else the first valid one (O10, O13), and whether it is
/// another than the first.
fn choose_responder(
    issuer: &ServedIssuer,
    request: &OcspRequest,
    settings: &ResponderSettings,
    now: UnixTime,
) -> Result<(Arc<DelegatedResponder>, bool), Refusal> {
    let signing_with =
        |algorithm| issuer.valid_responders(now).find(|one| one.signer().algorithm() == algorithm);
    let preferred = request.preferred_algorithms().iter().find_map(|algorithm| signing_with(*algorithm));
    if let Some(first) = issuer.valid_responders(now).next() {
        let chosen = preferred.unwrap_or(first);
        return Ok((Arc::clone(chosen), !Arc::ptr_eq(chosen, first)));
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
) -> Result<(CertificateStanding, Option<UnixTime>), Refusal> {
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

    /// Whether the client's preferences chose another responder than all others get.
    #[must_use]
    pub(crate) fn is_preferred(&self) -> bool {
        self.is_preferred
    }

    /// What tells the snapshot from which this was decided from all others.
    #[must_use]
    pub(crate) fn generation(&self) -> Generation {
        self.generation
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

    /// Whether the answer may be kept for other clients. It is about one certificate, as clients are to ask (RFC 9919 §5):
    /// with several, a few certificates would make up any number of answers to be kept.
    #[must_use]
    pub(crate) fn is_for_many(&self) -> bool {
        !self.has_nonce() && self.entries.len() == 1 && self.is_all_recorded()
    }

    /// Whether the certificates of all CertIDs are on record.
    #[must_use]
    pub(crate) fn is_all_recorded(&self) -> bool {
        self.entries.iter().all(|(_, standing)| matches!(standing, CertificateStanding::Recorded(_)))
    }

    /// Signs the answer at `now`, and caches it. A key that fails gives `internalError`.
    #[must_use]
    pub fn sign(&self, settings: &ResponderSettings, cache: Option<&AnswerCache>, now: UnixTime) -> Answer {
        match self.signed(settings, now) {
            Ok(signed) => {
                if let Some(cache) = cache {
                    cache.put(self, &signed);
                }
                signed.answer
            }
            Err(refusal) => refusal.into(),
        }
    }

    fn signed(&self, settings: &ResponderSettings, now: UnixTime) -> Result<Signed, Refusal> {
        let length = match self.is_all_recorded() {
            true => settings.next_update,
            false => settings.next_update.min(ResponderSettings::UNKNOWN_LIFE),
        };
        let validity = self.responder.certificate().tbs().validity();
        let next_update = now.plus(length).min(validity.not_after).min(self.ends);
        let responses: Vec<SingleResponse> =
            self.entries.iter().map(|entry| self.single(entry, settings, now, next_update)).collect();
        let this_update = responses.iter().map(|single| single.this_update).max().unwrap_or(now);
        let life = Life { is_for_one: self.has_nonce(), ..Life::new(this_update, now, next_update) };
        let mut extensions: Vec<Extension> = self.nonce.iter().map(|nonce| nonce_extension(nonce)).collect();
        let denies =
            |(_, standing): &(CertId, CertificateStanding)| *standing == CertificateStanding::NotIssued;
        if settings.not_issued == NotIssued::Revoked && self.entries.iter().any(denies) {
            extensions.push(Extension::new(oid::EXTENDED_REVOKE, false, tlv(0x05, &[])));
        }
        let octets = self.responder.octets();
        let afters: Vec<Vec<u8>> = responses.iter().map(SingleResponse::after_cert_id).collect();
        let ids = self.entries.iter().map(|(id, _)| id.as_der());
        let data = DataParts {
            responder_id: &octets.responder_id,
            produced_at: now,
            singles: ids.zip(afters.iter().map(Vec::as_slice)),
            extensions: &put_extensions(&extensions),
        };
        let tbs = data.encoded();
        match self.responder.signer().sign(&tbs) {
            Ok(signature) => {
                let (algorithm, certificates) = (&*octets.algorithm, octets.certificates.len());
                let around = Surroundings { algorithm, signature: &signature, certificates };
                let own = around.around(tbs.as_der().len(), |out| out.extend_from_slice(tbs.as_der()));
                let tag = Tag::of(&signature, &octets.fingerprint);
                Ok(Signed { answer: Answer::signed(own, octets, life, tag), signature })
            }
            Err(error) => Err(Refusal::new(ResponseStatus::InternalError, error.to_string())),
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
