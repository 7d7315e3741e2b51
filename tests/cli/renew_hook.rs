//! `renew --hook`: what runs after a renewal, and what it is told.
use crate::support::Home;
use std::fs;

fn hierarchy() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system", "-v", "20"]).ok();
    home
}

#[test]
fn a_hook_runs_only_when_something_changed_and_is_told_what() {
    // G22
    let home = hierarchy();
    let hook = "env | sort >told; echo said";
    let words =
        ["renew", "www.example", "--expiring", "30d", "--chain", "-o", "www.chain.pem", "--hook", hook];
    let done = home.ca(&[&words[..], &["--json"]].concat()).ok();
    let object = done.json();
    assert_eq!(object["result"]["hook"]["status"], 0, "{object}");
    assert!(done.err.contains("said"), "what a hook prints goes to standard error: {}", done.all());
    let told = fs::read_to_string(home.path("told")).unwrap();
    let serial = object["result"]["certificates"][0]["serial"].as_str().unwrap();
    for line in [
        "GENFIC_CA_COMMAND=renew",
        "GENFIC_CA_COUNT=1",
        "GENFIC_CA_NAME=www.example",
        "GENFIC_CA_FILE=www.chain.pem",
        "GENFIC_CA_FILES=www.chain.pem",
        "GENFIC_CA_ISSUER=genfic-system",
        &format!("GENFIC_CA_SERIAL={serial}"),
    ] {
        assert!(told.lines().any(|one| one == line), "{line}: {told}");
    }
    // K2: no passphrase, nor where it is from
    assert!(!told.contains("PASSPHRASE") && !told.contains("battery"), "{told}");
    fs::remove_file(home.path("told")).unwrap();
    let again = home.ca(&[&words[..], &["--json"]].concat()).ok().json();
    assert_eq!(again["changed"], false, "{again}");
    assert!(again["result"]["hook"].is_null() && !home.path("told").exists(), "{again}");
}

#[test]
fn a_hook_that_fails_leaves_the_certificate_renewed_and_says_so() {
    let home = hierarchy();
    let said = home.ca(&["renew", "www.example", "-o", "new.crt", "--hook", "exit 3", "--json"]);
    let object = said.json();
    assert_eq!(said.status, 1, "{}", said.all());
    assert_eq!((&object["changed"], &object["ok"]), (&true.into(), &false.into()), "{object}");
    assert_eq!(object["error"]["code"], "renewal.hook");
    assert!(
        object["error"]["message"].as_str().unwrap().contains("the certificates are renewed"),
        "{object}"
    );
    assert_eq!(object["result"]["hook"]["status"], 3);
    let serial = home.result(&["show", "new.crt"])["serial"].clone();
    assert_eq!(object["result"]["certificates"][0]["serial"], serial);
    assert!(home.ca(&["audit", "show"]).out.contains("renewal.hook"));
}

#[test]
fn a_hook_does_not_run_for_what_could_not_be_written() {
    let home = hierarchy();
    fs::create_dir(home.path("full")).unwrap();
    let said = home.ca(&["renew", "www.example", "-o", "/dev/full", "--hook", "touch ran"]);
    assert_eq!(said.status, 1, "{}", said.all());
    assert!(!home.path("ran").exists(), "{}", said.all());
}

#[test]
fn with_several_the_hook_runs_once_after_all() {
    // G22
    let home = hierarchy();
    home.ca(&["create-request", "b.example", "--sign", "-p", "genfic-system", "-v", "20"]).ok();
    fs::create_dir(home.path("new")).unwrap();
    let hook = "echo \"$GENFIC_CA_COUNT\" >>runs; echo \"$GENFIC_CA_FILES\" >>runs; ls new >>runs";
    let words = ["renew", "--expiring", "30d", "--dir", "new", "--hook", hook];
    home.ca(&words).ok();
    let both = "b.example.crt\nwww.example.crt\n";
    let runs = fs::read_to_string(home.path("runs")).unwrap();
    assert_eq!(runs, format!("2\nnew/www.example.crt\nnew/b.example.crt\n{both}"));
    home.ca(&words).ok();
    assert_eq!(fs::read_to_string(home.path("runs")).unwrap(), runs);
    // one is refused, and the hook runs for the other
    fs::remove_file(home.path("runs")).unwrap();
    let said = home.ca(&["renew", "b.example", "nobody.example", "--dir", "new", "--hook", hook]);
    assert_eq!(said.status, 7, "{}", said.all());
    assert!(fs::read_to_string(home.path("runs")).unwrap().starts_with("1\n"));
}
