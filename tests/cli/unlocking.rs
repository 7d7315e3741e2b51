//! Keys of the signer that listens: unlocked by an administrator, who is one user, for the CA's user, who is another. A
//! thief who is the CA's user gets no passphrase, and one who looks into the signer later finds none.
use crate::standing_signer::{AMBER, OTHER, OWNER, Running, SERVICE, Service, login, wait_for};
use crate::support::terminal::Terminal;
use crate::support::{PASSPHRASE, is_root, python, skipped};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn an_administrator_unlocks_a_key_for_a_while_and_locks_it_and_nobody_else_does() {
    // K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    assert_eq!(service.unlocked(), [] as [Value; 0]);
    let words = "key unlock genfic --for 10m --scope leaf --scope crl --count 3 --passphrase-from fd:0";
    let said = service.administrator(&format!("{words} --json"), PASSPHRASE).ok().json();
    assert_eq!(said["result"]["scopes"], serde_json::json!({"crl": 3, "leaf": 3}));
    let unlocked = service.unlocked();
    assert_eq!((unlocked.len(), &unlocked[0]["loginuid"]), (1, &serde_json::json!(AMBER)));
    let table = service.administrator("key status", "").ok().out;
    assert!(table.contains("3 crl, 3 leaf"), "{table}");
    service.administrator("key lock genfic", "").ok();
    assert_eq!(service.unlocked(), [] as [Value; 0]);

    let wrong = service.administrator(words, "wrong");
    assert_eq!(wrong.status, 8, "{}", wrong.all());
    let variable = service.administrator("key unlock genfic --passphrase-from env:PATH", "");
    assert_eq!(variable.status, 8);
    assert!(variable.err.contains("never comes to the signer that listens"), "{}", variable.err);
    let nobody = service.administrator("key unlock nobody --passphrase-from fd:0", PASSPHRASE);
    assert_eq!(nobody.status, 8, "{}", nobody.all());

    // the CA's user and somebody else are not let in by this door
    for user in [OWNER, OTHER] {
        let refused = service.key(user, user, words, PASSPHRASE);
        assert_eq!(refused.status, 8, "{}", refused.all());
        assert!(refused.err.contains("Permission denied"), "{}", refused.err);
    }
    assert_eq!(service.unlocked(), [] as [Value; 0]);
    // nor does an unlocked home help, or a signer that ended
    service.administrator(words, PASSPHRASE).ok();
    service.home.shell(&format!("kill -TERM {}", service.process.0.id())).ok();
    wait_for("end", || service.administrator("key status", "").status == 8);
}

#[test]
fn a_ca_is_made_and_issues_with_keys_of_the_service_as_long_as_they_are_unlocked() {
    // G1, K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let (ca, admin) = (|words: &str| service.ca(words), |words: &str| service.admin(words));
    let steps = [
        service.own_home(),
        format!("! {}", ca("create-root example --key ed25519")),
        admin(
            "key unlock example --new --profile root-ca --scope leaf --scope ca --scope crl --passphrase-from fd:0",
        ),
        ca("create-root example --key ed25519"),
        admin("key lock --all"),
        format!("! {}", ca("crl publish example")),
        admin("key unlock example --scope leaf --scope crl --passphrase-from fd:0"),
        ca("crl publish example"),
        ca("authorities"),
    ];
    let said = service.done(&steps);
    assert!(said.err.contains("signer.locked") && said.err.contains("key unlock example"), "{}", said.err);
    let is_there = |name: &str| service.home.path(name).exists();
    assert!(is_there("signer/example.age") && !is_there("own/home/keys/example.age"));
    // another login, and one that is none, cannot use it
    for login in [format!("echo {AMBER} >/proc/self/loginuid"), "true".to_owned()] {
        let said = service.home.shell(&format!("{login}\n{}", ca("crl publish example")));
        assert_eq!(said.status, 8, "{}", said.all());
    }
}

