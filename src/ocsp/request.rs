//! `OCSPRequest` (RFC 6960 §4.1): strict decoding of what a client sends, which never panics, and encoding.
use super::cert_id::CertId;
use super::oid;
use crate::x509::octets::{OCTET_STRING, SEQUENCE, contents_of, sequence, tlv};
use crate::x509::{Extension, GeneralName, MalformedDer, SignatureAlgorithm};
use der::asn1::{BitStringRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Reader, SliceReader};

/// Length of the longest nonce in octets (RFC 9654 §2.1).
pub(crate) const MAX_NONCE: usize = 128;

/// The parts of a request on which the answer depends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OcspRequest {
    cert_ids: Vec<CertId>,
    nonce: Option<Vec<u8>>,
    preferred_algorithms: Vec<SignatureAlgorithm>,
    is_signed: bool,
}

/// Why a request is answered `malformedRequest`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// The octets are not an OCSPRequest.
    #[error(transparent)]
    Malformed(#[from] MalformedDer),
    /// A critical extension is unknown. RFC 6960 §4.4 has a responder ignore an unknown extension unless it is
    /// critical, and names no status for the refusal. Of the six statuses, `malformedRequest` is the one that makes a
    /// client change its request: `unauthorized` speaks of the certificate, and the others make the client try the
    /// same request again.
    #[error("the critical extension {0} is not understood")]
    CriticalExtension(ObjectIdentifier),
    /// The request has no CertID.
    #[error("there is no CertID")]
    Empty,
    /// The request has more CertIDs than the limit.
    #[error("there are more than {0} CertIDs")]
    TooManyCertIds(usize),
}

impl From<der::Error> for RequestError {
    fn from(error: der::Error) -> Self {
        Self::Malformed(MalformedDer::from(error).reading("OCSPRequest"))
    }
}

/// Encodes the request that has these CertIDs and nothing else.
pub(super) fn encode_plain<'a>(ids: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let list: Vec<Vec<u8>> = ids.map(|id| sequence(&[id])).collect();
    sequence(&[&sequence(&[&tlv(SEQUENCE, &list.concat())])])
}

fn malformed(reason: &str) -> RequestError {
    RequestError::Malformed(MalformedDer::new("OCSPRequest", reason))
}

impl OcspRequest {
    /// Returns an unsigned request.
    #[must_use]
    pub fn new(cert_ids: Vec<CertId>, nonce: Option<Vec<u8>>) -> Self {
        Self { cert_ids, nonce, preferred_algorithms: Vec::new(), is_signed: false }
    }

    /// DER octets of the unsigned request.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let list: Vec<Vec<u8>> = self.cert_ids.iter().map(|id| sequence(&[id.as_der()])).collect();
        let mut extensions = Vec::new();
        if let Some(nonce) = &self.nonce {
            extensions.extend(nonce_extension(nonce).to_der());
        }
        if !self.preferred_algorithms.is_empty() {
            let list: Vec<Vec<u8>> =
                self.preferred_algorithms.iter().map(|algorithm| sequence(&[&algorithm.to_der()])).collect();
            let value = tlv(SEQUENCE, &list.concat());
            extensions.extend(Extension::new(oid::PREFERRED_SIGNATURE_ALGORITHMS, false, value).to_der());
        }
        if !extensions.is_empty() {
            extensions = tlv(0xa2, &tlv(SEQUENCE, &extensions));
        }
        sequence(&[&sequence(&[&tlv(SEQUENCE, &list.concat()), &extensions])])
    }

    /// Returns the same request with the signature algorithms that the client prefers, best first.
    #[must_use]
    pub fn preferring(mut self, algorithms: Vec<SignatureAlgorithm>) -> Self {
        self.preferred_algorithms = algorithms;
        self
    }

    /// Reads exactly one request of at most `max_cert_ids` CertIDs. A signature is accepted and not verified: every
    /// client gets the same answers.
    ///
    /// # Errors
    /// When the octets are malformed, a critical extension is unknown, or the request has no CertID or too many.
    pub fn from_der(octets: &[u8], max_cert_ids: usize) -> Result<Self, RequestError> {
        let mut reader = SliceReader::new(octets)?;
        let request = reader.sequence(|fields| {
            let mut request = fields.sequence(|tbs| Self::read_tbs(tbs, max_cert_ids))?;
            if !fields.is_finished() {
                read_signature(contents_of(fields.tlv_bytes()?, 0xa0)?)?;
                request.is_signed = true;
            }
            Ok::<_, RequestError>(request)
        })?;
        reader.finish()?;
        Ok(request)
    }

    fn read_tbs(tbs: &mut SliceReader<'_>, max_cert_ids: usize) -> Result<Self, RequestError> {
        let mut request = Self::new(Vec::new(), None);
        if tbs.peek_byte() == Some(0xa0) {
            let version = u8::from_der(contents_of(tbs.tlv_bytes()?, 0xa0)?)?;
            if version != 0 {
                return Err(malformed("the version is not v1"));
            }
        }
        if tbs.peek_byte() == Some(0xa1) {
            GeneralName::from_der(contents_of(tbs.tlv_bytes()?, 0xa1)?)?;
        }
        tbs.sequence(|list| {
            while !list.is_finished() {
                if request.cert_ids.len() >= max_cert_ids {
                    return Err(RequestError::TooManyCertIds(max_cert_ids));
                }
                request.cert_ids.push(list.sequence(read_single)?);
            }
            Ok(())
        })?;
        if !tbs.is_finished() {
            request.read_extensions(contents_of(tbs.tlv_bytes()?, 0xa2)?)?;
        }
        if request.cert_ids.is_empty() {
            return Err(RequestError::Empty);
        }
        Ok(request)
    }

    fn read_extensions(&mut self, octets: &[u8]) -> Result<(), RequestError> {
        for extension in distinct_extensions(octets)? {
            match extension.oid {
                oid::NONCE => self.nonce = Some(read_nonce(&extension.value)?),
                oid::PREFERRED_SIGNATURE_ALGORITHMS => {
                    self.preferred_algorithms = read_preferred_algorithms(&extension.value)?;
                }
                // every client accepts the basic response, the only type that is defined (RFC 6960 §4.4.3)
                oid::ACCEPTABLE_RESPONSES => {}
                other if extension.critical => return Err(RequestError::CriticalExtension(other)),
                _ => {}
            }
        }
        Ok(())
    }

    /// CertIDs in the order of the request; at least one.
    #[must_use]
    pub(crate) fn cert_ids(&self) -> &[CertId] {
        &self.cert_ids
    }

    /// The nonce, 1 to 128 octets.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// Signature algorithms that the client prefers, best first, without the unknown ones.
    #[must_use]
    pub(crate) fn preferred_algorithms(&self) -> &[SignatureAlgorithm] {
        &self.preferred_algorithms
    }

    /// Whether the request has a signature.
    #[must_use]
    pub(crate) fn is_signed(&self) -> bool {
        self.is_signed
    }
}

