//! What a key signed in ceremonies so far: a chain of entries, each with the digest of those before it. Every medium with
//! the key has it, as far as it knows; the home has all of it that was taken in.
use crate::document::{Mistake, Section};
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateList, UnixTime, pem};
use std::fmt::Write as _;

/// PEM label of the key's own word for a history.
const CHECKPOINT: &str = "CERTIFICATE REQUEST";
const CRL: &str = "X509 CRL";
/// Digest before the first entry.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One thing that was signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signed {
    /// The date of the ceremony, as the people there gave it.
    pub at: UnixTime,
    /// `certificate` or `crl`.
    pub kind: String,
    /// Serial number of a certificate, number of a CRL.
    pub name: String,
    /// SHA-256 of the octets that were signed, in hexadecimal digits.
    pub sha256: String,
    /// SHA-256 of the request in which it was, in hexadecimal digits.
    pub request: String,
}

/// What a home keeps of the ceremonies of a key.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct KeptHistory {
    /// What was signed, as far as it was taken in or noted.
    pub(crate) history: History,
    /// The key's own word for it, DER; as [`super::Request::checkpoint`].
    pub(crate) checkpoint: Option<Vec<u8>>,
    /// The last CRL of an answer. It was never published when a newer request had replaced the answered one; the media
    /// ask for it all the same.
    pub(crate) crl: Option<CertificateList>,
}

/// The chain.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct History(pub Vec<Signed>);

impl Signed {
    fn line(&self) -> String {
        format!("{} {} {} {} {}", self.at, self.kind, self.name, self.sha256, self.request)
    }
}

impl History {
    /// Returns the digest of the whole chain: for each entry, SHA-256 of the digest before it, a line feed, and the line
    /// `at kind name sha256 request`.
    #[must_use]
    pub fn head(&self) -> String {
        self.0.iter().fold(NOTHING.to_owned(), |before, entry| {
            super::sha256(format!("{before}\n{}", entry.line()).as_bytes())
        })
    }

    /// Returns whether another chain begins with this one.
    #[must_use]
    pub fn is_beginning_of(&self, longer: &Self) -> bool {
        longer.0.starts_with(&self.0)
    }

    /// Returns the date of the last entry.
    #[must_use]
    pub fn last_date(&self) -> Option<UnixTime> {
        self.0.iter().map(|entry| entry.at).max()
    }

    /// Returns number and digest of the CRL with the highest number.
    #[must_use]
    pub(crate) fn last_list(&self) -> Option<(CrlNumber, &str)> {
        let lists = self.0.iter().filter(|entry| entry.kind == "crl");
        let numbered = lists.filter_map(|entry| Some((entry.name.parse().ok()?, entry.sha256.as_str())));
        numbered.max_by_key(|(number, _)| *number)
    }

    /// Returns whether anything was signed for the request with this digest.
    #[must_use]
    pub fn has_request(&self, digest: &str) -> bool {
        self.0.iter().any(|entry| entry.request == digest)
    }

    /// Returns the chain as tables of a TOML text, numbered from 1.
    #[must_use]
    pub(crate) fn to_toml(&self) -> String {
        let mut text = String::new();
        for (number, entry) in self.0.iter().enumerate() {
            let Signed { at, kind, name, sha256, request } = entry;
            let _ = write!(
                text,
                "[signed.{}]\nat = \"{at}\"\nkind = \"{kind}\"\nname = \"{name}\"\nsha256 = \"{sha256}\"\nrequest = \
                 \"{request}\"\n\n",
                number.saturating_add(1)
            );
        }
        text
    }

    /// Reads these tables.
    pub(crate) fn read(section: &mut Section) -> Self {
        Self(super::numbered(section, "signed", |entry| {
            Some(Signed {
                at: super::time(entry, "at")?,
                kind: super::word(entry, "kind")?,
                name: super::word(entry, "name")?,
                sha256: super::digest_of(entry, "sha256")?,
                request: super::digest_of(entry, "request")?,
            })
        }))
    }

    /// Reads the text of a history that stands alone.
    ///
    /// # Errors
    /// Every mistake in it.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        crate::document::read(text, Self::read)
    }
}

impl KeptHistory {
    /// Returns it as text.
    #[must_use]
    pub(crate) fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut block = |key: &str, label: &str, der: &[u8]| {
            let _ = write!(text, "{key} = '''\n{}'''\n\n", pem::encode(label, der));
        };
        if let Some(checkpoint) = &self.checkpoint {
            block("checkpoint", CHECKPOINT, checkpoint);
        }
        if let Some(crl) = &self.crl {
            block("crl", CRL, crl.as_der());
        }
        text.push_str(&self.history.to_toml());
        text
    }

    /// Reads such a text.
    ///
    /// # Errors
    /// Every mistake in it.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        crate::document::read(text, |file| {
            let checkpoint = super::pem_of(file, "checkpoint", CHECKPOINT);
            let crl = super::pem_of(file, "crl", CRL).and_then(|der| match CertificateList::from_der(&der) {
                Ok(crl) => Some(crl),
                Err(error) => {
                    file.mistake("crl", error.to_string());
                    None
                }
            });
            Self { history: History::read(file), checkpoint, crl }
        })
    }
}

#[cfg(test)]
pub(crate) fn entry(number: u8) -> Signed {
    Signed {
        at: UnixTime(1_800_000_000 + i64::from(number)),
        kind: "crl".into(),
        name: number.to_string(),
        sha256: super::sha256(&[number]),
        request: super::sha256(&[number, 0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_as_it_was_written_and_every_part_of_it_is_in_its_head() {
        // G6
        let history = History((1..=12).map(entry).collect());
        assert_eq!(History::parse(&history.to_toml()).unwrap(), history);
        assert_eq!(History::default().head(), NOTHING);
        for at in 0..12 {
            let mut other = history.clone();
            other.0[at].name.push('0');
            assert_ne!(other.head(), history.head());
            assert!(!other.is_beginning_of(&history));
            other.0.truncate(at);
            assert!(other.is_beginning_of(&history) && !history.is_beginning_of(&other));
        }
        assert!(history.has_request(&crate::ceremony::sha256(&[3, 0])));
        assert!(History::parse(&history.to_toml().replace("kind", "kin")).is_err());
    }

    #[test]
    fn the_last_list_is_the_one_with_the_highest_number() {
        // G6
        assert_eq!(History::default().last_list(), None);
        let mut history = History([9, 12, 3].map(entry).to_vec());
        history.0.push(Signed { kind: "certificate".into(), name: "99".into(), ..entry(99) });
        assert_eq!(history.last_list(), Some((12, super::super::sha256(&[12]).as_str())));
    }
}
