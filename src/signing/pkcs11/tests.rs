use super::*;
use crate::error::{Code, Exit, Problem};
use crate::signing::contract;
use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

const PIN: &str = "64821973";
const WRONG: &str = "00000000";
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// `tests/run` builds it: a token in Rust and SQLite, of another make.
const KRYOPTIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/kryoptic/debug/libkryoptic_pkcs11.so");
/// Of p11-kit: connects to a server by a Unix socket, which has the token.
const REMOTE: &str = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so";

/// Gives one PIN and counts how often it was asked.
struct Given(String, Mutex<usize>);

impl Given {
    fn new(pin: &str) -> Arc<Self> {
        Arc::new(Self(pin.into(), Mutex::default()))
    }

    fn asked(&self) -> usize {
        *self.1.lock().unwrap()
    }
}

impl SecretSource for Given {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        assert!(matches!(purpose, SecretPurpose::Open(_)), "a PIN is no new passphrase");
        *self.1.lock().unwrap() += 1;
        Ok(Secret::new(self.0.clone()))
    }
}

/// Where the tokens of one test are, and the module that has them.
struct Place {
    directory: PathBuf,
    module: PathBuf,
}

impl Place {
    fn store(&self, secrets: &Arc<Given>) -> TokenStore {
        let marks = self.directory.join("marks");
        let _ = fs::create_dir(&marks);
        fs::set_permissions(&marks, fs::Permissions::from_mode(0o700)).unwrap();
        TokenStore::new(vec![self.module.clone()], marks, secrets.clone())
    }

    fn with_pin(&self) -> TokenStore {
        self.store(&Given::new(PIN))
    }

