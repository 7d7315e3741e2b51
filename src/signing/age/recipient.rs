//! Recipients of key files and the identities that belong to them: X25519, and those of plugins.
//!
//! A plugin is a program `age-plugin-NAME` that is found in PATH and executed. Only [`Plugins`] lets it: where there is
//! none, its recipients and identities are refused.
use super::envelope::{EnvelopeError, EnvelopeRecipient, lines, read};
use crate::error::Shown as _;
use crate::home::AccessRule;
use crate::signing::{InvalidRecipient, KeyError, KeyPlace};
use age::secrecy::SecretString;
use age::{Callbacks, DecryptError, EncryptError, plugin};
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A recipient of a key file.
#[derive(Clone)]
pub enum KeyRecipient {
    /// An X25519 public key, `age1...`.
    X25519(EnvelopeRecipient),
    /// A recipient of a plugin, `age1NAME1...`.
    Plugin(PluginRecipient),
}

/// A recipient that a plugin encrypts to.
#[derive(Clone)]
pub struct PluginRecipient(plugin::Recipient);

impl FromStr for KeyRecipient {
    type Err = InvalidRecipient;

    fn from_str(text: &str) -> Result<Self, InvalidRecipient> {
        if let Ok(recipient) = text.parse::<EnvelopeRecipient>() {
            return Ok(Self::X25519(recipient));
        }
        let invalid = || InvalidRecipient::malformed(text);
        if !text.starts_with("age1") {
            return Err(invalid());
        }
        text.parse().map(|recipient| Self::Plugin(PluginRecipient(recipient))).map_err(|_| invalid())
    }
}

impl KeyRecipient {
    /// Reads the recipients of a file, as [`EnvelopeRecipient::read_file`] does, those of plugins too.
    ///
    /// # Errors
    /// As [`EnvelopeRecipient::read_file`].
    pub fn read_file(path: &Path) -> Result<Vec<Self>, EnvelopeError> {
        let text = read(path, AccessRule::CONFIGURATION)?;
        let invalid = |error: InvalidRecipient| match error {
            InvalidRecipient::Malformed(text) | InvalidRecipient::OfPlugin(text) => {
                EnvelopeError::InvalidRecipient(text)
            }
        };
        let recipients: Vec<Self> =
            lines(&text).map(|(_, line)| line.parse().map_err(invalid)).collect::<Result<_, _>>()?;
        if recipients.is_empty() {
            Err(EnvelopeError::Nobody(path.shown().to_string()))
        } else {
            Ok(recipients)
        }
    }
}

/// Writes the recipient as a user types it.
impl fmt::Display for KeyRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X25519(recipient) => recipient.fmt(f),
            Self::Plugin(PluginRecipient(recipient)) => recipient.fmt(f),
        }
    }
}

/// Writes the recipient, which is public.
impl fmt::Debug for KeyRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRecipient({self})")
    }
}

/// Recipients are the same when they are written the same.
impl PartialEq for KeyRecipient {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for KeyRecipient {}

/// What a plugin asks and says while it works: for a PIN, or to touch a button.
pub trait PluginQuestions: Send + Sync {
    /// Shows a message.
    fn tell(&self, message: &str);
    /// Asks for text that may be seen; `None` when nobody can be asked.
    fn ask(&self, question: &str) -> Option<String>;
    /// Asks for a PIN; `None` when nobody can be asked.
    fn ask_secret(&self, question: &str) -> Option<zeroize::Zeroizing<String>>;
    /// Asks for a decision between two answers; `None` when nobody can be asked.
    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool>;
}

/// The permission to execute plugins.
#[derive(Clone)]
pub struct Plugins {
    questions: Arc<dyn PluginQuestions>,
    confine: fn() -> io::Result<()>,
    secret: Vec<String>,
}

impl Plugins {
    /// Lets plugins be executed, with their questions asked this way. `confine` confines the calling thread and whatever
    /// process it starts from then on, for good.
    #[must_use]
    pub fn asking(questions: Arc<dyn PluginQuestions>, confine: fn() -> io::Result<()>) -> Self {
        Self { questions, confine, secret: Vec::new() }
    }

    /// Executes no plugin while one of these variables is in the environment, which plugins get: a passphrase is in it.
    #[must_use]
    pub fn without(self, secret: Vec<String>) -> Self {
        Self { secret, ..self }
    }

    /// Does what may execute plugins in a thread that is confined before, and so are they.
    pub(super) fn confined<T: Send>(
        &self,
        place: &KeyPlace,
        act: impl FnOnce() -> Result<T, KeyError> + Send,
    ) -> Result<T, KeyError> {
        if let Some(variable) = self.secret.iter().find(|variable| is_set(variable)) {
            let reason = format!(
                "it would get the passphrase in the environment variable {variable}: take that from a file or a \
                 descriptor, and the variable out of the environment"
            );
            return Err(KeyError::Plugin(place.clone(), reason));
        }
        let confine = self.confine;
        let unconfined =
            |reason: String| KeyError::Plugin(place.clone(), format!("plugins are not confined: {reason}"));
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("plugins".into()).spawn_scoped(scope, move || {
                confine()?;
                Ok(act())
            });
            let done: io::Result<_> = thread.and_then(|thread| {
                thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread of the plugins ended")))
            });
            done.map_err(|error| unconfined(error.to_string()))?
        })
    }
}

