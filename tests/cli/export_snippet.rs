//! `export snippet`: the servers themselves read it.
use crate::refused;
use crate::support::{Home, Said, free_address};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    home
}

fn snippet(home: &Home, server: &str, more: &[&str]) -> Said {
    home.ca(&[&["export", "snippet", server, "www.genfic.example"], more].concat())
}

/// The snippet with a port that is free, in a file.
fn placed(home: &Home, server: &str) -> String {
    let text = snippet(home, server, &[]).ok().out;
    let address = free_address();
    let port = address.split(':').next_back().unwrap();
    let text = text.replace("443", port);
    fs::write(home.path("snippet.conf"), &text).unwrap();
    text
}

#[test]
fn nginx_takes_its_snippet() {
    // G19
    let home = home();
    placed(&home, "nginx");
    let at = home.directory().display();
    let conf = format!(
        "pid {at}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\ninclude {at}/snippet.conf;\n}}\n"
    );
    fs::write(home.path("nginx.conf"), conf).unwrap();
    let file = home.path("nginx.conf").display().to_string();
    let said = home.run(&["/usr/sbin/nginx", "-t", "-c", &file, "-p", &format!("{at}/")]);
    assert_eq!(said.status, 0, "{}", said.all());
    assert!(!said.all().contains("issuer certificate not found"), "{}", said.all());
}

#[test]
fn apache_takes_its_snippet() {
    // G19
    let home = home();
    let text = placed(&home, "apache");
    let port = text.split("<VirtualHost *:").nth(1).unwrap().split('>').next().unwrap();
    let at = home.directory().display();
    let modules: String = ["mpm_event", "authz_core", "socache_shmcb", "ssl"]
        .iter()
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .collect();
    let conf = format!(
        "ServerRoot {at}\nDefaultRuntimeDir {at}\nPidFile {at}/pid\nErrorLog {at}/error.log\nServerName x.example\n\
         {modules}Listen 127.0.0.1:{port}\nInclude {at}/snippet.conf\n"
    );
    fs::write(home.path("apache.conf"), conf).unwrap();
    let file = home.path("apache.conf").display().to_string();
    let said = home.run(&["/usr/sbin/apache2", "-t", "-f", &file]);
    assert!(said.status == 0 && said.all().contains("Syntax OK"), "{}", said.all());
}

#[test]
fn haproxy_takes_its_snippet_and_the_file_with_the_key_is_guarded() {
    // G19
    let home = home();
    placed(&home, "haproxy");
    let combined = home.path("www.genfic.example.haproxy.pem");
    assert_eq!(fs::metadata(&combined).unwrap().permissions().mode() & 0o777, 0o600);
    let said = home.run(&["/usr/sbin/haproxy", "-c", "-f", "snippet.conf"]);
    assert_eq!(said.status, 0, "{}", said.all());
    refused(&snippet(&home, "haproxy", &[]), 4, "file.exists");
    snippet(&home, "haproxy", &["--force"]).ok();
    fs::remove_file(home.path("www.genfic.example.key")).unwrap();
    refused(&snippet(&home, "haproxy", &["--force"]), 5, "key.not-found");
}

#[test]
fn postfix_reads_its_snippet() {
    // G19
    let home = home();
    snippet(&home, "postfix", &["-o", "main.cf"]).ok();
    fs::write(home.path("master.cf"), "").unwrap();
    let at = home.directory().display().to_string();
    let said = home.run(&["/usr/sbin/postconf", "-c", &at, "-n"]).ok();
    assert!(!said.all().contains("unused parameter"), "{}", said.all());
    let chain =
        format!("smtpd_tls_chain_files = {at}/www.genfic.example.key, {at}/www.genfic.example.chain.pem");
    assert!(said.out.contains(&chain), "{}", said.out);
}

#[test]
fn chains_have_no_root_and_keys_are_looked_at() {
    // G19
    let home = home();
    let count =
        |file: &str| fs::read_to_string(home.path(file)).unwrap().matches("BEGIN CERTIFICATE").count();
    snippet(&home, "nginx", &[]).ok();
    assert_eq!((count("www.genfic.example.chain.pem"), count("www.genfic.example.issuers.pem")), (2, 2));
    home.ca(&["create-request", "other.genfic.example", "--sign", "-p", "genfic-system", "--encrypt"]).ok();
    let encrypted = home.ca(&["export", "snippet", "nginx", "other.genfic.example"]);
    refused(&encrypted, 8, "key.encrypted");
    home.ca(&["create-request", "third.genfic.example"]).ok();
    refused(&snippet(&home, "nginx", &["--key", "third.genfic.example.key"]), 11, "key.mismatch");
    let absent = snippet(&home, "nginx", &["--key", "later.key"]).ok();
    assert!(absent.err.contains("is not here yet"), "{}", absent.err);
    fs::create_dir(home.path("a b")).unwrap();
    refused(&snippet(&home, "nginx", &["--dir", "a b"]), 2, "usage");
    refused(&snippet(&home, "nginx", &["--dir", "none"]), 5, "file.directory");
    home.ca(&["create-request", "amber", "--san", "email:a@genfic.example", "--sign", "-p", "genfic-user"])
        .ok();
    refused(&home.ca(&["export", "snippet", "nginx", "amber"]), 7, "certificate.no-server-name");
    refused(&home.ca(&["export", "snippet", "iis", "amber"]), 2, "usage");
}