    /// Makes a token with this label. A module that has one slot alone has one token alone.
    fn token(&self, label: &str) {
        let output = Command::new("pkcs11-tool")
            .arg("--module")
            .arg(&self.module)
            .args(["--init-token", "--label", label, "--so-pin", "12345678"])
            .args(self.free_slot())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let output = Command::new("pkcs11-tool")
            .arg("--module")
            .arg(&self.module)
            .args(["--token-label", label, "--login", "--login-type", "so", "--so-pin", "12345678"])
            .args(["--init-pin", "--new-pin", PIN])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn free_slot(&self) -> Vec<String> {
        let output =
            Command::new("pkcs11-tool").arg("--module").arg(&self.module).arg("-L").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let number = text.lines().filter(|line| line.starts_with("Slot ")).count() - 1;
        vec!["--slot-index".into(), number.to_string()]
    }

    fn tokens(&self) -> PathBuf {
        self.directory.join("tokens")
    }
}

fn new(name: &str) -> KeyRef {
    KeyRef { identity: None, uri: format!("pkcs11:token=Office;object={name}") }
}

/// A server that ends with the test.
struct Serving(std::process::Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has a server of p11-kit hand out a token of SoftHSM at this socket.
fn serve(place: &Place, configuration: &Path, socket: &Path) -> Serving {
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "Office", "--so-pin", "12345678", "--pin", PIN])
        .env("SOFTHSM2_CONF", configuration)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let serving = Command::new("p11-kit")
        .args(["server", "--foreground", "--provider", SOFTHSM, "--name", socket.to_str().unwrap()])
        .arg("pkcs11:token=Office")
        .env("SOFTHSM2_CONF", configuration)
        .env("XDG_RUNTIME_DIR", &place.directory)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let serving = Serving(serving);
    for _ in 0..500 {
        if socket.exists() {
            return serving;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("p11-kit does not serve");
}

/// Runs `test` with tokens of its own, in a process of its own: a module reads its environment when it is loaded.
fn in_a_process_of_its_own(name: &str, module: &str, test: fn(&Place)) {
    if let Some(directory) = std::env::var_os("GENFIC_TEST_TOKENS") {
        return test(&Place { directory: directory.into(), module: module.into() });
    }
    if module == KRYOPTIC && !Path::new(KRYOPTIC).exists() {
        return crate::testing::skipped("tests/run builds kryoptic, which is not there");
    }
    let directory = tempfile::tempdir().unwrap();
    let place = Place { directory: directory.path().into(), module: module.into() };
    fs::create_dir(place.tokens()).unwrap();
    let configuration = directory.path().join("softhsm2.conf");
    let tokens = place.tokens();
    fs::write(&configuration, format!("directories.tokendir = {}\n", tokens.to_str().unwrap())).unwrap();
    let kryoptic = directory.path().join("kryoptic.conf");
    let database = tokens.join("token.sql");
    let slot =
        format!("[[slots]]\nslot = 1\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n", database.to_str().unwrap());
    fs::write(&kryoptic, slot).unwrap();
    let socket = directory.path().join("p11-kit");
    let serving = (module == REMOTE).then(|| serve(&place, &configuration, &socket));
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("signing::pkcs11::store::tests::{name}"), "--nocapture"])
        .env("GENFIC_TEST_TOKENS", directory.path())
        .env("SOFTHSM2_CONF", configuration)
        .env("KRYOPTIC_CONF", kryoptic)
        .env("P11_KIT_SERVER_ADDRESS", format!("unix:path={}", socket.to_str().unwrap()))
        .output()
        .unwrap();
    drop(serving);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// The types of keys that the token makes.
fn algorithms(place: &Place) -> Vec<KeyAlgorithm> {
    let mut all =
        vec![KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::rsa(2048), KeyAlgorithm::rsa(3072)];
    // kryoptic has it with OpenSSL 3.2, and p11-kit lets through what its 0.24 knows
    if place.module == Path::new(SOFTHSM) {
        all.push(KeyAlgorithm::ED25519);
    }
    all
}

fn code(error: KeyError) -> (Code, Exit) {
    let problem = Problem::from(error);
    assert!(!problem.hint.is_empty());
    (problem.code, problem.exit)
}

fn keeps_the_contract(place: &Place) {
    if place.module != Path::new(REMOTE) {
        place.token("Office");
    }
    contract::hold(&place.with_pin(), &new, &algorithms(place));
}

#[test]
fn softhsm_keeps_the_contract() {
    // G17
    in_a_process_of_its_own("softhsm_keeps_the_contract", SOFTHSM, keeps_the_contract);
}

#[test]
fn kryoptic_keeps_the_contract() {
    // G17
    in_a_process_of_its_own("kryoptic_keeps_the_contract", KRYOPTIC, keeps_the_contract);
}

#[test]
fn a_module_that_connects_to_a_server_keeps_the_contract() {
    // G17
    in_a_process_of_its_own(
        "a_module_that_connects_to_a_server_keeps_the_contract",
        REMOTE,
        keeps_the_contract,
    );
}

fn keeps_its_keys(place: &Place) {
    place.token("Office");
    let made = place.with_pin().generate(&new("root"), KeyAlgorithm::P256).unwrap();
    let rsa = place.with_pin().generate(&new("wrapper"), KeyAlgorithm::rsa(2048)).unwrap();
    // a second look, with the module's own functions
    let context = Pkcs11::new(&place.module).unwrap();
    let slot = context.get_slots_with_initialized_token().unwrap()[0];
    let session = context.open_rw_session(slot).unwrap();
    let _ = session.login(UserType::User, Some(&AuthPin::from(PIN)));
    let found = |label: &str, class| {
        let wanted = [Attribute::Class(class), Attribute::Label(label.as_bytes().to_vec())];
        session.find_objects(&wanted).unwrap()[0]
    };
    let private = found("root", ObjectClass::PRIVATE_KEY);
    let secrets = [AttributeType::Value, AttributeType::PrivateExponent, AttributeType::Prime1];
    for key in [private, found("wrapper", ObjectClass::PRIVATE_KEY)] {
        for secret in secrets {
            let told = session.get_attributes(key, &[secret]).unwrap_or_default();
            assert!(told.is_empty(), "it tells {secret}");
        }
        for (attribute, value) in [
            (AttributeType::Sensitive, Attribute::Sensitive(true)),
            (AttributeType::Extractable, Attribute::Extractable(false)),
            (AttributeType::NeverExtractable, Attribute::NeverExtractable(true)),
            (AttributeType::Sign, Attribute::Sign(true)),
            (AttributeType::Decrypt, Attribute::Decrypt(false)),
            (AttributeType::Unwrap, Attribute::Unwrap(false)),
            (AttributeType::Derive, Attribute::Derive(false)),
        ] {
            assert_eq!(session.get_attributes(key, &[attribute]).unwrap(), [value]);
        }
        assert!(session.update_attributes(key, &[Attribute::Extractable(true)]).is_err());
        assert!(session.update_attributes(key, &[Attribute::Sensitive(false)]).is_err());
    }
    let oaep = PkcsOaepParams::new(
        cryptoki::mechanism::MechanismType::SHA1,
        PkcsMgfType::MGF1_SHA1,
        PkcsOaepSource::empty(),
    );
    let wrapping = found("wrapper", ObjectClass::PUBLIC_KEY);
    for mechanism in [Mechanism::RsaPkcs, Mechanism::RsaPkcsOaep(oaep)] {
        assert!(session.wrap_key(&mechanism, wrapping, private).is_err(), "it can be wrapped");
    }
    let id = session.get_attributes(private, &[AttributeType::Id]).unwrap();
    assert_eq!(id, [Attribute::Id(made.public_key().key_identifier())]);
    assert_ne!(made.public_key(), rsa.public_key());
}

#[test]
fn a_key_is_made_in_its_token_and_does_not_leave_it() {
    // K4
    in_a_process_of_its_own("a_key_is_made_in_its_token_and_does_not_leave_it", SOFTHSM, keeps_its_keys);
}

#[test]
fn a_key_does_not_leave_a_token_of_another_make_either() {
    // K4
    in_a_process_of_its_own("a_key_does_not_leave_a_token_of_another_make_either", KRYOPTIC, keeps_its_keys);
}

fn tries_a_wrong_pin_once(place: &Place) {
    place.token("Office");
    let key = new("root");
    {
        place.with_pin().generate(&key, KeyAlgorithm::P256).unwrap();
    }
    let wrong = Given::new(WRONG);
    let store = place.store(&wrong);
    for _ in 0..20 {
        let error = store.signer(&key).err().unwrap();
        assert!(!format!("{error} {error:?}").contains(WRONG));
        assert_eq!(code(error), (Code::KeyPinWrong, Exit::KeyUnavailable));
    }
    assert_eq!(wrong.asked(), 20);
    // the token got it once: kryoptic would be locked otherwise
    let signer = place.with_pin().signer(&key).unwrap();
    // logged in already, whatever PIN another store has
    assert_eq!(store.signer(&key).unwrap().public_key(), signer.public_key());
    assert_eq!(wrong.asked(), 20);
}

#[test]
fn a_wrong_pin_is_tried_once_and_a_user_who_is_logged_in_is_not_asked() {
    // G17, K2
    let name = "a_wrong_pin_is_tried_once_and_a_user_who_is_logged_in_is_not_asked";
    in_a_process_of_its_own(name, SOFTHSM, tries_a_wrong_pin_once);
}

#[test]
fn a_token_that_locks_itself_is_not_locked_by_one_wrong_pin() {
    // G17
    let name = "a_token_that_locks_itself_is_not_locked_by_one_wrong_pin";
    in_a_process_of_its_own(name, KRYOPTIC, tries_a_wrong_pin_once);
}

fn tells_keys_apart(place: &Place) {
    place.token("Office");
    let store = place.with_pin();
    let one = store.generate(&new("one"), KeyAlgorithm::P256).unwrap();
    let other = store.generate(&new("other"), KeyAlgorithm::P256).unwrap();
    let mistaken = new("one").of_key(other.public_key());
    assert_eq!(code(store.signer(&mistaken).err().unwrap()), (Code::KeyMismatch, Exit::Integrity));
    assert_eq!(code(store.inspect(&mistaken).unwrap_err()), (Code::KeyMismatch, Exit::Integrity));
    // a label for both: the public key tells
    let both = |key: &Arc<dyn CaSigner>| {
        KeyRef { identity: None, uri: "pkcs11:token=Office".into() }.of_key(key.public_key())
    };
    for key in [&one, &other] {
        assert_eq!(store.signer(&both(key)).unwrap().public_key(), key.public_key());
    }
    let any = KeyRef { identity: None, uri: "pkcs11:token=Office".into() };
    assert_eq!(code(store.signer(&any).err().unwrap()).0, Code::KeyTokenFailed);
}

#[test]
fn a_key_that_is_not_the_one_on_record_does_not_sign() {
    // G17
    in_a_process_of_its_own("a_key_that_is_not_the_one_on_record_does_not_sign", SOFTHSM, tells_keys_apart);
}

fn comes_and_goes(place: &Place) {
    place.token("Office");
    let key = new("root");
    let public = place.with_pin().generate(&key, KeyAlgorithm::P256).unwrap().public_key().clone();
    let away = place.directory.join("away");
    fs::rename(place.tokens(), &away).unwrap();
    fs::create_dir(place.tokens()).unwrap();
    let gone = place.with_pin().signer(&key).err().unwrap();
    assert_eq!(code(gone), (Code::KeyTokenMissing, Exit::KeyUnavailable));
    fs::remove_dir(place.tokens()).unwrap();
    fs::rename(&away, place.tokens()).unwrap();
    assert_eq!(*place.with_pin().signer(&key).unwrap().public_key(), public);
    // another token beside it: found in the same process, and told apart
    place.token("Another");
    let other = KeyRef { identity: None, uri: "pkcs11:token=Another;object=root".into() };
    assert!(matches!(place.with_pin().signer(&other), Err(KeyError::NotFound(_))));
    let either = KeyRef { identity: None, uri: "pkcs11:object=root".into() };
    assert_eq!(code(place.with_pin().signer(&either).err().unwrap()).0, Code::KeyTokenFailed);
}

#[test]
fn a_token_that_was_taken_away_is_found_when_it_is_back() {
    // G17
    in_a_process_of_its_own("a_token_that_was_taken_away_is_found_when_it_is_back", SOFTHSM, comes_and_goes);
}

#[path = "pin_tests.rs"]
mod pins;
