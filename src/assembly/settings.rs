//! Reading of configuration and profiles from their files.
use crate::ca::CaSettings;
use crate::config::Config;
use crate::error::{Code, Exit, Problem, Remedy, Shown as _, remedy};
use crate::home::{FileStatus, GivenError, Home, ReadError, read_file, verify_tokens};
use crate::profile::{ProfileError, Profiles, SHIPPED};
use crate::signing::{PassphraseSources, SecretSource, SecretSpec};
use crate::x509::KeyAlgorithm;
use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Size in octets, bounds a configuration or profile file; 1 MiB is far more than anybody writes by hand.
pub(super) const LARGEST_TEXT: u64 = 1 << 20;
/// Size in octets, bounds the list of compromised keys; the list for Debian's flawed generator has 13 MB.
const LARGEST_LIST: u64 = 64 << 20;

fn unreadable(path: &Path, error: &ReadError) -> Problem {
    let code = match error {
        ReadError::Io(error) if error.kind() == ErrorKind::NotFound => Code::FileMissing,
        _ => Code::FileNotRead,
    };
    let hint: Remedy = match error {
        ReadError::Io(error) if error.kind() == ErrorKind::PermissionDenied => {
            "run as the user who owns the home, or let this one read it".into()
        }
        ReadError::TooLarge(_) => "look whether it is the right file".into(),
        ReadError::Io(_) => remedy::Home::PutBackPolicy.into(),
        ReadError::Kind(_) => remedy::Home::NamePolicyFile.into(),
    };
    Problem::new(code, format!("{} {error}", path.shown())).hint(hint)
}

fn io_error(path: &Path, error: std::io::Error) -> Problem {
    unreadable(path, &ReadError::Io(error))
}

/// Returns the text of a file that only its owner can change. Octets that are not UTF-8 are reported with
/// their line.
fn text_given(home: &Home, path: &Path, most: u64) -> Result<String, Problem> {
    let octets = home.read_given(path, most).map_err(|error| match error {
        GivenError::Unsafe(problem) => problem,
        GivenError::Read(error) => unreadable(path, &error),
    })?;
    text(path, octets)
}

/// Returns the text of a file of the home, whose owner and mode have been checked.
fn text_of(path: &Path, most: u64) -> Result<String, Problem> {
    text(path, read_file(path, most).map_err(|error| unreadable(path, &error))?)
}

fn text(path: &Path, octets: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(octets).map_err(|error| {
        let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = good.filter(|octet| **octet == b'\n').count() + 1;
        let message = format!("{}: line {line}: not UTF-8 text", path.shown());
        Problem::new(Code::ConfigInvalid, message).hint("save it as UTF-8 without a byte order mark")
    })
}

/// Adds the file's name to a problem.
fn within(path: &Path, problem: Problem) -> Problem {
    Problem { message: format!("{}: {}", path.shown(), problem.message), ..problem }
}

/// Refuses a home that does not exist.
pub(super) fn must_exist(home: &Home) -> Result<(), Problem> {
    if home.exists() {
        return Ok(());
    }
    let message = format!("there is no home in {}", home.directory().shown());
    Err(Problem::new(Code::HomeMissing, message).hint(remedy::Home::MakeOrSet))
}

/// Reads the configuration: the file given, or the home's.
///
/// # Errors
/// When there is no home; when others can change the file (`config.unsafe`); when it cannot be read or has
/// mistakes, which are all named with their lines.
pub(crate) fn read_config(home: &Home, file: Option<&Path>) -> Result<Config, Problem> {
    must_exist(home)?;
    read_config_file(home, file)
}

/// Reads the configuration as [`read_config`], whether there is a home or not.
pub(super) fn read_config_file(home: &Home, file: Option<&Path>) -> Result<Config, Problem> {
    let path = file.map_or_else(|| home.configuration_file(), Path::to_owned);
    Config::parse(&text_given(home, &path, LARGEST_TEXT)?).map_err(|errors| within(&path, errors.into()))
}

/// Returns the beginning of every URL at the server that the configuration names; `None` where it names none or cannot be
/// read.
#[must_use]
pub fn configured_base(home: &Home, file: Option<&Path>) -> Option<String> {
    read_config_file(home, file).ok()?.publication.base()
}

/// Checks the configuration, and the list of compromised keys that it names. Returns the path of the file.
///
/// # Errors
/// As [`read_config`], and when the list cannot be read or is wrong.
pub fn check_config(home: &Home, file: Option<&Path>) -> Result<PathBuf, Problem> {
    let config = read_config(home, file)?;
    compromised_keys(home, &config)?;
    Ok(file.map_or_else(|| home.configuration_file(), Path::to_owned))
}

/// Returns the passphrase sources: the one given or configured, and for CAs with a configured source of their
/// own that one first.
pub fn secret_sources<'a>(
    config: &Config,
    given: Option<SecretSpec>,
    prompt: impl SecretSource + 'a,
) -> PassphraseSources<'a> {
    let default = given.unwrap_or_else(|| config.passphrase_from.clone());
    let mut sources = default.source(prompt);
    for (name, authority) in &config.authorities {
        if let Some(own) = &authority.passphrase_from {
            sources = sources.with_authority(name, own.clone());
        }
    }
    sources
}

