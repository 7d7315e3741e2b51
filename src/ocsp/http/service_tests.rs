use super::*;
use crate::clock::FixedClock;
use crate::config::{AddressForm, LogFormat};
use crate::ocsp::fixture::{Hierarchy, MemoryStatus, NOW};
use crate::ocsp::http::AccessLog;
use crate::ocsp::http::caching::http_date;
use crate::ocsp::http::replies::ANSWER;
use crate::ocsp::http::reply_body::ReplyBody;
use crate::ocsp::public_files::ServedFile;
use crate::ocsp::request::OcspRequest;
use crate::ocsp::response::OcspResponse;
use crate::ocsp::settings::ResponderSettings;
use crate::x509::Fingerprint;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use std::collections::HashMap;
use std::sync::Mutex;

fn rules() -> Rules {
    Rules::new(ResponderSettings::default(), Vec::new(), None)
}

struct Daemon {
    hierarchy: Hierarchy,
    snapshot: Arc<ArcSwap<Snapshot>>,
    service: OcspService,
}

impl Daemon {
    fn new() -> Self {
        let hierarchy = Hierarchy::new();
        let file = |octets: &[u8], media_type| {
            let (tag, modified) = (Fingerprint::of(octets).to_hex(), NOW.plus(-50));
            Arc::new(ServedFile {
                octets: octets.into(),
                media_type,
                tag,
                modified,
                next_update: None,
                delta_number: None,
                list: None,
            })
        };
        let files = HashMap::from([("ca.crt".into(), file(hierarchy.ca.as_der(), "application/pkix-cert"))]);
        let snapshot = Arc::new(ArcSwap::from_pointee(hierarchy.snapshot().with_files(files)));
        let server = ServerSettings { max_body: 4096, max_path: 4096, ..ServerSettings::default() };
        let clock = Arc::new(FixedClock(NOW));
        let service = OcspService::new(Arc::clone(&snapshot), rules(), &server, clock);
        Self { hierarchy, snapshot, service }
    }

    fn publish(&self, status: MemoryStatus) {
        let responders = vec![self.hierarchy.responder.clone()];
        self.snapshot.store(Arc::new(self.hierarchy.snapshot_of(status, responders)));
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (Reply, Vec<u8>) {
        let mut request = Request::builder().method(method).uri(path).header("host", "pki");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = Some([192, 0, 2, 77].into());
            let mut asked = self.service.begin(request, client, None);
            let reply = self.service.finish(&mut asked).await;
            let (head, body) = reply.into_parts();
            let octets = body.collect().await.unwrap().to_bytes().to_vec();
            (Response::from_parts(head, ReplyBody::default()), octets)
        })
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (Reply, Vec<u8>) {
        self.send("POST", path, headers, body)
    }

