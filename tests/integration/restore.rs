//! A whole machine is lost and built again from its backup, its keys, and what the world has.
use crate::support::{CA, Daemon, Home, PASSPHRASE, SIGNER, Said, is_root};
use genfic_ca::assembly::restore_backup;
use genfic_ca::home::Home as Directories;
use genfic_ca::signing::{OpenWith, Secret};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn sign(home: &Home, host: &str) -> String {
    home.ca(&["create-request", host, "--sign", "-p", "genfic-system"]).ok();
    let found = home.result(&["list", "--subject", &format!("*cn={host}")]);
    found["certificates"][0]["serial"].as_str().unwrap().to_owned()
}

fn crl_number(home: &Home, authority: &str) -> u64 {
    home.result(&["crl", "show", authority])["number"].as_u64().unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn listed(home: &Home, authority: &str) -> String {
    home.run(&[
        "openssl",
        "crl",
        "-inform",
        "DER",
        "-noout",
        "-text",
        "-in",
        &format!("home/public/{authority}.crl"),
    ])
    .ok()
    .out
    .to_lowercase()
}

/// What a responder says of a certificate: `good`, `revoked` or `unknown`.
fn asked(home: &Home, daemon: &Daemon, serial: &str) -> String {
    let said = home.run(&[
        "openssl",
        "ocsp",
        "-issuer",
        "home/public/genfic-system.pem",
        "-serial",
        &format!("0x{serial}"),
        "-url",
        &daemon.url,
        "-CAfile",
        "home/public/genfic.pem",
        "-verify_other",
        "home/public/genfic-system.chain.pem",
    ]);
    let line =
        said.out.lines().find_map(|line| line.strip_prefix(&format!("0x{serial}: ")).map(str::to_owned));
    assert!(said.err.contains("Response verify OK"), "{}", said.all());
    line.unwrap_or_else(|| panic!("{}", said.all()))
}

/// Asks until the responder has seen it, which takes it a second at most on a machine that has nothing else to do.
fn comes_to_say(home: &Home, daemon: &Daemon, serial: &str, expected: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let said = asked(home, daemon, serial);
        if said == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{serial} is {said}, not {expected}");
    }
}

fn verified(home: &Home, certificate: &str) -> Said {
    for name in ["genfic", "genfic-system"] {
        let pem = home.path(&format!("{name}.current.pem"));
        home.run(&[
            "openssl",
            "crl",
            "-inform",
            "DER",
            "-in",
            &format!("home/public/{name}.crl"),
            "-out",
            pem.to_str().unwrap(),
        ])
        .ok();
    }
    home.run(&[
        "openssl",
        "verify",
        "-crl_check_all",
        "-CAfile",
        "home/public/genfic.pem",
        "-untrusted",
        "home/public/genfic-system.pem",
        "-CRLfile",
        "genfic.current.pem",
        "-CRLfile",
        "genfic-system.current.pem",
        certificate,
    ])
}

