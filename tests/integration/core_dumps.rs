//! No key is left behind in a core dump, and none is looked at by another process.
use crate::support::{CA, Home, OCSPD, PASSPHRASE, SIGNER};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Soft and hard limit of core dumps, as /proc shows them.
fn core_limit(id: u32) -> Vec<String> {
    let limits = fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    line.split_whitespace().take(2).map(str::to_owned).collect()
}

/// The signer that a command has started, as soon as it runs.
fn signer_of(id: u32) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let threads = fs::read_dir(format!("/proc/{id}/task")).unwrap();
        let children: String = threads
            .filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("children")).ok())
            .collect();
        let is_signer = |child: &u32| {
            let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
            name.trim() == "genfic-signer"
        };
        let found = children.split_whitespace().filter_map(|child| child.parse().ok()).find(is_signer);
        if let Some(child) = found {
            return child;
        }
        assert!(Instant::now() < deadline, "no signer of {id}: {children}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_program_that_opens_ca_keys_leaves_no_core_dump() {
    // K2: it is looked at while it waits for a passphrase
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh", CA])
        .args(["--passphrase-from", "fd:0", "crl", "publish", "genfic"])
        .env("GENFIC_CA_HOME", home.path("home"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let signer = signer_of(child.id());
    let limits = [child.id(), signer].map(|id| {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut limit = core_limit(id);
        while limit != ["0", "0"] && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
            limit = core_limit(id);
        }
        limit
    });
    let is_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_running, "it waits for the signer, which waits for its passphrase");
    assert_eq!(limits, [["0", "0"], ["0", "0"]]);
}

/// The number of an ordinary user.
const NOBODY: u32 = 65534;

/// The command as an ordinary user: whoever runs the tests, or nobody where that is root.
fn ordinary(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    command
}

/// What another process of the same user can look at of this one: its memory, its variables, its open files.
fn seen(id: u32) -> Vec<&'static str> {
    let is_readable = |of: &&str| {
        let script = format!(
            "test -r /proc/{id}/{of} && head -c 1 /proc/{id}/{of} >/dev/null || ls -l /proc/{id}/{of}/"
        );
        let mut command = ordinary(Path::new("sh"));
        command.args(["-c", &format!("exec 2>/dev/null; {script}")]).stdout(Stdio::null());
        command.status().unwrap().success()
    };
    ["environ", "maps", "fd"].into_iter().filter(is_readable).collect()
}

/// Whether another process of the same user can open the memory; opening is what the kernel asks about.
fn opens_memory(id: u32) -> bool {
    let mut command = ordinary(Path::new("sh"));
    command.args(["-c", &format!("exec 3</proc/{id}/mem")]).stderr(Stdio::null());
    command.status().unwrap().success()
}

#[test]
fn no_other_process_of_the_same_user_reads_the_memory_of_any_program() {
    // K2: not dumpable, which also keeps it from a program in core_pattern: the kernel does not look at that first
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    let programs = home.path("programs");
    fs::create_dir(&programs).unwrap();
    for program in [CA, SIGNER, OCSPD] {
        fs::copy(program, programs.join(Path::new(program).file_name().unwrap())).unwrap();
    }
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(home.directory(), fs::Permissions::from_mode(0o755)).unwrap();
        home.run(&["chown", "-R", &format!("{NOBODY}:{NOBODY}"), "home"]).ok();
    }
    let mut waiting = ordinary(&programs.join("genfic-ca"));
    waiting.args(["--passphrase-from", "fd:0", "crl", "publish", "genfic"]);
    let mut serving = ordinary(&programs.join("genfic-ocspd"));
    serving.args(["--listen", "127.0.0.1:0"]);
    let mut sleeping = ordinary(Path::new("sleep"));
    sleeping.arg("60");
    for (mut command, is_ours, has_signer) in
        [(sleeping, false, false), (waiting, true, true), (serving, true, false)]
    {
        let mut child = command
            .env("GENFIC_CA_HOME", home.path("home"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let looked_at = [Some(child.id()), has_signer.then(|| signer_of(child.id()))];
        let found: Vec<(bool, Vec<&str>)> = looked_at
            .into_iter()
            .flatten()
            .map(|id| {
                let deadline = Instant::now() + Duration::from_secs(20);
                // before that it is setpriv, still with the rights of its parent
                let begins = || fs::read_to_string(format!("/proc/{id}/comm")).unwrap().trim() != "setpriv";
                while (!begins() || is_ours == opens_memory(id)) && Instant::now() < deadline {
                    std::thread::sleep(Duration::from_millis(20));
                }
                (opens_memory(id), seen(id))
            })
            .collect();
        let is_running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_running, "{command:?}");
        assert_eq!(found.len(), if has_signer { 2 } else { 1 });
        for (memory, rest) in found {
            assert_eq!(memory, !is_ours, "{command:?}");
            assert_eq!(rest.is_empty(), is_ours, "{command:?}: {rest:?}");
        }
    }
}

#[test]
fn a_program_that_cannot_be_looked_into_reads_its_passphrase_from_a_descriptor_all_the_same() {
    // K2: /dev/fd leads through /proc
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    fs::write(home.path("secret"), PASSPHRASE).unwrap();
    let lines = "genfic-ca --passphrase-from fd:3 crl publish genfic 3<secret
        genfic-ca --passphrase-from fd:4 crl publish genfic 4<<END
$GENFIC_TEST_PASSPHRASE
END";
    home.shell(lines).ok();
}
