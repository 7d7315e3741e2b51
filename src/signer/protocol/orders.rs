//! What the child of a command is told.
use super::words::WirePath;
use crate::signing::{NewPassphrases, PassphraseOrders, PassphrasePolicy, SecretSpec};
use crate::x509::UnixTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a child is told: where its keys are, and where passphrases come from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Orders {
    /// The directory of keys.
    pub(crate) directory: WirePath,
    /// The directory of profiles, which say what is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) profiles: Option<WirePath>,
    /// The scrypt work factor of new keys.
    pub(crate) scrypt_log_n: u8,
    /// Where passphrases come from.
    pub(crate) passphrases: WireSource,
    /// Where those of single CAs come from.
    pub(crate) authorities: BTreeMap<String, WireSource>,
    /// Where new ones come from, if it is not the same.
    pub(crate) new: Option<WireSource>,
    /// Whether new ones are generated.
    pub(crate) generates: bool,
    /// Whether weak new ones are taken.
    pub(crate) allows_weak: bool,
    /// What somebody who guesses would try first.
    pub(crate) known: Vec<String>,
    /// Whether a person may be asked.
    pub(crate) attended: bool,
    /// The recipients to which new keys of single CAs are encrypted.
    #[serde(default)]
    pub(crate) recipients: BTreeMap<String, Vec<String>>,
    /// The PKCS#11 modules that may be loaded.
    #[serde(default)]
    pub(crate) modules: Vec<WirePath>,
    /// When the request for the ceremony was made whose items are to be signed, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ceremony: Option<i64>,
}

/// A source of passphrases.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WireSource {
    Prompt,
    File(WirePath),
    Environment(String),
    Descriptor(u32),
    Credential(String),
}

impl From<&SecretSpec> for WireSource {
    fn from(spec: &SecretSpec) -> Self {
        match spec {
            SecretSpec::Prompt => Self::Prompt,
            SecretSpec::File(path) => Self::File(path.as_path().into()),
            SecretSpec::Environment(variable) => Self::Environment(variable.clone()),
            SecretSpec::Descriptor(number) => Self::Descriptor(*number),
            SecretSpec::Credential(name) => Self::Credential(name.clone()),
        }
    }
}

impl From<WireSource> for SecretSpec {
    fn from(source: WireSource) -> Self {
        match source {
            WireSource::Prompt => Self::Prompt,
            WireSource::File(path) => Self::File(path.into()),
            WireSource::Environment(variable) => Self::Environment(variable),
            WireSource::Descriptor(number) => Self::Descriptor(number),
            WireSource::Credential(name) => Self::Credential(name),
        }
    }
}

impl Orders {
    /// Returns the same orders with this directory of profiles.
    #[must_use]
    pub(crate) fn with_profiles(self, directory: &Path) -> Self {
        Self { profiles: Some(directory.into()), ..self }
    }

    /// Returns the same orders for a ceremony: what is signed is of the time of its request.
    #[must_use]
    pub(crate) fn with_ceremony(self, made: UnixTime) -> Self {
        Self { ceremony: Some(made.0), ..self }
    }

    /// Returns the orders for a child.
    pub(crate) fn of(directory: &Path, scrypt_log_n: u8, passphrases: &PassphraseOrders) -> Self {
        let PassphraseOrders { default, authorities, new, attended, recipients, modules, aside: _ } =
            passphrases;
        let authorities = authorities.iter().map(|(name, spec)| (name.clone(), spec.into()));
        let policy = new.policy.as_deref();
        Self {
            directory: directory.into(),
            profiles: None,
            scrypt_log_n,
            passphrases: default.into(),
            authorities: authorities.collect(),
            new: new.from.as_ref().map(WireSource::from),
            generates: new.generates,
            allows_weak: policy.is_none_or(|policy| policy.allows_weak),
            known: policy.map(|policy| policy.known.clone()).unwrap_or_default(),
            attended: *attended,
            recipients: recipients
                .iter()
                .map(|(name, all)| (name.clone(), all.iter().map(ToString::to_string).collect()))
                .collect(),
            modules: modules.iter().map(|path| path.as_path().into()).collect(),
            ceremony: None,
        }
    }
}

impl From<Orders> for PassphraseOrders {
    fn from(orders: Orders) -> Self {
        let policy = PassphrasePolicy { allows_weak: orders.allows_weak, known: orders.known };
        let new = NewPassphrases {
            from: orders.new.map(SecretSpec::from),
            generates: orders.generates,
            policy: Some(Arc::new(policy)),
        };
        let each = orders.authorities.into_iter();
        Self {
            default: orders.passphrases.into(),
            authorities: each.map(|(name, source)| (name, source.into())).collect(),
            new,
            attended: orders.attended,
            modules: orders.modules.into_iter().map(PathBuf::from).collect(),
            ..Self::nobody()
        }
    }
}
