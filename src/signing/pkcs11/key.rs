//! A private key in a token.
use super::failure::is_gone;
use super::modules::held;
use super::scheme::Scheme;
use super::token::Token;
use super::uri::TokenUri;
use crate::signing::admit::Admitted;
use crate::signing::private_key::PrivateKey;
use crate::signing::vault::{ForKey, VaultKey};
use crate::signing::{KeyError, Secret};
use crate::x509::SubjectPublicKeyInfo;
use cryptoki::error::{Error, RvError};
use cryptoki::object::{ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use std::sync::Mutex;

/// The PIN that a key wants before each signature (CKA_ALWAYS_AUTHENTICATE), as the signature key of a PIV card does.
pub(super) enum Again {
    /// It is typed at the reader.
    AtTheReader,
    /// This one.
    With(Secret),
}

/// A private key that the user is logged in for. Each thread that signs has a session of its own.
pub(in crate::signing) struct TokenKey {
    token: Token,
    /// Names the key by its CKA_ID, where it has one.
    uri: TokenUri,
    scheme: Scheme,
    public_key: SubjectPublicKeyInfo,
    /// Sessions that are not in use. The user stays logged in as long as there is one.
    idle: Mutex<Vec<(Session, ObjectHandle)>>,
    /// How each signature is agreed to, where it has to be. Held for one signature at a time; `None` after the PIN was
    /// refused, since no wrong one is tried twice.
    again: Option<Mutex<Option<Again>>>,
}

impl TokenKey {
    pub(super) fn new(
        token: Token,
        uri: TokenUri,
        public_key: SubjectPublicKeyInfo,
        scheme: Scheme,
        (session, key): (Session, ObjectHandle),
        again: Option<Again>,
    ) -> Self {
        let again = again.map(|again| Mutex::new(Some(again)));
        Self { token, uri, scheme, public_key, idle: Mutex::new(vec![(session, key)]), again }
    }

    fn session(&self) -> Result<(Session, ObjectHandle), KeyError> {
        if let Some(idle) = held(&self.idle).pop() {
            return Ok(idle);
        }
        let session = self.token.session(false)?;
        let found = self.token.objects(&session, &self.uri, ObjectClass::PRIVATE_KEY)?.into_iter().next();
        match found {
            Some(key) => Ok((session, key)),
            None => Err(self.token.gone("the key is not there any more, or the user is logged out")),
        }
    }
}

impl PrivateKey for TokenKey {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    fn sign<T>(&self, message: &Admitted<T>) -> Result<Vec<u8>, KeyError> {
        self.sign_octets(message.octets())
    }
}

impl VaultKey for TokenKey {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    fn sign(&self, message: ForKey<'_>) -> Result<Vec<u8>, KeyError> {
        self.sign_octets(message.octets())
    }
}

impl TokenKey {
    fn sign_octets(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (session, key) = self.session()?;
        let made = match &self.again {
            None => {
                let (mechanism, octets) = self.scheme.to_sign(message);
                session.sign(&mechanism, key, &octets)
            }
            Some(again) => self.sign_when_agreed(&session, key, message, again)?,
        };
        match made {
            Ok(made) => {
                held(&self.idle).push((session, key));
                Ok(self.scheme.signature(made))
            }
            Err(error) => {
                if is_gone(&error) {
                    held(&self.idle).clear();
                }
                Err(self.token.failed("signing")(error))
            }
        }
    }

    /// Signs with a key that wants its PIN before each signature: between the beginning of a signature and its octets.
    /// That takes a signature in parts, and the tokens that have such keys make those where they hash the message
    /// themselves.
    fn sign_when_agreed(
        &self,
        session: &Session,
        key: ObjectHandle,
        message: &[u8],
        again: &Mutex<Option<Again>>,
    ) -> Result<Result<Vec<u8>, Error>, KeyError> {
        let mut again = held(again);
        let pin = match &*again {
            None => return Err(KeyError::PinRejected(self.token.place().clone())),
            Some(Again::AtTheReader) => None,
            Some(Again::With(pin)) => Some(pin),
        };
        let (mechanism, octets) = match self.scheme.hashing() {
            Some(mechanism) if self.token.can(mechanism.mechanism_type()) => (mechanism, message.to_vec()),
            _ => self.scheme.to_sign(message),
        };
        let begun = session.sign_init(&mechanism, key);
        let agreed = begun.and_then(|()| self.token.log_in_again(session, pin));
        if let Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinLocked, _)) = &agreed {
            *again = None;
        }
        Ok(agreed.and_then(|()| session.sign_update(&octets)).and_then(|()| session.sign_final()))
    }
}
