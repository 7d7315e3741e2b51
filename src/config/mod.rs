//! The configuration: `genfic-ca.toml` becomes checked values. Pure: reads text, accesses no file.
//!
//! An empty text is the default configuration. Unknown keys and values out of bounds are errors with their line.
//! [`template()`] returns the commented file that `init` writes into a home.
mod authority;
mod clock;
mod duration;
mod lifetime;
mod listen;
mod log;
mod octets;
mod organization;
mod pkcs11;
mod sections;
mod setting;
mod template;

pub(crate) use authority::AuthorityConfig;
pub(crate) use clock::ClockConfig;
pub use duration::{format_duration, parse_duration, parse_period};
pub use lifetime::{Lifetime, Stage};
pub use listen::{InvalidListenAddress, ListenAddress};
pub use log::{AddressForm, InvalidLevel, LogConfig, LogFormat, LogLevel, LogLevels, LogTarget};
pub(crate) use organization::Organization;
pub(crate) use pkcs11::Pkcs11Config;
pub use sections::{CrlConfig, NotIssued};
pub(crate) use sections::{
    DaemonConfig, IssuanceConfig, KeyConfig, NonceHandling, OcspConfig, PublicationConfig,
};
pub use template::template;

use crate::document::{self, Mistake, Section};
use crate::error::{Code, Problem};
use crate::signing::{InvalidSecretSpec, RecipientText, SecretSpec};
use std::collections::BTreeMap;

/// A mistake in the configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub Mistake);

/// Combines all mistakes in one problem.
impl From<Vec<ConfigError>> for Problem {
    fn from(errors: Vec<ConfigError>) -> Self {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let message = match lines.as_slice() {
            [one] => format!("the configuration is wrong: {one}"),
            several => format!("the configuration is wrong:\n  - {}", several.join("\n  - ")),
        };
        Self::new(Code::ConfigInvalid, message)
            .hint("correct genfic-ca.toml; the comments in it say what each key takes")
    }
}

/// A checked configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Default attributes of subjects.
    pub organization: Organization,
    /// The URLs of CRLs and CA certificates.
    pub publication: PublicationConfig,
    /// The types of new keys, and their protection.
    pub keys: KeyConfig,
    /// The modules of tokens.
    pub pkcs11: Pkcs11Config,
    /// Parameters of issuance.
    pub issuance: IssuanceConfig,
    /// Lifetimes of CRLs.
    pub crl: CrlConfig,
    /// Bounds within which the clock is trusted.
    pub clock: ClockConfig,
    /// Parameters of OCSP responses and responders.
    pub ocsp: OcspConfig,
    /// Limits of `genfic-ocspd`.
    pub daemon: DaemonConfig,
    /// The log of `genfic-ocspd`.
    pub log: LogConfig,
    /// Default source of passphrases.
    pub passphrase_from: SecretSpec,
    /// Settings of single CAs, by name.
    pub authorities: BTreeMap<String, AuthorityConfig>,
}

impl Config {
    /// Reads the text of `genfic-ca.toml`.
    ///
    /// # Errors
    /// Every mistake, with line and key.
    pub fn parse(text: &str) -> Result<Self, Vec<ConfigError>> {
        document::read(text, Self::read).map_err(|mistakes| mistakes.into_iter().map(ConfigError).collect())
    }

    /// Reads a text and returns every mistake with the values; a value with a mistake has its default.
    #[must_use]
    pub(crate) fn parse_leniently(text: &str) -> (Self, Vec<ConfigError>) {
        let (config, mistakes) = document::read_leniently(text, Self::read);
        (config, mistakes.into_iter().map(ConfigError).collect())
    }

