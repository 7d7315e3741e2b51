//! Passphrases for keys that are about to be made, and the service's other source: credentials of its unit.
use super::descriptor::{Handed, NoPassphrase, read_handed};
use super::keyring::{Asked, UnlockError};
use super::ring::PreparedTerms;
use super::terminal;
use super::unlocked::Login;
use crate::signing::{
    KeyError, Mistyped, PassphrasePolicy, RecipientText, Secret, SecretPurpose, SecretSource, SecretSpec,
    TRIES, is_file_key,
};
use crate::x509::UnixTime;
use std::collections::{BTreeMap, HashMap};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

/// Stands in the place of a scope where a key is to be made.
const NEW: &str = "new";

struct Waiting {
    /// Who gave it, and alone has the key made.
    login: Login,
    secret: Secret,
    /// Whether it is the PIN of a token, and so for no key in a file.
    is_pin: bool,
    /// The recipients to which the key is encrypted; then the secret is an identity of one of them.
    recipients: Vec<RecipientText>,
    terms: PreparedTerms,
    ends: Instant,
}

/// Passphrases that the stores get on this thread, as long as this is there.
struct Given<'p>(&'p Prepared);

impl Drop for Given<'_> {
    fn drop(&mut self) {
        self.0.given().remove(&thread::current().id());
        self.0.replacing().remove(&thread::current().id());
        self.0.readers().remove(&thread::current().id());
    }
}

/// The passphrases for new keys that administrators gave, each until its key is made or its time is over.
pub(crate) struct Prepared {
    waiting: Mutex<BTreeMap<String, Waiting>>,
    /// The passphrase with which a thread opens or makes a key at this moment.
    given: Mutex<HashMap<ThreadId, Secret>>,
    /// The passphrase with which a thread encrypts a key anew at this moment.
    replacing: Mutex<HashMap<ThreadId, Secret>>,
    /// The recipients to which a thread encrypts a new key at this moment.
    readers: Mutex<HashMap<ThreadId, Vec<RecipientText>>>,
    policy: PassphrasePolicy,
    wall: fn() -> UnixTime,
}

