//! Selection of the source of passphrases for each key.
use super::{SecretSpec, read};
use crate::signing::{KeyError, Secret, SecretPurpose, SecretSource};
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Least length, in characters, of a new passphrase that causes no warning.
const SHORT: usize = 8;

/// The command's source of passphrases, and the sources that the configuration names for single CAs.
pub struct PassphraseSources<'a> {
    default: SecretSpec,
    authorities: BTreeMap<String, SecretSpec>,
    prompt: Box<dyn SecretSource + 'a>,
    descriptors: Mutex<BTreeMap<u32, Descriptor>>,
    notes: Mutex<Vec<String>>,
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
            descriptors: Mutex::default(),
            notes: Mutex::default(),
        };
        sources.take_hold(&default);
        sources
    }

    /// Returns the same sources with another one for the key of this name (`[authority.NAME] passphrase_from`). A
    /// credential is used in a systemd service only; otherwise the passphrase of this key is asked for like the
    /// others.
    #[must_use]
    pub(crate) fn with_authority(mut self, name: &str, spec: SecretSpec) -> Self {
        self.take_hold(&spec);
        self.authorities.insert(name.to_owned(), spec);
        self
    }

    fn take_hold(&self, spec: &SecretSpec) {
        if let SecretSpec::Descriptor(number) = spec {
            held(&self.descriptors).entry(*number).or_insert_with(|| {
                read::descriptor(*number)
                    .map_or_else(|reason| Descriptor::Unusable(reason.into()), Descriptor::Open)
            });
        }
    }

    /// Returns the warnings about the passphrases given since the last call, one sentence each.
    #[must_use]
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut held(&self.notes))
    }

    fn read_descriptor(&self, number: u32) -> Result<Secret, KeyError> {
        let mut descriptors = held(&self.descriptors);
        let unusable = || Descriptor::Unusable(format!("fd:{number} cannot be read"));
        let descriptor = descriptors.entry(number).or_insert_with(unusable);
        if let Descriptor::Open(file) = descriptor {
            *descriptor = Descriptor::Read(read::whole(file, &format!("fd:{number}"))?);
        }
        match descriptor {
            Descriptor::Read(secret) => Ok(secret.clone()),
            Descriptor::Unusable(reason) => Err(KeyError::SecretUnavailable(reason.clone())),
            Descriptor::Open(_) => Err(KeyError::SecretUnavailable(format!("fd:{number} was not read"))),
        }
    }
}