#[test]
fn a_lost_machine_is_rebuilt_from_its_backup_and_un_revokes_nothing() {
    // C1, C4, G15
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let daemon = home.daemon("127.0.0.1:0");
    let kept = sign(&home, "kept.example");
    let before = sign(&home, "before.example");
    let later = sign(&home, "later.example");
    let held = sign(&home, "held.example");
    home.ca(&["revoke", "before.example", "--reason", "superseded"]).ok();
    comes_to_say(&home, &daemon, &before, "revoked");

    // the backup is made while other processes sign
    let (enough, signed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let created = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = 0;
            while !enough.load(Ordering::Relaxed) || at < 3 {
                sign(&home, &format!("busy{at}.example"));
                at += 1;
                signed.store(at, Ordering::Relaxed);
            }
        });
        while signed.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        let created = home.result(&["backup", "create", "machine.age"]);
        enough.store(true, Ordering::Relaxed);
        created
    });
    assert_eq!(created["with_keys"], false);
    let proof = home.result(&["backup", "verify", "machine.age"]);
    assert_eq!(proof["faults"], Value::Array(Vec::new()));
    assert_eq!(proof["change"], created["change"]);
    assert!(proof["behind"]["audit_records"].as_u64().unwrap() > 0, "{proof}");

    // what happens after it
    let new = sign(&home, "new.example");
    let lost = sign(&home, "lost.example");
    home.ca(&["revoke", "later.example", "--reason", "key-compromise"]).ok();
    home.ca(&["revoke", "lost.example", "--reason", "cessation-of-operation"]).ok();
    home.ca(&["hold", "held.example"]).ok();
    let last = crl_number(&home, "genfic-system");
    let root_last = crl_number(&home, "genfic");

    // the machine burns; a web server has public/, and a vault the keys of a year ago; one holder shows a certificate
    copy(&home.path("home/public"), &home.path("web"));
    fs::create_dir(home.path("vault")).unwrap();
    for name in ["genfic", "genfic-user", "genfic-system"] {
        fs::copy(home.path(&format!("home/keys/{name}.age")), home.path(&format!("vault/{name}.age")))
            .unwrap();
    }
    fs::copy(home.path("new.example.crt"), home.path("web/shown.crt")).unwrap();
    drop(daemon);
    fs::remove_dir_all(home.path("home")).unwrap();

    let restored = home.result(&["backup", "restore", "machine.age", "--published", "web"]);
    assert_eq!(restored["restored"]["certificates"], 1, "{restored}");
    assert_eq!(restored["restored"]["revoked"], 2, "{restored}");
    assert_eq!(restored["restored"]["known_by_number"], 1, "{restored}");
    assert!(restored["newest_evidence"].is_string());
    let system =
        restored["authorities"].as_array().unwrap().iter().find(|one| one["name"] == "genfic-system");
    assert_eq!(system.unwrap()["found_crl"], last);
    assert_eq!(system.unwrap()["key"], false);
    assert!(system.unwrap()["backup_crl"].as_u64().unwrap() < last);
    let again = home.ca(&["backup", "restore", "machine.age"]);
    assert_eq!((again.status, again.err.contains("(exit 4, home.exists)")), (4, true), "{}", again.all());

    // the newest list is served at once, and OCSP knows all of it as soon as there is a key
    assert_eq!(crl_number(&home, "genfic-system"), last);
    for name in ["genfic", "genfic-user", "genfic-system"] {
        fs::copy(home.path(&format!("vault/{name}.age")), home.path(&format!("home/keys/{name}.age")))
            .unwrap();
    }
    let said = home.ca(&["status", "--json"]);
    assert_eq!(said.status, 12, "{}", said.all());
    let status = said.json()["result"].clone();
    assert!(status["restored"]["backup"].is_string(), "{status}");
    assert!(status["attention"][0].as_str().unwrap().contains("genfic-ca backup accept"), "{status}");
    home.ca(&["crl", "publish", "--all"]).ok();
    home.ca(&["ocsp", "responder", "--due"]).ok();
    assert!(crl_number(&home, "genfic-system") > last);
    assert!(crl_number(&home, "genfic") > root_last);
    let list = listed(&home, "genfic-system");
    let daemon = home.daemon("127.0.0.1:0");
    for serial in [&before, &later, &lost, &held] {
        assert!(list.contains(serial.as_str()), "{serial}\n{list}");
        assert_eq!(asked(&home, &daemon, serial), "revoked", "{serial}");
    }
    for serial in [&kept, &new] {
        assert!(!list.contains(serial.as_str()), "{serial}");
        assert_eq!(asked(&home, &daemon, serial), "good", "{serial}");
    }
    for certificate in ["kept.example.crt", "new.example.crt"] {
        verified(&home, certificate).ok();
    }
    assert!(verified(&home, "later.example.crt").err.contains("certificate revoked"));
    let shown = home.ca(&["show", &format!("genfic-system/{lost}")]).ok();
    assert!(shown.out.contains("by its number only"), "{}", shown.all());

    // locked: nothing is issued, nothing released; revoking works
    for words in [
        &["create-request", "refused.example", "--sign", "-p", "genfic-system"][..],
        &["create-child", "other", "-p", "genfic", "--profile", "system-ca"],
        &["create-root", "another"],
        &["release", "held.example"],
    ] {
        let said = home.ca(words);
        assert_eq!(said.status, 13, "{}", said.all());
        assert!(said.err.contains("(exit 13, restore.not-accepted)"), "{}", said.all());
        assert!(said.err.contains("genfic-ca backup accept"), "{}", said.all());
    }
    home.ca(&["revoke", "busy0.example"]).ok();

    let unanswered = home.ca(&["backup", "accept"]);
    assert_eq!(unanswered.status, 9, "{}", unanswered.all());
    home.ca(&["backup", "accept", "--yes"]).ok();
    assert_eq!(home.result(&["backup", "accept", "--yes"])["accepted"], false);
    let after = sign(&home, "after.example");
    assert_eq!(asked(&home, &daemon, &after), "good");
    verified(&home, "after.example.crt").ok();
    home.ca(&["audit", "verify"]).ok();
    let records = home.result(&["audit", "show"]).to_string();
    for action in ["home.restored", "certificate.restored", "home.accepted"] {
        assert!(records.contains(action), "{action}");
    }
    assert!(home.result(&["status"])["restored"].is_null());
    assert!(fs::read_dir(home.directory()).unwrap().all(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        !name.contains("restoring") && !name.starts_with(".genfic")
    }));
    assert!(
        !fs::read_dir(home.path("home"))
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with(".backup") })
    );
}

