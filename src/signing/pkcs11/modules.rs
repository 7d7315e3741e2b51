//! PKCS#11 modules: libraries that the configuration names, loaded once in a process.
use super::failure;
use super::token::Token;
use super::uri::{Described, TokenUri};
use crate::error::Shown as _;
use crate::home::{AccessRule, FileStatus, unsafe_way};
use crate::signing::{KeyError, KeyPlace, Secret};
use crate::x509::sha256;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::{Slot, SlotInfo, TokenInfo};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Modules by their paths. `C_Initialize` is of a whole process, so this is too.
static LOADED: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

/// How often, and how long, a token is waited for that another process keeps from being seen. SoftHSM 2.6.1 empties the file
/// of a token at each login, gives up its lock on it, and writes it then: until then others see no token, or one without a
/// PIN.
pub(super) const MOMENTS: u32 = 3;
pub(super) const MOMENT: Duration = Duration::from_millis(20);

pub(super) fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many wrong PINs a token still takes, as far as it tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PinTries {
    /// Several.
    Several,
    /// One: the next wrong PIN locks it.
    Last,
    /// None: it is locked.
    None,
}

impl PinTries {
    fn of(info: &TokenInfo) -> Self {
        match (info.user_pin_locked(), info.user_pin_final_try()) {
            (true, _) => Self::None,
            (false, true) => Self::Last,
            (false, false) => Self::Several,
        }
    }

    /// Refuses to try a PIN where a wrong one would lock the token, or where it is locked.
    ///
    /// # Errors
    /// [`KeyError::PinLastTry`], [`KeyError::PinLocked`].
    pub(super) fn check(self, place: &KeyPlace) -> Result<(), KeyError> {
        match self {
            Self::Several => Ok(()),
            Self::Last => Err(KeyError::PinLastTry(place.clone())),
            Self::None => Err(KeyError::PinLocked(place.clone())),
        }
    }
}

/// A module that is loaded.
pub(super) struct Module {
    path: PathBuf,
    context: Pkcs11,
    /// One more for each token in use: as long as there is one, the module is not initialized anew.
    users: Arc<()>,
    /// Held while a user is logged in.
    pub(super) logging_in: Mutex<Pins>,
}

/// Number of wrong PINs in a row after which none is tried any more. Smart cards lock themselves after the third.
const MOST_WRONG: u32 = 2;

/// What was tried of the tokens of a module, by their serial numbers. Tokens count wrong PINs and lock themselves.
#[derive(Default)]
pub(super) struct Pins {
    /// Digests of PINs that were wrong. None of them is tried again in this process.
    rejected: Vec<(String, [u8; 32])>,
    /// Digests of the PINs that opened a token.
    accepted: BTreeMap<String, [u8; 32]>,
    /// Wrong PINs since the last right one, and whether the token told after one that it counts them.
    wrong: BTreeMap<String, (u32, bool)>,
}

impl Pins {
    fn digest(serial: &str, pin: &Secret) -> [u8; 32] {
        let salted = zeroize::Zeroizing::new([serial.as_bytes(), b"\0", pin.as_bytes()].concat());
        sha256(&salted)
    }

    /// Returns whether this PIN was wrong before.
    pub(super) fn has_rejected(&self, serial: &str, pin: &Secret) -> bool {
        self.rejected.contains(&(serial.to_owned(), Self::digest(serial, pin)))
    }

    /// Returns whether this is the PIN that opened the token.
    pub(super) fn has_accepted(&self, serial: &str, pin: &Secret) -> bool {
        self.accepted.get(serial) == Some(&Self::digest(serial, pin))
    }

    /// Takes note of a wrong PIN; `is_told` says whether the token tells now that a wrong one was tried.
    pub(super) fn reject(&mut self, serial: &str, pin: &Secret, is_told: bool) {
        self.rejected.push((serial.to_owned(), Self::digest(serial, pin)));
        let (number, was_told) = self.wrong.entry(serial.to_owned()).or_default();
        (*number, *was_told) = (number.saturating_add(1), *was_told || is_told);
    }

    /// Takes note of the right one.
    pub(super) fn accept(&mut self, serial: &str, pin: &Secret) {
        self.accepted.insert(serial.to_owned(), Self::digest(serial, pin));
        self.wrong.remove(serial);
    }

    /// Returns whether another PIN may be tried. A token that told of wrong ones, and tells of none any more, was opened
    /// by somebody since.
    pub(super) fn may_try(&mut self, serial: &str, is_told: bool) -> bool {
        let Some((number, was_told)) = self.wrong.get(serial).copied() else { return true };
        if was_told && !is_told {
            self.wrong.remove(serial);
            return true;
        }
        number < MOST_WRONG
    }
}

fn unusable(path: &Path, reason: impl ToString) -> KeyError {
    KeyError::Module(path.shown().to_string(), reason.to_string())
}

