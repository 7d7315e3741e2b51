//! Keys in tokens that the signer which listens uses, through a process that is a user of its own.
use crate::standing_signer::{Running, Service, TOKENS, wait_for};
use crate::support::tokens::{Tokens, stub_module};
use crate::support::{PASSPHRASE, is_root, skipped};
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

/// A service, tokens, and the process between them.
pub(crate) struct Vault {
    pub(crate) service: Service,
    tokens: Tokens,
    process: Running,
}

/// Starts the process of the tokens, and waits until the service has it.
fn connected(service: &Service, tokens: &Tokens) -> Running {
    connected_with(service, tokens, "")
}

/// Likewise, with what a stub beside the module does.
fn connected_with(service: &Service, tokens: &Tokens, stub: &str) -> Running {
    let reached = || fs::read_to_string(&service.log).unwrap().matches("reaches the tokens").count();
    let before = reached();
    let program = service.home.path("bin/genfic-signer");
    let process = Running::of(TOKENS, &[program.to_str().unwrap(), "tokens"], |command| {
        command.arg("--socket").arg(service.home.path("sockets/tokens.socket"));
        command.arg("--modules").arg(service.home.path("tokens.toml"));
        command.env_clear().env("PATH", "/usr/bin:/bin").envs(tokens.environment());
        command.env("STUB_MODULE", stub);
        command.stdout(Stdio::null()).stderr(fs::File::create(service.home.path("tokens.log")).unwrap());
    });
    wait_for("process of the tokens", || reached() > before);
    process
}

impl Vault {
    pub(crate) fn of(tokens: Tokens) -> Self {
        Self::beside(tokens, None)
    }

    /// Returns one with a module that does this, which is asked before the other.
    fn beside(mut tokens: Tokens, stub: Option<&str>) -> Self {
        let service = Service::with_tokens();
        // one that was built has a second name, and may be changed by its owner
        let module = service.home.path("module.so");
        fs::copy(tokens.module(), &module).unwrap();
        let other = stub.map(|_| stub_module(service.home.directory()));
        let all: Vec<PathBuf> = other.into_iter().chain([module]).collect();
        let modules = format!("[pkcs11]\nmodules = {all:?}\n");
        fs::write(service.home.path("tokens.toml"), modules).unwrap();
        tokens.give_to(TOKENS);
        let process = connected_with(&service, &tokens, stub.unwrap_or_default());
        Self { service, tokens, process }
    }

    pub(crate) fn ca(&self, words: &str) -> String {
        self.service.ca(words)
    }

    /// Returns the shell line by which the administrator runs a `key` command, with this PIN.
    pub(crate) fn admin(&self, pin: &str, words: &str) -> String {
        self.service.admin_with(pin, words)
    }

    /// Returns the shell line by which the PIN is given for a new key of this name.
    pub(crate) fn new_key(&self, name: &str) -> String {
        let scopes = "--scope leaf --scope ca --scope crl --passphrase-from fd:0";
        let profile = if name == "other" || name.starts_with("system") { "system-ca" } else { "root-ca" };
        let new = format!("--new --profile {profile} {scopes}");
        self.admin(PASSPHRASE, &format!("key unlock 'pkcs11:token=Office;object={name}' {new}"))
    }

    pub(crate) fn unlock(&self, pin: &str, name: &str) -> String {
        self.admin(
            pin,
            &format!("key unlock '{name}' --scope leaf --scope ca --scope crl --passphrase-from fd:0"),
        )
    }

    pub(crate) fn refused(&self, code: &str, line: &str) -> String {
        self.service.refused(code, line)
    }

    #[track_caller]
    pub(crate) fn done(&self, steps: &[String]) -> String {
        let said = self.service.in_one_login(steps);
        let log = |name: &str| fs::read_to_string(self.service.home.path(name)).unwrap_or_default();
        assert_eq!(said.status, 0, "{}\n{}\n{}", said.all(), log("log"), log("tokens.log"));
        said.out
    }
}

pub(crate) const ROOT: &str = "create-root example --keystore pkcs11:token=Office --ocsp=false";

fn lives_its_whole_life(tokens: Tokens) {
    let vault = Vault::of(tokens);
    let child = "-p example --profile system-ca --keystore pkcs11:token=Office";
    let said = vault.done(&[
        vault.service.own_home(),
        vault.refused("signer.locked", &vault.ca(ROOT)),
        vault.new_key("example"),
        vault.ca(ROOT),
        vault.new_key("system"),
        vault.ca(&format!("create-child system {child} --key rsa2048")),
        vault.ca("create-request w.example --sign -p system"),
        vault.ca("create-request gone.example --sign -p system"),
        vault.ca("revoke gone.example --reason superseded --yes"),
        vault.ca("crl publish --all"),
        vault.ca("renew-ca system"),
        vault.new_key("system-g2"),
        vault.ca("renew-ca system --rekey --key p384 --yes"),
        vault.ca("create-request x.example --sign -p system"),
        vault.admin("", "key lock --all"),
        vault.refused("signer.locked", &vault.ca("crl publish example")),
        vault.unlock(PASSPHRASE, "example"),
        vault.ca("crl publish example"),
        vault.ca("show example --json"),
        vault.ca("doctor"),
    ]);
    assert!(said.contains("pkcs11:token=Office;object=example"), "{said}");
    let own = |file: &str| vault.service.home.path(&format!("own/home/public/{file}"));
    let checked = format!(
        "openssl verify -x509_strict -CAfile {} -untrusted {} {}",
        own("example.pem").display(),
        own("system.pem").display(),
        vault.service.home.path("own/w.example.crt").display()
    );
    vault.service.home.shell(&checked).ok();
    let keys = fs::read_dir(vault.service.home.path("own/home/keys")).unwrap().count();
    assert_eq!(keys, 0, "marks, journal and envelopes are the service's");
    assert!(
        !fs::read_to_string(vault.service.home.path("signer/journal"))
            .is_ok_and(|text| text.contains(PASSPHRASE))
    );
}

