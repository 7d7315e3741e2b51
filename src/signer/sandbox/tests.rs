//! A process of its own confines itself and then tries what it must not.
use super::{Confined, Demand, ENOUGH, MemoryLock, Places, SandboxError, confine, memory};
use crate::signing::forbid_core_dumps;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROBE: &str = "GENFIC_TEST_CONFINED";
const NOBODY: &str = "65534";

/// Runs one ignored test of this file in a process of its own, with this directory in its environment.
fn run(mut launcher: Command, name: &str, directory: &Path) -> Output {
    let test = format!("signer::sandbox::tests::{name}");
    launcher.args(["--ignored", "--exact", &test, "--test-threads=1", "--nocapture"]);
    launcher.env(PROBE, directory).current_dir("/").output().unwrap()
}

fn own(name: &str, directory: &Path) -> Output {
    run(Command::new(std::env::current_exe().unwrap()), name, directory)
}

fn passed(output: &Output) {
    let text = [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).join("\n");
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn directory() -> Option<PathBuf> {
    std::env::var_os(PROBE).map(PathBuf::from)
}

/// The number of filters that the kernel has for this thread, where it says so.
fn filters() -> Option<u32> {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:"))?;
    line.trim().parse().ok()
}

#[test]
#[ignore = "run by the test below in a process of its own"]
fn confined() {
    let Some(directory) = directory() else { return };
    forbid_core_dumps().unwrap();
    let keys = directory.join("keys");
    let listener = UnixListener::bind(directory.join("ca.socket")).unwrap();
    let mut client = UnixStream::connect(directory.join("ca.socket")).unwrap();
    let places = Places::default().write(&keys).read(&directory.join("profiles")).read(Path::new("/proc"));
    let before = filters();
    let confined = confine(&places, Demand::Possible).unwrap();
    assert!(confined.calls, "{confined:?}");
    assert_eq!(filters(), before.map(|before| before + 2), "clone3(2), and the list");

    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    for line in ["Seccomp:\t2", "NoNewPrivs:\t1"] {
        assert!(status.lines().any(|found| found == line), "{status}");
    }

    // what it does all day
    let (mut served, _) = listener.accept().unwrap();
    client.write_all(b"x").unwrap();
    served.read_exact(&mut [0]).unwrap();
    fs::write(keys.join("new"), "x").unwrap();
    fs::rename(keys.join("new"), keys.join("a.age")).unwrap();
    assert_eq!(fs::read(keys.join("a.age")).unwrap(), b"x");
    fs::File::open(keys.join("a.age")).unwrap().sync_all().unwrap();
    fs::remove_file(keys.join("a.age")).unwrap();
    assert_eq!(fs::read_dir(directory.join("profiles")).unwrap().count(), 1);
    assert_eq!(std::thread::spawn(|| 7).join().unwrap(), 7);
    fs::read_to_string("/proc/1/loginuid").unwrap();

    // what it never does
    let denied = |what: &str, tried: std::io::Result<()>| {
        let kind = tried.expect_err(what).kind();
        assert_eq!(kind, ErrorKind::PermissionDenied, "{what}");
    };
    denied("execve", Command::new("/bin/true").spawn().map(drop));
    denied("socket of Unix", UnixStream::connect(directory.join("ca.socket")).map(drop));
    denied("socket of TCP", TcpStream::connect("127.0.0.1:9").map(drop));
    denied("socket of UDP", UdpSocket::bind("127.0.0.1:0").map(drop));
    denied("listen", TcpListener::bind("127.0.0.1:0").map(drop));
    denied("socketpair", UnixStream::pair().map(drop));
    denied(
        "kill",
        rustix::process::test_kill_process(rustix::process::getppid().unwrap()).map_err(Into::into),
    );
    denied("prlimit of another", {
        let limit = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        let other = rustix::process::getppid();
        rustix::process::prlimit(other, rustix::process::Resource::Nofile, limit)
            .map(drop)
            .map_err(Into::into)
    });
    denied("pidfd_open", {
        let other = rustix::process::getppid().unwrap();
        let flags = rustix::process::PidfdFlags::empty();
        rustix::process::pidfd_open(other, flags).map(drop).map_err(Into::into)
    });
    denied("dumpable again", {
        let dumpable = rustix::process::DumpableBehavior::Dumpable;
        rustix::process::set_dumpable_behavior(dumpable).map_err(Into::into)
    });
    if confined.files {
        denied("a file of another", fs::read(directory.join("index.db")).map(drop));
        denied("the users", fs::read("/etc/passwd").map(drop));
        denied("a profile written", fs::write(directory.join("profiles/user.toml"), "x"));
        denied("beside the keys", fs::write(directory.join("new"), "x"));
        denied("in a thread", std::thread::spawn(|| fs::read("/etc/passwd").map(drop)).join().unwrap());
    }
}

#[test]
fn a_confined_process_works_and_cannot_do_what_a_thief_would() {
    // K2, K3
    let directory = tempfile::tempdir().unwrap();
    for name in ["keys", "profiles"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    fs::write(directory.path().join("profiles/user.toml"), "").unwrap();
    fs::write(directory.path().join("index.db"), "").unwrap();
    passed(&own("confined", directory.path()));
}

#[test]
#[ignore = "run by the test below with a limit of its own"]
fn opening() {
    let Some(_) = directory() else { return };
    let may_lock = memory::lock().is_ok();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap().trim();
    assert_eq!(locked != "0 kB", may_lock, "{status}");
    let key = || {
        let mut recipient = age::scrypt::Recipient::new("a passphrase".to_owned().into());
        recipient.set_work_factor(18);
        let sealed = age::encrypt(&recipient, b"key").unwrap();
        let mut identity = age::scrypt::Identity::new("a passphrase".to_owned().into());
        identity.set_max_work_factor(18);
        assert_eq!(age::decrypt(&identity, &sealed).unwrap(), b"key");
    };
    std::thread::scope(|scope| {
        // others that are served meanwhile
        for _ in 0..4 {
            scope.spawn(|| std::thread::sleep(std::time::Duration::from_millis(50)));
        }
        scope.spawn(key);
    });
}

#[test]
#[ignore = "run by the test below as another user, with a limit of its own"]
fn refused() {
    let Some(_) = directory() else { return };
    let problem = confine(&Places::default(), Demand::Required).unwrap_err();
    assert!(matches!(problem, SandboxError::MemoryLimit(8_388_608)), "{problem:?}");
    let words = problem.to_string();
    assert_eq!(words, "8 MiB of memory may be locked, and opening a key takes up to 768 MiB");
    let confined = confine(&Places::default().read(Path::new("/")), Demand::Possible).unwrap();
    assert_eq!(confined, Confined { memory: MemoryLock::Swappable, ..confined }, "as a child it goes on");
}

/// Runs a test with a limit, as another user where this is root, who may go beyond limits.
fn limited(name: &str, limit: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = directory.path().join("probe");
    // by another process: a test beside this one that forks would hold the file open for writing
    let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&program).status().unwrap();
    assert!(copied.success());
    let mut launcher = Command::new("prlimit");
    launcher.arg(limit).env("MALLOC_ARENA_MAX", "1");
    if rustix::process::geteuid().is_root() {
        launcher.args([
            "setpriv",
            &format!("--reuid={NOBODY}"),
            &format!("--regid={NOBODY}"),
            "--clear-groups",
        ]);
    }
    launcher.arg(&program);
    run(launcher, name, directory.path())
}

#[test]
fn the_limit_of_the_unit_is_enough_for_the_dearest_passphrase() {
    // K2: what is locked is at most what is mapped, and a limit on that needs no privilege
    passed(&limited("opening", &format!("--as={ENOUGH}:{ENOUGH}")));
}

#[test]
fn a_limit_that_is_too_low_keeps_the_service_from_starting_and_no_child() {
    passed(&limited("refused", "--memlock=8388608:8388608"));
}
