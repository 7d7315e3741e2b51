//! Selection of the source of passphrases for each key.
use super::{Mistyped, PassphrasePolicy, SecretSpec, read};
use crate::error::Shown as _;
use crate::home::{Mode, write_new};
use crate::signing::file_key_text::is_file_key;
use crate::signing::{KeyError, Secret, SecretPurpose, SecretSource, random_words};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// Least length, in characters, of a new passphrase that causes no warning.
const SHORT: usize = 8;

/// Where the new passphrases of a command come from, and how strong they have to be.
#[derive(Clone, Debug, Default)]
pub struct NewPassphrases {
    /// The source of new passphrases; `None` for the one that a key of this name has otherwise, and for a new passphrase of
    /// an existing key the terminal.
    pub from: Option<SecretSpec>,
    /// Whether they are generated: shown on the terminal, or where `from` is [`SecretSpec::File`] written into that file,
    /// which must not exist yet.
    pub generates: bool,
    /// The rule that they obey; `None` for passphrases that protect no key of a CA.
    pub policy: Option<Arc<PassphrasePolicy>>,
}

/// The command's source of passphrases, and the sources that the configuration names for single CAs.
pub struct PassphraseSources<'a> {
    default: SecretSpec,
    authorities: BTreeMap<String, SecretSpec>,
    prompt: Box<dyn SecretSource + 'a>,
    new: NewPassphrases,
    /// New passphrases by the names of their keys: from then on these open the keys, whatever the source has.
    made: Mutex<BTreeMap<String, Secret>>,
    descriptors: Mutex<BTreeMap<u32, Descriptor>>,
    /// The connection to the command that these are for.
    command: Option<OwnedFd>,
    notes: Mutex<Vec<String>>,
    /// Files made for generated passphrases of new keys, with the names of the keys.
    written: Mutex<Vec<(String, PathBuf)>>,
}

enum Descriptor {
    Open(File),
    /// A source that can be read only once; its passphrase is kept for several keys.
    Read(Secret),
    Unusable(String),
}

fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> PassphraseSources<'a> {
    pub(super) fn new(default: SecretSpec, prompt: Box<dyn SecretSource + 'a>) -> Self {
        let sources = Self {
            default: default.clone(),
            authorities: BTreeMap::new(),
            prompt,
            new: NewPassphrases::default(),
            made: Mutex::default(),
            descriptors: Mutex::default(),
            command: None,
            notes: Mutex::default(),
            written: Mutex::default(),
        };
        sources.take_hold(&default);
        sources
    }

    /// Returns the same sources with another one for the key of this name (`[authority.NAME] passphrase_from`). A
    /// credential is used in a systemd service only; otherwise the passphrase of this key is asked for like the
    /// others.
    #[must_use]
    pub fn with_authority(mut self, name: &str, spec: SecretSpec) -> Self {
        self.take_hold(&spec);
        self.authorities.insert(name.to_owned(), spec);
        self
    }

    /// Returns the same sources with this one for new passphrases.
    #[must_use]
    pub fn with_new(mut self, new: NewPassphrases) -> Self {
        if let Some(spec) = &new.from {
            self.take_hold(spec);
        }
        self.new = new;
        self
    }

    /// Returns the same sources for the command at the other end of this connection: where that is gone, no descriptor is
    /// waited for any more.
    #[must_use]
    pub(crate) fn for_command(self, command: Option<OwnedFd>) -> Self {
        Self { command, ..self }
    }

    fn take_hold(&self, spec: &SecretSpec) {
        if let SecretSpec::Descriptor(number) = spec {
            held(&self.descriptors).entry(*number).or_insert_with(|| {
                read::descriptor(*number)
                    .map_or_else(|reason| Descriptor::Unusable(reason.into()), Descriptor::Open)
            });
        }
    }

    /// Returns the environment variables that passphrases come from: what else is executed must not get them.
    #[must_use]
    pub fn variables(&self) -> Vec<String> {
        let all = self.authorities.values().chain([&self.default]).chain(&self.new.from);
        let variables = all.filter_map(|spec| match spec {
            SecretSpec::Environment(variable) => Some(variable.clone()),
            _ => None,
        });
        variables.collect()
    }

    /// Returns the warnings about the passphrases given since the last call, one sentence each.
    #[must_use]
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut held(&self.notes))
    }

    /// Removes the files that were made for generated passphrases of new keys which `is_there` denies, after a failure:
    /// such a passphrase opens nothing, and its file would be in the way of the next attempt. A file that cannot be removed
    /// stays.
    pub fn take_back(&self, is_there: impl Fn(&str) -> bool) {
        held(&self.written).retain(|(key, file)| is_there(key) || fs::remove_file(file).is_err());
    }

    fn read_descriptor(&self, number: u32) -> Result<Secret, KeyError> {
        let mut descriptors = held(&self.descriptors);
        let unusable = || Descriptor::Unusable(format!("fd:{number} cannot be read"));
        let descriptor = descriptors.entry(number).or_insert_with(unusable);
        if let Descriptor::Open(file) = descriptor {
            let source = read::ReadFor { file, command: self.command.as_ref() };
            *descriptor = Descriptor::Read(read::whole(source, &format!("fd:{number}"))?);
        }
        match descriptor {
            Descriptor::Read(secret) => Ok(secret.clone()),
            Descriptor::Unusable(reason) => Err(KeyError::SecretUnavailable(reason.clone())),
            Descriptor::Open(_) => Err(KeyError::SecretUnavailable(format!("fd:{number} was not read"))),
        }
    }
}

