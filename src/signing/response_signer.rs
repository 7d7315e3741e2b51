//! Keys of OCSP responders (RFC 6960 §4.2.2.2).
use super::admit::Admitted;
use super::private_key::PrivateKey;
use super::soft_key::SoftKey;
use super::vault::{ForKey, TokenKeys, VaultKey};
use super::{KeyError, KeyPlace, KeyRef, SigningError, admit};
use crate::error::Reason;
use crate::x509::{Certificate, KeyAlgorithm, SignatureAlgorithm, SubjectPublicKeyInfo, TbsCertificate};
use crate::x509::{UnixTime, pem};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The key of an OCSP responder. It signs only ResponseData that names this key as the responder, which key comes after
/// it, and what is in a file of its answers. It cannot be made from the key of a CA.
///
/// ```compile_fail,E0308
/// # use genfic_ca::{index::Recorded, signing::ResponseSigner, x509::TbsCertificate};
/// fn issues(key: &ResponseSigner, tbs: Recorded<TbsCertificate>) {
///     let _ = key.sign(&tbs);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use genfic_ca::signing::ResponseSigner;
/// fn raw(key: &ResponseSigner) {
///     let _ = key.sign(b"anything");
/// }
/// ```
///
/// ```compile_fail,E0277
/// # use genfic_ca::signing::{CaSigner, ResponseSigner};
/// fn of_a_ca(key: Box<dyn CaSigner>) -> ResponseSigner {
///     key.into()
/// }
/// ```
pub struct ResponseSigner {
    key: ResponderKey,
    key_hash: Vec<u8>,
}

/// The key itself, or the way to it.
enum ResponderKey {
    Soft(SoftKey),
    Token(ResponderToken),
}

impl PrivateKey for ResponderKey {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        match self {
            Self::Soft(key) => PrivateKey::public_key(key),
            Self::Token(token) => &token.public_key,
        }
    }

    fn sign<T>(&self, message: &Admitted<T>) -> Result<Vec<u8>, KeyError> {
        match self {
            Self::Soft(key) => PrivateKey::sign(key, message),
            Self::Token(token) => token.sign(message),
        }
    }
}

/// A responder's key in a token, which is opened when the first response is to be signed, and again when the token was
/// away or the process that reaches it has ended.
struct ResponderToken {
    tokens: ResponderTokens,
    key: KeyRef,
    public_key: SubjectPublicKeyInfo,
    open: Mutex<Option<Arc<dyn VaultKey>>>,
}

/// The tokens that keys of responders may be in. By default none: nothing is signed with a key in a token.
#[derive(Clone, Default)]
pub(crate) struct ResponderTokens(Option<Arc<dyn TokenKeys>>);

impl ResponderTokens {
    /// Returns these tokens, which other processes reach.
    pub(crate) fn of(tokens: Arc<dyn TokenKeys>) -> Self {
        Self(Some(tokens))
    }

    fn open(&self, key: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError> {
        let none = || KeyError::NoModule(KeyPlace::Uri(key.uri.clone()));
        self.0.as_ref().ok_or_else(none)?.open(key)
    }

    /// Returns the key with this URI, which is the private half of this public key or none.
    pub(crate) fn signer(&self, uri: &str, public_key: SubjectPublicKeyInfo) -> ResponseSigner {
        let key = KeyRef { identity: None, uri: uri.to_owned() }.of_key(&public_key);
        let key_hash = public_key.key_hash();
        let token = ResponderToken { tokens: self.clone(), key, public_key, open: Mutex::default() };
        ResponseSigner { key: ResponderKey::Token(token), key_hash }
    }
}

impl ResponderToken {
    /// Returns the key, opened anew where what is open is this one, which has failed.
    fn opened(&self, failed: Option<&Arc<dyn VaultKey>>) -> Result<Arc<dyn VaultKey>, KeyError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let has_failed = |key: &Arc<dyn VaultKey>| failed.is_some_and(|failed| Arc::ptr_eq(key, failed));
        if let Some(open) = open.as_ref().filter(|key| !has_failed(key)) {
            return Ok(Arc::clone(open));
        }
        *open = None;
        let key = self.tokens.open(&self.key)?;
        *open = Some(Arc::clone(&key));
        Ok(key)
    }

    fn sign<T>(&self, message: &Admitted<T>) -> Result<Vec<u8>, KeyError> {
        let key = self.opened(None)?;
        match key.sign(ForKey::admitted(message)) {
            Err(KeyError::TokenGone(..) | KeyError::Signer(_)) => {
                self.opened(Some(&key))?.sign(ForKey::admitted(message))
            }
            signed => signed,
        }
    }
}

impl ResponseSigner {
    /// Reads a `PrivateKeyInfo` or `OneAsymmetricKey` (RFC 5208, RFC 5958).
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when the octets are not a usable key.
    pub fn from_pkcs8_der(octets: &[u8]) -> Result<Self, KeyError> {
        let key = SoftKey::from_pkcs8_der(octets)?;
        Ok(Self { key_hash: PrivateKey::public_key(&key).key_hash(), key: ResponderKey::Soft(key) })
    }

