//! Keys that are named, and where passphrases come from.
use crate::cli::{Global, Readers};
use crate::prompt::TerminalPrompt;
use genfic_ca::assembly::CustodyHome;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::{AuthorityName, Home, verify_given};
use genfic_ca::signing::{
    KeyError, KeyRecipient, NewPassphrases, PassphrasePolicy, PassphraseSources, Plugins, SealKeyFor,
    SealedKey, SecretPurpose, SecretSource as _, SecretSpec,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A key file that was named, and its home where it is one of a home.
pub(crate) struct Named {
    pub(crate) sealed: SealedKey,
    home: Option<CustodyHome>,
}

/// Returns the file of a key that was named, and the home whose key it is.
pub(crate) fn place(global: &Global, key: &Path) -> (PathBuf, Option<Home>) {
    let text = key.to_string_lossy();
    let is_path = text.contains('/') || text.ends_with(".age");
    let home = global.home.as_deref().map_or_else(Home::system, Home::at);
    match text.parse::<AuthorityName>() {
        Ok(name) if !is_path => (home.keys_directory().join(format!("{name}.age")), Some(home)),
        _ => {
            let own = home.keys_directory().canonicalize().ok();
            let there = key.parent().and_then(|directory| {
                let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
                directory.canonicalize().ok()
            });
            (key.to_owned(), Some(home).filter(|_| own.is_some() && own == there))
        }
    }
}

/// Reads a key file that was named. For one of a home, the home is checked as by every command.
pub(crate) fn key(global: &Global, key: &Path) -> Result<Named, Problem> {
    let (path, home) = place(global, key);
    match home {
        Some(home) => {
            let home = CustodyHome::open(home, global.config.as_deref())?;
            Ok(Named { sealed: SealedKey::read_in_home(&path)?, home: Some(home) })
        }
        None => {
            verify_given(&path, false).map_err(KeyError::Unsafe)?;
            Ok(Named { sealed: SealedKey::read(&path)?, home: None })
        }
    }
}

/// Refuses a file with a share that others can read.
pub(crate) fn must_be_secret(path: &Path) -> Result<(), Problem> {
    verify_given(path, true).map_err(|finding| KeyError::Unsafe(finding).into())
}

impl Named {
    /// Returns the scrypt cost of a file that is made: the one given, that of the home, or the usual one.
    pub(crate) fn work(&self, given: Option<u8>) -> u8 {
        given.or_else(|| self.home.as_ref().map(CustodyHome::scrypt_log_n)).unwrap_or(USUAL_WORK)
    }

    /// Puts on record that the file is about to be replaced, where it is a key of a home. Returns a warning where that
    /// cannot be done: then a key can be protected anew all the same.
    pub(crate) fn note(&self, how: &str) -> Option<String> {
        let home = self.home.as_ref()?;
        let noted = home.note_protection(&self.sealed.name(), how);
        noted.err().map(|problem| format!("neither journal nor audit record have this: {}", problem.message))
    }
}

/// The usual scrypt cost.
const USUAL_WORK: u8 = 18;

/// Returns the name of a key for what is printed: only a plain name.
pub(crate) fn plain_name(path: &Path) -> Result<String, Problem> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match stem.parse::<AuthorityName>() {
        Ok(name) => Ok(name.to_string()),
        Err(_) => Err(Problem::new(Code::Usage, format!("{} does not have the name of a CA", path.shown()))
            .hint("name the file as the CA's key is called in its home: NAME.age")),
    }
}

/// Returns the sources of a command's passphrases: that of the key, and that of a new one.
pub(crate) fn sources(
    global: &Global,
    named: &Named,
    readers: Option<&Readers>,
) -> Result<PassphraseSources<'static>, Problem> {
    let old = match &global.identity {
        Some(identity) => Some(SecretSpec::File(identity.clone())),
        None => global.passphrase_from.as_deref().map(spec).transpose()?,
    };
    let from = readers.and_then(|readers| readers.new_passphrase_from.as_deref()).map(spec).transpose()?;
    let generates = readers.is_some_and(|readers| readers.generate);
    if generates && !matches!(from, None | Some(SecretSpec::Prompt | SecretSpec::File(_))) {
        return Err(Problem::new(Code::UsagePassphraseFrom, "a generated passphrase has no other source")
            .hint(
                "with --generate, --new-passphrase-from takes prompt, or file:PATH for a file to be made",
            ));
    }
    let allows_weak = readers.is_some_and(|readers| readers.weak_passphrase);
    let policy = Arc::new(PassphrasePolicy { allows_weak, known: Vec::new() });
    let prompt = TerminalPrompt::new(!global.no_input && !global.json).judging(policy.clone());
    let new = NewPassphrases { from, generates, policy: Some(policy) };
    Ok(match &named.home {
        Some(home) => home.sources(old, new, prompt),
        None => old.unwrap_or_default().source(prompt).with_new(new),
    })
}

fn spec(text: &str) -> Result<SecretSpec, Problem> {
    Ok(text.parse::<SecretSpec>()?)
}

/// Returns who opens the file that is made: recipients, or a new passphrase for the key of this name.
pub(crate) fn readers(
    readers: &Readers,
    named: &Named,
    secrets: &PassphraseSources<'_>,
) -> Result<SealKeyFor, Problem> {
    let recipients = recipients(readers)?;
    if !recipients.is_empty() {
        return Ok(SealKeyFor::Recipients(recipients));
    }
    let secret = secrets.secret(&SecretPurpose::Replace(named.sealed.name()))?;
    SealKeyFor::passphrase(secret, named.work(readers.work)).map_err(|error| Problem::of(Code::Usage, error))
}

/// Refuses a scrypt cost out of bounds before anything is asked.
pub(crate) fn work(readers: &Readers) -> Result<(), Problem> {
    let Some(work) = readers.work else { return Ok(()) };
    let tried = SealKeyFor::passphrase(genfic_ca::signing::Secret::default(), work);
    tried.map(drop).map_err(|error| Problem::of(Code::Usage, error).hint("leave --work out"))
}

fn recipients(readers: &Readers) -> Result<Vec<KeyRecipient>, Problem> {
    let mut all = readers.recipient.clone();
    if let Some(file) = &readers.recipients_file {
        all.extend(KeyRecipient::read_file(file)?);
    }
    Ok(all)
}

/// Opens a new key file with an identity from a file, to see that it opens.
pub(crate) fn tried(
    sealed: &SealedKey,
    opened: &genfic_ca::signing::OpenedKey,
    identity: &Path,
    plugins: &Plugins,
) -> Result<(), Problem> {
    let source = SecretSpec::File(identity.to_owned()).source(genfic_ca::signing::Nobody);
    let secret = source.secret(&SecretPurpose::Open(sealed.name()))?;
    Ok(sealed.try_opening(opened, &secret, Some(plugins))?)
}
