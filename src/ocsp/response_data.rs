//! `ResponseData` (RFC 6960 §4.2.1): what a responder signs.
use super::cert_id::CertId;
use super::oid;
use super::request::distinct_extensions;
use crate::signing::EncodedResponseData;
use crate::x509::octets::{OCTET_STRING, SEQUENCE, contents_of, length_with_header, put_header, tlv};
use crate::x509::{Certificate, CrlReason, Extension, MalformedDer, Name, UnixTime};
use der::asn1::{AnyRef, GeneralizedTime, OctetStringRef};
use der::{Decode, Reader, SliceReader};
use std::fmt;

/// `CertStatus`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CertStatus {
    /// The certificate is issued and not revoked.
    Good,
    /// The certificate is revoked or on hold.
    Revoked {
        /// `revocationTime`
        at: UnixTime,
        /// `revocationReason`
        reason: Option<CrlReason>,
    },
    /// The responder does not know the certificate.
    Unknown,
}

/// Writes `good`, `revoked` or `unknown`.
impl fmt::Display for CertStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Revoked { .. } => "revoked",
            Self::Unknown => "unknown",
        })
    }
}

/// `ResponderID`
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ResponderId {
    /// The subject of the responder's certificate.
    ByName(Name),
    /// SHA-1 of the responder's public key, 20 octets.
    ByKey(Vec<u8>),
}

impl ResponderId {
    /// Whether the ID names the subject or the key of this certificate.
    #[must_use]
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::ByName(name) => name.is_same_as(certificate.tbs().subject()),
            Self::ByKey(hash) => *hash == certificate.tbs().public_key().key_hash(),
        }
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        match self {
            Self::ByName(name) => tlv(0xa1, name.as_der()),
            Self::ByKey(hash) => tlv(0xa2, &tlv(OCTET_STRING, hash)),
        }
    }

    fn from_der(element: &[u8]) -> Result<Self, MalformedDer> {
        if element.first() == Some(&0xa1) {
            return Ok(Self::ByName(Name::from_der(contents_of(element, 0xa1)?)?));
        }
        let hash = <&OctetStringRef>::from_der(contents_of(element, 0xa2)?)?;
        Ok(Self::ByKey(hash.as_bytes().to_vec()))
    }
}

/// `SingleResponse`
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SingleResponse {
    /// `certID`
    pub cert_id: CertId,
    /// `certStatus`
    pub status: CertStatus,
    /// `thisUpdate`
    pub this_update: UnixTime,
    /// `nextUpdate`
    pub next_update: Option<UnixTime>,
    /// `singleExtensions`
    pub extensions: Vec<Extension>,
}

impl SingleResponse {
    /// Encodes what follows the CertID: status, times and extensions.
    pub(super) fn after_cert_id(&self) -> Vec<u8> {
        let status = match self.status {
            CertStatus::Good => tlv(0x80, &[]),
            CertStatus::Unknown => tlv(0x82, &[]),
            CertStatus::Revoked { at, reason } => {
                let reason = reason.map(|reason| tlv(0xa0, &[0x0a, 1, reason.number()])).unwrap_or_default();
                tlv(0xa1, &[at.to_generalized_der(), reason].concat())
            }
        };
        let next = self.next_update.map(|at| tlv(0xa0, &at.to_generalized_der())).unwrap_or_default();
        let extensions = put_extensions(&self.extensions);
        [status, self.this_update.to_generalized_der(), next, extensions].concat()
    }

    fn read(fields: &mut SliceReader<'_>) -> Result<Self, MalformedDer> {
        let cert_id = CertId::from_der(fields.tlv_bytes()?)?;
        let status = fields.tlv_bytes()?;
        let status = match status.first() {
            Some(0x80) if status.len() == 2 => CertStatus::Good,
            Some(0x82) if status.len() == 2 => CertStatus::Unknown,
            _ => read_revoked(contents_of(status, 0xa1)?)?,
        };
        let this_update = read_generalized(fields)?;
        let mut next_update = None;
        if fields.peek_byte() == Some(0xa0) {
            let mut inner = SliceReader::new(contents_of(fields.tlv_bytes()?, 0xa0)?)?;
            next_update = Some(read_generalized(&mut inner)?);
            inner.finish()?;
        }
        let extensions = read_extensions(fields)?;
        Ok(Self { cert_id, status, this_update, next_update, extensions })
    }
}

/// The encoded elements of a `ResponseData`.
pub(super) struct DataParts<'a, I> {
    /// `responderID`
    pub(super) responder_id: &'a [u8],
    /// `producedAt`
    pub(super) produced_at: UnixTime,
    /// The CertID of each `SingleResponse`, and what follows it there.
    pub(super) singles: I,
    /// `responseExtensions`; empty when there are none.
    pub(super) extensions: &'a [u8],
}

impl<'a, I: Iterator<Item = (&'a [u8], &'a [u8])> + Clone> DataParts<'a, I> {
    fn singles_length(&self) -> usize {
        self.singles.clone().map(|(id, after)| length_with_header(id.len() + after.len())).sum()
    }