#[test]
fn a_hierarchy_in_a_token_of_softhsm_lives_its_whole_life_in_the_service() {
    // G17, K4
    if !is_root() {
        return skipped("becoming other users needs root");
    }
    lives_its_whole_life(Tokens::softhsm());
}

#[test]
fn a_hierarchy_in_a_token_of_kryoptic_lives_its_whole_life_in_the_service() {
    // G17, K4
    if !is_root() {
        return skipped("becoming other users needs root");
    }
    if let Some(tokens) = Tokens::kryoptic() {
        lives_its_whole_life(tokens);
    }
}

#[test]
fn wrong_pins_are_counted_and_none_is_tried_that_could_lock_the_token() {
    // G17, K2
    if !is_root() {
        return skipped("becoming other users needs root");
    }
    let Some(tokens) = Tokens::kryoptic() else { return };
    let mut vault = Vault::of(tokens);
    vault.done(&[
        vault.service.own_home(),
        vault.refused("key.pin-wrong", &vault.new_key("example").replace(PASSPHRASE, "00000000")),
        vault.refused("signer.locked", &vault.ca(ROOT)),
        vault.new_key("example"),
        vault.ca(ROOT),
        vault.new_key("other"),
        vault.ca("create-child other -p example --profile system-ca --keystore pkcs11:token=Office"),
        vault.admin("", "key lock other"),
        // what one has unlocked opens nothing else in the token
        vault.refused("key.pin-wrong", &vault.unlock("11111111", "other")),
        vault.unlock(PASSPHRASE, "other"),
        vault.admin("", "key lock --all"),
        vault.refused("key.pin-wrong", &vault.unlock("22222222", "example")),
        // the same once more is not tried
        vault.refused("key.pin-wrong", &vault.unlock("22222222", "example")),
        vault.refused("key.pin-wrong", &vault.unlock("33333333", "example")),
    ]);
    // whether the token tells or not, the third in a row could lock it; and nobody guesses fast
    let said = vault.service.in_one_login(&["sleep 2".to_owned(), vault.unlock(PASSPHRASE, "example")]);
    assert!(said.status == 8 && said.err.contains("key.pin-last-try"), "{}", said.all());
    // whoever is sure of the PIN starts the process again
    vault.process.end();
    vault.process = connected(&vault.service, &vault.tokens);
    vault.done(&[vault.unlock(PASSPHRASE, "example"), vault.ca("crl publish example")]);
}

#[test]
fn when_the_process_of_the_tokens_ends_the_service_says_so_and_goes_on_with_the_next_one() {
    // G17, K2
    if !is_root() {
        return skipped("becoming other users needs root");
    }
    let mut vault = Vault::of(Tokens::softhsm());
    let file =
        "key unlock filed --new --profile root-ca --scope leaf --scope ca --scope crl --passphrase-from fd:0";
    vault.done(&[
        vault.service.own_home(),
        vault.new_key("example"),
        vault.ca(ROOT),
        vault.service.admin(file),
        vault.ca("create-root filed --ocsp=false"),
    ]);
    vault.process.end();
    vault.done(&[
        vault.service.admin("key unlock filed --scope crl --passphrase-from fd:0"),
        vault.refused("process of the tokens", &vault.unlock(PASSPHRASE, "pkcs11:object=example")),
        vault.ca("crl publish filed"),
    ]);
    vault.process = connected(&vault.service, &vault.tokens);
    vault.done(&[
        vault.unlock(PASSPHRASE, "example"),
        vault.ca("crl publish example"),
        format!("kill -KILL {}", vault.process.0.id()),
        vault.refused("process of the tokens", &vault.ca("crl publish example")),
        // what nobody can use is not told to be unlocked
        format!("! {} | grep example", vault.service.words("key status")),
    ]);
    vault.process.end();
    vault.process = connected(&vault.service, &vault.tokens);
    vault.done(&[vault.unlock(PASSPHRASE, "example"), vault.ca("crl publish example")]);
}

