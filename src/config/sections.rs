//! The other sections of the configuration, with their defaults and bounds.
use super::duration::{format_duration, parse_duration};
use super::listen::{InvalidListenAddress, ListenAddress};
use super::octets::{format_octets, parse_octets};
use super::pkcs11::pin_source;
use super::setting::path;
use crate::document::Section;
use crate::profile::parse_alt_name;
use crate::signing::SecretSpec;
use crate::x509::KeyAlgorithm;
use std::path::PathBuf;

const MINUTE: i64 = 60;
const MIB: u64 = 1 << 20;
pub(super) const HOUR: i64 = 3600;
pub(super) const DAY: i64 = 86_400;

pub(super) fn span(section: &mut Section, key: &str, least: i64, most: i64) -> Option<i64> {
    section.get_as(key, |text: String| match parse_duration(&text)? {
        seconds if (least..=most).contains(&seconds) => Ok(seconds),
        _ => Err(format!("must be from {} to {}", format_duration(least), format_duration(most))),
    })
}

fn number<T: TryFrom<i64>>(section: &mut Section, key: &str, least: i64, most: i64) -> Option<T> {
    section.get_as(key, |number: i64| {
        let within = (least..=most).contains(&number).then(|| T::try_from(number).ok()).flatten();
        within.ok_or_else(|| format!("must be from {least} to {most}"))
    })
}

pub(super) fn word<T: Copy>(section: &mut Section, key: &str, words: &[(&str, T)]) -> Option<T> {
    section.get_as(key, |text: String| {
        let names: Vec<String> = words.iter().map(|row| format!("\"{}\"", row.0)).collect();
        let found = words.iter().find(|row| row.0 == text);
        found.map(|row| row.1).ok_or_else(|| format!("must be {}", names.join(" or ")))
    })
}

/// `[publication]`
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PublicationConfig {
    /// Base of the URLs in certificates: plain http, without a trailing slash; `None` omits the URLs.
    pub url: Option<String>,
    /// Bases that earlier certificates name: what they name goes on being served.
    pub former_urls: Vec<String>,
}

impl PublicationConfig {
    /// Returns the paths of the URL and of the former ones, such as `/pki`; none for those that have no path.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let urls = self.url.iter().chain(&self.former_urls);
        let paths = urls.map(|url| path_of(url)).filter(|path| !path.is_empty());
        paths.map(str::to_owned).collect()
    }

    fn below(&self, path: &str) -> Option<String> {
        let base = self.url.as_deref()?;
        Some(format!("{}/{path}", base.trim_end_matches('/')))
    }

    /// Returns the URL of a CA's CRL; `None` when no URL is configured.
    #[must_use]
    pub(crate) fn crl_url(&self, authority: &str) -> Option<String> {
        self.below(&format!("{authority}.crl"))
    }

    /// Returns the URL of a CA's delta CRL.
    #[must_use]
    pub(crate) fn delta_crl_url(&self, authority: &str) -> Option<String> {
        self.below(&format!("{authority}.delta.crl"))
    }

    /// Returns the URL of a CA's certificate.
    #[must_use]
    pub(crate) fn certificate_url(&self, authority: &str) -> Option<String> {
        self.below(&format!("{authority}.crt"))
    }

    /// Returns the URL of the OCSP responder.
    #[must_use]
    pub(crate) fn ocsp_url(&self) -> Option<String> {
        self.below("ocsp")
    }

    pub(super) fn read(section: &mut Section) -> Self {
        Self {
            url: section.get_as("url", |text: String| base(&text)),
            former_urls: section.list_as("former_urls", base).unwrap_or_default(),
        }
    }
}

