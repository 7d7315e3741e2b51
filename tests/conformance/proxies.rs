//! The manual's configurations of web servers and caches before the responder: each hands requests on as they are, and a
//! cache keeps an answer no longer than the manual says.
use crate::servers::{GOOD, Server, Site};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a server has besides: where its files are, and what a distribution's configuration has. `DIR` is its directory,
/// `BLOCK` the manual's lines.
const NGINX: &str = "pid DIR/pid;\nerror_log stderr;\ndaemon off;\nmaster_process off;\nevents {}\nhttp {\naccess_log off;\n\
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
const CADDY: &str = "{\n    admin off\n}\nBLOCK\n";
/// How many requests with two slashes in a row each server hands on.
const REQUESTS: usize = 40;

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout/doc/publish.md");
    fs::read_to_string(page).unwrap()
}

/// The manual's blocks for a server.
fn blocks(language: &str) -> Vec<String> {
    let page = page();
    let opening = format!("\n```{language}\n");
    page.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// The block with `to` in the place of what must be there once.
fn with(block: &str, from: &str, to: &str) -> String {
    assert_eq!(block.matches(from).count(), 1, "{from}: {block}");
    block.replace(from, to)
}

/// A request with a nonce, or without.
fn request(site: &Site, nonce: &str) -> Vec<u8> {
    let certificate = format!("server/{GOOD}.chain.pem");
    let words = ["openssl", "ocsp", nonce, "-issuer", "home/public/genfic-system.pem", "-cert", &certificate];
    site.home.run(&[&words[..], &["-reqout", "request.der"]].concat()).ok();
    fs::read(site.home.path("request.der")).unwrap()
}

/// Requests whose base64 has two slashes in a row, with their nonces.
fn requests_with_slashes(site: &Site) -> Vec<(String, Vec<u8>)> {
    let mut octets = request(site, "-nonce");
    let end = octets.len() - 16;
    let (before, nonce) = octets.split_at_mut(end);
    assert_eq!(before[before.len() - 2..], [4, 16], "the nonce is not at the end of the request");
    let mut state = 1_u64;
    let mut found = Vec::new();
    while found.len() < REQUESTS {
        for octet in nonce.iter_mut() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *octet = state.to_be_bytes()[0];
        }
        let base64 = STANDARD.encode([&*before, &*nonce].concat());
        if base64.contains("//") {
            found.push((base64, nonce.to_vec()));
        }
    }
    found
}

fn encoded(base64: &str) -> String {
    base64.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")
}

/// Starts a server whose configuration is this.
fn serve(site: &Site, configuration: &str, words: &[&str]) -> Server {
    let (_, address) = site.daemon.url.split_once("://").unwrap();
    let (host, port) = address.split_once(':').unwrap();
    let configuration = configuration.replace("127.0.0.1:2560", address);
    let configuration = configuration.replace(".port = \"2560\"", &format!(".port = \"{port}\""));
    site.configure(
        "proxy.conf",
        &configuration.replace(".host = \"127.0.0.1\"", &format!(".host = \"{host}\"")),
    );
    let file = site.home.path("server/proxy.conf").display().to_string();
    site.serve(&[words, &[&file]].concat())
}

fn hands_on(site: &Site, configuration: &str, words: &[&str]) {
    let _server = serve(site, configuration, words);
    let url = format!("http://{}", site.good());
    site.home.ca(&["ocsp", "query", GOOD, "--url", &format!("{url}/")]).ok();
    site.home.ca(&["crl", "check", &format!("{url}/genfic-system.crl")]).ok();
    let mut command = vec!["curl", "-s", "--path-as-is", "-w", "%{http_code} %{content_type}\\n"];
    let mut asked = Vec::new();
    for (place, (base64, nonce)) in requests_with_slashes(site).into_iter().enumerate() {
        for path in [base64.clone(), encoded(&base64), format!("ocsp/{base64}")] {
            let file = format!("answer-{place}-{}.der", asked.len() % 3);
            asked.push((file, format!("{url}/{path}"), nonce.clone()));
        }
    }
    command.extend(asked.iter().flat_map(|(file, url, _)| ["-o", file, url]));
    let said = site.home.run(&command).ok();
    assert_eq!(said.out.lines().count(), 3 * REQUESTS, "{}", said.all());
    for (line, (file, url, nonce)) in said.out.lines().zip(&asked) {
        assert_eq!(line, "200 application/ocsp-response", "{url}");
        let answer = fs::read(site.home.path(file)).unwrap();
        assert!(answer.windows(nonce.len()).any(|octets| octets == nonce), "{url} got another's answer");
    }
    assert!(status(site, &asked[0].0).contains("good"));
}

