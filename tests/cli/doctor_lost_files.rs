//! `doctor` where policy, keys or the newest index are lost, and where CAs are others' or not complete.
use crate::doctor::{base, look, open, with_passphrase};
use crate::support::Home;
use serde_json::Value;

#[test]
fn lost_policy_is_not_replaced_by_one_that_may_grant_more() {
    let home = base().copied();
    home.shell("rm home/genfic-ca.toml home/policy/*.toml; mv home/index.db x").ok();
    let files = || home.shell("find home -name '*.toml' | sort").ok().out;
    let envelopes = files();
    look(&home, &["--fix"]);
    home.shell("mv x home/index.db").ok();
    look(&home, &["--fix"]);
    assert_eq!(files(), envelopes, "nobody decided that");
    let empty = Home::at_url("http://pki.genfic.example");
    empty.shell("rm home/genfic-ca.toml").ok();
    let (said, findings) = look(&empty, &["--fix"]);
    assert!(open(&findings, "config.missing").is_empty(), "{}", said.all());
    assert!(empty.path("home/genfic-ca.toml").is_file(), "there is no CA yet");
}

#[test]
fn one_run_mends_what_can_be_mended() {
    for lines in [
        "rm -r home/public home/status",
        "rm -r home/ocsp home/issued home/reserve",
        "chmod 0 home/public home/keys; rm home/status/*; genfic-ca hold a.genfic.example --no-crl || true",
    ] {
        let home = base().copied();
        home.shell(lines).ok();
        let (fixed, _) = look(&home, &["--fix"]);
        let (said, findings) = look(&home, &["--deep"]);
        assert_eq!(findings, Vec::<Value>::new(), "{lines}\n{}\n{}", fixed.all(), said.all());
    }
}

#[test]
fn an_index_older_than_the_files_is_replaced_as_its_remedy_says() {
    // C1
    let home = base().copied();
    home.shell(
        "genfic-ca --passphrase-from env:GENFIC_TEST_PASSPHRASE backup create backup.age
         sqlite3 home/index.db '.backup kept.db'
         genfic-ca revoke a.genfic.example
         rm -f home/index.db-*; cp kept.db home/index.db",
    )
    .ok();
    let refused = home.ca(&["ocsp", "sync"]);
    assert!(refused.status == 13 && refused.err.contains("genfic-ca doctor"), "{}", refused.all());
    let (_, findings) = look(&home, &[]);
    let remedy = open(&findings, "index.restored")[0]["remedy"].as_str().unwrap().to_owned();
    let (first, then) = remedy.split_once("lost for good: ").unwrap().1.split_once(", then ").unwrap();
    let (restore, keys) = then.split_once(", and put back ").unwrap();
    let restore = with_passphrase(&restore.replace("BACKUP", "backup.age"));
    home.shell(&format!("{first}\n{restore}\ncp -p {keys} home/keys")).ok();
    look(&home, &["--fix"]);
    home.ca(&["--yes", "backup", "accept"]).ok();
    let (said, findings) = look(&home, &["--deep"]);
    assert_eq!(findings, Vec::<Value>::new(), "{}", said.all());
    let revoked = home.result(&["list", "--status", "revoked"]);
    assert_eq!(revoked["certificates"].as_array().unwrap().len(), 2, "{revoked}");
}

#[test]
fn nobody_is_told_to_take_away_what_an_older_index_does_not_know() {
    let home = Home::at_url("http://pki.genfic.example");
    home.shell(
        "sqlite3 home/index.db '.backup kept.db'
         genfic-ca create-root genfic
         rm -f home/index.db-*; cp kept.db home/index.db; touch home/status/strange",
    )
    .ok();
    let (said, findings) = look(&home, &[]);
    assert!(!open(&findings, "index.restored").is_empty(), "{}", said.all());
    let unknown = open(&findings, "home.unknown-file");
    assert!(unknown.len() == 1 && unknown[0]["message"].as_str().unwrap().contains("/status/strange"));
}

#[test]
fn cas_of_others_waiting_ones_and_older_generations_are_no_findings() {
    let home = base().copied();
    let other = Home::at_url("http://pki.other.example");
    other.ca(&["create-root", "other"]).ok();
    std::fs::copy(other.path("home/public/other.pem"), home.path("other.pem")).unwrap();
    home.shell(
        "genfic-ca create-child waits --csr-only --profile user-ca -o waits.req
         genfic-ca create-child joined --csr-only --profile user-ca -o joined.req",
    )
    .ok();
    std::fs::copy(home.path("joined.req"), other.path("joined.req")).unwrap();
    other.ca(&["sign", "joined.req", "-p", "other", "--profile", "user-ca", "-o", "joined.pem"]).ok();
    std::fs::copy(other.path("joined.pem"), home.path("joined.pem")).unwrap();
    home.shell(
        "genfic-ca adopt joined joined.pem --chain other.pem
         genfic-ca --yes renew-ca genfic-system --rekey
         genfic-ca --yes renew-ca genfic --rekey
         rm -f home/issued/other/*",
    )
    .ok();
    let serious = |findings: &[Value]| -> Vec<Value> {
        let about_time = ["stagger.siblings", "stagger.outlives", "authority.short-leaves"];
        let strange = |one: &&Value| !about_time.contains(&one["code"].as_str().unwrap());
        findings.iter().filter(strange).cloned().collect()
    };
    let (said, findings) = look(&home, &["--deep"]);
    assert_eq!(serious(&findings), Vec::<Value>::new(), "{}", said.all());
    home.shell("genfic-ca --yes revoke-ca genfic-system --reason superseded").ok();
    let (said, findings) = look(&home, &["--deep"]);
    let notes = serious(&findings);
    assert!(notes.iter().all(|one| one["code"] == "authority.revoked"), "{}", said.all());
}
