//! Key files and `age`: each opens what the other made, with passphrases, recipients and plugins.
use crate::support::terminal::Terminal;
use crate::support::{Home, PASSPHRASE, Said, has_landlock, run, skipped};
use crate::{OTHER, command, genfic_key, refused, restores, root};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// A plugin that covers the file key with nothing: it encrypts to one recipient and opens with one identity.
const PLUGIN: &str = include_str!("age-plugin-fake.py");

/// Makes an identity, and returns its recipient.
fn keygen(home: &Home, file: &str) -> String {
    run(home.directory(), &["age-keygen", "-o", file]).ok();
    run(home.directory(), &["age-keygen", "-y", file]).ok().out.trim().to_owned()
}

/// Returns the public key of a private key in PEM, and that of the CA's certificate.
fn is_of_the_ca(home: &Home, pem: &str) -> bool {
    let key = run(home.directory(), &["openssl", "pkey", "-in", pem, "-pubout"]).ok();
    let certificate = ["openssl", "x509", "-in", "home/public/genfic.pem", "-noout", "-pubkey"];
    key.out == run(home.directory(), &certificate).ok().out
}

#[test]
fn a_key_encrypted_to_recipients_is_opened_by_age_and_one_that_age_encrypted_by_the_ca() {
    // K1
    let home = root();
    let (first, second) = (keygen(&home, "first.txt"), keygen(&home, "second.txt"));
    let words = format!("rewrap genfic --recipient {first} --recipient {second} --try-identity second.txt");
    let said = genfic_key(&home, &words).ok();
    assert!(said.err.contains("quantum computer"), "{}", said.err);
    for identity in ["first.txt", "second.txt"] {
        let age = ["age", "-d", "-i", identity, "-o", "key.pem", "home/keys/genfic.age"];
        run(home.directory(), &age).ok();
        assert!(is_of_the_ca(&home, "key.pem"));
        home.ca(&["--passphrase-from", &format!("file:{identity}"), "crl", "publish", "genfic"]).ok();
    }
    refused(&home.ca(&["crl", "publish", "genfic"]), 8, "key.identity-wrong");
    let third = keygen(&home, "third.txt");
    run(home.directory(), &["age", "-e", "-r", &third, "-o", "by-age.age", "key.pem"]).ok();
    fs::set_permissions(home.path("by-age.age"), Permissions::from_mode(0o600)).unwrap();
    fs::write(home.path("home/keys/genfic.age"), fs::read(home.path("by-age.age")).unwrap()).unwrap();
    home.ca(&["--passphrase-from", "file:third.txt", "crl", "publish", "genfic"]).ok();
    run(home.directory(), &["age", "-e", "-a", "-r", &third, "-o", "armored.age", "key.pem"]).ok();
    fs::write(home.path("home/keys/genfic.age"), fs::read(home.path("armored.age")).unwrap()).unwrap();
    home.ca(&["--passphrase-from", "file:third.txt", "crl", "publish", "genfic"]).ok();
    refused(
        &genfic_key(&home, "--identity first.txt rewrap genfic --new-passphrase-from env:OTHER"),
        8,
        "key.identity-wrong",
    );
    genfic_key(&home, "--identity third.txt rewrap genfic --new-passphrase-from env:OTHER --work 10").ok();
    restores(&home, "home/keys/genfic.age", OTHER);
}

#[test]
fn passphrases_of_either_program_open_the_files_of_the_other() {
    // K1, K2
    let home = root();
    let mut age = Command::new("age");
    age.args(["-d", "-o", "key.pem", "home/keys/genfic.age"]).current_dir(home.directory());
    let mut terminal = Terminal::spawn(&age, 80, 24);
    terminal.wait_for("passphrase").type_line(PASSPHRASE);
    assert_eq!(terminal.end().1, 0);
    assert!(is_of_the_ca(&home, "key.pem"));
    let mut age = Command::new("age");
    age.args(["-e", "-p", "-o", "by-age.age", "key.pem"]).current_dir(home.directory());
    let mut terminal = Terminal::spawn(&age, 80, 24);
    terminal.wait_for("passphrase").type_line(OTHER);
    terminal.wait_for("onfirm").type_line(OTHER);
    assert_eq!(terminal.end().1, 0);
    fs::set_permissions(home.path("by-age.age"), Permissions::from_mode(0o600)).unwrap();
    restores(&home, "by-age.age", OTHER);
}

