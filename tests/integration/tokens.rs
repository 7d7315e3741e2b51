//! CAs whose keys are in tokens, with modules of three makes, and what becomes of commands when a token is not there.
use crate::support::tokens::{Tokens, stub_module};
use crate::support::{Home, Said, has_landlock};
use std::fs;

struct Office {
    home: Home,
    tokens: Tokens,
}

impl Office {
    fn with(tokens: Tokens) -> Self {
        let home = Home::new();
        tokens.configure(&home);
        Self { home, tokens }
    }

    #[track_caller]
    fn ca(&self, words: &[&str]) -> Said {
        self.with_pin(None, words)
    }

    #[track_caller]
    fn with_pin(&self, pin: Option<&str>, words: &[&str]) -> Said {
        let mut command = self.home.command(words);
        command.envs(self.tokens.environment());
        if let Some(pin) = pin {
            command.env("GENFIC_TEST_PASSPHRASE", pin);
        }
        Said::of(command.output().unwrap())
    }

    #[track_caller]
    fn result(&self, words: &[&str]) -> serde_json::Value {
        self.ca(&[words, &["--json"]].concat()).ok().json()["result"].clone()
    }

    /// Returns the `code` of a command that fails, and its exit status.
    #[track_caller]
    fn failure(&self, words: &[&str]) -> (i32, String) {
        let said = self.ca(&[words, &["--json"]].concat());
        let code =
            said.json()["error"]["code"].as_str().unwrap_or_else(|| panic!("{}", said.all())).to_owned();
        (said.status, code)
    }

