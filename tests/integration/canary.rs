//! A passphrase that is looked for everywhere while a command uses it, and afterwards.
use crate::support::tokens::Tokens;
use crate::support::{CA, Home, PASSPHRASE, is_root, skipped, there_is};
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CANARY: &str = "kanarie in de kolenmijn 7319";

/// A home whose keys take a second to open, so that it can be looked at what goes on meanwhile.
fn home() -> Home {
    let home = Home::new();
    let configuration = home.path("home/genfic-ca.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start_matches(['#', ' ']).starts_with("scrypt_log_n"))
        .collect();
    fs::write(&configuration, lines.join("\n").replacen("[keys]", "[keys]\nscrypt_log_n = 18", 1)).unwrap();
    let secret = home.path("secret");
    fs::write(&secret, CANARY).unwrap();
    fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let from = format!("file:{}", secret.display());
    home.ca(&["--passphrase-from", &from, "create-root", "genfic", "--key", "ed25519"]).ok();
    fs::remove_file(secret).unwrap();
    home
}

/// Starts `crl publish` with a passphrase from standard input, with core files allowed.
fn publishing(home: &Home) -> Child {
    with_cores(home, &[CA, "--passphrase-from", "fd:0", "crl", "publish", "genfic"])
}

/// Starts a program likewise.
fn with_cores(home: &Home, words: &[&str]) -> Child {
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh"])
        .args(words)
        .env("OTHER", "another passphrase of six words")
        .env("GENFIC_CA_HOME", home.path("home"))
        .current_dir(home.directory())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(CANARY.as_bytes()).unwrap();
    child
}

/// Counts the canary in the memory of a process; nothing when it has ended.
fn in_memory(id: u32) -> usize {
    let maps = fs::read_to_string(format!("/proc/{id}/maps")).unwrap_or_default();
    let Ok(mut memory) = fs::File::open(format!("/proc/{id}/mem")) else { return 0 };
    let ranges = maps.lines().filter_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        // what scrypt computes with is large, and is no text
        let (from, to) = (number(from)?, number(to)?);
        (rest.starts_with("rw") && to - from < 64 << 20).then_some((from, to))
    });
    let mut count = 0;
    for (from, to) in ranges {
        let mut part = vec![0; usize::try_from(to - from).unwrap()];
        if memory.seek(SeekFrom::Start(from)).is_ok() && memory.read_exact(&mut part).is_ok() {
            count += part.windows(CANARY.len()).filter(|window| *window == CANARY.as_bytes()).count();
        }
    }
    count
}

fn signer_below(id: u32) -> Option<u32> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).ok()?.flatten();
    let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children: String = children.collect();
    let is_signer = |child: &u32| {
        fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|name| name.trim() == "genfic-signer")
    };
    children.split_whitespace().filter_map(|child| child.parse().ok()).find(is_signer)
}