#[test]
fn a_ca_whose_configuration_names_recipients_is_made_without_a_passphrase() {
    // K1
    let home = Home::new();
    let recipient = keygen(&home, "identity.txt");
    let file = home.path("home/genfic-ca.toml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{config}\n[authority.genfic]\nrecipients = ['{recipient}']\n")).unwrap();
    home.ca(&["--passphrase-from", "file:identity.txt", "create-root", "genfic", "--key", "p256"]).ok();
    let header = fs::read(home.path("home/keys/genfic.age")).unwrap();
    assert!(header.starts_with(b"age-encryption.org/v1\n-> X25519 "));
    home.ca(&["--passphrase-from", "file:identity.txt", "crl", "publish", "genfic"]).ok();
    run(home.directory(), &["age", "-d", "-i", "identity.txt", "-o", "key.pem", "home/keys/genfic.age"]).ok();
    assert!(is_of_the_ca(&home, "key.pem"));
}

#[test]
fn a_plugin_is_executed_by_this_program_alone() {
    let home = root();
    fs::create_dir(home.path("bin")).unwrap();
    fs::write(home.path("bin/age-plugin-fake"), PLUGIN).unwrap();
    fs::set_permissions(home.path("bin/age-plugin-fake"), Permissions::from_mode(0o755)).unwrap();
    let identity = home.path("fake.txt");
    fs::write(&identity, "# a fake token\nAGE-PLUGIN-FAKE-1W3JHXAQ8FAZUR\n").unwrap();
    fs::set_permissions(&identity, Permissions::from_mode(0o600)).unwrap();
    let path = format!("{}:/usr/bin:/bin", home.path("bin").display());
    let with = |words: &str| Said::of(plugged(&home, words).env("PATH", &path).output().unwrap());
    let to = "rewrap genfic --recipient age1fake1w3jhxaqrc5akr --try-identity fake.txt";
    // without the plugin nothing is changed
    refused(&genfic_key(&home, to), 8, "key.plugin");
    home.ca(&["crl", "publish", "genfic"]).ok();
    // nor with one that would get a passphrase
    let told = Said::of(command(&home, to).env("PATH", &path).output().unwrap());
    refused(&told, 8, "key.plugin");
    assert!(told.err.contains("GENFIC_TEST_PASSPHRASE"), "{}", told.err);
    with(&format!("--passphrase-from file:old.txt {to}")).ok();
    let by_ca = home
        .command(&["--passphrase-from", "file:fake.txt", "crl", "publish", "genfic"])
        .env("PATH", &path)
        .output();
    refused(&Said::of(by_ca.unwrap()), 8, "key.plugin");
    refused(
        &genfic_key(&home, "--identity fake.txt rewrap genfic --new-passphrase-from env:OTHER"),
        8,
        "key.plugin",
    );
    with("--identity fake.txt rewrap genfic --new-passphrase-from file:other.txt --work 10").ok();
    restores(&home, "home/keys/genfic.age", OTHER);
}

/// Returns `genfic-key` as [`command`] does, without a passphrase in its environment: `old.txt` and `other.txt` have them.
fn plugged(home: &Home, words: &str) -> Command {
    for (file, passphrase) in [("old.txt", PASSPHRASE), ("other.txt", OTHER)] {
        fs::write(home.path(file), passphrase).unwrap();
        fs::set_permissions(home.path(file), Permissions::from_mode(0o600)).unwrap();
    }
    let mut command = command(home, words);
    command.env_remove("GENFIC_TEST_PASSPHRASE").env_remove("OTHER");
    command
}

