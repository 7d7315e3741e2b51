//! Where people say that something goes: files, links to files, FIFOs, standard output.
use crate::refused;
use crate::support::{Home, Said};
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

const FROM: [&str; 2] = ["--p12-passphrase-from", "env:GENFIC_TEST_PASSPHRASE"];
const P12: [&str; 6] = ["export", "p12", "www.genfic.example", "--key", "www.genfic.example.key", "--force"];

/// A hierarchy, and a server's certificate with its request.
fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    home
}

/// Commands that write one public file, without its name, and what it begins with.
fn public() -> Vec<(Vec<&'static str>, &'static str)> {
    vec![
        (vec!["export", "bundle", "-o"], "-----BEGIN CERTIFICATE-----"),
        (vec!["export", "index-txt", "genfic-system", "-o"], "V\t"),
        (vec!["export", "snippet", "nginx", "www.genfic.example", "-o"], "# www.genfic.example: "),
        (vec!["calendar", "--svg"], "<svg "),
        (vec!["calendar", "--ics"], "BEGIN:VCALENDAR"),
        (vec!["cross-sign", "genfic-user", "-p", "genfic", "-o"], "-----BEGIN CERTIFICATE-----"),
        (vec!["sign", "www.genfic.example.req", "-p", "genfic-system", "-o"], "-----BEGIN CERTIFICATE-----"),
        (vec!["renew", "www.genfic.example", "-o"], "-----BEGIN CERTIFICATE-----"),
        (
            vec!["create-child", "far", "--csr-only", "--profile", "user-ca", "-o"],
            "-----BEGIN CERTIFICATE REQUEST-----",
        ),
    ]
}

fn is_fifo(home: &Home, name: &str) -> bool {
    fs::symlink_metadata(home.path(name)).unwrap().file_type().is_fifo()
}

fn is_link(home: &Home, name: &str) -> bool {
    fs::symlink_metadata(home.path(name)).unwrap().is_symlink()
}

#[test]
fn a_fifo_is_written_through_and_stays_one() {
    let home = home();
    home.run(&["mkfifo", "fifo"]).ok();
    symlink("fifo", home.path("link")).unwrap();
    for (at, (words, begins)) in public().into_iter().enumerate() {
        let listed = home.ca(&["list", "--csv"]).ok().out;
        let unread = home.ca(&[&words[..], &["fifo"]].concat());
        refused(&unread, 1, "file.write");
        assert!(unread.err.contains("nobody reads"), "{}", unread.err);
        assert_eq!(home.ca(&["list", "--csv"]).ok().out, listed, "nothing was issued before it was known");
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
        let mut reader = OpenOptions::new().read(true).custom_flags(flags).open(home.path("fifo")).unwrap();
        let name = if at % 2 == 0 { "fifo" } else { "link" };
        home.ca(&[&words[..], &[name]].concat()).ok();
        assert!(is_fifo(&home, "fifo") && is_link(&home, "link"), "{words:?}");
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert!(read.starts_with(begins), "{words:?} {read}");
    }
}

#[test]
fn a_link_is_followed_and_the_file_it_points_to_replaced() {
    let home = home();
    fs::create_dir(home.path("real")).unwrap();
    symlink("real/file", home.path("link")).unwrap();
    symlink(home.path("link"), home.path("further")).unwrap();
    for (words, begins) in public() {
        let is_new = words.contains(&"--csr-only");
        let _ = fs::remove_file(home.path("real/file"));
        for there in [None, Some("old and longer ".repeat(9000))] {
            if let Some(old) = &there {
                fs::write(home.path("real/file"), old).unwrap();
            }
            let said = home.ca(&[&words[..], &["further"]].concat());
            assert!(is_link(&home, "link") && is_link(&home, "further"), "{words:?}");
            if is_new && there.is_some() {
                refused(&said, 4, "file.exists");
                continue;
            }
            if matches!(words[0], "sign" | "renew" | "rekey") && there.is_some() {
                refused(&said, 4, "file.exists");
                assert!(said.err.contains("something other than a certificate"), "{}", said.err);
                home.ca(&[&words[..], &["further", "--force"]].concat()).ok();
            } else {
                said.ok();
            }
            let text = fs::read_to_string(home.path("real/file")).unwrap();
            assert!(text.starts_with(begins) && !text.contains("old and longer"), "{words:?} {text}");
        }
    }
}

/// Commands that make up names in the directory `www`, and those names.
const MADE_UP: [(&[&str], &[&str]); 7] = [
    (&["crl", "publish", "genfic-user", "--to", "www"], &["genfic-user.crl"]),
    (&["sign", "www.genfic.example.req", "-p", "genfic-system", "-o", "www"], &["www.genfic.example.crt"]),
    (&["renew", "www.genfic.example", "-o", "www"], &["www.genfic.example.crt"]),
    (
        &["export", "snippet", "nginx", "www.genfic.example", "--dir", "www"],
        &["www.genfic.example.chain.pem", "www.genfic.example.issuers.pem"],
    ),
    (&["export", "index-txt", "genfic-system", "-o", "www/index.txt"], &["index.txt.attr"]),
    (&["man", "www"], &["genfic-ca.1"]),
    (&["export", "hashed-dir", "www"], &["HASH.0", "HASH.r0"]),
];