/// Waits until the signer of the command has the canary, and returns its number.
fn signer_with_canary(id: u32) -> u32 {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(signer) = signer_below(id).filter(|signer| in_memory(*signer) > 0) {
            return signer;
        }
        assert!(Instant::now() < end, "the signer has no passphrase");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn has_canary(octets: &[u8]) -> bool {
    octets.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

/// The files below a directory that have the canary.
fn files_with_canary(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_with_canary(&path));
        } else if entry.file_type().unwrap().is_file() && has_canary(&fs::read(&path).unwrap()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_passphrase_is_in_the_memory_of_the_signer_alone_and_nowhere_when_it_has_ended() {
    // K1, K2
    if !is_root() {
        return skipped("looking into the memory of other processes needs root");
    }
    let home = home();
    let child = publishing(&home);
    let signer = signer_with_canary(child.id());
    assert_eq!(in_memory(child.id()), 0, "genfic-ca has the passphrase");
    for id in [child.id(), signer] {
        for place in ["environ", "cmdline"] {
            assert!(!has_canary(&fs::read(format!("/proc/{id}/{place}")).unwrap()), "{place} of {id}");
        }
    }
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(!has_canary(&said.stdout) && !has_canary(&said.stderr));
    assert_eq!(files_with_canary(home.directory()), [] as [String; 0]);
    // nor do errors repeat what was given
    for words in [
        &["crl", "publish", "genfic"][..],
        &["crl", "publish", "genfic", "--json"],
        &["key", "passphrase", "genfic"],
    ] {
        let mut command = home.command(words);
        command.env("CANARY", format!("{CANARY} and wrong")).args(["--passphrase-from", "env:CANARY"]);
        let said = command.output().unwrap();
        assert!(!said.status.success());
        assert!(!has_canary(&said.stdout) && !has_canary(&said.stderr), "{words:?}");
    }
    assert_eq!(files_with_canary(home.directory()), [] as [String; 0]);
}

/// Runs a command with the canary in its standard input, below a tracer, with core files allowed. Returns what was given
/// to programs and said over sockets by it and all that it started, and what it printed.
fn traced(home: &Home, program: &str, words: &[&str], variables: &[(&str, String)]) -> (String, Vec<u8>) {
    let trace = home.path("trace");
    let mut child = Command::new("sh")
        .args([
            "-c",
            "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$@\"",
            "sh",
            "strace",
            "-f",
            "-v",
            "-s",
            "65536",
        ])
        .args(["-e", "trace=execve,sendto,sendmsg", "-o"])
        .args([trace.to_str().unwrap(), program])
        .args(words)
        .env("GENFIC_CA_HOME", home.path("home"))
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(home.directory())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(CANARY.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let told = fs::read_to_string(&trace).unwrap();
    fs::remove_file(trace).unwrap();
    (told, [said.stdout, said.stderr].concat())
}

fn is_nowhere(home: &Home, (told, said): &(String, Vec<u8>)) {
    assert!(told.contains("execve("), "{told}");
    assert!(!told.contains(CANARY), "given to a program, or said over a socket: {told}");
    assert!(!has_canary(said), "{}", String::from_utf8_lossy(said));
    assert_eq!(files_with_canary(home.directory()), [] as [String; 0]);
}

#[test]
fn a_passphrase_of_genfic_key_is_in_no_argument_environment_message_error_or_file() {
    // K1, K2
    if !there_is("strace") {
        return;
    }
    let home = home();
    let genfic_key = env!("CARGO_BIN_EXE_genfic-key");
    let given = ["--passphrase-from", "fd:0"];
    // the old one, and then the new one
    let other = ("OTHER", "another passphrase of six words".to_owned());
    let to_other =
        [&given[..], &["rewrap", "genfic", "--new-passphrase-from", "env:OTHER", "--work", "10"]].concat();
    is_nowhere(&home, &traced(&home, genfic_key, &to_other, std::slice::from_ref(&other)));
    let back = [
        "--passphrase-from",
        "env:OTHER",
        "rewrap",
        "genfic",
        "--new-passphrase-from",
        "fd:0",
        "--work",
        "10",
    ];
    is_nowhere(&home, &traced(&home, genfic_key, &back, &[other]));
    let split =
        [&given[..], &["split", "genfic", "--shares", "3", "--threshold", "2", "--to", "shares"]].concat();
    is_nowhere(&home, &traced(&home, genfic_key, &split, &[]));
    // nor do errors repeat what was given
    for words in
        ["rewrap genfic --new-passphrase-from env:OTHER", "split genfic --shares 3 --threshold 2 --to s"]
    {
        let mut command = Command::new(genfic_key);
        command
            .args(["--passphrase-from", "env:CANARY"])
            .args(words.split(' '))
            .current_dir(home.directory());
        command.env("GENFIC_CA_HOME", home.path("home")).env("CANARY", format!("{CANARY} and wrong"));
        let said = command.output().unwrap();
        assert!(!said.status.success(), "{words}");
        assert!(!has_canary(&said.stdout) && !has_canary(&said.stderr), "{words}");
    }
    assert_eq!(files_with_canary(home.directory()), [] as [String; 0]);
}

#[test]
fn a_pin_is_in_no_argument_environment_message_error_or_file() {
    // G17, K2
    if !there_is("strace") {
        return;
    }
    let (home, tokens) = (Home::new(), Tokens::softhsm());
    tokens.configure(&home);
    let change = ["--login", "--pin", PASSPHRASE, "--change-pin", "--new-pin", CANARY];
    tokens.tool(&[&["--token-label", "Office"][..], &change].concat());
    let variables = tokens.environment().map(|(name, value)| (name, value));
    let given = ["--passphrase-from", "fd:0"];
    let root = [&given[..], &["create-root", "genfic", "--keystore", "pkcs11:token=Office", "--ocsp=false"]]
        .concat();
    is_nowhere(&home, &traced(&home, CA, &root, &variables));
    let list = [&given[..], &["crl", "publish", "genfic"]].concat();
    is_nowhere(&home, &traced(&home, CA, &list, &variables));
    let holder = ["create-request", "a", "--key", "pkcs11:token=Office;object=a", "--subject", "CN=a"];
    is_nowhere(&home, &traced(&home, CA, &[&given[..], &holder].concat(), &variables));
    let mut command = home.command(&["--passphrase-from", "env:CANARY", "crl", "publish", "genfic"]);
    command.envs(tokens.environment()).env("CANARY", format!("{CANARY} and wrong"));
    let said = command.output().unwrap();
    assert!(!said.status.success() && !has_canary(&said.stdout) && !has_canary(&said.stderr));
    assert_eq!(files_with_canary(home.directory()), [] as [String; 0]);
}

fn core_files(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.starts_with("core")).collect()
}

#[test]
fn no_program_leaves_a_core_file_when_it_is_aborted_with_the_passphrase_in_memory() {
    // K2
    if !is_root() {
        return skipped("looking into the memory of other processes needs root");
    }
    let home = home();
    let kill = |id: u32| {
        assert!(Command::new("kill").args(["-ABRT", &id.to_string()]).status().unwrap().success());
    };
    // what another program leaves here
    let other = Command::new("sh")
        .args(["-c", "ulimit -S -c \"$(ulimit -H -c)\"; kill -ABRT $$"])
        .current_dir(home.directory())
        .status()
        .unwrap();
    assert_eq!(other.signal(), Some(6));
    if core_files(home.directory()).is_empty() {
        return skipped("the system writes no core files into the working directory (kernel.core_pattern)");
    }
    for file in core_files(home.directory()) {
        fs::remove_file(home.path(&file)).unwrap();
    }
    for aborts_signer in [true, false] {
        let mut child = publishing(&home);
        let signer = signer_with_canary(child.id());
        kill(if aborts_signer { signer } else { child.id() });
        let ended = child.wait().unwrap();
        assert!(!ended.success());
        assert_eq!(core_files(home.directory()), [] as [String; 0], "aborts the signer: {aborts_signer}");
        assert_eq!(core_files(&home.path("home")), [] as [String; 0]);
    }
    let given = ["--passphrase-from", "fd:0", "rewrap", "genfic", "--new-passphrase-from", "env:OTHER"];
    let mut child = with_cores(&home, &[&[env!("CARGO_BIN_EXE_genfic-key")], &given[..]].concat());
    let end = Instant::now() + Duration::from_secs(60);
    while in_memory(child.id()) == 0 {
        assert!(Instant::now() < end, "genfic-key has no passphrase");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(child.id());
    assert!(!child.wait().unwrap().success());
    assert_eq!(core_files(home.directory()), [] as [String; 0], "genfic-key");
    assert_eq!(files_with_canary(home.directory()), [] as [String; 0]);
}
