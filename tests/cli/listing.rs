//! `list` with its filters, and `export`.
use crate::refused;
use crate::support::Home;

fn subjects(home: &Home, words: &[&str]) -> Vec<String> {
    let said = home.ca(&[&["list", "--json"], words].concat());
    assert!([0, 12].contains(&said.status), "{}", said.all());
    let list = said.json()["result"]["certificates"].as_array().unwrap().clone();
    list.iter().map(|one| one["subject"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn list_filters_by_ca_status_end_subject_and_profile() {
    // G10
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for (name, days) in [("a.example", "20"), ("b.example", "300"), ("c.example", "20")] {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system", "-v", days]).ok();
    }
    home.ca(&["revoke", "c.example"]).ok();
    home.ca(&["hold", "b.example"]).ok();
    assert_eq!(subjects(&home, &["--status", "revoked"]), ["CN=c.example"]);
    assert_eq!(subjects(&home, &["--status", "held"]), ["CN=b.example"]);
    assert_eq!(subjects(&home, &["--status", "expired"]), Vec::<String>::new());
    assert_eq!(subjects(&home, &["--subject", "?.example", "--status", "valid"]), ["CN=a.example"]);
    assert_eq!(subjects(&home, &["-p", "genfic-system", "--profile", "system"]).len(), 3);
    assert_eq!(subjects(&home, &["-p", "genfic"]).len(), 3, "the root and two CAs");
    assert_eq!(subjects(&home, &["--profile", "ocsp-responder", "--expiring", "60d"]).len(), 2);
    refused(&home.ca(&["list", "-p", "none"]), 5, "authority.not-found");
    refused(&home.ca(&["list", "--expiring", "soon"]), 2, "usage");
    refused(&home.ca(&["list", "--status", "revokd"]), 2, "usage");
}

#[test]
fn list_expiring_is_exit_12_only_for_what_somebody_has_to_renew() {
    // G10: responders renew themselves
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let none = home.ca(&["list", "--expiring", "60d"]);
    assert_eq!(none.status, 0, "{}", none.all());
    home.ca(&["create-request", "a.example", "--sign", "-p", "genfic-system", "-v", "20"]).ok();
    let some = home.ca(&["list", "--expiring", "30d"]);
    assert_eq!((some.status, some.err.as_str()), (12, ""), "{}", some.all());
    assert!(some.out.contains("a.example") && !some.out.contains("ocsp-responder"), "{}", some.out);
    assert_eq!(home.ca(&["list", "--expiring", "10d"]).status, 0);
}

#[test]
fn index_txt_is_what_openssl_reads() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["revoke", "a.example", "--reason", "superseded"]).ok();
    let printed = home.ca(&["export", "index-txt", "genfic-system"]).ok().out;
    assert!(
        printed.lines().any(|line| line.starts_with("R\t") && line.contains(",superseded\t")),
        "{printed}"
    );
    home.ca(&["export", "index-txt", "genfic-system", "-o", "index.txt"]).ok();
    assert_eq!(std::fs::read_to_string(home.path("index.txt")).unwrap(), printed);
    refused(&home.ca(&["export", "index-txt", "none"]), 5, "authority.not-found");
    refused(&home.ca(&["export", "index-txt", "genfic", "-o", "none/index.txt"]), 5, "file.directory");
}
