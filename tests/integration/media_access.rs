//! Media that others can change are used by no command.
use crate::ceremony::{offline, refused, request, sign};
use crate::support::{Home, Said};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};

fn mode(home: &Home, path: &str, mode: u32) {
    fs::set_permissions(home.path(path), Permissions::from_mode(mode)).unwrap();
}

/// Runs the commands that an answer says, after `run:`.
fn mended(home: &Home, said: &Said) {
    for line in said.err.lines().filter_map(|line| line.split_once("run: ").map(|(_, command)| command)) {
        home.shell(&line.replace("sudo ", "")).ok();
    }
}

#[test]
fn a_medium_that_others_can_change_is_refused_with_the_commands_that_mend_it() {
    // P2, G6
    let home = offline();
    request(&home, "r.toml", &[]);
    let online = || home.ca(&["crl", "publish", "genfic", "--keys", "media/b"]);
    let files = ["policy/root-ca.toml", "genfic.envelope.toml", "genfic.used", "genfic.pem", "bundle.toml"];
    let files = files.map(|file| (file, 0o666)).into_iter();
    for (file, loose) in files.chain([("policy", 0o777), ("", 0o777), ("..", 0o777)]) {
        mode(&home, &format!("media/a/{file}"), loose);
        let said = sign(&home, "r.toml", "a");
        refused(&said, 10, "home.unsafe");
        assert!(said.err.contains("chmod "), "{file}: {}", said.err);
        mended(&home, &said);
        mode(&home, &format!("media/b/{file}"), loose);
        let said = online();
        refused(&said, 10, "home.unsafe");
        mended(&home, &said);
    }
    if rustix::process::geteuid().is_root() {
        let file = home.path("media/b/policy/root-ca.toml");
        chown(&file, Some(65534), None).unwrap();
        let said = online();
        refused(&said, 10, "home.unsafe");
        assert!(said.err.contains("chown 0 "), "{}", said.err);
        mended(&home, &said);
    }
    // a file that is not the one that was written
    let profile = home.path("media/b/policy/user.toml");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, format!("{text}\n")).unwrap();
    let said = online();
    refused(&said, 11, "medium.unverified");
    assert!(said.err.contains("policy/user.toml"), "{}", said.err);
    refused(&home.ca(&["key", "import-bundle", "genfic", "--from", "media/b"]), 11, "medium.unverified");
    fs::write(&profile, text).unwrap();
    fs::write(home.path("media/b/policy/more.toml"), "x").unwrap();
    refused(&online(), 11, "medium.unverified");
    fs::remove_file(home.path("media/b/policy/more.toml")).unwrap();
    sign(&home, "r.toml", "a").ok();
    home.ca(&["ceremony", "import", "r.toml.a.answer"]).ok();
    online().ok();
}
