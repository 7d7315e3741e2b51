//! A home opened as far as possible, to find its faults.
use super::settings;
use super::signer::SignerKeys;
use crate::audit::{AuditEvent, Outcome};
use crate::ca::{CaSettings, ClockWatch, Engine, EngineParts};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::doctor::{self, Check, Examination, Finding, Mended, Space, Unread};
use crate::error::{Code, Exit, Problem, Shown as _};
use crate::home::{GivenBack, GivenError, Home, ReserveFile, current_actor};
use crate::index::sqlite::SqliteIndex;
use crate::index::{AuditIndex, StoredIndex};
use crate::ocsp::responder_files::ResponderFiles;
use crate::profile::Profiles;
use crate::repository::HomeDirectory;
use crate::signing::PassphraseOrders;
use crate::status::StatusDirectory;
use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The parts of a home that could be opened, and for the others why not.
pub struct Inspection {
    home: Home,
    config_file: PathBuf,
    owner: Result<(), Problem>,
    config: Result<Config, Vec<Unread>>,
    profiles: Result<Profiles, Vec<Unread>>,
    settings: Arc<CaSettings>,
    index: Result<Arc<SqliteIndex>, Problem>,
    publisher: Arc<HomeDirectory>,
    status: Arc<StatusDirectory>,
    responders: ResponderFiles,
    space: Space,
    _given: ReleasedReserve,
}

/// Space released from the reserve because the disk is too full to open anything without it; taken back on
/// drop.
struct ReleasedReserve(Option<GivenBack>);

impl Drop for ReleasedReserve {
    fn drop(&mut self) {
        if let Some(given) = self.0.take() {
            given.take_back();
        }
    }
}

impl Inspection {
    /// Opens what can be opened. Unlike every other command, this recovers nothing.
    ///
    /// # Errors
    /// `home.missing` when there is no home at all.
    pub fn open(home: &Home, config_file: Option<&Path>) -> Result<Self, Problem> {
        let owner = match home.verify_owner() {
            Err(problem) if problem.exit == Exit::NotFound => return Err(problem),
            owner => owner,
        };
        let file = config_file.map_or_else(|| home.configuration_file(), Path::to_owned);
        let (mut config, profiles) = (config(home, &file), profiles(home));
        let mut compromised = HashSet::new();
        if let Ok(read) = &config {
            match settings::compromised_keys(home, read) {
                Ok(keys) => compromised = keys,
                Err(problem) => config = Err(vec![unread(&file, problem.message)]),
            }
        }
        let settings = config.clone().unwrap_or_default();
        let settings = CaSettings {
            config: settings,
            profiles: settings::read_profiles(home),
            compromised_keys: compromised,
            // each flaw is reported as a finding
            takes_flawed_profiles: true,
        };
        let space = Space::of(home);
        let (index, given) = index_with_reserve(home, &owner);
        Ok(Self {
            space,
            index: index.map(Arc::new),
            publisher: Arc::new(HomeDirectory::new(home.clone())),
            status: Arc::new(StatusDirectory::new(&home.status_directory())),
            responders: ResponderFiles::new(home.responders_directory()),
            home: home.clone(),
            config_file: file,
            owner,
            config,
            profiles,
            settings: Arc::new(settings),
            _given: given,
        })
    }

    /// The configuration, or the defaults when it cannot be read.
    #[must_use]
    pub fn settings(&self) -> &Config {
        &self.settings.config
    }

    fn keys(&self, passphrases: &PassphraseOrders) -> SignerKeys {
        SignerKeys::of(&self.home, &self.settings.config, passphrases)
    }

    /// Runs all checks. `deep` compares every signature and file, however many there are. `passphrases` must ask
    /// no person; keys that they open are compared with their certificates.
    #[must_use]
    pub fn diagnose(&self, deep: bool, passphrases: &PassphraseOrders) -> Vec<Check> {
        self.examine(deep, passphrases, doctor::diagnose)
    }

    /// Fetches every URL that certificates name, and compares what comes with this home. `deep` looks into every
    /// valid certificate for its URLs.
    #[must_use]
    pub fn check_online(&self, deep: bool) -> Check {
        self.examine(deep, &PassphraseOrders::nobody(), doctor::check_online)
    }

