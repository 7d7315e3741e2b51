//! The configuration: `genfic-ca.toml` becomes checked values. Pure: takes text, touches no file.
//!
//! An empty text is the default configuration. A key that is not known is refused, as is a value out of
//! bounds, each with its line; [`template()`] writes the commented file that `init` puts into a home.
mod duration;
mod organization;
mod sections;
mod template;

pub use duration::{format_duration, parse_duration};
pub(crate) use organization::Organization;
pub(crate) use sections::{
    AuthorityConfig, ClockConfig, DaemonConfig, IssuanceConfig, KeyConfig, NonceHandling, OcspConfig,
    PublicationConfig,
};
pub use sections::{CrlConfig, NotIssued};
pub use template::template;

use crate::document::{self, Mistake, Section};
use crate::error::{Code, Problem};
use crate::signing::{InvalidSecretSpec, SecretSpec};
use std::collections::BTreeMap;

/// One mistake in the configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub Mistake);

/// All of them as one problem.
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

/// A configuration, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Subject attributes of what is made here.
    pub organization: Organization,
    /// Where CRLs and CA certificates can be fetched.
    pub publication: PublicationConfig,
    /// Which keys are made, and how they are kept.
    pub keys: KeyConfig,
    /// How certificates are issued.
    pub issuance: IssuanceConfig,
    /// How long CRLs last.
    pub crl: CrlConfig,
    /// When the clock is trusted.
    pub clock: ClockConfig,
    /// How OCSP is answered.
    pub ocsp: OcspConfig,
    /// Bounds of `genfic-ocspd`.
    pub daemon: DaemonConfig,
    /// Where passphrases come from when nothing else says so.
    pub passphrase_from: SecretSpec,
    /// What differs for one CA, by its name.
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

    /// Reads what can be read of it, and says every mistake: where there is one the default stands.
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
            issuance: root.section("issuance", IssuanceConfig::read),
            crl: root.section("crl", CrlConfig::read),
            clock: root.section("clock", ClockConfig::read),
            ocsp: root.section("ocsp", OcspConfig::read),
            daemon: root.section("daemon", DaemonConfig::read),
            passphrase_from: root
                .section("passphrase", |section| {
                    section.get_as("from", |text: String| {
                        text.parse().map_err(|error: InvalidSecretSpec| error.to_string())
                    })
                })
                .unwrap_or_default(),
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

    /// Where the passphrase of a CA comes from.
    #[must_use]
    pub fn passphrase_from(&self, authority: &str) -> &SecretSpec {
        self.authorities
            .get(authority)
            .and_then(|own| own.passphrase_from.as_ref())
            .unwrap_or(&self.passphrase_from)
    }

    /// Whether the key of a CA is kept offline; `is_root` decides where the configuration does not say.
    #[must_use]
    pub(crate) fn is_offline(&self, authority: &str, is_root: bool) -> bool {
        self.authorities.get(authority).and_then(|own| own.offline).unwrap_or(is_root)
    }

    /// Seconds from thisUpdate to nextUpdate of a CA's CRLs.
    #[must_use]
    pub(crate) fn crl_next_update(&self, authority: &str, is_root: bool) -> i64 {
        let general = if self.is_offline(authority, is_root) {
            self.crl.next_update_offline
        } else {
            self.crl.next_update
        };
        self.authorities.get(authority).and_then(|own| own.crl_next_update).unwrap_or(general)
    }
}

/// Whether a CA may have this name: it becomes part of file names and URLs.
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