    fn path(&self) -> String {
        format!("/{}", STANDARD.encode(self.hierarchy.request(2)))
    }
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn post_and_get_give_the_same_answer_at_both_places() {
    // O1
    let daemon = Daemon::new();
    let request = daemon.hierarchy.request(2);
    let (reply, first) = daemon.post("/", &[("content-type", ASKED_BY_POST)], &request);
    assert_eq!((reply.status(), header(&reply, "content-type")), (StatusCode::OK, ANSWER));
    assert!(matches!(OcspResponse::from_der(&first), Ok(OcspResponse::Successful(_))));
    for path in ["/ocsp", "/ocsp/", "//", "//ocsp"] {
        assert_eq!(daemon.post(path, &[], &request).1, first, "{path}");
    }
    let escaped = daemon.path().replace('=', "%3d").replace('+', "%2B");
    for path in [daemon.path(), format!("/ocsp{}", daemon.path()), format!("/{escaped}/")] {
        assert_eq!(daemon.send("GET", &path, &[], &[]).1, first, "{path}");
    }
}

#[test]
fn malformed_requests_get_an_ocsp_answer_that_nobody_keeps() {
    // O2
    let daemon = Daemon::new();
    let malformed = ResponseStatus::MalformedRequest.to_response();
    for body in [&b""[..], b"x", &[0x30, 0x80]] {
        let (reply, octets) = daemon.post("/", &[], body);
        assert_eq!((reply.status(), &octets), (StatusCode::OK, &malformed));
        assert_eq!(header(&reply, "cache-control"), "no-store");
    }
    assert_eq!(daemon.send("GET", "/MA==", &[], &[]).1, malformed);
}

#[test]
fn faults_of_http_get_the_right_status() {
    // O2
    let daemon = Daemon::new();
    let status = |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        daemon.send(method, path, headers, body).0.status().as_u16()
    };
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(status("POST", "/", &[form], &daemon.hierarchy.request(2)), 415);
    let typed = ("content-type", "Application/OCSP-Request; charset=x");
    assert_eq!(status("POST", "/", &[typed], &daemon.hierarchy.request(2)), 200);
    assert_eq!(status("POST", "/", &[], &[0; 4097]), 413);
    assert_eq!(status("GET", &format!("/{}", "A".repeat(4096)), &[], &[]), 414);
    for (method, path, allowed) in [
        ("PUT", "/", "GET, HEAD, POST"),
        ("OPTIONS", "/ocsp", "GET, HEAD, POST"),
        ("POST", "/MA==", "GET, HEAD"),
        ("DELETE", "/ca.crt", "GET, HEAD"),
    ] {
        let (reply, _) = daemon.send(method, path, &[], &[]);
        assert_eq!((reply.status().as_u16(), header(&reply, "allow")), (405, allowed), "{method} {path}");
    }
    assert_eq!(status("POST", "/healthz", &[], &[]), 405);
    for path in ["/", "/ocsp", "/none.crl", "/../ca.key", "/%2e%2e/ca.crt", "/a_b", "/x/ca.crt"] {
        assert_eq!(status("GET", path, &[], &[]), 404, "{path}");
    }
}

#[test]
fn answers_carry_what_caches_need_and_get_and_head_ask_conditionally() {
    // O9
    let daemon = Daemon::new();
    let (get, _) = daemon.send("GET", &daemon.path(), &[], &[]);
    let (post, _) = daemon.post("/", &[], &daemon.hierarchy.request(2));
    let (head, _) = daemon.send("HEAD", &daemon.path(), &[], &[]);
    for reply in [&get, &post, &head] {
        assert_eq!(header(reply, "date"), http_date(NOW));
        assert_eq!(header(reply, "last-modified"), http_date(NOW.plus(-300)));
        assert_eq!(header(reply, "expires"), http_date(NOW.plus_days(1)));
        assert_eq!(header(reply, "etag"), header(&get, "etag"));
        let control = header(reply, "cache-control");
        let age = control.strip_suffix(", public, no-transform, must-revalidate").unwrap();
        let age: i64 = age.strip_prefix("max-age=").unwrap().parse().unwrap();
        assert!((9 * 3600..=12 * 3600).contains(&age), "{control}");
    }
    let tag = ("if-none-match", header(&get, "etag"));
    let date = ("if-modified-since", header(&get, "last-modified"));
    for condition in [tag, date] {
        for method in ["GET", "HEAD"] {
            let (reply, body) = daemon.send(method, &daemon.path(), &[condition], &[]);
            assert_eq!((reply.status(), body.len()), (StatusCode::NOT_MODIFIED, 0), "{condition:?}");
            assert_eq!(header(&reply, "etag"), tag.1);
        }
        let (reply, _) = daemon.post("/", &[condition], &daemon.hierarchy.request(2));
        assert_eq!(reply.status(), StatusCode::OK, "POST ignores {condition:?}");
    }
}

#[test]
fn answers_with_a_nonce_or_about_the_unknown_are_not_kept_for_long() {
    // O9, O12
    let daemon = Daemon::new();
    let request = OcspRequest::new(vec![daemon.hierarchy.id(2)], Some(vec![1; 16])).to_der();
    let (reply, _) = daemon.post("/", &[], &request);
    assert!(header(&reply, "cache-control").starts_with("max-age=0, public"));
    let (reply, _) = daemon.post("/", &[], &daemon.hierarchy.request(77));
    assert!(header(&reply, "cache-control").starts_with("max-age=30, public"));
    assert_eq!(header(&reply, "expires"), http_date(NOW.plus(60)));
}