/// The names, with the hash of the root in them.
fn made_up(home: &Home, names: &[&str]) -> Vec<PathBuf> {
    let words = ["openssl", "x509", "-in", "home/public/genfic.pem", "-noout", "-hash"];
    let hash = home.run(&words).ok().out;
    names.iter().map(|name| home.path("www").join(name.replace("HASH", hash.trim()))).collect()
}

#[test]
fn a_link_whose_name_nobody_typed_is_replaced_and_not_followed() {
    let home = home();
    for directory in ["www", "victim"] {
        fs::create_dir(home.path(directory)).unwrap();
    }
    for (words, names) in MADE_UP {
        for is_there in [true, false] {
            let _ = fs::remove_file(home.path("victim/shadow"));
            if is_there {
                fs::write(home.path("victim/shadow"), "secret").unwrap();
                let own = Permissions::from_mode(0o600);
                fs::set_permissions(home.path("victim/shadow"), own).unwrap();
            }
            if is_there && names[0].starts_with("HASH") {
                // what others have there stays, and the next number is taken
                continue;
            }
            let paths = made_up(&home, names);
            for path in &paths {
                let _ = fs::remove_file(path);
                symlink("../victim/shadow", path).unwrap();
            }
            home.ca(words).ok();
            for path in &paths {
                let metadata = fs::symlink_metadata(path).unwrap();
                assert!(metadata.is_file() && metadata.len() > 10, "{words:?} {}", path.display());
                assert_eq!(metadata.permissions().mode() & 0o777, 0o644, "{words:?}");
            }
            if is_there {
                assert_eq!(fs::read_to_string(home.path("victim/shadow")).unwrap(), "secret", "{words:?}");
                let mode = fs::metadata(home.path("victim/shadow")).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{words:?}");
            } else {
                assert!(!home.path("victim/shadow").exists(), "{words:?}");
            }
        }
    }
    fs::remove_file(home.path("www/www.genfic.example.crt")).unwrap();
    symlink("../victim", home.path("www/www.genfic.example.crt")).unwrap();
    home.ca(&["renew", "www.genfic.example", "-o", "www"]).ok();
    assert_eq!(fs::read_dir(home.path("victim")).unwrap().count(), 0, "a link to a directory");
    symlink("victim/shadow", home.path("far.req")).unwrap();
    let far = ["create-child", "far", "--csr-only", "--profile", "user-ca"];
    refused(&home.ca(&far), 4, "file.exists");
    assert!(!home.path("victim/shadow").exists());
}

/// What was done before is told too.
#[track_caller]
fn failed(said: &Said) {
    assert_eq!(said.status, 1, "{}", said.all());
    assert!(said.err.ends_with("(exit 1, file.write)\n"), "{}", said.all());
}

#[test]
fn what_is_no_file_under_a_name_that_nobody_typed_is_refused_and_named() {
    let home = home();
    fs::create_dir(home.path("www")).unwrap();
    for (words, names) in MADE_UP {
        for make in ["mkfifo", "mkdir"] {
            for path in made_up(&home, names) {
                let _ = fs::remove_file(&path);
                let name = path.display().to_string();
                home.run(&[make, &name]).ok();
                let listed = home.ca(&["list", "--csv"]).ok().out;
                let said = home.ca(words);
                failed(&said);
                let what = if make == "mkfifo" { "a FIFO" } else { "a directory" };
                let named = path.file_name().unwrap().to_str().unwrap();
                assert!(said.err.contains(&format!("{named} is {what}")), "{words:?} {}", said.err);
                assert_eq!(home.ca(&["list", "--csv"]).ok().out, listed, "{words:?}: nothing was issued");
                assert!(!fs::symlink_metadata(&path).unwrap().is_file(), "{words:?}");
                home.run(&["rm", "-r", &name]).ok();
            }
        }
    }
}

#[test]
fn a_list_that_cannot_be_copied_holds_up_no_other() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    fs::create_dir(home.path("www")).unwrap();
    let lists = ["genfic.crl", "genfic-system.crl", "genfic-user.crl"];
    fs::create_dir(home.path("www/genfic.crl")).unwrap();
    let said = home.ca(&["crl", "publish", "--all", "--to", "www", "--json"]);
    assert_eq!(said.status, 1, "{}", said.all());
    let object = said.json();
    assert_eq!(object["error"]["code"], "file.write");
    assert!(object["error"]["message"].as_str().unwrap().contains("www/genfic.crl is a directory"));
    assert_eq!(object["result"]["crls"].as_array().unwrap().len(), lists.len(), "all are made: {object}");
    for list in &lists[1..] {
        let made = fs::read(home.path("home/public").join(list)).unwrap();
        assert_eq!(fs::read(home.path("www").join(list)).unwrap(), made, "{list}");
    }
    fs::remove_file(home.path("www/genfic-user.crl")).unwrap();
    home.run(&["mkfifo", "www/genfic-user.crl"]).ok();
    let both = home.ca(&["--quiet", "crl", "publish", "--all", "--to", "www"]);
    failed(&both);
    for named in ["genfic: ", "genfic.crl is a directory", "genfic-user: ", "genfic-user.crl is a FIFO"] {
        assert!(both.err.contains(named), "{named}: {}", both.err);
    }
    let one = home.ca(&["crl", "publish", "genfic", "--to", "www"]);
    failed(&one);
    assert!(one.out.contains("genfic: CRL number"), "it is made all the same: {}", one.all());
}

