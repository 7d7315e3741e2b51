//! Status and responder certificates that are away, old or broken (O13).
use crate::http_client::{Reply, get, ocsp_request, post};
use crate::running_daemon::{Issued, Site, configure, issue, request_for};
use crate::short_lived_responder::end_responder_at;
use crate::support::Home;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A site with a certificate whose answer is in the cache.
struct Asked {
    site: Site,
    question: Vec<u8>,
    issued: Issued,
}

fn asked() -> Asked {
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    assert_eq!(post(site.url(), &question).verdict(), "good");
    assert_eq!(get(site.url(), "/readyz").text().lines().next(), Some("ready"));
    Asked { site, question, issued }
}

impl Asked {
    fn path(&self, name: &str) -> PathBuf {
        self.site.home.path("home").join(name)
    }

    fn ready(&self) -> Reply {
        get(self.site.url(), "/readyz")
    }

    /// Soon it says so, is not ready and says why, is alive, and serves files all the same.
    #[track_caller]
    fn refuses(&self, verdict: &str, reason: &str) {
        self.site.soon(&self.question, verdict);
        let reply = post(self.site.url(), &self.question);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let ready = self.ready();
        assert_eq!(ready.status, 503);
        assert!(ready.text().contains(reason), "{}", ready.text());
        assert_eq!(get(self.site.url(), "/healthz").status, 200);
        assert_eq!(get(self.site.url(), "/genfic-system.crl").status, 200);
    }

    #[track_caller]
    fn recovers(&self) {
        self.site.soon(&self.question, "good");
        assert_eq!(self.ready().status, 200, "{}", self.ready().text());
    }

    /// Sets the time in the manifest back, as if nobody had confirmed it since.
    fn age_status(&self, seconds: i64) {
        let file = self.path("status/manifest.json");
        let text = fs::read_to_string(&file).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        let then = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds);
        let then = then.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        manifest["time"] = then.into();
        let aside = self.path("status/.new-manifest");
        fs::write(&aside, manifest.to_string()).unwrap();
        fs::rename(aside, file).unwrap();
    }
}

const NO_STATUS: &str = "there is no published status that can be read";
const NO_RESPONDER: &str = "genfic-system has no valid responder certificate";

#[test]
fn without_the_status_directory_clients_are_told_to_try_later_until_it_is_back() {
    // O13
    let asked = asked();
    fs::rename(asked.path("status"), asked.path("aside")).unwrap();
    asked.refuses("tryLater", NO_STATUS);
    fs::rename(asked.path("aside"), asked.path("status")).unwrap();
    asked.recovers();
}

#[test]
fn a_manifest_or_a_status_file_that_is_broken_is_never_answered_from() {
    // O13
    let asked = asked();
    let manifest = asked.path("status/manifest.json");
    let whole = fs::read(&manifest).unwrap();
    fs::write(&manifest, &whole[..whole.len() / 2]).unwrap();
    asked.refuses("tryLater", NO_STATUS);
    fs::write(&manifest, &whole).unwrap();
    asked.recovers();
    // a state whose file is not what the manifest says: a copy that went wrong, or is under way
    asked.site.home.ca(&["revoke", &asked.issued.file]).ok();
    asked.site.soon(&asked.question, "revoked");
    let newest = fs::read_to_string(&manifest).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&newest).unwrap();
    for part in ["delta", "base"] {
        let digest = parsed[part]["sha256"].as_str().unwrap();
        fs::write(&manifest, newest.replace(digest, &"0".repeat(64))).unwrap();
        asked.refuses("tryLater", NO_STATUS);
        fs::write(&manifest, &newest).unwrap();
        asked.site.soon(&asked.question, "revoked");
    }
}

