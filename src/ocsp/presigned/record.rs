//! The record of a certificate: what its signed answers say, and their signatures; pure.
//!
//! ```text
//! record   serial       its number of octets, 1 octet; octets
//!          marks        1 octet     1 revoked, 2 with a reason, 4 with an archiveCutoff
//!          responder    2 octets    number of the responder that signed
//!          notAfter     8 octets    seconds since 1970, as all times
//!          producedAt   8 octets
//!          before       4 octets    seconds from thisUpdate to producedAt
//!          length       4 octets    seconds from producedAt to nextUpdate
//!          revocation   9 octets    if revoked: revocationTime; the reason, 0 without one
//!          cutoff       8 octets    if there is one
//!          signatures   their number, 1 octet; each with its number of octets in 2 octets
//! ```
use super::{IssuerForm, Malformed, take, take_array};
use crate::index::{CertificateState, Revocation};
use crate::ocsp::answer::{Answer, Life, Tag};
use crate::ocsp::cert_id::CertId;
use crate::ocsp::delegate::SameInAll;
use crate::ocsp::oid;
use crate::ocsp::response::Surroundings;
use crate::ocsp::response_data::{CertStatus, DataParts, SingleResponse};
use crate::signing::EncodedResponseData;
use crate::x509::{CrlReason, Extension, MalformedDer, SerialNumber, UnixTime};

const REVOKED: u8 = 1;
const HAS_REASON: u8 = 2;
const HAS_CUTOFF: u8 = 4;

/// What the answers about a certificate say, whatever CertID they are to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Said {
    pub(super) serial: SerialNumber,
    /// revocationTime and reason; `None` for a good certificate.
    pub(super) revoked: Option<(UnixTime, Option<CrlReason>)>,
    pub(super) not_after: UnixTime,
    pub(super) this_update: UnixTime,
    pub(super) produced_at: UnixTime,
    pub(super) next_update: UnixTime,
    pub(super) archive_cutoff: Option<UnixTime>,
}

/// The answers about a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Record {
    pub(super) said: Said,
    /// Number of the responder.
    pub(super) responder: u16,
    /// One for each [`IssuerForm`].
    pub(super) signatures: Vec<Vec<u8>>,
}

impl Said {
    pub(super) fn state(&self) -> CertificateState {
        match self.revoked {
            None => CertificateState::Issued,
            Some((revoked_at, reason)) => {
                CertificateState::Revoked(Revocation { revoked_at, reason, invalidity_date: None })
            }
        }
    }

    pub(super) fn life(&self) -> Life {
        Life::new(self.this_update, self.produced_at, self.next_update)
    }

    /// Encodes what follows the CertID in a SingleResponse.
    fn after_cert_id(&self, id: CertId) -> Vec<u8> {
        let status = match self.revoked {
            None => CertStatus::Good,
            Some((at, reason)) => {
                CertStatus::Revoked { at, reason: reason.filter(|reason| *reason != CrlReason::Unspecified) }
            }
        };
        let cutoff = self.archive_cutoff;
        let cutoff = cutoff.map(|at| Extension::new(oid::ARCHIVE_CUTOFF, false, at.to_generalized_der()));
        SingleResponse {
            cert_id: id,
            status,
            this_update: self.this_update,
            next_update: Some(self.next_update),
            extensions: cutoff.into_iter().collect(),
        }
        .after_cert_id()
    }

    /// Returns the CertID of this form, and what is signed for it.
    ///
    /// # Errors
    /// Never for a serial number that a certificate has.
    pub(super) fn data(
        &self,
        form: &IssuerForm,
        same: &SameInAll,
    ) -> Result<(Vec<u8>, EncodedResponseData), MalformedDer> {
        let id = form.cert_id(&self.serial);
        let after = self.after_cert_id(CertId::from_der(&id)?);
        let data = DataParts {
            responder_id: &same.responder_id,
            produced_at: self.produced_at,
            singles: std::iter::once((id.as_slice(), after.as_slice())),
            extensions: &[],
        };
        let data = data.encoded();
        Ok((id, data))
    }
}

impl Record {
    /// Returns the answer to a CertID of the form with this number, and the encoded CertID; `None` when there is none.
    pub(super) fn answer(
        &self,
        at: usize,
        form: &IssuerForm,
        same: &SameInAll,
    ) -> Option<(Vec<u8>, Answer, usize)> {
        let signature = self.signatures.get(at)?;
        let (id, data) = self.said.data(form, same).ok()?;
        let around =
            Surroundings { algorithm: &same.algorithm, signature, certificates: same.certificates.len() };
        let data = data.as_der();
        let own = around.around(data.len(), |out| out.extend_from_slice(data));
        let answer = Answer::signed(own, same, self.said.life(), Tag::of(signature, &same.fingerprint));
        Some((id, answer, signature.len()))
    }