/// Reads the base of URLs in certificates.
fn base(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    if text.starts_with("https://") {
        return Err(
            "must be plain http: fetching it by https would need what it serves (RFC 5280 §8)".to_owned()
        );
    }
    if !text.starts_with("http://") || text.contains(['?', '#', '@']) {
        return Err("must be a URL such as \"http://pki.genfic.example\"".to_owned());
    }
    parse_alt_name(&format!("URI:{text}")).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

fn path_of(url: &str) -> &str {
    let rest = url.strip_prefix("http://").unwrap_or_default();
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
}

/// `[keys]`
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyConfig {
    /// Work factor of passphrases: log2 of the scrypt parameter N.
    pub scrypt_log_n: u8,
    /// Key type of a root.
    pub root: KeyAlgorithm,
    /// Key type of subordinate CAs.
    pub ca: KeyAlgorithm,
    /// Key type of keys that `create-request` generates.
    pub leaf: KeyAlgorithm,
    /// Key type of OCSP responders.
    pub responder: KeyAlgorithm,
    /// A file of keys known to be compromised: SHA-256 of each SubjectPublicKeyInfo in hexadecimal, one a line.
    pub compromised_spki_sha256_file: Option<PathBuf>,
    /// The socket of the signer that gets new keys; `None` where one is started for each command.
    pub signer_socket: Option<PathBuf>,
}

impl Default for KeyConfig {
    fn default() -> Self {
        Self {
            scrypt_log_n: 18,
            root: KeyAlgorithm::P384,
            ca: KeyAlgorithm::P256,
            leaf: KeyAlgorithm::P256,
            responder: KeyAlgorithm::P256,
            compromised_spki_sha256_file: None,
            signer_socket: None,
        }
    }
}

impl KeyConfig {
    pub(super) fn read(section: &mut Section) -> Self {
        let default = Self::default();
        let mut algorithm = |key: &str| section.get_as(key, |text: String| text.parse());
        Self {
            root: algorithm("root").unwrap_or(default.root),
            ca: algorithm("ca").unwrap_or(default.ca),
            leaf: algorithm("leaf").unwrap_or(default.leaf),
            responder: algorithm("responder").unwrap_or(default.responder),
            scrypt_log_n: number(section, "scrypt_log_n", 10, 22).unwrap_or(default.scrypt_log_n),
            compromised_spki_sha256_file: path(section, "compromised_spki_sha256_file"),
            signer_socket: path(section, "signer_socket"),
        }
    }
}

/// `[issuance]`
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssuanceConfig {
    /// Seconds from notBefore to the time of issuance.
    pub backdate: i64,
    /// Days between the notAfter of sibling CAs.
    pub stagger_days: i64,
}

impl Default for IssuanceConfig {
    fn default() -> Self {
        Self { backdate: HOUR, stagger_days: 14 }
    }
}

impl IssuanceConfig {
    pub(super) fn read(section: &mut Section) -> Self {
        let default = Self::default();
        Self {
            backdate: span(section, "backdate", 0, 2 * DAY).unwrap_or(default.backdate),
            stagger_days: number(section, "stagger_days", 0, 365).unwrap_or(default.stagger_days),
        }
    }
}

/// `[crl]`
#[derive(Clone, Debug, PartialEq)]
pub struct CrlConfig {
    /// Seconds from thisUpdate to nextUpdate.
    pub next_update: i64,
    /// Seconds from thisUpdate to nextUpdate of a CA whose key is offline.
    pub next_update_offline: i64,
    /// Share of that time, from 0 to 1, after which a new CRL is due.
    pub renew_at: f64,
}

impl Default for CrlConfig {
    fn default() -> Self {
        Self { next_update: 7 * DAY, next_update_offline: 400 * DAY, renew_at: 0.5 }
    }
}

impl CrlConfig {
    pub(super) fn read(section: &mut Section) -> Self {
        let default = Self::default();
        let renew_at = section.get_as("renew_at", |share: f64| {
            if (0.1..=0.9).contains(&share) { Ok(share) } else { Err("must be from 0.1 to 0.9".to_owned()) }
        });
        Self {
            next_update: span(section, "next_update", HOUR, 366 * DAY).unwrap_or(default.next_update),
            next_update_offline: span(section, "next_update_offline", DAY, 1100 * DAY)
                .unwrap_or(default.next_update_offline),
            renew_at: renew_at.unwrap_or(default.renew_at),
        }
    }
}

/// The answer for a serial number that was never issued.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum NotIssued {
    /// `unknown`
    #[default]
    Unknown,
    /// `revoked` with certificateHold and the extended-revoke extension (RFC 6960 §2.2).
    Revoked,
}

/// The handling of a nonce in a request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum NonceHandling {
    /// The response is signed anew and repeats the nonce.
    #[default]
    Echo,
    /// The nonce is ignored, and the response may come from the cache.
    Ignore,
}

/// `[ocsp]`
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OcspConfig {
    /// Seconds from thisUpdate to nextUpdate of a response.
    pub next_update: i64,
    /// Validity of a responder certificate, in days.
    pub responder_days: i64,
    /// Validity of a responder certificate where the CA's key is offline, in days.
    pub responder_days_offline: i64,
    /// The answer for a serial number that was never issued.
    pub not_issued: NotIssued,
    /// The handling of a nonce.
    pub nonce: NonceHandling,
    /// Most seconds from archiveCutoff to the time of the response (RFC 6960 §4.4.4); `None` omits archiveCutoff.
    pub archive_cutoff: Option<i64>,
    /// Bound of the CertIDs in one request.
    pub max_certificates: usize,
    /// Age in seconds above which the published status is not used for responses.
    pub max_status_age: i64,
    /// Octets of memory for signed responses.
    pub cache: u64,
    /// Where metrics are answered; `None` for nowhere.
    pub metrics: Option<ListenAddress>,
}

