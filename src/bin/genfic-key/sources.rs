//! Keys that are named, and where passphrases come from.
use crate::cli::{Global, Readers, Service};
use crate::prompt::TerminalPrompt;
use genfic_ca::assembly::{CustodyHome, CustodyService, LentKey, listed_on_medium};
use genfic_ca::custody::ShareSet;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::failpoint;
use genfic_ca::home::{AuthorityName, Home, Mode, read_file, replace, verify_named, verify_replaced};
use genfic_ca::signing::{
    KeyError, KeyRecipient, NewPassphrases, OpenedKey, PassphrasePolicy, PassphraseSources, Plugins,
    Protection, SealKeyFor, SealedKey, Secret, SecretPurpose, SecretSource, SecretSpec,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A key that was named: in a file, in a file of a home, or in the signer that listens.
pub(crate) struct Named {
    name: String,
    /// The file; that of the signer only once it was lent.
    sealed: Option<SealedKey>,
    /// The record of the shares, as the signer has it.
    shares: Option<String>,
    place: Place,
}

enum Place {
    Elsewhere,
    Home(Box<CustodyHome>),
    Service(CustodyService),
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

/// Reads a key file that was named. For one of a home, the home is checked as by every command. One of the signer is not
/// read before it is opened.
pub(crate) fn key(global: &Global, key: &Path, signer: &Service) -> Result<Named, Problem> {
    if signer.service {
        let name = name_in_service(key)?;
        let place = Place::Service(CustodyService::at(&signer.socket));
        return Ok(Named { name, sealed: None, shares: None, place });
    }
    let (path, home) = self::place(global, key);
    let (sealed, place) = match home {
        Some(home) => {
            let home = CustodyHome::open(home, global.config.as_deref())?;
            (SealedKey::read_in_home(&path)?, Place::Home(Box::new(home)))
        }
        None => {
            verify_named(&path, false).map_err(KeyError::Unsafe)?;
            (SealedKey::read(&path)?, Place::Elsewhere)
        }
    };
    Ok(Named { name: sealed.name(), sealed: Some(sealed), shares: None, place })
}

/// Returns the name of a CA whose key the signer has.
pub(crate) fn name_in_service(key: &Path) -> Result<String, Problem> {
    match key.to_string_lossy().parse::<AuthorityName>() {
        Ok(name) => Ok(name.to_string()),
        Err(_) => Err(Problem::new(Code::Usage, format!("{} is not the name of a CA", key.shown()))
            .hint("the signer knows its keys by the names of their CAs; leave --service out for a file")),
    }
}

/// Refuses a file with a share that others can read.
pub(crate) fn must_be_secret(path: &Path) -> Result<(), Problem> {
    verify_named(path, true).map_err(|finding| KeyError::Unsafe(finding).into())
}

impl Named {
    /// Returns the name of the key.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns where the key is, for messages.
    pub(crate) fn shown(&self) -> String {
        match (&self.place, &self.sealed) {
            (Place::Service(_), _) | (_, None) => format!("the key of {} in the signer", self.name),
            (_, Some(sealed)) => sealed.path().shown().to_string(),
        }
    }

    /// Returns the path of the file; for a key of the signer the name alone.
    pub(crate) fn path(&self) -> PathBuf {
        self.sealed.as_ref().map_or_else(|| format!("{}.age", self.name).into(), |one| one.path().to_owned())
    }

    /// Returns the file as it was read.
    pub(crate) fn sealed(&self) -> Result<&SealedKey, Problem> {
        let unread = || KeyError::Signer(format!("the key of {} was not lent yet", self.name));
        Ok(self.sealed.as_ref().ok_or_else(unread)?)
    }

    /// Returns the signer that has the key.
    pub(crate) fn service(&self) -> Option<&CustodyService> {
        match &self.place {
            Place::Service(service) => Some(service),
            Place::Elsewhere | Place::Home(_) => None,
        }
    }

    /// Refuses a file that is to be replaced and has a second name. In a home every command does.
    pub(crate) fn must_have_one_name(&self) -> Result<(), Problem> {
        match (&self.place, &self.sealed) {
            (Place::Elsewhere, Some(sealed)) => Ok(verify_replaced(sealed.path()).map_err(KeyError::Unsafe)?),
            _ => Ok(()),
        }
    }

    /// Returns the text of the record of the shares that open the key.
    pub(crate) fn shares(&self) -> Result<Option<String>, Problem> {
        match (&self.place, &self.sealed) {
            (Place::Service(service), None) => service.shares(&self.name),
            (Place::Service(_), Some(_)) => Ok(self.shares.clone()),
            _ => {
                let path = self.path().with_extension("shares.toml");
                verify_named(&path, false).map_err(KeyError::Unsafe)?;
                let beside = read_file(&path, LARGEST_RECORD);
                Ok(beside.ok().map(|octets| String::from_utf8_lossy(&octets).into_owned()))
            }
        }
    }

    /// Returns the encrypted file. Of one of the signer it is a copy: nothing is unlocked or lent.
    pub(crate) fn copied(&mut self) -> Result<&SealedKey, Problem> {
        if let Place::Service(service) = &self.place {
            self.sealed = Some(service.copy(&self.name)?);
        }
        self.sealed()
    }

    /// Opens the key. One of the signer is lent for that; `is_to_come_back` says that it is to be replaced.
    pub(crate) fn open(
        &mut self,
        secrets: &dyn SecretSource,
        plugins: Option<&Plugins>,
        is_to_come_back: bool,
    ) -> Result<OpenedKey, Problem> {
        if let Place::Service(service) = &self.place {
            let LentKey { sealed, opened, shares } = service.lend(&self.name, secrets, is_to_come_back)?;
            (self.sealed, self.shares) = (Some(sealed), shares);
            return Ok(opened);
        }
        Ok(self.sealed()?.open(secrets, plugins)?)
    }

    /// Sees that the key opens. One of the signer is opened there alone, and its file is lent as it is.
    pub(crate) fn try_opening(
        &mut self,
        secrets: &dyn SecretSource,
        plugins: Option<&Plugins>,
    ) -> Result<(), Problem> {
        if let Place::Service(service) = &self.place {
            let (sealed, shares) = service.lend_sealed(&self.name, secrets)?;
            (self.sealed, self.shares) = (Some(sealed), shares);
            return Ok(());
        }
        self.open(secrets, plugins, false).map(drop)
    }

    /// Replaces the file by another of the same key, as one step, with the record of the shares that are to open it. `secret`
    /// opens the new one. It is on record before. Returns a warning where that cannot be done in a home: there a key can be
    /// protected anew all the same.
    pub(crate) fn replace(
        &self,
        after: &SealedKey,
        secret: &Secret,
        record: Option<&ShareSet>,
        how: &str,
    ) -> Result<Vec<String>, Problem> {
        let before = self.sealed()?;
        let text = record.map(ToString::to_string);
        let warnings = match &self.place {
            Place::Service(service) => {
                service.put_back((&self.name, before), (after, secret), text.as_deref(), how)?;
                return Ok(Vec::new());
            }
            Place::Home(home) => home
                .note_protection(&self.name, how)
                .err()
                .map(|problem| format!("neither journal nor audit record have this: {}", problem.message)),
            Place::Elsewhere => None,
        };
        if let Some(text) = text {
            // until the file is replaced it is of another one
            let path = before.path().with_extension("shares.toml");
            replace(&path, text.as_bytes(), Mode::Private).map_err(KeyError::from)?;
            failpoint::passed("custody: record of the shares written");
        }
        before.replace_by(after)?;
        let unlisted = listed_on_medium(before.path());
        Ok(warnings.into_iter().chain(unlisted).collect())
    }

    /// Returns the scrypt cost of a file that is made: the one given, that of the home, or the usual one.
    pub(crate) fn work(&self, given: Option<u8>) -> u8 {
        let of_place = match (&self.place, self.sealed.as_ref().map(SealedKey::protection)) {
            (Place::Home(home), _) => Some(home.scrypt_log_n()),
            // unless it was to be opened by shares, whose secret costs nothing to guess
            (Place::Service(_), Some(Protection::Passphrase { log_n })) if self.shares.is_none() => *log_n,
            _ => None,
        };
        given.or(of_place).unwrap_or(USUAL_WORK)
    }
}

/// Bound of the record beside a key, in octets.
const LARGEST_RECORD: u64 = 64 * 1024;

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
    Ok(match &named.place {
        Place::Home(home) => home.sources(old, new, prompt),
        Place::Elsewhere | Place::Service(_) => old.unwrap_or_default().source(prompt).with_new(new),
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
    let secret = secrets.secret(&SecretPurpose::Replace(named.name().to_owned()))?;
    SealKeyFor::passphrase(secret, named.work(readers.work)).map_err(|error| Problem::of(Code::Usage, error))
}

/// Refuses a scrypt cost out of bounds before anything is asked.
pub(crate) fn work(readers: &Readers) -> Result<(), Problem> {
    let Some(work) = readers.work else { return Ok(()) };
    let tried = SealKeyFor::passphrase(genfic_ca::signing::Secret::default(), work);
    tried.map(drop).map_err(|error| Problem::of(Code::Usage, error).hint("leave --work out"))
}

/// Returns whether a file is to be encrypted to recipients.
pub(crate) fn to_recipients(readers: &Readers) -> bool {
    !readers.recipient.is_empty() || readers.recipients_file.is_some()
}

fn recipients(readers: &Readers) -> Result<Vec<KeyRecipient>, Problem> {
    let mut all = readers.recipient.clone();
    if let Some(file) = &readers.recipients_file {
        all.extend(KeyRecipient::read_file(file)?);
    }
    Ok(all)
}

/// Opens a new key file with an identity from a file, to see that it opens. Returns what opens it in the signer too, which
/// executes no plugin.
pub(crate) fn tried(
    sealed: &SealedKey,
    opened: &OpenedKey,
    identity: &Path,
    plugins: &Plugins,
) -> Result<Secret, Problem> {
    let source = SecretSpec::File(identity.to_owned()).source(genfic_ca::signing::Nobody);
    let secret = source.secret(&SecretPurpose::Open(sealed.name()))?;
    Ok(sealed.try_opening(opened, &secret, Some(plugins))?)
}
