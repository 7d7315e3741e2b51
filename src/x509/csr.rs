//! `CertificationRequest` (RFC 2986).
use super::extension::{self, Extension};
use super::octets::{SET, sequence, tlv};
use super::{
    Content, GeneralName, KeyWeakness, MalformedDer, Name, SignatureAlgorithm, Signed, SubjectPublicKeyInfo,
    key_weaknesses, pem, verify,
};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Reader, SliceReader};

const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
const CHALLENGE_PASSWORD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");

/// Maximum number of attributes, and of extensions, in a request. Requests have a handful of each; the limit bounds
/// the work on hostile ones.
const MOST: usize = 100;

/// Reason why octets are not an acceptable request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CsrError {
    /// The octets are not a request.
    #[error("not a certification request: {0}")]
    Malformed(String),
    /// The signature does not prove possession of the private key.
    #[error("the request is not signed by the key it asks a certificate for")]
    BadSignature,
    /// The request is well-formed, but its key type, curve or signature algorithm is not supported.
    #[error("{0}")]
    Unsupported(String),
    /// The RSA key has this many bits, and no signature is verified with a key of that length.
    #[error("an RSA key of {0} bits; 2048 to 8192 are accepted")]
    KeyLength(u32),
    /// The key is so weak that its signature proves nothing or cannot be verified.
    #[error("the key is weak: {0}")]
    WeakKey(KeyWeakness),
    /// The file has no request or several; the number is how many.
    #[error("the file has {0} requests; one is needed")]
    Count(usize),
    /// The file is of another kind.
    #[error("this is {0}, not a certification request")]
    Other(Content),
    /// The file has content of this kind besides the request.
    #[error("beside the request, the file has {0}")]
    Beside(Content),
}

impl From<MalformedDer> for CsrError {
    fn from(error: MalformedDer) -> Self {
        if error.unsupported { Self::Unsupported(error.reason) } else { Self::Malformed(error.to_string()) }
    }
}

impl From<der::Error> for CsrError {
    fn from(error: der::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// A request as received. Its signature has not been verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificationRequest {
    der: Vec<u8>,
    info: Vec<u8>,
    subject: Name,
    public_key: SubjectPublicKeyInfo,
    extensions: Vec<Extension>,
    has_challenge_password: bool,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
}

/// A request whose signature verifies with its own key, which proves possession of the private key (RFC 2986).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedCsr(CertificationRequest);

struct CertificationRequestInfo {
    subject: Name,
    public_key: SubjectPublicKeyInfo,
    extensions: Vec<Extension>,
    has_challenge_password: bool,
}

impl CertificationRequest {
    /// Reads exactly one request.
    ///
    /// # Errors
    /// When the octets are malformed, or the key or signature algorithm is not supported.
    pub fn from_der(octets: &[u8]) -> Result<Self, CsrError> {
        let signed = Signed::from_der(octets)?;
        let CertificationRequestInfo { subject, public_key, extensions, has_challenge_password } =
            read_info(signed.tbs)?;
        Ok(Self {
            der: octets.to_vec(),
            info: signed.tbs.to_vec(),
            subject,
            public_key,
            extensions,
            has_challenge_password,
            algorithm: SignatureAlgorithm::from_der(signed.algorithm)?,
            signature: signed.signature.to_vec(),
        })
    }

    /// Reads the only request of a file: DER, or PEM labelled `CERTIFICATE REQUEST` or `NEW CERTIFICATE REQUEST`.
    ///
    /// # Errors
    /// When the file is malformed or does not have exactly one request.
    pub fn from_pem_or_der(octets: &[u8]) -> Result<Self, CsrError> {
        let blocks = pem::decode_file(octets, "CERTIFICATE REQUEST")
            .map_err(|error| CsrError::Malformed(error.to_string()))?;
        let (requests, others): (Vec<&pem::Block>, Vec<&pem::Block>) =
            blocks.iter().partition(|block| Content::of_label(&block.label) == Some(Content::Request));
        let beside = others.iter().find_map(|block| Content::of_label(&block.label));
        match (requests.as_slice(), beside) {
            ([_], Some(beside)) => Err(CsrError::Beside(beside)),
            ([one], None) => Self::from_der(&one.der).map_err(|error| instead(octets, error)),
            ([], _) => Err(instead(octets, CsrError::Count(0))),
            (several, _) => Err(CsrError::Count(several.len())),
        }
    }

    /// Returns the DER octets.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// `subject`
    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// `subjectPKInfo`
    #[must_use]
    pub fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    /// Returns the extensions of the `extensionRequest` attribute; empty when there are none.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Returns the names of the requested subjectAltName.
    ///
    /// # Errors
    /// When the extension is present and malformed.
    pub fn subject_alt_names(&self) -> Result<Vec<GeneralName>, MalformedDer> {
        self.extensions
            .iter()
            .find(|extension| extension.oid == extension::SUBJECT_ALT_NAME)
            .map_or(Ok(Vec::new()), |extension| GeneralName::list_from_der(&extension.value))
    }