impl Prepared {
    /// Returns a place for passphrases that obey this rule.
    pub(crate) fn new(policy: PassphrasePolicy, wall: fn() -> UnixTime) -> Self {
        let (waiting, given, replacing) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { waiting, given, replacing, readers: Mutex::default(), policy, wall }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn given(&self) -> MutexGuard<'_, HashMap<ThreadId, Secret>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replacing(&self) -> MutexGuard<'_, HashMap<ThreadId, Secret>> {
        self.replacing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<ThreadId, Vec<RecipientText>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something for which the stores get this passphrase, on this thread and until it is done.
    pub(super) fn with<T>(&self, secret: &Secret, act: impl FnOnce() -> T) -> T {
        self.given().insert(thread::current().id(), secret.clone());
        let _given = Given(self);
        act()
    }

    /// As [`Prepared::with`], where a key is opened with one passphrase and encrypted with another.
    pub(super) fn with_both<T>(&self, old: &Secret, new: &Secret, act: impl FnOnce() -> T) -> T {
        self.replacing().insert(thread::current().id(), new.clone());
        self.with(old, act)
    }

    /// As [`Prepared::with`], where a new key of this name is made: for the recipients that were said, if any.
    pub(super) fn with_readers<T>(&self, key: &str, secret: &Secret, act: impl FnOnce() -> T) -> T {
        let recipients = self.waiting().get(key).map(|waiting| waiting.recipients.clone());
        self.with_recipients(secret, recipients.unwrap_or_default(), act)
    }

    /// As [`Prepared::with`], where a key is encrypted to these recipients, if there are any.
    pub(super) fn with_recipients<T>(
        &self,
        secret: &Secret,
        recipients: Vec<RecipientText>,
        act: impl FnOnce() -> T,
    ) -> T {
        self.readers().insert(thread::current().id(), recipients);
        self.with(secret, act)
    }

    /// Keeps a passphrase, the PIN of a token, or the identity of one of these recipients, until the key is made.
    pub(super) fn keep(&self, asked: &Asked, secret: Secret, recipients: Vec<RecipientText>) {
        let terms = (asked.terms.clone(), (self.wall)());
        let (login, ends) = (asked.login, Instant::now() + asked.terms.lasting);
        let waiting = Waiting { login, secret, is_pin: asked.is_pin, recipients, terms, ends };
        self.waiting().insert(asked.key.clone(), waiting);
    }

    /// Refuses a new passphrase that is soon guessed, or is a file key.
    ///
    /// # Errors
    /// When it is.
    pub(super) fn judge(&self, key: &str, secret: &Secret) -> Result<(), KeyError> {
        must_be_no_file_key(key, secret)?;
        let weakness = self.policy.weakness(key, secret).filter(|_| !self.policy.allows_weak);
        weakness.map_or(Ok(()), |weakness| Err(KeyError::Weak(key.to_owned(), weakness)))
    }

    /// Returns a new passphrase: at a terminal it is asked for twice, and again when it is weak.
    ///
    /// # Errors
    /// When it is weak, or is not given.
    pub(super) fn chosen(&self, asked: &Asked, is_over: &dyn Fn() -> bool) -> Result<Secret, UnlockError> {
        let is_person = asked.handed == Handed::Terminal;
        let question = format!("New passphrase for the key of {}, read by genfic-signer: ", asked.key);
        let read = |question: &str| read_handed(&asked.from, asked.handed, asked.user, question, is_over);
        for number in 1..=TRIES {
            let secret = read(&question)?;
            must_be_no_file_key(&asked.key, &secret)?;
            let weakness = self.policy.weakness(&asked.key, &secret).filter(|_| !self.policy.allows_weak);
            let fault = match weakness {
                Some(weakness) if !is_person || number == TRIES => {
                    return Err(KeyError::Weak(asked.key.clone(), weakness).into());
                }
                Some(weakness) => Some(format!("That is soon guessed: {weakness}")),
                None if is_person && read("The same again: ")? != secret => {
                    Some("The two passphrases differ".to_owned())
                }
                None => None,
            };
            let Some(fault) = fault else { return Ok(secret) };
            terminal::say(asked.from.as_fd(), &format!("{fault}.\r\n")).map_err(NoPassphrase::from)?;
        }
        Err(NoPassphrase::NotText("it was not given twice").into())
    }

    /// Returns the passphrase, or the PIN, that this login gave for a new key.
    ///
    /// # Errors
    /// When it has given none, or the other of the two.
    pub(super) fn secret_for(
        &self,
        key: &str,
        is_pin: bool,
        login: Option<Login>,
    ) -> Result<Secret, KeyError> {
        self.expire();
        let waiting = self.waiting();
        let is_for = |waiting: &&Waiting| Some(waiting.login) == login && waiting.is_pin == is_pin;
        let given = waiting.get(key).filter(is_for);
        given.map(|waiting| waiting.secret.clone()).ok_or_else(|| not_given(key))
    }

    /// Returns what a key that this login has just made is unlocked for, and forgets its passphrase.
    pub(super) fn terms(&self, key: &str, login: Login) -> Option<PreparedTerms> {
        self.expire();
        let mut waiting = self.waiting();
        waiting.get(key).filter(|waiting| waiting.login == login)?;
        waiting.remove(key).map(|waiting| waiting.terms)
    }

    pub(super) fn forget(&self, key: &str) {
        self.waiting().remove(key);
    }

    pub(super) fn forget_all(&self) {
        self.waiting().clear();
    }

    pub(super) fn expire(&self) {
        let now = Instant::now();
        self.waiting().retain(|_, waiting| waiting.ends > now);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.expire();
        self.waiting().is_empty()
    }
}

/// The service's stores ask here: a key is opened with the passphrase that was handed over for it, a new key gets
/// the one that was prepared for it, and a timer's key is opened with the credential of the service's unit that has the key's name. Nobody is asked.
impl SecretSource for Prepared {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        match purpose {
            SecretPurpose::Open(key) => {
                let given = self.given().get(&thread::current().id()).cloned();
                given.map_or_else(|| credential(key, key), Ok)
            }
            SecretPurpose::Protect(key) => {
                let given = self.given().get(&thread::current().id()).cloned();
                given.ok_or_else(|| not_given(key))
            }
            SecretPurpose::Replace(key) => {
                let replacing = self.replacing().get(&thread::current().id()).cloned();
                replacing.ok_or_else(|| {
                    KeyError::SecretUnavailable(format!("nobody gave a new passphrase of {key}"))
                })
            }
        }
    }

    fn recipients(&self, _: &str) -> Vec<RecipientText> {
        self.readers().get(&thread::current().id()).cloned().unwrap_or_default()
    }
}

fn must_be_no_file_key(key: &str, secret: &Secret) -> Result<(), KeyError> {
    match is_file_key(secret) {
        true => Err(KeyError::Mistyped(key.to_owned(), Mistyped::FileKey)),
        false => Ok(()),
    }
}

fn not_given(key: &str) -> KeyError {
    KeyError::Locked {
        key: key.to_owned(),
        scope: Some(NEW.to_owned()),
        reason: "this login has given the signer no passphrase for a new key of this name".into(),
    }
}

/// Reads a credential of this unit, for this key. A name that could leave the directory of credentials is refused: it may
/// come from a client.
fn credential(name: &str, key: &str) -> Result<Secret, KeyError> {
    if name.contains('/') || name.starts_with('.') {
        return Err(KeyError::SecretUnavailable(format!("{name:?} is not the name of a credential")));
    }
    let source = SecretSpec::Credential(name.to_owned()).source(crate::signing::Nobody);
    source.secret(&SecretPurpose::Open(key.to_owned()))
}

/// The service's tokens ask here. As [`Prepared`], but the credential with a PIN has a name of its own, `pin.NAME`: the
/// process of the tokens says itself for which key it asks, and is never given the passphrase of a key in a file.
pub(crate) struct TokenPins(pub(crate) Arc<Prepared>);

impl SecretSource for TokenPins {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        match purpose {
            SecretPurpose::Open(key) => {
                let given = self.0.given().get(&thread::current().id()).cloned();
                given.map_or_else(|| credential(&format!("pin.{key}"), key), Ok)
            }
            SecretPurpose::Protect(_) | SecretPurpose::Replace(_) => self.0.secret(purpose),
        }
    }
}

