//! POST and GET, what may be kept of an answer, and asking again.
use crate::http_client::{Client, Reply, contents, get, message, ocsp_request};
use crate::running_daemon::{Site, request_for, request_of};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const OCSP: &str = "Content-Type: application/ocsp-request\r\n";

/// Escapes everything that is not a letter or a digit.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|octet| match octet.is_ascii_alphanumeric() {
            true => char::from(octet).to_string(),
            false => format!("%{octet:02X}"),
        })
        .collect()
}

/// Seconds since 1970 of an HTTP date.
fn seconds(reply: &Reply, header: &str) -> i64 {
    let text = reply.header(header).unwrap_or_else(|| panic!("no {header} in {:?}", reply.headers));
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).unwrap().as_second()
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[test]
fn a_request_is_answered_by_post_to_each_of_the_three_paths() {
    // O1, G7
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let request = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    for path in ["/", "/ocsp", "/ocsp/", "//", "/ocsp//", "/?x=y"] {
        let reply = Client::connect(site.url()).ask("POST", path, OCSP, &request);
        assert_eq!(reply.verdict(), "good", "{path}");
    }
    for headers in ["", "Content-Type: Application/OCSP-Request; x=y\r\n"] {
        let reply = Client::connect(site.url()).ask("POST", "/", headers, &request);
        assert_eq!(reply.verdict(), "good", "{headers}");
    }
    let mut chunked = Client::connect(site.url());
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{OCSP}Transfer-Encoding: chunked\r\n\r\n");
    chunked.send(head.as_bytes()).unwrap();
    for part in request.chunks(7) {
        chunked.send(format!("{:x}\r\n", part.len()).as_bytes()).unwrap();
        chunked.send(&[part, b"\r\n"].concat()).unwrap();
    }
    chunked.send(b"0\r\n\r\n").unwrap();
    assert_eq!(chunked.reply(false).unwrap().verdict(), "good");
}

#[test]
fn a_request_is_answered_by_get_however_its_base64_is_written() {
    // O1
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let one = request_for(&site.home, &issued, "-sha256");
    let nonces: [Option<&[u8]>; 5] = [
        None,
        Some(&[0xff; 18]),
        Some(&[0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb, 0xef]),
        Some(&[0xff; 31]),
        Some(&[0x3f; 32]),
    ];
    let mut seen = String::new();
    for nonce in nonces {
        let request = ocsp_request(std::slice::from_ref(&one), nonce);
        let text = STANDARD.encode(&request);
        seen.push_str(&text);
        let slashes_only = text.replace('/', "%2f");
        let paths = [
            format!("/{text}"),
            format!("/{}", escaped(&text)),
            format!("/{slashes_only}"),
            format!("/{}", text.trim_end_matches('=')),
            format!("//{text}"),
            format!("/{text}/"),
            format!("/ocsp/{text}"),
            format!("/ocsp//{text}/"),
            format!("/ocsp/{}", escaped(&text)),
            format!("/ocsp/{}%2F", escaped(&text)),
        ];
        for path in paths {
            let reply = get(site.url(), &path);
            assert_eq!(reply.verdict(), "good", "{path}");
            assert_eq!(reply.basic().data().nonce().as_deref(), nonce, "{path}");
        }
    }
    for part in ["//", "+", "="] {
        assert!(seen.contains(part), "no base64 here has {part}");
    }
}

#[test]
fn an_answer_says_how_long_it_may_be_kept() {
    // O8, O9
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let request = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    let path = format!("/{}", STANDARD.encode(&request));
    let begun = now();
    let (by_get, by_post) = (get(site.url(), &path), site.ask(&issued));
    for reply in [&by_get, &by_post] {
        let (data, single) = (reply.basic().data().clone(), reply.basic().data().responses[0].clone());
        let next_update = single.next_update.unwrap().0;
        assert!(single.this_update.0 <= data.produced_at.0, "{data:?}");
        assert!((begun - 5..=now()).contains(&data.produced_at.0), "{data:?}");
        assert_eq!(next_update - data.produced_at.0, 86_400, "24 hours by default");
        assert_eq!(seconds(reply, "last-modified"), single.this_update.0);
        assert_eq!(seconds(reply, "expires"), next_update);
        assert!((begun..=now()).contains(&seconds(reply, "date")));
        let control: Vec<&str> = reply.header("cache-control").unwrap().split(", ").collect();
        for word in ["public", "no-transform", "must-revalidate"] {
            assert!(control.contains(&word), "{control:?}");
        }
        let age = control.iter().find_map(|word| word.strip_prefix("max-age=")).unwrap();
        let age: i64 = age.parse().unwrap();
        assert!(age > 0 && seconds(reply, "date") + age < next_update, "max-age={age}");
        let tag = reply.header("etag").unwrap();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 16, "{tag}");
    }
    assert_eq!(by_get.body, by_post.body, "the kept answer serves both");
    assert_eq!(by_get.header("etag"), by_post.header("etag"));
}

