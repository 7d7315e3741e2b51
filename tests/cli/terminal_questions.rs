//! Questions and passphrases on a terminal, a pseudo terminal of `script` in this case.
use crate::support::{CA, Home};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const INTERRUPT: &str = "\x03";
const PATIENCE: Duration = Duration::from_secs(60);

/// The program at a terminal.
struct Attended {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<String>>,
    seen: usize,
}

impl Attended {
    fn run(home: &Home, words: &str) -> Self {
        let mut command = Command::new("script");
        let line = format!("{CA} {words}");
        command.args(["-qefc", &line, "/dev/null"]).current_dir(home.directory());
        for (name, value) in home.command::<&str>(&[]).get_envs() {
            command.env(name, value.unwrap());
        }
        let mut child = command
            .env("GENFIC_CA_PASSPHRASE_FROM", "prompt")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut output, written) = (child.stdout.take().unwrap(), screen.clone());
        thread::spawn(move || {
            let mut octets = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut octets) {
                written.lock().unwrap().push_str(&String::from_utf8_lossy(&octets[..length]));
            }
        });
        Self { keyboard: child.stdin.take().unwrap(), child, screen, seen: 0 }
    }

    fn screen(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    /// Waits for a prompt, and types.
    #[track_caller]
    fn answer(&mut self, prompt: &str, typed: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if let Some(place) = screen[self.seen..].find(prompt) {
                self.seen += place + prompt.len();
                break;
            }
            assert!(Instant::now() < deadline, "no `{prompt}` in\n{screen}");
            thread::sleep(Duration::from_millis(20));
        }
        self.keyboard.write_all(typed.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        self
    }

    /// Waits for its end; what was on the screen, and the exit status.
    #[track_caller]
    fn end(&mut self) -> (String, i32) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "does not end:\n{}", self.screen());
            thread::sleep(Duration::from_millis(20));
        };
        thread::sleep(Duration::from_millis(100));
        (self.screen(), status.code().unwrap_or(-1))
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PASSPHRASE: &str = "correct horse battery staple\n";

fn with_www() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    home
}

fn status_of(home: &Home, name: &str) -> String {
    home.result(&["list", "--subject", name])["certificates"][0]["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_person_sees_what_is_revoked_and_is_asked_before_it_is() {
    // G11
    let home = with_www();
    home.ca(&["renew", "www.example"]).ok();
    let one = home.result(&["list", "--subject", "*www.example"])["certificates"][0].clone();
    let serial = one["serial"].as_str().unwrap();
    for (answer, code) in
        [("n\n", "input.declined"), ("\n", "input.declined"), (INTERRUPT, "input.interrupted")]
    {
        let mut at = Attended::run(&home, &format!("revoke genfic-system/{serial} --reason superseded"));
        let (screen, status) = at.answer("for good (superseded)? [y/N] ", answer).end();
        assert_eq!(status, 9, "{screen}");
        for shown in [
            "CN=www.example",
            serial,
            "genfic-system",
            one["not_after"].as_str().unwrap(),
            "others for the same key, which stay valid",
            "nothing was done",
            code,
        ] {
            assert!(screen.contains(shown), "{shown}: {screen}");
        }
        assert!(!screen.contains("Passphrase"), "{screen}");
        assert_eq!(
            home.result(&["list", "--status", "revoked"])["certificates"].as_array().unwrap().len(),
            0
        );
    }
    let mut at = Attended::run(&home, &format!("revoke genfic-system/{serial} --reason superseded"));
    let (screen, status) = at.answer("[y/N] ", "y\n").answer("Passphrase for", PASSPHRASE).end();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("revoked") && screen.contains("number 2"), "{screen}");
    assert!(!screen.contains("battery"), "what is typed is not shown: {screen}");
    let mut at = Attended::run(&home, "revoke www.example --yes --no-crl");
    let (screen, status) = at.end();
    assert!(status == 0 && !screen.contains("[y/N]"), "{screen}");
}

