//! A source of PINs for a daemon, which nobody sits at.
use super::{SecretPurpose, SecretSource, SecretSpec, read};
use crate::signing::{KeyError, Secret};

/// The PIN of a token from this source, read anew each time.
#[derive(Clone, Debug)]
pub(crate) struct Unattended(pub(crate) SecretSpec);

impl SecretSource for Unattended {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        let name = self.0.to_string();
        match &self.0 {
            SecretSpec::File(path) => read::file(path, &name),
            SecretSpec::Environment(variable) => read::variable(std::env::var_os(variable), &name),
            SecretSpec::Credential(credential) => {
                read::credential(std::env::var_os("CREDENTIALS_DIRECTORY"), credential, &name)
            }
            SecretSpec::Prompt | SecretSpec::Descriptor(_) => {
                Err(KeyError::InputNeeded(purpose.key().to_owned()))
            }
        }
    }
}