/// The certificate's status in an answer.
fn status(site: &Site, file: &str) -> String {
    let text = site.home.run(&["openssl", "ocsp", "-respin", file, "-noverify", "-resp_text"]).ok().out;
    text.lines().find_map(|line| line.trim().strip_prefix("Cert Status: ")).unwrap().to_owned()
}

#[test]
fn nginx_hands_requests_on_as_they_are() {
    // G7
    let site = Site::with_key("p256");
    let block = with(&blocks("nginx")[0], "listen 80;", "listen AT_GOOD; listen AT_REVOKED;");
    hands_on(&site, &NGINX.replace("BLOCK", &block), &words(&nginx(&site)));
}

/// The words that start nginx, before the name of its configuration.
fn nginx(site: &Site) -> Vec<String> {
    let directory = site.home.path("server").display().to_string();
    ["nginx", "-e", "stderr", "-p", &directory, "-c"].map(str::to_owned).to_vec()
}

/// Words whose owner is elsewhere.
fn words(these: &[String]) -> Vec<&str> {
    these.iter().map(String::as_str).collect()
}

#[test]
fn apache_hands_requests_on_as_they_are() {
    // G7
    let site = Site::with_key("p256");
    let block = with(&blocks("apache")[0], "*:80", "AT_GOOD AT_REVOKED");
    hands_on(&site, &APACHE.replace("BLOCK", &block), &["apache2", "-X", "-f"]);
}

#[test]
fn haproxy_hands_requests_on_as_they_are() {
    // G7
    let site = Site::with_key("p256");
    let block = with(&blocks("haproxy")[0], "bind :80", "bind AT_GOOD\n    bind AT_REVOKED");
    hands_on(&site, &HAPROXY.replace("BLOCK", &block), &["haproxy", "-db", "-f"]);
}

#[test]
fn caddy_hands_requests_on_as_they_are() {
    // G7
    let site = Site::with_key("p256");
    let block = with(&blocks("caddy")[0], "http://pki.genfic.example", "http://AT_GOOD, http://AT_REVOKED");
    let home = format!("HOME={}", site.home.path("server").display());
    let words = [
        "env",
        "--unset=XDG_CONFIG_HOME",
        "--unset=XDG_DATA_HOME",
        &home,
        "caddy",
        "run",
        "--adapter",
        "caddyfile",
        "--config",
    ];
    hands_on(&site, &CADDY.replace("BLOCK", &block), &words);
}

/// The words that start Varnish, before the name of its configuration.
fn varnish(site: &Site, name: &str) -> Vec<String> {
    let directory = site.home.path("server").join(name).display().to_string();
    let (good, revoked) = (format!("a={}", site.good()), format!("b={}", site.revoked()));
    let words = ["varnishd", "-F", "-n", &directory, "-a", &good, "-a", &revoked, "-s", "malloc,16m", "-f"];
    words.map(str::to_owned).to_vec()
}

#[test]
fn varnish_hands_requests_on_as_they_are() {
    // G7
    let site = Site::with_key("p256");
    hands_on(&site, &blocks("vcl")[0], &words(&varnish(&site, "varnish")));
}

/// What the server answers to a GET without a nonce.
fn answered(site: &Site, base64: &str, url: &str) -> String {
    site.home.run(&["curl", "-sS", "--fail", "-o", "kept.der", &format!("{url}/{}", encoded(base64))]).ok();
    status(site, "kept.der")
}

/// The manual's lines keep an answer for a minute: for that time after a revocation it is still *good*, and no longer.
fn keeps_an_answer_for_a_minute(start: impl Fn(&Site, &str, &str) -> Server) {
    let site = Site::with_key("p256");
    let url = format!("http://{}", site.good());
    let base64 = STANDARD.encode(request(&site, "-no_nonce"));
    let long = start(&site, "60s", "long");
    assert_eq!(answered(&site, &base64, &url), "good");
    site.home.ca(&["revoke", GOOD, "--reason", "superseded"]).ok();
    let begun = Instant::now();
    let waits = |begun: Instant| {
        assert!(begun.elapsed() < Duration::from_secs(20), "the revocation does not show");
        std::thread::sleep(Duration::from_millis(50));
    };
    while answered(&site, &base64, &site.daemon.url) == "good" {
        waits(begun);
    }
    assert_eq!(answered(&site, &base64, &url), "good", "it kept nothing");
    drop(long);
    let _short = start(&site, "1s", "short");
    let begun = Instant::now();
    while answered(&site, &base64, &url) == "good" {
        waits(begun);
    }
}