    /// Returns the names of the files in `keys/`.
    fn key_files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.path("home/keys")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

const TOKEN: &str = "pkcs11:token=Office";

fn lives_its_whole_life(tokens: Tokens) {
    let office = Office::with(tokens);
    let home = &office.home;
    office.ca(&["create-root", "genfic", "--keystore", TOKEN]).ok();
    let child =
        ["create-child", "genfic-system", "-p", "genfic", "--profile", "system-ca", "--keystore", TOKEN];
    let created = office.result(&child);
    assert_eq!(created["key"], "token=Office;object=genfic-system");
    assert!(!office.key_files().iter().any(|name| name.ends_with(".age")), "{:?}", office.key_files());

    office.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    office.ca(&["create-request", "gone.example", "--sign", "-p", "genfic-system"]).ok();
    let rsa = ["create-child", "genfic-user", "-p", "genfic", "--profile", "user-ca", "--keystore", TOKEN];
    office.ca(&[&rsa[..], &["--key", "rsa2048"]].concat()).ok();
    let revoked = ["revoke", "gone.example", "--reason", "superseded", "--yes"];
    office.ca(&revoked).ok();
    office.ca(&["crl", "publish", "--all"]).ok();
    office.ca(&["renew", "w.example", "--yes"]).ok();
    office.ca(&["renew-ca", "genfic-system"]).ok();
    office.ca(&["ocsp", "responder", "genfic-system"]).ok();

    let chain = ["openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile"];
    let below = ["home/public/genfic.pem", "-untrusted", "home/public/genfic-system.pem"];
    home.run(&[&chain[..], &below, &["w.example.crt"]].concat()).ok();
    let all: Vec<u8> = ["genfic.pem", "genfic.crl.pem", "genfic-system.crl.pem"]
        .iter()
        .flat_map(|file| fs::read(home.path(&format!("home/public/{file}"))).unwrap())
        .collect();
    fs::write(home.path("all.pem"), all).unwrap();
    let checked = ["openssl", "verify", "-crl_check_all", "-CAfile", "all.pem", "-untrusted"];
    let system = "home/public/genfic-system.pem";
    home.run(&[&checked[..], &[system, "w.example.crt"]].concat()).ok();
    let said = home.run(&[&checked[..], &[system, "gone.example.crt"]].concat());
    assert!(said.all().contains("certificate revoked"), "{}", said.all());
    let user = "home/public/genfic-user.pem";
    home.run(&[&chain[..], &["home/public/genfic.pem", user]].concat()).ok();
    let checks = office.ca(&["doctor", "--deep"]);
    assert!(!checks.all().contains("cannot sign"), "{}", checks.all());
    office.ca(&["audit", "verify"]).ok();
}

#[test]
fn a_hierarchy_in_a_token_of_softhsm_lives_its_whole_life() {
    // G17
    lives_its_whole_life(Tokens::softhsm());
}

#[test]
fn a_hierarchy_in_a_token_of_kryoptic_lives_its_whole_life() {
    // G17
    if let Some(tokens) = Tokens::kryoptic() {
        lives_its_whole_life(tokens);
    }
}

#[test]
fn a_hierarchy_in_a_token_behind_a_socket_lives_its_whole_life() {
    // G17
    lives_its_whole_life(Tokens::remote());
}

#[test]
fn a_module_that_aborts_touches_no_token_of_another_module() {
    // G17
    let (home, tokens) = (Home::new(), Tokens::softhsm());
    tokens.configure_beside(&home, &[&stub_module(home.directory())]);
    let run = |words: &[&str]| {
        let mut command = home.command(words);
        Said::of(command.envs(tokens.environment()).env("STUB_MODULE", "abort").output().unwrap())
    };
    run(&["create-root", "genfic", "--keystore", TOKEN, "--ocsp=false"]).ok();
    run(&["crl", "publish", "genfic"]).ok();
    let said = run(&["create-root", "other", "--keystore", "pkcs11:token=Elsewhere", "--json"]);
    assert_eq!(said.json()["error"]["code"], "signer.unavailable", "{}", said.all());
}

/// Returns what a module was told by the kernel while a command used it.
fn probed(words: &[&str]) -> String {
    let home = Home::new();
    let module = stub_module(home.directory());
    let config = home.path("home/genfic-ca.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replacen("# modules = []", &format!("modules = [{module:?}]"), 1)).unwrap();
    let local = home.path("pcscd");
    let _local = std::os::unix::net::UnixListener::bind(&local).unwrap();
    let network = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let report = home.path("report");
    let mut command = home.command(words);
    command.env("STUB_MODULE", "probe").env("STUB_REPORT", &report).env("STUB_SOCKET", &local);
    command.env("STUB_PORT", network.local_addr().unwrap().port().to_string());
    let said = Said::of(command.output().unwrap());
    assert!(said.all().contains("no such token is there"), "{}", said.all());
    let report = fs::read_to_string(report).unwrap();
    if has_landlock() { report } else { report.replace("memory of another: done\n", "") }
}

#[test]
fn a_module_starts_no_program_and_looks_into_no_process_and_reaches_readers_and_networks() {
    // G17, K2
    let refused = [
        "execve",
        "ptrace",
        "process_vm_readv",
        "getpid of x32",
        "tgkill of another",
        "F_SETOWN",
        "PR_SET_DUMPABLE",
        "TIOCLINUX",
        "socket of packets",
        "memory of another",
        "fork",
    ];
    let without = |what: &&str| *what != "memory of another" || has_landlock();
    let refused: Vec<String> =
        refused.iter().filter(|what| without(what)).map(|what| format!("{what}: refused\n")).collect();
    let allowed = ["connect to a socket of Unix: done\n", "connect by TCP: done\n"];
    let expected = refused.concat() + &allowed.concat();
    let of_holder = ["create-request", "a", "--key", "pkcs11:token=None;object=a", "--subject", "CN=a"];
    assert_eq!(probed(&of_holder), expected, "of a holder, whose command starts the process itself");
    let of_ca = ["create-root", "genfic", "--keystore", "pkcs11:token=None", "--ocsp=false"];
    assert_eq!(probed(&of_ca), expected, "of a CA, whose launcher starts it");
}

fn signs_for_two_at_once(tokens: Tokens) {
    let homes = [("first", Home::new()), ("second", Home::new())];
    for (name, home) in &homes {
        tokens.configure(home);
        let mut command = home.command(&["create-root", name, "--keystore", TOKEN, "--ocsp=false"]);
        Said::of(command.envs(tokens.environment()).output().unwrap()).ok();
    }
    for round in 0..5 {
        let both = homes.each_ref().map(|(name, home)| {
            let mut command = home.command(&["crl", "publish", name]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.envs(tokens.environment()).spawn().unwrap()
        });
        for ((name, home), child) in homes.iter().zip(both) {
            let said = Said::of(child.wait_with_output().unwrap());
            // SoftHSM 2.6.1 at times has no token, or none that works, while another process logs in: then that is
            // told, and the command can be given once more
            if said.status != 0 {
                assert_eq!(said.status, 8, "round {round}: {}", said.all());
                let mut again = home.command(&["crl", "publish", name]);
                Said::of(again.envs(tokens.environment()).output().unwrap()).ok();
            }
        }
    }
    for (name, home) in &homes {
        let (crl, ca) = (format!("home/public/{name}.crl.pem"), format!("home/public/{name}.pem"));
        home.run(&["openssl", "crl", "-in", &crl, "-CAfile", &ca, "-noout"]).ok();
    }
}

#[test]
fn two_commands_have_sessions_with_one_token_at_once() {
    // G17
    signs_for_two_at_once(Tokens::softhsm());
    signs_for_two_at_once(Tokens::remote());
}

#[test]
fn while_the_token_is_away_commands_say_so_and_the_next_one_goes_on() {
    // G17
    let office = Office::with(Tokens::softhsm());
    office.ca(&["create-root", "genfic", "--keystore", TOKEN, "--ocsp=false"]).ok();
    office.tokens.take_away(true);
    for words in [&["crl", "publish", "genfic"][..], &["renew-ca", "genfic"]] {
        assert_eq!(office.failure(words), (8, "key.token-missing".into()), "{words:?}");
    }
    let doctor = office.ca(&["doctor"]);
    assert!(
        doctor.all().contains("the token of pkcs11:token=Office;object=genfic is not here"),
        "{}",
        doctor.all()
    );
    office.ca(&["status"]);
    office.ca(&["list"]).ok();
    office.tokens.take_away(false);
    office.ca(&["crl", "publish", "genfic"]).ok();
    assert!(!office.ca(&["doctor"]).all().contains("is not here"));
}

#[test]
fn a_wrong_pin_is_told_and_tried_once_by_each_command() {
    // G17, K2
    let Some(tokens) = Tokens::kryoptic() else { return };
    let office = Office::with(tokens);
    office.ca(&["create-root", "genfic", "--keystore", TOKEN, "--ocsp=false"]).ok();
    let said = office.with_pin(Some("00000000"), &["crl", "publish", "genfic"]);
    assert!(said.all().contains("the PIN does not open the token"), "{}", said.all());
    assert!(!said.all().contains("00000000"));
    assert_eq!(said.status, 8);
    office.ca(&["crl", "publish", "genfic"]).ok();
}

#[test]
fn a_ca_moves_from_a_file_into_a_token_by_a_new_key() {
    // G17, X11
    let office = Office::with(Tokens::softhsm());
    let home = &office.home;
    office.ca(&["create-root", "genfic"]).ok();
    office.ca(&["create-child", "genfic-system", "-p", "genfic", "--profile", "system-ca"]).ok();
    office.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    let moved = office.result(&["renew-ca", "genfic-system", "--rekey", "--keystore", TOKEN, "--yes"]);
    assert_eq!(moved["key"], "token=Office;object=genfic-system-g2");
    // the next one is where this one is
    let next = office.result(&["renew-ca", "genfic-system", "--rekey", "--yes"]);
    assert_eq!(next["key"], "token=Office;object=genfic-system-g3");
    let back = office.result(&["renew-ca", "genfic-system", "--rekey", "--keystore", "file", "--yes"]);
    assert_eq!(back["key"], "genfic-system-g4.age");
    office.ca(&["renew-ca", "genfic-system", "--rekey", "--keystore", TOKEN, "--yes"]).ok();
    office.ca(&["create-request", "new.example", "--sign", "-p", "genfic-system"]).ok();
    let chain = ["openssl", "verify", "-CAfile", "home/public/genfic.pem", "-untrusted"];
    home.run(&[&chain[..], &["home/public/genfic-system-g5.pem", "new.example.crt"]].concat()).ok();
    home.run(&[&chain[..], &["home/public/genfic-system.pem", "w.example.crt"]].concat()).ok();
}

#[test]
fn a_key_that_is_not_that_of_the_certificate_signs_nothing() {
    // G17
    let office = Office::with(Tokens::softhsm());
    office.ca(&["create-root", "genfic", "--keystore", TOKEN, "--ocsp=false"]).ok();
    let login = ["--token-label", "Office", "--login", "--pin", crate::support::PASSPHRASE];
    for kind in ["privkey", "pubkey"] {
        office.tokens.tool(&[&login[..], &["--delete-object", "--type", kind, "--label", "genfic"]].concat());
    }
    assert_eq!(office.failure(&["crl", "publish", "genfic"]), (8, "key.not-found".into()));
    let pair = ["--keypairgen", "--key-type", "EC:secp384r1", "--label", "genfic", "--id", "01"];
    office.tokens.tool(&[&login[..], &pair].concat());
    assert_eq!(office.failure(&["crl", "publish", "genfic"]), (13, "key.mismatch".into()));
}

#[test]
fn a_token_is_not_used_by_a_module_that_is_not_configured_nor_with_a_pin_on_the_command_line() {
    // P2, K2
    let office = Office::with(Tokens::softhsm());
    let new = |uri: &str| office.failure(&["create-root", "genfic", "--keystore", uri]);
    assert_eq!(new("pkcs11:token=Office?module-path=/tmp/evil.so"), (8, "key.module-unknown".into()));
    assert_eq!(new("pkcs11:token=Office?pin-value=1234"), (2, "usage.token".into()));
    assert_eq!(new("pkcs11:token=Elsewhere"), (8, "key.token-missing".into()));
    assert_eq!(new("hsm"), (2, "usage.token".into()));
    // the journal has it before a key is there
    let files = office.key_files();
    assert!(files.iter().all(|name| ["journal", "record.db"].contains(&&**name)), "{files:?}");
    let pin = office.home.path("pin");
    fs::write(&pin, crate::support::PASSPHRASE).unwrap();
    fs::set_permissions(&pin, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let uri = format!("pkcs11:token=Office?pin-source={}", pin.display());
    office.with_pin(Some("wrong"), &["create-root", "genfic", "--keystore", &uri, "--ocsp=false"]).ok();
    let kept = office.result(&["show", "genfic"]);
    assert!(!kept.to_string().contains("pin"), "{kept}");
}

#[test]
fn a_ca_below_an_external_one_has_its_key_in_a_token() {
    // G17, G6
    let above = Home::with_hierarchy("http://pki.genfic.example");
    let office = Office::with(Tokens::softhsm());
    let asked = ["create-child", "below", "--csr-only", "--profile", "system-ca", "--keystore", TOKEN];
    office.ca(&[&asked[..], &["--subject", "C=BE,O=Example,CN=below"]].concat()).ok();
    let request = office.home.path("below.req");
    let signed =
        ["sign", request.to_str().unwrap(), "-p", "genfic", "--profile", "system-ca", "-o", "below.crt"];
    above.ca(&signed).ok();
    let both = [above.path("below.crt"), above.path("home/public/genfic.pem")];
    fs::write(office.home.path("answer.pem"), both.map(|file| fs::read(file).unwrap()).concat()).unwrap();
    office.ca(&["adopt", "below", "answer.pem"]).ok();
    let shown = office.ca(&["authorities", "--json"]).ok().out;
    assert!(shown.contains("below"), "{shown}");
    office.ca(&["create-request", "w.example", "--sign", "-p", "below"]).ok();
    office.ca(&["revoke", "w.example", "--reason", "superseded", "--yes"]).ok();
}

#[test]
fn a_holders_key_stays_in_its_card_and_asks_for_certificates() {
    // G17, G20
    let office = Office::with(Tokens::softhsm());
    let home = &office.home;
    office.ca(&["create-root", "genfic"]).ok();
    office.ca(&["create-child", "genfic-user", "-p", "genfic", "--profile", "user-ca"]).ok();
    let card = ["--key", "pkcs11:token=Office;object=amber", "--subject", "CN=Amber Smith"];
    let mail = ["--san", "email:amber@genfic.example"];
    let made = office.result(&[&["create-request", "amber"], &card[..], &mail].concat());
    assert_eq!(made["key"], "pkcs11:token=Office;object=amber");
    home.run(&["openssl", "req", "-verify", "-noout", "-in", "amber.req"]).ok();
    office.ca(&["sign", "amber.req", "-p", "genfic-user", "-o", "amber.crt"]).ok();
    // the key that is there is used again
    let again = ["create-request", "again", "--sign", "-p", "genfic-user"];
    office.ca(&[&again[..], &card, &mail].concat()).ok();
    let key = |file: &str| home.run(&["openssl", "x509", "-in", file, "-noout", "-pubkey"]).ok().out;
    assert_eq!(key("amber.crt"), key("again.crt"));
    office.ca(&["renew", "again.crt", "--yes", "-o", "renewed.crt"]).ok();
    assert_eq!(key("renewed.crt"), key("amber.crt"));
    for name in ["amber.key", "again.key"] {
        assert!(!home.path(name).exists(), "{name}");
    }
    let encrypted = [&["create-request", "third", "--encrypt"], &card[..]].concat();
    assert_eq!(office.failure(&encrypted).0, 2);
    let file = home.path("home/genfic-ca.toml");
    let elsewhere = home.path("none");
    let mut without = home.command(&[&["create-request", "fourth"], &card[..]].concat());
    without.envs(office.tokens.environment()).env("GENFIC_CA_HOME", &elsewhere);
    Said::of(without.arg("--config").arg(file).output().unwrap()).ok();
    assert!(!elsewhere.exists());
}