    fn examine<T>(
        &self,
        deep: bool,
        passphrases: &PassphraseOrders,
        examine: impl FnOnce(&Examination<'_>) -> T,
    ) -> T {
        examine(&Examination {
            home: &self.home,
            space: &self.space,
            owner: self.owner.clone(),
            config: self.config.as_ref().map_err(Vec::as_slice),
            profiles: self.profiles.as_ref().map_err(Vec::as_slice),
            index_file: &self.home.index_file(),
            index: self.index.as_ref().map(|index| -> &dyn StoredIndex { index.as_ref() }),
            keys: &self.keys(passphrases).store(),
            publisher: self.publisher.as_ref(),
            status: self.status.as_ref(),
            responders: &self.responders,
            compromised_keys: &self.settings.compromised_keys,
            now: super::now(),
            deep,
        })
    }

    /// Repairs what can be repaired safely: files first, then, after opening the home again, what needs the
    /// index. Each repair is recorded. Returns the home as opened again, the repairs, and why repairs could
    /// not be recorded.
    ///
    /// # Errors
    /// When the home does not exist any more.
    pub fn mend(
        self,
        findings: &[&Finding],
        passphrases: &PassphraseOrders,
    ) -> Result<(Self, Vec<Mended>, Option<Problem>), Problem> {
        if self.owner.is_err() {
            return Ok((self, Vec::new(), None));
        }
        let mut mended = doctor::mend_files(&self.home, findings);
        let (home, file) = (self.home.clone(), self.config_file.clone());
        drop(self);
        let again = Self::open(&home, Some(&file))?;
        let index = match &again.index {
            Ok(index) => index,
            Err(problem) => {
                let problem = (!mended.is_empty()).then(|| problem.clone());
                return Ok((again, mended, problem));
            }
        };
        let engine = again.engine(index, passphrases);
        engine.begin_act("doctor");
        // a profile that cannot be read is reported when something is to be issued under it
        let signs = again.config.is_ok();
        let mut unrecorded = again.record(index, &mended).err();
        // the reserve exists for CRLs and status
        let reserve = ReserveFile::of(&home);
        let given = ReleasedReserve(reserve.release(reserve.size()));
        let done = doctor::mend_records(&engine, findings, signs);
        unrecorded = again.record(index, &done).err().or(unrecorded);
        drop(given);
        mended.extend(done);
        Ok((again, mended, unrecorded))
    }

    fn engine(&self, index: &Arc<SqliteIndex>, passphrases: &PassphraseOrders) -> Engine {
        Engine::new(EngineParts {
            index: index.clone(),
            keys: Arc::new(self.keys(passphrases).store()),
            publisher: self.publisher.clone(),
            status: self.status.clone(),
            clock: Arc::new(SystemClock),
            watch: Arc::new(ClockWatch::unattended()),
            serials: Arc::new(super::SystemRandom),
            settings: self.settings.clone(),
            reserve: Arc::new(super::disk_reserve::HomeReserve(self.home.clone())),
            actor: current_actor(),
        })
    }

    fn record(&self, index: &SqliteIndex, mended: &[Mended]) -> Result<(), Problem> {
        for act in mended.iter().filter(|act| act.outcome.is_ok()) {
            index.record_event(AuditEvent {
                at: super::now(),
                actor: current_actor(),
                action: "doctor.mended".into(),
                object: act.object.clone(),
                outcome: Outcome::Done,
                details: vec![("finding".into(), act.code.code().into())],
            })?;
        }
        Ok(())
    }
}

fn unread(file: &Path, fault: impl ToString) -> Unread {
    Unread { file: file.to_owned(), fault: fault.to_string(), is_missing: false }
}

/// Returns the text of a regular file. Others are refused, since reading a FIFO would wait without end.
fn text(file: &Path) -> Result<String, Unread> {
    let read = match fs::metadata(file) {
        Ok(metadata) if !metadata.is_file() => return Err(unread(file, "it is not a regular file")),
        Ok(_) => fs::read_to_string(file),
        Err(error) => Err(error),
    };
    read.map_err(|error| Unread { is_missing: error.kind() == ErrorKind::NotFound, ..unread(file, error) })
}

fn config(home: &Home, file: &Path) -> Result<Config, Vec<Unread>> {
    // unsafe permissions inside the home are reported with the other findings
    if file != home.configuration_file()
        && let Err(GivenError::Unsafe(problem)) = home.read_given(file, settings::LARGEST_TEXT)
    {
        return Err(vec![unread(file, problem.message)]);
    }
    let text = text(file).map_err(|fault| vec![fault])?;
    Config::parse(&text).map_err(|errors| errors.into_iter().map(|error| unread(file, error.0)).collect())
}

fn profiles(home: &Home) -> Result<Profiles, Vec<Unread>> {
    let directory = home.policy_directory();
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        // the missing directory is reported by another check, and so are missing profiles that are needed
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Profiles::default()),
        Err(error) => return Err(vec![unread(&directory, error)]),
    };
    let (mut texts, mut faults) = (Vec::new(), Vec::new());
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if let Some(name) = settings::profile_name(&path) {
            match text(&path) {
                Ok(text) => texts.push((name, text)),
                Err(fault) => faults.push(fault),
            }
        }
    }
    texts.sort();
    let parsed = Profiles::parse(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    match parsed {
        Ok(profiles) if faults.is_empty() => Ok(profiles),
        Ok(_) => Err(faults),
        Err(errors) => {
            faults.extend(
                errors
                    .into_iter()
                    .map(|error| unread(&directory.join(format!("{}.toml", error.profile)), error.mistake)),
            );
            Err(faults)
        }
    }
}

/// Opens the index, releasing space from the reserve when the disk is too full otherwise.
fn index_with_reserve(
    home: &Home,
    owner: &Result<(), Problem>,
) -> (Result<SqliteIndex, Problem>, ReleasedReserve) {
    let opened = index(home, owner);
    let given = match &opened {
        Err(_) => ReserveFile::of(home).release(ReserveFile::TO_LOOK),
        Ok(_) => None,
    };
    let opened = if given.is_some() { index(home, owner) } else { opened };
    (opened, ReleasedReserve(given))
}

/// Opens the index, unless that would leave files behind that its owner cannot use, or wait for a FIFO.
fn index(home: &Home, owner: &Result<(), Problem>) -> Result<SqliteIndex, Problem> {
    owner.clone()?;
    let file = home.index_file();
    match file.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => {
            let message = format!("{} is not a regular file", file.shown());
            Err(Problem::new(Code::HomeUnsafe, message))
        }
        _ => Ok(SqliteIndex::open(&file)?),
    }
}
