//! Which program opens which file: `strace` sees that `genfic-ca` opens no CA key and reads no passphrase of one.
use crate::support::Home;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// The calls of these kinds that each program made, by its name.
fn calls(home: &Home, kinds: &str, words: &[&str]) -> Vec<(&'static str, String)> {
    let like = home.command(words);
    let records = tempfile::tempdir().unwrap();
    // who is not root cannot look into the programs, but is root in a name space of its own
    let (program, first): (_, &[&str]) = match rustix::process::geteuid().is_root() {
        true => ("strace", &[]),
        false => ("unshare", &["--map-root-user", "strace"]),
    };
    let mut command = Command::new(program);
    command.args(first).args([
        "-ff",
        "-x",
        "-s",
        "4096",
        "-e",
        &format!("trace={kinds},execve,clone,clone3,fork,vfork"),
        "-o",
    ]);
    command.arg(records.path().join("trace")).arg(like.get_program()).args(like.get_args());
    command.current_dir(like.get_current_dir().unwrap());
    for (name, value) in like.get_envs() {
        command.env(name, value.unwrap());
    }
    let run = command.stdin(std::process::Stdio::null()).output().unwrap();
    assert!(run.status.success(), "{words:?}: {}", String::from_utf8_lossy(&run.stderr));
    let threads: BTreeMap<String, String> = fs::read_dir(records.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.extension().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    // a thread is of the signer when it executed that program, or a thread of the signer made it
    let executes = |text: &str| {
        text.lines().any(|line| line.starts_with("execve(") && line.contains("/genfic-signer\""))
    };
    let mut of_signer: BTreeSet<&str> =
        threads.iter().filter(|(_, text)| executes(text)).map(|(id, _)| id.as_str()).collect();
    assert!(!of_signer.is_empty(), "no signer was started");
    loop {
        let made = of_signer.iter().flat_map(|id| threads[*id].lines()).filter(|line| line.contains("clone"));
        let made: BTreeSet<String> =
            made.filter_map(|line| Some(line.rsplit_once("= ")?.1.trim().to_owned())).collect();
        let more: Vec<&str> = threads
            .keys()
            .map(String::as_str)
            .filter(|id| made.contains(*id) && !of_signer.contains(id))
            .collect();
        if more.is_empty() {
            break;
        }
        of_signer.extend(more);
    }
    let mut calls = Vec::new();
    for (id, text) in &threads {
        let mut is_signer = of_signer.contains(id.as_str()) && !executes(text);
        for line in text.lines() {
            // what a thread does before it executes the signer is done by the program that starts it
            is_signer |= line.starts_with("execve(") && line.contains("/genfic-signer\"");
            calls.push((if is_signer { "genfic-signer" } else { "genfic-ca" }, line.to_owned()));
        }
    }
    calls
}

/// The paths that each program opened, by its name.
fn opened(home: &Home, words: &[&str]) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut paths: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for (program, line) in calls(home, "open,openat", words) {
        if line.starts_with("open") && !line.contains(" = -1 ") {
            let path = line.split('"').nth(1).unwrap().to_owned();
            paths.entry(program).or_default().insert(path);
        }
    }
    paths
}