#[cfg(test)]
mod pin_tests {
    use super::*;

    #[test]
    fn a_pin_protects_no_key_in_a_file_and_a_passphrase_is_no_pin() {
        // K1
        let prepared = Prepared::new(PassphrasePolicy::default(), || UnixTime(0));
        let login = Login { loginuid: 1000, session: Some(7) };
        let (secret, terms) = (Secret::from("1234".to_owned()), (super::super::Terms::none(), UnixTime(0)));
        for is_pin in [true, false] {
            let ends = Instant::now() + std::time::Duration::from_secs(600);
            let (secret, terms, recipients) = (secret.clone(), terms.clone(), Vec::new());
            let waiting = Waiting { login, secret, is_pin, recipients, terms, ends };
            prepared.waiting().insert("genfic".into(), waiting);
            assert!(prepared.secret_for("genfic", is_pin, Some(login)).is_ok());
            assert!(prepared.secret_for("genfic", !is_pin, Some(login)).is_err());
        }
    }

    #[test]
    fn the_process_of_the_tokens_gets_no_passphrase_of_a_key_in_a_file() {
        // K1
        let prepared = Arc::new(Prepared::new(PassphrasePolicy::default(), || UnixTime(0)));
        let pins = TokenPins(Arc::clone(&prepared));
        let asked = |source: &dyn SecretSource, key: &str| {
            source.secret(&SecretPurpose::Open(key.into())).err().unwrap().to_string()
        };
        assert!(asked(&pins, "genfic-user").contains("pin.genfic-user"), "{}", asked(&pins, "genfic-user"));
        assert!(!asked(&*prepared, "genfic-user").contains("pin."));
        for key in ["/etc/shadow", "../genfic-user", "a/../../genfic-user"] {
            assert!(asked(&pins, key).contains("is not the name"), "{key}");
            assert!(asked(&*prepared, key).contains("is not the name"), "{key}");
        }
        let asked = || pins.secret(&SecretPurpose::Open("genfic-user".into())).is_ok();
        assert!(prepared.with(&Secret::new("1234".into()), asked));
        assert!(!asked(), "it is given for one step");
    }
}