    /// When answers are to be signed again: not all at one time.
    pub(super) fn refresh_at(&self, same: &SameInAll) -> UnixTime {
        let signature = self.signatures.first().map(Vec::as_slice).unwrap_or_default();
        self.said.life().spread(Tag::of(signature, &same.fingerprint).share()).refresh_at
    }

    /// Appends the octets of the record.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let said = &self.said;
        let serial = said.serial.as_be_octets();
        out.push(u8::try_from(serial.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(serial);
        let has_reason = said.revoked.is_some_and(|(_, reason)| reason.is_some());
        let mark = |is_so: bool, mark: u8| if is_so { mark } else { 0 };
        out.push(
            mark(said.revoked.is_some(), REVOKED)
                | mark(has_reason, HAS_REASON)
                | mark(said.archive_cutoff.is_some(), HAS_CUTOFF),
        );
        out.extend(self.responder.to_be_bytes());
        out.extend(said.not_after.0.to_be_bytes());
        out.extend(said.produced_at.0.to_be_bytes());
        let seconds = |from: UnixTime, to: UnixTime| {
            u32::try_from(to.0.saturating_sub(from.0)).unwrap_or_default().to_be_bytes()
        };
        out.extend(seconds(said.this_update, said.produced_at));
        out.extend(seconds(said.produced_at, said.next_update));
        if let Some((at, reason)) = said.revoked {
            out.extend(at.0.to_be_bytes());
            out.push(reason.map_or(0, CrlReason::number));
        }
        out.extend(said.archive_cutoff.map(|at| at.0.to_be_bytes()).into_iter().flatten());
        out.push(u8::try_from(self.signatures.len()).unwrap_or(u8::MAX));
        for signature in &self.signatures {
            out.extend(u16::try_from(signature.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(signature);
        }
    }

    /// Takes a record from the beginning.
    pub(super) fn take(octets: &mut &[u8]) -> Result<Self, Malformed> {
        let [length] = take_array(octets)?;
        let length = usize::from(length);
        let serial = SerialNumber::from_be_octets(take(octets, length)?).map_err(|_| Malformed)?;
        if serial.as_be_octets().len() != length {
            return Err(Malformed);
        }
        let [marks] = take_array(octets)?;
        let responder = u16::from_be_bytes(take_array(octets)?);
        let not_after = take_time(octets)?;
        let produced_at = take_time(octets)?;
        let before = i64::from(u32::from_be_bytes(take_array(octets)?));
        let length = i64::from(u32::from_be_bytes(take_array(octets)?));
        let revoked = match marks & REVOKED {
            0 => None,
            _ => {
                let (at, [reason]) = (take_time(octets)?, take_array(octets)?);
                let reason = match marks & HAS_REASON {
                    0 => None,
                    _ => Some(CrlReason::from_number(reason).ok_or(Malformed)?),
                };
                Some((at, reason))
            }
        };
        let archive_cutoff = if marks & HAS_CUTOFF == 0 { None } else { Some(take_time(octets)?) };
        let [count] = take_array(octets)?;
        let mut signatures = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let length = usize::from(u16::from_be_bytes(take_array(octets)?));
            signatures.push(take(octets, length)?.to_vec());
        }
        let said = Said {
            serial,
            revoked,
            not_after,
            this_update: produced_at.plus(-before),
            produced_at,
            next_update: produced_at.plus(length),
            archive_cutoff,
        };
        Ok(Self { said, responder, signatures })
    }
}

fn take_time(octets: &mut &[u8]) -> Result<UnixTime, Malformed> {
    Ok(UnixTime(i64::from_be_bytes(take_array(octets)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::NOW;

    pub(super) fn record(serial: u8, revoked: Option<(UnixTime, Option<CrlReason>)>) -> Record {
        let said = Said {
            serial: SerialNumber::from_be_octets(&[serial]).unwrap(),
            revoked,
            not_after: NOW.plus_days(9),
            this_update: NOW.plus(-300),
            produced_at: NOW,
            next_update: NOW.plus(3600),
            archive_cutoff: None,
        };
        Record { said, responder: 3, signatures: vec![vec![7; 71], Vec::new()] }
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_one_that_is_cut_short_is_none() {
        let at = NOW.plus(-50);
        let mut cutoff = record(200, None);
        cutoff.said.archive_cutoff = Some(NOW.plus_days(-90));
        for record in [
            record(2, None),
            record(3, Some((at, None))),
            record(4, Some((at, Some(CrlReason::Unspecified)))),
            record(5, Some((at, Some(CrlReason::KeyCompromise)))),
            cutoff,
        ] {
            let mut octets = Vec::new();
            record.put(&mut octets);
            let mut left = &*octets;
            assert_eq!(Record::take(&mut left), Ok(record));
            assert!(left.is_empty());
            for length in 0..octets.len() {
                assert_eq!(Record::take(&mut &octets[..length]), Err(Malformed), "{length}");
            }
        }
    }
}
