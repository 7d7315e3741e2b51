//! Asks for passphrases on the terminal. The library never does.
use crate::terminal::{self, Typed};
use genfic_ca::home::AuthorityName;
use genfic_ca::signing::{KeyError, Secret, SecretPurpose, SecretSource};
use std::collections::HashMap;
use std::sync::Mutex;

/// Asks for passphrases on the terminal, for each at most once in a command.
#[derive(Debug, Default)]
pub(crate) struct TerminalPrompt {
    allowed: bool,
    known: Mutex<HashMap<String, Secret>>,
}

impl TerminalPrompt {
    /// Returns a prompt that asks only when `allowed` and when there is a terminal.
    pub(crate) fn new(allowed: bool) -> Self {
        Self { allowed: allowed && terminal::is_attended(), known: Mutex::default() }
    }

    fn ask(name: &str, text: &str) -> Result<Secret, KeyError> {
        match terminal::ask(text, false) {
            Ok(Typed::Line(line)) => Ok(Secret::new(line.to_string())),
            Ok(Typed::Interrupted) => Err(KeyError::Interrupted(thing(name))),
            Ok(Typed::Nothing) => Err(KeyError::SecretUnavailable("nothing was typed".into())),
            Err(error) => Err(KeyError::SecretUnavailable(error.to_string())),
        }
    }
}

/// Returns what a passphrase is for: a CA's name stands for its key, any other text is used as it is.
fn thing(name: &str) -> String {
    if name.parse::<AuthorityName>().is_ok() { format!("the key of {name}") } else { name.to_owned() }
}

impl SecretSource for TerminalPrompt {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        let (name, twice) = match purpose {
            SecretPurpose::Open(name) => (name, false),
            SecretPurpose::Protect(name) => (name, true),
        };
        if let Ok(known) = self.known.lock()
            && let Some(secret) = known.get(name)
        {
            return Ok(secret.clone());
        }
        if !self.allowed {
            return Err(KeyError::InputNeeded(name.clone()));
        }
        let secret = if twice {
            let first = Self::ask(name, &format!("New passphrase for {}: ", thing(name)))?;
            let second = Self::ask(name, "The same again: ")?;
            if first != second {
                return Err(KeyError::SecretUnavailable("the two passphrases differ".into()));
            }
            first
        } else {
            Self::ask(name, &format!("Passphrase for {}: ", thing(name)))?
        };
        if secret.is_empty() {
            return Err(KeyError::SecretUnavailable("the passphrase is empty".into()));
        }
        if let Ok(mut known) = self.known.lock() {
            known.insert(name.clone(), secret.clone());
        }
        Ok(secret)
    }
}
