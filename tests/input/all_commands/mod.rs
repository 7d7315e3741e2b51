//! Every command of the program, under all that can be done to it from outside: none panics, and none leaves
//! something half done. The commands are read from the help, so that a new one is not forgotten.
mod closed_streams;
mod custody;
mod odd_arguments;
mod odd_paths;

use crate::support::{Home, Said, listed_commands};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;
use std::sync::Mutex;

/// A command, words with which it works in the home of [`home`], and what it may end with there. `@` stands before a
/// path beside the home.
struct Row(&'static str, &'static str, &'static [i32]);

const ANY: &[i32] = &[];

const ROWS: &[Row] = &[
    Row("init", "", &[0]),
    Row("quickstart", "--no-serve --dir @demo", &[0, 2]),
    Row("status", "", &[0, 12]),
    Row("doctor", "", &[0, 12]),
    Row("metrics", "-o @genfic.prom", &[0]),
    Row("calendar", "--svg @c.svg --ics @c.ics", &[0]),
    Row("clock status", "", ANY),
    Row("clock accept", "--yes", ANY),
    Row("config check", "--daemon", &[0, 12]),
    Row("create-root", "another", &[0]),
    Row("create-child", "genfic-other -p genfic", &[0]),
    Row("adopt", "far @far.pem", &[0]),
    Row("authorities", "", &[0]),
    Row("renew-ca", "genfic-system", &[0]),
    Row("cross-sign", "@partner.pem -p genfic --permit partner.example -o @cross.pem", &[0]),
    Row("revoke-ca", "genfic-user --reason superseded --yes", &[0]),
    Row("retire", "genfic-user", &[0]),
    Row("create-request", "@n.example --sign -p genfic-system", &[0]),
    Row("sign", "@h.req -p genfic-system --chain -o @h.pem", &[0]),
    Row("renew", "@w.crt -o @again.crt", &[0]),
    Row("rekey", "w.example --dir @new", &[0]),
    Row("revoke", "@w.crt", &[0]),
    Row("hold", "@w.crt", &[0]),
    Row("release", "@x.crt", &[0]),
    Row("list", "", &[0]),
    Row("show", "@w.crt", &[0]),
    Row("lint", "@w.crt", &[0]),
    Row("crl publish", "--all --keys @medium --to @new", &[0]),
    Row("crl show", "@genfic.crl", &[0]),
    Row("crl check", "@genfic.crl --issuer @genfic.pem", &[0]),
    Row("crl import", "away @away.crl", &[0]),
    Row("ocsp responder", "genfic-system", &[0]),
    Row("ocsp query", "@w.crt --issuer @genfic-system.pem --url http://127.0.0.1:1/", &[1, 11]),
    Row("ocsp sync", "", &[0]),
    Row("ocsp presign", "-o @answers", &[0]),
    Row("ocsp disable", "genfic-user", ANY),
    Row("ocsp enable", "genfic-user", ANY),
    Row("audit show", "", &[0]),
    Row("audit verify", "", &[0]),
    Row("export index-txt", "genfic-system -o @index.txt", &[0]),
    Row("export bundle", "-o @roots.pem", &[0]),
    Row("export truststore", "-o @trust.p12 --p12-passphrase-from env:GENFIC_TEST_PASSPHRASE", &[0]),
    Row("export hashed-dir", "@anchors", &[0]),
    Row("export p12", "@w.crt --key @w.key -o @w.p12 --p12-passphrase-from env:GENFIC_TEST_PASSPHRASE", &[0]),
    Row("export snippet", "nginx w.example --dir @new --key @w.key -o @nginx.conf", &[0, 2]),
    Row("backup create", "@new.age --with-keys", &[0]),
    Row("backup verify", "@one.age", &[0]),
    Row("backup restore", "@one.age --home @rebuilt --published @new", &[0]),
    Row("backup accept", "--yes", &[0]),
    Row("import openssl", "@old --as old", &[0]),
    Row("import easy-rsa", "@pki --as vpn", &[0]),
    Row("ceremony request", "away -o @asked.toml --yes", &[0]),
    Row("ceremony sign", "@r.toml --keys @medium -o @answer.toml --yes", &[0]),
    Row("ceremony import", "@answered.toml", &[0]),
    Row("key list", "", &[0]),
    Row("key import", "brought @ca.key", &[0]),
    Row(
        "key export",
        "genfic -o @out.key --confirm genfic --new-passphrase-from env:GENFIC_TEST_PASSPHRASE",
        &[0],
    ),
    Row("key envelope", "genfic-user --set longest_days=4000 --confirm genfic-user", &[0]),
    Row("key export-bundle", "genfic-user --to @stick", &[0]),
    Row("key import-bundle", "away --from @medium", &[0]),
    Row("key move", "genfic-user --to home", &[0]),
    Row("key passphrase", "genfic-user --new-passphrase-from env:GENFIC_TEST_PASSPHRASE", &[0]),
    Row("key unlock", "genfic --socket @none", &[8]),
    Row("key lock", "--all --socket @none", &[8]),
    Row("key status", "--socket @none", &[8]),
    Row("profile list", "", &[0]),
    Row("profile show", "system", &[0]),
    Row("profile check", "@p.toml", &[0]),
    Row("completions", "bash", &[0]),
    Row("man", "@pages", &[0]),
    Row("version", "", &[0]),
];

/// The home that the rows work in, with everything that they name in `beside/`.
fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.shell(
        "mkdir beside beside/new; cd beside
         genfic-ca create-request h.example
         for n in w x; do genfic-ca create-request $n.example --dir . --sign -p genfic-system; mv $n.example.crt $n.crt
             mv $n.example.key $n.key; done
         mv h.example.req h.req; genfic-ca hold x.crt
         genfic-ca create-child far --csr-only --profile user-ca
         genfic-ca sign far.req -p genfic --profile user-ca -o far.pem
         genfic-ca --home ../partner init; genfic-ca --home ../partner create-root partner
         cp ../partner/public/partner.pem .; rm -r ../partner
         genfic-ca create-child away -p genfic --profile user-ca; genfic-ca key export-bundle away --to medium
         cp ../home/public/away.crl .; genfic-ca ceremony request away -o r.toml
         genfic-ca ceremony sign r.toml --keys medium -o answered.toml --yes --date \
             $(sed -n 's/^made = \"\\(.*\\)\"/\\1/p' r.toml); cp ../home/public/genfic.crl ../home/public/genfic.pem ../home/public/genfic-system.pem .
         genfic-ca backup create one.age --with-keys --passphrase-from env:GENFIC_TEST_PASSPHRASE
         mkdir old pki pki/private
         for n in old pki; do openssl req -x509 -newkey ed25519 -nodes -keyout $n/ca.key -subj /CN=$n -days 99 -out $n/ca.crt
             touch $n/index.txt; done
         cp ../home/policy/user.toml p.toml; cp old/ca.key .; mv pki/ca.key pki/private",
    )
    .ok();
    home
}