    fn contents_length(&self) -> usize {
        let singles = length_with_header(self.singles_length());
        self.responder_id.len() + UnixTime::GENERALIZED_LENGTH + singles + self.extensions.len()
    }

    /// Number of octets of the encoding.
    pub(super) fn length(&self) -> usize {
        length_with_header(self.contents_length())
    }

    /// Returns the encoding that is signed.
    pub(super) fn encoded(&self) -> EncodedResponseData {
        let mut out = Vec::with_capacity(self.length());
        self.put(&mut out);
        EncodedResponseData::new(out)
    }

    /// Appends the encoding. The version is v1, the default, and so omitted.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_header(out, SEQUENCE, self.contents_length());
        out.extend_from_slice(self.responder_id);
        self.produced_at.put_generalized(out);
        put_header(out, SEQUENCE, self.singles_length());
        for (id, after) in self.singles.clone() {
            put_header(out, SEQUENCE, id.len() + after.len());
            out.extend_from_slice(id);
            out.extend_from_slice(after);
        }
        out.extend_from_slice(self.extensions);
    }
}

/// `ResponseData`: what a responder signs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResponseData {
    /// `responderID`
    pub responder_id: ResponderId,
    /// `producedAt`
    pub produced_at: UnixTime,
    /// `responses`
    pub responses: Vec<SingleResponse>,
    /// `responseExtensions`
    pub extensions: Vec<Extension>,
}

impl ResponseData {
    /// DER octets that are signed.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let afters: Vec<Vec<u8>> = self.responses.iter().map(SingleResponse::after_cert_id).collect();
        let parts = DataParts {
            responder_id: &self.responder_id.to_der(),
            produced_at: self.produced_at,
            singles: self
                .responses
                .iter()
                .map(|one| one.cert_id.as_der())
                .zip(afters.iter().map(Vec::as_slice)),
            extensions: &put_extensions(&self.extensions),
        };
        parts.encoded().as_der().to_vec()
    }

    pub(super) fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let mut reader = SliceReader::new(octets)?;
        let data = reader.sequence(|fields| {
            let mut element = fields.tlv_bytes()?;
            if element.first() == Some(&0xa0) {
                if u8::from_der(contents_of(element, 0xa0)?)? != 0 {
                    return Err(MalformedDer::new("ResponseData", "the version is not v1"));
                }
                element = fields.tlv_bytes()?;
            }
            let responder_id = ResponderId::from_der(element)?;
            let produced_at = read_generalized(fields)?;
            let responses = fields.sequence(|list| {
                let mut out = Vec::new();
                while !list.is_finished() {
                    out.push(list.sequence(SingleResponse::read)?);
                }
                Ok::<_, MalformedDer>(out)
            })?;
            let extensions = read_extensions(fields)?;
            Ok(Self { responder_id, produced_at, responses, extensions })
        })?;
        reader.finish()?;
        Ok(data)
    }

    /// The nonce; `None` when it is absent or malformed.
    #[must_use]
    pub fn nonce(&self) -> Option<Vec<u8>> {
        let extension = self.extensions.iter().find(|extension| extension.oid == oid::NONCE)?;
        <&OctetStringRef>::from_der(&extension.value).ok().map(|nonce| nonce.as_bytes().to_vec())
    }
}

pub(super) fn put_extensions(extensions: &[Extension]) -> Vec<u8> {
    if extensions.is_empty() {
        return Vec::new();
    }
    let list: Vec<Vec<u8>> = extensions.iter().map(Extension::to_der).collect();
    tlv(0xa1, &tlv(SEQUENCE, &list.concat()))
}

fn read_extensions(fields: &mut SliceReader<'_>) -> Result<Vec<Extension>, MalformedDer> {
    if fields.is_finished() {
        return Ok(Vec::new());
    }
    distinct_extensions(contents_of(fields.tlv_bytes()?, 0xa1)?)
}

fn read_generalized(fields: &mut SliceReader<'_>) -> Result<UnixTime, MalformedDer> {
    Ok(UnixTime::from_duration(GeneralizedTime::decode(fields)?.to_unix_duration()))
}

/// Reads `RevokedInfo`.
fn read_revoked(contents: &[u8]) -> Result<CertStatus, MalformedDer> {
    let mut fields = SliceReader::new(contents)?;
    let at = read_generalized(&mut fields)?;
    let mut reason = None;
    if !fields.is_finished() {
        let number = AnyRef::from_der(contents_of(fields.tlv_bytes()?, 0xa0)?)?;
        let known = |octets: &[u8]| match octets {
            [number] => CrlReason::from_number(*number),
            _ => None,
        };
        let unknown = || MalformedDer::new("RevokedInfo", "an unknown reason");
        reason = Some(known(number.value()).ok_or_else(unknown)?);
    }
    fields.finish()?;
    Ok(CertStatus::Revoked { at, reason })
}
