//! HTTP by hand, so that a test says exactly which octets go out, and OCSP requests around CertIDs that
//! OpenSSL made.
use genfic_ca::ocsp::response::{BasicOcspResponse, OcspResponse};
use genfic_ca::ocsp::response_data::CertStatus;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection to the daemon.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(url: &str) -> Self {
        let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn send(&mut self, octets: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(octets)
    }

    /// Reads one reply; one to HEAD, or a 304, has no body whatever its headers say.
    pub(crate) fn reply(&mut self, to_head: bool) -> Result<Reply> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| Error::other(format!("`{line}`")))?;
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut reply = Reply { status, headers, body: Vec::new() };
        if !to_head && status != 304 {
            reply.body = vec![0; reply.header("content-length").unwrap().parse().unwrap()];
            self.stream.read_exact(&mut reply.body)?;
        }
        Ok(reply)
    }

    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Reply {
        self.send(&message(method, path, headers, body)).unwrap();
        self.reply(method == "HEAD").unwrap()
    }

    /// Nothing more is sent.
    pub(crate) fn shut(&mut self) {
        self.stream.get_mut().shutdown(std::net::Shutdown::Write).unwrap();
    }
}

/// The octets of a request; `headers` are whole lines.
pub(crate) fn message(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = if body.is_empty() && method != "POST" {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let mut out = format!("{method} {path} HTTP/1.1\r\nHost: pki\r\n{headers}{length}\r\n").into_bytes();
    out.extend_from_slice(body);
    out
}

pub(crate) fn get(url: &str, path: &str) -> Reply {
    Client::connect(url).ask("GET", path, "", &[])
}

/// A POST as clients send it.
pub(crate) fn post(url: &str, request: &[u8]) -> Reply {
    Client::connect(url).ask("POST", "/", "Content-Type: application/ocsp-request\r\n", request)
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The word for the first certificate asked about, or for the answer as a whole when it is a refusal.
    #[track_caller]
    pub(crate) fn verdict(&self) -> String {
        self.verdicts().remove(0)
    }

    /// The same for all of them.
    #[track_caller]
    pub(crate) fn verdicts(&self) -> Vec<String> {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/ocsp-response"));
        match OcspResponse::from_der(&self.body).unwrap() {
            OcspResponse::Refused(status) => vec![status.to_string()],
            OcspResponse::Successful(response) => {
                response.data().responses.iter().map(|single| word(single.status).into()).collect()
            }
        }
    }

    /// The signed answer.
    #[track_caller]
    pub(crate) fn basic(&self) -> BasicOcspResponse {
        match OcspResponse::from_der(&self.body).unwrap() {
            OcspResponse::Successful(response) => *response,
            OcspResponse::Refused(status) => panic!("{status}"),
        }
    }
}

fn word(status: CertStatus) -> &'static str {
    match status {
        CertStatus::Good => "good",
        CertStatus::Revoked { .. } => "revoked",
        CertStatus::Unknown => "unknown",
    }
}

/// A DER element.
pub(crate) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match contents.len() {
        length @ ..=0x7f => out.push(length as u8),
        length @ ..=0xff => out.extend([0x81, length as u8]),
        length => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(contents);
    out
}

/// What is in a DER element.
pub(crate) fn contents(element: &[u8]) -> &[u8] {
    match element[1] {
        0x81 => &element[3..],
        0x82 => &element[4..],
        _ => &element[2..],
    }
}

/// An OCSPRequest of these `Request` elements; `nonce` is put into its OCTET STRING whatever its length.
pub(crate) fn ocsp_request(requests: &[Vec<u8>], nonce: Option<&[u8]>) -> Vec<u8> {
    let nonce = nonce.map(|nonce| extension(&[0x2b, 6, 1, 5, 5, 7, 48, 1, 2], false, &element(4, nonce)));
    with_extensions(requests, &nonce.unwrap_or_default())
}

/// An OCSPRequest with these `Extension` elements.
pub(crate) fn with_extensions(requests: &[Vec<u8>], extensions: &[u8]) -> Vec<u8> {
    let mut tbs = element(0x30, &requests.concat());
    if !extensions.is_empty() {
        tbs.extend(element(0xa2, &element(0x30, extensions)));
    }
    element(0x30, &element(0x30, &tbs))
}

/// An `Extension` element.
pub(crate) fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { vec![1, 1, 0xff] } else { Vec::new() };
    element(0x30, &[element(6, oid), critical, element(4, value)].concat())
}
