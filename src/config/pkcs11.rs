//! `[pkcs11]`: the modules of tokens.
use crate::document::Section;
use crate::signing::{InvalidSecretSpec, SecretSpec};
use std::path::PathBuf;

/// `[pkcs11]`
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pkcs11Config {
    /// The PKCS#11 modules that are loaded when a key is in a token.
    pub modules: Vec<PathBuf>,
}

impl Pkcs11Config {
    pub(super) fn read(section: &mut Section) -> Self {
        let path = |text: &str| match text.starts_with('/') {
            true => Ok(PathBuf::from(text)),
            false => {
                Err("is the whole path of a module, such as \"/usr/lib/softhsm/libsofthsm2.so\"".to_owned())
            }
        };
        Self { modules: section.list_as("modules", path).unwrap_or_default() }
    }
}

/// Reads where the daemon has the PIN of tokens from.
pub(super) fn pin_source(section: &mut Section) -> Option<SecretSpec> {
    section.get_as("pin_from", |text: String| match text.parse() {
        Ok(SecretSpec::Prompt | SecretSpec::Descriptor(_)) => {
            Err("is file:PATH, env:VAR or cred:NAME: nobody sits at the daemon".to_owned())
        }
        Ok(spec) => Ok(spec),
        Err(error) => Err(InvalidSecretSpec::to_string(&error)),
    })
}
