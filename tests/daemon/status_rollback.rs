//! Older status and older CRLs in the place of newer ones, and a status that says otherwise than what was signed.
use crate::http_client::{get, ocsp_request, post};
use crate::running_daemon::{Issued, Site, request_for};
use crate::support::Home;
use std::time::{Duration, Instant};

/// A site where a certificate was revoked after `status` and the CRL were copied to `older/`; `never` is the status of
/// before it was issued.
fn revoked() -> (Site, Issued, Vec<u8>) {
    let site = Site::new();
    site.home.shell("cp -a home/status never").ok();
    let issued = site.issue("w.genfic.example");
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    assert_eq!(post(site.url(), &question).verdict(), "good");
    site.home
        .shell(
            "mkdir older; cp -a home/status older/status; cp -a home/public older/public
             genfic-ca revoke w.genfic.example --reason key-compromise",
        )
        .ok();
    site.within_a_second(&question, "revoked");
    (site, issued, question)
}

/// Waits until `/readyz` says this, and gives all that it says.
#[track_caller]
fn says(url: &str, words: &str) -> String {
    let begun = Instant::now();
    loop {
        let text = get(url, "/readyz").text();
        if text.contains(words) {
            return text;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{words} is not in\n{text}");
    }
}

/// In place of what stands there, as a copy from a backup or another host does it.
fn put_back(home: &Home) {
    home.shell("rm home/status/*-*; cp -a older/status/. home/status/").ok();
}

#[test]
fn an_older_status_over_a_running_daemon_changes_no_answer_and_is_said() {
    // K3, O13
    let (site, _, question) = revoked();
    put_back(&site.home);
    let text = says(site.url(), "refused: the published status is of change ");
    assert!(text.starts_with("ready\n"), "{text}");
    for _ in 0..50 {
        assert_eq!(post(site.url(), &question).verdict(), "revoked");
    }
    // the next command publishes what is on record
    site.home.ca(&["ocsp", "sync"]).ok();
    let begun = Instant::now();
    while get(site.url(), "/readyz").text().contains("refused") {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", get(site.url(), "/readyz").text());
    }
    assert_eq!(post(site.url(), &question).verdict(), "revoked");
}

#[test]
fn an_older_crl_over_a_running_daemon_is_not_served() {
    // C7
    let (site, _, question) = revoked();
    let newer = std::fs::read(site.home.path("home/public/genfic-system.crl")).unwrap();
    let begun = Instant::now();
    while get(site.url(), "/genfic-system.crl").body != newer {
        assert!(begun.elapsed() < Duration::from_secs(10), "the newer one is not served");
    }
    site.home.shell("cp -a older/public/. home/public/").ok();
    says(site.url(), "refused: the published CRL of genfic-system has number ");
    assert_eq!(get(site.url(), "/genfic-system.crl").body, newer);
    put_back(&site.home);
    says(site.url(), "refused: the published status is of change ");
    assert_eq!(post(site.url(), &question).verdict(), "revoked");
}

#[test]
fn over_a_restart_what_the_crl_has_revoked_is_not_good() {
    // K3
    let (mut site, _, question) = revoked();
    site.daemon.terminate();
    put_back(&site.home);
    let again = site.home.daemon("127.0.0.1:0");
    let reply = post(&again.url, &question);
    assert_eq!(reply.verdict(), "revoked");
    let text = says(&again.url, "refused: 1 certificate is revoked by CRL ");
    assert!(text.contains("of genfic-system and not by the published status"), "{text}");
    // nor unknown, where the status has never heard of it
    site.home.shell("rm home/status/*-*; cp -a never/. home/status/").ok();
    let third = site.home.daemon("127.0.0.1:0");
    assert_eq!(post(&third.url, &question).verdict(), "revoked");
}

#[test]
fn a_status_older_than_the_crl_that_contradicts_nothing_is_answered_from() {
    let (mut site, _, question) = revoked();
    let other = site.issue("x.genfic.example");
    let ask = ocsp_request(&[request_for(&site.home, &other, "-sha1")], None);
    assert_eq!(post(site.url(), &ask).verdict(), "good");
    site.home.shell("rm -r older; mkdir older; cp -a home/status older/status").ok();
    site.home.ca(&["crl", "publish", "genfic-system"]).ok();
    site.daemon.terminate();
    put_back(&site.home);
    let again = site.home.daemon("127.0.0.1:0");
    assert_eq!(post(&again.url, &ask).verdict(), "good");
    assert_eq!(post(&again.url, &question).verdict(), "revoked");
    let text = get(&again.url, "/readyz").text();
    assert!(text.starts_with("ready\n") && !text.contains("refused"), "{text}");
}

/// Commands that publish, each of which would have taken the revocation back.
const COMMANDS: [&[&str]; 7] = [
    &["ocsp", "sync"],
    &["crl", "publish", "--all"],
    &["create-request", "y.genfic.example", "--sign", "-p", "genfic-system"],
    &["hold", "x.genfic.example"],
    &["list"],
    &["doctor", "--deep"],
    &["renew-ca", "genfic-user"],
];

#[test]
fn an_index_that_was_changed_by_hand_makes_nothing_good_by_any_command() {
    // K3, O12
    let bump = "update head set change = change + 1; update status set change = (select change from head)";
    for (statement, more) in [
        ("update status set state = 1, revoked_at = null, reason = null where state = 2", ""),
        (&*format!("{bump}, state = 1, revoked_at = null, reason = null where state = 2"), ""),
        ("update status set state = 1, revoked_at = null, reason = null where state = 2", "rm home/status/*"),
        ("delete from status where state = 2", "rm home/status/*"),
        (
            "update status set state = 1, revoked_at = null, reason = null where state = 2",
            "rm home/status/* home/public/genfic-system.crl*",
        ),
    ] {
        let (site, _, question) = revoked();
        site.issue("x.genfic.example");
        let listed = |home: &Home| {
            let words = ["openssl", "crl", "-in", "home/public/genfic-system.crl", "-noout", "-text"];
            home.run(&words).out.contains("Revocation Date")
        };
        let had = listed(&site.home) && !more.contains("public");
        site.home.shell(&format!("sqlite3 home/index.db '{statement}'; {more}")).ok();
        for words in COMMANDS {
            let said = site.home.ca(words);
            let verdict = post(site.url(), &question).verdict();
            let kept = ["revoked", "tryLater"].contains(&verdict.as_str());
            assert!(kept, "{statement} {more} {words:?}: {verdict}\n{}", said.all());
            assert_eq!(listed(&site.home), had, "{statement} {more} {words:?}\n{}", said.all());
        }
        std::thread::sleep(Duration::from_millis(500));
        assert_ne!(post(site.url(), &question).verdict(), "good", "{statement} {more}");
    }
}

#[test]
fn an_older_index_without_a_manifest_makes_nothing_good() {
    // K3, C1
    for more in ["", "rm home/status/base-* home/status/delta-*", "rm home/public/genfic-system.crl*"] {
        let site = Site::new();
        let issued = site.issue("w.genfic.example");
        let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
        site.home
            .shell(&format!(
                "sqlite3 home/index.db '.backup old.db'
                 genfic-ca revoke w.genfic.example --reason key-compromise
                 rm -f home/index.db-*; cp old.db home/index.db
                 rm -f home/status/manifest.json; {more} 2>/dev/null || true"
            ))
            .ok();
        // O12: it has a second for that
        let begun = Instant::now();
        while post(site.url(), &question).verdict() == "good" && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(50));
        }
        for words in
            [&["ocsp", "sync"][..], &["list"], &["crl", "publish", "--all"], &["hold", "w.genfic.example"]]
        {
            let said = site.home.ca(words);
            let verdict = post(site.url(), &question).verdict();
            assert!(
                ["revoked", "tryLater"].contains(&verdict.as_str()),
                "{more} {words:?} {verdict} {}",
                said.all()
            );
        }
        let said = site.home.ca(&["ocsp", "sync"]);
        // that it is an older copy, or, once it has come as far by itself, what it contradicts
        assert!(said.status == 13 && said.err.contains("(exit 13, index."), "{more} {}", said.all());
        let words = ["openssl", "crl", "-in", "home/public/genfic-system.crl", "-noout", "-text"];
        let list = site.home.run(&words);
        assert!(list.status != 0 || list.out.contains("Revocation Date"), "{more} {}", list.all());
        assert!(!site.home.path("home/status/manifest.json").exists(), "{more}");
    }
}

#[test]
fn a_ca_that_is_disabled_or_revoked_is_answered_unauthorized_and_leaves_the_daemon_ready() {
    // O4: RFC 6960 §2.3
    let site = Site::new();
    site.home.shell("cp -a home/status never").ok();
    let issued = site.issue("w.genfic.example");
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    assert_eq!(post(site.url(), &question).verdict(), "good");
    site.home.ca(&["--yes", "ocsp", "disable", "genfic-system"]).ok();
    site.within_a_second(&question, "unauthorized");
    let text = says(site.url(), "genfic-system: disabled");
    assert!(text.starts_with("ready\n") && text.contains("genfic-user: answered, "), "{text}");
    site.home.ca(&["ocsp", "enable", "genfic-system"]).ok();
    site.within_a_second(&question, "good");
    site.home.shell("genfic-ca --yes revoke-ca genfic-system --reason superseded || test $? = 8").ok();
    site.within_a_second(&question, "unauthorized");
    let text = says(site.url(), "genfic-system: revoked, not answered");
    assert!(text.starts_with("ready\n"), "{text}");
    site.home.shell("rm home/ocsp/genfic-system/responder.pem").ok();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(get(site.url(), "/readyz").status, 200);
}