impl SecretSource for PassphraseSources<'_> {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        let (SecretPurpose::Open(key) | SecretPurpose::Protect(key)) = purpose;
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        let counts = |spec: &&SecretSpec| credentials.is_some() || !matches!(spec, SecretSpec::Credential(_));
        let spec = self.authorities.get(key).filter(counts).unwrap_or(&self.default);
        let name = spec.to_string();
        let secret = match spec {
            SecretSpec::Prompt => self.prompt.secret(purpose)?,
            SecretSpec::File(path) => read::file(path, &name)?,
            SecretSpec::Environment(variable) => read::variable(std::env::var_os(variable), &name)?,
            SecretSpec::Descriptor(number) => self.read_descriptor(*number)?,
            SecretSpec::Credential(credential) => read::credential(credentials, credential, &name)?,
        };
        if secret.is_empty() {
            return Err(KeyError::SecretUnavailable(format!("{name} gave an empty passphrase for {key}")));
        }
        if matches!(purpose, SecretPurpose::Protect(_)) && secret.chars().count() < SHORT {
            let note =
                format!("the passphrase of {key} has fewer than {SHORT} characters and is soon guessed");
            held(&self.notes).push(note);
        }
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::process::{Command, Stdio};

    /// A user at a terminal, or none.
    struct Person(Option<&'static str>);

    impl SecretSource for Person {
        fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
            let (SecretPurpose::Open(key) | SecretPurpose::Protect(key)) = purpose;
            self.0.map(|typed| Secret::new(typed.into())).ok_or_else(|| KeyError::InputNeeded(key.clone()))
        }
    }

    fn open(key: &str) -> SecretPurpose {
        SecretPurpose::Open(key.into())
    }

    fn file_with(contents: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(contents.as_bytes()).unwrap();
        file
    }

    #[test]
    fn a_cas_own_source_is_asked_before_the_commands() {
        let file = file_with("of the root\n");
        let person = Person(Some("typed"));
        let sources = SecretSpec::Prompt
            .source(&person)
            .with_authority("root", SecretSpec::File(file.path().to_owned()));
        assert_eq!(sources.secret(&open("root")).unwrap().as_str(), "of the root");
        assert_eq!(sources.secret(&open("other")).unwrap().as_str(), "typed");
    }

    #[test]
    fn when_nobody_can_be_asked_the_prompt_says_so() {
        let sources = SecretSpec::Prompt.source(Person(None));
        assert!(matches!(sources.secret(&open("root")), Err(KeyError::InputNeeded(key)) if key == "root"));
    }

    #[test]
    fn a_descriptor_is_read_once_and_serves_every_key() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let number = u32::try_from(reader.as_raw_fd()).unwrap();
        writer.write_all(b"s3cret\n").unwrap();
        drop(writer);
        let person = Person(None);
        let sources = SecretSpec::Descriptor(number)
            .source(&person)
            .with_authority("b", SecretSpec::Descriptor(number));
        for key in ["a", "b", "c"] {
            assert_eq!(sources.secret(&open(key)).unwrap().as_str(), "s3cret");
        }
    }

    #[test]
    fn a_descriptor_opened_later_under_the_same_number_is_not_taken_for_it() {
        let person = Person(None);
        let file = file_with("not a passphrase");
        let free = 700;
        let sources = SecretSpec::Descriptor(free).source(&person);
        let later = rustix::io::fcntl_dupfd_cloexec(&file, i32::try_from(free).unwrap()).unwrap();
        assert_eq!(u32::try_from(later.as_raw_fd()), Ok(free));
        assert!(matches!(sources.secret(&open("a")), Err(KeyError::SecretUnavailable(_))));
    }

    #[test]
    #[ignore = "run by the test below with a passphrase on its standard input and in its environment"]
    fn probe() {
        if std::env::var_os("GENFIC_TEST_PASSPHRASE").is_none() {
            return;
        }
        let person = Person(None);
        for spec in ["fd:0", "env:GENFIC_TEST_PASSPHRASE", "cred:genfic"] {
            let sources = spec.parse::<SecretSpec>().unwrap().source(&person);
            assert_eq!(sources.secret(&open("a")).unwrap().as_str(), "s3cret", "{spec}");
        }
        let own = SecretSpec::Prompt
            .source(Person(Some("typed")))
            .with_authority("a", SecretSpec::Credential("genfic".into()));
        assert_eq!(own.secret(&open("a")).unwrap().as_str(), "s3cret", "a CA's own, in a service");
    }

    #[test]
    #[ignore = "run by the test below outside every service"]
    fn probe_without_credentials() {
        let source = || SecretSpec::Credential("genfic".into());
        let own = SecretSpec::Prompt.source(Person(Some("typed"))).with_authority("a", source());
        assert_eq!(own.secret(&open("a")).unwrap().as_str(), "typed");
        let nobody = SecretSpec::Prompt.source(Person(None)).with_authority("a", source());
        assert!(matches!(nobody.secret(&open("a")), Err(KeyError::InputNeeded(_))));
        let asked_for = source().source(Person(Some("typed")));
        assert!(matches!(asked_for.secret(&open("a")), Err(KeyError::SecretUnavailable(_))));
    }

    #[test]
    fn a_cas_credential_counts_in_a_service_only_and_elsewhere_a_person_is_asked() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "signing::secret::sources::tests::probe_without_credentials"])
            .env_remove("CREDENTIALS_DIRECTORY")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }

    #[test]
    fn standard_input_variables_and_credentials_are_read() {
        let credentials = tempfile::tempdir().unwrap();
        std::fs::write(credentials.path().join("genfic"), "s3cret\n").unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "signing::secret::sources::tests::probe"])
            .env("GENFIC_TEST_PASSPHRASE", "s3cret")
            .env("CREDENTIALS_DIRECTORY", credentials.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"s3cret\n").unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }

    #[test]
    fn an_empty_passphrase_is_refused_and_a_short_new_one_is_noted() {
        let empty = file_with("\n");
        let person = Person(Some("short"));
        let sources = SecretSpec::Prompt
            .source(&person)
            .with_authority("empty", SecretSpec::File(empty.path().to_owned()));
        assert!(matches!(sources.secret(&open("empty")), Err(KeyError::SecretUnavailable(_))));
        sources.secret(&open("a")).unwrap();
        assert_eq!(sources.take_notes(), Vec::<String>::new(), "an old one is not remarked on");
        sources.secret(&SecretPurpose::Protect("a".into())).unwrap();
        let notes = sources.take_notes();
        assert!(notes.len() == 1 && notes[0].contains("fewer than 8") && !notes[0].contains("short"));
        assert!(sources.take_notes().is_empty());
    }
}