/// Returns the nonce extension of requests and responses (RFC 9654 §2.1).
#[must_use]
pub(crate) fn nonce_extension(nonce: &[u8]) -> Extension {
    Extension::new(oid::NONCE, false, tlv(OCTET_STRING, nonce))
}

/// Reads a list of extensions; two of one type are malformed (RFC 5280 §4.2).
pub(super) fn distinct_extensions(octets: &[u8]) -> Result<Vec<Extension>, MalformedDer> {
    let list = Extension::list_from_der(octets)?;
    let repeats =
        list.iter().enumerate().any(|(at, one)| list.iter().take(at).any(|other| other.oid == one.oid));
    if repeats { Err(MalformedDer::new("Extensions", "an extension stands there twice")) } else { Ok(list) }
}

/// Reads a `Request`. None of its extensions is known here: a service locator asks for routing, which this responder
/// does not do.
fn read_single(fields: &mut SliceReader<'_>) -> Result<CertId, RequestError> {
    let id = CertId::from_der(fields.tlv_bytes()?)?;
    if !fields.is_finished() {
        let extensions = distinct_extensions(contents_of(fields.tlv_bytes()?, 0xa0)?)?;
        if let Some(extension) = extensions.iter().find(|extension| extension.critical) {
            return Err(RequestError::CriticalExtension(extension.oid));
        }
    }
    Ok(id)
}

fn read_nonce(value: &[u8]) -> Result<Vec<u8>, RequestError> {
    let nonce = <&OctetStringRef>::from_der(value)?.as_bytes();
    if nonce.is_empty() || nonce.len() > MAX_NONCE {
        return Err(malformed("a nonce has 1 to 128 octets"));
    }
    Ok(nonce.to_vec())
}

/// Reads `PreferredSignatureAlgorithms` (RFC 6960 §4.4.7.1).
fn read_preferred_algorithms(value: &[u8]) -> Result<Vec<SignatureAlgorithm>, RequestError> {
    let mut reader = SliceReader::new(value)?;
    let mut algorithms = Vec::new();
    reader.sequence(|list| {
        while !list.is_finished() {
            list.sequence(|one| {
                algorithms.extend(SignatureAlgorithm::from_der(one.tlv_bytes()?).ok());
                if !one.is_finished() {
                    one.tlv_bytes()?;
                }
                Ok::<_, der::Error>(())
            })?;
        }
        Ok::<_, der::Error>(())
    })?;
    reader.finish()?;
    Ok(algorithms)
}

/// Checks the form of a `Signature`, and does not verify it.
fn read_signature(octets: &[u8]) -> Result<(), RequestError> {
    let mut reader = SliceReader::new(octets)?;
    reader.sequence(|fields| {
        contents_of(fields.tlv_bytes()?, SEQUENCE)?;
        BitStringRef::decode(fields)?;
        if !fields.is_finished() {
            contents_of(contents_of(fields.tlv_bytes()?, 0xa0)?, SEQUENCE)?;
        }
        Ok::<_, RequestError>(())
    })?;
    reader.finish()?;
    Ok(())
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
