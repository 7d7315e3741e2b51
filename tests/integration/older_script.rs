//! The older script's example, word for word.
use crate::support::Home;

#[test]
fn the_older_scripts_example_works_as_printed() {
    // G12
    let home = Home::new();
    std::fs::create_dir(home.path("self")).unwrap();
    home.ca(&["-r", "genfic", "-v", "7300"]).ok();
    home.ca(&["-p", "genfic", "-c", "genfic-system", "-v", "3650"]).ok();
    let second = home.ca(&["-p", "genfic", "-c", "genfic-user", "-v", "3650"]).ok();
    assert!(second.err.contains("warning") && second.err.contains("14 days"), "{}", second.all());
    home.ca(&["-R", "self/myhostname"]).ok();
    let sign = ["-p", "genfic-system", "-s", "self/myhostname.req", "-o", "self/myhostname.crt"];
    home.ca(&sign).ok();
    home.run(&["openssl", "verify", "-CAfile", "home/public/genfic-system.chain.pem", "self/myhostname.crt"])
        .ok();
    let candidates = home.ca(&["-p", "genfic-system", "-x"]);
    assert_eq!(candidates.status, 2, "{}", candidates.all());
    assert!(candidates.err.contains("myhostname"), "{}", candidates.all());
    home.ca(&["-p", "genfic-system", "-x", "myhostname"]).ok();
}

#[test]
fn create_root_initialises_a_home_that_is_not_there_and_says_so() {
    // G12
    let home = Home::new();
    std::fs::remove_dir_all(home.path("home")).unwrap();
    let made = home.ca(&["-r", "genfic"]).ok();
    assert!(made.err.contains("initialised with defaults"), "{}", made.all());
}