/// Checks that only root or this user can change a module or put another in its place: it runs in this process.
fn check(path: &Path) -> Result<(), KeyError> {
    if !path.is_absolute() {
        return Err(unusable(path, "a module is named by its whole path"));
    }
    let metadata = fs::metadata(path).map_err(|error| unusable(path, error))?;
    let user = rustix::process::geteuid().as_raw();
    let finding =
        AccessRule::CONFIGURATION.judge(path, &FileStatus::from(&metadata), user).into_iter().next();
    let finding = finding.or_else(|| unsafe_way(path));
    finding.map_or(Ok(()), |finding| Err(KeyError::Unsafe(finding)))
}

fn initialize(context: &Pkcs11) -> Result<(), Error> {
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        initialized => initialized,
    }
}

impl Module {
    /// Returns a module, loaded and initialized.
    fn load(path: &Path) -> Result<Arc<Self>, KeyError> {
        let mut loaded = held(&LOADED);
        if let Some(module) = loaded.get(path) {
            return Ok(Arc::clone(module));
        }
        check(path)?;
        let context = Pkcs11::new(path).map_err(|error| unusable(path, error))?;
        initialize(&context).map_err(|error| unusable(path, error))?;
        let module = Arc::new(Self {
            path: path.to_owned(),
            context,
            users: Arc::default(),
            logging_in: Mutex::default(),
        });
        loaded.insert(path.to_owned(), Arc::clone(&module));
        Ok(module)
    }

    pub(super) fn context(&self) -> &Pkcs11 {
        &self.context
    }

    /// Initializes the module anew: some see tokens that came later only so. Nothing is done while a token is in use.
    fn refresh(&self) -> bool {
        let _alone = held(&LOADED);
        if Arc::strong_count(&self.users) > 1 {
            return false;
        }
        let _ = self.context.clone().finalize();
        initialize(&self.context).is_ok()
    }

    /// Returns the slots with a token that the URI describes.
    fn slots(&self, uri: &TokenUri) -> Result<Vec<(Slot, TokenInfo)>, Error> {
        let mut found = Vec::new();
        for slot in self.context.get_slots_with_token()? {
            // a token that is taken out meanwhile is none
            let (Ok(token), Ok(place)) =
                (self.context.get_token_info(slot), self.context.get_slot_info(slot))
            else {
                continue;
            };
            let described = Seen { module: self, token: &token, slot: &place };
            let is_meant = uri.slot.is_none_or(|number| number == slot.id()) && uri.describes(&described);
            if is_meant && token.token_initialized() {
                found.push((slot, token));
            }
        }
        Ok(found)
    }
}

struct Seen<'a> {
    module: &'a Module,
    token: &'a TokenInfo,
    slot: &'a SlotInfo,
}

impl Described for Seen<'_> {
    fn text(&self, attribute: &str) -> Option<String> {
        let library = || self.module.context.get_library_info().ok();
        Some(match attribute {
            "token" => self.token.label().to_owned(),
            "serial" => self.token.serial_number().to_owned(),
            "manufacturer" => self.token.manufacturer_id().to_owned(),
            "model" => self.token.model().to_owned(),
            "slot-manufacturer" => self.slot.manufacturer_id().to_owned(),
            "slot-description" => self.slot.slot_description().to_owned(),
            "library-manufacturer" => library()?.manufacturer_id().to_owned(),
            "library-description" => library()?.library_description().to_owned(),
            "library-version" => library()?.library_version().to_string(),
            _ => return None,
        })
    }
}

/// Returns the one token that the URI describes, among those of the configured modules.
pub(super) fn token(configured: &[PathBuf], uri: &TokenUri, place: &KeyPlace) -> Result<Token, KeyError> {
    let (mut found, mut failed) = tokens(configured, uri, place, false)?;
    for more in 0..=MOMENTS {
        if !found.is_empty() {
            break;
        }
        if more > 0 {
            thread::sleep(MOMENT);
        }
        (found, failed) = tokens(configured, uri, place, true)?;
    }
    let several = found.len();
    match (found.pop(), failed) {
        (Some((module, slot, info)), _) if several == 1 => {
            let user = Arc::clone(&module.users);
            Ok(Token::new(module, user, slot, info.serial_number().to_owned(), place.clone()))
        }
        (Some(_), _) => Err(KeyError::several_tokens(place.clone(), several)),
        (None, Some(error)) => Err(error),
        (None, None) => Err(KeyError::TokenGone(place.clone(), "no such token is there".into())),
    }
}

/// Returns how many tokens the URI describes.
pub(super) fn count(
    configured: &[PathBuf],
    uri: &TokenUri,
    place: &KeyPlace,
    anew: bool,
) -> Result<usize, KeyError> {
    match tokens(configured, uri, place, anew)? {
        (found, Some(error)) if found.is_empty() => Err(error),
        (found, _) => Ok(found.len()),
    }
}

