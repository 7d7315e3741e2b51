//! Questions and passphrases on a terminal.
use crate::support::terminal::{END_OF_INPUT, INTERRUPT, Terminal};
use crate::support::{CA, Home, PASSPHRASE};
use std::process::Command;

fn shell(lines: &str) -> Terminal {
    let mut command = Command::new("sh");
    command.args(["-c", lines]);
    Terminal::spawn(&command, 80, 24)
}

fn with_www() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    home
}

fn status_of(home: &Home, name: &str) -> String {
    home.result(&["list", "--subject", name])["certificates"][0]["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_person_sees_what_is_revoked_and_is_asked_before_it_is() {
    // G11
    let home = with_www();
    home.ca(&["renew", "www.example"]).ok();
    let one = home.result(&["list", "--subject", "*www.example"])["certificates"][0].clone();
    let serial = one["serial"].as_str().unwrap();
    for (answer, code) in
        [("n\n", "input.declined"), ("\n", "input.declined"), (INTERRUPT, "input.interrupted")]
    {
        let mut at = Terminal::run(&home, &format!("revoke genfic-system/{serial} --reason superseded"));
        let (screen, status) = at.wait_for("for good (superseded)? [y/N] ").press(answer).end();
        assert_eq!(status, 9, "{screen}");
        for shown in [
            "CN=www.example",
            serial,
            "genfic-system",
            one["not_after"].as_str().unwrap(),
            "others for the same key, which stay valid",
            "nothing was done",
            code,
        ] {
            assert!(screen.contains(shown), "{shown}: {screen}");
        }
        assert!(!screen.contains("Passphrase"), "{screen}");
        assert_eq!(
            home.result(&["list", "--status", "revoked"])["certificates"].as_array().unwrap().len(),
            0
        );
    }
    let mut at = Terminal::run(&home, &format!("revoke genfic-system/{serial} --reason superseded"));
    let (screen, status) = at.answer("[y/N] ", "y").answer("Passphrase for", PASSPHRASE).end();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("revoked") && screen.contains("number 2"), "{screen}");
    assert!(!screen.contains("battery"), "what is typed is not shown: {screen}");
    let mut at = Terminal::run(&home, "revoke www.example --yes --no-crl");
    let (screen, status) = at.end();
    assert!(status == 0 && !screen.contains("[y/N]"), "{screen}");
}

#[test]
fn whoever_gives_no_passphrase_is_told_what_stands() {
    // G11
    let home = with_www();
    for host in ["a.example", "b.example"] {
        home.ca(&["create-request", host, "--sign", "-p", "genfic-system"]).ok();
    }
    for (host, typed) in [
        ("www.example", &[INTERRUPT][..]),
        ("a.example", &["wrong\n", "wronger\n", "wrongest\n"]),
        ("b.example", &["\n", "\n", "\n"]),
    ] {
        let mut at = Terminal::run(&home, &format!("revoke {host}"));
        at.answer("[y/N] ", "y");
        for typed in typed {
            at.wait_for("Passphrase for").press(typed);
        }
        let (screen, status) = at.end();
        assert_eq!(status, 8, "{screen}");
        assert!(screen.contains("it is recorded and answered by OCSP, but the CRL is owed"), "{screen}");
        assert!(screen.contains("then: genfic-ca crl publish genfic-system"), "{screen}");
        assert!(!screen.contains("again"), "what is revoked is not revoked once more: {screen}");
        assert!(screen.contains("genfic-ca crl publish genfic-system"), "{screen}");
        assert_eq!(status_of(&home, &format!("*{host}")), "revoked");
    }
    home.ca(&["crl", "publish", "genfic-system"]).ok();
}

#[test]
fn a_new_passphrase_is_asked_for_twice_and_is_not_shown() {
    // G1, K2
    let home = Home::new();
    let mut at = Terminal::run(&home, "create-root genfic");
    at.answer("New passphrase for the key of genfic: ", PASSPHRASE);
    let (screen, status) = at.answer("The same again: ", PASSPHRASE).end();
    assert_eq!(status, 0, "{screen}");
    assert!(!screen.contains("correct") && !screen.contains("battery"), "{screen}");
    assert_eq!(screen.matches("assphrase for").count(), 1, "{screen}");
    assert_eq!(screen.matches("The same again").count(), 1, "{screen}");
    home.ca(&["crl", "publish", "genfic"]).ok();

    let mut at = Terminal::run(&home, "create-root other");
    for _ in 0..3 {
        at.answer("New passphrase for the key of other", PASSPHRASE);
        at.answer("The same again: ", "correct horse battery stable");
    }
    let (screen, status) = at.end();
    assert_eq!(status, 8, "{screen}");
    assert!(screen.contains("the two passphrases differ") && !screen.contains("battery"), "{screen}");
    assert!(
        screen.contains("\ntype the same passphrase twice\n(exit 8, key.passphrase-unavailable)"),
        "{screen}"
    );
    assert_eq!(home.result(&["authorities"])["authorities"].as_array().unwrap().len(), 1);
}

