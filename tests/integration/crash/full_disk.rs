//! A full disk, directories that cannot be written, no descriptors left: said, and nothing is lost.
use super::killed_at_each_step::{Scenario, hierarchy, mend};
use super::mounts::{Disk, are_our_own, read_only, unmounted};
use super::observed::Seen;
use crate::support::{CA, Home, Said};
use std::fs;
use std::process::Command;

const KIB: u64 = 1 << 10;
/// Closes all descriptors but the first three, then becomes the command that follows.
const CLOSING: &str = "for one in /proc/self/fd/*; do one=${one##*/}; \
    if [ $one -gt 2 ] && [ $one -ne 255 ]; then eval \"exec $one>&-\"; fi; done; exec \"$@\"";
/// Words of which one names the cause.
const NO_SPACE: [&str; 3] = ["No space left", "no space left", "is full"];

fn commands() -> Vec<Scenario> {
    let home = hierarchy();
    vec![
        Scenario::new(home.copied(), "sign c.example.req -p genfic-system", &[]),
        Scenario::new(home.copied(), "create-child genfic-other -p genfic", &[4]),
        Scenario::new(home.copied(), "revoke a.example", &[5]),
        Scenario::new(home.copied(), "crl publish --all", &[]),
        Scenario::new(home.copied(), "ocsp responder genfic-system", &[]),
        Scenario::new(home.copied(), "ocsp sync", &[]),
    ]
}

/// Done, or exit status 1 and the cause.
#[track_caller]
fn is_done_or_says_why(said: &Said, causes: &[&str]) {
    let says_why = said.status == 1 && causes.iter().any(|cause| said.err.contains(cause));
    assert!(said.status == 0 || says_why, "{}", said.all());
}

#[test]
fn on_a_disk_that_is_nearly_full_nothing_is_half_done_or_lost() {
    if !are_our_own("crash::full_disk::on_a_disk_that_is_nearly_full_nothing_is_half_done_or_lost") {
        return;
    }
    let memory = tempfile::tempdir().unwrap();
    let disk = Disk::over(memory.path(), 24 << 10);
    for scenario in commands() {
        let mut done = Vec::new();
        for left in [0, 32, 64, 96, 128, 192, 256, 384, 640, 3072] {
            let home = scenario.home.copied_to(disk.path());
            // without what is kept, so that every write may be the one that fails
            let reserve = home.path("home/reserve");
            fs::OpenOptions::new().write(true).truncate(true).open(&reserve).unwrap();
            let mut seen = Seen::default();
            seen.look(home.directory());
            disk.fill(left * KIB);
            let said = home.ca(&scenario.words);
            is_done_or_says_why(&said, &NO_SPACE);
            seen.look(home.directory());
            disk.make_room();
            mend(&scenario, &home, &mut seen);
            done.push(said.status == 0);
        }
        assert!(!done[0], "{:?}: nothing is done on a full disk", scenario.words);
        let issues = ["sign", "create-child", "ocsp responder"].contains(&&*scenario.words[..1].join(" "))
            || scenario.words[1] == "responder";
        assert!(issues || done[done.len() - 1], "{:?}: a few MiB are enough: {done:?}", scenario.words);
    }
}

#[test]
fn a_batch_that_fills_the_disk_keeps_what_was_issued() {
    if !are_our_own("crash::full_disk::a_batch_that_fills_the_disk_keeps_what_was_issued") {
        return;
    }
    let memory = tempfile::tempdir().unwrap();
    let disk = Disk::over(memory.path(), 24 << 10);
    let home = hierarchy().copied_to(disk.path());
    let mut seen = Seen::default();
    seen.look(home.directory());
    disk.fill(2100 * KIB);
    let words: Vec<&str> = [&["sign"][..], &["c.example.req"; 700], &["-p", "genfic-system"]].concat();
    let said = home.ca(&words);
    assert_eq!(said.status, 1, "{}", said.all());
    is_done_or_says_why(&said, &NO_SPACE);
    seen.look(home.directory());
    disk.make_room();
    let scenario = Scenario::new(home.copied(), "status", &[]);
    mend(&scenario, &home, &mut seen);
}

