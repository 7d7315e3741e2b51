//! Answers from a file of answers: a function of the request's octets, the file and the time.
//!
//! An answer that was signed beforehand is about one certificate and has no nonce, which RFC 9654 §3 allows. A request that no
//! such answer is for is answered `unauthorized` (RFC 6960 §2.3, RFC 9919 §4.2.3).
use super::record::Record;
use super::store::AnswerStore;
use crate::ocsp::answer::{Answer, Refusal};
use crate::ocsp::cache::AnswerCache;
use crate::ocsp::freshness::Freshness;
use crate::ocsp::request::{OcspRequest, encode_plain};
use crate::ocsp::responder::unavailable;
use crate::ocsp::response::ResponseStatus;
use crate::ocsp::settings::ResponderSettings;
use crate::ocsp::snapshot::Snapshot;
use crate::x509::{CertificateId, CrlReason, UnixTime};

/// Answers a request, whatever its octets are, and caches the answer.
pub(crate) fn answer(
    octets: &[u8],
    snapshot: &Snapshot,
    store: &AnswerStore,
    (settings, cache): (&ResponderSettings, &AnswerCache),
    now: UnixTime,
) -> Answer {
    found(octets, snapshot, store, (settings, cache), now).unwrap_or_else(Answer::from)
}

fn found(
    octets: &[u8],
    snapshot: &Snapshot,
    store: &AnswerStore,
    (settings, cache): (&ResponderSettings, &AnswerCache),
    now: UnixTime,
) -> Result<Answer, Refusal> {
    let request = OcspRequest::from_der(octets, settings.max_cert_ids)
        .map_err(|error| Refusal::new(ResponseStatus::MalformedRequest, error.to_string()))?;
    let none = |reason: &str| Refusal::new(ResponseStatus::Unauthorized, reason.into());
    let [id] = request.cert_ids() else {
        return Err(none("answers that were signed beforehand are about one certificate"));
    };
    let issuer =
        snapshot.issuer(id, now).ok_or_else(|| none("no CertID is of an issuer that is served here"))?;
    let issuer = issuer.authority.issuer;
    let authority = store.description.authority(&issuer).ok_or_else(|| none("the CA is not in the file"))?;
    let mut forms = store.description.forms_of(authority).iter().enumerate();
    let (at, form) =
        forms.find(|(_, form)| form.is_of(id)).ok_or_else(|| none("no answers are for such a CertID"))?;
    let unknown = || none("there is no answer about this serial number");
    let serial = id.serial_number().ok_or_else(unknown)?;
    let record = store.find(authority, serial).map_err(|error| unavailable(false, error.to_string()))?;
    let record = record.ok_or_else(unknown)?;
    let id = CertificateId { issuer, serial_number: serial.clone() };
    check(&record, &id, snapshot, settings, now)?;
    let same = &store.description.responder(record.responder).ok_or_else(unknown)?.same;
    let (id, answer, signature) = record.answer(at, form, same).ok_or_else(unknown)?;
    let state = record.said.state();
    let plain = encode_plain(&id);
    cache.put_stored((&plain, &id), (&answer, signature), (same, &state), snapshot.generation());
    Ok(answer)
}

/// Checks that the answers about a certificate count (O13).
fn check(
    record: &Record,
    id: &CertificateId,
    snapshot: &Snapshot,
    settings: &ResponderSettings,
    now: UnixTime,
) -> Result<(), Refusal> {
    let said = &record.said;
    if is_contradicted(record, id, snapshot) {
        return Err(unavailable(true, format!("a CRL says otherwise of {}", id.serial_number)));
    }
    let freshness = match said.next_update < now {
        true => Freshness::since(said.next_update, settings, now),
        false => Freshness::ahead(said.produced_at, settings, now),
    };
    match freshness {
        Freshness::Current => Ok(()),
        other => {
            let reason = format!("the answer counts from {} to {}", said.produced_at, said.next_update);
            Err(unavailable(other == Freshness::Lapsed, reason))
        }
    }
}

/// Whether the CRL at hand says that a certificate is revoked of which the answers say that it is good or on hold, or that it
/// is on hold of which they say that it is good. A hold may have been taken back since, so it counts only when the CRL is
/// newer than the answers.
fn is_contradicted(record: &Record, id: &CertificateId, snapshot: &Snapshot) -> bool {
    let Some(list) = snapshot.list(&id.issuer) else { return false };
    let is_held = match record.said.revoked {
        None => false,
        Some((_, Some(CrlReason::CertificateHold))) => true,
        Some(_) => return false,
    };
    list.find(&id.serial_number).is_some_and(|entry| match entry.reason {
        Some(CrlReason::RemoveFromCrl) => false,
        Some(CrlReason::CertificateHold) => !is_held && list.this_update() > record.said.this_update,
        _ => true,
    })
}
