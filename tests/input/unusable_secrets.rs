//! Passphrases, keys and the index when they are not what they should be.
use crate::support::{Home, PASSPHRASE};
use crate::{ca, ends, refused};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

fn publishing(from: &str) -> [&str; 5] {
    ["--passphrase-from", from, "crl", "publish", "genfic"]
}

fn publish(home: &Home, from: &str) -> crate::support::Said {
    ca(home, &publishing(from))
}

fn private(home: &Home, name: &str, octets: &[u8]) {
    let _ = fs::remove_file(home.path(name));
    fs::write(home.path(name), octets).unwrap();
    fs::set_permissions(home.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn passphrase_files_of_every_wrong_kind_are_refused_and_not_waited_for() {
    // K2, P2
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    let unavailable = "key.passphrase-unavailable";
    for (what, octets, code) in [
        ("empty", &b""[..], unavailable),
        ("a line feed alone", b"\n", unavailable),
        ("not UTF-8", b"caf\xe9\n", unavailable),
        ("NULs", &[0; 100], unavailable),
        ("a NUL behind it", format!("{PASSPHRASE}\0\n").as_bytes(), unavailable),
        ("megabytes", &vec![b'x'; 5 << 20], unavailable),
        ("4097 octets", &vec![b'x'; 4097], unavailable),
        ("another passphrase", b"wrong\n", "key.passphrase-wrong"),
        ("a blank before it", format!(" {PASSPHRASE}").as_bytes(), "key.passphrase-wrong"),
        ("two lines", format!("{PASSPHRASE}\nmore\n").as_bytes(), "key.passphrase-wrong"),
        ("a BOM", format!("\u{feff}{PASSPHRASE}\n").as_bytes(), "key.passphrase-wrong"),
    ] {
        private(&home, "secret", octets);
        let said = publish(&home, "file:secret");
        refused(&said, 8, code, what);
        assert!(!said.err.contains(PASSPHRASE) && !said.err.contains("wrong\n"), "{}", said.err);
    }
    for good in [format!("{PASSPHRASE}\r\n"), PASSPHRASE.into()] {
        private(&home, "secret", good.as_bytes());
        publish(&home, "file:secret").ok();
    }
    home.run(&["mkfifo", "-m", "600", "fifo"]).ok();
    symlink("secret", home.path("link")).unwrap();
    fs::create_dir(home.path("directory")).unwrap();
    for (name, code) in [
        ("fifo", "key.unsafe"),
        ("link", "key.unsafe"),
        ("directory", "key.unsafe"),
        ("/dev/zero", "key.unsafe"),
    ] {
        refused(&publish(&home, &format!("file:{name}")), 10, code, name);
    }
    for odd in [
        "file:",
        "env:",
        "fd:x",
        "fd:-1",
        "fd:99999999999",
        "cred:",
        "cred:../x",
        "nonsense",
        "pass:hunter2",
        "",
    ] {
        let said = publish(&home, odd);
        assert!([2, 8].contains(&said.status), "{odd}: {}", said.all());
        assert!(!said.err.contains("hunter2"), "{}", said.err);
    }
}

#[test]
fn credentials_variables_and_descriptors_without_a_passphrase_are_refused_and_not_waited_for() {
    // K2
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    fs::create_dir(home.path("credentials")).unwrap();
    home.run(&["mkfifo", "credentials/fifo"]).ok();
    fs::create_dir(home.path("credentials/directory")).unwrap();
    symlink("/dev/zero", home.path("credentials/zeros")).unwrap();
    private(&home, "credentials/empty", b"");
    private(&home, "credentials/large", &vec![b'x'; 5 << 20]);
    let unavailable = "key.passphrase-unavailable";
    for name in ["fifo", "directory", "zeros", "empty", "large", "none"] {
        let from = format!("cred:{name}");
        let mut command = home.command(&publishing(&from));
        command.env("CREDENTIALS_DIRECTORY", home.path("credentials"));
        refused(&ends(&mut command, name), 8, unavailable, name);
    }
    for (value, code) in [("", unavailable), ("wrong", "key.passphrase-wrong")] {
        let mut command = home.command(&publishing("env:GENFIC_TEST_OTHER"));
        refused(&ends(command.env("GENFIC_TEST_OTHER", value), value), 8, code, value);
    }
    let mut command = home.command(&publishing("env:GENFIC_TEST_OTHER"));
    let octets = std::ffi::OsStr::from_bytes(b"caf\xe9");
    refused(&ends(command.env("GENFIC_TEST_OTHER", octets), "Latin-1"), 8, unavailable, "Latin-1");
    for input in ["/dev/null", "/dev/zero", "credentials"] {
        let mut command = home.command(&publishing("fd:0"));
        let said = ends(command.stdin(fs::File::open(home.path(input)).unwrap()), input);
        refused(&said, 8, unavailable, input);
    }
}

#[test]
fn key_files_that_are_none_are_refused_before_anything_is_computed() {
    // K1
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    home.ca(&["create-root", "other"]).ok();
    let good = fs::read(home.path("home/keys/genfic.age")).unwrap();
    let text = String::from_utf8_lossy(&good).into_owned();
    let stanza = text.lines().find(|line| line.starts_with("-> scrypt ")).unwrap().to_owned();
    let dear = stanza.rsplit_once(' ').unwrap().0.to_owned() + " 63";
    let at = good.windows(stanza.len()).position(|part| part == stanza.as_bytes()).unwrap();
    let expensive = [&good[..at], dear.as_bytes(), &good[at + stanza.len()..]].concat();
    home.run(&["openssl", "genpkey", "-algorithm", "ed25519", "-out", "plain.pem"]).ok();
    let mut flipped = good.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    for (what, octets, exit) in [
        ("cut in the header", good[..40].to_vec(), 8),
        ("cut in the key", good[..good.len() - 20].to_vec(), 8),
        ("one octet changed", flipped, 8),
        ("a work factor of 2^63", expensive, 8),
        ("a plain key", fs::read(home.path("plain.pem")).unwrap(), 8),
        ("a certificate", fs::read(home.path("home/public/genfic.pem")).unwrap(), 8),
        ("empty", Vec::new(), 8),
        ("megabytes", vec![0; 5 << 20], 8),
        ("NULs", vec![0; 400], 8),
        ("the key of another CA", fs::read(home.path("home/keys/other.age")).unwrap(), 13),
        ("a later format", b"age-encryption.org/v9\n-> x\n".to_vec(), 8),
    ] {
        private(&home, "home/keys/genfic.age", &octets);
        let said = publish(&home, "env:GENFIC_TEST_PASSPHRASE");
        assert_eq!(said.status, exit, "{what}: {}", said.all());
        assert!(
            said.err.contains("genfic") && said.err.contains(&format!("\n(exit {exit}, key.")),
            "{what}: {}",
            said.err
        );
        assert!(!said.err.contains("os error") && !said.err.contains("panicked"), "{what}: {}", said.err);
    }
    private(&home, "home/keys/genfic.age", &good);
    publish(&home, "env:GENFIC_TEST_PASSPHRASE").ok();
}

#[test]
fn an_index_that_is_none_cut_or_of_another_version_is_refused_and_left_as_it_is() {
    let home = Home::new();
    home.ca(&["create-root", "genfic"]).ok();
    home.run(&["sqlite3", "home/index.db", "pragma wal_checkpoint(truncate)"]).ok();
    let good = fs::read(home.path("home/index.db")).unwrap();
    home.run(&["sqlite3", "other.db", "create table x (y)"]).ok();
    let other = fs::read(home.path("other.db")).unwrap();
    let version = |number: u32| {
        let mut octets = good.clone();
        octets[60..64].copy_from_slice(&number.to_be_bytes());
        octets
    };
    for (what, octets, exits) in [
        ("text", b"not a database at all, whatever it is called".repeat(100), &[13][..]),
        ("empty", Vec::new(), &[13]),
        ("another program's database", other, &[13]),
        ("the header alone", good[..100].to_vec(), &[13]),
        ("half of it", good[..good.len() / 2].to_vec(), &[13]),
        ("a newer version", version(999), &[1]),
        (
            "zeros in the middle",
            {
                let mut octets = good.clone();
                let length = octets.len();
                octets[4096..length.min(60_000)].fill(0);
                octets
            },
            &[13],
        ),
    ] {
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(home.path(&format!("home/index.db{ending}")));
        }
        private(&home, "home/index.db", &octets);
        let said = ca(&home, &["list"]);
        assert!(exits.contains(&said.status), "{what}: {}", said.all());
        assert!(said.err.contains("\n(exit ") && said.err.contains(", index."), "{what}: {}", said.err);
        assert!(!said.err.contains("panicked") && !said.err.contains("os error"), "{what}: {}", said.err);
        assert_eq!(fs::read(home.path("home/index.db")).unwrap(), octets, "{what}: it was changed");
    }
    fs::remove_file(home.path("home/index.db")).unwrap();
    refused(&ca(&home, &["list"]), 5, "index.missing", "none");
}

#[test]
fn selectors_of_odd_text_find_nothing_and_do_nothing() {
    // G11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "one.example", "--sign", "-p", "genfic-system"]).ok();
    for word in [
        "",
        " ",
        "*",
        "%",
        "_ne.example",
        "' or 1=1 --",
        "\"; drop table x",
        "one.example\n",
        "\u{202e}",
        "../../etc/passwd",
        "/",
        "genfic-system/",
        "genfic-system/zz",
        "serial:",
        "serial:0",
        "serial:-1",
        "sha256:",
        "sha256:%%%%",
        &"a".repeat(100_000),
    ] {
        for command in ["revoke", "hold", "release", "show"] {
            let said = ca(&home, &[command, word]);
            assert!([2, 5, 11].contains(&said.status), "{command} {word:?}: {}", said.all());
            assert!(!said.err.contains("panicked"), "{word:?}: {}", said.err);
        }
    }
    assert_eq!(home.result(&["list", "--status", "revoked"])["certificates"].as_array().unwrap().len(), 0);
}
