//! Several processes at once on one home.
use crate::support::{Home, Said};
use genfic_ca::index::CertificateState;
use genfic_ca::status::{StatusDirectory, StatusReader, StatusSource};
use genfic_ca::x509::{Certificate, CertificateId, CertificateList, SerialNumber};
use rusqlite::Connection;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const ISSUER: &str = "genfic-system";
const WORKERS: usize = 8;

/// How long the crowd is at it: a minute, unless somebody in a hurry says otherwise.
fn span() -> Duration {
    let seconds = std::env::var("GENFIC_TEST_CROWD_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(60))
}

/// What the crowd was told.
#[derive(Default)]
struct Told {
    issued: Vec<String>,
    revoked: Vec<String>,
    commands: usize,
}

/// One of the crowd: runs one command after the other, and each must end well, at once.
struct Worker<'a> {
    home: &'a Home,
    number: usize,
    round: usize,
    told: Told,
}

impl Worker<'_> {
    fn run(&mut self, words: &[&str]) -> Value {
        self.told.commands += 1;
        self.home.result(words)
    }

    fn host(&self) -> String {
        format!("h{}-{}.example", self.number, self.round)
    }

    fn issued(&mut self, result: &Value) {
        let serial = result["certificates"][0]["serial"].as_str().unwrap_or_else(|| panic!("{result}"));
        self.told.issued.push(serial.to_owned());
    }

    fn step(&mut self) {
        let host = self.host();
        match (self.round + self.number) % 6 {
            0 => {
                self.run(&["create-request", &host]);
                let signed = self.run(&["sign", &format!("{host}.req"), "-p", ISSUER]);
                self.issued(&signed);
            }
            1 | 3 => {
                let words = ["create-request", &host, "--sign", "-p", ISSUER, "--json"];
                let signed = self.home.ca(&words).ok().json();
                self.told.commands += 1;
                self.told.issued.push(serial_in(self.home, &host, &signed));
            }
            2 | 4 => {
                let Some(serial) = self.told.issued.get(self.told.revoked.len()).cloned() else { return };
                let words = ["revoke", &format!("{ISSUER}/{serial}"), "--reason", "superseded"];
                let revoked = self.run(&words);
                assert!(revoked["crl"]["number"].is_u64(), "{revoked}");
                self.told.revoked.push(serial);
            }
            _ => {
                self.run(&["crl", "publish", ISSUER]);
                let listed = self.run(&["list", "-p", ISSUER]);
                let seen: HashSet<&str> = serials(&listed).into_iter().collect();
                assert!(self.told.issued.iter().all(|serial| seen.contains(serial.as_str())));
            }
        }
    }
}

/// The serial number of the certificate that was written for a host.
fn serial_in(home: &Home, host: &str, said: &Value) -> String {
    let text = fs::read(home.path(&format!("{host}.crt"))).unwrap_or_else(|error| panic!("{error}: {said}"));
    Certificate::from_pem_or_der(&text).unwrap().tbs().serial_number().to_string()
}

fn serials(result: &Value) -> Vec<&str> {
    let all = result["certificates"].as_array().unwrap();
    all.iter().map(|certificate| certificate["serial"].as_str().unwrap()).collect()
}

fn published(home: &Home) -> CertificateList {
    let octets = fs::read(home.path(&format!("home/public/{ISSUER}.crl"))).unwrap();
    CertificateList::from_der(&octets).unwrap()
}

/// The CRL numbers that were recorded with this action.
fn numbers(home: &Home, action: &str) -> Vec<u64> {
    let records = home.result(&["audit", "show"]);
    let of_issuer = |one: &&Value| one["action"] == action && one["object"] == ISSUER;
    let records = records["records"].as_array().unwrap().iter().filter(of_issuer);
    records.map(|one| one["details"]["number"].as_str().unwrap().parse().unwrap()).collect()
}

/// Files that were being written when somebody stopped.
fn left_aside(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(left_aside(&entry.path()));
        } else if name.starts_with(".new-") {
            found.push(name);
        }
    }
    found
}

