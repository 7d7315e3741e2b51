//! Shares: which restore a key, what is said of wrong ones, and that no secret stays.
use crate::support::terminal::Terminal;
use crate::{OTHER, command, genfic_key, names, put, refused, restores, root, share, split};
use std::fs;

#[test]
fn each_triple_of_three_of_five_restores_the_ca_and_no_pair_does() {
    // G6
    let home = split();
    let with = |chosen: &[usize], rest: &str| {
        let files: Vec<String> =
            chosen.iter().map(|at| format!("--share s/genfic-share-{at}-of-5.txt")).collect();
        genfic_key(&home, &format!("combine s/genfic.age {} {rest}", files.join(" ")))
    };
    for a in 1..=5 {
        for b in a + 1..=5 {
            refused(&with(&[b, a], "--check"), 9, "share.missing");
            for c in b + 1..=5 {
                with(&[c, a, b], "--check").ok();
            }
        }
    }
    with(&[4, 2, 5], "-o restored.age --new-passphrase-from env:OTHER --work 10").ok();
    restores(&home, "restored.age", OTHER);
    refused(&with(&[1, 2, 3], "-o restored.age --new-passphrase-from env:OTHER --work 10"), 4, "file.exists");
    assert_eq!(names(&home, "."), ["home", "restored.age", "s"]);
}

#[test]
fn a_damaged_share_a_foreign_one_and_a_repeated_one_are_told_and_nothing_is_written() {
    // G6
    let home = split();
    genfic_key(&home, "split genfic --shares 3 --threshold 2 --to other").ok();
    let text = fs::read_to_string(share(&home, 2)).unwrap();
    let line = text.lines().nth(3).unwrap();
    let at = line.len() - 1;
    let changed = format!("{}{}", &line[..at], if line.ends_with('7') { '8' } else { '7' });
    put(&home, "damaged.txt", &text.replace(line, &changed));
    put(&home, "short.txt", &text.lines().take(4).collect::<Vec<_>>().join("\n"));
    let first = "combine s/genfic.age --check --share s/genfic-share-1-of-5.txt";
    let damaged = genfic_key(&home, &format!("{first} --share damaged.txt"));
    refused(&damaged, 11, "share.damaged");
    assert!(damaged.err.contains("damaged.txt: line 3: character 20 is wrong: `"), "{}", damaged.err);
    refused(&genfic_key(&home, &format!("{first} --share short.txt")), 11, "share.damaged");
    let foreign = genfic_key(&home, &format!("{first} --share other/genfic-share-1-of-3.txt"));
    refused(&foreign, 11, "share.foreign");
    refused(&genfic_key(&home, &format!("{first} --share s/genfic-share-1-of-5.txt")), 11, "share.repeated");
    refused(&genfic_key(&home, &format!("{first} --share s/genfic.age")), 11, "file.malformed");
    refused(&genfic_key(&home, &format!("{first} --share none.txt")), 5, "file.read");
    // shares that belong together, and another key file
    fs::remove_file(home.path("s/genfic.shares.toml")).unwrap();
    let other = "combine s/genfic.age --check --share other/genfic-share-1-of-3.txt --share other/genfic-share-3-of-3.txt";
    refused(&genfic_key(&home, other), 8, "share.opens-nothing");
}

#[test]
fn a_share_typed_on_the_terminal_is_corrected_line_by_line() {
    // G6
    let home = split();
    let words = "combine s/genfic.age -o restored.age --new-passphrase-from env:OTHER --work 10";
    let mut terminal = Terminal::spawn(&command(&home, words), 80, 24);
    for (number, index) in [2, 2, 4, 1].into_iter().enumerate() {
        let text = fs::read_to_string(share(&home, index)).unwrap();
        terminal.wait_for("line by line");
        for (at, line) in text.lines().filter(|line| !line.starts_with('#')).enumerate() {
            terminal.wait_for(&format!("{}: ", at + 1));
            if number == 0 && at == 1 {
                let mut typed: Vec<char> = line.chars().collect();
                typed[8] = if typed[8] == 'Z' { 'Y' } else { 'Z' };
                terminal.type_line(&typed.into_iter().collect::<String>());
                terminal.wait_for("line 2: character 5 is wrong").wait_for("type this line again");
                terminal.wait_for("2: ");
            }
            terminal.type_line(&line.to_lowercase());
        }
        let told = ["2 more", "share 2 was given before", "1 more", "0 more"][number];
        terminal.wait_for(told);
    }
    assert_eq!(terminal.end().1, 0);
    restores(&home, "restored.age", OTHER);
}

