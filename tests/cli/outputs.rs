//! Where people say that something goes: files, links to files, FIFOs, standard output.
use crate::refused;
use crate::support::Home;
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

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
            said.ok();
            let text = fs::read_to_string(home.path("real/file")).unwrap();
            assert!(text.starts_with(begins) && !text.contains("old and longer"), "{words:?} {text}");
        }
    }
    symlink("real/of-www", home.path("real/www.genfic.example.crt")).unwrap();
    symlink("../other", home.path("real/two.genfic.example.crt")).unwrap();
    home.ca(&["create-request", "two.genfic.example"]).ok();
    fs::create_dir(home.path("real/real")).unwrap();
    let requests = ["sign", "www.genfic.example.req", "two.genfic.example.req", "-p", "genfic-system"];
    home.ca(&[&requests[..], &["-o", "real"]].concat()).ok();
    for file in ["real/real/of-www", "other"] {
        assert!(fs::read_to_string(home.path(file)).unwrap().starts_with("-----BEGIN"), "{file}");
    }
    assert!(is_link(&home, "real/www.genfic.example.crt"));
    symlink("../there.crl", home.path("real/genfic-user.crl")).unwrap();
    home.ca(&["crl", "publish", "genfic-user", "--to", "real"]).ok();
    assert!(is_link(&home, "real/genfic-user.crl") && home.path("there.crl").is_file());
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
