//! Files that `genfic-key` is given: whose they are, and who else can change them.
use crate::{command, genfic_key, names, refused, root, split};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_key_file_of_others_or_in_their_reach_is_refused_before_a_passphrase_is_asked_for() {
    // P2, K1
    let home = split();
    let check = || {
        let shares = [1, 2, 3].map(|at| format!("--share s/genfic-share-{at}-of-5.txt"));
        genfic_key(&home, &format!("combine s/genfic.age --check {}", shares.join(" ")))
    };
    check().ok();
    let mode = |path: &str, mode: u32| {
        fs::set_permissions(home.path(path), Permissions::from_mode(mode)).unwrap();
    };
    for (path, loose, tight) in [
        ("s/genfic.age", 0o666, 0o600),
        ("s/genfic.shares.toml", 0o666, 0o600),
        ("s/genfic-share-2-of-5.txt", 0o640, 0o600),
        ("s", 0o777, 0o700),
    ] {
        mode(path, loose);
        let said = check();
        refused(&said, 10, "key.unsafe");
        assert!(said.err.contains("run: chmod "), "{path}: {}", said.err);
        mode(path, tight);
    }
    if rustix::process::geteuid().is_root() {
        for path in ["s/genfic.age", "s/genfic.shares.toml", "s/genfic-share-2-of-5.txt", "s"] {
            chown(home.path(path), Some(65534), None).unwrap();
            refused(&check(), 10, "key.unsafe");
            chown(home.path(path), Some(0), None).unwrap();
        }
    }
    // a second name would keep what is replaced; who only reads does not mind
    fs::hard_link(home.path("s/genfic.age"), home.path("kept")).unwrap();
    check().ok();
    let shares = "--share s/genfic-share-1-of-5.txt --share s/genfic-share-2-of-5.txt --share s/genfic-share-3-of-5.txt";
    let words = format!("combine s/genfic.age {shares} --in-place --new-passphrase-from env:OTHER --work 10");
    refused(&genfic_key(&home, &words), 10, "key.unsafe");
    refused(
        &genfic_key(&home, "rewrap s/genfic.age --new-passphrase-from env:OTHER --work 10"),
        10,
        "key.unsafe",
    );
    fs::remove_file(home.path("kept")).unwrap();
    genfic_key(&home, &words).ok();
}

#[test]
fn no_share_is_written_where_others_can_replace_it() {
    // P2
    let home = root();
    fs::create_dir(home.path("s")).unwrap();
    fs::set_permissions(home.path("s"), Permissions::from_mode(0o777)).unwrap();
    let words = "split genfic --shares 3 --threshold 2 --to s";
    refused(&genfic_key(&home, words), 10, "key.unsafe");
    assert_eq!(names(&home, "s"), Vec::<String>::new());
    fs::set_permissions(home.path("s"), Permissions::from_mode(0o755)).unwrap();
    genfic_key(&home, words).ok();
}

#[test]
fn its_memory_stays_out_of_the_swap_where_the_limit_allows_that() {
    // K2: it is looked at while it waits for a share
    let home = split();
    let mut waiting = command(&home, "combine s/genfic.age --check --share -");
    let mut child = waiting.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let value = |name: &str| {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        line.split(' ').next().unwrap().to_owned()
    };
    // CAP_IPC_LOCK
    let may_lock = u64::from_str_radix(&value("CapEff:"), 16).unwrap() >> 14 & 1 == 1;
    let end = Instant::now() + Duration::from_secs(20);
    while may_lock && value("VmLck:") == "0" {
        assert!(Instant::now() < end, "nothing of it is locked");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(child.stdin.take());
    assert!(!child.wait().unwrap().success());
}