#[test]
fn a_cache_in_nginx_keeps_an_answer_for_a_minute() {
    // O9
    keeps_an_answer_for_a_minute(|site, time, name| {
        let block = with(&blocks("nginx")[1], "listen 80;", "listen AT_GOOD; listen AT_REVOKED;");
        let block = with(&block, "/var/cache/nginx/pki", &format!("DIR/{name}"));
        let block = with(&block, "proxy_cache_valid 200 60s;", &format!("proxy_cache_valid 200 {time};"));
        serve(site, &NGINX.replace("BLOCK", &block), &words(&nginx(site)))
    });
}

#[test]
fn a_cache_in_nginx_keeps_neither_errors_nor_readiness_nor_what_answers_a_nonce() {
    // O9
    let site = Site::with_key("p256");
    let block = with(&blocks("nginx")[1], "listen 80;", "listen AT_GOOD; listen AT_REVOKED;");
    let block = with(&block, "/var/cache/nginx/pki", "DIR/kept");
    let shown = "proxy_cache pki;\nadd_header Kept $upstream_cache_status always;";
    let block = with(&block, "proxy_cache pki;", shown);
    let _server = serve(&site, &NGINX.replace("BLOCK", &block), &words(&nginx(&site)));
    let kept = |path: &str| {
        let url = format!("http://{}/{path}", site.good());
        let said = site.home.run(&["curl", "-sS", "--fail", "-D", "-", "-o", "body", &url]).ok();
        said.out.lines().find_map(|line| line.strip_prefix("Kept: ")).unwrap().trim().to_owned()
    };
    let base64 = |octets: &[u8]| encoded(&STANDARD.encode(octets));
    // a certificate that is no CA's issues nothing that the daemon answers for
    let leaf = format!("server/{GOOD}.chain.pem");
    let words = ["openssl", "ocsp", "-no_nonce", "-issuer", &leaf, "-serial", "7", "-reqout", "other.der"];
    site.home.run(&words).ok();
    let unauthorized = base64(&fs::read(site.home.path("other.der")).unwrap());
    for path in ["readyz", &unauthorized, &base64(&request(&site, "-nonce"))] {
        assert_eq!([kept(path), kept(path)], ["MISS", "MISS"], "{path}");
    }
    let answer = base64(&request(&site, "-no_nonce"));
    assert_eq!([kept(&answer), kept(&answer)], ["MISS", "HIT"]);
}

#[test]
fn varnish_keeps_an_answer_for_a_minute() {
    // O9
    keeps_an_answer_for_a_minute(|site, time, name| {
        let block = &blocks("vcl")[0];
        assert_eq!(block.matches("60s").count(), 2, "{block}");
        serve(site, &block.replace("60s", time), &words(&varnish(site, name)))
    });
}

#[test]
fn the_manual_says_how_long_each_answer_may_be_kept() {
    // O9
    let site = Site::with_key("p256");
    let url = &site.daemon.url;
    let max_age = |path: &str| {
        let said =
            site.home.run(&["curl", "-sS", "--fail", "-D", "-", "-o", "body", &format!("{url}/{path}")]).ok();
        let line = said.out.lines().find(|line| line.to_lowercase().starts_with("cache-control:")).unwrap();
        let (_, rest) = line.split_once("max-age=").unwrap();
        rest.split(',').next().unwrap().parse::<u64>().unwrap()
    };
    let page = page();
    let told = |answer: &str| {
        let row = page.lines().find(|line| line.starts_with(&format!("| {answer} |"))).unwrap();
        let number = row.split('|').nth(3).unwrap().trim();
        number.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let base64 = |nonce: &str| encoded(&STANDARD.encode(request(&site, nonce)));
    for (answer, path) in [
        ("OCSP", base64("-no_nonce")),
        ("OCSP with a nonce", base64("-nonce")),
        ("CRL", "genfic-system.crl".into()),
        ("CA certificate", "genfic-system.crt".into()),
    ] {
        let (seen, told) = (max_age(&path), told(answer));
        // OCSP answers are renewed up to an eighth of their life earlier
        let least = if answer == "OCSP" { told / 4 * 3 } else { told };
        assert!(seen <= told && seen + 60 >= least, "{answer}: {seen} of {told}");
    }
}
