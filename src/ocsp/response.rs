//! `OCSPResponse` (RFC 6960 §4.2): encoding, and decoding of any responder's response.
use super::oid;
use super::response_data::ResponseData;
use crate::x509::octets::{
    BIT_STRING, OCTET_STRING, SEQUENCE, contents_of, length_with_header, put_header, sequence, tlv,
};
use crate::x509::{Certificate, MalformedDer, SignatureAlgorithm, SubjectPublicKeyInfo, verify};
use der::asn1::{BitStringRef, ObjectIdentifier, OctetStringRef};
use der::{Decode, Reader, SliceReader};
use std::fmt;

/// `responseStatus` of a successful response, encoded.
const STATUS: &[u8] = &[0x0a, 1, 0];
/// `responseType`: `id-pkix-ocsp-basic`, encoded.
const BASIC_TYPE: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 1];

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
    pub(super) const ALL: [(Self, u8, &'static str); 6] = [
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

    /// Its place among all.
    pub(super) fn place(self) -> usize {
        Self::ALL.iter().position(|row| row.0 == self).unwrap_or_default()
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

/// What surrounds the signed octets in a successful `OCSPResponse`.
pub(super) struct Surroundings<'a> {
    /// `signatureAlgorithm`, encoded.
    pub(super) algorithm: &'a [u8],
    /// Octets of the signature.
    pub(super) signature: &'a [u8],
    /// Length of `certs`, which comes last, encoded.
    pub(super) certificates: usize,
}

impl Surroundings<'_> {
    /// Returns the response without `certs`. `put` appends the signed octets, which have this length.
    pub(super) fn around(&self, length: usize, put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let bits = self.signature.len() + 1;
        let basic = length + self.algorithm.len() + length_with_header(bits) + self.certificates;
        let basic_element = length_with_header(basic);
        let bytes = BASIC_TYPE.len() + length_with_header(basic_element);
        let bytes_element = length_with_header(bytes);
        let whole = STATUS.len() + length_with_header(bytes_element);
        let mut out = Vec::with_capacity(length_with_header(whole) - self.certificates);
        put_header(&mut out, SEQUENCE, whole);
        out.extend_from_slice(STATUS);
        put_header(&mut out, 0xa0, bytes_element);
        put_header(&mut out, SEQUENCE, bytes);
        out.extend_from_slice(BASIC_TYPE);
        put_header(&mut out, OCTET_STRING, basic_element);
        put_header(&mut out, SEQUENCE, basic);
        put(&mut out);
        out.extend_from_slice(self.algorithm);
        put_header(&mut out, BIT_STRING, bits);
        out.push(0);
        out.extend_from_slice(self.signature);
        out
    }
}

/// Returns `certs` with one certificate.
pub(super) fn encode_certificates(responder: &Certificate) -> Vec<u8> {
    tlv(0xa0, &tlv(SEQUENCE, responder.as_der()))
}

/// Returns a successful `OCSPResponse` of the signed octets, the signature and the responder's certificate.
#[cfg(test)]
pub(super) fn encode_response(
    tbs: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
    responder: &Certificate,
) -> Vec<u8> {
    let (algorithm, certificates) = (algorithm.to_der(), encode_certificates(responder));
    let around = Surroundings { algorithm: &algorithm, signature, certificates: certificates.len() };
    [around.around(tbs.len(), |out| out.extend_from_slice(tbs)), certificates].concat()
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

#[cfg(test)]
mod tests {
    use super::*;
    use der::Encode;

    #[test]
    fn a_response_of_any_length_is_framed_as_its_elements_nest() {
        assert_eq!(BASIC_TYPE, oid::BASIC.to_der().unwrap());
        for length in (0..300).chain([65_400, 65_535, 65_536]) {
            let (tbs, algorithm, signature) = (tlv(SEQUENCE, &vec![7; length]), [5, 0], [9; 70]);
            let certificates = tlv(0xa0, &[1; 40]);
            let around = Surroundings {
                algorithm: &algorithm,
                signature: &signature,
                certificates: certificates.len(),
            };
            let found = around.around(tbs.len(), |out| out.extend_from_slice(&tbs));
            assert_eq!(found.len(), found.capacity(), "allocated once");
            let bits = tlv(BIT_STRING, &[&[0], &signature[..]].concat());
            let basic = sequence(&[&tbs, &algorithm, &bits, &certificates]);
            let bytes = sequence(&[BASIC_TYPE, &tlv(OCTET_STRING, &basic)]);
            assert_eq!([found, certificates].concat(), sequence(&[STATUS, &tlv(0xa0, &bytes)]));
        }
    }
}
