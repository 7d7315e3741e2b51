//! Every question that a person is asked at a terminal, answered with Ctrl-C, with Ctrl-D and with no.
use crate::support::Home;
use crate::support::terminal::{END_OF_INPUT, INTERRUPT, Terminal};
use std::process::Command;

const OLD_CA: &str = "
    mkdir -p old && cd old && touch index.txt && echo 01 > crlnumber
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -subj /CN=Old -days 4000 \
        -out ca.crt -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null";

fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["www.example", "one.example"] {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system"]).ok();
    }
    home.ca(&["renew", "www.example"]).ok();
    home.shell("openssl req -new -key one.example.key -subj /CN=two.example -out two.req").ok();
    home.shell("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout r.key -subj /CN=r -out r.req")
        .ok();
    home.shell(OLD_CA).ok();
    let partner = "genfic-ca --home partner init; sed -i 's/^#* *scrypt_log_n.*/scrypt_log_n = 10/' partner/genfic-ca.toml
        genfic-ca --home partner create-root partner
        genfic-ca --home partner create-child sub -p partner --profile system-ca --permit sub.example
        genfic-ca backup create b.age --with-keys --passphrase-from env:GENFIC_TEST_PASSPHRASE
        genfic-ca backup restore b.age --home rebuilt --passphrase-from env:GENFIC_TEST_PASSPHRASE";
    home.shell(partner).ok();
    home
}

fn records(home: &Home) -> (String, String, usize) {
    let done = home.result(&["audit", "show"])["records"].as_array().unwrap().clone();
    let done = done.iter().filter(|record| record["outcome"] == "done").count();
    (home.result(&["list"]).to_string(), home.result(&["authorities"]).to_string(), done)
}

#[test]
fn at_every_question_whoever_does_not_say_yes_has_done_nothing() {
    // G11
    let home = home();
    let before = records(&home);
    for (words, question) in [
        ("revoke one.example", "Revoke it, for good? [y/N] "),
        ("revoke www.example", "? [all/newest/NONE] "),
        ("revoke --all www.example", "? [y/N] "),
        ("revoke genfic-system/0123456789abcdef0123456789abcdef", "Revoke the number, for good? [y/N] "),
        ("revoke genfic-user -p genfic", "everything below it falls too. Revoke it? [y/N] "),
        ("revoke-ca genfic-user", "Revoke genfic-user, for good? [y/N] "),
        ("renew-ca genfic-user --rekey", "It cannot be undone [y/N] "),
        ("cross-sign partner/public/sub.pem -p genfic --unconstrained", "? [y/N] "),
        ("sign one.example.req -p genfic-system", "Sign once more all the same? [y/N] "),
        ("sign two.req -p genfic-system --same-holder-as one.example", "under a new name? [y/N] "),
        ("sign r.req --responder-for genfic-system", "Issue it? [y/N] "),
        ("ocsp disable genfic-user", "Disable OCSP for genfic-user? [y/N] "),
        ("clock accept", "The last confirmed time is "),
        ("import openssl old --as old", "Take it over as old? It cannot be undone [y/N] "),
        ("--home rebuilt backup accept", "Issue certificates again? [y/N] "),
    ] {
        for (keys, code) in [
            (INTERRUPT, "input.interrupted"),
            (END_OF_INPUT, "input.declined"),
            ("\n", "input.declined"),
            ("no\n", "input.declined"),
        ] {
            let mut at = Terminal::run(&home, words);
            let (text, status) = at.wait_for(question).press(keys).end();
            assert_eq!(status, 9, "{words}: {text}");
            assert!(text.contains(&format!("(exit 9, {code})")), "{words}: {text}");
            assert!(text.contains("nothing was done") && !text.contains("Passphrase"), "{words}: {text}");
        }
    }
    assert_eq!(records(&home), before);
    home.ca(&["import", "openssl", "old", "--as", "old"]).ok();
    home.shell(r"printf 'V\t361010000000Z\t\t1234\tunknown\t/CN=new.example\n' >> old/index.txt").ok();
    let before = records(&home);
    let mut at = Terminal::run(&home, "import openssl old --as old");
    let (text, status) = at.interrupt("Add it to old? It cannot be undone [y/N] ").end();
    assert!(status == 9 && text.contains("input.interrupted"), "{text}");
    assert_eq!(records(&home), before);
}

#[test]
fn at_the_question_about_the_clock_ctrl_c_signs_nothing() {
    // X2, G11
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let before = records(&home);
    let like = home.command::<&str>(&[]);
    let mut command = Command::new("faketime");
    command
        .args(["-f", "+40d", crate::support::CA, "crl", "publish", "genfic"])
        .current_dir(home.directory());
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let (text, status) = Terminal::spawn(&command, 80, 24).interrupt("The last confirmed time is ").end();
    assert!(status == 13 && text.contains("clock.unconfirmed"), "{text}");
    assert_eq!(records(&home), before);
}

#[test]
fn a_question_stands_on_a_screen_of_eighty_columns_as_it_is_meant() {
    // G11
    let home = home();
    let certificate = home.result(&["list", "--subject", "*one.example"])["certificates"][0].clone();
    let mut at = Terminal::run(&home, "revoke one.example --reason superseded");
    at.wait_for("[y/N] ");
    let screen = at.screen();
    assert!(screen.lines().all(|row| row.chars().count() <= 80), "{screen}");
    let last = screen.lines().last().unwrap();
    assert_eq!(last, "Revoke it, for good (superseded)? [y/N]", "{screen}");
    let serial = certificate["serial"].as_str().unwrap();
    assert!(screen.lines().any(|row| row == format!("  serial   {serial}")), "{screen}");
    assert!(at.echoes(), "what is typed is shown");
    assert_eq!(at.press(INTERRUPT).end().1, 9);
    assert!(at.screen().contains("(exit 9, input.interrupted)"), "{}", at.screen());
}
