use super::*;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

/// A user at a terminal, or none.
struct Person(Option<&'static str>);

impl SecretSource for Person {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        let typed = self.0.map(|typed| Secret::new(typed.into()));
        typed.ok_or_else(|| KeyError::InputNeeded(purpose.key().to_owned()))
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
    let sources =
        SecretSpec::Prompt.source(&person).with_authority("root", SecretSpec::File(file.path().to_owned()));
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
    let sources =
        SecretSpec::Descriptor(number).source(&person).with_authority("b", SecretSpec::Descriptor(number));
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

fn with_policy<'a>(sources: PassphraseSources<'a>, allows_weak: bool) -> PassphraseSources<'a> {
    let policy = PassphrasePolicy { allows_weak, known: Vec::new() };
    sources.with_new(NewPassphrases { policy: Some(Arc::new(policy)), ..NewPassphrases::default() })
}

fn protect(key: &str) -> SecretPurpose {
    SecretPurpose::Protect(key.into())
}

#[test]
fn a_weak_new_passphrase_of_a_ca_is_refused_from_whatever_source_or_noted_when_it_is_allowed() {
    // K2
    let file = file_with("s3cret\n");
    for spec in [SecretSpec::Prompt, SecretSpec::File(file.path().to_owned())] {
        let sources = with_policy(spec.clone().source(Person(Some("s3cret"))), false);
        assert_eq!(sources.secret(&open("a")).unwrap().as_str(), "s3cret", "an old one is taken");
        let refused = sources.secret(&protect("a")).unwrap_err();
        assert!(
            matches!(refused, KeyError::Weak(..)) && !refused.to_string().contains("s3cret"),
            "{refused}"
        );
        assert!(sources.take_notes().is_empty());
        let sources = with_policy(spec.source(Person(Some("s3cret"))), true);
        sources.secret(&protect("a")).unwrap();
        let notes = sources.take_notes();
        assert!(notes.len() == 1 && notes[0].contains("soon guessed") && !notes[0].contains("s3cret"));
    }
}

#[test]
fn a_new_passphrase_comes_from_its_own_source_and_opens_the_key_from_then_on() {
    let (old, new) = (file_with("old one\n"), file_with("new one\n"));
    let usual = SecretSpec::File(old.path().to_owned());
    let from = Some(SecretSpec::File(new.path().to_owned()));
    let sources = usual.clone().source(Person(None));
    let sources = sources.with_new(NewPassphrases { from, ..NewPassphrases::default() });
    let told = |purpose| sources.secret(&purpose).unwrap().to_string();
    assert_eq!(told(open("a")), "old one");
    assert_eq!(told(SecretPurpose::Replace("a".into())), "new one");
    assert_eq!([told(open("a")), told(open("b"))], ["new one", "old one"]);
    assert_eq!([told(protect("b")), told(open("b"))], ["new one", "new one"]);

    let unsaid = usual.source(Person(None));
    assert_eq!(unsaid.secret(&protect("a")).unwrap().as_str(), "old one");
    let needed = unsaid.secret(&SecretPurpose::Replace("a".into())).unwrap_err();
    assert!(matches!(needed, KeyError::NewInputNeeded(_)), "never the old one once more: {needed}");
}

#[test]
fn a_generated_passphrase_goes_into_a_new_file_of_its_owner_alone_or_to_a_person() {
    // K2
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new.pass");
    let generating = |from: Option<SecretSpec>| {
        let new = NewPassphrases { from, generates: true, policy: None };
        SecretSpec::Prompt.source(Person(Some("typed"))).with_new(new)
    };
    let sources = generating(Some(SecretSpec::File(path.clone())));
    let secret = sources.secret(&protect("a")).unwrap();
    assert_eq!(secret.split(' ').count(), 6);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", secret.as_str()));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(sources.take_notes().iter().all(|note| !note.contains(secret.as_str())));
    assert_eq!(sources.secret(&open("a")).unwrap(), secret);
    let again = generating(Some(SecretSpec::File(path.clone()))).secret(&protect("a"));
    assert!(matches!(again, Err(KeyError::SecretFileExists(_))), "nothing is written over");
    sources.take_back(|key| key == "a");
    assert!(path.exists());
    sources.take_back(|_| false);
    assert!(!path.exists());
    for (from, nobody) in [(None, true), (Some(SecretSpec::Environment("X".into())), false)] {
        let refused = generating(from).secret(&protect("a")).unwrap_err();
        assert_eq!(matches!(refused, KeyError::NotShown(_)), nobody, "{refused}");
    }
}

#[test]
fn an_empty_passphrase_is_refused_and_a_short_new_one_is_noted() {
    let empty = file_with("\n");
    let person = Person(Some("short"));
    let sources =
        SecretSpec::Prompt.source(&person).with_authority("empty", SecretSpec::File(empty.path().to_owned()));
    assert!(matches!(sources.secret(&open("empty")), Err(KeyError::SecretUnavailable(_))));
    sources.secret(&open("a")).unwrap();
    assert_eq!(sources.take_notes(), Vec::<String>::new(), "an old one is not remarked on");
    sources.secret(&SecretPurpose::Protect("a".into())).unwrap();
    let notes = sources.take_notes();
    assert!(notes.len() == 1 && notes[0].contains("fewer than 8") && !notes[0].contains("short"));
    assert!(sources.take_notes().is_empty());
}
