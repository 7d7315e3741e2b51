//! Files that decide what is done, of another user or open to others.
use crate::support::{Home, OCSPD, is_root};
use crate::{ca, ends, refused};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::process::Command;

const STRANGER: u32 = 4242;

fn set_mode(home: &Home, name: &str, mode: u32) {
    fs::set_permissions(home.path(name), Permissions::from_mode(mode)).unwrap();
}

/// A home with another configuration beside it, and a directory that others may write into.
fn home() -> Home {
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    fs::copy(home.path("home/genfic-ca.toml"), home.path("other.toml")).unwrap();
    set_mode(&home, "other.toml", 0o644);
    for (name, mode) in [("sticky", 0o1777), ("open", 0o777)] {
        fs::create_dir(home.path(name)).unwrap();
        fs::copy(home.path("other.toml"), home.path(name).join("c.toml")).unwrap();
        set_mode(&home, name, mode);
    }
    home
}

/// Neither program takes this file for its configuration.
#[track_caller]
fn is_refused(home: &Home, file: &str, what: &str) {
    let words: [&[&str]; 3] = [
        &["status"],
        &["create-request", "a.example"],
        &["create-request", "b.example", "--sign", "-p", "genfic"],
    ];
    for words in words {
        refused(&ca(home, &[&["--config", file][..], words].concat()), 10, "config.unsafe", what);
    }
    let mut daemon = Command::new(OCSPD);
    daemon.args(["--listen", "127.0.0.1:0", "--config", file, "--home"]).arg(home.path("home"));
    let said = ends(daemon.current_dir(home.directory()), what);
    refused(&said, 10, "config.unsafe", what);
    let doctor = ca(home, &["--config", file, "doctor"]);
    assert!(doctor.status != 0 && doctor.all().contains("not safe to use"), "{what}: {}", doctor.all());
    assert!(!home.path("a.example.key").exists() && !home.path("b.example.key").exists(), "{what}");
}

#[test]
fn a_configuration_that_others_can_change_or_replace_is_refused() {
    // P2
    let home = home();
    ca(&home, &["--config", "other.toml", "status"]).ok();
    ca(&home, &["--config", "sticky/c.toml", "status"]).ok();
    for mode in [0o666, 0o646, 0o622] {
        set_mode(&home, "other.toml", mode);
        is_refused(&home, "other.toml", &format!("{mode:o}"));
    }
    set_mode(&home, "other.toml", 0o644);
    is_refused(&home, "open/c.toml", "in a directory that others can write");
    if !is_root() {
        return;
    }
    chown(home.path("other.toml"), None, Some(100)).unwrap();
    set_mode(&home, "other.toml", 0o664);
    is_refused(&home, "other.toml", "writable by a group");
    set_mode(&home, "other.toml", 0o644);
    chown(home.path("other.toml"), Some(STRANGER), None).unwrap();
    is_refused(&home, "other.toml", "another user's");
    chown(home.path("other.toml"), Some(0), None).unwrap();
    symlink("../other.toml", home.path("sticky/link.toml")).unwrap();
    ca(&home, &["--config", "sticky/link.toml", "status"]).ok();
    lchown(home.path("sticky/link.toml"), Some(STRANGER), None).unwrap();
    is_refused(&home, "sticky/link.toml", "by another user's link");
}

#[test]
fn a_list_of_compromised_keys_that_others_can_change_is_refused() {
    // P2, X13
    let home = home();
    fs::write(home.path("weak"), "").unwrap();
    let config = home.path("home/genfic-ca.toml");
    let list = home.path("weak").display().to_string();
    let named = format!("\n[keys]\ncompromised_spki_sha256_file = \"{list}\"\n");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replacen("[keys]", named.trim(), 1);
    fs::write(&config, if text.contains(&list) { text } else { text + &named }).unwrap();
    set_mode(&home, "weak", 0o644);
    ca(&home, &["status"]).ok();
    set_mode(&home, "weak", 0o666);
    refused(&ca(&home, &["status"]), 10, "config.unsafe", "0666");
    set_mode(&home, "weak", 0o644);
    if is_root() {
        chown(home.path("weak"), Some(STRANGER), None).unwrap();
        refused(&ca(&home, &["status"]), 10, "config.unsafe", "another user's");
    }
}

#[test]
fn a_home_by_another_users_link_is_refused() {
    // P2: in a sticky directory too, where that user alone can turn it elsewhere
    if !is_root() {
        return;
    }
    let home = home();
    let at = |name: &str| ["--home".to_owned(), home.path(name).display().to_string(), "status".into()];
    symlink("../home", home.path("sticky/home")).unwrap();
    symlink("..", home.path("sticky/up")).unwrap();
    for name in ["sticky/home", "sticky/up/home"] {
        home.ca(&at(name)).ok();
    }
    for (link, name) in [("sticky/home", "sticky/home"), ("sticky/up", "sticky/up/home")] {
        lchown(home.path(link), Some(STRANGER), None).unwrap();
        refused(&home.ca(&at(name)), 10, "home.unsafe", name);
    }
}