    /// Tells whether the request has a challengePassword, which is never stored or used (G20).
    #[must_use]
    pub fn has_challenge_password(&self) -> bool {
        self.has_challenge_password
    }

    /// `signatureAlgorithm`
    #[must_use]
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Verifies the proof of possession over the octets received.
    ///
    /// # Errors
    /// [`CsrError::BadSignature`] when the signature does not verify with the request's own key;
    /// [`CsrError::KeyLength`] or [`CsrError::WeakKey`] when that key cannot verify any signature.
    pub fn verified(self) -> Result<VerifiedCsr, CsrError> {
        let algorithm = self.public_key.algorithm();
        if let Some(bits) = algorithm.length()
            && !algorithm.has_accepted_length()
        {
            return Err(CsrError::KeyLength(bits));
        }
        if verify(&self.public_key, self.algorithm, &self.info, &self.signature) {
            return Ok(VerifiedCsr(self));
        }
        Err(key_weaknesses(&self.public_key)
            .into_iter()
            .next()
            .map_or(CsrError::BadSignature, CsrError::WeakKey))
    }
}

impl std::ops::Deref for VerifiedCsr {
    type Target = CertificationRequest;

    fn deref(&self) -> &CertificationRequest {
        &self.0
    }
}

/// Returns the error that names the kind of octets given instead of a request, or the given error when the kind is
/// not recognised.
fn instead(octets: &[u8], error: CsrError) -> CsrError {
    match Content::of(octets) {
        Some(Content::Request) | None => error,
        Some(content) => CsrError::Other(content),
    }
}

fn read_info(octets: &[u8]) -> Result<CertificationRequestInfo, CsrError> {
    let mut reader = SliceReader::new(octets)?;
    let info = reader.sequence(|fields| {
        if u8::decode(fields)? != 0 {
            return Err(CsrError::Malformed("the version is not v1".into()));
        }
        let mut info = CertificationRequestInfo {
            subject: Name::from_der(fields.tlv_bytes()?)?,
            public_key: SubjectPublicKeyInfo::from_der(fields.tlv_bytes()?)?,
            extensions: Vec::new(),
            has_challenge_password: false,
        };
        if !fields.is_finished() {
            let element = fields.tlv_bytes()?;
            if element.first() != Some(&0xa0) {
                return Err(CsrError::Malformed("an unexpected element".into()));
            }
            read_attributes(AnyRef::from_der(element)?.value(), &mut info)?;
        }
        Ok::<_, CsrError>(info)
    })?;
    reader.finish()?;
    Ok(info)
}

fn read_attributes(contents: &[u8], info: &mut CertificationRequestInfo) -> Result<(), CsrError> {
    let mut seen = Vec::new();
    let mut list = SliceReader::new(contents)?;
    while !list.is_finished() {
        if seen.len() >= MOST {
            return Err(CsrError::Malformed(format!("there are more than {MOST} attributes")));
        }
        list.sequence(|attribute| {
            let oid = ObjectIdentifier::decode(attribute)?;
            let values = AnyRef::decode(attribute)?;
            if oid == CHALLENGE_PASSWORD {
                info.has_challenge_password = true;
            }
            if oid == EXTENSION_REQUEST {
                info.extensions = Extension::list_from_der(values.value())?;
            }
            if seen.contains(&oid) {
                return Err(CsrError::Malformed(format!("the attribute {oid} is repeated")));
            }
            seen.push(oid);
            Ok::<_, CsrError>(())
        })?;
    }
    if info.extensions.len() > MOST {
        return Err(CsrError::Malformed(format!("there are more than {MOST} extensions")));
    }
    let mut oids = Vec::new();
    for extension in &info.extensions {
        if oids.contains(&extension.oid) {
            return Err(CsrError::Malformed(format!("the extension {} is repeated", extension.oid)));
        }
        oids.push(extension.oid);
    }
    Ok(())
}

/// Encodes `CertificationRequestInfo` with this subject, key and these extensions, DER. The caller signs and frames
/// it.
#[must_use]
pub(crate) fn encode_request(
    subject: &Name,
    key: &SubjectPublicKeyInfo,
    extensions: &[Extension],
) -> Vec<u8> {
    let attributes = if extensions.is_empty() {
        Vec::new()
    } else {
        let oid = EXTENSION_REQUEST.to_der().unwrap_or_default();
        let list: Vec<Vec<u8>> = extensions.iter().map(Extension::to_der).collect();
        sequence(&[&oid, &tlv(SET, &tlv(super::octets::SEQUENCE, &list.concat()))])
    };
    sequence(&[&[2, 1, 0], subject.as_der(), key.as_der(), &tlv(0xa0, &attributes)])
}