#[test]
fn nextupdate_never_lies_beyond_the_end_of_the_responders_certificate() {
    // O8
    let home = crate::support::Home::at_url("http://pki.genfic.example");
    crate::running_daemon::configure(&home, "responder_days = 30", "responder_days = 1");
    crate::running_daemon::configure(&home, "next_update = \"24h\"", "next_update = \"20d\"");
    home.ca(&["create-root", "genfic"]).ok();
    home.ca(&["create-child", "genfic-system", "-p", "genfic"]).ok();
    let site = Site { daemon: home.daemon("127.0.0.1:0"), home };
    let issued = site.issue("w.genfic.example");
    let response = site.ask(&issued).basic();
    let end = response.certificates()[0].tbs().validity().not_after;
    assert_eq!(response.data().responses[0].next_update, Some(end));
}

#[test]
fn a_client_that_has_the_answer_already_is_told_so_by_get_and_head_and_never_by_post() {
    // O9
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let request = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    let path = format!("/{}", STANDARD.encode(&request));
    let first = get(site.url(), &path);
    let (tag, modified) = (first.header("etag").unwrap(), first.header("last-modified").unwrap());
    let mut client = Client::connect(site.url());
    let known = [
        format!("If-None-Match: {tag}\r\n"),
        format!("If-None-Match: W/{tag}\r\n"),
        format!("If-None-Match: \"other\", {tag}\r\n"),
        "If-None-Match: *\r\n".to_owned(),
        format!("If-Modified-Since: {modified}\r\n"),
    ];
    for condition in &known {
        for method in ["GET", "HEAD"] {
            let reply = client.ask(method, &path, condition, &[]);
            assert_eq!((reply.status, reply.body.len()), (304, 0), "{method} {condition}");
            assert_eq!(reply.header("etag"), Some(tag));
            assert!(reply.header("cache-control").is_some() && reply.header("expires").is_some());
        }
        let reply = client.ask("POST", "/", &format!("{OCSP}{condition}"), &request);
        assert_eq!((reply.status, &reply.body), (200, &first.body), "{condition}");
    }
    let unknown = [
        "If-None-Match: \"other\"\r\n".to_owned(),
        format!("If-None-Match: \"other\"\r\nIf-Modified-Since: {modified}\r\n"),
        "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n".to_owned(),
        "If-Modified-Since: yesterday\r\n".to_owned(),
    ];
    for condition in unknown {
        let reply = client.ask("GET", &path, &condition, &[]);
        assert_eq!((reply.status, &reply.body), (200, &first.body), "{condition}");
    }
}

#[test]
fn head_is_a_get_without_the_body() {
    // O9
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let request = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    let path = format!("/{}", STANDARD.encode(&request));
    let mut client = Client::connect(site.url());
    for path in [path.as_str(), "/genfic-system.crl", "/healthz", "/readyz", "/nothing.crl"] {
        let by_get = client.ask("GET", path, "", &[]);
        let by_head = client.ask("HEAD", path, "", &[]);
        assert_eq!(by_head.status, by_get.status, "{path}");
        for name in ["content-type", "content-length", "etag", "last-modified"] {
            assert_eq!(by_head.header(name), by_get.header(name), "{path}: {name}");
        }
        assert_eq!(by_head.header("cache-control").is_some(), by_get.header("cache-control").is_some());
    }
}

#[test]
fn what_is_not_authoritative_is_not_kept() {
    // O9, O4
    let site = Site::new();
    let refused = crate::http_client::post(site.url(), b"nothing");
    assert_eq!(refused.verdict(), "malformedRequest");
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    let unknown = request_of(&site.home, "genfic-system", "0123456789", "-sha1");
    let path = format!("/{}", STANDARD.encode(ocsp_request(&[unknown], None)));
    let reply = get(site.url(), &path);
    assert_eq!(reply.verdict(), "unknown");
    // O12: nobody keeps it for more than a minute
    let life = reply.basic().data().responses[0].next_update.unwrap().0 - now();
    assert!(life <= 60, "{life}");
    let control = reply.header("cache-control").unwrap();
    let age: i64 =
        control.split(", ").find_map(|word| word.strip_prefix("max-age=")).unwrap().parse().unwrap();
    assert!(age <= 60, "{control}");
}

#[test]
fn requests_sent_one_behind_the_other_are_answered_in_order() {
    // O1
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let good = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    let mut together = Vec::new();
    for _ in 0..20 {
        together.extend(message("POST", "/", OCSP, &good));
        together.extend(message("GET", "/healthz", "", &[]));
        together.extend(message("GET", "/genfic-system.crt", "", &[]));
        together.extend(message("POST", "/", OCSP, b"broken"));
    }
    let mut client = Client::connect(site.url());
    client.send(&together).unwrap();
    for _ in 0..20 {
        assert_eq!(client.reply(false).unwrap().verdict(), "good");
        assert_eq!(client.reply(false).unwrap().text(), "ok\n");
        assert_eq!(contents(&client.reply(false).unwrap().body)[0], 0x30);
        assert_eq!(client.reply(false).unwrap().verdict(), "malformedRequest");
    }
}
