//! Keys of subscribers in tokens, for commands without a home too.
use super::settings::read_config_file;
use crate::config::Config;
use crate::error::Problem;
use crate::home::Home;
use crate::signer::{HolderTokens, Launching, ModuleTerms};
use crate::signing::{HeldKey, KeyError, KeyRef, SecretSource, TokenKeys as _, TokenUri};
use crate::x509::KeyAlgorithm;
use std::path::Path;
use std::sync::Arc;

/// Returns the key in a token that the URI names, and whether it was made: of this type, or of the configured one. The
/// modules are those of the configuration of the home, or of this file; each is loaded by a process of its own, which gets none of
/// these variables, which may have secrets.
///
/// # Errors
/// When the configuration is wrong, the token is not there, or it fails.
pub fn held_key(
    home: &Home,
    file: Option<&Path>,
    uri: &TokenUri,
    algorithm: Option<KeyAlgorithm>,
    secrets: Arc<dyn SecretSource>,
    variables: &[String],
) -> Result<(HeldKey, bool), Problem> {
    let has_configuration = file.is_some() || home.configuration_file().is_file();
    let config = match has_configuration {
        true => read_config_file(home, file)?,
        false => Config::default(),
    };
    let launching = Launching::here(config.pkcs11.modules, variables);
    let tokens = HolderTokens::new(launching, secrets, ModuleTerms::Command);
    let key = KeyRef { identity: None, uri: uri.to_string() };
    match tokens.open(&key) {
        Ok(found) => Ok((HeldKey::of(found), false)),
        Err(KeyError::NotFound(_)) => {
            let made = tokens.make(&key, algorithm.unwrap_or(config.keys.leaf))?;
            Ok((HeldKey::of(made), true))
        }
        Err(error) => Err(error.into()),
    }
}
