//! Killed at each step: the old key file or the new one is there, whole, and a second run succeeds.
use crate::support::{Home, Said, killing};
use crate::{OTHER, command, genfic_key, restores, root, split};
use std::fs;

/// Runs the words, each program killed at each of its failpoints in turn, on a new copy each time. Returns the numbers of
/// points.
fn killed_at_each(home: &Home, words: &str, look: impl Fn(&Home)) -> [usize; 2] {
    killing::killed_at_each(home, |home| command(home, words), |home, _, _| look(home))
}

/// Whether one of the two passphrases opens the root's key, which then signs.
fn signs(home: &Home) {
    let both = [crate::support::PASSPHRASE, OTHER];
    let opened = both.iter().filter(|passphrase| {
        let mut publish = home.command(&["crl", "publish", "genfic"]);
        Said::of(publish.env("GENFIC_TEST_PASSPHRASE", passphrase).output().unwrap()).status == 0
    });
    assert_eq!(opened.count(), 1);
}

#[test]
fn a_rewrap_that_is_killed_leaves_the_old_key_or_the_new_one() {
    // K1
    let home = root();
    let points = killed_at_each(&home, "rewrap genfic --new-passphrase-from env:OTHER --work 10", signs);
    assert!(points[0] >= 2, "{points:?}");
}

#[test]
fn a_split_that_is_killed_leaves_the_key_that_the_owner_or_all_custodians_open() {
    // G6
    let home = root();
    let words = "split genfic --shares 2 --threshold 2 --to s --in-place --yes";
    let before = fs::read(home.path("home/keys/genfic.age")).unwrap();
    let points = killed_at_each(&home, words, |home| {
        let now = fs::read(home.path("home/keys/genfic.age")).unwrap();
        if now == before {
            return;
        }
        let shares = "--share s/genfic-share-1-of-2.txt --share s/genfic-share-2-of-2.txt";
        genfic_key(home, &format!("combine genfic {shares} --check")).ok();
    });
    assert!(points[0] >= 8, "{points:?}");
}

#[test]
fn a_combination_that_is_killed_leaves_the_whole_file_or_none() {
    // G6
    let home = split();
    let shares = [1, 2, 3].map(|at| format!("--share s/genfic-share-{at}-of-5.txt")).join(" ");
    let words =
        format!("combine s/genfic.age {shares} -o restored.age --new-passphrase-from env:OTHER --work 10");
    let points = killed_at_each(&home, &words, |home| {
        if home.path("restored.age").exists() {
            restores(home, "restored.age", OTHER);
        }
        genfic_key(home, &format!("combine s/genfic.age {shares} --check")).ok();
    });
    assert!(points[0] >= 2, "{points:?}");
}

#[test]
fn a_combination_in_place_that_is_killed_leaves_the_key_that_the_shares_or_the_new_passphrase_open() {
    // G6
    let home = root();
    genfic_key(&home, "split genfic --shares 3 --threshold 2 --to s --in-place --yes").ok();
    let before = fs::read(home.path("home/keys/genfic.age")).unwrap();
    let shares = "--share s/genfic-share-1-of-3.txt --share s/genfic-share-3-of-3.txt";
    let words = format!("combine genfic {shares} --in-place --new-passphrase-from env:OTHER --work 10");
    let points = killed_at_each(&home, &words, |home| {
        if fs::read(home.path("home/keys/genfic.age")).unwrap() == before {
            genfic_key(home, &format!("combine genfic {shares} --check")).ok();
            genfic_key(home, &words).ok();
        }
        restores(home, "home/keys/genfic.age", OTHER);
    });
    assert!(points[0] >= 4, "{points:?}");
}

#[test]
fn where_nothing_can_be_written_nothing_is_half_made() {
    let home = root();
    // every write beyond a few octets fails, as on a full disk
    let limited = |words: &str, blocks: u32| {
        let command = command(&home, words);
        let mut shell = std::process::Command::new("sh");
        let run = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        shell.args(["-c", &run]).arg(command.get_program()).args(command.get_args());
        shell
            .current_dir(home.directory())
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Said::of(shell.output().unwrap())
    };
    let before = fs::read(home.path("home/keys/genfic.age")).unwrap();
    let said = limited("split genfic --shares 3 --threshold 2 --to s --in-place --yes", 8);
    assert!(said.status != 0 && said.err.contains("s/genfic"), "{}", said.all());
    assert_eq!(crate::names(&home, "s"), Vec::<String>::new(), "{}", said.all());
    let said = limited("rewrap genfic --new-passphrase-from env:OTHER --work 10", 0);
    assert_ne!(said.status, 0, "{}", said.all());
    assert_eq!(fs::read(home.path("home/keys/genfic.age")).unwrap(), before);
    home.ca(&["crl", "publish", "genfic"]).ok();
}
