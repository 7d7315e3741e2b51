//! Servers that lie: to `ocsp query` and to `crl check`.
use crate::support::Home;
use crate::{ca, refused};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// A server on loopback that answers every connection with this, and its URL; it ends with the test.
fn server(answer: impl Fn(&mut TcpStream, &[u8]) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut asked = vec![0; 65_536];
            let length = stream.read(&mut asked).unwrap_or_default();
            answer(&mut stream, &asked[..length]);
        }
    });
    url
}

fn with_head(status: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n");
    [head.as_bytes(), body].concat()
}

const OCSP: &str = "Content-Type: application/ocsp-response\r\n";

fn fixed(octets: Vec<u8>) -> String {
    server(move |stream, _| drop(stream.write_all(&octets)))
}

/// Sends for as long as somebody reads, and says it is an answer.
fn endless(head: &'static str) -> String {
    server(move |stream, _| {
        let _ = stream.write_all(&with_head("200 OK", head, b""));
        let junk = [0x30; 65_536];
        let chunk = [format!("{:x}\r\n", junk.len()).as_bytes(), &junk, b"\r\n"].concat();
        while stream.write_all(if head.contains("chunked") { &chunk } else { &junk }).is_ok() {}
    })
}

fn hierarchy() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["one.example", "two.example"] {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system"]).ok();
    }
    home
}