    /// Reads the keys of a PEM file, each in a block of its own.
    ///
    /// # Errors
    /// When it is no PEM file, or a block of it is no plain key.
    pub(crate) fn all_in(file: &[u8]) -> Result<Vec<Self>, Reason> {
        let text = std::str::from_utf8(file).map_err(|_| "not a PEM file".to_owned())?;
        let mut keys = Vec::new();
        for block in pem::frames(text).filter(|block| block.body().is_some()) {
            let (label, document) =
                der::SecretDocument::from_pem(block.whole()).map_err(|error| error.to_string())?;
            if label != "PRIVATE KEY" {
                return Err(format!("{label} where a plain PKCS#8 PRIVATE KEY belongs").into());
            }
            keys.push(Self::from_pkcs8_der(document.as_bytes()).map_err(|error| error.to_string())?);
        }
        Ok(keys)
    }

    /// Returns the public key.
    #[must_use]
    pub fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.key.public_key()
    }

    /// Returns the signature algorithm.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    /// Whether a signature takes so little time that it is made where it is asked for.
    #[must_use]
    pub(crate) fn is_quick(&self) -> bool {
        matches!(self.key, ResponderKey::Soft(_)) && self.key.public_key().algorithm().signs_quickly()
    }

    /// Whether the key is in a token, which others may keep waiting.
    #[must_use]
    pub(crate) fn is_in_token(&self) -> bool {
        matches!(self.key, ResponderKey::Token(_))
    }

    /// Signs a ResponseData and returns the octets of the signature.
    ///
    /// # Errors
    /// [`SigningError::Contents`] when the octets are no ResponseData or name another responder,
    /// [`SigningError::Key`] when signing fails.
    pub fn sign(&self, data: &EncodedResponseData) -> Result<Vec<u8>, SigningError> {
        Ok(self.key.sign(&admit::response(&data.0, &self.key_hash)?)?)
    }

    /// Signs that the key in this TBSCertificate comes after this one, and returns the octets of the signature. They are
    /// no response, and stand for nothing but to the signer of the CA's key.
    ///
    /// # Errors
    /// [`SigningError::Contents`] when the octets are no TBSCertificate, [`SigningError::Key`] when signing fails.
    pub(crate) fn enrol(&self, tbs: &TbsCertificate) -> Result<Vec<u8>, SigningError> {
        Ok(self.key.sign(&admit::enrolment(tbs)?)?)
    }

    /// Signs that a file of this responder's answers has this number and digest, and returns the octets of the signature.
    /// They are no response, and stand for nothing but to those who serve such files.
    ///
    /// # Errors
    /// [`SigningError::Key`] when signing fails.
    pub(crate) fn sign_answers(
        &self,
        number: u64,
        time: UnixTime,
        digest: &[u8; 32],
    ) -> Result<Vec<u8>, SigningError> {
        Ok(self.key.sign(&admit::answers(number, time, digest))?)
    }
}

/// The responder of a CA that is in use.
pub struct PresentResponder {
    /// Its certificate.
    pub certificate: Certificate,
    /// The key that this is for.
    pub key: ResponseSigner,
}

impl PresentResponder {
    /// Returns the responder with this certificate and its key, which is in a key file. While a responder is renewed, the
    /// file has two. `None` when the key is not in it, as when it is in a token.
    #[must_use]
    pub(crate) fn of(certificate: Certificate, key_file: &[u8]) -> Option<Self> {
        let keys = ResponseSigner::all_in(key_file).ok()?;
        let key = keys.into_iter().find(|key| key.public_key() == certificate.tbs().public_key())?;
        Some(Self { certificate, key })
    }
}

/// Writes only the key type.
impl fmt::Debug for ResponseSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseSigner({})", self.key.public_key().algorithm())
    }
}

/// A `ResponseData` (RFC 6960 §4.2.1) in DER. Only this crate makes one, by encoding a response.
///
/// ```compile_fail,E0624
/// let _ = genfic_ca::signing::EncodedResponseData::new(b"anything".to_vec());
/// ```
#[derive(Clone, Debug)]
pub struct EncodedResponseData(Vec<u8>);

impl EncodedResponseData {
    pub(crate) fn new(octets: Vec<u8>) -> Self {
        Self(octets)
    }

    /// Returns the octets to be signed.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

/// A new key for a responder, not encrypted. It is handed to the responder and is not stored here.
pub(crate) struct PlainKey {
    /// The public key, for which a certificate is issued.
    pub public_key: SubjectPublicKeyInfo,
    /// The private key, PKCS#8 in PEM, wiped after use; for a key in a token its URI.
    pub pem: Zeroizing<String>,
}

impl PlainKey {
    /// Generates a key.
    ///
    /// # Errors
    /// When the key cannot be generated or encoded.
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        let key = SoftKey::generate(algorithm)?;
        Ok(Self { public_key: PrivateKey::public_key(&key).clone(), pem: key.to_pem()? })
    }

    /// Returns the key of this public key in a key file of a responder, which may have several while one is renewed.
    pub(crate) fn found_in(file: &[u8], public_key: &SubjectPublicKeyInfo) -> Option<Self> {
        let text = std::str::from_utf8(file).ok()?;
        let mut blocks = pem::frames(text).filter(|block| block.body().is_some());
        let block = blocks.find(|block| {
            let keys = ResponseSigner::all_in(block.whole().as_bytes()).unwrap_or_default();
            keys.iter().any(|key| key.public_key() == public_key)
        })?;
        let pem = Zeroizing::new(format!("{}\n", block.whole().trim_end()));
        Some(Self { public_key: public_key.clone(), pem })
    }

    /// Returns a key in a token: what the responder gets is its URI.
    pub(crate) fn in_token(uri: &str, public_key: SubjectPublicKeyInfo) -> Self {
        Self { public_key, pem: Zeroizing::new(format!("{uri}\n")) }
    }
}