fn is_set(variable: &str) -> bool {
    // the copy is wiped
    std::env::var_os(variable).map(|value| Zeroizing::new(value.into_encoded_bytes())).is_some()
}

/// Returns whether a plugin opens one of these identities, one a line.
pub(super) fn names_plugin(identities: &str) -> bool {
    identities.lines().any(|line| line.trim().parse::<plugin::Identity>().is_ok())
}

impl KeyRecipient {
    /// Returns whether a plugin encrypts to this recipient.
    pub(super) fn is_of_plugin(&self) -> bool {
        matches!(self, Self::Plugin(_))
    }
}

impl Callbacks for Plugins {
    fn display_message(&self, message: &str) {
        self.questions.tell(message);
    }

    fn confirm(&self, message: &str, yes_string: &str, no_string: Option<&str>) -> Option<bool> {
        self.questions.confirm(message, yes_string, no_string)
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.questions.ask(description)
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        self.questions.ask_secret(description).map(|secret| SecretString::from(secret.as_str()))
    }
}

/// Returns the recipients as the library takes them, one for all recipients of a plugin.
pub(super) fn recipients(
    place: &KeyPlace,
    all: &[KeyRecipient],
    plugins: Option<&Plugins>,
) -> Result<Vec<Box<dyn age::Recipient>>, KeyError> {
    let mut out: Vec<Box<dyn age::Recipient>> = Vec::new();
    let mut of_plugins = Vec::new();
    for one in all {
        match one {
            KeyRecipient::X25519(recipient) => out.push(Box::new(recipient.inner().clone())),
            KeyRecipient::Plugin(PluginRecipient(recipient)) => of_plugins.push(recipient.clone()),
        }
    }
    let names: BTreeSet<&str> = of_plugins.iter().map(plugin::Recipient::plugin).collect();
    for name in names {
        let plugins = plugins.ok_or_else(|| forbidden(place, name))?.clone();
        let made = plugin::RecipientPluginV1::new(name, &of_plugins, &[], plugins);
        out.push(Box::new(made.map_err(|error| failed(place, name, &error.to_string()))?));
    }
    Ok(out)
}

/// Reads identities, one a line, as `age-keygen` and plugins write them; `#` begins a comment. The text is not repeated
/// in errors.
pub(super) fn identities(
    place: &KeyPlace,
    text: &str,
    plugins: Option<&Plugins>,
) -> Result<Vec<Box<dyn age::Identity>>, KeyError> {
    let mut out: Vec<Box<dyn age::Identity>> = Vec::new();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        if let Ok(identity) = line.parse::<age::x25519::Identity>() {
            out.push(Box::new(identity));
        } else if let Ok(identity) = line.parse::<plugin::Identity>() {
            let name = identity.plugin().to_owned();
            let plugins = plugins.ok_or_else(|| forbidden(place, &name))?.clone();
            let made = plugin::IdentityPluginV1::new(&name, &[identity], plugins);
            out.push(Box::new(made.map_err(|error| failed(place, &name, &error.to_string()))?));
        } else {
            return Err(KeyError::NotAnIdentity(place.clone()));
        }
    }
    if out.is_empty() { Err(KeyError::NotAnIdentity(place.clone())) } else { Ok(out) }
}

fn forbidden(place: &KeyPlace, name: &str) -> KeyError {
    KeyError::PluginNotRun(place.clone(), format!("age-plugin-{name}"))
}

fn failed(place: &KeyPlace, name: &str, reason: &str) -> KeyError {
    KeyError::Plugin(place.clone(), format!("age-plugin-{name}: {}", on_one_line(reason)))
}

/// Returns the reason why a plugin did not encrypt.
pub(super) fn not_sealed(place: &KeyPlace, error: &EncryptError) -> KeyError {
    match error {
        EncryptError::Plugin(_) | EncryptError::Io(_) => {
            KeyError::Plugin(place.clone(), on_one_line(&error.to_string()))
        }
        _ => KeyError::Cryptography("encrypting the key".into()),
    }
}

/// Returns the reason why a plugin did not decrypt; `None` for errors of other kinds.
pub(super) fn not_opened(place: &KeyPlace, error: &DecryptError) -> Option<KeyError> {
    match error {
        DecryptError::Plugin(_) | DecryptError::PluginResolve(_) => {
            Some(KeyError::Plugin(place.clone(), on_one_line(&error.to_string())))
        }
        _ => None,
    }
}

/// Returns a message of the library, which has several lines and isolates names, on one. What it says to those who write
/// plugins is left out: that would print the secret.
pub(super) fn on_one_line(text: &str) -> String {
    let text = text.replace(['\u{2068}', '\u{2069}'], "");
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("If you are developing"));
    let lines: Vec<&str> =
        lines.map(|line| line.trim_end_matches('.')).filter(|line| !line.is_empty()).collect();
    lines.join("; ")
}

/// Returns a new X25519 identity and its recipient, as text, for tests.
#[cfg(test)]
pub(crate) fn generated() -> (String, KeyRecipient) {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string().parse().unwrap();
    (identity.to_string().expose_secret().to_owned(), recipient)
}