#[test]
fn the_old_status_directory_is_taken_over_and_may_stay_in_use() {
    // O12: what it calls revoked stays so, although it is not signed
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let revoked = sign(&home, "a.example");
    home.ca(&["backup", "create", "machine.age"]).ok();
    let unproved = sign(&home, "b.example");
    home.ca(&["revoke", "a.example", "--no-crl"]).ok();
    fs::rename(home.path("home"), home.path("old")).unwrap();
    home.ca(&["backup", "restore", "machine.age"]).ok();
    let good = home.result(&["list", "--status", "valid", "-p", "genfic-system"]).to_string();
    assert!(good.contains(&revoked), "nothing else knew of it");

    // that status over this index: refused, as long as the index does not know what is in it
    fs::remove_dir_all(home.path("home/status")).unwrap();
    home.run(&["cp", "-a", "old/status", "home/status"]).ok();
    let refused = home.ca(&["ocsp", "sync"]);
    assert!(refused.err.contains("--published"), "{}", refused.all());
    fs::remove_dir_all(home.path("home")).unwrap();

    let restored = home.result(&["backup", "restore", "machine.age", "--published", "old/status"]);
    assert_eq!(restored["restored"]["revoked"], 1, "{restored}");
    let unproved = format!("genfic-system/{unproved}");
    assert!(restored["unproved"].to_string().contains(&unproved), "{restored}");
    fs::remove_dir_all(home.path("home/status")).unwrap();
    home.run(&["cp", "-a", "old/status", "home/status"]).ok();
    home.ca(&["ocsp", "sync"]).ok();
    let found = home.result(&["list", "--status", "revoked"]).to_string();
    assert!(found.contains(&revoked), "{found}");
}

/// Puts the signer where this process looks for it: beside its own program.
fn put_signer_beside_this_program() {
    let beside = std::env::current_exe().unwrap().with_file_name("genfic-signer");
    if !beside.is_file() {
        let _ = fs::remove_file(&beside);
        std::os::unix::fs::symlink(SIGNER, &beside).unwrap();
    }
}

#[test]
fn configuration_and_state_in_two_directories_are_restored_into_both() {
    put_signer_beside_this_program();
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["backup", "create", "machine.age"]).ok();
    let two = Directories::in_directories(home.path("etc/genfic-ca"), home.path("var/genfic-ca"));
    let opener = |_| Ok(OpenWith::Passphrase(Secret::new(PASSPHRASE.into())));
    let file = home.path("machine.age");
    fs::create_dir_all(home.path("etc/genfic-ca/policy")).unwrap();
    fs::write(home.path("etc/genfic-ca/policy/user.toml"), "another").unwrap();
    let problem = restore_backup(&two, &file, &opener, &[]).unwrap_err();
    assert_eq!(problem.code.code(), "home.exists");
    assert!(!home.path("var/genfic-ca").exists());
    // what an interrupted restore had put in place already
    fs::copy(home.path("home/policy/user.toml"), home.path("etc/genfic-ca/policy/user.toml")).unwrap();
    restore_backup(&two, &file, &opener, &[]).unwrap();
    assert!(home.path("etc/genfic-ca/genfic-ca.toml").is_file());
    assert!(home.path("etc/genfic-ca/policy/system.toml").is_file());
    assert!(home.path("var/genfic-ca/index.db").is_file());
    assert!(!home.path("var/genfic-ca/policy").exists());
    two.verify().unwrap();
    for directory in ["etc", "var"] {
        assert_eq!(fs::read_dir(home.path(directory)).unwrap().count(), 1, "nothing is left aside");
    }
}

#[test]
fn a_service_user_restores_into_the_empty_directory_it_was_given() {
    // P2
    use std::os::unix::fs::{PermissionsExt, chown};
    if !is_root() {
        return;
    }
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["backup", "create", "machine.age"]).ok();
    fs::set_permissions(home.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(home.path("machine.age"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::copy(CA, home.path("genfic-ca")).unwrap();
    fs::copy(SIGNER, home.path("genfic-signer")).unwrap();
    fs::create_dir(home.path("service")).unwrap();
    let run = |words: &[&str]| {
        let like = home.command::<&str>(&[]);
        let mut command = std::process::Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "./genfic-ca", "--home", "service"])
            .args(["--passphrase-from", "env:GENFIC_TEST_PASSPHRASE"])
            .args(words)
            .current_dir(home.directory());
        for (name, value) in like.get_envs().filter(|(name, _)| *name != "GENFIC_CA_HOME") {
            command.env(name, value.unwrap());
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, said) = run(&["backup", "restore", "machine.age"]);
    assert_eq!(status, Some(10), "a directory of root's: {said}");
    chown(home.path("service"), Some(65534), Some(65534)).unwrap();
    let (status, said) = run(&["backup", "restore", "machine.age"]);
    assert_eq!(status, Some(0), "{said}");
    let (status, said) = run(&["audit", "verify"]);
    assert_eq!(status, Some(0), "{said}");
    let hidden = fs::read_dir(home.path("service"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0);
}