impl Default for OcspConfig {
    fn default() -> Self {
        Self {
            next_update: DAY,
            responder_days: 30,
            responder_days_offline: 400,
            not_issued: NotIssued::Unknown,
            nonce: NonceHandling::Echo,
            archive_cutoff: None,
            max_certificates: 20,
            max_status_age: 7 * DAY,
            cache: 64 * MIB,
            metrics: None,
        }
    }
}

impl OcspConfig {
    pub(super) fn read(section: &mut Section) -> Self {
        let default = Self::default();
        let not_issued = [("unknown", NotIssued::Unknown), ("revoked", NotIssued::Revoked)];
        let nonce = [("echo", NonceHandling::Echo), ("ignore", NonceHandling::Ignore)];
        Self {
            next_update: span(section, "next_update", 5 * MINUTE, 30 * DAY).unwrap_or(default.next_update),
            responder_days: number(section, "responder_days", 1, 1100).unwrap_or(default.responder_days),
            responder_days_offline: number(section, "responder_days_offline", 1, 1100)
                .unwrap_or(default.responder_days_offline),
            not_issued: word(section, "not_issued", &not_issued).unwrap_or_default(),
            nonce: word(section, "nonce", &nonce).unwrap_or_default(),
            archive_cutoff: span(section, "archive_cutoff", DAY, 36_500 * DAY),
            max_certificates: number(section, "max_certificates", 1, 1000)
                .unwrap_or(default.max_certificates),
            max_status_age: span(section, "max_status_age", HOUR, 366 * DAY)
                .unwrap_or(default.max_status_age),
            cache: section
                .get_as("cache", |text: String| octets_between(&text, MIB, 1024 * 1024 * MIB))
                .unwrap_or(default.cache),
            metrics: section.get_as("metrics", |text: String| address(&text)),
        }
    }
}

fn address(text: &str) -> Result<ListenAddress, String> {
    match text.parse().map_err(|error: InvalidListenAddress| error.to_string())? {
        ListenAddress::Unix(path) if !path.is_absolute() => Err(format!("`{text}` must be an absolute path")),
        address => Ok(address),
    }
}

/// Reads an amount of memory with its bounds.
fn octets_between(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let octets = parse_octets(text).map_err(|error| error.to_string())?;
    match (least..=most).contains(&octets) {
        true => Ok(octets),
        false => Err(format!("must be from {} to {}", format_octets(least), format_octets(most))),
    }
}

/// `[daemon]`
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DaemonConfig {
    /// Addresses to listen on.
    pub listen: Vec<ListenAddress>,
    /// Bound of the simultaneous connections.
    pub max_connections: usize,
    /// Bound of a request's body, in octets.
    pub max_body: usize,
    /// Bound of the time for a client to send its headers, in seconds.
    pub header_timeout: i64,
    /// Bound of the time that a connection may be idle, in seconds.
    pub idle_timeout: i64,
    /// Time that open requests get to end when the daemon is to end, in seconds.
    pub shutdown_timeout: i64,
    /// Source of the PIN of tokens with keys of responders.
    pub pin_from: Option<SecretSpec>,
}

impl Default for DaemonConfig {
    fn default() -> Self {
        Self {
            listen: vec![ListenAddress::Tcp(([127, 0, 0, 1], 2560).into())],
            max_connections: 1024,
            max_body: 65_536,
            header_timeout: 10,
            idle_timeout: 60,
            shutdown_timeout: 30,
            pin_from: None,
        }
    }
}

impl DaemonConfig {
    pub(super) fn read(section: &mut Section) -> Self {
        let default = Self::default();
        let listen = section.has("listen").then(|| section.require_list_as("listen", "address", address));
        Self {
            listen: listen.unwrap_or(default.listen),
            max_connections: number(section, "max_connections", 1, 100_000)
                .unwrap_or(default.max_connections),
            max_body: number(section, "max_body", 1024, 1_048_576).unwrap_or(default.max_body),
            header_timeout: span(section, "header_timeout", 1, 5 * MINUTE).unwrap_or(default.header_timeout),
            idle_timeout: span(section, "idle_timeout", 1, HOUR).unwrap_or(default.idle_timeout),
            shutdown_timeout: span(section, "shutdown_timeout", 1, 10 * MINUTE)
                .unwrap_or(default.shutdown_timeout),
            pin_from: pin_source(section),
        }
    }
}
