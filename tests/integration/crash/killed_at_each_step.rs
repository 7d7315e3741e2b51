//! Each command, killed at each of its steps.
use super::observed::{Seen, left_aside};
use crate::support::killing::{self, PROGRAMS, chosen};
use crate::support::{Home, Said};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many homes are killed in at the same time.
const WORKERS: usize = 3;

/// A command in a home that was made ready for it.
pub(crate) struct Scenario {
    pub(crate) home: Home,
    pub(crate) words: Vec<&'static str>,
    /// What it may end with when it is run again after it was cut short, besides 0.
    again: &'static [i32],
}

impl Scenario {
    pub(crate) fn new(home: Home, words: &str, again: &'static [i32]) -> Self {
        let words = words.split(' ').map(|word| -> &'static str { word.to_owned().leak() }).collect();
        Self { home, words, again }
    }
}

/// A home with a root, two CAs, two certificates of which one is on hold, and requests to be signed.
pub(crate) fn hierarchy() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example").copied();
    for host in ["a.example", "b.example"] {
        home.ca(&["create-request", host, "--sign", "-p", "genfic-system"]).ok();
    }
    home.ca(&["hold", "b.example"]).ok();
    for host in ["c.example", "d.example", "e.example"] {
        home.ca(&["create-request", host]).ok();
    }
    home
}

/// A copy of a home, changed by a command.
fn after(home: &Home, words: &[&str]) -> Home {
    let home = home.copied();
    home.ca(words).ok();
    home
}

pub(crate) fn all_scenarios() -> Vec<Scenario> {
    let scenario = Scenario::new;
    let nowhere = Home::new().copied();
    std::fs::remove_dir_all(nowhere.path("home")).unwrap();
    let home = hierarchy();
    let few = "sign c.example.req d.example.req e.example.req -p genfic-system";
    // more than are made durable one by one
    let many = format!("sign {} -p genfic-system", "d.example.req ".repeat(9).trim());
    vec![
        scenario(nowhere, "init --org Genfic --url http://pki.genfic.example", &[]),
        scenario(Home::new().copied(), "create-root genfic", &[4]),
        scenario(home.copied(), "create-child genfic-other -p genfic", &[4]),
        scenario(home.copied(), "create-request f.example --sign -p genfic-system", &[4]),
        scenario(home.copied(), "sign c.example.req -p genfic-system -o c.example.crt", &[]),
        scenario(home.copied(), few, &[]),
        scenario(home.copied(), &many, &[]),
        scenario(home.copied(), "renew a.example", &[]),
        scenario(home.copied(), "renew-ca genfic", &[]),
        scenario(home.copied(), "renew-ca genfic-system", &[]),
        scenario(home.copied(), "renew-ca genfic --rekey", &[4]),
        scenario(home.copied(), "renew-ca genfic-system --rekey", &[4]),
        scenario(home.copied(), "revoke-ca genfic-system --yes", &[4]),
        scenario(after(&home, &["create-child", "genfic-oops", "-p", "genfic"]), "retire genfic-oops", &[5]),
        scenario(home.copied(), "revoke a.example", &[5]),
        scenario(home.copied(), "hold a.example", &[5]),
        scenario(home.copied(), "release b.example", &[5]),
        scenario(after(&home, &["revoke", "a.example", "--no-crl"]), "crl publish --due", &[]),
        scenario(home.copied(), "crl publish --all", &[]),
        scenario(home.copied(), "ocsp responder genfic-system", &[]),
        scenario(with_another_ca(&home), "import openssl old --as old", &[4]),
        scenario(home.copied(), "create-child far --csr-only --profile user-ca -o far.req", &[4]),
        scenario(with_a_certificate_from_elsewhere(&home), "adopt far far.pem", &[4]),
        scenario(home.copied(), "ocsp sync", &[]),
        scenario(with_a_long_delta(&home), "ocsp sync", &[]),
        scenario(of_before(&home), "crl publish genfic-system", &[]),
        scenario(with_much_due(&home), "sign c.example.req -p genfic-system", &[]),
    ]
}

/// A CA of `openssl ca` beside it, with a certificate whose file is there and a revoked one that is lost.
fn with_another_ca(home: &Home) -> Home {
    let home = home.copied();
    let make = "mkdir old; cd old; openssl req -x509 -newkey ed25519 -nodes -keyout ca.key -subj /CN=old -days 99 \
        -out ca.crt; openssl req -newkey ed25519 -nodes -keyout /dev/null -subj /CN=leaf -out leaf.req; openssl x509 \
        -req -in leaf.req -CA ca.crt -CAkey ca.key -set_serial 5 -days 9 -out 05.pem; echo 07 >crlnumber; printf \
        'R\\t360101000000Z\\t260101000000Z,superseded\\t06\\tunknown\\t/CN=lost\\n' >index.txt";
    home.run(&["sh", "-ec", make]).ok();
    home
}