#[test]
fn a_name_of_standard_output_is_standard_output() {
    let home = home();
    symlink("/proc/self/fd/1", home.path("out")).unwrap();
    for (words, begins) in public() {
        let said = home.ca(&[&words[..], &["out"]].concat()).ok();
        assert!(said.out.starts_with(begins), "{words:?} {}", said.out);
        assert!(!said.out.contains("written"), "{words:?} {}", said.out);
        assert!(is_link(&home, "out"), "{words:?}");
    }
    let mut command = home.command(&["export", "bundle", "-o", "out"]);
    let file = File::create(home.path("redirected.pem")).unwrap();
    assert!(command.stdout(file).status().unwrap().success());
    let text = fs::read_to_string(home.path("redirected.pem")).unwrap();
    assert!(text.starts_with("-----BEGIN") && text.ends_with("-----\n"), "{text}");
}

#[test]
fn a_hyphen_is_standard_output_wherever_one_file_is_written() {
    // P15
    let home = home();
    for (words, begins) in public() {
        let said = home.ca(&[&words[..], &["-"]].concat()).ok();
        assert!(said.out.starts_with(begins), "{words:?} {}", said.out);
    }
    for words in [&P12[..], &["export", "truststore"]] {
        let said = home.command(&[words, &FROM, &["-o", "-"]].concat()).output().unwrap();
        assert!(said.status.success() && said.stdout.starts_with(&[0x30, 0x82]), "{words:?}");
        refused_json(&home, &[words, &FROM, &["-o", "-"]].concat());
    }
    refused_json(&home, &["calendar", "--svg", "-"]);
    refused_json(&home, &["create-child", "farther", "--csr-only", "-o", "-"]);
    refused(&home.ca(&["calendar", "--svg", "-", "--ics", "-"]), 2, "usage");
    refused(&home.ca(&["backup", "create", "-"]), 2, "usage");
    let bundle = home.result(&["export", "bundle", "-o", "-"]);
    assert!(bundle["file"].is_null() && bundle["text"].as_str().unwrap().starts_with("-----BEGIN"));
    for name in ["-", "-.attr"] {
        assert!(!home.path(name).exists(), "{name}");
    }
}

#[track_caller]
fn refused_json(home: &Home, words: &[&str]) {
    let said = home.ca(&[words, &["--json"]].concat());
    assert_eq!((said.status, &said.json()["error"]["code"]), (2, &"usage".into()), "{}", said.all());
}

#[test]
fn what_is_no_place_for_a_file_is_refused_and_stays() {
    let home = home();
    fs::create_dir(home.path("directory")).unwrap();
    let _listener = UnixListener::bind(home.path("socket")).unwrap();
    let listed = home.ca(&["list", "--csv"]).ok().out;
    for (words, _) in public() {
        refused(&home.ca(&[&words[..], &["socket"]].concat()), 2, "file.not-a-file");
        let takes_directory = ["sign", "renew"].contains(&words[0]);
        if !takes_directory {
            refused(&home.ca(&[&words[..], &["directory"]].concat()), 2, "file.not-a-file");
        }
    }
    assert!(fs::symlink_metadata(home.path("socket")).unwrap().file_type().is_socket());
    assert_eq!(home.ca(&["list", "--csv"]).ok().out, listed);
}

#[test]
fn a_private_key_goes_into_a_file_of_its_own_and_nowhere_else() {
    // G19
    let home = home();
    home.run(&["mkfifo", "fifo"]).ok();
    fs::write(home.path("real"), "mine").unwrap();
    symlink("real", home.path("link")).unwrap();
    symlink("nothing", home.path("dangling")).unwrap();
    let _reader = File::options().read(true).write(true).open(home.path("fifo")).unwrap();
    for name in ["fifo", "link", "dangling"] {
        refused(&home.ca(&[&P12[..], &FROM, &["-o", name]].concat()), 2, "file.not-a-file");
    }
    let combined = home.path("www.genfic.example.haproxy.pem");
    symlink("real", &combined).unwrap();
    let haproxy = ["export", "snippet", "haproxy", "www.genfic.example", "--force"];
    refused(&home.ca(&haproxy), 2, "file.not-a-file");
    symlink("nothing", home.path("new.key")).unwrap();
    refused(&home.ca(&["create-request", "new"]), 4, "file.exists");
    assert!(is_fifo(&home, "fifo") && !home.path("nothing").exists());
    assert_eq!(fs::read_to_string(home.path("real")).unwrap(), "mine");
    home.ca(&[&P12[..], &FROM, &["-o", "real"]].concat()).ok();
    assert_eq!(fs::metadata(home.path("real")).unwrap().permissions().mode() & 0o777, 0o600);
}
