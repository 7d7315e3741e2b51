//! A clock that was set back behind what is on record.
use crate::support::Home;
use std::path::Path;

/// Every file below with its contents, but for the index, which has the refusals.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !name.contains("index.db") {
            found.push((name, std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn with_the_clock_behind_the_newest_record_nothing_is_signed() {
    // C1, X2
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for host in ["a.example", "b.example", "c.example"] {
        home.ca(&["create-request", host, "--sign", "-p", "genfic-system"]).ok();
    }
    home.ca(&["hold", "c.example"]).ok();
    home.ca(&["create-request", "d.example"]).ok();
    home.shell("sqlite3 home/index.db 'update head set newest = newest + 3600'").ok();
    let count = || home.result(&["list"])["certificates"].as_array().unwrap().len();
    let (before, issued) = (files(&home.path("home")), count());
    for words in [
        &["sign", "d.example.req", "-p", "genfic-system"][..],
        &["sign", "d.example.req", "d.example.req", "-p", "genfic-system"],
        &["create-request", "e.example", "--sign", "-p", "genfic-system"],
        &["create-root", "another"],
        &["create-child", "genfic-other", "-p", "genfic"],
        &["crl", "publish", "genfic-system"],
        &["crl", "publish", "--all"],
        &["ocsp", "responder", "genfic-system"],
    ] {
        let said = home.ca(words);
        assert_eq!(said.status, 13, "{words:?}: {}", said.all());
        assert!(said.err.contains("(exit 13, clock.behind)"), "{words:?}: {}", said.all());
        assert!(said.err.contains("before the newest record"), "{words:?}: {}", said.all());
        assert!(files(&home.path("home")) == before, "{words:?} wrote something");
    }
    assert_eq!(count(), issued);
    let lists = |home: &Home| std::fs::read(home.path("home/public/genfic-system.crl")).unwrap();
    let list = lists(&home);
    for words in [["revoke", "a.example"], ["hold", "b.example"], ["release", "c.example"]] {
        let said = home.ca(&words);
        assert_eq!(said.status, 13, "{words:?}: {}", said.all());
        assert!(said.err.contains("clock.behind") && said.err.contains("the CRL is owed"), "{}", said.all());
        assert!(lists(&home) == list, "{words:?} signed a list");
    }
    let revoked = home.result(&["list", "--status", "revoked"]);
    assert_eq!(revoked["certificates"][0]["subject"], "CN=a.example", "a revocation waits for no clock");
    let doctor = home.ca(&["doctor"]);
    assert!(doctor.status == 12 && doctor.out.contains("(clock.behind)"), "{}", doctor.all());
    home.shell("sqlite3 home/index.db 'update head set newest = newest - 3600'").ok();
    home.ca(&["sign", "d.example.req", "-p", "genfic-system"]).ok();
    home.ca(&["crl", "publish", "--due"]).ok();
    assert!(lists(&home) != list, "the list that was owed");
    assert_eq!(home.ca(&["doctor"]).ok().out.lines().last(), Some("nothing is wrong"));
}
