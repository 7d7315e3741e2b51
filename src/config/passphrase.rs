//! Where a passphrase comes from, as written after `--passphrase-from` and in the configuration.
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A source of passphrases; never the passphrase itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum PassphraseFrom {
    /// A terminal.
    #[default]
    Prompt,
    /// The first line of a file that only its owner can read.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// An open file descriptor.
    Descriptor(i32),
    /// A systemd credential.
    Credential(String),
}

impl FromStr for PassphraseFrom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "prompt" {
            return Ok(Self::Prompt);
        }
        match text.split_once(':') {
            Some(("pass", _)) => {
                Err("a passphrase is never written here, where others can read it; use file:PATH or prompt"
                    .into())
            }
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if is_word(name) => Ok(Self::Environment(name.into())),
            Some(("cred", name)) if is_word(name) => Ok(Self::Credential(name.into())),
            Some(("fd", number)) => match number.parse() {
                Ok(number) if number >= 0 => Ok(Self::Descriptor(number)),
                _ => Err(format!("`{number}` is not the number of a file descriptor")),
            },
            _ => Err(format!("`{text}` is none of prompt, file:PATH, env:VAR, fd:N, cred:NAME")),
        }
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) && name != ".."
}

/// As it is read.
impl fmt::Display for PassphraseFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt => f.write_str("prompt"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::Descriptor(number) => write!(f, "fd:{number}"),
            Self::Credential(name) => write!(f, "cred:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_read_as_it_is_written() {
        for text in ["prompt", "file:/etc/secret", "env:GENFIC_PASS", "fd:3", "cred:genfic-root"] {
            assert_eq!(text.parse::<PassphraseFrom>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_passphrase_itself_is_refused_and_not_repeated() {
        // K2
        let error = "pass:hunter2".parse::<PassphraseFrom>().unwrap_err();
        assert!(!error.contains("hunter2"));
        for wrong in ["", "file:", "env:", "fd:x", "fd:-1", "cred:../x", "keyring:a"] {
            assert!(wrong.parse::<PassphraseFrom>().is_err(), "{wrong}");
        }
    }
}