/// A CA that waits for its certificate, which has come.
fn with_a_certificate_from_elsewhere(home: &Home) -> Home {
    let home = home.copied();
    home.ca(&["create-child", "far", "--csr-only", "--profile", "user-ca"]).ok();
    home.ca(&["sign", "far.req", "-p", "genfic", "--profile", "user-ca", "-o", "far.pem"]).ok();
    home
}

/// Marks and requests where they were before.
fn of_before(home: &Home) -> Home {
    let home = with_a_certificate_from_elsewhere(home);
    let back = "cd home/keys; mv ../requests/far.waiting .; for mark in *.mark; do mv $mark ${mark%mark}crlnumber; done";
    home.run(&["sh", "-ec", back]).ok();
    home
}

/// So many changes since the base that the next publication makes another.
fn with_a_long_delta(home: &Home) -> Home {
    let home = home.copied();
    let index = rusqlite::Connection::open(home.path("home/index.db")).unwrap();
    index
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
             INSERT INTO status (issuer, serial, certificate, state, not_after, change)
                 SELECT s.issuer, unhex(printf('01%038d', i)), s.certificate, 1, s.not_after, head.change + 1
                 FROM n, head, (SELECT * FROM status LIMIT 1) s;
             UPDATE head SET change = change + 100;",
        )
        .unwrap();
    home
}

/// The CRL is owed and the responder's certificate revoked: what is signed next sees to both.
fn with_much_due(home: &Home) -> Home {
    let home = after(home, &["revoke", "a.example", "--no-crl"]);
    let list = home.result(&["list", "--profile", "ocsp-responder", "-p", "genfic-system"]);
    let serial = list["certificates"][0]["serial"].as_str().unwrap();
    home.ca(&["revoke", &format!("genfic-system/{serial}"), "--no-crl"]).ok();
    home
}

/// The program that is killed.
#[derive(Clone, Copy)]
enum Killed {
    Command,
    /// Its child, which has the keys.
    Signer,
}

impl Killed {
    fn variable(self) -> &'static str {
        match self {
            Self::Command => PROGRAMS[0],
            Self::Signer => PROGRAMS[1],
        }
    }

    /// The places that it passes, in order.
    fn places(self, scenario: &Scenario) -> Vec<String> {
        let home = scenario.home.copied();
        killing::places(&mut home.command(&scenario.words), self.variable(), &home.path("trace"))
    }
}

/// The places that a command passes, in order.
pub(super) fn places(scenario: &Scenario) -> Vec<String> {
    Killed::Command.places(scenario)
}

fn again(home: &Home, scenario: &Scenario) {
    let said = home.ca(&scenario.words);
    let is_left_key = said.status == 4 && said.err.contains("key.exists");
    if is_left_key {
        // what the message says to do
        let command = said.err.split("(mv ").nth(1).unwrap().split(')').next().unwrap();
        home.run(&["sh", "-c", &format!("mv {command}")]).ok();
        home.ca(&scenario.words).ok();
    } else {
        // `status` says what is still to be done
        let is_told = said.status == 12 && scenario.words[0] == "status";
        assert!(said.status == 0 || is_told || scenario.again.contains(&said.status), "{}", said.all());
    }
}

/// Kills the command at this place, looks, and has the next commands put things right.
fn kill_and_mend(killed: Killed, scenario: &Scenario, number: usize, place: &str) {
    let home = scenario.home.copied();
    let mut seen = Seen::default();
    seen.look(home.directory());
    let mut command = home.command(&scenario.words);
    let ended = command.env(killed.variable(), number.to_string()).output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    match killed {
        Killed::Command => assert_eq!(ended.status.signal(), Some(9), "{told}"),
        // the command lives, and says what became of its signer
        Killed::Signer => {
            // what is done without a CRL or a certificate of a responder is done, with a warning that it is due
            let goes_on = ended.status.code() == Some(0);
            let says = if goes_on { "warning: " } else { "signer.unavailable" };
            assert!(told.contains(says) && told.contains("it ended before it answered"), "{told}");
        }
    }
    mend(scenario, &home, &mut seen);
    if place == "certificate signed" {
        let list = home.result(&["list"]);
        let mut listed = list["certificates"].as_array().unwrap().iter();
        assert!(listed.any(|one| one["status"] == "abandoned"), "{list}");
    }
}

