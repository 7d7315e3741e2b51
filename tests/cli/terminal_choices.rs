//! Choices among several certificates at a terminal, and the bar that shows how far a command is.
use crate::support::terminal::{INTERRUPT, Terminal};
use crate::support::{Home, PASSPHRASE};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

fn renewed() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["renew", "www.example"]).ok();
    home
}

fn statuses(home: &Home) -> Vec<String> {
    let listed = home.result(&["list", "--subject", "*www.example"]);
    let all = listed["certificates"].as_array().unwrap();
    all.iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_person_chooses_all_the_newest_or_none_of_a_holders_certificates_in_one_question() {
    // G11
    let home = renewed();
    let question = "Revoke them, for good (superseded)? [all/newest/NONE] ";
    let words = "revoke www.example --reason superseded";
    for (typed, code) in
        [("\n", "input.declined"), ("x\n", "input.declined"), (INTERRUPT, "input.interrupted")]
    {
        let mut at = Terminal::run(&home, words);
        at.wait_for("2 certificates of one holder").wait_for(question).press(typed);
        let (text, status) = at.end();
        assert!(status == 9 && text.contains(code) && text.contains("nothing was done"), "{text}");
        assert_eq!(statuses(&home), ["valid", "valid"]);
    }
    let copy = home.copied();
    let mut at = Terminal::run(&copy, words);
    at.answer(question, "newest").answer("Passphrase for the key of genfic-system: ", PASSPHRASE);
    let (text, status) = at.end();
    assert_eq!(status, 0, "{text}");
    assert_eq!(text.matches("[").count(), 1, "one question: {text}");
    assert_eq!(statuses(&copy), ["valid", "revoked"]);

    let mut at = Terminal::run(&home, words);
    at.answer(question, "all").answer("Passphrase for the key of genfic-system: ", PASSPHRASE);
    let (text, status) = at.end();
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("2 certificates revoked, 1 CRL published"), "{text}");
    assert_eq!(statuses(&home), ["revoked", "revoked"]);
}

#[test]
fn a_list_is_shown_and_asked_about_once() {
    // G11
    let home = renewed();
    home.ca(&["create-request", "b.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["create-request", "c.example", "--sign", "-p", "genfic-system"]).ok();
    fs::write(home.path("gone"), "b.example\nc.example\nnobody.example\n").unwrap();
    let mut at = Terminal::run(&home, "revoke --file gone");
    at.wait_for("left out:\r\n  nobody.example").answer("Revoke them, for good? [y/N] ", "n");
    let (text, status) = at.end();
    assert!(status == 9 && text.contains("CN=b.example") && text.contains("CN=c.example"), "{text}");
    let mut at = Terminal::run(&home, "revoke --file gone");
    at.answer("[y/N] ", "y").answer("Passphrase for the key of genfic-system: ", PASSPHRASE);
    let (text, status) = at.end();
    assert!(status == 7 && text.contains("2 certificates revoked, 1 refused, 1 CRL published"), "{text}");
    assert_eq!(text.matches("Passphrase for").count(), 1, "{text}");
}

#[test]
fn a_request_that_was_certified_already_is_asked_about() {
    let home = renewed();
    let issued = || home.result(&["list"])["certificates"].as_array().unwrap().len();
    let before = issued();
    for typed in ["n\n", INTERRUPT] {
        let mut at = Terminal::run(&home, "sign www.example.req -p genfic-system");
        at.wait_for("certified already").wait_for("Sign once more all the same? [y/N] ").press(typed);
        let (text, status) = at.end();
        assert!(status == 9 && text.contains("nothing was done"), "{text}");
    }
    assert_eq!(issued(), before);
    let mut at = Terminal::run(&home, "sign www.example.req -p genfic-system");
    at.answer("[y/N] ", "y").answer("Passphrase for", PASSPHRASE);
    assert_eq!(at.end().1, 0);
    assert_eq!(issued(), before + 1);
}

#[test]
fn what_takes_over_a_second_shows_a_bar_that_goes_and_ctrl_c_leaves_no_half_file() {
    const MANY: usize = 1200;
    let home = renewed();
    let files = "www.example.req ".repeat(MANY);
    let mut at = Terminal::run(&home, &format!("sign {files} -p genfic-system --yes"));
    at.answer("Passphrase for the key of genfic-system: ", PASSPHRASE);
    at.wait_for_screen("a bar", |screen| screen.contains("signed [") && screen.contains(&format!("/{MANY}")));
    let (text, status) = at.end();
    assert_eq!(status, 0, "{}", &text[text.len().saturating_sub(2000)..]);
    assert!(!at.screen().contains("signed ["), "it is cleared at the end: {}", at.screen());

    // C7: whenever the export is interrupted, there is the whole file or none, and nothing beside it
    fs::create_dir(home.path("out")).unwrap();
    let lines = |text: &str| text.lines().count();
    let mut interrupted = 0;
    for delay in (0..200).step_by(8) {
        let mut command = home.command(&["export", "index-txt", "genfic-system", "-o", "out/index.txt"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(delay));
        // not by a program, whose start may take longer than the whole export
        let _ = kill_process(Pid::from_child(&child), Signal::INT);
        interrupted += usize::from(child.wait().unwrap().code().is_none());
        let names: Vec<String> = fs::read_dir(home.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(names.iter().all(|name| name.starts_with("index.txt")), "{delay}: {names:?}");
        if let Ok(text) = fs::read_to_string(home.path("out/index.txt")) {
            assert_eq!(lines(&text), MANY + 3, "{delay}");
        }
        for name in names {
            fs::remove_file(home.path("out").join(name)).unwrap();
        }
    }
    assert!(interrupted > 0);
    home.ca(&["export", "index-txt", "genfic-system", "-o", "out/index.txt"]).ok();
}

#[test]
fn no_bar_is_drawn_where_little_is_to_be_said() {
    let home = renewed();
    let files = "www.example.req ".repeat(400);
    for more in ["--quiet", "--json"] {
        let mut command = home.command(&["sign", "-p", "genfic-system", "--yes", more]);
        command.args(files.split_whitespace());
        let mut at = Terminal::spawn(&command, 80, 24);
        let (text, status) = at.end();
        assert_eq!(status, 0, "{text}");
        assert!(!text.contains("signed ["), "{more}");
    }
}