#[test]
fn a_revocation_passes_by_the_cache_and_the_conditions() {
    // O12
    let daemon = Daemon::new();
    let (reply, good) = daemon.send("GET", &daemon.path(), &[], &[]);
    let mut status = daemon.hierarchy.status();
    status.revoke(2, NOW);
    daemon.publish(status);
    let tag = ("if-none-match", header(&reply, "etag"));
    let date = ("if-modified-since", header(&reply, "last-modified"));
    for condition in [tag, date] {
        let (reply, revoked) = daemon.send("GET", &daemon.path(), &[condition], &[]);
        assert_eq!(reply.status(), StatusCode::OK);
        assert_ne!(revoked, good);
    }
}

#[test]
fn files_are_served_with_their_type_and_conditionally() {
    // X10
    let daemon = Daemon::new();
    let (reply, body) = daemon.send("GET", "/ca.crt", &[], &[]);
    assert_eq!(body, daemon.hierarchy.ca.as_der());
    assert_eq!(header(&reply, "content-type"), "application/pkix-cert");
    assert_eq!(header(&reply, "last-modified"), http_date(NOW.plus(-50)));
    assert!(header(&reply, "cache-control").starts_with("max-age=3600, public"));
    let tag = ("if-none-match", header(&reply, "etag"));
    assert_eq!(daemon.send("GET", "/ca.crt", &[tag], &[]).0.status(), StatusCode::NOT_MODIFIED);
    for date in [NOW.plus(-50), NOW, NOW.plus(1000)] {
        let date = http_date(date);
        let reply = daemon.send("GET", "/ca.crt", &[("if-modified-since", &date)], &[]).0;
        assert_eq!(reply.status(), StatusCode::NOT_MODIFIED, "{date}");
    }
}

#[test]
fn a_part_of_a_file_is_sent_with_where_it_belongs() {
    let daemon = Daemon::new();
    let whole = daemon.hierarchy.ca.as_der();
    let length = whole.len();
    let (reply, body) = daemon.send("GET", "/ca.crt", &[("range", "bytes=10-19")], &[]);
    assert_eq!((reply.status().as_u16(), body.as_slice()), (206, &whole[10..20]));
    assert_eq!(header(&reply, "content-range"), format!("bytes 10-19/{length}"));
    assert_eq!(header(&reply, "content-type"), "application/pkix-cert");
    let tag = header(&reply, "etag").to_owned();
    let (reply, body) = daemon.send("GET", "/ca.crt", &[("range", "bytes=5-"), ("if-range", &tag)], &[]);
    assert_eq!((reply.status().as_u16(), body.as_slice()), (206, &whole[5..]));
    let other = [("range", "bytes=5-"), ("if-range", "\"another\"")];
    let (reply, body) = daemon.send("GET", "/ca.crt", &other, &[]);
    assert_eq!((reply.status().as_u16(), body.len()), (200, length), "of another file it is all sent");
    assert_eq!(header(&reply, "accept-ranges"), "bytes");
    let (reply, _) = daemon.send("GET", "/ca.crt", &[("range", "bytes=99999-")], &[]);
    assert_eq!(
        (reply.status().as_u16(), header(&reply, "content-range")),
        (416, &*format!("bytes */{length}"))
    );
    // RFC 9110 §14.2: a Range is for GET alone
    let (reply, _) = daemon.send("HEAD", "/ca.crt", &[("range", "bytes=0-9")], &[]);
    assert_eq!((reply.status().as_u16(), header(&reply, "accept-ranges")), (200, "bytes"));
    let known = [("range", "bytes=0-9"), ("if-none-match", &tag)];
    assert_eq!(daemon.send("GET", "/ca.crt", &known, &[]).0.status(), StatusCode::NOT_MODIFIED);
}