fn is_used_beside_a_module_that(does: &str) {
    if !is_root() {
        return skipped("becoming other users needs root");
    }
    let mut vault = Vault::beside(Tokens::softhsm(), Some(does));
    let elsewhere = vault.unlock(PASSPHRASE, "pkcs11:token=Elsewhere;object=example");
    vault.done(&[
        vault.service.own_home(),
        vault.new_key("example"),
        vault.ca(ROOT),
        vault.refused("process of the tokens", &elsewhere),
        // the key in the other token is open as before
        vault.ca("crl publish example"),
        vault.admin("", "key lock --all"),
        vault.unlock(PASSPHRASE, "example"),
        vault.ca("crl publish example"),
    ]);
    vault.process.end();
    let module = vault.service.home.path("stub.so");
    let is_of_module = |directory: fs::DirEntry| {
        let words = fs::read(directory.path().join("cmdline")).unwrap_or_default();
        words.split(|octet| *octet == 0).any(|word| word == module.as_os_str().as_encoded_bytes())
    };
    wait_for("end of the module's process", || !fs::read_dir("/proc").unwrap().flatten().any(is_of_module));
}

#[test]
fn a_module_that_aborts_touches_no_key_in_a_token_of_another_module() {
    // G17, K2
    is_used_beside_a_module_that("abort");
}

#[test]
fn a_module_that_hangs_touches_no_key_in_a_token_of_another_module() {
    // G17, K2
    is_used_beside_a_module_that("hang");
}

#[test]
fn a_token_behind_a_socket_goes_away_and_comes_back() {
    // G17
    if !is_root() {
        return skipped("becoming other users needs root");
    }
    let mut vault = Vault::of(Tokens::remote());
    vault.done(&[vault.service.own_home(), vault.new_key("example"), vault.ca(ROOT)]);
    vault.tokens.stop_serving();
    let said = vault.service.in_one_login(&[vault.unlock(PASSPHRASE, "pkcs11:token=Office;object=example")]);
    assert!(said.status == 8 && said.err.contains("key.token-missing"), "{}", said.all());
    vault.tokens.serve();
    vault.done(&[vault.unlock(PASSPHRASE, "example"), vault.ca("crl publish example")]);
}

#[test]
fn an_administrator_finds_the_envelope_of_a_key_in_a_token_and_of_one_that_got_another_name() {
    // G17, K3
    if !is_root() {
        return skipped("becoming other users needs root");
    }
    let vault = Vault::of(Tokens::softhsm());
    let scopes = "--scope leaf --scope ca --scope crl --passphrase-from fd:0";
    let envelope = |words: &str| vault.admin("", &format!("key envelope {words} --service"));
    let said = vault.done(&[
        vault.service.own_home(),
        vault.new_key("example"),
        vault.ca(ROOT),
        vault.service.admin(&format!("key unlock system --new {scopes}")),
        vault.ca("create-child system -p example --profile system-ca --ocsp=false"),
        vault.ca("retire system --yes"),
        envelope("example --set longest_days=9000 --confirm example"),
        envelope("'pkcs11:token=Office;object=example'"),
        envelope("system-retired"),
        vault.refused("signer.envelope-none", &envelope("system")),
        vault.refused("signer.envelope-none", &envelope("nobody")),
        // it stays where it was made
        vault.refused("key.token-unable", &vault.ca("key move example --to home --yes")),
        vault.refused("key.token-unable", &vault.ca("key export example -o out.key --confirm example")),
        vault.refused("key.token-unable", &vault.ca("key export-bundle example --to medium")),
    ]);
    assert!(said.contains("9000  (longest validity, days)"), "{said}");
    assert!(said.contains("system-retired signs at most"), "{said}");
}

#[test]
fn a_ca_moves_from_a_file_of_the_service_into_a_token_and_a_client_loads_no_module() {
    // G17, X11, P2
    if !is_root() {
        return skipped("becoming other users needs root");
    }
    let vault = Vault::of(Tokens::softhsm());
    let file = |name: &str| {
        let scopes = "--scope leaf --scope ca --scope crl --passphrase-from fd:0";
        let profile = if name.starts_with("system") { "system-ca" } else { "root-ca" };
        vault.service.admin(&format!("key unlock {name} --new --profile {profile} {scopes}"))
    };
    let said = vault.done(&[
        vault.service.own_home(),
        file("example"),
        vault.ca("create-root example --ocsp=false"),
        file("system"),
        vault.ca("create-child system -p example --profile system-ca"),
        vault.new_key("system-g2"),
        vault.ca("renew-ca system --rekey --keystore pkcs11:token=Office --yes"),
        vault.ca("create-request w.example --sign -p system"),
        vault.new_key("evil"),
        vault.refused(
            "key.module-unknown",
            &vault.ca("create-root evil --keystore 'pkcs11:token=Office?module-path=/tmp/evil.so'"),
        ),
        vault.ca("authorities --json"),
    ]);
    assert!(said.contains("pkcs11:token=Office;object=system-g2"), "{said}");
    let own = |file: &str| vault.service.home.path(&format!("own/home/public/{file}"));
    let checked = format!(
        "openssl verify -CAfile {} -untrusted {} {}",
        own("example.pem").display(),
        own("system-g2.pem").display(),
        vault.service.home.path("own/w.example.crt").display()
    );
    vault.service.home.shell(&checked).ok();
}
