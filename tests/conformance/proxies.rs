//! The manual's configurations of web servers before the responder: each hands requests on as they are.
use crate::servers::Site;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::path::Path;

/// What a server has besides: where its files are, and what a distribution's configuration has. `DIR` is its directory,
/// `BLOCK` the manual's lines.
const NGINX: &str = "pid DIR/pid;\nerror_log stderr;\ndaemon off;\nevents {}\nhttp {\naccess_log off;\n\
                     client_body_temp_path DIR/body;\nproxy_temp_path DIR/proxy;\nfastcgi_temp_path DIR/fastcgi;\n\
                     uwsgi_temp_path DIR/uwsgi;\nscgi_temp_path DIR/scgi;\nBLOCK\n}\n";
const APACHE: &str = "ServerName pki.genfic.example\nServerRoot DIR\nPidFile DIR/pid\nErrorLog DIR/log\nMutex sem\n\
                      LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n\
                      LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n\
                      LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so\n\
                      LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so\n\
                      Listen AT_GOOD\nListen AT_REVOKED\nBLOCK\n";
const HAPROXY: &str = "global\n    nbthread 1\ndefaults\n    timeout client 20s\n    timeout server 20s\n    \
                       timeout connect 20s\nBLOCK\n";

/// The manual's lines for a server, with these addresses in the place of port 80.
fn manual(language: &str, port_80: &str, here: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout/doc/responder.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("\n```{language}\n")).unwrap();
    let block = rest.split("```").next().unwrap();
    assert_eq!(block.matches(port_80).count(), 1, "{block}");
    block.replace(port_80, here)
}

/// A request with a nonce, drawn until its base64 has two slashes in a row.
fn request_with_slashes(site: &Site) -> String {
    let certificate = "server/good.genfic.example.chain.pem";
    let words =
        ["openssl", "ocsp", "-nonce", "-issuer", "home/public/genfic-system.pem", "-cert", certificate];
    loop {
        site.home.run(&[&words[..], &["-reqout", "request.der"]].concat()).ok();
        let base64 = STANDARD.encode(fs::read(site.home.path("request.der")).unwrap());
        if base64.contains("//") {
            return base64;
        }
    }
}

fn hands_on(site: &Site, configuration: &str, words: &[&str]) {
    let (_, address) = site.daemon.url.split_once("://").unwrap();
    site.configure("proxy.conf", &configuration.replace("127.0.0.1:2560", address));
    let file = site.home.path("server/proxy.conf").display().to_string();
    let _server = site.serve(&[words, &[&file]].concat());
    let url = format!("http://{}", site.good());
    site.home.ca(&["ocsp", "query", "good.genfic.example", "--url", &format!("{url}/")]).ok();
    site.home.ca(&["crl", "check", &format!("{url}/genfic-system.crl")]).ok();
    let base64 = request_with_slashes(site);
    let encoded = base64.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    for path in [&base64, &encoded, &format!("ocsp/{base64}")] {
        let url = format!("{url}/{path}");
        let out = ["-w", "%{http_code} %{content_type}", "-o", "answer.der", &url];
        let said = site.home.run(&[&["curl", "-s", "--path-as-is"], &out[..]].concat()).ok();
        assert_eq!(said.out, "200 application/ocsp-response", "{path}");
        let read = ["openssl", "ocsp", "-respin", "answer.der", "-noverify", "-resp_text"];
        let text = site.home.run(&read).ok().out;
        assert!(text.contains("Cert Status: good") && text.contains("Nonce"), "{path}: {text}");
    }
}

#[test]
fn nginx_hands_requests_on_as_they_are() {
    // G7
    let site = Site::with_key("p256");
    let block = manual("nginx", "listen 80;", "listen AT_GOOD; listen AT_REVOKED;");
    let directory = site.home.path("server").display().to_string();
    hands_on(&site, &NGINX.replace("BLOCK", &block), &["nginx", "-e", "stderr", "-p", &directory, "-c"]);
}

#[test]
fn apache_hands_requests_on_as_they_are() {
    // G7
    let site = Site::with_key("p256");
    let block = manual("apache", "*:80", "AT_GOOD AT_REVOKED");
    hands_on(&site, &APACHE.replace("BLOCK", &block), &["apache2", "-X", "-f"]);
}

#[test]
fn haproxy_hands_requests_on_as_they_are() {
    // G7
    let site = Site::with_key("p256");
    let block = manual("haproxy", "bind :80", "bind AT_GOOD\n    bind AT_REVOKED");
    hands_on(&site, &HAPROXY.replace("BLOCK", &block), &["haproxy", "-db", "-f"]);
}
