//! `renew` and `rekey` of several certificates, and of all that are due.
use crate::refused;
use crate::support::{Home, PASSPHRASE};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn with_hosts(hosts: &[&str]) -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for host in hosts {
        home.ca(&["create-request", host, "--sign", "-p", "genfic-system", "-v", "20"]).ok();
    }
    home
}

fn names(result: &Value, list: &str, field: &str) -> Vec<String> {
    result[list].as_array().unwrap().iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

fn files(home: &Home, directory: &str) -> Vec<String> {
    let entries = fs::read_dir(home.path(directory)).unwrap();
    let mut files: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    files
}

fn serial_in(home: &Home, file: &str) -> String {
    home.result(&["show", file])["serial"].as_str().unwrap().to_owned()
}

#[test]
fn all_that_are_due_are_renewed_once_with_their_files_and_a_total() {
    // G11, G22
    let home = with_hosts(&["a.example", "b.example"]);
    home.ca(&["create-request", "long.example", "--sign", "-p", "genfic-system", "-v", "90"]).ok();
    let person = ["create-request", "amber", "--subject", "CN=Amber", "--san", "email:a@genfic.example"];
    home.ca(&[&person[..], &["--sign", "-p", "genfic-user", "-v", "20"]].concat()).ok();
    fs::create_dir(home.path("new")).unwrap();
    let words = ["renew", "--expiring", "30d", "-p", "genfic-system", "--dir", "new", "--chain"];
    let done = home.ca(&[&words[..], &["--json"]].concat()).ok().json();
    let result = &done["result"];
    assert_eq!(names(result, "certificates", "name"), ["a.example", "b.example"], "{done}");
    assert_eq!(files(&home, "new"), ["a.example.chain.pem", "b.example.chain.pem"]);
    assert_eq!(serial_in(&home, "new/a.example.chain.pem"), names(result, "certificates", "serial")[0]);
    let text = fs::read_to_string(home.path("new/a.example.chain.pem")).unwrap();
    assert_eq!(text.matches("BEGIN").count(), 2);
    // neither CAs nor responders, nor what another CA issued or another profile granted
    let again = home.ca(&words).ok();
    assert!(again.out.contains("0 certificates renewed, 2 replaced before"), "{}", again.all());
    let none = ["renew", "--expiring", "30d", "-p", "genfic-system", "--profile", "user", "--json"];
    assert_eq!(home.ca(&none).ok().json()["changed"], false);
    let other = home.ca(&["renew", "--expiring", "30d", "--profile", "sytem"]);
    refused(&other, 5, "policy.no-such-profile");
    assert!(other.err.contains("did you mean `system`"), "{}", other.all());
    let listed = home.ca(&["list", "--profile", "usr"]).ok();
    assert!(listed.err.contains("did you mean `user`"), "{}", listed.all());
    let all = home.ca(&["renew", "--expiring", "9000d", "--json"]).ok().json();
    let issuers = names(&all["result"], "certificates", "issuer");
    assert_eq!(issuers.iter().filter(|one| *one == "genfic-user").count(), 1, "{all}");
    assert_eq!(issuers.len(), 4, "{all}");
}

#[test]
fn what_is_refused_is_told_and_the_rest_is_done() {
    // G11
    let home = with_hosts(&["a.example", "b.example", "c.example"]);
    home.ca(&["revoke", "c.example"]).ok();
    fs::create_dir(home.path("new")).unwrap();
    let words = ["renew", "a.example", "nobody.example", "b.example", "c.example", "--dir", "new", "--json"];
    let said = home.ca(&words);
    assert_eq!(said.status, 7, "{}", said.all());
    let object = said.json();
    assert_eq!(names(&object["result"], "certificates", "name"), ["a.example", "b.example"], "{object}");
    assert_eq!(names(&object["result"], "refused", "file"), ["nobody.example", "c.example"], "{object}");
    assert_eq!(names(&object["result"], "refused", "code"), ["certificate.not-found", "certificate.revoked"]);
    assert_eq!(object["changed"], true);
    // the passphrase is wrong once, and not asked for again
    fs::write(home.path("wrong"), "wrong\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(home.path("wrong"), mode).unwrap();
    let wrong = ["renew", "a.example", "b.example", "--passphrase-from", "file:wrong"];
    let said = home.ca(&wrong);
    assert_eq!(said.status, 8, "{}", said.all());
    refused(&home.ca(&["renew", "a.example", "b.example", "--dir", "nowhere"]), 5, "file.directory");
    refused(&home.ca(&["renew", "a.example", "b.example", "-o", "one.crt"]), 2, "usage");
    refused(&home.ca(&["renew"]), 2, "usage");
    refused(&home.ca(&["rekey", "a.example", "b.example", "--request", "a.example.req"]), 2, "usage");
}

#[test]
fn two_holders_of_one_name_get_two_files_and_no_other_file_is_written_over() {
    // G11
    let home = with_hosts(&["www.example"]);
    let other = [
        "create-request",
        "two",
        "--subject",
        "CN=www.example",
        "--san",
        "DNS:www.example",
        "--san",
        "DNS:other.example",
    ];
    home.ca(&[&other[..], &["--sign", "-p", "genfic-system", "-v", "20"]].concat()).ok();
    fs::create_dir(home.path("new")).unwrap();
    let renew = |days| {
        let done = home.ca(&["renew", "--expiring", "30d", "--dir", "new", "-v", days, "--json"]).ok().json();
        (names(&done["result"], "certificates", "file"), names(&done["result"], "certificates", "serial"))
    };
    let (first, serials) = renew("21");
    assert_eq!(first.len(), 2, "{first:?}");
    assert_eq!(first[0], "new/www.example.crt");
    assert!(first[1].starts_with("new/www.example-") && first[1] != first[0], "{first:?}");
    for (file, serial) in first.iter().zip(&serials) {
        assert_eq!(serial_in(&home, file), *serial);
    }
    // each takes the place of its own predecessor, whichever comes first
    let (second, serials) = renew("22");
    assert_eq!(second, first);
    for (file, serial) in second.iter().zip(&serials) {
        assert_eq!(serial_in(&home, file), *serial);
    }
    for file in &first {
        fs::write(home.path(file), "something else").unwrap();
    }
    let said = home.ca(&["renew", "--expiring", "30d", "--dir", "new"]);
    refused_with_text(&said);
    assert_eq!(fs::read_to_string(home.path(&first[0])).unwrap(), "something else");
}

fn refused_with_text(said: &crate::support::Said) {
    assert_eq!(said.status, 7, "{}", said.all());
    assert!(said.err.contains("(exit 7, file.exists)"), "{}", said.all());
}

#[test]
fn several_get_new_keys_beside_their_certificates() {
    // G11
    let home = with_hosts(&["a.example", "b.example"]);
    fs::create_dir(home.path("new")).unwrap();
    let done = home.ca(&["rekey", "--expiring", "30d", "--dir", "new", "--json"]).ok().json();
    assert_eq!(done["result"]["certificates"].as_array().unwrap().len(), 2, "{done}");
    let expected = ["a.example.crt", "a.example.key", "a.example.req", "b.example.crt", "b.example.key"];
    assert_eq!(files(&home, "new")[..5], expected);
    for host in ["a.example", "b.example"] {
        let of = |program: &str| {
            let (file, kind) = match program {
                "x509" => (format!("new/{host}.crt"), ["-noout", "-pubkey"]),
                _ => (format!("new/{host}.key"), ["-pubout", "-outform"]),
            };
            let more: &[&str] = if program == "x509" { &kind } else { &["-pubout"] };
            home.run(&[&["openssl", program, "-in", &file], more].concat()).ok().out
        };
        assert_eq!(of("x509"), of("pkey"), "{host}");
    }
    let said = home.ca(&["rekey", "a.example", "b.example", "--dir", "new"]);
    refused_with_text(&said);
}

#[test]
fn a_command_that_is_killed_at_any_point_goes_on_when_it_is_given_again() {
    // G11, C7
    for command in ["renew", "rekey"] {
        let home = with_hosts(&["a.example", "b.example"]);
        fs::create_dir(home.path("new")).unwrap();
        let words = [command, "--expiring", "30d", "--dir", "new"];
        let trace = home.path("trace");
        let whole = home.copied();
        let mut traced = whole.command(&words);
        assert!(traced.env("GENFIC_CA_FAILPOINT_TRACE", &trace).output().unwrap().status.success());
        let expected = files(&whole, "new");
        let points = fs::read_to_string(&trace).unwrap().lines().count();
        // each takes a second; the two commands have points at different places
        for point in (if command == "renew" { 2..=points } else { 5..=points }).step_by(6) {
            let copy = home.copied();
            let mut killed = copy.command(&words);
            let output = killed.env("GENFIC_CA_FAILPOINT", point.to_string()).output().unwrap();
            assert!(!output.status.success(), "{point}");
            let again = copy.ca(&words);
            assert_eq!(again.status, 0, "{command} {point}: {}", again.all());
            let present: Vec<String> =
                files(&copy, "new").into_iter().filter(|file| !file.starts_with(".new-")).collect();
            assert_eq!(present, expected, "{command} {point}");
            for host in ["a.example", "b.example"] {
                let newest = copy.result(&["show", host])["serial"].as_str().unwrap().to_owned();
                assert_eq!(serial_in(&copy, &format!("new/{host}.crt")), newest, "{command} {point}");
            }
            let third = copy.ca(&[&words[..], &["--json"]].concat()).ok().json();
            assert_eq!(third["changed"], false, "{command} {point} {third}");
        }
    }
}

#[test]
fn what_ends_with_its_ca_is_not_issued_again_and_again() {
    // G11, G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-child", "short-system", "-p", "genfic", "--profile", "system-ca", "-v", "20"]).ok();
    for host in ["a.example", "b.example"] {
        home.ca(&["create-request", host, "--sign", "-p", "short-system", "-v", "10"]).ok();
    }
    fs::create_dir(home.path("e")).unwrap();
    let words = ["renew", "--expiring", "30d", "-p", "short-system", "--dir", "e"];
    let first = home.ca(&[&words[..], &["--json"]].concat()).ok().json();
    assert_eq!(first["result"]["certificates"].as_array().unwrap().len(), 2, "{first}");
    // by themselves they are renewed all the same, and each that ends then is replaced
    home.ca(&["renew", "a.example", "b.example", "--dir", "e"]).ok();
    for _ in 0..2 {
        let said = home.ca(&[&words[..], &["--json"]].concat());
        assert_eq!(said.status, 7, "{}", said.all());
        let object = said.json();
        let result = &object["result"];
        assert_eq!(object["changed"], false, "{object}");
        assert_eq!(names(result, "certificates", "name"), Vec::<String>::new(), "{object}");
        assert_eq!(names(result, "refused", "code"), ["renewal.no-gain", "renewal.no-gain"], "{object}");
        assert_eq!(result["replaced_before"], 4, "{object}");
    }
    let said = home.ca(&words);
    assert!(said.err.contains("ends with its CA; renew the CA first"), "{}", said.all());
    assert!(said.err.contains("genfic-ca renew-ca short-system"), "{}", said.all());
    for command in ["renew", "rekey"] {
        let words = [command, "a.example", "--expiring", "30d", "-o", "a.crt", "--hook", "touch ran"];
        let said = home.ca(&words);
        refused(&said, 7, "renewal.no-gain");
        assert!(said.err.contains("genfic-ca renew-ca short-system"), "{}", said.all());
    }
    assert!(!home.path("ran").exists() && !home.path("a.crt").exists());
    home.ca(&["renew-ca", "short-system"]).ok();
    let done = home.ca(&[&words[..], &["--json"]].concat()).ok().json();
    assert_eq!(names(&done["result"], "certificates", "name"), ["a.example", "b.example"], "{done}");
    assert_eq!(files(&home, "e"), ["a.example.crt", "b.example.crt"]);
    // nor is one that would end sooner
    let sooner = ["renew", "a.example", "--expiring", "9000d", "-v", "5"];
    refused(&home.ca(&sooner), 7, "renewal.no-gain");
}

#[test]
fn two_commands_at_once_renew_each_certificate_once() {
    // G11, C7
    let home = with_hosts(&["a.example", "b.example"]);
    let run = || {
        let mut command = home.command(&["renew", "--expiring", "30d", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    };
    let both = [run(), run(), run()];
    let issued = both.map(|child| {
        let output = child.wait_with_output().unwrap();
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(output.status.success(), "{object}");
        object["result"]["certificates"].as_array().unwrap().len()
    });
    assert_eq!(issued.iter().sum::<usize>(), 2, "{issued:?}");
}

/// Starts a command that has decided what to do and waits for the passphrase of the CA.
fn waiting(home: &Home, words: &[&str]) -> Child {
    let mut command = home.command(&[words, &["--json", "--passphrase-from", "fd:0"]].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = command.spawn().unwrap();
    let (begun, mut seen) = (Instant::now(), 0);
    while seen < 10 && begun.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(20));
        seen = if signer_waits(child.id()) { seen + 1 } else { 0 };
    }
    child
}

/// Whether the signer of this process group waits for a passphrase that is to come through a pipe.
fn signer_waits(group: u32) -> bool {
    let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let stat = read(entry.path().join("stat"));
        let of_group = stat.rsplit(')').next().and_then(|fields| fields.split_whitespace().nth(2));
        of_group == Some(&group.to_string())
            && stat.contains("(genfic-signer)")
            && read(entry.path().join("wchan")).contains("poll")
    })
}

/// Gives a command the passphrase, and returns what it says.
fn ended(mut child: Child) -> Value {
    child.stdin.take().unwrap().write_all(format!("{PASSPHRASE}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{object}");
    object
}

#[test]
fn a_person_and_a_timer_at_once_renew_a_certificate_once_whoever_is_first() {
    // G11, C7
    let home = with_hosts(&["a.example"]);
    for directory in ["new", "person"] {
        fs::create_dir(home.path(directory)).unwrap();
    }
    let count = || home.result(&["list", "--subject", "a.example"])["certificates"].as_array().unwrap().len();
    let person = waiting(&home, &["renew", "a.example", "-o", "person/a.crt"]);
    let timer = home.result(&["renew", "--expiring", "30d", "--dir", "new"]);
    assert_eq!(timer["certificates"].as_array().unwrap().len(), 1, "{timer}");
    let said = ended(person);
    assert_eq!(count(), 2, "{said}");
    let result = &said["result"];
    assert_eq!(result["renewed_meanwhile"], true, "{said}");
    assert_eq!(result["certificates"][0]["serial"], timer["certificates"][0]["serial"], "{said}");
    assert_eq!(serial_in(&home, "person/a.crt"), serial_in(&home, "new/a.example.crt"));

    // 30 days are not enough for what was renewed
    let timer = waiting(&home, &["renew", "--expiring", "900d", "-p", "genfic-system", "--dir", "new"]);
    let person = home.result(&["renew", "a.example", "-v", "380"]);
    let said = ended(timer);
    assert_eq!(count(), 3, "{said}");
    assert_eq!((&said["result"]["replaced_before"], &said["changed"]), (&2.into(), &true.into()), "{said}");
    assert_eq!(serial_in(&home, "new/a.example.crt"), person["certificates"][0]["serial"], "{said}");
    home.ca(&["doctor"]).ok();
    // the next one is renewed again when somebody asks
    let again = home.ca(&["renew", "a.example"]).ok();
    assert!(!again.out.contains("renewed already") && count() == 4, "{}", again.all());
}

#[test]
fn where_the_key_of_one_ca_does_not_open_the_rest_is_done() {
    // G11
    let home = with_hosts(&["a.example"]);
    let person = ["create-request", "amber", "--subject", "CN=Amber", "--san", "email:a@genfic.example"];
    home.ca(&[&person[..], &["--sign", "-p", "genfic-user", "-v", "20"]].concat()).ok();
    let words = ["key", "passphrase", "genfic-user", "--new-passphrase-from", "env:OTHER"];
    let changed = home.command(&words).env("OTHER", "sturdy willow lantern orbit 47 quilt").output().unwrap();
    assert!(changed.status.success(), "{}", String::from_utf8_lossy(&changed.stderr));
    let said = home.ca(&["renew", "--expiring", "30d", "--json"]);
    assert_eq!(said.status, 7, "{}", said.all());
    let result = &said.json()["result"];
    assert_eq!(names(result, "certificates", "name"), ["a.example"], "{result}");
    assert_eq!(result["refused"].as_array().unwrap().len(), 1, "{result}");
}