#[test]
fn of_several_certificates_of_one_holder_the_newest_is_handed_out_and_named() {
    let home = home();
    let renewed = home.result(&["renew", "www.genfic.example"]);
    let serial = renewed["certificates"][0]["serial"].as_str().unwrap();
    let said = snippet(&home, "nginx", &[]).ok();
    assert!(said.err.contains(&format!("genfic-system/{serial}")), "{}", said.err);
    assert_eq!(home.result(&["export", "snippet", "nginx", "www.genfic.example"])["serial"], serial);
    let other = ["create-request", "two", "--subject", "CN=two", "--san", "DNS:www.genfic.example"];
    home.ca(&[&other[..], &["--sign", "-p", "genfic-system"]].concat()).ok();
    refused(&snippet(&home, "nginx", &[]), 2, "certificate.ambiguous");
    refused(&home.ca(&["show", "www.genfic.example"]), 2, "certificate.ambiguous");
    home.ca(&["revoke", "two"]).ok();
    snippet(&home, "nginx", &[]).ok();
}

#[test]
fn dovecot_takes_its_snippet() {
    // G19
    let home = home();
    let said = home.run(&["dovecot", "--version"]).ok();
    snippet(&home, "dovecot", &["-o", "ssl.conf"]).ok();
    fs::write(home.path("dovecot.conf"), "!include ssl.conf\n").unwrap();
    let chain = home.path("www.genfic.example.chain.pem").display().to_string();
    if said.out.starts_with("2.3") {
        let read = home.run(&["doveconf", "-c", "dovecot.conf", "-n"]).ok();
        assert!(read.out.contains(&format!("ssl_cert = <{chain}")), "{}", read.all());
        assert!(read.out.contains("ssl_min_protocol = TLSv1.2") || read.out.contains("ssl = required"));
    }
}

#[test]
fn postgresql_takes_its_snippet() {
    // G19
    let home = home();
    snippet(&home, "postgresql", &["-o", "postgresql.conf"]).ok();
    let programs = fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path());
    let program = programs.map(|path| path.join("bin/postgres")).find(|path| path.is_file()).unwrap();
    let at = home.directory().display().to_string();
    home.run(&["chmod", "755", &at]).ok();
    let value = |name: &str| {
        let words =
            ["-C", name, "-D", &at, "-c", &format!("config_file={at}/postgresql.conf")].map(str::to_owned);
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid=nobody", "--clear-groups"]).arg(&program).args(words);
        Said::of(command.output().unwrap()).ok().out.trim().to_owned()
    };
    assert_eq!(value("ssl"), "on");
    assert_eq!(value("ssl_cert_file"), format!("{at}/www.genfic.example.chain.pem"));
    assert_eq!(value("ssl_min_protocol_version"), "TLSv1.2");
}

#[test]
fn openvpn_takes_its_snippet() {
    // G19
    let home = home();
    let text = snippet(&home, "openvpn", &[]).ok().out;
    let port = free_address().split(':').next_back().unwrap().to_owned();
    let more = format!("tls-server\ndev null\nproto udp\nlocal 127.0.0.1\nport {port}\n");
    fs::write(home.path("server.conf"), format!("{more}{text}")).unwrap();
    let said = home.run(&["timeout", "5", "openvpn", "--config", "server.conf"]);
    assert!(said.out.contains("link local (bound)"), "{}", said.all());
    let issuers = fs::read_to_string(home.path("www.genfic.example.issuers.pem")).unwrap();
    assert_eq!(issuers.matches("BEGIN CERTIFICATE").count(), 2);
}

#[test]
fn strongswan_gets_each_issuer_in_a_file_of_its_own() {
    // G19
    let home = home();
    let text = snippet(&home, "strongswan", &[]).ok().out;
    let at = home.directory().display();
    for number in 1..=2 {
        let file = format!("www.genfic.example.issuer-{number}.pem");
        let pem = fs::read_to_string(home.path(&file)).unwrap();
        assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 1);
        assert!(text.contains(&format!("cacert = {at}/{file}\n")), "{text}");
    }
    assert!(text.contains(&format!("certs = {at}/www.genfic.example.chain.pem\n")), "{text}");
    assert_eq!(text.matches('{').count(), text.matches('}').count(), "{text}");
}

#[test]
fn the_line_for_a_timer_renews_in_time_and_has_the_server_take_it() {
    // G22
    let home = home();
    let chain = "www.genfic.example.chain.pem";
    fs::create_dir(home.path("bin")).unwrap();
    for program in ["nginx", "systemctl"] {
        let file = home.path("bin").join(program);
        fs::write(&file, format!("#!/bin/sh\necho {program} $* >>{}\n", home.path("told").display()))
            .unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let line = |server: &str| {
        let text = snippet(&home, server, &["--force"]).ok().out;
        let line = text.lines().find(|line| line.starts_with("# genfic-ca ")).unwrap();
        line.trim_start_matches("# ").to_owned()
    };
    let run = |line: &str| home.shell(&format!("PATH=$PWD/bin:$PATH\n{line}")).ok();
    let nginx = line("nginx");
    run(&nginx);
    assert!(!home.path("told").exists(), "it is not due");
    let before = fs::read(home.path(chain)).unwrap();
    run(&nginx.replace("30d", "9000d"));
    assert_eq!(fs::read_to_string(home.path("told")).unwrap(), "nginx -s reload\n");
    assert_ne!(fs::read(home.path(chain)).unwrap(), before);
    run(&line("haproxy").replace("30d", "9000d"));
    let both = fs::read_to_string(home.path("www.genfic.example.haproxy.pem")).unwrap();
    assert!(both.contains("PRIVATE KEY") && both.ends_with(&fs::read_to_string(home.path(chain)).unwrap()));
    let mode = fs::metadata(home.path("www.genfic.example.haproxy.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(fs::read_to_string(home.path("told")).unwrap().ends_with("systemctl reload haproxy\n"));
}