#[test]
fn an_interrupted_command_that_had_not_begun_says_so() {
    let home = with_www();
    home.ca(&["create-request", "new.example"]).ok();
    for words in [
        "sign new.example.req -p genfic-system",
        "create-root other",
        "crl publish genfic-system",
        "create-child other -p genfic",
    ] {
        let before = home.result(&["list"])["certificates"].as_array().unwrap().len();
        let mut at = Terminal::run(&home, words);
        let (screen, status) = at.interrupt("assphrase for").end();
        assert_eq!(status, 8, "{words}: {screen}");
        assert!(screen.contains("interrupted") && screen.contains("nothing was done"), "{words}: {screen}");
        assert_eq!(home.result(&["list"])["certificates"].as_array().unwrap().len(), before, "{words}");
    }
    let mut at = Terminal::run(&home, "create-request locked.example --encrypt");
    let (screen, status) = at.interrupt("assphrase for").end();
    assert!(status == 8 && screen.contains("nothing was done"), "{screen}");
    assert!(!home.path("locked.example.key").exists() && !home.path("locked.example.req").exists());
}

#[test]
fn a_ca_is_revoked_and_rekeyed_by_a_person_only_after_a_question() {
    let home = with_www();
    for (words, question) in [
        ("revoke-ca genfic-user", "Revoke genfic-user, for good? [y/N] "),
        ("renew-ca genfic-user --rekey", "It cannot be undone [y/N] "),
        ("revoke genfic-user -p genfic", "falls too. Revoke it? [y/N] "),
    ] {
        let mut at = Terminal::run(&home, words);
        let (screen, status) = at.interrupt(question).end();
        assert!(status == 9 && screen.contains("nothing was done"), "{words}: {screen}");
    }
    let authorities = home.result(&["authorities"])["authorities"].as_array().unwrap().len();
    assert_eq!(authorities, 3);
    let mut at = Terminal::run(&home, "revoke-ca genfic-user --reason ca-compromise");
    let (screen, status) = at.answer("[y/N] ", "yes").interrupt("Passphrase for").end();
    assert_eq!(status, 8, "{screen}");
    assert!(screen.contains("recorded") && screen.contains("genfic-ca crl publish genfic"), "{screen}");
}

#[test]
fn a_terminal_has_a_size_echoes_and_wraps_what_is_longer_than_a_row() {
    let mut at = shell("stty size; read x; printf '%0100d' 7; exit 3");
    at.wait_for("24 80").type_line("typed");
    assert_eq!(at.end().1, 3);
    let zeros = "0".repeat(80);
    assert_eq!(at.screen(), format!("24 80\ntyped\n{zeros}\n00000000000000000007"));
    assert!(at.text().ends_with(&format!("{zeros}00000000000000000007")), "text is not wrapped");
}

#[test]
fn its_size_changes_under_the_program_and_ctrl_c_ends_it() {
    let mut at =
        shell("trap 'stty size' WINCH; trap 'kill -KILL $$' INT; echo here; while :; do sleep 0.05; done");
    at.wait_for("here").resize(60, 10).wait_for("10 60").press(INTERRUPT);
    assert_eq!(at.end().1, -1);
}

/// A passphrase that is strong, and not that of the tests' keys.
const OTHER: &str = "mutt unlucky crimp slouching ferret abacus";

fn opens(home: &Home, authority: &str, passphrase: &str) -> bool {
    let mut command = home.command(&["crl", "publish", authority]);
    let said = crate::support::Said::of(command.env("GENFIC_TEST_PASSPHRASE", passphrase).output().unwrap());
    assert!([0, 8].contains(&said.status), "{}", said.all());
    said.status == 0
}