#[test]
fn eight_processes_that_sign_revoke_and_publish_for_a_minute_all_succeed_and_lose_nothing() {
    // X1, C1, C7, G11, G15
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let end = Instant::now() + span();
    let told: Vec<Told> = std::thread::scope(|scope| {
        let start = |number| {
            let home = &home;
            scope.spawn(move || {
                let mut worker = Worker { home, number, round: 0, told: Told::default() };
                while worker.round < 12 || Instant::now() < end {
                    worker.step();
                    worker.round += 1;
                }
                worker.told
            })
        };
        let workers: Vec<_> = (0..WORKERS).map(start).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let commands: usize = told.iter().map(|one| one.commands).sum();
    let issued: Vec<&String> = told.iter().flat_map(|one| &one.issued).collect();
    let revoked: Vec<&String> = told.iter().flat_map(|one| &one.revoked).collect();
    println!("{commands} commands, {} certificates, {} revocations", issued.len(), revoked.len());

    let mut count: HashMap<String, usize> = HashMap::new();
    let listed = home.result(&["list", "-p", ISSUER]);
    serials(&listed).into_iter().for_each(|serial| *count.entry(serial.to_owned()).or_default() += 1);
    assert!(issued.iter().all(|serial| count.get(*serial) == Some(&1)), "each is on record exactly once");
    assert_eq!(issued.iter().collect::<HashSet<_>>().len(), issued.len(), "no serial number twice");
    let on_record = home.result(&["list", "-p", ISSUER, "--status", "revoked"]);
    assert_eq!(serials(&on_record).len(), revoked.len(), "nothing is revoked or abandoned besides");
    assert_eq!(home.result(&["status"])["pending"], 0);

    let list = published(&home);
    let status = StatusDirectory::new(&home.path("home/status")).open(None).unwrap();
    let authority = status.authorities().iter().find(|one| one.name == ISSUER).unwrap();
    for serial in &issued {
        let serial_number: SerialNumber = serial.parse().unwrap();
        let is_revoked = revoked.contains(serial);
        assert_eq!(list.tbs().find(&serial_number).is_some(), is_revoked, "{serial} on the CRL");
        let id = CertificateId { issuer: authority.issuer, serial_number };
        let state = status.status(&id).unwrap();
        assert_eq!(matches!(state, Some(CertificateState::Revoked(_))), is_revoked, "{serial}: {state:?}");
        assert!(state.is_some(), "{serial} is answered for");
    }

    let (taken, placed) = (numbers(&home, "crl.issued"), numbers(&home, "crl.published"));
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), taken.len(), "no CRL number twice");
    let highest = taken.iter().max().copied();
    assert_eq!((list.tbs().crl_number(), placed.iter().max().copied()), (highest, highest));
    let noted = fs::read_to_string(home.path(&format!("home/keys/{ISSUER}.mark"))).unwrap();
    assert_eq!(noted.trim().parse().ok(), highest);
    home.ca(&["crl", "check", ISSUER]).ok();
    home.ca(&["audit", "verify"]).ok();
    assert_eq!(left_aside(home.directory()), Vec::<String>::new());
}

#[test]
fn a_revocation_while_another_process_publishes_stays_on_every_later_list() {
    // K3, C7: no list is published that lacks what an earlier one had
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.example", "--sign", "-p", ISSUER]).ok();
    let lists = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..6 {
                    let said = home.result(&["crl", "publish", ISSUER]);
                    let list = &said["crls"][0];
                    let fields = (list["number"].as_u64().unwrap(), list["entries"].as_u64().unwrap());
                    lists.lock().unwrap().push(fields);
                }
            });
        }
        scope.spawn(|| home.ca(&["revoke", "a.example"]).ok());
    });
    let mut lists = lists.into_inner().unwrap();
    lists.sort_unstable();
    lists.dedup(); // who was overtaken is told of the newer list
    assert!(lists.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{lists:?}");
    let newest = home.result(&["crl", "show", ISSUER]);
    assert_eq!(newest["entry_count"], 1);
}

