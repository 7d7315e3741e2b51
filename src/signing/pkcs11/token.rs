//! A token, its sessions, and the objects in it.
use super::failure;
use super::modules::{MOMENT, MOMENTS, Module, held, tries};
use super::uri::TokenUri;
use crate::signing::{KeyError, KeyPlace, Secret};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::MechanismType;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Bound of the wait for a session of a token that has few.
const TRIES: u32 = 1000;
const PAUSE: Duration = Duration::from_millis(10);

/// A token that is there.
pub(super) struct Token {
    module: Arc<Module>,
    _user: Arc<()>,
    slot: Slot,
    serial: String,
    place: KeyPlace,
}

/// Logs in with this PIN. A token that has no PIN at this moment, which was not tried then, is asked again: another process may
/// be writing its file.
fn log_in_with(session: &Session, pin: &Secret) -> Result<(), Error> {
    let mut left = MOMENTS;
    loop {
        match session.login(UserType::User, Some(&AuthPin::from(pin.as_str()))) {
            Err(Error::Pkcs11(RvError::UserPinNotInitialized, _)) if left > 0 => {
                left = left.saturating_sub(1);
                thread::sleep(MOMENT);
            }
            done => return done,
        }
    }
}

impl Token {
    pub(super) fn new(
        module: Arc<Module>,
        user: Arc<()>,
        slot: Slot,
        serial: String,
        place: KeyPlace,
    ) -> Self {
        Self { module, _user: user, slot, serial, place }
    }

    /// Returns where it is, as messages show it.
    pub(super) fn place(&self) -> &KeyPlace {
        &self.place
    }

    /// Returns the error of a key for a failure of this token.
    pub(super) fn failed<'a>(&'a self, doing: &'a str) -> impl Fn(Error) -> KeyError + 'a {
        move |error| failure::of(&self.place, doing, &error)
    }

    /// Returns the error that what is needed is not in the token any more.
    pub(super) fn gone(&self, reason: &str) -> KeyError {
        KeyError::TokenGone(self.place.clone(), reason.to_owned())
    }

    /// Returns the error that the token does not do what it should.
    pub(super) fn wrong(&self, reason: &str) -> KeyError {
        KeyError::TokenFailed(self.place.clone(), reason.to_owned())
    }

    /// Opens a session. A token that has only a few is waited for.
    pub(super) fn session(&self, writes: bool) -> Result<Session, KeyError> {
        let context = self.module.context();
        let (mut left, mut moments) = (TRIES, MOMENTS);
        loop {
            let opened =
                if writes { context.open_rw_session(self.slot) } else { context.open_ro_session(self.slot) };
            match opened {
                Err(Error::Pkcs11(RvError::SessionCount, _)) if left > 0 => {
                    left = left.saturating_sub(1);
                    thread::sleep(PAUSE);
                }
                Err(Error::Pkcs11(RvError::TokenNotRecognized, _)) if moments > 0 => {
                    moments = moments.saturating_sub(1);
                    thread::sleep(MOMENT);
                }
                opened => return opened.map_err(self.failed("opening a session")),
            }
        }
    }

    /// Logs in as the user, unless that is done, and returns the PIN where it was asked for. A wrong PIN is tried once:
    /// tokens count them and lock themselves. Where the PIN is asked for `each` key, one that opens a second key is
    /// compared with the one that opened the token.
    pub(super) fn log_in(
        &self,
        session: &Session,
        each: bool,
        ask: impl FnOnce() -> Result<Secret, KeyError>,
    ) -> Result<Option<Secret>, KeyError> {
        let mut pins = held(&self.module.logging_in);
        let state = session.get_session_info().map_err(self.failed("looking at the session"))?;
        let is_in = matches!(state.session_state(), SessionState::RoUser | SessionState::RwUser);
        if is_in && !each {
            return Ok(None);
        }
        let (left, info) = tries(&self.module, self.slot).map_err(self.failed("looking at the token"))?;
        if !info.login_required() {
            return Ok(None);
        }
        if info.protected_authentication_path() {
            if is_in {
                let reason = "a second key while another one is unlocked: its PIN is typed at the reader, which asks once";
                return Err(KeyError::TokenUnable(self.place.clone(), reason.into()));
            }
            left.check(&self.place)?;
            session.login(UserType::User, None).map_err(self.failed("logging in"))?;
            return Ok(None);
        }
        if is_in {
            let pin = ask()?;
            let is_it = pins.has_accepted(&self.serial, &pin);
            return if is_it { Ok(Some(pin)) } else { Err(KeyError::PinRejected(self.place.clone())) };
        }
        left.check(&self.place)?;
        if !pins.may_try(&self.serial, info.user_pin_count_low()) {
            return Err(KeyError::PinLastTry(self.place.clone()));
        }
        let pin = ask()?;
        if pins.has_rejected(&self.serial, &pin) {
            return Err(KeyError::PinRejected(self.place.clone()));
        }
        match log_in_with(session, &pin) {
            Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(Some(pin)),
            Err(error) => {
                if matches!(error, Error::Pkcs11(RvError::PinIncorrect, _)) {
                    let told =
                        tries(&self.module, self.slot).is_ok_and(|(_, info)| info.user_pin_count_low());
                    pins.reject(&self.serial, &pin, told);
                }
                Err(self.failed("logging in")(error))
            }
            Ok(()) => {
                pins.accept(&self.serial, &pin);
                Ok(Some(pin))
            }
        }
    }

    /// Returns whether the module makes signatures by this mechanism.
    pub(super) fn can(&self, mechanism: MechanismType) -> bool {
        let listed = self.module.context().get_mechanism_list(self.slot);
        listed.is_ok_and(|listed| listed.contains(&mechanism))
    }

    /// Logs in again for the signature that was begun in this session; without a PIN the reader asks for it.
    pub(super) fn log_in_again(&self, session: &Session, pin: Option<&Secret>) -> Result<(), Error> {
        let pin = pin.map(|pin| AuthPin::from(pin.as_str()));
        session.login(UserType::ContextSpecific, pin.as_ref())
    }

    /// Returns whether PINs are typed at the reader.
    pub(super) fn asks_itself(&self) -> bool {
        let told = tries(&self.module, self.slot);
        told.is_ok_and(|(_, info)| info.protected_authentication_path())
    }

    /// Returns the objects of this class that the URI names.
    pub(super) fn objects(
        &self,
        session: &Session,
        uri: &TokenUri,
        class: ObjectClass,
    ) -> Result<Vec<ObjectHandle>, KeyError> {
        let mut wanted = vec![Attribute::Class(class), Attribute::Token(true)];
        wanted.extend(uri.object.as_ref().map(|label| Attribute::Label(label.clone().into_bytes())));
        wanted.extend(uri.id.clone().map(Attribute::Id));
        session.find_objects(&wanted).map_err(self.failed("looking for the key"))
    }

    /// Returns CKA_ID of an object; empty where it has none.
    pub(super) fn id(&self, session: &Session, object: ObjectHandle) -> Result<Vec<u8>, KeyError> {
        let found = session.get_attributes(object, &[AttributeType::Id]);
        let found = found.map_err(self.failed("reading the key's identifier"))?;
        let id = found.into_iter().find_map(|one| if let Attribute::Id(id) = one { Some(id) } else { None });
        Ok(id.unwrap_or_default())
    }
}