#[test]
fn a_wrong_passphrase_is_asked_for_again_and_only_that_of_the_ca_that_failed() {
    // G1, K2
    let home = with_www();
    let changed = home.command(&["key", "passphrase", "genfic-user", "--new-passphrase-from", "env:OTHER"]);
    let mut changed = changed;
    assert!(changed.env("OTHER", OTHER).output().unwrap().status.success());
    let mut at = Terminal::run(&home, "crl publish --all");
    at.answer("Passphrase for the key of genfic: ", PASSPHRASE);
    at.answer("Passphrase for the key of genfic-system: ", "wrong");
    at.answer("does not open it\r\nPassphrase for the key of genfic-system (2 of 3): ", "");
    at.answer("is empty\r\nPassphrase for the key of genfic-system (3 of 3): ", PASSPHRASE);
    at.answer("Passphrase for the key of genfic-user: ", PASSPHRASE);
    at.answer("Passphrase for the key of genfic-user (2 of 3): ", OTHER);
    let (text, status) = at.end();
    assert_eq!(status, 0, "{text}");
    assert_eq!(text.matches("Passphrase for the key of genfic").count(), 6, "{text}");
    assert!(!text.contains("battery") && !text.contains("crimp"), "what is typed is not shown: {text}");
}

#[test]
fn after_three_wrong_passphrases_the_command_ends_and_asks_for_that_key_no_more() {
    // G1, K2
    let home = with_www();
    home.ca(&["create-request", "new.example"]).ok();
    let mut at = Terminal::run(&home, "sign new.example.req -p genfic-system");
    for _ in 0..3 {
        at.answer("Passphrase for the key of genfic-system", "wrong");
    }
    let (text, status) = at.end();
    assert_eq!(status, 8, "{text}");
    assert!(text.contains("(exit 8, key.passphrase-wrong)") && !text.contains("--passphrase-from"), "{text}");
    assert_eq!(text.matches("Passphrase for").count(), 3, "{text}");

    // every CRL of the key is owed, and the key is asked for three times in all
    let mut at = Terminal::run(&home, "crl publish --all");
    at.answer("key of genfic: ", PASSPHRASE);
    for _ in 0..3 {
        at.answer("Passphrase for the key of genfic-system", "wrong");
    }
    let (text, status) = at.answer("key of genfic-user: ", PASSPHRASE).end();
    assert_eq!(status, 8, "{text}");
    assert_eq!(text.matches("Passphrase for").count(), 5, "{text}");
}

#[test]
fn what_is_no_new_passphrase_is_asked_for_again_with_what_was_wrong() {
    // G1, K2
    let home = Home::new();
    let prompt = "New passphrase for the key of genfic";
    let mut at = Terminal::run(&home, "create-root genfic");
    at.answer(&format!("{prompt}: "), "genfic root");
    at.answer(&format!("{prompt} (2 of 3): "), PASSPHRASE).answer("The same again: ", OTHER);
    at.answer(&format!("differ\r\n{prompt} (3 of 3): "), PASSPHRASE).answer("The same again: ", PASSPHRASE);
    let (text, status) = at.end();
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("that is soon guessed: "), "{text}");
    assert!(opens(&home, "genfic", PASSPHRASE));

    let mut at = Terminal::run(&home, "create-root other");
    at.answer("key of other: ", "").answer("is empty", PASSPHRASE).answer("The same again: ", "");
    at.answer("key of other (3 of 3): ", "short");
    let (text, status) = at.end();
    assert_eq!(status, 7, "{text}");
    assert!(text.contains("key.passphrase-weak") && text.contains("--generate"), "{text}");
    assert!(!home.path("home/keys/other.age").exists());

    let mut at = Terminal::run(&home, "create-root other --weak-passphrase");
    at.answer("key of other: ", "short").answer("again: ", "short");
    let (text, status) = at.end();
    assert!(status == 0 && text.contains("the passphrase of other is weak and soon guessed"), "{text}");
}

#[test]
fn ctrl_d_and_ctrl_c_end_at_once_at_every_passphrase() {
    let home = with_www();
    for (words, prompt) in [
        ("create-root other", "New passphrase for the key of other: "),
        ("crl publish genfic", "Passphrase for the key of genfic: "),
        ("key passphrase genfic", "Passphrase for the key of genfic: "),
        ("create-root other --generate", "Write it down, then type it: "),
        ("create-request locked.example --encrypt", "New passphrase for the key of locked.example: "),
        ("backup create b.age", "New passphrase for the backup: "),
    ] {
        for (key, said) in [(INTERRUPT, "interrupted"), (END_OF_INPUT, "nothing was typed")] {
            let mut at = Terminal::run(&home, words);
            let (text, status) = at.wait_for(prompt).press(key).end();
            assert_eq!(status, 8, "{words}: {text}");
            assert!(text.contains(said) && !text.contains("of 3"), "{words}: {text}");
            assert!(!text.contains("--passphrase-from"), "an option that was not used: {words}: {text}");
        }
    }
    // half way
    let mut at = Terminal::run(&home, "create-root other");
    let (text, status) = at.answer("other: ", PASSPHRASE).interrupt("The same again: ").end();
    assert!(status == 8 && text.contains("nothing was done"), "{text}");
    let mut at = Terminal::run(&home, "key passphrase genfic");
    let (text, status) =
        at.answer("genfic: ", PASSPHRASE).interrupt("New passphrase for the key of genfic: ").end();
    assert!(status == 8 && text.contains("nothing was done"), "{text}");
    assert!(opens(&home, "genfic", PASSPHRASE));
    assert_eq!(home.result(&["authorities"])["authorities"].as_array().unwrap().len(), 3);
}

