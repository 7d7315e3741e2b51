//! `OCSPResponse` (RFC 6960 §4.2): encoding, and decoding of any responder's response.
use super::oid;
use super::response_data::ResponseData;
use crate::x509::octets::contents_of;
use crate::x509::octets::{OCTET_STRING, SEQUENCE, sequence, tlv};
use crate::x509::{Certificate, MalformedDer, SignatureAlgorithm, SubjectPublicKeyInfo, verify};
use der::asn1::{BitStringRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Encode, Reader, SliceReader};
use std::fmt;

/// `OCSPResponseStatus`
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the RFC's")]
pub enum ResponseStatus {
    Successful,
    MalformedRequest,
    InternalError,
    TryLater,
    SigRequired,
    Unauthorized,
}

impl ResponseStatus {
    const ALL: [(Self, u8, &'static str); 6] = [
        (Self::Successful, 0, "successful"),
        (Self::MalformedRequest, 1, "malformedRequest"),
        (Self::InternalError, 2, "internalError"),
        (Self::TryLater, 3, "tryLater"),
        (Self::SigRequired, 5, "sigRequired"),
        (Self::Unauthorized, 6, "unauthorized"),
    ];

    fn row(self) -> (u8, &'static str) {
        Self::ALL.iter().find(|row| row.0 == self).map_or((2, "internalError"), |row| (row.1, row.2))
    }

    /// Returns the `OCSPResponse` that has this status and no response octets.
    #[must_use]
    pub(crate) fn to_response(self) -> Vec<u8> {
        sequence(&[&[0x0a, 1, self.row().0]])
    }
}

/// Writes the name of RFC 6960.
impl fmt::Display for ResponseStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().1)
    }
}

/// `BasicOCSPResponse`, with the signed octets as received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BasicOcspResponse {
    tbs: Vec<u8>,
    data: ResponseData,
    signature_algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    certificates: Vec<Certificate>,
}

impl BasicOcspResponse {
    /// The signed data.
    #[must_use]
    pub fn data(&self) -> &ResponseData {
        &self.data
    }

    /// `signatureAlgorithm`
    #[must_use]
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    /// `certs`, without those that cannot be decoded.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Whether this key made the signature.
    #[must_use]
    pub fn is_signed_by(&self, key: &SubjectPublicKeyInfo) -> bool {
        verify(key, self.signature_algorithm, &self.tbs, &self.signature)
    }

    fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let mut reader = SliceReader::new(octets)?;
        let response = reader.sequence(|fields| {
            let tbs = fields.tlv_bytes()?;
            let signature_algorithm = SignatureAlgorithm::from_der(fields.tlv_bytes()?)?;
            let signature = BitStringRef::decode(fields)?;
            let signature = signature
                .as_bytes()
                .ok_or_else(|| MalformedDer::new("BasicOCSPResponse", "unused bits in the signature"))?;
            let mut certificates = Vec::new();
            if !fields.is_finished() {
                let mut list = SliceReader::new(contents_of(fields.tlv_bytes()?, 0xa0)?)?;
                list.sequence(|list| {
                    while !list.is_finished() {
                        certificates.extend(Certificate::from_der(list.tlv_bytes()?).ok());
                    }
                    Ok::<_, der::Error>(())
                })?;
                list.finish()?;
            }
            let data = ResponseData::from_der(tbs)?;
            Ok::<_, MalformedDer>(Self {
                tbs: tbs.to_vec(),
                data,
                signature_algorithm,
                signature: signature.to_vec(),
                certificates,
            })
        })?;
        reader.finish()?;
        Ok(response)
    }
}

/// Returns a successful `OCSPResponse` of the signed octets, the signature and the responder's certificate.
#[must_use]
pub(crate) fn encode_response(
    tbs: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
    responder: &Certificate,
) -> Vec<u8> {
    let bits = tlv(0x03, &[&[0], signature].concat());
    let certificates = tlv(0xa0, &tlv(SEQUENCE, responder.as_der()));
    let basic = sequence(&[tbs, &algorithm.to_der(), &bits, &certificates]);
    let bytes = sequence(&[&oid::BASIC.to_der().unwrap_or_default(), &tlv(OCTET_STRING, &basic)]);
    sequence(&[&[0x0a, 1, 0], &tlv(0xa0, &bytes)])
}

/// `OCSPResponse`
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OcspResponse {
    /// Status `successful`, with a basic response.
    Successful(Box<BasicOcspResponse>),
    /// Any other status.
    Refused(ResponseStatus),
}

impl OcspResponse {
    /// Reads exactly one response.
    ///
    /// # Errors
    /// When the octets are malformed, or the response is of another type than basic.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        Self::read(octets)
            .map_err(|error| if error.what == "ASN.1" { error.reading("OCSPResponse") } else { error })
    }

    fn read(octets: &[u8]) -> Result<Self, MalformedDer> {
        let malformed = |reason: &str| MalformedDer::new("OCSPResponse", reason);
        let mut reader = SliceReader::new(octets)?;
        let response = reader.sequence(|fields| {
            let status = contents_of(fields.tlv_bytes()?, 0x0a)?;
            let row = ResponseStatus::ALL.iter().find(|row| [row.1] == *status);
            let (status, ..) = row.ok_or_else(|| malformed("an unknown status"))?;
            if *status != ResponseStatus::Successful {
                return Ok::<_, MalformedDer>(Self::Refused(*status));
            }
            let mut bytes = SliceReader::new(contents_of(fields.tlv_bytes()?, 0xa0)?)?;
            let basic = bytes.sequence(|bytes| {
                if ObjectIdentifier::decode(bytes)? != oid::BASIC {
                    return Err(malformed("not a basic response"));
                }
                BasicOcspResponse::from_der(<&OctetStringRef>::decode(bytes)?.as_bytes())
            })?;
            bytes.finish()?;
            Ok(Self::Successful(Box::new(basic)))
        })?;
        reader.finish()?;
        Ok(response)
    }
}