/// Returns the key type of new end-entity keys: the configured one, or the default without a home.
///
/// # Errors
/// When there is a home and its configuration is wrong.
pub fn leaf_key(home: &Home, file: Option<&Path>) -> Result<KeyAlgorithm, Problem> {
    let has_configuration = file.is_some() || home.configuration_file().is_file();
    if home.exists() && has_configuration {
        read_config(home, file).map(|config| config.keys.leaf)
    } else {
        Ok(Config::default().keys.leaf)
    }
}

/// Returns the configuration as far as it can be read, and its faults.
///
/// # Errors
/// `config.unsafe` (exit 10) when others can change the file: nothing in it is followed then.
pub(super) fn read_config_leniently(
    home: &Home,
    file: Option<&Path>,
) -> Result<(Config, Vec<Problem>), Problem> {
    let path = file.map_or_else(|| home.configuration_file(), Path::to_owned);
    let text = match text_given(home, &path, LARGEST_TEXT) {
        Ok(text) => text,
        Err(problem) if problem.exit == Exit::Permissions => return Err(problem),
        Err(problem) => return Ok((Config::default(), vec![problem])),
    };
    let (config, errors) = Config::parse_leniently(&text);
    let faults = if errors.is_empty() { Vec::new() } else { vec![within(&path, errors.into())] };
    Ok((config, faults))
}

/// Returns configuration, profiles and compromised keys. A profile that cannot be read is reported when it is
/// asked for.
pub(super) fn settings(home: &Home, config: Config) -> Result<CaSettings, Problem> {
    let profiles = read_profiles(home);
    let compromised_keys = compromised_keys(home, &config)?;
    Ok(CaSettings { config, profiles, compromised_keys, takes_flawed_profiles: false })
}

/// Returns the SHA-256 digests of the keys that are not certified.
pub(super) fn compromised_keys(home: &Home, config: &Config) -> Result<HashSet<[u8; 32]>, Problem> {
    let Some(path) = &config.keys.compromised_spki_sha256_file else { return Ok(HashSet::new()) };
    let path = home.configuration_directory().join(path);
    digests(&path, &text_given(home, &path, LARGEST_LIST)?)
}

/// Returns the name of the profile in this file; `None` when the file is not a profile.
pub(super) fn profile_name(path: &Path) -> Option<String> {
    let name = path.file_stem()?.to_string_lossy().into_owned();
    (path.extension()? == "toml" && !name.starts_with('.')).then_some(name)
}

/// A name of a profile with its text, or with the reason why that cannot be read.
type Texts<T> = Vec<(String, T)>;

/// Returns the texts of the profiles in a directory, in order of name, and those that cannot be read.
fn profile_texts(directory: &Path) -> Result<(Texts<String>, Texts<Problem>), Problem> {
    let entries = fs::read_dir(directory).map_err(|error| io_error(directory, error))?;
    let (mut texts, mut faults) = (Vec::new(), Vec::new());
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let Some(name) = profile_name(&path) else { continue };
        match own_text_of(&path) {
            Ok(text) => texts.push((name, text)),
            Err(problem) => faults.push((name, problem)),
        }
    }
    texts.sort();
    Ok((texts, faults))
}

/// Returns every mistake of these profiles (name and text) among those of the home, or where there is none among the
/// profiles that [`super::init()`] would write.
///
/// # Errors
/// When the home's profiles cannot be read.
pub fn check_profiles(home: &Home, given: &[(&str, &str)]) -> Result<Vec<ProfileError>, Problem> {
    let texts = if home.exists() {
        profile_texts(&home.policy_directory())?.0
    } else {
        let shipped = SHIPPED.iter().filter_map(|(file, text)| Some((file.strip_suffix(".toml")?, text)));
        shipped.map(|(name, text)| (name.to_owned(), (*text).to_owned())).collect()
    };
    let others: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Ok(Profiles::mistakes_among(given, &others))
}

/// Reads the profiles of a home, with the faults of those that cannot be used.
pub(super) fn read_profiles(home: &Home) -> Profiles {
    read_profiles_in(&home.policy_directory())
}

/// Reads the PKCS#11 modules that this file names below `[pkcs11]`.
pub(super) fn read_modules(file: &Path) -> Result<Vec<PathBuf>, Problem> {
    verify_tokens(file)?;
    let config =
        Config::parse(&text_of(file, LARGEST_TEXT)?).map_err(|errors| within(file, errors.into()))?;
    if config.pkcs11.modules.is_empty() {
        let message = format!("{} names no module", file.shown());
        return Err(Problem::new(Code::Usage, message)
            .hint("[pkcs11] modules = [\"/usr/lib/softhsm/libsofthsm2.so\"], for example"));
    }
    Ok(config.pkcs11.modules)
}

