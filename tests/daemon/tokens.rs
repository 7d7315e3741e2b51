//! A responder whose key is in a token: the daemon signs with it, and goes on when the token is back.
use crate::support::tokens::Tokens;
use crate::support::{Daemon, Home, PASSPHRASE, Said};
use std::fs;
use std::os::unix::fs::PermissionsExt;

struct Office {
    home: Home,
    tokens: Tokens,
}

impl Office {
    fn new() -> Self {
        let (home, tokens) = (Home::with_hierarchy("http://pki.genfic.example"), Tokens::softhsm());
        tokens.configure(&home);
        let pin = tokens.path("pin");
        fs::write(&pin, PASSPHRASE).unwrap();
        fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).unwrap();
        let config = home.path("home/genfic-ca.toml");
        let text = fs::read_to_string(&config).unwrap();
        let named = format!("[daemon]\npin_from = \"file:{}\"\n", pin.display());
        fs::write(&config, text.replacen("[daemon]\n", &named, 1)).unwrap();
        Self { home, tokens }
    }

    #[track_caller]
    fn ca(&self, words: &[&str]) -> Said {
        Said::of(self.home.command(words).envs(self.tokens.environment()).output().unwrap())
    }

    fn key_file(&self) -> String {
        fs::read_to_string(self.home.path("home/ocsp/genfic-system/responder.key")).unwrap()
    }

    fn daemon(&self) -> Daemon {
        Daemon::start_with(&self.home.path("home"), "127.0.0.1:0", &self.tokens.environment())
    }

    fn status(&self, daemon: &Daemon) -> Said {
        self.home.ca(&["ocsp", "query", "w.example", "--url", &daemon.url])
    }
}

/// Returns the processes that the daemon has started.
fn children(daemon: &Daemon) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", daemon.id())).unwrap();
    let of_task = |task: std::io::Result<fs::DirEntry>| {
        fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default()
    };
    tasks.map(of_task).collect::<String>().split_whitespace().map(str::to_owned).collect()
}

/// Returns whether a process has the module in its memory.
fn has_module(process: &str) -> bool {
    fs::read_to_string(format!("/proc/{process}/maps")).unwrap().contains("softhsm")
}

#[test]
fn a_module_is_in_no_memory_of_the_daemon_and_its_process_is_started_again_when_it_has_ended() {
    // G17, K2
    let office = Office::new();
    office.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    office.ca(&["ocsp", "responder", "genfic-system", "--keystore", TOKEN]).ok();
    let daemon = office.daemon();
    assert_eq!(children(&daemon), [""; 0], "it is started when it is first needed");
    office.status(&daemon).ok();
    let started = children(&daemon);
    let [module] = started.as_slice() else { panic!("one process for one module: {started:?}") };
    assert!(has_module(module) && !has_module(&daemon.id().to_string()));
    let told = fs::read_to_string(format!("/proc/{module}/status")).unwrap();
    for line in ["Seccomp:\t2", "NoNewPrivs:\t1"] {
        assert!(told.lines().any(|found| found == line), "{told}");
    }
    assert!(std::process::Command::new("kill").args(["-KILL", module]).status().unwrap().success());
    office.status(&daemon).ok();
    assert_ne!(children(&daemon), [module.as_str()], "another one");
}

const TOKEN: &str = "pkcs11:token=Office";

#[test]
fn a_responders_key_stays_in_its_token_and_answers() {
    // G17, O7
    let office = Office::new();
    office.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    office.ca(&["ocsp", "responder", "genfic-system", "--keystore", TOKEN]).ok();
    let uri = "pkcs11:token=Office;object=genfic-system%20OCSP%20responder\n";
    assert_eq!(office.key_file(), uri);
    let daemon = office.daemon();
    office.status(&daemon).ok();
    let asked = ["openssl", "ocsp", "-issuer", "home/public/genfic-system.pem", "-cert", "w.example.crt"];
    let by = [
        "-url",
        &daemon.url,
        "-CAfile",
        "home/public/genfic.pem",
        "-verify_other",
        "home/public/genfic-system.pem",
    ];
    let said = office.home.run(&[&asked[..], &by].concat()).ok();
    assert!(said.all().contains("w.example.crt: good"), "{}", said.all());

    // the next certificate is for the same key, for which nobody needs the PIN
    let before = fs::read(office.home.path("home/ocsp/genfic-system/responder.pem")).unwrap();
    office.tokens.take_away(true);
    office.ca(&["ocsp", "responder", "genfic-system"]).ok();
    office.tokens.take_away(false);
    assert_ne!(fs::read(office.home.path("home/ocsp/genfic-system/responder.pem")).unwrap(), before);
    assert_eq!(office.key_file(), uri);
    let daemon = office.daemon();
    office.status(&daemon).ok();
    let doctor = office.ca(&["doctor"]);
    assert!(!doctor.all().contains("responder.key"), "{}", doctor.all());

    office.ca(&["ocsp", "responder", "genfic-system", "--keystore", "file"]).ok();
    assert!(office.key_file().contains("PRIVATE KEY"));
    office.status(&office.daemon()).ok();
}

#[test]
fn a_daemon_whose_token_is_away_answers_with_an_error_until_it_is_back() {
    // G17
    let office = Office::new();
    office.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    office.ca(&["ocsp", "responder", "genfic-system", "--keystore", TOKEN]).ok();
    office.tokens.take_away(true);
    let daemon = office.daemon();
    assert_ne!(office.status(&daemon).status, 0);
    office.tokens.take_away(false);
    office.status(&daemon).ok();
}