impl PassphraseSources<'_> {
    /// Returns the source for this purpose.
    fn spec(&self, purpose: &SecretPurpose) -> &SecretSpec {
        let is_service = std::env::var_os("CREDENTIALS_DIRECTORY").is_some();
        let counts = |spec: &&SecretSpec| is_service || !matches!(spec, SecretSpec::Credential(_));
        let usual = || self.authorities.get(purpose.key()).filter(counts).unwrap_or(&self.default);
        match (purpose, &self.new.from) {
            (SecretPurpose::Open(_), _) | (SecretPurpose::Protect(_), None) => usual(),
            (_, Some(from)) => from,
            (SecretPurpose::Replace(_), None) => &SecretSpec::Prompt,
        }
    }

    fn read(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        let spec = self.spec(purpose);
        let name = spec.to_string();
        match spec {
            SecretSpec::Prompt => self.prompt.secret(purpose).map_err(|error| match (error, purpose) {
                (KeyError::InputNeeded(key), SecretPurpose::Replace(_)) => KeyError::NewInputNeeded(key),
                (error, _) => error,
            }),
            SecretSpec::File(path) => read::file(path, &name),
            SecretSpec::Environment(variable) => read::variable(std::env::var_os(variable), &name),
            SecretSpec::Descriptor(number) => self.read_descriptor(*number),
            SecretSpec::Credential(credential) => {
                read::credential(std::env::var_os("CREDENTIALS_DIRECTORY"), credential, &name)
            }
        }
    }

    /// Generates a passphrase and shows it, or writes it into the file that will be its source.
    fn generated(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        let key = purpose.key();
        let secret = random_words()?;
        match self.new.from.as_ref().unwrap_or(&SecretSpec::Prompt) {
            SecretSpec::Prompt => self.prompt.show(purpose, &secret).map_err(|error| match error {
                KeyError::InputNeeded(key) => KeyError::NotShown(key),
                error => error,
            })?,
            SecretSpec::File(path) => {
                put_into_new_file(path, &secret)?;
                if matches!(purpose, SecretPurpose::Protect(_)) {
                    held(&self.written).push((key.to_owned(), path.clone()));
                }
                let note = format!("the passphrase generated for {key} is in {}", path.shown());
                held(&self.notes).push(note);
            }
            spec @ (SecretSpec::Environment(_) | SecretSpec::Descriptor(_) | SecretSpec::Credential(_)) => {
                let reason =
                    format!("a generated one is shown on a terminal or put into a file, not into {spec}");
                return Err(KeyError::SecretUnavailable(reason));
            }
        }
        Ok(secret)
    }

    /// Refuses a weak new passphrase, or takes note of it.
    fn judge(&self, key: &str, secret: &Secret) -> Result<(), KeyError> {
        if is_file_key(secret) {
            return Err(KeyError::Mistyped(key.to_owned(), Mistyped::FileKey));
        }
        let note = match &self.new.policy {
            Some(policy) => match policy.weakness(key, secret) {
                Some(weakness) if !policy.allows_weak => {
                    return Err(KeyError::Weak(key.to_owned(), weakness));
                }
                weakness => weakness
                    .map(|weakness| format!("the passphrase of {key} is weak and soon guessed: {weakness}")),
            },
            None => (secret.chars().count() < SHORT).then(|| {
                format!("the passphrase of {key} has fewer than {SHORT} characters and is soon guessed")
            }),
        };
        held(&self.notes).extend(note);
        Ok(())
    }
}

/// Writes a generated passphrase into a file that does not exist yet.
fn put_into_new_file(path: &Path, secret: &Secret) -> Result<(), KeyError> {
    let line = Zeroizing::new([secret.as_bytes(), b"\n"].concat());
    write_new(path, &line, Mode::Private).map_err(|error| match error.source.kind() {
        ErrorKind::AlreadyExists => KeyError::SecretFileExists(path.shown().to_string()),
        _ => KeyError::SecretUnavailable(error.to_string()),
    })
}

impl SecretSource for PassphraseSources<'_> {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        let key = purpose.key();
        let is_made_anew = matches!(purpose, SecretPurpose::Replace(_));
        if let Some(made) = held(&self.made).get(key).filter(|_| !is_made_anew) {
            return Ok(made.clone());
        }
        let is_new = !matches!(purpose, SecretPurpose::Open(_));
        let secret =
            if is_new && self.new.generates { self.generated(purpose)? } else { self.read(purpose)? };
        if secret.is_empty() {
            let spec = self.spec(purpose);
            let read_once = match spec {
                SecretSpec::Descriptor(_) => {
                    "; a pipe is read once, by the first signer that needs it: with a medium in use there are two, and \
                     the other one needs a file, or for a new key a source of its own"
                }
                _ => "",
            };
            let reason = format!("{spec} gave an empty passphrase for {key}{read_once}");
            return Err(KeyError::SecretUnavailable(reason));
        }
        if is_new {
            self.judge(key, &secret)?;
            held(&self.made).insert(key.to_owned(), secret.clone());
        }
        Ok(secret)
    }

    fn try_again(&self, purpose: &SecretPurpose) -> bool {
        *self.spec(purpose) == SecretSpec::Prompt && self.prompt.try_again(purpose)
    }
}

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;