/// What a plugin tries before it does its work, and what it was told.
const TRIES: &str = r#"
import ctypes, os, socket, subprocess
libc = ctypes.CDLL(None, use_errno=True)
octet = ctypes.create_string_buffer(b"x")
iovec = (ctypes.c_size_t * 2)(ctypes.addressof(octet), 1)
def told(what, attempt):
    try:
        answer = "done" if attempt() != -1 else os.strerror(ctypes.get_errno())
    except OSError as error:
        answer = error.strerror
    report.write(f"{what}: {answer}\n")
with open(os.environ["PLUGIN_REPORT"], "w") as report:
    told("another program", lambda: subprocess.run(["/bin/true"]).returncode)
    told("ptrace", lambda: libc.ptrace(0, 0, 0, 0))
    told("process_vm_readv", lambda: libc.process_vm_readv(os.getpid(), iovec, 1, iovec, 1, 0))
    told("unshare", lambda: libc.unshare(0x10000000))
    told("signal", lambda: os.kill(os.getppid(), 0))
    told("TCP", lambda: socket.socket(socket.AF_INET).fileno())
    told("Unix", lambda: socket.socket(socket.AF_UNIX).fileno())
    status = open("/proc/self/status").read()
    told("descriptor", lambda: os.fstat(7).st_size)
    report.write("NoNewPrivs" + status.split("NoNewPrivs")[1].split("\n")[0] + "\n")
"#;

#[test]
fn a_plugin_starts_no_program_looks_into_no_process_and_reaches_no_network() {
    // K2
    let home = root();
    fs::create_dir(home.path("bin")).unwrap();
    let (first, rest) = PLUGIN.split_once('\n').unwrap();
    fs::write(home.path("bin/age-plugin-fake"), format!("{first}\n{TRIES}\n{rest}")).unwrap();
    fs::set_permissions(home.path("bin/age-plugin-fake"), Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", home.path("bin").display());
    let asked = plugged(&home, "--passphrase-from fd:7 rewrap genfic --recipient age1fake1w3jhxaqrc5akr");
    // the shell has the passphrase open as a descriptor that programs get
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$@\" 7<old.txt", "sh"]).arg(asked.get_program()).args(asked.get_args());
    command.env_clear().envs(asked.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(home.directory()).stdin(std::process::Stdio::null());
    let report = home.path("report");
    Said::of(command.env("PATH", &path).env("PLUGIN_REPORT", &report).output().unwrap()).ok();
    let report = fs::read_to_string(report).unwrap();
    let refused = "Operation not permitted";
    let mut expected: Vec<String> =
        ["ptrace", "process_vm_readv", "unshare", "TCP"].map(|what| format!("{what}: {refused}")).into();
    let descriptor = "descriptor: Bad file descriptor".to_owned();
    expected.extend(["Unix: done".to_owned(), "NoNewPrivs:\t1".to_owned(), descriptor]);
    if has_landlock() {
        expected.extend(["another program: Permission denied".to_owned(), format!("signal: {refused}")]);
    } else {
        skipped("the kernel has no Landlock: a plugin may execute what it likes");
    }
    for line in expected {
        assert!(report.lines().any(|found| found == line), "{line:?} in {report}");
    }
}

#[test]
fn a_passphrase_is_changed_with_another_cost_and_the_wrong_one_changes_nothing() {
    // K2
    let home = root();
    let before = fs::read(home.path("home/keys/genfic.age")).unwrap();
    let wrong = command(&home, "rewrap genfic --new-passphrase-from env:OTHER")
        .env("GENFIC_TEST_PASSPHRASE", "wrong")
        .output();
    refused(&Said::of(wrong.unwrap()), 8, "key.passphrase-wrong");
    let weak = command(&home, "rewrap genfic --new-passphrase-from env:WEAK").env("WEAK", "genfic").output();
    refused(&Said::of(weak.unwrap()), 7, "key.passphrase-weak");
    assert_eq!(fs::read(home.path("home/keys/genfic.age")).unwrap(), before);
    let said =
        genfic_key(&home, "rewrap genfic --new-passphrase-from env:OTHER --work 12 --json").ok().json();
    assert_eq!(said["result"]["before"], "passphrase, scrypt 2^10");
    assert_eq!(said["result"]["after"], "passphrase, scrypt 2^12");
    restores(&home, "home/keys/genfic.age", OTHER);
}
