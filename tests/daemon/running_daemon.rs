//! A home with its daemon, and what the tests ask of the two.
use crate::http_client::{Reply, contents, ocsp_request, post};
use crate::support::{Daemon, Home};
use std::fs;
use std::time::{Duration, Instant};

/// A hierarchy that is being served.
pub(crate) struct Site {
    pub daemon: Daemon,
    pub home: Home,
}

/// A certificate that a test asks about.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub ca: &'static str,
    pub serial: String,
    pub file: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With these settings in the configuration, each with its default before it.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let home = Home::with_hierarchy("http://pki.genfic.example");
        for (default, wanted) in settings {
            configure(&home, default, wanted);
        }
        Self { daemon: home.daemon("127.0.0.1:0"), home }
    }

    pub(crate) fn url(&self) -> &str {
        &self.daemon.url
    }

    pub(crate) fn issue(&self, name: &str) -> Issued {
        issue(&self.home, name)
    }

    /// Asks by POST, without a nonce, so that the answer may be a kept one.
    pub(crate) fn ask(&self, issued: &Issued) -> Reply {
        post(self.url(), &ocsp_request(&[request_for(&self.home, issued, "-sha1")], None))
    }

    /// Asks until the answer is this one; a second is all it may take (O12).
    #[track_caller]
    pub(crate) fn within_a_second(&self, request: &[u8], wanted: &str) {
        self.within(Duration::from_secs(1), request, wanted);
    }

    /// The same where no row says how long it may take.
    #[track_caller]
    pub(crate) fn soon(&self, request: &[u8], wanted: &str) {
        self.within(Duration::from_secs(10), request, wanted);
    }

    #[track_caller]
    fn within(&self, limit: Duration, request: &[u8], wanted: &str) {
        let begun = Instant::now();
        loop {
            let verdict = post(self.url(), request).verdict();
            if verdict == wanted {
                return;
            }
            assert!(begun.elapsed() < limit, "`{verdict}` where `{wanted}` is true");
        }
    }
}

/// Changes a setting that stands in the configuration at its default, commented out.
#[track_caller]
pub(crate) fn configure(home: &Home, default: &str, wanted: &str) {
    let file = home.path("home/genfic-ca.toml");
    let text = fs::read_to_string(&file).unwrap();
    let line = format!("# {default}\n");
    assert!(text.contains(&line), "{default}");
    fs::write(file, text.replacen(&line, &format!("{wanted}\n"), 1)).unwrap();
}

/// A certificate by the system CA.
pub(crate) fn issue(home: &Home, name: &str) -> Issued {
    let result = home.result(&["create-request", name, "--sign", "-p", "genfic-system"]);
    let text = result.to_string();
    let serial = find(&result, "serial").unwrap_or_else(|| panic!("{text}"));
    Issued { ca: "genfic-system", serial, file: format!("{name}.crt") }
}

fn find(value: &serde_json::Value, key: &str) -> Option<String> {
    match value {
        serde_json::Value::Object(map) => match map.get(key) {
            Some(serde_json::Value::String(text)) => Some(text.clone()),
            _ => map.values().find_map(|value| find(value, key)),
        },
        serde_json::Value::Array(list) => list.iter().find_map(|value| find(value, key)),
        _ => None,
    }
}

/// The `Request` element about a certificate, as OpenSSL makes it with this hash.
pub(crate) fn request_for(home: &Home, issued: &Issued, hash: &str) -> Vec<u8> {
    request_of(home, issued.ca, &issued.serial, hash)
}

/// The same by serial number.
pub(crate) fn request_of(home: &Home, ca: &str, serial: &str, hash: &str) -> Vec<u8> {
    let issuer = home.path(&format!("home/public/{ca}.pem")).display().to_string();
    let file = tempfile::NamedTempFile::new().unwrap();
    let out = file.path().display().to_string();
    let serial = format!("0x{serial}");
    let words =
        ["openssl", "ocsp", hash, "-issuer", &issuer, "-serial", &serial, "-no_nonce", "-reqout", &out];
    home.run(&words).ok();
    let octets = fs::read(file.path()).unwrap();
    // OCSPRequest, tbsRequest, requestList
    contents(contents(contents(&octets))).to_vec()
}