#[test]
fn a_full_directory_of_the_home_is_said_and_made_good() {
    if !are_our_own("crash::full_disk::a_full_directory_of_the_home_is_said_and_made_good") {
        return;
    }
    for scenario in commands() {
        for part in ["keys", "issued/genfic-system", "status", "ocsp/genfic-system", "public"] {
            let home = scenario.home.copied();
            let mut seen = Seen::default();
            seen.look(home.directory());
            let directory = home.path("home").join(part);
            let aside = home.path("aside");
            fs::create_dir(&aside).unwrap();
            let copy = |from: &std::path::Path, to: &std::path::Path| {
                let from = format!("{}/.", from.display());
                home.run(&["cp", "-a", &from, to.to_str().unwrap()]).ok();
            };
            copy(&directory, &aside);
            let disk = Disk::over(&directory, 4 << 10);
            copy(&aside, &directory);
            fs::remove_dir_all(&aside).unwrap();
            disk.fill(0);
            let said = home.ca(&scenario.words);
            is_done_or_says_why(&said, &NO_SPACE);
            disk.make_room();
            mend(&scenario, &home, &mut seen);
            unmounted(&directory);
        }
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_said_and_nothing_is_lost() {
    if !are_our_own("crash::full_disk::a_directory_that_cannot_be_written_is_said_and_nothing_is_lost") {
        return;
    }
    let causes = ["Read-only file system", "readonly database"];
    for scenario in commands() {
        for part in ["", "keys", "issued/genfic-system", "status", "ocsp/genfic-system", "public"] {
            let home = scenario.home.copied();
            let mut seen = Seen::default();
            seen.look(home.directory());
            let directory = home.path("home").join(part);
            read_only(&directory);
            let said = home.ca(&scenario.words);
            is_done_or_says_why(&said, &causes);
            assert!(!part.is_empty() || said.status == 1, "{}", said.all());
            unmounted(&directory);
            mend(&scenario, &home, &mut seen);
        }
    }
}

#[test]
fn without_descriptors_a_command_says_so_and_nothing_is_lost() {
    for scenario in commands() {
        let mut is_done = false;
        // with three, the system cannot even load the program's libraries
        for limit in (4..=14).chain([24]) {
            let home = scenario.home.copied();
            let mut seen = Seen::default();
            seen.look(home.directory());
            let like = home.command(&scenario.words);
            // what this process was started with may be open there as well, and would count
            let mut command = Command::new("bash");
            command.args(["-c", CLOSING, "bash", "prlimit"]);
            command.arg(format!("--nofile={limit}")).arg(CA).args(like.get_args());
            command.current_dir(home.directory());
            for (name, value) in like.get_envs() {
                command.env(name, value.unwrap());
            }
            let said = Said::of(command.output().unwrap());
            is_done_or_says_why(&said, &["Too many open files", "open files"]);
            mend(&scenario, &home, &mut seen);
            is_done = said.status == 0;
        }
        assert!(is_done, "{:?}: a few are enough", scenario.words);
    }
}

/// The number of a CA's published list.
fn number(home: &Home) -> u64 {
    home.result(&["crl", "show", "genfic-system"])["number"].as_u64().unwrap()
}

#[test]
fn on_a_full_disk_nothing_is_issued_and_everything_can_be_revoked() {
    if !are_our_own("crash::full_disk::on_a_full_disk_nothing_is_issued_and_everything_can_be_revoked") {
        return;
    }
    let memory = tempfile::tempdir().unwrap();
    let disk = Disk::over(memory.path(), 24 << 10);
    let home = hierarchy().copied_to(disk.path());
    let reserve = home.path("home/reserve");
    let mut seen = Seen::default();
    seen.look(home.directory());
    let (full, before) = (fs::metadata(&reserve).unwrap().len(), number(&home));
    assert!(full >= 8 << 20);
    disk.fill(0);
    for words in [
        &["sign", "c.example.req", "-p", "genfic-system"][..],
        &["create-child", "genfic-other", "-p", "genfic"],
        &["create-root", "another"],
        &["ocsp", "responder", "genfic-system"],
        &["ocsp", "responder", "genfic-system", "--passphrase-from", "nowhere"],
    ] {
        let said = home.ca(words);
        assert_eq!(said.status, 1, "{}", said.all());
        assert!(said.err.contains("(exit 1, disk.full)"), "{}", said.all());
        assert!(said.err.contains("for revoking"), "{}", said.all());
    }
    assert_eq!(home.ca(&["status", "--json"]).json()["result"]["pending"], 0, "nothing was begun");
    let revoked = home.result(&["revoke", "a.example"]);
    assert_eq!(revoked["crl"]["number"].as_u64(), Some(before + 1), "{revoked}");
    let kept = fs::metadata(&reserve).unwrap().len();
    assert!(full - kept < 2 << 20, "what was not needed is kept again: {kept}");
    home.ca(&["release", "b.example"]).ok();
    home.ca(&["ocsp", "sync"]).ok();
    home.ca(&["crl", "publish", "--all"]).ok();
    for _ in 0..20 {
        home.ca(&["hold", "b.example"]).ok();
        home.ca(&["release", "b.example"]).ok();
    }
    let said = home.ca(&["sign", "c.example.req", "-p", "genfic-system"]);
    assert!(said.err.contains("cannot be kept"), "{}", said.all());
    disk.make_room();
    home.ca(&["list"]).ok();
    assert_eq!(fs::metadata(&reserve).unwrap().len(), full, "it is back");
    home.ca(&["sign", "c.example.req", "-p", "genfic-system"]).ok();
    seen.check_put_right(home.directory());
}

#[test]
fn doctor_tells_of_a_full_disk_and_of_space_that_is_not_kept() {
    if !are_our_own("crash::full_disk::doctor_tells_of_a_full_disk_and_of_space_that_is_not_kept") {
        return;
    }
    let memory = tempfile::tempdir().unwrap();
    let disk = Disk::over(memory.path(), 96 << 10);
    let home = hierarchy().copied_to(disk.path());
    home.ca(&["crl", "publish", "--due"]).ok();
    let reserve = home.path("home/reserve");
    let full = fs::metadata(&reserve).unwrap().len();
    assert_eq!(found(&home, &[]), Vec::<String>::new());
    for (left, severity) in [(20 << 10, "warning"), (1 << 10, "error"), (0, "error")] {
        disk.fill(left * KIB);
        assert_eq!(found(&home, &[]), [format!("{severity} space.low")], "{left} KiB");
        let kept = fs::metadata(&reserve).unwrap().len();
        assert!(
            full - kept <= 256 * KIB,
            "{left} KiB: what was used to look is kept again, but for a little"
        );
        disk.make_room();
    }
    fs::remove_file(&reserve).unwrap();
    disk.fill(64 * KIB);
    let both = ["error space.low", "warning space.reserve"];
    assert_eq!(found(&home, &[]), both);
    assert_eq!(found(&home, &["--fix"]), both, "there is no room for it");
    disk.make_room();
    assert_eq!(found(&home, &["--fix"]), Vec::<String>::new());
    assert_eq!(fs::metadata(&reserve).unwrap().len(), full);
}

/// What `doctor` leaves open: severity and code.
fn found(home: &Home, more: &[&str]) -> Vec<String> {
    let said = home.ca(&[&["doctor", "--json"], more].concat());
    let findings = said.json()["result"]["findings"].as_array().unwrap().clone();
    let open = findings.iter().filter(|one| one["fixed"] == false);
    let found: Vec<String> = open
        .map(|one| format!("{} {}", one["severity"].as_str().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    assert_eq!(said.status, if found.is_empty() { 0 } else { 12 }, "{}", said.all());
    found
}
