//! Initialisation of a home.
use crate::audit::{AuditEvent, Outcome};
use crate::config::{self, Config};
use crate::error::{Code, Exit, Problem, Shown as _, remedy};
use crate::home::{Home, Mode, ReserveFile, WriteError, current_actor, write_new};
use crate::index::sqlite::SqliteIndex;
use crate::index::{AuditIndex, AuditReader};
use crate::profile::SHIPPED;
use crate::repository::HomeDirectory;
use crate::signing::{AgeFileStore, CaKeys, Nobody};
use crate::status::{SignedCrls, StatusDirectory, StatusPublisher};
use crate::x509::UnixTime;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

/// Settings of a new home.
#[derive(Clone, Debug, Default)]
pub struct Initialization {
    /// organizationName of new CAs.
    pub organization: Option<String>,
    /// countryName of new CAs.
    pub country: Option<String>,
    /// Base of the URLs in certificates.
    pub url: Option<String>,
    /// scrypt work factor of key passphrases, as the base 2 logarithm of N, for demonstrations that need a
    /// cheaper one than the default.
    pub scrypt_log_n: Option<u8>,
}

/// The result of the initialisation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InitializedHome {
    /// False when everything existed already.
    pub changed: bool,
    /// Path of the index.
    pub index: PathBuf,
}

/// Makes the directories, the configuration, the profiles and an empty index. What exists already stays as it
/// is, so that a second run is harmless and one that was cut short can be repeated.
///
/// # Errors
/// When the settings are wrong, the directories belong to somebody else, or nothing can be written.
pub fn init(home: &Home, initialization: &Initialization) -> Result<InitializedHome, Problem> {
    let text = config::template(
        initialization.organization.as_deref(),
        initialization.country.as_deref(),
        initialization.url.as_deref(),
        initialization.scrypt_log_n,
    );
    Config::parse(&text).map_err(|errors| {
        let problem = Problem::from(errors);
        Problem { exit: Exit::Usage, hint: remedy::Home::InitValues.into(), ..problem }
    })?;
    if home.directory().is_dir() {
        home.verify_owner()?;
    }
    let made = home.create()?;
    home.verify()?;
    home.sweep(&[]);
    let mut changed = !made.is_empty();
    changed |= write_if_absent(&home.configuration_file(), text.as_bytes())?;
    for (name, profile) in SHIPPED {
        changed |= write_if_absent(&home.policy_directory().join(name), profile.as_bytes())?;
    }
    let file = home.index_file();
    if !file.exists() {
        SqliteIndex::create(&file)?;
        changed = true;
    }
    let index = SqliteIndex::open(&file)?;
    if index.audit_head()?.sequence == 0 {
        index.record_event(founded(home, super::now()))?;
        changed = true;
    }
    let status = StatusDirectory::new(&home.status_directory());
    if !status.is_current(&index)? {
        let keys: Arc<dyn CaKeys> = Arc::new(AgeFileStore::usual(home.keys_directory(), Arc::new(Nobody)));
        let signed = SignedCrls { lists: &HomeDirectory::new(home.clone()), marks: &keys };
        status.publish_status(&index, signed, super::now())?;
        changed = true;
    }
    // a full disk is reported when something is to be issued
    let _ = ReserveFile::of(home).hold();
    Ok(InitializedHome { changed, index: file })
}

fn founded(home: &Home, at: UnixTime) -> AuditEvent {
    AuditEvent {
        at,
        actor: current_actor(),
        action: "home.created".into(),
        object: home.directory().shown().to_string(),
        outcome: Outcome::Done,
        details: Vec::new(),
    }
}

fn write_if_absent(path: &std::path::Path, contents: &[u8]) -> Result<bool, Problem> {
    match write_new(path, contents, Mode::Public) {
        Ok(()) => Ok(true),
        Err(WriteError { source, .. }) if source.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Problem::of(Code::FileNotWritten, error)
            .hint("make room or mend the permissions, then run it again")),
    }
}
