//! Files that a person names: too large, no files at all, gone, closed.
use crate::support::builders::RequestBuilder;
use crate::support::{CA, Home, is_root};
use crate::{ca, ends, on_record, refused};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

/// Octets of memory that a command may take while it refuses.
const MEMORY: &str = "--data=100000000";

#[test]
fn a_hundred_megabytes_are_refused_before_they_are_read() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let file = fs::File::create(home.path("big")).unwrap();
    file.set_len(100 << 20).unwrap();
    let before = on_record(&home).0;
    let in_little_memory = |words: &[&str]| {
        let like = home.command(words);
        let mut command = Command::new("prlimit");
        command.args([MEMORY, CA]).args(words).current_dir(home.directory());
        for (name, value) in like.get_envs() {
            command.env(name, value.unwrap());
        }
        command
    };
    for (words, exit) in
        [(&["sign", "big", "-p", "genfic-system"][..], 1), (&["status", "--config", "big"], 1)]
    {
        let said = ends(&mut in_little_memory(words), "big");
        assert_eq!(said.status, exit, "{words:?}: {}", said.all());
        assert!(said.err.contains("big is over 1 MiB"), "{words:?}: {}", said.err);
        assert!(!said.err.contains("memory"), "{}", said.err);
    }
    let mut zeros = in_little_memory(&["sign", "-", "-p", "genfic-system"]);
    let said = ends(zeros.stdin(fs::File::open("/dev/zero").unwrap()), "zeros");
    refused(&said, 1, "file.too-large", "zeros without end");
    // looked at whole, and none of what can be shown
    file.set_len(300 << 20).unwrap();
    for words in [&["show", "big"][..], &["lint", "big"], &["crl", "check", "big"], &["crl", "show", "big"]] {
        let said = ends(&mut in_little_memory(words), "big");
        refused(&said, 1, "file.too-large", "300 MiB");
    }
    assert_eq!(on_record(&home).0, before);
}

#[test]
fn what_is_no_file_is_neither_waited_for_nor_read() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.run(&["mkfifo", "fifo"]).ok();
    let _socket = UnixListener::bind(home.path("socket")).unwrap();
    fs::create_dir(home.path("directory")).unwrap();
    symlink("fifo", home.path("link")).unwrap();
    symlink("loop", home.path("loop")).unwrap();
    symlink("nowhere", home.path("dangling")).unwrap();
    for (name, exit, code, says) in [
        ("fifo", 2, "file.not-a-file", "fifo is a FIFO, socket or device"),
        ("link", 2, "file.not-a-file", "link is a FIFO, socket or device"),
        ("socket", 2, "file.not-a-file", "a FIFO, socket or device"),
        ("/dev/zero", 2, "file.not-a-file", "/dev/zero is a FIFO, socket or device"),
        ("/dev/null", 2, "file.not-a-file", "/dev/null is a FIFO, socket or device"),
        ("directory", 2, "file.not-a-file", "directory is a directory"),
        ("loop", 1, "file.read", "loop cannot be read: Too many levels of symbolic links"),
        ("dangling", 5, "file.read", "there is no file dangling"),
        ("none", 5, "file.read", "there is no file none"),
        ("big/../none", 5, "file.read", "there is no file"),
    ] {
        for words in [&["sign", name, "-p", "genfic-system"][..], &["lint", name], &["crl", "check", name]] {
            let said = ca(&home, words);
            refused(&said, exit, code, name);
            assert!(said.err.contains(says), "{words:?}: {}", said.err);
        }
        let words = ["ocsp", "query", "genfic", "--issuer", name, "--url", "http://127.0.0.1:9/"];
        assert_ne!(ca(&home, &words).status, 0, "{name}");
        assert_ne!(ca(&home, &["show", name]).status, 0, "{name}");
        assert_ne!(ca(&home, &["revoke", name]).status, 0, "{name}");
    }
}

#[test]
fn a_backup_that_is_no_file_or_no_backup_is_refused_and_not_waited_for() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.run(&["mkfifo", "fifo"]).ok();
    fs::create_dir(home.path("directory")).unwrap();
    let big = fs::File::create(home.path("big")).unwrap();
    big.set_len(100 << 20).unwrap();
    fs::write(home.path("empty"), "").unwrap();
    fs::write(home.path("line"), vec![b'x'; 5 << 20]).unwrap();
    fs::copy(home.path("home/public/genfic.crl"), home.path("crl")).unwrap();
    fs::copy(home.path("home/keys/genfic.age"), home.path("key")).unwrap();
    for (name, exit, code) in [
        ("fifo", 1, "file.read"),
        ("directory", 1, "file.read"),
        ("/dev/zero", 1, "file.read"),
        ("none", 5, "file.read"),
        ("empty", 11, "backup.damaged"),
        ("big", 11, "backup.damaged"),
        ("line", 11, "backup.damaged"),
        ("crl", 11, "backup.damaged"),
        ("key", 11, "backup.damaged"),
    ] {
        refused(&ca(&home, &["backup", "verify", name]), exit, code, name);
        let mut restore = home.command(&["backup", "restore", name]);
        let said = ends(restore.env("GENFIC_CA_HOME", home.path("fresh")), name);
        refused(&said, exit, code, name);
        assert!(!home.path("fresh").exists(), "{name}");
    }
}

#[test]
fn a_file_that_may_not_be_read_is_said_in_words() {
    if !is_root() {
        return;
    }
    let home = Home::new();
    fs::write(home.path("closed"), RequestBuilder::new().good("a.example")).unwrap();
    fs::set_permissions(home.path("closed"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(home.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = home.path("genfic-ca");
    fs::copy(CA, &program).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&program);
    command.args(["lint", "closed"]).current_dir(home.directory());
    let said = ends(&mut command, "closed");
    refused(&said, 1, "file.read", "closed");
    assert!(said.err.contains("closed cannot be read: Permission denied\n"), "{}", said.err);
}

#[test]
fn one_that_vanishes_does_not_hold_up_the_others() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    fs::write(home.path("here.req"), RequestBuilder::new().good("here.example")).unwrap();
    let said = ca(&home, &["sign", "gone.req", "here.req", "home", "-p", "genfic-system", "--json"]);
    let result = said.json();
    assert_eq!(result["result"]["certificates"].as_array().unwrap().len(), 1, "{result}");
    assert_eq!(result["result"]["refused"].as_array().unwrap().len(), 2, "{result}");
    assert!(!result.to_string().contains("os error"), "{result}");
}
