//! The manual's units that copy to another machine: in their order they keep a daemon there answering, and never carry what
//! it must not have.
use crate::support::{CA, Daemon, Home, run, there_is};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The host of the manual, with the directory that is the home there.
const THERE: &str = "pki2.genfic.example:./";

/// The blocks of a page of the manual that are units.
pub(crate) fn units(page: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout/doc").join(page);
    let text = fs::read_to_string(page).unwrap();
    let blocks = text.split("\n```ini\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.filter(|block| block.starts_with("[Unit]")).collect()
}

/// The values of a setting of a unit.
fn settings<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

/// Makes the copy as the unit does, up to a step. The other machine's home is a directory here.
fn copied(home: &Home, steps: usize) {
    let unit = &units("publish.md")[0];
    for line in settings(unit, "ExecStart").into_iter().take(steps) {
        assert!(line.ends_with(THERE), "{line}");
        let there = home.path("there").display().to_string() + "/";
        let line = line.replace(THERE, &there);
        let words: Vec<&str> = line.split(' ').collect();
        run(&home.path("home"), &words).ok();
    }
}

fn answered(home: &Home, daemon: &Daemon, host: &str) -> String {
    let said = home.ca(&["--json", "ocsp", "query", host, "--url", &daemon.url]);
    said.json()["result"]["status"].as_str().unwrap_or("nothing").to_owned()
}

fn shows(home: &Home, daemon: &Daemon, host: &str, status: &str) {
    let begun = Instant::now();
    while answered(home, daemon, host) != status {
        assert!(begun.elapsed() < Duration::from_secs(20), "{host}: {}", answered(home, daemon, host));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_daemon_on_a_copy_answers_and_learns_of_revocations_whichever_step_was_the_last() {
    // G7, O12
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let hosts = ["a.genfic.example", "b.genfic.example", "c.genfic.example"];
    for host in hosts {
        home.ca(&["create-request", host, "--sign", "-p", "genfic-system"]).ok();
    }
    fs::create_dir(home.path("there")).unwrap();
    fs::copy(home.path("home/genfic-ca.toml"), home.path("there/genfic-ca.toml")).unwrap();
    copied(&home, 3);
    let daemon = Daemon::start(&home.path("there"), "127.0.0.1:0");
    for host in hosts {
        shows(&home, &daemon, host, "good");
    }
    for (steps, host) in [(1, hosts[0]), (2, hosts[1]), (3, hosts[2])] {
        home.ca(&["revoke", host, "--reason", "superseded"]).ok();
        copied(&home, steps);
        // with the first step it is on the CRL, which counts before the status
        shows(&home, &daemon, host, "revoked");
        home.run(&["curl", "-sS", "--fail", &format!("{}/readyz", daemon.url)]).ok();
    }
    // what was folded into a new base goes from the copy too
    home.ca(&["ocsp", "sync"]).ok();
    copied(&home, 3);
    let names = |directory: &str| {
        let listed = fs::read_dir(home.path(directory)).unwrap();
        let mut names: Vec<String> =
            listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    };
    for directory in ["status", "public", "ocsp"] {
        assert_eq!(names(&format!("home/{directory}")), names(&format!("there/{directory}")));
    }
    assert_eq!(names("there"), ["genfic-ca.toml", "ocsp", "public", "status"]);
}

#[test]
fn systemd_has_nothing_to_say_about_the_units_of_the_manual() {
    if !there_is("systemd-analyze") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (page, names) in [
        ("publish.md", &["genfic-ca-copy.service", "genfic-ca-copy.path"][..]),
        (
            "servers.md",
            &[
                "genfic-renew.service",
                "genfic-renew.timer",
                "genfic-www.service",
                "genfic-www.timer",
                "genfic-www-reload.path",
                "genfic-www-reload.service",
            ],
        ),
    ] {
        let units = units(page);
        assert_eq!(units.len(), names.len(), "{page}");
        for (unit, name) in units.iter().zip(names) {
            let file = directory.path().join(name);
            let unit = unit.replace("ExecStart=/usr/bin/genfic-ca ", &format!("ExecStart={CA} "));
            fs::write(&file, unit).unwrap();
            files.push(file);
        }
    }
    let said = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .args(&files)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&said.stderr);
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("genfic")).collect();
    assert!(said.status.success() && ours.is_empty(), "{told}");
}

/// The words of a line of a unit, as systemd has them: quoted ones are one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.replace("$$", "$"));
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn a_server_elsewhere_gets_a_certificate_for_a_new_key_by_the_units_of_the_manual() {
    // G4, G22
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout/doc/servers.md")).unwrap();
    let (_, forced) = page.split_once("\ncommand=\"sudo -n -u genfic-ca ").unwrap();
    let forced = forced.split('"').next().unwrap();
    let unit = &units("servers.md")[0];
    let host = "www.genfic.example";
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let names = ["--san", "DNS:www.genfic.example", "--san", "IP:192.0.2.7"];
    home.ca(&[&["create-request", host, "--sign", "-p", "genfic-system"][..], &names].concat()).ok();
    let chained = format!(
        "mkdir server && cat {host}.crt home/public/genfic-system.pem >server/server.chain.pem && mv {host}.key \
         server/server.key && cp home/public/genfic.pem server/root.pem"
    );
    home.shell(&chained).ok();
    let text = |of: &str| {
        let words = ["openssl", "x509", "-noout", "-in", "server/server.chain.pem", "-ext", "subjectAltName"];
        home.run(&[&words[..], &["-subject", of]].concat()).ok().out
    };
    let (before, key) = (text("-subject"), text("-pubkey"));
    let condition = words(settings(unit, "ExecCondition")[0]);
    let due = |seconds: &str| {
        let line = condition.last().unwrap().replace("2592000", seconds);
        home.shell(&format!("cd server; {line}")).status == 0
    };
    assert!(!due("0") && !due("2592000") && due("315360000"));
    let lines = settings(unit, "ExecStart");
    assert_eq!(lines.len(), 10);
    for line in lines {
        if line.contains("systemctl") {
            // a reload that fails is tried again the next day, although the certificate is new
            assert!(due("0"), "nothing is owed");
            continue;
        }
        let line: Vec<String> = words(line)
            .iter()
            .map(|word| word.replace("ssh genfic-renew@ca.genfic.example", forced))
            .collect();
        let quoted: Vec<String> = line.iter().map(|word| format!("'{word}'")).collect();
        home.shell(&format!("cd server; {}", quoted.join(" "))).ok();
    }
    assert!(!due("0"), "something is still owed");
    assert_eq!(before, text("-subject"));
    assert_ne!(key, text("-pubkey"));
    let own = home.run(&["openssl", "pkey", "-pubout", "-in", "server/server.key"]).ok().out;
    assert!(text("-pubkey").contains(&own));
    // another server's request is not taken for this one's
    home.shell(
        "openssl req -new -newkey rsa:2048 -nodes -keyout x.key -out x.req -subj /CN=x.genfic.example",
    )
    .ok();
    let said = home.shell(&format!("{forced} <x.req"));
    assert_eq!(said.status, 7, "{}", said.all());
}

#[test]
fn servers_that_need_other_files_get_them_by_lines_of_the_same_unit() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout/doc/servers.md")).unwrap();
    let blocks: Vec<&str> =
        page.split("\n```ini\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let (unit, others): (Vec<&str>, Vec<&str>) =
        blocks.into_iter().partition(|block| block.starts_with("[Unit]"));
    let all = settings(unit[0], "ExecStart");
    let last = &all[all.iter().position(|line| line.contains("touch")).unwrap()..];
    assert_eq!(others.len(), 2);
    for (block, server) in others.into_iter().zip(["postgresql", "haproxy"]) {
        let lines = settings(block, "ExecStart");
        // they are those of nginx, and one more
        for line in last {
            assert!(lines.contains(&&*line.replace("nginx", server)), "{server}: {line}");
        }
        assert_eq!(lines.len(), last.len() + 1);
        let home = Home::new();
        home.shell("umask 077; for x in key chain.pem; do echo new >new.$x; echo old >server.$x; done").ok();
        let mut asked = String::new();
        for line in lines {
            if line.contains("systemctl") {
                continue;
            }
            asked.push_str(line);
            let line: Vec<String> = words(line).iter().map(|word| format!("'{word}'")).collect();
            // there is no such user here
            home.shell(&format!("umask 077; {}", line.join(" ")).replace("'postgres:'", "\"$(id -un)\""))
                .ok();
        }
        assert_eq!(home.shell("cat server.key server.chain.pem").ok().out, "new\nnew\n");
        let is_owned = asked.contains("chown postgres: new.key new.chain.pem/bin/mv");
        match server {
            "postgresql" => assert!(is_owned, "{asked}"),
            _ => {
                assert_eq!(home.shell("stat -c %a haproxy.pem; cat haproxy.pem").ok().out, "600\nnew\nnew\n")
            }
        }
    }
}
