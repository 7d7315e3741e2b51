//! Where the daemon listens and what it serves there: addresses, Unix sockets, the path of the URL in certificates; and
//! what a check before a start says.
use crate::http_client::{get, ocsp_request, post};
use crate::running_daemon::{Site, configure, issue, request_for};
use crate::startup_and_shutdown::{Running, daemon};
use crate::support::{Home, OCSPD, free_address, there_is};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_unix_socket_is_listened_on_and_said_and_goes_with_the_daemon() {
    let home = Home::new();
    let path = home.path("ocsp.sock");
    let address = format!("unix:{}", path.display());
    for _ in 0..2 {
        let mut running = Running::start(&mut daemon(&home, &["--listen", &address]));
        assert_eq!(running.url(), address);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o666);
        let mut client = UnixStream::connect(&path).unwrap();
        client.write_all(b"GET /healthz HTTP/1.1\r\nHost: pki\r\nConnection: close\r\n\r\n").unwrap();
        let mut reply = String::new();
        client.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.ends_with("ok\n"), "{reply}");
        running.signal("KILL");
        running.ended();
        assert!(path.exists(), "one that is killed leaves it, and the next takes it over");
    }
    let mut running = Running::start(&mut daemon(&home, &["--listen", &address]));
    assert_eq!(running.url(), address);
    let mut second = daemon(&home, &["--listen", &address]);
    let output = second.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "somebody listens there");
    assert!(String::from_utf8_lossy(&output.stderr).contains("(exit 1, daemon.listen)"));
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
    assert!(!path.exists());
}