/// Every command of the help with its row.
#[track_caller]
fn commands(home: &Home) -> Vec<&'static Row> {
    let mut found = Vec::new();
    collect(home, &[], &mut found);
    let row = |command: &String| ROWS.iter().find(|row| row.0 == command);
    let forgotten: Vec<&String> = found.iter().filter(|command| row(command).is_none()).collect();
    assert!(forgotten.is_empty(), "commands without a row in tests/input/all_commands/mod.rs: {forgotten:?}");
    assert!(found.len() > 40, "{found:?}");
    found.iter().filter_map(row).collect()
}

fn collect(home: &Home, above: &[&str], found: &mut Vec<String>) {
    let help = home.ca(&[above, &["--help"]].concat()).ok().out;
    let names = listed_commands(&help);
    if names.is_empty() {
        found.push(above.join(" "));
        return;
    }
    for name in names {
        collect(home, &[above, &[name]].concat(), found);
    }
}

/// The words of a row; what is beside the home is in this directory.
fn words(row: &Row, beside: &[u8]) -> Vec<OsString> {
    let all = row.0.split(' ').chain(row.1.split_whitespace());
    all.map(|word| match word.strip_prefix('@') {
        Some(name) => OsString::from_vec([beside, b"/", name.as_bytes()].concat()),
        None => word.into(),
    })
    .collect()
}

/// Like [`Home::command`], where a backup says its passphrase itself.
fn command(home: &Home, words: &[OsString]) -> Command {
    let mut command = home.command::<&OsStr>(&[]);
    if words.first().is_some_and(|word| word == "backup") {
        command.args(["--passphrase-from", "env:GENFIC_TEST_PASSPHRASE"]);
    }
    command.args(words);
    command
}

/// It ended by itself and with a word.
#[track_caller]
fn did_not_panic(said: &Said, what: &str) {
    assert!((0..=13).contains(&said.status), "{what}: {}", said.all());
    for never in ["panicked", "RUST_BACKTRACE", "internal error"] {
        assert!(!said.all().contains(never), "{what}: {}", said.all());
    }
    if !said.err.is_empty() {
        let is_clean = |c: char| !c.is_control() || c == '\n' || c == '\t';
        assert!(said.err.chars().all(is_clean), "{what}: {:?}", said.err);
    }
}

/// Does something for each of these on all processors, and says of all at once where it failed.
fn each<T: Sync>(all: &[T], name: impl Fn(&T) -> String + Sync, does: impl Fn(&T) + Sync) {
    let (next, failed) = (std::sync::atomic::AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| does(one)));
                    if done.is_err() {
                        failed.lock().unwrap().push(name(one));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "of {}: {failed:#?}", all.len());
}

/// How octets are told in the name of a case.
fn shown(octets: &[u8]) -> String {
    let text = octets.escape_ascii().to_string();
    if text.len() > 40 { format!("{}... ({} octets)", &text[..40], octets.len()) } else { text }
}

fn of(octets: &[u8]) -> &OsStr {
    OsStr::from_bytes(octets)
}
