//! HTTP octet by octet: what may be read in two ways, what is no HTTP, what is cut short.
use crate::http_client::{element, extension, message, ocsp_request, post, with_extensions};
use crate::running_daemon::{Site, request_for};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

const OCSP: &str = "Content-Type: application/ocsp-request\r\n";

/// Sends these octets and nothing more, and gives all that comes back until the connection is closed.
fn exchange(site: &Site, octets: &[u8]) -> String {
    let mut stream = TcpStream::connect(site.url().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let _ = stream.write_all(octets);
    let _ = stream.shutdown(Shutdown::Write);
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

/// The status of each reply, in order.
fn statuses(reply: &str) -> Vec<u16> {
    let starts = reply.match_indices("HTTP/1.").map(|(at, _)| &reply[at + 9..at + 12]);
    starts.map(|digits| digits.parse().unwrap()).collect()
}

/// A site, and a whole request that is answered `good` there.
fn asked() -> (Site, Vec<u8>) {
    let site = Site::new();
    let issued = site.issue("w.genfic.example");
    let good = ocsp_request(&[request_for(&site.home, &issued, "-sha1")], None);
    (site, good)
}

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

fn with(headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("POST / HTTP/1.1\r\nHost: a\r\n{OCSP}{headers}\r\n").as_bytes(), body].concat()
}

/// Each of them has its statuses, and nothing that was hidden in it is answered.
#[track_caller]
fn each(site: &Site, cases: &[(&str, Vec<u8>, &[u16])]) {
    for (what, octets, expected) in cases {
        let reply = exchange(site, octets);
        assert_eq!(statuses(&reply), *expected, "{what}: {reply:.300}");
        let closes = reply.to_ascii_lowercase().contains("connection: close");
        if expected.first().is_some_and(|status| *status == 400) {
            assert!(closes, "{what}: the connection goes on after a fault of framing: {reply:.300}");
        }
    }
}

#[test]
fn requests_that_could_be_read_in_two_ways_are_read_in_one_or_refused_and_the_connection_closed() {
    // O2
    let (site, good) = asked();
    let n = good.len();
    let chunked = [format!("{n:x}\r\n").as_bytes(), &good, b"\r\n0\r\n\r\n"].concat();
    let in_chunks = |body: &[u8]| with("Transfer-Encoding: chunked\r\n", &[body, GET].concat());
    let coded = |headers: &str| with(headers, &[&chunked[..], GET].concat());
    let sized = |headers: &str| with(headers, &[&good[..], GET].concat());
    let both = format!("Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n");
    let extended = [format!("{n:x};a=b;c=\"d\"\r\n").as_bytes(), &good, b"\r\n0\r\n\r\n"].concat();
    let endless_extension =
        [format!("{n:x};{}\r\n", "a".repeat(100_000)).as_bytes(), &good, b"\r\n0\r\n\r\n"].concat();
    let trailed = |trailer: &str| {
        [format!("{n:x}\r\n").as_bytes(), &good, b"\r\n0\r\n", trailer.as_bytes(), b"\r\n"].concat()
    };
    let bare = [format!("{n:x}\n").as_bytes(), &good, b"\n0\n\n"].concat();
    each(
        &site,
        &[
            // RFC 9112 §6.1: the coding counts, and the connection ends
            ("a length and a coding", coded(&both), &[200]),
            ("a coding and a length", coded("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), &[200]),
            (
                "the same length twice",
                sized(&format!("Content-Length: {n}\r\nContent-Length: {n}\r\n")),
                &[200, 200],
            ),
            ("two lengths", sized(&format!("Content-Length: {n}\r\nContent-Length: 5\r\n")), &[400]),
            ("a list of lengths", sized(&format!("Content-Length: {n}, {n}\r\n")), &[400]),
            ("a negative length", sized("Content-Length: -1\r\n"), &[400]),
            ("a length with a sign", sized(&format!("Content-Length: +{n}\r\n")), &[400]),
            ("a length in hexadecimal", sized("Content-Length: 0x10\r\n"), &[400]),
            ("a length beyond 64 bits", sized("Content-Length: 18446744073709551616\r\n"), &[400]),
            ("the largest length", sized("Content-Length: 18446744073709551615\r\n"), &[431]),
            ("a length of a gigabyte", sized("Content-Length: 1073741824\r\n"), &[413]),
            ("a blank in a length", sized("Content-Length: 1 2\r\n"), &[400]),
            ("an empty length", sized("Content-Length: \r\n"), &[400]),
            ("a length that is too small", with("Content-Length: 5\r\n", &good), &[200, 400]),
            ("a length that is too large", with(&format!("Content-Length: {}\r\n", n + 5), &good), &[400]),
            (
                "the coding identity",
                sized(&format!("Transfer-Encoding: identity\r\nContent-Length: {n}\r\n")),
                &[400],
            ),
            ("compressed and chunked", coded("Transfer-Encoding: gzip, chunked\r\n"), &[400]),
            ("chunked and compressed", coded("Transfer-Encoding: chunked, gzip\r\n"), &[400]),
            ("nearly chunked", coded("Transfer-Encoding: xchunked\r\n"), &[400]),
            ("chunked twice", coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), &[400]),
            ("chunked behind a tab", coded("Transfer-Encoding: \x0bchunked\r\n"), &[400]),
            ("a blank before the colon", coded("Transfer-Encoding : chunked\r\n"), &[400]),
            ("chunk extensions", in_chunks(&extended), &[200, 200]),
            ("an endless chunk extension", in_chunks(&endless_extension), &[400]),
            ("a chunk of no number", in_chunks(b"zz\r\nxx\r\n0\r\n\r\n"), &[400]),
            ("a chunk beyond 64 bits", in_chunks(b"ffffffffffffffffff\r\nxx\r\n0\r\n\r\n"), &[400]),
            ("a negative chunk", in_chunks(b"-1\r\nxx\r\n0\r\n\r\n"), &[400]),
            ("chunks with bare line feeds", in_chunks(&bare), &[400]),
            ("a length in the trailer", in_chunks(&trailed("Content-Length: 5\r\n")), &[200, 200]),
            ("a huge trailer", in_chunks(&trailed(&"X: y\r\n".repeat(50_000))), &[400]),
            (
                "a request in the body of a GET",
                [b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n", GET].concat(),
                &[200],
            ),
            ("a folded header", sized(&format!("X: a\r\n b\r\nContent-Length: {n}\r\n")), &[400]),
            ("a bare CR in a header", sized(&format!("X: a\rb\r\nContent-Length: {n}\r\n")), &[400]),
            ("a NUL in a header", sized(&format!("X: a\0b\r\nContent-Length: {n}\r\n")), &[400]),
            ("a header without a colon", sized("nonsense\r\n"), &[400]),
            ("no host", b"GET /healthz HTTP/1.1\r\n\r\n".to_vec(), &[400]),
            ("two hosts", b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_vec(), &[400]),
            (
                "a coding in HTTP/1.0",
                [format!("POST / HTTP/1.0\r\n{OCSP}Transfer-Encoding: chunked\r\n\r\n").as_bytes(), &chunked]
                    .concat(),
                &[400],
            ),
        ],
    );
    assert_eq!(post(site.url(), &good).verdict(), "good");
}

#[test]
fn targets_versions_and_protocols_of_every_kind_are_answered_by_the_standard() {
    // O1, O2
    let (site, good) = asked();
    let n = good.len();
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
    let of = |request: &str| request.as_bytes().to_vec();
    let long = |part: &str| part.repeat(200_000);
    each(
        &site,
        &[
            ("a whole URL", get("http://a/healthz"), &[200]),
            ("a whole URL of another host", get("http://evil.example/healthz"), &[200]),
            ("a whole URL without a path", get("http://a"), &[404]),
            (
                "POST to a whole URL",
                [
                    format!("POST http://a/ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n")
                        .as_bytes(),
                    &good,
                ]
                .concat(),
                &[200],
            ),
            ("an asterisk", get("*"), &[400]),
            ("OPTIONS of an asterisk", of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), &[405]),
            ("CONNECT", of("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), &[405]),
            ("no slash", get("healthz"), &[400]),
            ("a fragment", get("/healthz#x"), &[200]),
            ("octets beyond ASCII", [b"GET /\xff\xfe", &get("")[4..]].concat(), &[400]),
            ("a NUL in the path", get("/\0"), &[400]),
            ("above the root", get("/../../../etc/passwd"), &[404]),
            ("a file beside public/", get("/../index.db"), &[404]),
            ("a key, escaped", get("/%2e%2e%2fkeys%2fgenfic.age"), &[404]),
            ("a key, escaped twice", get("/%252e%252e%252fkeys%252fgenfic.age"), &[404]),
            ("back and forth", get("/x/../genfic.crl"), &[404]),
            ("the responder's key", get("/ocsp/genfic-system/responder.key"), &[404]),
            ("a doubled slash", get("//genfic.crl"), &[200]),
            ("a backslash", get("/..\\genfic.crl"), &[404]),
            ("HTTP/1.0", of("GET /healthz HTTP/1.0\r\n\r\n"), &[200]),
            (
                "POST by HTTP/1.0",
                [format!("POST / HTTP/1.0\r\n{OCSP}Content-Length: {n}\r\n\r\n").as_bytes(), &good].concat(),
                &[200],
            ),
            ("HTTP/0.9", of("GET /healthz\r\n"), &[400]),
            ("HTTP/1.2", of("GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n"), &[400]),
            ("HTTP/2.0", of("GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n"), &[400]),
            ("HTTP/2 at once", of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), &[]),
            (
                "an upgrade to HTTP/2",
                of(
                    "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
                ),
                &[200],
            ),
            ("TLS", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 7, 7, 7, 7], &[400]),
            ("SSH", of("SSH-2.0-OpenSSH_9.2\r\n"), &[400]),
            ("blank lines before", [b"\r\n\r\n", GET].concat(), &[200]),
            ("bare line feeds", of("GET /healthz HTTP/1.1\nHost: a\n\n"), &[200]),
            ("bare CRs", of("GET /healthz HTTP/1.1\rHost: a\r\r"), &[400]),
            ("a method in small letters", of("get /healthz HTTP/1.1\r\nHost: a\r\n\r\n"), &[405]),
            ("a blank in a name", of("GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n"), &[400]),
            (
                "waiting to be told to go on",
                with(&format!("Expect: 100-continue\r\nContent-Length: {n}\r\n"), &good),
                &[100, 200],
            ),
            ("a huge header", of(&format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", long("a"))), &[431]),
            (
                "a hundred and one headers",
                of(&format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(101))),
                &[431],
            ),
            ("a huge path", get(&format!("/{}", long("a"))), &[431]),
            ("a huge method", of(&format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", long("A"))), &[431]),
            ("nothing", Vec::new(), &[]),
        ],
    );
    assert_eq!(post(site.url(), &good).verdict(), "good");
}

#[test]
fn requests_cut_at_every_octet_never_get_more_than_they_asked() {
    // O2
    let (site, good) = asked();
    let whole = message("POST", "/", OCSP, &good);
    let head = whole.len() - good.len();
    for length in 0..whole.len() {
        let reply = exchange(&site, &whole[..length]);
        let expected: &[u16] = if length < head { &[] } else { &[400] };
        assert_eq!(statuses(&reply), expected, "the first {length} octets: {reply}");
    }
    assert_eq!(statuses(&exchange(&site, &whole)), [200]);
    let path = format!("/ocsp/{}", STANDARD.encode(&good));
    let mut seen = BTreeSet::new();
    for length in 1..=path.len() {
        let reply = exchange(&site, &message("GET", &path[..length], "", &[]));
        seen.extend(statuses(&reply));
        assert_eq!(statuses(&reply).len(), 1, "{}", &path[..length]);
        let head = message("GET", &path, "", &[]);
        let reply = exchange(&site, &head[..length.min(head.len() - 1)]);
        assert!(statuses(&reply).is_empty(), "half a head is answered: {reply}");
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [200, 404]);
}

#[test]
fn nested_doubled_and_endless_contents_are_answered_malformedrequest() {
    // O2, O5, O10
    let (site, good) = asked();
    let one = {
        use crate::http_client::contents;
        contents(contents(contents(&good))).to_vec()
    };
    let nonce = extension(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 2], false, &element(4, &[7; 16]));
    let junk = extension(&[0x2a, 3], false, &[0xde, 0xad]);
    let deep = (0..10_000).fold(vec![5, 0], |inner, _| element(0x30, &inner));
    let tbs = element(0x30, &element(0x30, &one));
    let signed = |signature: &[u8]| element(0x30, &[&tbs[..], &element(0xa0, signature)].concat());
    let algorithm = element(0x30, &[6, 3, 0x2a, 3, 4]);
    let signature = element(0x30, &[&algorithm[..], &[3, 5, 0, 1, 2, 3, 4]].concat());
    let with_certificates = {
        let certificates = element(0xa0, &element(0x30, &deep[..5000]));
        element(0x30, &[&algorithm[..], &[3, 5, 0, 1, 2, 3, 4], &certificates].concat())
    };
    let malformed = "malformedRequest";
    for (what, body, verdict) in [
        ("ten thousand nested elements", deep.clone(), malformed),
        ("nested elements for an extension", with_extensions(std::slice::from_ref(&one), &deep), malformed),
        (
            "a nonce twice",
            with_extensions(std::slice::from_ref(&one), &[nonce.clone(), nonce.clone()].concat()),
            malformed,
        ),
        (
            "an extension twice",
            with_extensions(std::slice::from_ref(&one), &[junk.clone(), junk.clone()].concat()),
            malformed,
        ),
        ("an extension of junk", with_extensions(std::slice::from_ref(&one), &junk), "good"),
        (
            "a thousand extensions of junk",
            with_extensions(
                std::slice::from_ref(&one),
                &(0..1000u32)
                    .flat_map(|n| {
                        extension(&[0x2a, 0x80 | (n >> 7) as u8 | 1, (n & 0x7f) as u8], false, &[5, 0])
                    })
                    .collect::<Vec<_>>(),
            ),
            malformed,
        ),
        ("hundreds of CertIDs", ocsp_request(&vec![one.clone(); 800], None), malformed),
        ("a signature by nobody", signed(&signature), "good"),
        ("a signature with junk for certificates", signed(&with_certificates), "good"),
        ("a signature that is none", signed(&[5, 0]), malformed),
        ("a request within a request", element(0x30, &good), malformed),
    ] {
        let reply = post(site.url(), &body);
        assert_eq!(reply.verdict(), verdict, "{what}");
    }
    let thousands = ocsp_request(&vec![one; 10_000], None);
    assert_eq!(
        post(site.url(), &thousands).status,
        413,
        "ten thousand CertIDs are more than a body may have"
    );
}
