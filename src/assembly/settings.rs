//! Reading of configuration and profiles from their files.
use crate::ca::CaSettings;
use crate::config::Config;
use crate::error::{Code, Exit, Problem, Remedy, Shown as _, remedy};
use crate::home::{FileStatus, GivenError, Home, ReadError, read_file};
use crate::profile::Profiles;
use crate::signing::{PassphraseSources, SecretSource, SecretSpec};
use crate::x509::KeyAlgorithm;
use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

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
    let path = file.map_or_else(|| home.configuration_file(), Path::to_owned);
    Config::parse(&text_given(home, &path, LARGEST_TEXT)?).map_err(|errors| within(&path, errors.into()))
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

/// Reads the profiles of a home, with the faults of those that cannot be used.
pub(super) fn read_profiles(home: &Home) -> Profiles {
    let directory = home.policy_directory();
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) => return Profiles::unreadable(io_error(&directory, error)),
    };
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut faults: Vec<(String, Problem)> = Vec::new();
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let Some(name) = profile_name(&path) else { continue };
        match own_text_of(&path) {
            Ok(text) => texts.push((name, text)),
            Err(problem) => faults.push((name, problem)),
        }
    }
    texts.sort();
    let place = |name: &str| directory.join(format!("{name}.toml")).shown().to_string();
    let named = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let mut profiles = Profiles::read(named, place);
    faults.into_iter().for_each(|(name, problem)| profiles.refuse(&name, problem));
    profiles
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