    fn read(root: &mut Section) -> Self {
        Self {
            organization: root.section("organization", Organization::read),
            publication: root.section("publication", PublicationConfig::read),
            keys: root.section("keys", KeyConfig::read),
            pkcs11: root.section("pkcs11", Pkcs11Config::read),
            issuance: root.section("issuance", IssuanceConfig::read),
            crl: root.section("crl", CrlConfig::read),
            clock: root.section("clock", ClockConfig::read),
            ocsp: root.section("ocsp", OcspConfig::read),
            daemon: root.section("daemon", DaemonConfig::read),
            log: root.section("log", LogConfig::read),
            passphrase_from: {
                let at_top = source(root, "passphrase_from");
                let below = root.section("passphrase", |section| source(section, "from"));
                if at_top.is_some() && below.is_some() {
                    root.mistake(
                        "passphrase_from",
                        "says the same as `from` below [passphrase]: one of them is enough",
                    );
                }
                below.or(at_top).unwrap_or_default()
            },
            authorities: root.section("authority", |section| {
                let names = section.keys();
                let one = |name: String| {
                    if !is_authority_name(&name) {
                        section.mistake(&name, "is not the name of a CA: letters, digits, `-`, `_` and `.`");
                    }
                    let authority = section.section(&name, AuthorityConfig::read);
                    (name, authority)
                };
                names.into_iter().map(one).collect()
            }),
        }
    }

    /// Returns the source of the passphrase of a CA.
    #[must_use]
    pub fn passphrase_from(&self, authority: &str) -> &SecretSpec {
        self.authorities
            .get(authority)
            .and_then(|own| own.passphrase_from.as_ref())
            .unwrap_or(&self.passphrase_from)
    }

    /// Returns the recipients to which new keys of CAs are encrypted, for those that have some.
    #[must_use]
    pub fn recipients(&self) -> BTreeMap<String, Vec<RecipientText>> {
        let own = self.authorities.iter().filter(|(_, authority)| !authority.recipients.is_empty());
        own.map(|(name, authority)| (name.clone(), authority.recipients.clone())).collect()
    }

    /// Returns whether the key of a CA is kept offline; `unless_configured` is the answer without a setting.
    #[must_use]
    pub fn is_offline(&self, authority: &str, unless_configured: bool) -> bool {
        self.offline_setting(authority).unwrap_or(unless_configured)
    }

    /// Returns what the configuration says about whether the key of a CA is kept offline.
    #[must_use]
    pub fn offline_setting(&self, authority: &str) -> Option<bool> {
        self.authorities.get(authority).and_then(|own| own.offline)
    }

    /// Returns the seconds from thisUpdate to nextUpdate of a CA's CRLs.
    #[must_use]
    pub(crate) fn crl_next_update(&self, authority: &str, offline: bool) -> i64 {
        let general = if self.is_offline(authority, offline) {
            self.crl.next_update_offline
        } else {
            self.crl.next_update
        };
        self.authorities.get(authority).and_then(|own| own.crl_next_update).unwrap_or(general)
    }

    /// Returns the seconds from thisUpdate to nextUpdate of a CA's delta CRLs; `None` where none are made: they are
    /// made by configuration, and not with a key that is kept offline.
    #[must_use]
    pub fn delta_crl_next_update(&self, authority: &str, offline: bool) -> Option<i64> {
        let own = self.authorities.get(authority)?;
        own.delta_crl_next_update.filter(|_| !self.is_offline(authority, offline))
    }
}

impl PublicationConfig {
    /// Returns the beginning of every URL at its server: scheme and host, with a slash; `None` when no URL is configured.
    #[must_use]
    pub fn base(&self) -> Option<String> {
        let url = self.url.as_deref()?;
        let host = url.strip_prefix("http://")?.split('/').next()?;
        Some(format!("http://{host}/"))
    }
}

/// Reads the source of a passphrase.
fn source(section: &mut Section, key: &str) -> Option<SecretSpec> {
    section.get_as(key, |text: String| text.parse().map_err(|error: InvalidSecretSpec| error.to_string()))
}

/// Returns whether a CA may have this name, which becomes part of file names and URLs.
#[must_use]
pub(crate) fn is_authority_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::uncommented;
