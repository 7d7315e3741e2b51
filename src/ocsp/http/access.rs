//! The access log: a line for each request, in the Common Log Format or as JSON.
use crate::config::{AddressForm, LogFormat};
use crate::ocsp::response::ResponseStatus;
use crate::x509::UnixTime;
use hyper::Method;
use jiff::Timestamp;
use serde_json::json;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Octets of a path that are logged; the rest is left out.
const LONGEST: usize = 512;

/// Writes a line for each request. What it is given takes the line at once, and writes it later.
pub struct AccessLog {
    format: LogFormat,
    addresses: AddressForm,
    write: Box<dyn Fn(Vec<u8>) + Send + Sync>,
}

/// One request and its reply.
pub(super) struct Access<'a> {
    pub(super) time: UnixTime,
    /// Address of the client; `None` on a Unix socket.
    pub(super) client: Option<IpAddr>,
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) status: u16,
    /// Octets of the reply's body.
    pub(super) octets: u64,
    /// `responseStatus` of an OCSP answer.
    pub(super) answer: Option<ResponseStatus>,
}

impl AccessLog {
    /// Returns a log of this format and this form of addresses, whose lines `write` takes.
    #[must_use]
    pub fn new(
        format: LogFormat,
        addresses: AddressForm,
        write: impl Fn(Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        Self { format, addresses, write: Box::new(write) }
    }

    pub(super) fn add(&self, access: &Access<'_>) {
        (self.write)(self.line(access).into_bytes());
    }

    fn line(&self, access: &Access<'_>) -> String {
        let client = access.client.and_then(|address| shortened(address, self.addresses));
        let client = client.map(|address| address.to_string());
        let answer = access.answer.map(|status| status.to_string());
        let path = escaped(access.path);
        match self.format {
            LogFormat::Text => format!(
                "{} - - [{}] \"{} {path} HTTP/1.1\" {} {} {}\n",
                client.as_deref().unwrap_or("-"),
                Timestamp::from_second(access.time.0)
                    .map(|at| at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string())
                    .unwrap_or_default(),
                access.method,
                access.status,
                access.octets,
                answer.as_deref().unwrap_or("-"),
            ),
            LogFormat::Json => {
                let line = json!({
                    "time": access.time.to_string(),
                    "client": client,
                    "method": access.method.as_str(),
                    "path": path,
                    "status": access.status,
                    "octets": access.octets,
                    "answer": answer,
                });
                format!("{line}\n")
            }
        }
    }
}

/// Returns the address as it is logged: without its last octet, or without all but the first 64 bits of an IPv6
/// address, when it is to be shortened. An IPv4 address in IPv6 form is one.
fn shortened(address: IpAddr, form: AddressForm) -> Option<IpAddr> {
    let address = address.to_canonical();
    match (form, address) {
        (AddressForm::None, _) => None,
        (AddressForm::Full, _) => Some(address),
        (AddressForm::Short, IpAddr::V4(four)) => {
            Some(Ipv4Addr::from_bits(four.to_bits() & 0xffff_ff00).into())
        }
        (AddressForm::Short, IpAddr::V6(six)) => {
            Some(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX)).into())
        }
    }
}

/// Returns a path as part of a line: quotation marks, backslashes and all but printable ASCII are escaped.
fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len().min(LONGEST));
    for octet in path.bytes().take(LONGEST) {
        match octet {
            b' '..=b'~' if !matches!(octet, b'"' | b'\\') => out.push(char::from(octet)),
            _ => drop(write!(out, "\\x{octet:02x}")),
        }
    }
    if path.len() > LONGEST {
        out.push_str("...");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn lines(format: LogFormat, addresses: AddressForm, client: Option<&str>, path: &str) -> String {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = AccessLog::new(format, addresses, {
            let lines = Arc::clone(&lines);
            move |line| lines.lock().unwrap().extend(line)
        });
        log.add(&Access {
            time: UnixTime(784_111_777),
            client: client.map(|client| client.parse().unwrap()),
            method: &Method::POST,
            path,
            status: 200,
            octets: 1234,
            answer: Some(ResponseStatus::Successful),
        });
        let octets = lines.lock().unwrap().clone();
        String::from_utf8(octets).unwrap()
    }

    #[test]
    fn a_request_is_one_line_in_the_common_log_format_or_one_object() {
        assert_eq!(
            lines(LogFormat::Text, AddressForm::Full, Some("192.0.2.77"), "/ocsp"),
            "192.0.2.77 - - [06/Nov/1994:08:49:37 +0000] \"POST /ocsp HTTP/1.1\" 200 1234 successful\n"
        );
        let line = lines(LogFormat::Json, AddressForm::Full, Some("192.0.2.77"), "/ocsp");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["client"], &value["answer"]), (&json!("192.0.2.77"), &json!("successful")));
        assert_eq!((&value["time"], &value["octets"]), (&json!("1994-11-06T08:49:37Z"), &json!(1234)));
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn addresses_are_shortened_or_left_out_when_that_is_asked() {
        let client = |addresses, client| {
            let line = lines(LogFormat::Text, addresses, client, "/");
            line.split(' ').next().unwrap().to_owned()
        };
        assert_eq!(client(AddressForm::Short, Some("192.0.2.77")), "192.0.2.0");
        assert_eq!(client(AddressForm::Short, Some("::ffff:192.0.2.77")), "192.0.2.0");
        assert_eq!(client(AddressForm::Full, Some("::ffff:192.0.2.77")), "192.0.2.77");
        assert_eq!(client(AddressForm::Short, Some("2001:db8:1:2:3:4:5:6")), "2001:db8:1:2::");
        assert_eq!(client(AddressForm::None, Some("192.0.2.77")), "-");
        assert_eq!(client(AddressForm::Full, None), "-");
    }

    #[test]
    fn a_path_cannot_end_the_line_or_its_quotation_and_has_a_length() {
        let line = lines(LogFormat::Text, AddressForm::Full, None, "/a\"b\\c\nd\u{e9}");
        assert!(line.contains("POST /a\\x22b\\x5cc\\x0ad\\xc3\\xa9 HTTP"), "{line}");
        let line = lines(LogFormat::Text, AddressForm::Full, None, &"x".repeat(5000));
        assert!(line.len() < 700 && line.contains("x... HTTP"), "{line}");
    }
}