#[test]
fn a_responder_that_lies_is_not_believed() {
    // O6
    let home = hierarchy();
    let daemon = home.daemon("127.0.0.1:0");
    let address = daemon.url.strip_prefix("http://").unwrap().to_owned();
    // what was once answered, to another nonce
    let ask = |file: &str| {
        let words = [
            "openssl",
            "ocsp",
            "-issuer",
            "home/public/genfic-system.pem",
            "-cert",
            file,
            "-url",
            &format!("http://{address}/"),
            "-respout",
            "answer.der",
            "-noverify",
        ];
        home.run(&words).ok();
        fs::read(home.path("answer.der")).unwrap()
    };
    let (old, other) = (ask("one.example.crt"), ask("two.example.crt"));
    let mut forged = old.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let answer =
        |body: &[u8]| fixed(with_head("200 OK", &format!("{OCSP}Content-Length: {}\r\n", body.len()), body));
    let half =
        with_head("200 OK", &format!("{OCSP}Content-Length: {}\r\n", old.len()), &old[..old.len() / 2]);
    let (verified, reached, kind) = ("ocsp.not-verified", "ocsp.unreachable", "ocsp.not-a-responder");
    let cases: Vec<(&str, String, i32, &str)> = vec![
        ("an answer to somebody else's nonce", answer(&old), 11, verified),
        ("an answer about another certificate", answer(&other), 11, verified),
        ("an answer that was changed", answer(&forged), 11, verified),
        ("junk", answer(b"junk"), 11, verified),
        ("nothing", answer(b""), 11, verified),
        (
            "ten thousand nested elements",
            answer(&(0..10_000).fold(vec![5, 0], |inner, _| genfic_ca::x509::octets::tlv(0x30, &inner))),
            11,
            verified,
        ),
        ("tryLater", answer(&[0x30, 3, 10, 1, 3]), 11, verified),
        ("successful without an answer", answer(&[0x30, 3, 10, 1, 0]), 11, verified),
        ("half an answer", fixed(half), 1, reached),
        ("an endless answer", endless("Content-Type: application/ocsp-response\r\n"), 1, reached),
        (
            "an endless answer in chunks",
            endless("Content-Type: application/ocsp-response\r\nTransfer-Encoding: chunked\r\n"),
            1,
            reached,
        ),
        (
            "100 MB announced",
            endless("Content-Type: application/ocsp-response\r\nContent-Length: 104857600\r\n"),
            1,
            reached,
        ),
        ("a web page", fixed(with_head("200 OK", "Content-Type: text/html\r\n", b"<html>")), 1, kind),
        ("no media type", fixed(with_head("200 OK", "", &old)), 1, kind),
        ("an error", fixed(with_head("500 Internal Server Error", OCSP, &old)), 1, kind),
        (
            "a redirection to itself",
            fixed(with_head("302 Found", "Location: /\r\nContent-Length: 0\r\n", b"")),
            1,
            kind,
        ),
        (
            "a redirection to a file",
            fixed(with_head("302 Found", "Location: file:///etc/passwd\r\nContent-Length: 0\r\n", b"")),
            1,
            kind,
        ),
        ("no HTTP", fixed(b"220 mail.example ESMTP\r\n".to_vec()), 1, reached),
        (
            "endless headers",
            server(|stream, _| {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
                while stream
                    .write_all(b"X-Junk: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
                    .is_ok()
                {}
            }),
            1,
            reached,
        ),
        ("a connection that is closed", server(|_, _| ()), 1, reached),
    ];
    for (what, url, exit, code) in &cases {
        let said = ca(&home, &["ocsp", "query", "one.example", "--url", url]);
        refused(&said, *exit, code, what);
    }
    ca(&home, &["ocsp", "query", "one.example", "--url", &daemon.url]).ok();
    for (url, exit) in
        [("https://127.0.0.1/", 2), ("file:///etc/passwd", 2), ("", 2), ("http://", 1), ("http://a b/", 1)]
    {
        let said = ca(&home, &["ocsp", "query", "one.example", "--url", url]);
        assert_eq!(said.status, exit, "`{url}`: {}", said.all());
        assert!(!said.err.contains("os error") && !said.err.contains("panicked"), "{}", said.err);
    }
}

#[test]
fn an_answer_signed_by_somebody_who_may_not_is_not_believed() {
    // O7
    let home = hierarchy();
    fs::write(home.path("index.txt"), "").unwrap();
    let serial = home.result(&["show", "one.example.crt"])["serial"].as_str().unwrap().to_uppercase();
    let lines = |status: &str| fs::write(home.path("index.txt"), status).unwrap();
    lines(&format!("V\t991231235959Z\t\t{serial}\tunknown\t/CN=one.example\n"));
    let signed = |certificate: &str, key: &str| {
        let directory = home.directory().to_owned();
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        server(move |stream, asked| {
            let start = asked.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
            let mut body = asked[start..].to_vec();
            if body.is_empty() {
                let mut more = vec![0; 65_536];
                let length = stream.read(&mut more).unwrap();
                body.extend(&more[..length]);
            }
            fs::write(directory.join("asked.der"), body).unwrap();
            let words = format!(
                "openssl ocsp -index index.txt -CA home/public/genfic-system.pem -rsigner {certificate} -rkey {key} \
                 -reqin asked.der -respout told.der -nmin 5"
            );
            crate::support::run(&directory, &words.split_whitespace().collect::<Vec<_>>()).ok();
            let told = fs::read(directory.join("told.der")).unwrap();
            let head = format!("{OCSP}Content-Length: {}\r\n", told.len());
            let _ = stream.write_all(&with_head("200 OK", &head, &told));
        })
    };
    let responder =
        |ca: &str| (format!("home/ocsp/{ca}/responder.pem"), format!("home/ocsp/{ca}/responder.key"));
    let ask = |(certificate, key): &(String, String)| {
        let url = signed(certificate, key);
        ca(&home, &["ocsp", "query", "one.example", "--url", &url])
    };
    ask(&responder("genfic-system")).ok();
    let leaf = |name: &str| (format!("{name}.crt"), format!("{name}.key"));
    for (what, by, says) in [
        ("the responder of another CA", responder("genfic-user"), "not issued by this CA's key"),
        ("a certificate for servers", leaf("two.example"), "not for OCSPSigning"),
        ("the certificate asked about", leaf("one.example"), "not for OCSPSigning"),
    ] {
        let said = ask(&by);
        refused(&said, 11, "ocsp.not-verified", what);
        assert!(said.err.contains(says), "{what}: {}", said.err);
    }
}

#[test]
fn a_responder_that_says_nothing_or_an_octet_at_a_time_is_given_up() {
    // O8
    let home = hierarchy();
    let silent = server(|stream, _| {
        let stream = stream.try_clone().unwrap();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(120));
            drop(stream);
        });
    });
    let dribbling = server(|stream, _| {
        let _ = stream.write_all(&with_head("200 OK", &format!("{OCSP}Content-Length: 1000\r\n"), b""));
        while stream.write_all(&[0x30]).is_ok() {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    std::thread::scope(|scope| {
        for url in [&silent, &dribbling] {
            let home = &home;
            scope.spawn(move || {
                let said = ca(home, &["ocsp", "query", "one.example", "--url", url]);
                refused(&said, 1, "ocsp.unreachable", url);
            });
        }
    });
}

#[test]
fn a_crl_that_is_none_or_without_end_is_refused() {
    let home = hierarchy();
    let crl = fs::read(home.path("home/public/genfic-system.crl")).unwrap();
    let mut forged = crl.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let answer =
        |body: &[u8]| fixed(with_head("200 OK", &format!("Content-Length: {}\r\n", body.len()), body));
    for (what, url, exit, code) in [
        ("junk", answer(b"junk"), 11, "file.malformed"),
        ("a web page", answer(b"<html>"), 11, "file.malformed"),
        ("a CRL that was changed", answer(&forged), 11, "crl.signature"),
        ("half a CRL", answer(&crl[..crl.len() / 2]), 11, "file.malformed"),
        ("not found", fixed(with_head("404 Not Found", "Content-Length: 0\r\n", b"")), 1, "crl.not-there"),
        ("a terabyte announced", endless("Content-Length: 1099511627776\r\n"), 1, "crl.unreachable"),
        ("a connection that is closed", server(|_, _| ()), 1, "crl.unreachable"),
    ] {
        refused(&ca(&home, &["crl", "check", &url]), exit, code, what);
    }
    ca(&home, &["crl", "check", &answer(&crl)]).ok();
}
