//! Asks for passphrases on the terminal. The library never does.
use crate::terminal::{self, Typed};
use genfic_ca::home::AuthorityName;
use genfic_ca::signing::{KeyError, Mistyped, PassphrasePolicy, Secret, SecretPurpose, SecretSource, TRIES};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Asks for passphrases on the terminal: for each until it is right, at most [`TRIES`] times in a command.
#[derive(Default)]
pub(crate) struct TerminalPrompt {
    allowed: bool,
    policy: Option<Arc<PassphrasePolicy>>,
    /// Held while a person types, so that one question is asked at a time.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: HashMap<String, Secret>,
    mistakes: HashMap<SecretPurpose, Vec<Mistyped>>,
}

/// The reason why a question brought no passphrase.
enum Failed {
    /// It can be asked again.
    Mistake(Mistyped),
    /// It cannot.
    End(KeyError),
}

impl From<Mistyped> for Failed {
    fn from(mistake: Mistyped) -> Self {
        Self::Mistake(mistake)
    }
}

impl TerminalPrompt {
    /// Returns a prompt that asks only when `allowed` and when there is a terminal.
    pub(crate) fn new(allowed: bool) -> Self {
        Self { allowed: allowed && terminal::is_attended(), ..Self::default() }
    }

    /// Returns the same prompt, which refuses weak new passphrases as soon as they are typed.
    pub(crate) fn judging(self, policy: Arc<PassphrasePolicy>) -> Self {
        Self { policy: Some(policy), ..self }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks until `question` is answered, with what was wrong before each further time.
    fn until_right(
        state: &mut State,
        purpose: &SecretPurpose,
        question: impl Fn(&dyn Fn(&str) -> String) -> Result<Secret, Failed>,
    ) -> Result<Secret, KeyError> {
        let thing = thing(purpose.key());
        loop {
            let mistakes = state.mistakes.entry(purpose.clone()).or_default();
            let (number, last) = (mistakes.len(), mistakes.last());
            if let Some(last) = last.filter(|_| number >= TRIES) {
                return Err(match last {
                    Mistyped::Weak(weakness) => KeyError::Weak(purpose.key().to_owned(), weakness.clone()),
                    last => KeyError::Mistyped(thing, last.clone()),
                });
            }
            let text = |ask: &str| match last {
                None => format!("{ask}: "),
                Some(last) => format!("{last}\n{ask} ({} of {TRIES}): ", number + 1),
            };
            match question(&text) {
                Ok(secret) => return Ok(secret),
                Err(Failed::Mistake(mistake)) => mistakes.push(mistake),
                Err(Failed::End(error)) => return Err(error),
            }
        }
    }

    fn new_one(&self, purpose: &SecretPurpose, text: &dyn Fn(&str) -> String) -> Result<Secret, Failed> {
        let thing = thing(purpose.key());
        let first = typed(&thing, &text(&format!("New passphrase for {thing}")))?;
        let judging = self.policy.as_ref().filter(|policy| !policy.allows_weak);
        if let Some(weakness) = judging.and_then(|policy| policy.weakness(purpose.key(), &first)) {
            return Err(Mistyped::Weak(weakness).into());
        }
        match typed(&thing, "The same again: ") {
            Ok(second) if first == second => Ok(first),
            Ok(_) | Err(Failed::Mistake(_)) => Err(Mistyped::Differ.into()),
            Err(end) => Err(end),
        }
    }
}

/// Reads one passphrase, which is not empty.
fn typed(thing: &str, text: &str) -> Result<Secret, Failed> {
    let end = |error| Err(Failed::End(error));
    match terminal::ask(text, false) {
        Ok(Typed::Line(line)) if line.is_empty() => Err(Mistyped::Empty.into()),
        Ok(Typed::Line(line)) => Ok(Secret::new(line.to_string())),
        Ok(Typed::NotText) => Err(Mistyped::NotText.into()),
        Ok(Typed::Interrupted) => end(KeyError::Interrupted(thing.to_owned())),
        Ok(Typed::Nothing) => end(KeyError::Mistyped(thing.to_owned(), Mistyped::Nothing)),
        Err(error) => end(KeyError::SecretUnavailable(error.to_string())),
    }
}

/// Returns what a passphrase is for: a CA's name stands for its key, any other text is used as it is.
fn thing(name: &str) -> String {
    if name.parse::<AuthorityName>().is_ok() { format!("the key of {name}") } else { name.to_owned() }
}

impl SecretSource for TerminalPrompt {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        let (key, mut state) = (purpose.key(), self.state());
        let is_made_anew = matches!(purpose, SecretPurpose::Replace(_));
        if let Some(secret) = state.known.get(key).filter(|_| !is_made_anew) {
            return Ok(secret.clone());
        }
        if !self.allowed {
            return Err(KeyError::InputNeeded(key.to_owned()));
        }
        let secret = match purpose {
            SecretPurpose::Open(_) => Self::until_right(&mut state, purpose, |text| {
                typed(&thing(key), &text(&format!("Passphrase for {}", thing(key))))
            }),
            SecretPurpose::Protect(_) | SecretPurpose::Replace(_) => {
                Self::until_right(&mut state, purpose, |text| self.new_one(purpose, text))
            }
        }?;
        state.known.insert(key.to_owned(), secret.clone());
        Ok(secret)
    }

    fn try_again(&self, purpose: &SecretPurpose) -> bool {
        let mut state = self.state();
        state.known.remove(purpose.key());
        let mistakes = state.mistakes.entry(purpose.clone()).or_default();
        mistakes.push(Mistyped::Wrong);
        mistakes.len() < TRIES && !terminal::was_interrupted()
    }

    fn show(&self, purpose: &SecretPurpose, secret: &Secret) -> Result<(), KeyError> {
        let (key, mut state) = (purpose.key(), self.state());
        if !self.allowed {
            return Err(KeyError::InputNeeded(key.to_owned()));
        }
        let shown = Secret::new(format!(
            "New passphrase for {0}:\n\n    {1}\n\nIt is not shown again, and without it nothing opens {0}.\n",
            thing(key),
            secret.as_str()
        ));
        let is_first = std::cell::Cell::new(true);
        let written_down = Self::until_right(&mut state, purpose, |text| {
            let question = text("Write it down, then type it");
            let before = if is_first.replace(false) { shown.as_str() } else { "" };
            let question = Secret::new(format!("{before}{question}"));
            let again = typed(&thing(key), &question)?;
            if again == *secret { Ok(again) } else { Err(Mistyped::NotAsShown.into()) }
        })?;
        state.known.insert(key.to_owned(), written_down);
        Ok(())
    }
}
