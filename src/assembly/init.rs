//! Initialisation of a home.
use super::settings::read_config;
use super::signer::SignerKeys;
use crate::audit::{AuditEvent, Outcome};
use crate::ca::Difference;
use crate::config::{self, Config};
use crate::error::{Code, Exit, Problem, Shown as _, remedy};
use crate::home::{Home, Mode, ReserveFile, WriteError, current_actor, write_new};
use crate::index::sqlite::SqliteIndex;
use crate::index::{AuditIndex, AuditReader};
use crate::profile::SHIPPED;
use crate::repository::HomeDirectory;
use crate::signing::CaKeys;
use crate::status::{SignedCrls, StatusDirectory, StatusPublisher};
use crate::x509::UnixTime;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The socket of the signer for the CA's user, where the package puts it.
const SIGNER_SOCKET: &str = "/run/genfic-signer/ca.socket";

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
    /// The socket of the signer that listens, where it has the keys of CAs; see [`Initialization::signer_of`].
    pub signer_socket: Option<String>,
}

/// A setting of a new home that can be wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InitialSetting {
    /// [`Initialization::organization`]
    Organization,
    /// [`Initialization::country`]
    Country,
    /// [`Initialization::url`]
    Url,
}

impl Initialization {
    fn configuration(&self) -> String {
        config::template(
            self.organization.as_deref(),
            self.country.as_deref(),
            self.url.as_deref(),
            self.scrypt_log_n,
            self.signer_socket.as_deref(),
        )
    }

    /// Returns the socket of the signer that listens, for a new home for which none was named: the home of the system has
    /// its keys in the service of the system, where that is set up. It is looked for once, when the home is made: a
    /// service that is stopped later must not have keys made in the home.
    #[must_use]
    pub fn signer_of(home: &Home) -> Option<String> {
        let is_there = || Path::new(SIGNER_SOCKET).exists();
        (*home == Home::system() && is_there()).then(|| SIGNER_SOCKET.to_owned())
    }

    /// Returns each setting that is wrong, with what it must be.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(InitialSetting, String)> {
        let errors = Config::parse(&self.configuration()).err().unwrap_or_default();
        let setting = |key: &str| match key {
            "organization.organization" => Some(InitialSetting::Organization),
            "organization.country" => Some(InitialSetting::Country),
            "publication.url" => Some(InitialSetting::Url),
            _ => None,
        };
        errors.into_iter().filter_map(|error| Some((setting(&error.0.key)?, error.0.message))).collect()
    }
}

/// The result of the initialisation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InitializedHome {
    /// False when everything existed already.
    pub changed: bool,
    /// Path of the index.
    pub index: PathBuf,
    /// The socket of the signer that listens, where the configuration names one.
    pub signer_socket: Option<PathBuf>,
}

/// Makes the directories, the configuration, the profiles and an empty index. What exists already stays as it
/// is, so that a second run is harmless and one that was cut short can be repeated.
///
/// # Errors
/// When the settings are wrong, the directories belong to somebody else, or nothing can be written.
pub fn init(home: &Home, initialization: &Initialization) -> Result<InitializedHome, Problem> {
    let text = initialization.configuration();
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
    let config = read_config(home, None).unwrap_or_default();
    let status = StatusDirectory::new(&home.status_directory());
    if !status.is_current(&index)? {
        let keys: Arc<dyn CaKeys> = Arc::new(SignerKeys::closed(home, &config).store());
        let signed = SignedCrls { lists: &HomeDirectory::new(home.clone()), marks: &keys };
        status.publish_status(&index, signed, super::now())?;
        changed = true;
    }
    // a full disk is reported when something is to be issued
    let _ = ReserveFile::of(home).hold();
    Ok(InitializedHome { changed, index: file, signer_socket: config.keys.signer_socket })
}

/// Compares the settings that are asked for with the configuration in force. Without a configuration there is no
/// difference; what is not asked for is not compared.
///
/// # Errors
/// When the configuration cannot be read or has mistakes.
pub fn compare(
    home: &Home,
    initialization: &Initialization,
    file: Option<&Path>,
) -> Result<Vec<Difference>, Problem> {
    if !home.exists() || (file.is_none() && !home.configuration_file().exists()) {
        return Ok(Vec::new());
    }
    let config = read_config(home, file)?;
    let socket = config.keys.signer_socket.as_ref().map(|socket| socket.shown().to_string());
    let values = [
        ("org", &initialization.organization, &config.organization.organization),
        ("country", &initialization.country, &config.organization.country),
        ("url", &initialization.url, &config.publication.url),
        ("signer-socket", &initialization.signer_socket, &socket),
    ];
    let differences = values.into_iter().filter_map(|(what, asked, found)| {
        let (asked, none) = (asked.as_ref()?, "none".to_owned());
        Difference::between(what, asked, found.as_ref().unwrap_or(&none))
    });
    Ok(differences.collect())
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