#[test]
fn a_unix_socket_that_systemd_passes_is_served_and_stays() {
    // G7
    if !there_is("systemd-socket-activate") {
        return;
    }
    let home = Home::new();
    let path = home.path("passed.sock");
    let mut command = Command::new("systemd-socket-activate");
    command.arg("-l").arg(&path).args([OCSPD, "--home"]).arg(home.path("home")).stderr(Stdio::null());
    let mut running = Running::start(&mut command);
    let begun = Instant::now();
    let mut client = loop {
        match UnixStream::connect(&path) {
            Ok(client) => break client,
            Err(_) => assert!(begun.elapsed() < Duration::from_secs(10), "nobody listens"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    client.write_all(b"GET /healthz HTTP/1.1\r\nHost: pki\r\nConnection: close\r\n\r\n").unwrap();
    let mut reply = String::new();
    client.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    assert_eq!(running.url(), format!("unix:{}", path.display()));
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
    assert!(path.exists(), "it is systemd's");
}

#[test]
fn every_ipv4_address_and_every_ipv6_address_can_be_listened_on_at_one_port() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let port = free_address().rsplit_once(':').unwrap().1.to_owned();
    let (four, six) = (format!("0.0.0.0:{port}"), format!("[::]:{port}"));
    let home = Home::new();
    let mut running = Running::start(&mut daemon(&home, &["--listen", &four, "--listen", &six]));
    assert_eq!((running.url(), running.url()), (format!("http://{four}"), format!("http://{six}")));
    for url in [format!("http://127.0.0.1:{port}"), format!("http://[::1]:{port}")] {
        assert_eq!(get(&url, "/healthz").text(), "ok\n", "{url}");
    }
}

#[test]
fn what_certificates_name_is_served_below_the_path_of_the_url() {
    // X10, C7
    let address = std::net::TcpListener::bind("127.77.0.6:0").unwrap().local_addr().unwrap().to_string();
    let home = Home::with_hierarchy(&format!("http://{address}/pki"));
    let issued = issue(&home, "w.genfic.example");
    let site = Site { daemon: home.daemon(&address), home };
    let words = ["openssl", "x509", "-noout", "-ext", "crlDistributionPoints,authorityInfoAccess", "-in"];
    let text = site.home.run(&[&words[..], &[&issued.file]].concat()).ok().out;
    let urls: Vec<&str> =
        text.split_whitespace().filter_map(|word| Some(word.split_once("URI:")?.1)).collect();
    assert_eq!(urls.len(), 3, "{urls:?}");
    for url in &urls {
        let path = url.strip_prefix(site.url()).unwrap();
        assert!(path.starts_with("/pki/"), "{path}");
        if !path.ends_with("/ocsp") {
            assert_eq!(get(site.url(), path).status, 200, "{path}");
            assert_eq!(get(site.url(), path.strip_prefix("/pki").unwrap()).status, 200);
        }
    }
    let ask = "openssl ocsp -issuer home/public/genfic-system.pem -cert \"$0\" -url \
        $(openssl x509 -noout -ocsp_uri -in \"$0\") -CAfile home/public/genfic.pem";
    let said = site.home.run(&["bash", "-euc", ask, &issued.file]).ok();
    assert!(said.all().contains("Response verify OK") && said.out.contains(": good"), "{}", said.all());
    let question = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    assert_eq!(post(site.url(), &question).verdict(), "good");
}

#[test]
fn no_answer_outlasts_the_certificate_that_it_is_about() {
    // O8
    let site = Site::with(&[("next_update = \"24h\"", "next_update = \"30d\"")]);
    let issued = site.issue("w.genfic.example");
    let words =
        ["sign", "w.genfic.example.req", "-p", "genfic-system", "-v", "2", "-o", "short.crt", "--json"];
    let said = site.home.ca(&words).ok();
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let certificate = &value["result"]["certificates"][0];
    let short = crate::running_daemon::Issued {
        serial: certificate["serial"].as_str().unwrap().into(),
        file: "short.crt".into(),
        ..issued.clone()
    };
    let next_update = |issued| site.ask(issued).basic().data().responses[0].next_update.unwrap();
    assert_eq!(next_update(&short).to_string(), certificate["not_after"].as_str().unwrap());
    assert!(next_update(&issued) > next_update(&short));
}

#[test]
fn a_check_says_whether_the_daemon_would_be_ready_and_listens_nowhere() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let check = || {
        let output = daemon(&home, &["--check", "--listen", "127.0.0.1:9"]).output().unwrap();
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let (status, out, err) = check();
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(out, "the configuration is right; to listen on 127.0.0.1:9\n");
    let said = home.result(&["config", "check", "--daemon"]);
    assert_eq!((&said["ready"], &said["reasons"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(said["listen"], serde_json::json!(["127.0.0.1:2560"]));

    fs::rename(home.path("home/ocsp/genfic-user/responder.key"), home.path("aside")).unwrap();
    fs::remove_file(home.path("home/public/genfic-system.crl")).unwrap();
    let (status, _, err) = check();
    assert_eq!(status, 12, "{err}");
    for part in [
        "genfic-user has no valid responder certificate",
        "home/ocsp/genfic-user/responder.key",
        "the CRL of genfic-system is missing",
        "(exit 12, daemon.not-ready)",
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
    let said = home.ca(&["config", "check", "--daemon"]);
    assert_eq!(said.status, 12, "{}", said.all());
    assert_eq!(home.ca(&["config", "check"]).status, 0);

    for (key, value, told) in [
        ("target = \"stderr\"", "target = \"/nonexistent/d.log\"", "/nonexistent/d.log cannot be written"),
        (
            "listen = [\"127.0.0.1:2560\"]",
            "listen = [\"unix:/nonexistent/o.sock\"]",
            "unix:/nonexistent/o.sock",
        ),
    ] {
        let before = fs::read_to_string(home.path("home/genfic-ca.toml")).unwrap();
        configure(&home, key, value);
        let output = daemon(&home, &["--check"]).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(12) && err.contains(told), "{err}");
        let said = home.ca(&["config", "check", "--daemon"]);
        assert!(said.status == 12 && said.all().contains(told), "{}", said.all());
        let started = daemon(&home, &[]).output().unwrap();
        let err = String::from_utf8_lossy(&started.stderr);
        assert!(!started.status.success() && err.contains("make its directory, owned by the user"), "{err}");
        fs::write(home.path("home/genfic-ca.toml"), before).unwrap();
    }

    configure(&home, "max_body = 65536", "max_body = 1");
    let (status, _, err) = check();
    assert_eq!(status, 1);
    assert!(err.contains("daemon.max_body") && err.contains("(exit 1, config.invalid)"), "{err}");
    for words in [&["config", "check"][..], &["config", "check", "--daemon"]] {
        let said = home.ca(words);
        assert_eq!(said.status, 1, "{}", said.all());
        assert!(said.err.contains(": daemon.max_body: must be from 1024"), "{}", said.err);
    }
}