#[test]
fn a_client_without_the_right_is_refused_whatever_it_says() {
    // K2, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let script = r#"
import json, socket, struct, sys
def frame(message):
    head = json.dumps({"message": message}).encode()
    return struct.pack(">II", len(head), 0) + head
def answer(s):
    head, body = struct.unpack(">II", s.recv(8, socket.MSG_WAITALL))
    return json.loads(s.recv(head, socket.MSG_WAITALL))["message"]
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(frame({"ask": "hello", "version": 1, "program": sys.argv[2]}))
assert answer(s)["say"] == "welcome"
terms = {"scopes": {"ca": None}, "lasting": 900}
for ask in ({"ask": "unlock", "key": "genfic", "terms": terms, "handed": "file"},
            {"ask": "prepare", "key": "genfic-user", "terms": terms, "handed": "file", "profile": "user-ca"},
            {"ask": "sealed", "key": {"uri": "age:genfic.age"}},
            {"ask": "open", "key": {"uri": "age:genfic.age"}}):
    s.sendall(frame(ask))
    said = answer(s)
    assert said["say"] == "failed", said
    print(ask["ask"], said["failure"]["what"])
"#;
    let file = service.home.path("lying.py");
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let socket = service.home.path("sockets/ca.socket");
    let line = format!("/usr/bin/python3 {} {} {version}", file.display(), socket.display());
    assert!(!python().is_empty());
    let said = service.home.shell(&login(OWNER, OWNER, &line)).ok();
    assert_eq!(said.out, "unlock signer\nprepare signer\nsealed signer\nopen locked\n");
}