#[test]
fn a_generated_passphrase_is_shown_once_and_typed_as_it_was_written_down() {
    // K2
    let home = Home::new();
    let mut at = Terminal::run(&home, "create-root genfic --generate");
    at.wait_for("Write it down, then type it: ");
    let screen = at.screen();
    let words = screen.lines().map(str::trim).find(|line| line.split(' ').count() == 6).unwrap().to_owned();
    assert_eq!(
        screen,
        format!(
            "New passphrase for the key of genfic:\n\n    {words}\n\nIt is not shown again, and without it \
             nothing opens the key of genfic.\nWrite it down, then type it:"
        )
    );
    assert!(!at.echoes());
    at.type_line("something else").answer("not the passphrase that was shown\r\nWrite it down", &words);
    let (text, status) = at.end();
    assert_eq!(status, 0, "{text}");
    assert_eq!(text.matches(&words).count(), 1, "{text}");
    assert!(opens(&home, "genfic", &words));

    let mut at = Terminal::run(&home, "create-root other --generate");
    for _ in 0..3 {
        at.answer("type it", "something else");
    }
    let (text, status) = at.end();
    assert!(status == 8 && !text.contains("--passphrase-from"), "{text}");
    assert!(!home.path("home/keys/other.age").exists());
}

#[test]
fn a_passphrase_is_changed_at_a_terminal() {
    // K2
    let home = with_www();
    let mut at = Terminal::run(&home, "key passphrase genfic-system");
    at.answer("Passphrase for the key of genfic-system: ", "wrong").answer("(2 of 3): ", PASSPHRASE);
    at.answer("New passphrase for the key of genfic-system: ", OTHER).answer("The same again: ", OTHER);
    let (text, status) = at.end();
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("only the new passphrase opens") && text.contains("backups --with-keys"), "{text}");
    assert!(opens(&home, "genfic-system", OTHER) && !opens(&home, "genfic-system", PASSPHRASE));
    assert!(opens(&home, "genfic", PASSPHRASE));
}

/// The processes that a process has started.
fn children(process: i32) -> Vec<i32> {
    let listed = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    listed.unwrap_or_default().split_whitespace().map(|one| one.parse().unwrap()).collect()
}

fn lives(process: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with('Z'))
}

#[test]
fn a_signer_whose_command_is_killed_at_its_question_ends_and_gives_the_terminal_back() {
    // G6: under a shell that gives its jobs the terminal, and under one that does not
    for shell in ["", "set -m; "] {
        let home = Home::new();
        let mut command = home.command::<&str>(&[]);
        let lines = format!("{shell}\"{CA}\" create-root other; echo over; read line; echo \"read $line\"");
        let mut bash = Command::new("bash");
        bash.args(["-c", &lines]).current_dir(home.directory()).envs(
            command
                .env("GENFIC_CA_PASSPHRASE_FROM", "prompt")
                .get_envs()
                .map(|(name, value)| (name, value.unwrap())),
        );
        let mut at = Terminal::spawn(&bash, 80, 24);
        at.wait_for("New passphrase for the key of other: ");
        let ca = children(at.id())[0];
        let signer = children(ca)[0];
        assert!(!at.echoes() && lives(signer));
        let killed = Command::new("kill").args(["-KILL", &ca.to_string()]).status();
        assert!(killed.unwrap().success());
        at.wait_for("over");
        let began = std::time::Instant::now();
        while lives(signer) || !at.echoes() {
            assert!(began.elapsed().as_secs() < 30, "{shell}: it lives on: {}", lives(signer));
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        at.type_line("typed").wait_for("read typed");
        assert_eq!(at.end().1, 0);
        assert!(!home.path("home/keys/other.age").exists());
    }
}
