//! Pending requests of CAs: the key is in this home, and the certificate is to be issued by an external CA. The
//! file `requests/NAME.waiting` has explanatory text before a PEM block (RFC 7468 §2), so that any tool reads
//! it.
use crate::error::Reason;
use crate::x509::{CertificationRequest, SubjectPublicKeyInfo, UnixTime, pem};
use std::fmt;

/// A CA with a pending request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PendingRequest {
    /// The CA's name.
    pub name: String,
    /// What to do with the certificate once it is there: a text from the caller, for whoever reads the file.
    pub next: String,
    /// The profile that was asked for; `None` for an imported key.
    pub profile: Option<String>,
    /// Whether the CA is to have a responder; `None` for the default.
    pub ocsp: Option<bool>,
    /// The previous generation of the same CA that this CA succeeds, if any.
    pub succeeds: Option<String>,
    /// When the request was made.
    pub since: UnixTime,
    /// URI of the key, where it is not in its usual place.
    pub key: Option<String>,
    /// The public key.
    pub public_key: SubjectPublicKeyInfo,
    /// The request in DER; `None` for an imported key.
    pub request: Option<Vec<u8>>,
}

const NEXT: &str = "waiting for its certificate";
const REQUEST: &str = "CERTIFICATE REQUEST";
const PUBLIC_KEY: &str = "PUBLIC KEY";

impl PendingRequest {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The reason why the text is not a pending request.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, Reason> {
        let block = pem::decode_all(text).map_err(|error| error.to_string())?.into_iter().next();
        let block = block.ok_or("there is no request in it")?;
        let frame = pem::frames(text).next().and_then(|frame| text.split_once(frame.whole()));
        let before = frame.map_or(text, |(before, _)| before);
        let word = |key: &str| {
            let mut rows = before.lines().filter_map(|line| line.split_once(": "));
            rows.find(|row| row.0 == key).map(|row| row.1.trim())
        };
        let (public_key, request) = match block.label.as_str() {
            REQUEST => {
                let request =
                    CertificationRequest::from_der(&block.der).and_then(CertificationRequest::verified);
                let request = request.map_err(|error| error.to_string())?;
                (request.public_key().clone(), Some(block.der))
            }
            PUBLIC_KEY => {
                (SubjectPublicKeyInfo::from_der(&block.der).map_err(|error| error.to_string())?, None)
            }
            other => return Err(format!("a {other} where a request belongs").into()),
        };
        Ok(Self {
            name: name.to_owned(),
            next: word(NEXT).unwrap_or_default().to_owned(),
            profile: word("profile").map(str::to_owned),
            ocsp: word("ocsp").and_then(|word| word.parse().ok()),
            succeeds: word("succeeds").map(str::to_owned),
            since: word("since").and_then(UnixTime::parse).ok_or("it does not say since when")?,
            key: word("key").map(str::to_owned),
            public_key,
            request,
        })
    }

    /// Returns the request in PEM.
    #[must_use]
    pub fn request_pem(&self) -> Option<String> {
        self.request.as_ref().map(|request| pem::encode(REQUEST, request))
    }
}

/// Writes the text of the file.
impl fmt::Display for PendingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{NEXT}: {}", self.next)?;
        writeln!(f, "since: {}", self.since)?;
        if let Some(profile) = &self.profile {
            writeln!(f, "profile: {profile}")?;
        }
        if let Some(ocsp) = self.ocsp {
            writeln!(f, "ocsp: {ocsp}")?;
        }
        if let Some(succeeds) = &self.succeeds {
            writeln!(f, "succeeds: {succeeds}")?;
        }
        if let Some(key) = &self.key {
            writeln!(f, "key: {key}")?;
        }
        match self.request_pem() {
            Some(request) => f.write_str(&request),
            None => f.write_str(&pem::encode(PUBLIC_KEY, self.public_key.as_der())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestKey;
    use crate::x509::{Name, encode_request};

    #[test]
    fn what_waits_is_read_as_it_was_written() {
        // G6
        let key = TestKey::ed25519();
        let subject = Name::parse("CN=a").unwrap();
        let request = key.encode_signed(&encode_request(&subject, key.public_key(), &[]));
        let asked = PendingRequest {
            name: "genfic-user".into(),
            next: "see to genfic-user".into(),
            profile: Some("user-ca".into()),
            ocsp: Some(true),
            succeeds: Some("genfic".into()),
            since: UnixTime(1_800_000_000),
            key: Some("pkcs11:token=Office;object=genfic-user".into()),
            public_key: key.public_key().clone(),
            request: Some(request),
        };
        let brought = PendingRequest {
            profile: None,
            ocsp: None,
            succeeds: None,
            key: None,
            request: None,
            ..asked.clone()
        };
        for pending_request in [asked, brought] {
            let text = pending_request.to_string();
            assert!(text.starts_with("waiting for its certificate: see to genfic-user\nsince: 2027-01-15T"));
            assert_eq!(PendingRequest::parse("genfic-user", &text), Ok(pending_request));
        }
        for text in ["", "since: now", "-----BEGIN X-----\nAA==\n-----END X-----\n"] {
            assert!(PendingRequest::parse("a", text).is_err());
        }
    }
}