#[test]
fn whoever_gives_no_passphrase_is_told_what_stands() {
    // G11
    let home = with_www();
    for host in ["a.example", "b.example"] {
        home.ca(&["create-request", host, "--sign", "-p", "genfic-system"]).ok();
    }
    for (host, typed) in [("www.example", INTERRUPT), ("a.example", "wrong\n"), ("b.example", "\n")] {
        let mut at = Attended::run(&home, &format!("revoke {host}"));
        let (screen, status) = at.answer("[y/N] ", "y\n").answer("Passphrase for", typed).end();
        assert_eq!(status, 8, "{screen}");
        assert!(screen.contains("it is recorded and answered by OCSP, but the CRL is owed"), "{screen}");
        assert!(screen.contains("then: genfic-ca crl publish genfic-system"), "{screen}");
        assert!(!screen.contains("again"), "what is revoked is not revoked once more: {screen}");
        assert!(screen.contains("genfic-ca crl publish genfic-system"), "{screen}");
        assert_eq!(status_of(&home, &format!("*{host}")), "revoked");
    }
    home.ca(&["crl", "publish", "genfic-system"]).ok();
}

#[test]
fn a_new_passphrase_is_asked_for_twice_and_is_not_shown() {
    // G1, K2
    let home = Home::new();
    let mut at = Attended::run(&home, "create-root genfic");
    at.answer("New passphrase for the key of genfic: ", PASSPHRASE);
    let (screen, status) = at.answer("The same again: ", PASSPHRASE).end();
    assert_eq!(status, 0, "{screen}");
    assert!(!screen.contains("correct") && !screen.contains("battery"), "{screen}");
    assert_eq!(screen.matches("assphrase for").count(), 1, "{screen}");
    assert_eq!(screen.matches("The same again").count(), 1, "{screen}");
    home.ca(&["crl", "publish", "genfic"]).ok();

    let mut at = Attended::run(&home, "create-root other");
    at.answer("New passphrase for the key of other: ", PASSPHRASE);
    let (screen, status) = at.answer("The same again: ", "correct horse battery stable\n").end();
    assert_eq!(status, 8, "{screen}");
    assert!(screen.contains("the two passphrases differ") && !screen.contains("battery"), "{screen}");
    assert_eq!(home.result(&["authorities"])["authorities"].as_array().unwrap().len(), 1);
}

#[test]
fn an_interrupted_command_that_had_not_begun_says_so() {
    let home = with_www();
    home.ca(&["create-request", "new.example"]).ok();
    for words in [
        "sign new.example.req -p genfic-system",
        "create-root other",
        "crl publish genfic-system",
        "create-child other -p genfic",
    ] {
        let before = home.result(&["list"])["certificates"].as_array().unwrap().len();
        let mut at = Attended::run(&home, words);
        let (screen, status) = at.answer("assphrase for", INTERRUPT).end();
        assert_eq!(status, 8, "{words}: {screen}");
        assert!(screen.contains("interrupted") && screen.contains("nothing was done"), "{words}: {screen}");
        assert_eq!(home.result(&["list"])["certificates"].as_array().unwrap().len(), before, "{words}");
    }
    let mut at = Attended::run(&home, "create-request locked.example --encrypt");
    let (screen, status) = at.answer("assphrase for", INTERRUPT).end();
    assert!(status == 8 && screen.contains("nothing was done"), "{screen}");
    assert!(!home.path("locked.example.key").exists() && !home.path("locked.example.req").exists());
}

#[test]
fn a_ca_is_revoked_and_rekeyed_by_a_person_only_after_a_question() {
    let home = with_www();
    for (words, question) in [
        ("revoke-ca genfic-user", "Revoke genfic-user, for good? [y/N] "),
        ("renew-ca genfic-user --rekey", "It cannot be undone [y/N] "),
        ("revoke genfic-user -p genfic", "falls too. Revoke it? [y/N] "),
    ] {
        let mut at = Attended::run(&home, words);
        let (screen, status) = at.answer(question, INTERRUPT).end();
        assert!(status == 9 && screen.contains("nothing was done"), "{words}: {screen}");
    }
    let authorities = home.result(&["authorities"])["authorities"].as_array().unwrap().len();
    assert_eq!(authorities, 3);
    let mut at = Attended::run(&home, "revoke-ca genfic-user --reason ca-compromise");
    let (screen, status) = at.answer("[y/N] ", "yes\n").answer("Passphrase for", INTERRUPT).end();
    assert_eq!(status, 8, "{screen}");
    assert!(screen.contains("recorded") && screen.contains("genfic-ca crl publish genfic"), "{screen}");
}