#[test]
fn a_copy_that_meets_a_publication_leaves_the_former_status_in_use_until_it_is_whole() {
    // O13
    let asked = asked();
    let copy = asked.site.home.path("copy");
    asked.site.home.run(&["cp", "-r", asked.path("").to_str().unwrap(), copy.to_str().unwrap()]).ok();
    let there = crate::support::Daemon::start(&copy, "127.0.0.1:0");
    let verdict = || post(&there.url, &asked.question).verdict();
    assert_eq!(verdict(), "good");
    asked.site.home.ca(&["revoke", &asked.issued.file]).ok();
    let manifest = fs::read_to_string(asked.path("status/manifest.json")).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let delta = parsed["delta"]["file"].as_str().unwrap();
    // the manifest comes before its delta
    let put = |name: &str| {
        let aside = copy.join("status/.new-copy");
        fs::copy(asked.path("status").join(name), &aside).unwrap();
        fs::rename(&aside, copy.join("status").join(name)).unwrap();
    };
    put("manifest.json");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        assert_eq!(verdict(), "good");
        assert_eq!(get(&there.url, "/readyz").text().lines().next(), Some("ready"));
    }
    put(delta);
    let begun = Instant::now();
    while verdict() != "revoked" {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn a_responder_certificate_that_is_revoked_is_replaced_by_the_same_command() {
    // O7, O13
    let asked = asked();
    let file = asked.path("ocsp/genfic-system/responder.pem");
    let before = fs::read(&file).unwrap();
    let responder = |reply: &Reply| reply.basic().certificates()[0].clone();
    let first = responder(&post(asked.site.url(), &asked.question));
    let serial = first.tbs().serial_number().to_string();
    let said =
        asked.site.home.result(&["revoke", &format!("genfic-system/{serial}"), "--reason", "key-compromise"]);
    assert!(said["responder"].is_string(), "{said}");
    assert_ne!(fs::read(&file).unwrap(), before);
    let begun = Instant::now();
    loop {
        let reply = post(asked.site.url(), &asked.question);
        if reply.verdict() == "good" && responder(&reply) != first {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", reply.verdict());
    }
    assert_eq!(asked.ready().status, 200);

    // without the key of the CA it is out of use all the same
    let second = responder(&post(asked.site.url(), &asked.question)).tbs().serial_number().to_string();
    let key = asked.path("keys/genfic-system.age");
    fs::rename(&key, asked.path("aside")).unwrap();
    let said = asked.site.home.ca(&["revoke", &format!("genfic-system/{second}")]);
    assert_ne!(said.status, 0);
    assert!(said.all().contains("genfic-ca ocsp responder genfic-system"), "{}", said.all());
    asked.refuses("tryLater", "genfic-system has no valid responder certificate: it is revoked");
    fs::rename(asked.path("aside"), &key).unwrap();
    asked.site.home.ca(&["ocsp", "responder", "--due"]).ok();
    asked.recovers();
}

#[test]
fn status_that_is_too_old_is_not_answered_from() {
    // O13
    const DAY: i64 = 86_400;
    let asked = asked();
    asked.age_status(7 * DAY - 60);
    std::thread::sleep(Duration::from_millis(600));
    asked.recovers();
    asked.age_status(7 * DAY + 60);
    asked.refuses("tryLater", "the published status is of");
    asked.age_status(30 * DAY);
    asked.refuses("internalError", "the published status is of");
    asked.age_status(-600);
    asked.refuses("tryLater", "the published status is of");
    asked.site.home.ca(&["ocsp", "sync"]).ok();
    asked.recovers();
}

#[test]
fn the_allowed_age_is_configured() {
    // O13
    let site = Site::with(&[("max_status_age = \"7d\"", "max_status_age = \"1h\"")]);
    let issued = site.issue("w.genfic.example");
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    let asked = Asked { site, question, issued };
    asked.recovers();
    asked.age_status(3700);
    asked.refuses("tryLater", "the published status is of");
}

#[test]
fn a_revocation_made_while_status_was_away_is_answered_when_it_is_back() {
    // O12, O13
    let asked = asked();
    let directory = asked.path("status");
    fs::rename(&directory, asked.path("aside")).unwrap();
    asked.refuses("tryLater", NO_STATUS);
    fs::rename(asked.path("aside"), &directory).unwrap();
    asked.site.home.ca(&["revoke", &asked.issued.file]).ok();
    asked.site.soon(&asked.question, "revoked");
}

#[test]
fn without_its_responder_certificate_a_ca_is_not_answered_for_until_there_is_a_new_one() {
    // O13, O7
    let asked = asked();
    fs::remove_dir_all(asked.path("ocsp/genfic-system")).unwrap();
    asked.refuses("internalError", NO_RESPONDER);
    // the other CA's is not touched
    assert!(asked.ready().text().contains("genfic-user: answered, "), "{}", asked.ready().text());
    asked.site.home.ca(&["ocsp", "responder", "genfic-system"]).ok();
    asked.recovers();
}

#[test]
fn a_daemon_that_starts_before_its_status_and_responders_are_there_waits_for_them() {
    // O13, G22
    let home = Home::at_url("http://pki.genfic.example");
    for entry in fs::read_dir(home.path("home/status")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let site = Site { daemon: home.daemon("127.0.0.1:0"), home };
    let ready = get(site.url(), "/readyz");
    assert_eq!((ready.status, ready.text().trim()), (503, NO_STATUS));
    site.home.ca(&["create-root", "genfic"]).ok();
    site.home.ca(&["create-child", "genfic-system", "-p", "genfic"]).ok();
    let issued = site.issue("w.genfic.example");
    assert_eq!(site.ask(&issued).verdict(), "good");
    assert_eq!(get(site.url(), "/readyz").status, 200);
}

#[test]
fn a_responder_certificate_that_lapses_is_out_of_use_that_second() {
    // O13, O8
    let home = Home::at_url("http://pki.genfic.example");
    configure(&home, "responder_days = 30", "responder_days = 1");
    home.ca(&["create-root", "genfic"]).ok();
    home.ca(&["create-child", "genfic-system", "-p", "genfic"]).ok();
    let issued = issue(&home, "w.genfic.example");
    let end = jiff::Timestamp::now().as_second() + 4;
    end_responder_at(&home, end);
    let site = Site { daemon: home.daemon("127.0.0.1:0"), home };
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    let begun = Instant::now();
    loop {
        let before = jiff::Timestamp::now().as_second();
        let reply = post(site.url(), &question);
        if reply.verdict() == "good" {
            assert!(before <= end, "answered {} s after the end", before - end);
            let next_update = reply.basic().data().responses[0].next_update.unwrap().0;
            assert!(next_update <= end, "nextUpdate beyond the certificate");
        } else {
            assert_eq!(reply.verdict(), "tryLater");
            let after = jiff::Timestamp::now().as_second();
            assert!(after > end, "{} s before the end", end - after);
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(100));
    }
    let asked = Asked { site, question, issued };
    asked.refuses("tryLater", NO_RESPONDER);
    asked.site.home.ca(&["ocsp", "responder", "genfic-system"]).ok();
    asked.recovers();
}

#[test]
fn a_fifo_or_a_device_in_the_place_of_a_file_keeps_nothing_else_from_being_seen() {
    // O12, O13
    let asked = asked();
    let other = asked.site.issue("other.genfic.example");
    let wrong =
        ["ocsp/genfic-user/responder.key", "ocsp/genfic-user/responder.pem", "public/genfic-user.crl"];
    for (at, name) in wrong.iter().enumerate() {
        let path = asked.path(name);
        fs::rename(&path, asked.path("aside")).unwrap();
        match at {
            0 => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
            _ => drop(asked.site.home.run(&["mkfifo", path.to_str().unwrap()]).ok()),
        }
        // the next look comes at once
        std::thread::sleep(Duration::from_millis(500));
        let file = asked.path("status/manifest.json");
        let aside = asked.path("status/.new-manifest");
        fs::copy(&file, &aside).unwrap();
        fs::rename(&aside, &file).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(asked.site.ask(&other).verdict(), "good", "{name}");
        fs::remove_file(&path).unwrap();
        fs::rename(asked.path("aside"), &path).unwrap();
    }
    let manifest = asked.path("status/manifest.json");
    let whole = fs::read(&manifest).unwrap();
    fs::remove_file(&manifest).unwrap();
    asked.site.home.run(&["mkfifo", manifest.to_str().unwrap()]).ok();
    asked.refuses("tryLater", NO_STATUS);
    fs::remove_file(&manifest).unwrap();
    fs::write(&manifest, whole).unwrap();
    asked.recovers();
    asked.site.home.ca(&["revoke", &other.file]).ok();
    let question = ocsp_request(&[request_for(&asked.site.home, &other, "-sha1")], None);
    asked.site.soon(&question, "revoked");
}

#[test]
fn clients_that_cannot_be_answered_do_not_fill_the_log() {
    // O13
    let asked = asked();
    fs::remove_dir_all(asked.path("status")).unwrap();
    let home = asked.path("");
    let log = asked.site.home.path("log");
    let mut command = std::process::Command::new(crate::support::OCSPD);
    command.args(["--listen", "127.77.0.5:0", "--home"]).arg(home).stdout(std::process::Stdio::piped());
    let mut child = command.stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
    let mut line = String::new();
    let output = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap();
    for _ in 0..200 {
        assert_eq!(post(url, &asked.question).verdict(), "tryLater");
    }
    let _ = child.kill();
    let _ = child.wait();
    let text = fs::read_to_string(log).unwrap();
    assert!((1..10).contains(&text.lines().filter(|line| line.contains("no answer")).count()), "{text}");
}