/// What `status` says is to be done here: a certificate that others are to sign is not.
fn attention(home: &Home) -> Vec<String> {
    let status = home.ca(&["status", "--json"]).json()["result"].clone();
    let lines = status["attention"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
    // meant to be seen for good
    let is_for_good = |line: &String| {
        line.contains("waits for its certificate")
            || line.ends_with(" is revoked")
            || line.contains("within a year")
    };
    lines.filter(|line| !is_for_good(line)).collect()
}

/// Looks, has the next commands put things right, and sees that they did.
pub(super) fn mend(scenario: &Scenario, home: &Home, seen: &mut Seen) {
    seen.look(home.directory());
    put_right(scenario, home, seen);
}

/// Has the next commands put things right, and sees that they did.
pub(crate) fn put_right(scenario: &Scenario, home: &Home, seen: &mut Seen) {
    if scenario.words[0] != "init" {
        let said: Said = home.ca(&["status", "--json"]);
        assert!([0, 12].contains(&said.status), "{}", said.all());
        assert_eq!(said.json()["result"]["pending"], 0, "{}", said.all());
        assert!(left_aside(&home.path("home")).is_empty(), "{:?}", left_aside(&home.path("home")));
    }
    seen.look(home.directory());
    again(home, scenario);
    let mut attention = attention(home);
    if !attention.is_empty() {
        home.ca(&["crl", "publish", "--due"]).ok();
        home.ca(&["ocsp", "responder", "--due"]).ok();
        attention = self::attention(home);
    }
    assert_eq!(attention, [""; 0]);
    seen.check_put_right(home.directory());
}

#[test]
fn a_command_that_is_killed_at_any_step_is_put_right_by_the_next() {
    // X1, C1, C7, O13, G15
    let scenarios = all_scenarios();
    let passing = scenarios.iter().map(|scenario| (scenario, places(scenario))).collect();
    all_are_put_right(Killed::Command, passing);
}

#[test]
fn a_command_whose_signer_is_killed_at_any_step_is_put_right_by_the_next() {
    // X1, C1, C7, G6: what was signed is on record, the old state or the new one
    let scenarios = all_scenarios();
    let passing = scenarios.iter().map(|scenario| (scenario, Killed::Signer.places(scenario)));
    let passing: Vec<(&Scenario, Vec<String>)> = passing.filter(|(_, found)| !found.is_empty()).collect();
    for needed in ["create-root", "create-child", "sign", "revoke", "crl", "renew-ca", "import"] {
        let is_there = passing.iter().any(|(scenario, _)| scenario.words[0] == needed);
        assert!(is_there, "{needed} asks no signer?");
    }
    all_are_put_right(Killed::Signer, passing);
}

/// Kills each of these at its places.
#[track_caller]
fn all_are_put_right(killed: Killed, passing: Vec<(&Scenario, Vec<String>)>) {
    let (mut jobs, mut passed, commands) = (Vec::new(), 0, passing.len());
    for (scenario, found) in passing {
        assert!(!found.is_empty(), "{:?}", scenario.words);
        passed += found.len();
        jobs.extend(chosen(&found).into_iter().map(|(number, place)| (scenario, number, place)));
    }
    let next = AtomicUsize::new(0);
    let failures: Mutex<BTreeMap<String, Vec<String>>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((scenario, number, place)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mended = std::panic::catch_unwind(|| kill_and_mend(killed, scenario, *number, place));
                    if mended.is_err() {
                        let mut failures = failures.lock().unwrap();
                        let of_command = failures.entry(scenario.words.join(" ")).or_default();
                        of_command.push(format!("{number} {place}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "killed at {} places, of these are not put right: {failures:#?}",
        jobs.len()
    );
    println!("killed at {} of {passed} places of {commands} commands", jobs.len());
}

#[test]
fn a_restore_that_is_killed_at_any_step_leaves_no_home_or_a_whole_one() {
    // G15
    let home = hierarchy();
    home.ca(&["backup", "create", "backup.age", "--with-keys"]).ok();
    home.ca(&["revoke", "a.example"]).ok();
    let words = "--home rebuilt backup restore backup.age --published home/public";
    let words: Vec<&str> = words.split(' ').collect();
    let points = killing::killed_at_each(
        &home,
        |home| home.command(&words),
        |home, killed, (_, place)| {
            assert_ne!(killed.status, 0, "{place}");
            let said = home.ca(&words);
            let is_there = said.status == 4 && said.err.contains("home.exists");
            assert!(is_there || said.status == 0, "{place}: {}", said.all());
            let (status, list) =
                (["--home", "rebuilt", "status"], ["--home", "rebuilt", "list", "--status", "revoked"]);
            let told = home.ca(&status);
            assert!(
                told.status == 12 && told.out.contains("genfic-ca backup accept"),
                "{place}: {}",
                told.all()
            );
            assert!(home.ca(&list).ok().out.contains("a.example"), "{place}");
            assert!(left_aside(home.directory()).is_empty());
            let beside = std::fs::read_dir(home.directory()).unwrap().map(|entry| entry.unwrap().file_name());
            let left: Vec<_> = beside.filter(|name| name.to_string_lossy().contains(".restoring-")).collect();
            assert!(left.is_empty(), "{place}: {left:?}");
        },
    );
    assert!(points[0] >= 10 && points[1] >= 5, "{points:?}");
}
