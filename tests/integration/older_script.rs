//! The older script's example, word for word.
use crate::hierarchy_in_six_lines::shell;
use crate::support::Home;

/// As the command line contract prints them; the directory of the example is put below the test's own.
const EXAMPLE: &str = "
genfic-ca -r genfic -v 7300
genfic-ca -p genfic -c genfic-system -v 3650
genfic-ca -R /var/db/ca/self/myhostname
genfic-ca -p genfic-system -s /var/db/ca/self/myhostname.req -o /var/db/ca/self/myhostname.crt
genfic-ca -p genfic-system -x myhostname
";

#[test]
fn the_older_scripts_example_works_as_printed() {
    // G12
    let home = Home::new();
    let own = home.path("db/ca/self");
    std::fs::create_dir_all(&own).unwrap();
    let lines = EXAMPLE.replace("/var/db/ca/self", &own.display().to_string());
    let output = shell(&home, &lines);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let certificate = own.join("myhostname.crt").display().to_string();
    home.run(&["openssl", "verify", "-CAfile", "home/public/genfic-system.chain.pem", &certificate]).ok();
    let revoked = home.result(&["list", "--status", "revoked"]);
    assert_eq!(revoked["certificates"][0]["san"][0], "DNS:myhostname");
}

#[test]
fn without_a_key_the_older_scripts_revoke_lists_what_could_be_and_equal_ends_are_warned_about() {
    // G12, G4
    let home = Home::new();
    home.ca(&["-r", "genfic", "-v", "7300"]).ok();
    home.ca(&["-p", "genfic", "-c", "genfic-system", "-v", "3650"]).ok();
    let second = home.ca(&["-p", "genfic", "-c", "genfic-user", "-v", "3650"]).ok();
    assert!(second.err.contains("warning") && second.err.contains("14 days"), "{}", second.all());
    home.ca(&["create-request", "myhostname", "--sign", "-p", "genfic-system"]).ok();
    let candidates = home.ca(&["-p", "genfic-system", "-x"]);
    assert_eq!(candidates.status, 2, "{}", candidates.all());
    assert!(candidates.err.contains("myhostname"), "{}", candidates.all());
}

#[test]
fn create_root_initialises_a_home_that_is_not_there_and_says_so() {
    // G12
    let home = Home::new();
    std::fs::remove_dir_all(home.path("home")).unwrap();
    let made = home.ca(&["-r", "genfic"]).ok();
    assert!(made.err.contains("initialised with defaults"), "{}", made.all());
}

#[test]
fn create_root_initialises_a_home_with_the_settings_that_it_is_given() {
    // G1, G12
    let home = Home::new();
    std::fs::remove_dir_all(home.path("home")).unwrap();
    let with = |url| ["create-root", "genfic", "--org", "Example, Inc.", "--country", "BE", "--url", url];
    let wrong = home.ca(&with("nonsense"));
    assert!(
        wrong.status == 2 && wrong.err.contains("--url") && !home.path("home").exists(),
        "{}",
        wrong.all()
    );
    let made = home.ca(&with("http://pki.genfic.example")).ok();
    assert!(made.out.contains("C=BE, O=Example\\, Inc., CN=genfic"), "{}", made.all());
    assert!(made.err.contains("initialised as asked"), "{}", made.all());
    home.ca(&["create-child", "genfic-system", "-p", "genfic"]).ok();
    let shown = home.ca(&["show", "genfic-system"]).ok();
    assert!(shown.out.contains("http://pki.genfic.example/genfic.crl"), "{}", shown.all());
    // in a home that is there they have to be what is in force
    home.ca(&["create-root", "other", "--org", "Example, Inc."]).ok();
    let other = home.ca(&["create-root", "third", "--org", "Else"]);
    assert!(
        other.status == 4 && other.err.contains("asked for Else, there is Example, Inc."),
        "{}",
        other.all()
    );
}