#[test]
fn everything_is_also_below_the_paths_of_the_urls_in_certificates() {
    let daemon = Daemon::new();
    let request = daemon.hierarchy.request(2);
    let get = |path: &str| daemon.send("GET", path, &[], &[]).0.status().as_u16();
    assert_eq!(get("/pki/ca.crt"), 404);
    daemon.service.controls().replace(
        ResponderSettings::default(),
        vec!["/pki".into(), "/pki/old".into()],
        None,
    );
    for base in ["", "/pki", "/pki/old"] {
        assert_eq!(get(&format!("{base}/ca.crt")), 200);
        assert_eq!(get(&format!("{base}/healthz")), 200);
        assert_eq!(get(&format!("{base}{}", daemon.path())), 200);
        assert_eq!(get(&format!("{base}/ocsp{}", daemon.path())), 200);
        for path in ["", "/", "/ocsp"] {
            let path = format!("{base}{path}");
            let path = if path.is_empty() { "/" } else { &path };
            let (reply, _) = daemon.post(path, &[], &request);
            assert_eq!((reply.status().as_u16(), header(&reply, "content-type")), (200, ANSWER), "{path}");
        }
    }
    for path in ["/pkica.crt", "/PKI/ca.crt", "/pki/pki/ca.crt", "/other/ca.crt"] {
        assert_eq!(get(path), 404, "{path}");
    }
}

#[test]
fn each_request_is_in_the_access_log_while_there_is_one() {
    let daemon = Daemon::new();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = AccessLog::new(LogFormat::Text, AddressForm::Short, {
        let lines = Arc::clone(&lines);
        move |line| lines.lock().unwrap().push(String::from_utf8(line).unwrap())
    });
    daemon.send("GET", "/ca.crt", &[], &[]);
    daemon.service.controls().replace(ResponderSettings::default(), Vec::new(), Some(log));
    daemon.send("GET", "/ca.crt", &[("range", "bytes=0-9")], &[]);
    daemon.post("/", &[], b"x");
    daemon.send("GET", &daemon.path(), &[], &[]);
    daemon.service.controls().replace(ResponderSettings::default(), Vec::new(), None);
    daemon.send("GET", "/ca.crt", &[], &[]);
    let lines = lines.lock().unwrap().clone();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("192.0.2.0 - - ["), "{}", lines[0]);
    assert!(lines[0].ends_with("\"GET /ca.crt HTTP/1.1\" 206 10 -\n"), "{}", lines[0]);
    assert!(lines[1].ends_with("\"POST / HTTP/1.1\" 200 5 malformedRequest\n"), "{}", lines[1]);
    assert!(lines[2].ends_with(" successful\n"), "{}", lines[2]);
}

#[test]
fn health_is_always_said_and_readiness_only_when_it_is_so() {
    // O13
    let daemon = Daemon::new();
    let get = |path: &str| {
        let (reply, body) = daemon.send("GET", path, &[], &[]);
        (reply.status().as_u16(), String::from_utf8(body).unwrap())
    };
    assert_eq!(get("/healthz"), (200, "ok\n".into()));
    let others = "other: disabled, no responder answers for it\n";
    let answered = "ready\nlacking: the CRL of ca is missing\nca: answered, responder certificate until 2027-02-13T08:00:00Z\n";
    assert_eq!(get("/readyz"), (200, format!("{answered}{others}")));
    daemon.snapshot.store(Arc::new(daemon.hierarchy.snapshot_of(daemon.hierarchy.status(), Vec::new())));
    assert_eq!(get("/healthz").0, 200);
    let lacking = "ca has no valid responder certificate\nlacking: the CRL of ca is missing\nca: no valid responder certificate\n";
    assert_eq!(get("/readyz"), (503, format!("{lacking}{others}")));
}

#[test]
fn an_answer_that_is_kept_takes_four_allocations() {
    // O9: its octets, two for its headers, one for its tag
    let daemon = Daemon::new();
    let octets = Bytes::from(daemon.hierarchy.request(2));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut least = u64::MAX;
    for _ in 0..3 {
        let body = Full::new(octets.clone());
        let request = Request::builder().method("POST").uri("/").header("host", "pki").body(body).unwrap();
        let counted = allocation_counter::measure(|| {
            let mut asked = daemon.service.begin(request, None, None);
            let reply = runtime.block_on(daemon.service.finish(&mut asked));
            assert_eq!(reply.status(), StatusCode::OK);
        });
        least = least.min(counted.count_total);
    }
    assert_eq!(least, 4);
}