#[test]
fn one_key_that_many_ask_for_at_once_is_certified_for_one_subject() {
    // P1
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for round in 0..5 {
        home.shell(&format!(
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k.key
            for i in 0 1 2 3 4 5; do
              openssl req -new -key k.key -subj /CN=r{round}-$i.example -addext subjectAltName=DNS:r{round}-$i.example \
                -out $i.req
            done"
        ))
        .ok();
        let said: Vec<Said> = std::thread::scope(|scope| {
            let sign = |number: usize| {
                let home = &home;
                scope.spawn(move || home.ca(&["sign", &format!("{number}.req"), "-p", ISSUER]))
            };
            let all: Vec<_> = (0..6).map(sign).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let granted = said.iter().filter(|one| one.status == 0).count();
        assert_eq!(granted, 1, "{said:?}");
        for one in said.iter().filter(|one| one.status != 0) {
            assert!(one.status == 7 && one.err.contains("policy.key-reused"), "{}", one.all());
        }
    }
    assert_eq!(home.result(&["status"])["pending"], 0);
}

#[test]
fn no_certificate_for_a_key_that_is_revoked_while_others_renew_it_stays_valid() {
    // X13
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.example", "--sign", "-p", ISSUER]).ok();
    let first = serials(&home.result(&["list", "--subject", "*a.example"]))[0].to_owned();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..6 {
                    let said = home.ca(&["sign", "a.example.req", "-p", ISSUER]);
                    let is_overtaken = said.status == 7 || said.err.contains("index.conflict");
                    assert!(said.status == 0 || is_overtaken, "{}", said.all());
                }
            });
        }
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(150));
            home.ca(&["revoke", &format!("{ISSUER}/{first}"), "--reason", "key-compromise"]).ok();
        });
    });
    let valid = home.result(&["list", "--subject", "*a.example", "--status", "valid"]);
    assert_eq!(valid["certificates"].to_string(), "[]");
    let all = home.result(&["list", "--subject", "*a.example"]);
    let listed = home.result(&["crl", "show", ISSUER]);
    assert_eq!(listed["entry_count"].as_u64(), Some(serials(&all).len() as u64));
}

/// Revokes this many more in the index, by hand.
fn lengthen(index: &Connection, entries: u32) {
    index
        .execute_batch(&format!(
            "PRAGMA foreign_keys = OFF;
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {entries})
             INSERT INTO status (issuer, serial, certificate, state, revoked_at, not_after, change)
             SELECT a.issuer, unhex(printf('000000%034x', n)), a.certificate, 2, h.newest, h.newest + 9999999, 1
             FROM n, authority a, head h WHERE a.name = '{ISSUER}';"
        ))
        .unwrap();
}

fn highest_number(index: &Connection) -> u64 {
    let query = format!(
        "SELECT max(number) FROM crl WHERE issuer = (SELECT issuer FROM authority WHERE name = '{ISSUER}')"
    );
    u64::from(index.query_row(&query, [], |row| row.get::<_, u32>(0)).unwrap())
}

fn signal(name: &str, process: u32) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

fn is_stopped(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('T')
}

#[test]
fn a_revocation_does_not_wait_for_a_long_list_that_another_process_is_making() {
    // C7, G11: that process stands still from the taking of its number on, and the revocation is done before it goes on
    const ENTRIES: u32 = 150_000;
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.example", "--sign", "-p", ISSUER]).ok();
    let index = Connection::open(home.path("home/index.db")).unwrap();
    lengthen(&index, ENTRIES);
    let before = highest_number(&index);
    let mut command = home.command(&["crl", "publish", ISSUER, "--json"]);
    let held = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while highest_number(&index) == before {
        assert!(!is_stopped(held.id()));
    }
    signal("-STOP", held.id());
    while !is_stopped(held.id()) {}
    assert_eq!(published(&home).tbs().crl_number(), Some(before), "it is still at work");

    let revoked = home.result(&["revoke", "a.example"]);
    assert_eq!(revoked["crl"]["number"], before + 2, "{revoked}");
    assert!(is_stopped(held.id()));
    let signed = home.ca(&["create-request", "b.example", "--sign", "-p", ISSUER]);
    assert_eq!(signed.status, 0, "{}", signed.all());

    signal("-CONT", held.id());
    let said = Said::of(held.wait_with_output().unwrap()).ok().json();
    let list = &said["result"]["crls"][0];
    assert_eq!((&list["number"], &list["entries"]), (&(before + 2).into(), &(ENTRIES + 1).into()));
    assert_eq!(published(&home).tbs().crl_number(), Some(before + 2));
    home.ca(&["crl", "check", ISSUER]).ok();
    home.ca(&["audit", "verify"]).ok();
    assert_eq!(left_aside(home.directory()), Vec::<String>::new());
}
