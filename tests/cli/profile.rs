//! `profile list`, `profile show`, `profile check`, and what `init` is told wrong.
use crate::refused;
use crate::support::Home;
use std::fs;

#[test]
fn each_profile_says_what_it_is_for_and_which_ca_may_use_it() {
    // G21
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let list = home.result(&["profile", "list"])["profiles"].clone();
    let find = |name: &str| list.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    let user = find("user");
    assert_eq!(user["description"], "a person: client authentication and mail, 396 days");
    assert_eq!(user["authorities"], serde_json::json!(["genfic-user"]));
    assert_eq!(user["default_of"], serde_json::json!(["genfic-user"]));
    assert_eq!(find("user-ca")["authorities"], serde_json::json!(["genfic"]));
    let all = serde_json::json!(["genfic", "genfic-system", "genfic-user"]);
    assert_eq!(find("ocsp-responder")["authorities"], all);
    let text = home.ca(&["profile", "list"]).ok().out;
    let row = text.lines().find(|line| line.starts_with("system ")).unwrap();
    assert!(row.contains(" genfic-system ") && row.contains("825, up to 3650"), "{text}");
    let shown = home.ca(&["profile", "show", "user"]).ok().out;
    let contents = fs::read_to_string(home.path("home/policy/user.toml")).unwrap();
    assert!(shown.contains("a person: client authentication") && shown.ends_with(&contents), "{shown}");
    refused(&home.ca(&["profile", "show", "usr"]), 5, "policy.no-such-profile");
    // one that is retired uses none
    home.ca(&["create-child", "oops-system", "-p", "genfic"]).ok();
    home.ca(&["retire", "oops-system"]).ok();
    assert_eq!(home.result(&["profile", "list"])["profiles"], list);
}

#[test]
fn a_profile_with_a_mistake_is_listed_as_one_that_cannot_be_used() {
    let home = Home::new();
    fs::write(home.path("home/policy/mail.toml"), "kind = 'x'\n").unwrap();
    let list = home.result(&["profile", "list"])["profiles"].clone();
    let mail = list.as_array().unwrap().iter().find(|one| one["name"] == "mail").unwrap().clone();
    assert_eq!(mail["usable"], false);
    assert!(mail["message"].as_str().unwrap().contains("line 1: kind"), "{mail}");
}

#[test]
fn a_profile_is_checked_before_it_is_put_into_the_home_and_without_one() {
    let home = Home::new();
    let user = fs::read_to_string(home.path("home/policy/user.toml")).unwrap();
    fs::write(home.path("mail.toml"), user.replace("max_count", "max_cuont")).unwrap();
    let said = home.ca(&["profile", "check", "mail.toml"]);
    assert_eq!(said.status, 12, "{}", said.all());
    assert!(said.out.contains("profile mail: line ") && said.out.contains("max_cuont"), "{}", said.out);
    let object = home.ca(&["profile", "check", "mail.toml", "--json"]).json();
    assert_eq!(object["error"]["code"], "policy.invalid-profile");
    assert!(object["result"]["mistakes"][0]["line"].is_number(), "{object}");
    fs::write(home.path("mail.toml"), &user).unwrap();
    for words in
        [&["profile", "check", "mail.toml"][..], &["profile", "check", "mail.toml", "--home", "none"]]
    {
        assert_eq!(home.ca(words).ok().out, "1 profile, no mistakes\n");
    }
    fs::write(home.path("mail.toml"), user.replace("\"user-ca\"", "\"mail-ca\"")).unwrap();
    assert!(home.ca(&["profile", "check", "mail.toml"]).out.contains("there is no CA profile `mail-ca`"));
    refused(&home.ca(&["profile", "check", "mail.txt"]), 2, "usage");
    refused(&home.ca(&["profile", "check", "none.toml"]), 5, "file.read");
}

#[test]
fn what_init_is_told_wrong_is_told_by_its_option() {
    let home = Home::new();
    for (words, option) in [
        (&["--url", "pki.example"][..], "--url: must be a URL"),
        (&["--url", "https://pki.example"], "--url: must be plain http"),
        (&["--country", "Belgium"], "--country: `Belgium` has 7 characters"),
    ] {
        let said = home.ca(&[&["--home", "other", "init"], words].concat());
        refused(&said, 2, "config.invalid");
        assert!(said.err.starts_with(&format!("error: {option}")), "{}", said.err);
        assert!(!said.err.contains("line "), "{}", said.err);
    }
    assert!(!home.path("other").exists());
}