/// Returns the tokens that the URI describes, and the first error of a module that has none of them. `anew`: modules that
/// nobody uses are initialized anew before they are asked, and others are not asked.
fn tokens(
    configured: &[PathBuf],
    uri: &TokenUri,
    place: &KeyPlace,
    anew: bool,
) -> Result<(Vec<Candidate>, Option<KeyError>), KeyError> {
    let paths: Vec<&PathBuf> = match &uri.module {
        Some(path) if configured.contains(path) => vec![path],
        Some(path) => return Err(KeyError::ModuleUnknown(path.shown().to_string())),
        None if configured.is_empty() => return Err(KeyError::NoModule(place.clone())),
        None => configured.iter().collect(),
    };
    let mut failed = None;
    let mut modules = Vec::new();
    for path in paths {
        match Module::load(path) {
            Ok(module) => modules.push(module),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    modules.retain(|module| !anew || module.refresh());
    let found = all(&modules, uri, &mut failed);
    Ok((found, failed))
}

type Candidate = (Arc<Module>, Slot, TokenInfo);

fn all(modules: &[Arc<Module>], uri: &TokenUri, failed: &mut Option<KeyError>) -> Vec<Candidate> {
    let mut found = Vec::new();
    for module in modules {
        match module.slots(uri) {
            Ok(slots) => found.extend(slots.into_iter().map(|(slot, info)| (Arc::clone(module), slot, info))),
            Err(error) if failure::is_gone(&error) => {}
            Err(error) => *failed = failed.take().or(Some(unusable(&module.path, error))),
        }
    }
    found
}

/// Returns the tries that a token has left.
pub(super) fn tries(module: &Module, slot: Slot) -> Result<(PinTries, TokenInfo), Error> {
    let info = module.context.get_token_info(slot)?;
    Ok((PinTries::of(&info), info))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_not_tried_where_a_wrong_one_would_lock_the_token() {
        let at = KeyPlace::Uri("pkcs11:token=a".into());
        assert!(PinTries::Several.check(&at).is_ok());
        assert!(matches!(PinTries::Last.check(&at), Err(KeyError::PinLastTry(_))));
        assert!(matches!(PinTries::None.check(&at), Err(KeyError::PinLocked(_))));
    }

    fn pin(text: &str) -> Secret {
        Secret::new(text.into())
    }

    #[test]
    fn a_pin_that_was_wrong_or_right_is_known_for_its_token_alone() {
        let mut pins = Pins::default();
        pins.reject("1", &pin("1234"), false);
        pins.accept("1", &pin("4321"));
        assert!(pins.has_rejected("1", &pin("1234")) && pins.has_accepted("1", &pin("4321")));
        assert!(!pins.has_rejected("1", &pin("12345")) && !pins.has_accepted("1", &pin("1234")));
        assert!(!pins.has_rejected("2", &pin("1234")) && !pins.has_accepted("2", &pin("4321")));
    }

    #[test]
    fn after_two_wrong_pins_in_a_row_none_is_tried_until_somebody_has_opened_the_token() {
        // K2
        let mut pins = Pins::default();
        pins.reject("1", &pin("1"), true);
        assert!(pins.may_try("1", true));
        pins.accept("1", &pin("0"));
        pins.reject("1", &pin("2"), true);
        pins.reject("1", &pin("3"), true);
        assert!(!pins.may_try("1", true) && pins.may_try("2", true));
        // opened with the token's own tools: it tells of no wrong PIN any more
        assert!(pins.may_try("1", false) && pins.may_try("1", true));
        // one that tells nothing is not believed
        pins.reject("3", &pin("1"), false);
        pins.reject("3", &pin("2"), false);
        assert!(!pins.may_try("3", false));
    }

    #[test]
    fn a_module_is_a_library_that_nobody_else_can_change() {
        // P2
        use std::os::unix::fs::PermissionsExt as _;
        assert!(matches!(check(Path::new("libsofthsm2.so")), Err(KeyError::Module(..))));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("module.so");
        assert!(matches!(check(&path), Err(KeyError::Module(..))));
        fs::write(&path, "no library").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(check(&path), Err(KeyError::Unsafe(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(check(&path).is_ok());
        // another could be put in its place
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(check(&path), Err(KeyError::Unsafe(_))));
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(matches!(Module::load(&path), Err(KeyError::Module(..))));
    }

    #[test]
    fn a_module_that_is_not_configured_is_not_loaded() {
        // P2
        let at = KeyPlace::Uri("pkcs11:token=a".into());
        let uri: TokenUri = "pkcs11:token=a?module-path=/tmp/evil.so".parse().unwrap();
        let configured = [PathBuf::from("/usr/lib/softhsm/libsofthsm2.so")];
        assert!(matches!(token(&configured, &uri, &at), Err(KeyError::ModuleUnknown(_))));
        let uri = "pkcs11:token=a".parse().unwrap();
        assert!(matches!(token(&[], &uri, &at), Err(KeyError::NoModule(_))));
    }
}