#[test]
fn a_thief_who_is_the_user_of_the_ca_reads_no_passphrase_from_any_terminal() {
    // K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let stolen = service.home.path("stolen");
    let script = format!(
        r#"
import fcntl, glob, os, time
out = open({:?}, "ab", buffering=0)
while True:
    for path in glob.glob("/dev/pts/[0-9]*"):
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            continue
        try:
            out.write(os.read(fd, 4096))
        except OSError:
            pass
        os.close(fd)
"#,
        stolen.display()
    );
    let file = service.home.path("thief.py");
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::File::create(&stolen).unwrap();
    chown(&stolen, Some(OWNER), None).unwrap();
    let mut thief = Running::of(OWNER, &["/usr/bin/python3", file.to_str().unwrap()], |_| ());
    // a terminal that is this user's, as below sudo -u: what is typed there is stolen
    let mut bait = Command::new("sh");
    bait.args(["-c", &format!("chown {OWNER} $(tty) && chmod 600 $(tty) && echo ready && sleep 60")]);
    let mut bait = Terminal::spawn(&bait, 80, 24);
    bait.wait_for("ready");
    let end = Instant::now() + Duration::from_secs(60);
    while !fs::read_to_string(&stolen).unwrap().contains("below sudo") {
        assert!(Instant::now() < end, "no theft");
        bait.type_line("a passphrase typed below sudo");
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(bait);

    for _ in 0..3 {
        let mut at = service.at_terminal(AMBER);
        at.wait_for("read by genfic-signer: ");
        assert!(!at.echoes(), "what is typed does not show");
        at.type_line("not this one").wait_for("Try 2 of 3");
        at.type_line(PASSPHRASE).wait_for("is unlocked");
        let (text, status) = at.end();
        assert_eq!(status, 0, "{text}");
        assert!(!text.contains(PASSPHRASE) && !text.contains("not this one"), "{text}");
    }
    assert!(thief.0.try_wait().unwrap().is_none(), "the thief was there all the time");
    thief.end();
    let stolen = fs::read_to_string(&stolen).unwrap();
    assert!(!stolen.contains("horse") && !stolen.contains("not this one"), "{stolen}");

    // a terminal that somebody else can read is not read from
    let mut at = service.at_terminal(OTHER);
    let (text, status) = at.end();
    assert_eq!(status, 8, "{text}");
}

#[test]
fn the_terminal_is_as_before_when_the_signer_is_killed_while_a_person_types() {
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = Service::new();
    let mut at = service.at_terminal(AMBER);
    at.wait_for("read by genfic-signer: ");
    assert!(!at.echoes());
    service.process.end();
    at.wait_for("signer.unavailable");
    assert!(at.echoes());
}

#[test]
fn a_passphrase_and_a_key_are_nowhere_after_locking() {
    // K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let pem = service.home.ca_key_pem("genfic");
    fs::write(service.home.path("plain.pem"), pem).unwrap();
    service.home.shell("openssl pkey -in plain.pem -outform DER | tail -c 32 >seed").ok();
    let seed = fs::read(service.home.path("seed")).unwrap();
    let words = "key unlock genfic --for 10m --passphrase-from fd:0";
    service.administrator(words, PASSPHRASE).ok();
    assert!(service.in_memory(&seed) > 0, "it is open");
    assert_eq!(service.in_memory(PASSPHRASE.as_bytes()), 0, "the passphrase is not needed any more");
    service.administrator("key lock --all", "").ok();
    assert_eq!(service.in_memory(&seed), 0, "it is locked");
    let id = service.process.0.id();
    let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap();
    let environment = fs::read(format!("/proc/{id}/environ")).unwrap();
    let journal = fs::read(service.home.path("signer/journal")).unwrap();
    let log = fs::read(&service.log).unwrap();
    for place in [arguments, environment, journal, log] {
        let has = |secret: &[u8]| place.windows(secret.len()).any(|window| window == secret);
        assert!(!has(PASSPHRASE.as_bytes()) && !has(&seed));
    }
    let core = fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
    let core = core.lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned();
    assert!(core.split_whitespace().nth(4) == Some("0"), "{core}");
}

/// The secret numbers of a private key in PEM that `openssl` names so, as octets: the highest first, and the lowest first, as
/// libraries have them in words.
fn numbers(service: &Service, pem: &str, names: &[&str]) -> Vec<Vec<u8>> {
    fs::write(service.home.path("plain.pem"), pem).unwrap();
    let text = service.home.run(&["openssl", "pkey", "-in", "plain.pem", "-text", "-noout"]).ok().out;
    let mut found = Vec::new();
    for name in names {
        let lines = text.lines().skip_while(|line| !line.starts_with(name)).skip(1);
        let digits: String = lines.take_while(|line| line.starts_with(' ')).map(str::trim).collect();
        let octets = digits.split(':').map(|two| u8::from_str_radix(two, 16).unwrap());
        let highest_first: Vec<u8> = octets.skip_while(|octet| *octet == 0).collect();
        assert!(highest_first.len() >= 30, "{name}: {text}");
        found.push(highest_first.iter().rev().copied().collect());
        found.push(highest_first);
    }
    fs::remove_file(service.home.path("plain.pem")).unwrap();
    found
}

#[test]
fn no_number_of_a_private_key_is_in_memory_after_locking_whatever_the_library_makes_of_it() {
    // K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    for (algorithm, names) in
        [("p256", &["priv"][..]), ("p384", &["priv"]), ("rsa-3072", &["privateExponent", "prime1", "prime2"])]
    {
        let name = format!("root-{algorithm}");
        service.home.ca(&["create-root", &name, "--key", algorithm]).ok();
        let secrets = numbers(&service, &service.home.ca_key_pem(&name), names);
        let key = format!("signer/{name}.age");
        fs::copy(service.home.path(&format!("home/keys/{name}.age")), service.home.path(&key)).unwrap();
        chown(service.home.path(&key), Some(SERVICE), Some(SERVICE)).unwrap();
        let in_memory = || secrets.iter().map(|one| service.in_memory(one)).sum::<usize>();
        service
            .administrator(&format!("key unlock {name} --for 10m --passphrase-from fd:0"), PASSPHRASE)
            .ok();
        assert!(in_memory() > 0, "{algorithm}: it is open");
        service.administrator("key lock --all", "").ok();
        assert_eq!(in_memory(), 0, "{algorithm}: it is locked");
    }
}

#[test]
fn what_a_person_types_is_not_in_memory_after_locking_whether_it_was_right_or_wrong() {
    // K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let wrong = "typed by mistake and never used";
    let mut at = service.at_terminal(AMBER);
    at.wait_for("read by genfic-signer: ");
    at.type_line(wrong);
    at.wait_for("Try 2 of 3");
    at.type_line(PASSPHRASE);
    at.wait_for("is unlocked");
    service.administrator("key lock --all", "").ok();
    for typed in [wrong, PASSPHRASE] {
        assert_eq!(service.in_memory(typed.as_bytes()), 0, "{typed}");
    }
}