/// Whether this is a file that the signer needs for the key of this CA below `genfic`, or that every program opens.
fn is_listed(home: &Home, authority: &str, path: &Path) -> bool {
    let (keys, policy) = (home.path("home/keys"), home.path("home/policy"));
    // the directories above are looked at for their owners and modes
    if keys.starts_with(path) || path == policy {
        return true;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    match path.parent() {
        Some(parent) if parent == keys => {
            let own = ["age", "mark", "pem", "envelope.toml"].map(|ending| format!("{authority}.{ending}"));
            let others =
                ["genfic.pem", "genfic-user.pem", "journal", "record.db", "record.db-wal", "record.db-shm"];
            // what it writes has a name of its own at first
            own.contains(&name.to_string()) || others.contains(&&*name) || name.starts_with(".new-")
        }
        Some(parent) if parent == policy => name.ends_with(".toml"),
        Some(parent) if parent.starts_with("/proc") => {
            let process = parent.file_name().unwrap_or_default().to_string_lossy();
            let of_client = ["loginuid", "sessionid", "status", "stat"].contains(&&*name);
            (is_number(&process) && of_client)
                || (process == "self" && ["cgroup", "maps", "mountinfo"].contains(&&*name))
        }
        Some(parent) if parent.starts_with("/sys/fs/cgroup") => name.starts_with("cpu"),
        Some(parent) if ["/lib", "/lib64", "/usr/lib"].iter().any(|one| parent.starts_with(one)) => {
            ["libc.so", "libgcc_s.so", "libm.so", "ld-linux"].iter().any(|library| name.starts_with(library))
        }
        _ => ["/dev/tty", "/dev/urandom", "/etc/ld.so.cache"].iter().any(|one| path == Path::new(one)),
    }
}

#[test]
fn genfic_ca_opens_no_key_and_no_passphrase_and_the_signer_nothing_beyond_its_own() {
    // K1, K2, G1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "c.example"]).ok();
    let passphrase = home.path("passphrase");
    fs::write(&passphrase, crate::support::PASSPHRASE).unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let from = format!("file:{}", passphrase.display());
    let all: [&[&str]; 3] = [
        &["sign", "c.example.req", "-p", "genfic-system", "--passphrase-from", &from],
        &["crl", "publish", "genfic-system", "--passphrase-from", &from],
        &["key", "passphrase", "genfic-system", "--passphrase-from", &from, "--new-passphrase-from", &from],
    ];
    for words in all {
        let opened = opened(&home, words);
        let is_secret =
            |path: &&String| path.ends_with(".age") || path.as_str() == passphrase.to_str().unwrap();
        let by_ca: Vec<&String> = opened["genfic-ca"].iter().filter(is_secret).collect();
        assert_eq!(by_ca, Vec::<&String>::new(), "{words:?}");
        let by_signer: Vec<&String> = opened["genfic-signer"].iter().filter(is_secret).collect();
        assert_eq!(by_signer.len(), 2, "{words:?}: its key and the passphrase: {by_signer:?}");
        let beyond: Vec<&String> = opened["genfic-signer"]
            .iter()
            .filter(|path| {
                !is_listed(&home, "genfic-system", Path::new(path)) && Path::new(path) != passphrase
            })
            .collect();
        assert_eq!(beyond, Vec::<&String>::new(), "{words:?}");
    }
}

#[test]
fn an_import_hands_the_keys_of_another_program_over_and_reads_none() {
    // K1, G1
    let home = Home::new();
    home.shell(
        "mkdir -p ca/private ca/old && touch ca/index.txt
        openssl ecparam -name prime256v1 -genkey -noout -out ca/private/any.pem
        openssl req -x509 -new -key ca/private/any.pem -subj /CN=old -days 900 -out cert.pem
        cat ca/private/any.pem cert.pem >ca/both.pem
        openssl genrsa -out ca/old/another.pem 2048
        openssl pkey -in ca/private/any.pem -outform DER -out ca/old/any.der
        openssl pkey -in ca/old/another.pem -aes256 -passout pass:secret -out ca/old/closed.pem",
    )
    .ok();
    // what a call read is written down with its octets: the second line of each key tells it
    let line = |file: &str| fs::read_to_string(home.path(file)).unwrap().lines().nth(1).unwrap().to_owned();
    let der = fs::read(home.path("ca/old/any.der")).unwrap();
    let hexadecimal: String = der[8..39].iter().map(|octet| format!("\\x{octet:02x}")).collect();
    let files = ["ca/private/any.pem", "ca/old/another.pem", "ca/old/closed.pem"];
    let secrets: Vec<String> = files.map(line).into_iter().chain([hexadecimal]).collect();
    let words = ["import", "openssl", "ca", "--as", "old", "--yes"];
    let calls = calls(&home, "read,pread64,readv,preadv,recvfrom,recvmsg,mmap", &words);
    let seen = |program: &str, text: &str| {
        calls.iter().filter(|(by, line)| *by == program && line.contains(text)).count()
    };
    for secret in &secrets {
        assert_eq!(seen("genfic-ca", secret), 0, "{secret}");
        assert!(seen("genfic-signer", secret) > 0, "{secret}: or the test sees nothing");
    }
    assert_eq!(seen("genfic-ca", "PRIVATE KEY-----"), 0);
    home.ca(&["crl", "publish", "old"]).ok();
}
