//! Words about sources of passphrases.
use super::WirePath;
use crate::signing::SecretSpec;
use serde::{Deserialize, Serialize};

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
