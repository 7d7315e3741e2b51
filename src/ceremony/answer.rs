//! What a key that is offline answers to a request: one TOML file.
use super::{History, digest_of, numbered, pem_of, sha256, time, word};
use crate::document::{self, Mistake};
use crate::x509::{UnixTime, pem};
use std::fmt::Write as _;

/// First line of data of an answer.
const FORMAT: &str = "ceremony answer 1";
const CERTIFICATE: &str = "CERTIFICATE";
const CRL: &str = "X509 CRL";
const CHECKPOINT: &str = "CERTIFICATE REQUEST";

/// Something that was signed, DER.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SignedItem {
    /// A certificate.
    Certificate(Vec<u8>),
    /// A CRL.
    Crl(Vec<u8>),
}

/// An answer to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The CA.
    pub authority: String,
    /// As [`super::Request::key`].
    pub key: String,
    /// SHA-256 of the request's text, in hexadecimal digits.
    pub request: String,
    /// The date of the ceremony.
    pub at: UnixTime,
    /// Who was there, as they said.
    pub people: Vec<String>,
    /// What was signed, in the order of the request.
    pub items: Vec<SignedItem>,
    /// The history with it, which begins with that of the request.
    pub history: History,
    /// As [`super::Request::checkpoint`].
    pub checkpoint: Vec<u8>,
}

impl SignedItem {
    /// Returns the octets.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        match self {
            Self::Certificate(der) | Self::Crl(der) => der,
        }
    }

    fn parts(&self) -> (&'static str, &'static str) {
        match self {
            Self::Certificate(_) => ("certificate", CERTIFICATE),
            Self::Crl(_) => ("crl", CRL),
        }
    }
}

impl Answer {
    /// Returns the text of the file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let Self { authority, key, request, at, .. } = self;
        let people: Vec<String> =
            self.people.iter().map(|one| toml::Value::String(one.clone()).to_string()).collect();
        let mut text = format!(
            "# What the key of {authority} signed, to be taken in by the home that asked for it.\n\
             format = \"{FORMAT}\"\nauthority = \"{authority}\"\nspki_sha256 = \"{key}\"\nrequest_sha256 = \"{request}\"\nat = \
             \"{at}\"\npeople = [{}]\nhead = \"{}\"\ncheckpoint = '''\n{}'''\n",
            people.join(", "),
            self.history.head(),
            pem::encode(CHECKPOINT, &self.checkpoint)
        );
        for (number, item) in self.items.iter().enumerate() {
            let (kind, label) = item.parts();
            let _ = write!(
                text,
                "\n[item.{}]\nkind = \"{kind}\"\nsha256 = \"{}\"\nsigned = '''\n{}'''\n",
                number.saturating_add(1),
                sha256(item.as_der()),
                pem::encode(label, item.as_der())
            );
        }
        text.push('\n');
        text.push_str(&self.history.to_toml());
        text
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        let read = document::read(text, |file| {
            file.require_as("format", |format: String| {
                if format == FORMAT { Ok(()) } else { Err(format!("must be \"{FORMAT}\"")) }
            });
            let authority = word(file, "authority");
            let (key, request) = (digest_of(file, "spki_sha256"), digest_of(file, "request_sha256"));
            let (at, head) = (time(file, "at"), digest_of(file, "head"));
            let people = file.list_as("people", |one| Ok::<_, String>(one.to_owned())).unwrap_or_default();
            let checkpoint = pem_of(file, "checkpoint", CHECKPOINT);
            if checkpoint.is_none() {
                file.mistake("checkpoint", "is missing");
            }
            let items = numbered(file, "item", |item| {
                let kind = word(item, "kind")?;
                let digest = digest_of(item, "sha256")?;
                let signed = match kind.as_str() {
                    "certificate" => pem_of(item, "signed", CERTIFICATE).map(SignedItem::Certificate),
                    "crl" => pem_of(item, "signed", CRL).map(SignedItem::Crl),
                    _ => None,
                };
                if signed.as_ref().is_none_or(|signed| sha256(signed.as_der()) != digest) {
                    item.mistake("signed", "is not what kind and sha256 say, in PEM");
                }
                signed
            });
            let history = History::read(file);
            if head.as_ref().is_some_and(|head| *head != history.head()) {
                file.mistake("signed", "is not the history with the digest head");
            }
            Some(Self {
                authority: authority?,
                key: key?,
                request: request?,
                at: at?,
                people,
                items,
                history,
                checkpoint: checkpoint?,
            })
        })?;
        read.ok_or_else(Vec::new)
    }
}
