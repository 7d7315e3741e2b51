//! `key export`, `key envelope` and the media of an offline root, where the command or its signer is killed at each step: the
//! old state or the new one, and the same command does the rest.
use crate::support::{Home, Said};
use crate::{OTHER, root};
use std::fs;

/// The variables by which the command, or the signer that it starts, is killed.
const PROGRAMS: [&str; 2] = ["GENFIC_CA_FAILPOINT", "GENFIC_SIGNER_FAILPOINT"];

fn run(home: &Home, words: &str, killed: Option<(&str, usize)>) -> Said {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut command = home.command(&words);
    if let Some((variable, point)) = killed {
        command.env(variable, point.to_string());
    }
    Said::of(command.env("OTHER", OTHER).output().unwrap())
}

/// Runs the words, each program killed at each of its failpoints in turn, on a new copy each time; `look` sees each copy,
/// and whether the command came to its end. Returns the number of points of both.
fn killed_at_each(home: &Home, words: &str, look: impl Fn(&Home, bool)) -> [usize; 2] {
    PROGRAMS.map(|variable| {
        for point in 1.. {
            let copy = home.copied();
            let said = run(&copy, words, Some((variable, point)));
            look(&copy, said.status == 0);
            if said.status == 0 {
                return point - 1;
            }
            // the command is killed, or says that its signer ended
            let signer_ended = said.status == 8 && said.err.contains("signer.unavailable");
            assert!(said.status == -1 || signer_ended, "{variable} {point}: {}", said.all());
        }
        0
    })
}

#[test]
fn a_key_that_is_exported_is_whole_in_its_file_and_on_record_or_there_is_no_file() {
    // K1
    let home = root();
    let words = "key export genfic -o out.key --confirm genfic --new-passphrase-from env:OTHER";
    let openssl = |home: &Home| {
        let pass = format!("pass:{OTHER}");
        home.run(&["openssl", "pkey", "-in", "out.key", "-passin", &pass, "-noout"]).ok();
    };
    let points = killed_at_each(&home, words, |home, is_done| {
        let is_there = home.path("out.key").exists();
        assert!(is_there || !is_done);
        if is_there {
            openssl(home);
            let journal = fs::read(home.path("home/keys/journal")).unwrap();
            let told = b"age:genfic.age, as PKCS#8";
            assert!(journal.windows(told.len()).any(|window| window == told));
            let records = home.ca(&["audit", "show"]).ok().out;
            assert!(records.contains("key export"), "{records}");
            fs::remove_file(home.path("out.key")).unwrap();
        }
        let left: Vec<String> = crate::names(home, ".");
        assert_eq!(left, ["home"], "nothing half made is left");
        run(home, words, None).ok();
        openssl(home);
        assert_eq!(home.ca(&["audit", "verify"]).status, 0);
    });
    assert!(points.iter().all(|points| *points >= 3), "{points:?}");
}

#[test]
fn an_envelope_is_the_old_one_or_the_new_one() {
    // K3
    let home = root();
    let words = "key envelope genfic --set longest_days=9000 --confirm genfic";
    let read = |home: &Home| fs::read_to_string(home.path("home/keys/genfic.envelope.toml")).unwrap();
    let before = read(&home);
    let changed = home.copied();
    run(&changed, words, None).ok();
    let after = read(&changed);
    assert!(before != after && after.contains("longest_days = 9000"));
    let points = killed_at_each(&home, words, |home, is_done| {
        let now = read(home);
        assert!(now == after || (now == before && !is_done), "{now}");
        if now == after {
            let journal = fs::read(home.path("home/keys/journal")).unwrap();
            let told = b"longest_days = 9000";
            assert!(journal.windows(told.len()).any(|window| window == told), "before it counts");
        }
        run(home, words, None).ok();
        assert_eq!(read(home), after);
        home.ca(&["crl", "publish", "genfic"]).ok();
        assert_eq!(home.ca(&["audit", "verify"]).status, 0);
    });
    assert!(points[0] >= 2 && points[1] >= 10, "{points:?}");
}

#[test]
fn a_key_that_comes_back_from_a_medium_is_on_the_medium_and_whole_wherever_it_is() {
    // G6
    let home = root();
    run(&home, "key export-bundle genfic --to medium", None).ok();
    let words = "key import-bundle genfic --from medium";
    let points = killed_at_each(&home, words, |home, is_done| {
        let kept = fs::read(home.path("medium/genfic.age")).unwrap();
        let here = fs::read(home.path("home/keys/genfic.age"));
        assert!(here.as_ref().map_or(!is_done, |here| *here == kept));
        let again = run(home, words, None);
        assert!(again.status == 0 || again.err.contains("is not kept offline"), "{}", again.all());
        home.ca(&["crl", "publish", "genfic"]).ok();
    });
    assert!(points[0] >= 3, "{points:?}");
}