#[test]
fn shares_with_passphrases_of_their_custodians_open_with_those_alone() {
    let home = root();
    let words = "split genfic --shares 2 --threshold 2 --to s --share-passphrase-from env:FIRST --share-passphrase-from env:SECOND";
    let run = |words: &str, first: &str| {
        let mut command = command(&home, words);
        crate::support::Said::of(command.env("FIRST", first).env("SECOND", "two").output().unwrap())
    };
    run(words, "one").ok();
    assert!(
        fs::read_to_string(home.path("s/genfic-share-1-of-2.txt")).unwrap().contains("passphrase of its own")
    );
    let combine =
        "combine s/genfic.age --check --share s/genfic-share-1-of-2.txt --share s/genfic-share-2-of-2.txt";
    let sources = "--share-passphrase-from env:FIRST --share-passphrase-from env:SECOND";
    run(&format!("{combine} {sources}"), "one").ok();
    refused(&run(&format!("{combine} {sources}"), "wrong"), 8, "key.passphrase-wrong");
    refused(&run(combine, "one"), 9, "key.passphrase-needed");
    // one that is of no use is told before its passphrase is asked for
    let first = "combine s/genfic.age --check --share s/genfic-share-1-of-2.txt";
    let source = "--share-passphrase-from env:FIRST";
    let repeated = format!("{first} --share s/genfic-share-1-of-2.txt {source}");
    refused(&run(&repeated, "one"), 11, "share.repeated");
    run(&words.replace("--to s", "--to other"), "one").ok();
    let foreign = format!("{first} --share other/genfic-share-2-of-2.txt {source}");
    refused(&run(&foreign, "one"), 11, "share.foreign");
}

#[test]
fn a_split_in_place_leaves_a_key_that_shares_alone_open_and_says_what_is_not_done() {
    // G6
    let home = root();
    let words = "split genfic --shares 3 --threshold 2 --to s --in-place";
    refused(&genfic_key(&home, words), 9, "input.confirmation");
    assert_eq!(names(&home, "s"), Vec::<String>::new(), "nothing was made before the answer");
    let said = genfic_key(&home, &format!("{words} --yes")).ok();
    for told in ["other copies", "destroy", "takes nothing back", "--rekey"] {
        assert!(said.out.contains(told), "{told}: {}", said.out);
    }
    assert_eq!(
        fs::read(home.path("home/keys/genfic.age")).unwrap(),
        fs::read(home.path("s/genfic.age")).unwrap()
    );
    refused(&home.ca(&["crl", "publish", "genfic"]), 8, "key.passphrase-wrong");
    let shares = "--share s/genfic-share-1-of-3.txt --share s/genfic-share-3-of-3.txt";
    let back = format!("combine genfic {shares} --in-place --new-passphrase-from env:OTHER --work 10");
    genfic_key(&home, &back).ok();
    restores(&home, "home/keys/genfic.age", OTHER);
}

#[test]
fn what_cannot_be_done_is_refused_before_a_passphrase_is_asked_for() {
    let home = root();
    let refuses = |words: &str, exit: i32, code: &str| {
        let mut command = command(&home, words);
        let said =
            crate::support::Said::of(command.env("GENFIC_CA_PASSPHRASE_FROM", "prompt").output().unwrap());
        refused(&said, exit, code);
    };
    refuses("split genfic --shares 2 --threshold 3 --to s", 2, "share.numbers");
    refuses("split genfic --shares 5 --threshold 1 --to s", 2, "share.numbers");
    refuses("split none --shares 5 --threshold 3 --to s", 8, "key.not-found");
    refuses("rewrap genfic --work 40", 2, "usage");
    refuses("split genfic --shares 5 --threshold 3", 2, "usage");
    fs::create_dir(home.path("s")).unwrap();
    fs::write(home.path("s/genfic.pdf"), "mine").unwrap();
    refuses("split genfic --shares 5 --threshold 3 --to s", 4, "file.exists");
    assert_eq!(names(&home, "s"), ["genfic.pdf"]);
    refuses("split genfic --shares 5 --threshold 3 --to t", 9, "key.passphrase-needed");
    assert!(!home.path("t").exists());
    refuses("page genfic -o s/genfic.pdf", 4, "file.exists");
    refuses("combine genfic -o x.age --no-input", 9, "share.missing");
}
