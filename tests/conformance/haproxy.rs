//! HAProxy (2.6) staples what stands in a file beside its certificate, and what it is told through its socket.
use crate::servers::{GOOD, REVOKED, Site};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const CONFIG: &str = r#"
global
    stats socket DIR/admin level admin
    nbthread 1
defaults
    mode http
    timeout client 20s
    timeout server 20s
    timeout connect 20s
frontend good
    bind AT_GOOD ssl crt DIR/good.pem verify required ca-file DIR/users.pem crl-file DIR/all.crl.pem
    http-request return status 200 content-type text/plain lf-string "hello %[ssl_c_s_dn]"
frontend revoked
    bind AT_REVOKED ssl crt DIR/revoked.pem
    http-request return status 200 content-type text/plain string "hello"
"#;

/// One command to the running HAProxy.
fn tell(site: &Site, command: &str) -> String {
    let mut socket = UnixStream::connect(site.home.path("server/admin")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(command.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn haproxy_serves_our_chain_staples_our_answer_and_takes_no_revoked_client() {
    // G7, P1, P15
    let site = Site::with_key("p384");
    site.configure("haproxy.cfg", CONFIG);
    for (host, file) in [(GOOD, "good"), (REVOKED, "revoked")] {
        let read =
            |ending: &str| fs::read_to_string(site.home.path(&format!("server/{host}.{ending}"))).unwrap();
        let both = read("chain.pem") + &read("key");
        fs::write(site.home.path(&format!("server/{file}.pem")), both).unwrap();
        site.fetch_answer(host, file, &format!("server/{file}.pem.ocsp"));
    }
    let configuration = site.home.path("server/haproxy.cfg").display().to_string();
    let _server = site.serve(&["haproxy", "-db", "-f", &configuration]);
    site.is_judged();
    assert!(site.curl_as("amber").out.contains("CN=amber"));
    let said = site.curl_as("basil");
    assert!(said.status != 0 && said.err.contains("revoked"), "{}", said.all());
    assert_ne!(site.curl(GOOD, &[]).status, 0);

    // O12: a revocation reaches its clients with the next answer that it is handed
    site.home.ca(&["revoke", GOOD, "--reason", "superseded"]).ok();
    site.curl_as("amber").ok();
    site.fetch_answer(GOOD, "revoked", "newer.der");
    let answer = STANDARD.encode(fs::read(site.home.path("newer.der")).unwrap());
    let told = tell(&site, &format!("set ssl ocsp-response {answer}\n"));
    assert!(told.contains("OCSP Response updated"), "{told}");
    let said = site.curl_as("amber");
    assert!(said.status != 0 && said.err.contains("superseded"), "{}", said.all());
}