/// Reads the profiles in a directory, with the faults of those that cannot be used.
pub(super) fn read_profiles_in(directory: &Path) -> Profiles {
    match profile_texts(directory) {
        Ok((texts, faults)) => parsed_profiles(directory, &texts, faults),
        Err(problem) => Profiles::unreadable(problem),
    }
}

fn parsed_profiles(directory: &Path, texts: &Texts<String>, faults: Texts<Problem>) -> Profiles {
    let place = |name: &str| directory.join(format!("{name}.toml")).shown().to_string();
    let named = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let mut profiles = Profiles::read(named, place);
    faults.into_iter().for_each(|(name, problem)| profiles.refuse(&name, problem));
    profiles
}

/// The profiles in a directory, which are read each time and parsed when a text is another than before: times and sizes
/// of files may stay as they are while their contents change.
pub(super) struct KeptProfiles {
    directory: PathBuf,
    kept: Mutex<Option<(Texts<String>, Arc<Profiles>)>>,
}

impl KeptProfiles {
    /// Returns the profiles in this directory, of which nothing was read yet.
    pub(super) fn within(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), kept: Mutex::default() }
    }

    /// Reads them as [`read_profiles_in`].
    pub(super) fn read(&self) -> Arc<Profiles> {
        let (texts, faults) = match profile_texts(&self.directory) {
            Ok(read) => read,
            Err(problem) => return Arc::new(Profiles::unreadable(problem)),
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, profiles)) = kept.as_ref().filter(|(same, _)| faults.is_empty() && *same == texts) {
            return Arc::clone(profiles);
        }
        let is_whole = faults.is_empty();
        let profiles = Arc::new(parsed_profiles(&self.directory, &texts, faults));
        *kept = is_whole.then(|| (texts, Arc::clone(&profiles)));
        profiles
    }
}

/// Returns the text of a file of the home; symbolic links are refused.
fn own_text_of(path: &Path) -> Result<String, Problem> {
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => {
            let kind = FileStatus::from(&metadata).kind;
            let message = format!("{} is {kind} where a file belongs", path.shown());
            Err(Problem::new(Code::HomeUnsafe, message).hint(remedy::Home::Examine))
        }
        _ => text_of(path, LARGEST_TEXT),
    }
}

/// Parses one SHA-256 digest in hexadecimal per line; `#` begins a comment.
fn digests(path: &Path, text: &str) -> Result<HashSet<[u8; 32]>, Problem> {
    let mut out = HashSet::new();
    for (at, line) in text.lines().enumerate() {
        let word = line.split('#').next().unwrap_or_default().trim();
        if word.is_empty() {
            continue;
        }
        let octets = base16ct::mixed::decode_vec(word).ok();
        let digest = octets.and_then(|octets| <[u8; 32]>::try_from(octets).ok()).ok_or_else(|| {
            let message = format!("{}: line {}: not a SHA-256 in hexadecimal", path.shown(), at + 1);
            Problem::new(Code::ConfigInvalid, message)
                .hint("each line has 64 hexadecimal digits: the SHA-256 of a SubjectPublicKeyInfo in DER")
        })?;
        out.insert(digest);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_parsed_once_and_whatever_changes_in_their_files_holds_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        let text = SHIPPED.iter().find(|(file, _)| *file == "root-ca.toml").unwrap().1;
        fs::write(file("a.toml"), text).unwrap();
        let profiles = KeptProfiles::within(directory.path());
        let first = profiles.read();
        assert!(first.get("a").is_some() && Arc::ptr_eq(&first, &profiles.read()), "read, and not parsed");

        // as many octets, at the same time
        let times = fs::metadata(file("a.toml")).unwrap().modified().unwrap();
        fs::write(file("a.toml"), "x".repeat(text.len())).unwrap();
        fs::File::options().write(true).open(file("a.toml")).unwrap().set_modified(times).unwrap();
        assert!(profiles.read().get("a").is_none());
        fs::write(file("a.toml"), text).unwrap();
        fs::write(file("b.toml"), text).unwrap();
        let both = profiles.read();
        assert!(both.get("a").is_some() && both.get("b").is_some());
        fs::remove_file(file("b.toml")).unwrap();
        assert!(profiles.read().get("b").is_none());
        // one that cannot be read is a fault each time
        fs::create_dir(file("c.toml")).unwrap();
        assert!(!Arc::ptr_eq(&profiles.read(), &profiles.read()));
        assert!(profiles.read().get("a").is_some() && profiles.read().get("c").is_none());
    }

    #[test]
    fn compromised_keys_are_read_one_digest_a_line() {
        // X13
        let text = format!("# known\n{}  # weak\n\n", "ab".repeat(32));
        assert_eq!(digests(Path::new("k"), &text).unwrap(), HashSet::from([[0xab; 32]]));
        for short in ["abc", &"a".repeat(63), &"+a".repeat(32)] {
            let wrong = digests(Path::new("k"), &format!("# ok\n{short}\n")).unwrap_err();
            assert!(wrong.message.contains("line 2"), "{}", wrong.message);
        }
    }
}
