//! What tests of the signer's side are made of.
use super::*;
use crate::signing::{KeyError, KeyVault, Secret, SecretPurpose, SecretSource};
use crate::x509::UnixTime;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// A source that has this passphrase for every key.
pub(super) struct OnePassphrase(pub(super) &'static str);

impl SecretSource for OnePassphrase {
    fn secret(&self, _: &SecretPurpose) -> Result<Secret, KeyError> {
        Ok(Secret::new(self.0.into()))
    }
}

/// Has a directory be one that a signer takes for its own.
pub(super) fn made_private(directory: &Path) {
    std::fs::set_permissions(directory, Permissions::from_mode(0o700)).unwrap();
}

/// Returns a signer with its journal in this directory, and with these keys, profiles and clock.
pub(super) fn signer_of(
    within: &Path,
    keys: (Vec<Arc<dyn KeyVault>>, Box<dyn Ring>),
    profiles: Box<ProfileReader>,
    now: fn() -> UnixTime,
) -> Signer {
    let (vaults, ring) = keys;
    Signer::new(SignerParts {
        vaults,
        ring,
        rules: Box::new(OwnRules::new(within.to_owned(), profiles, now)),
        journal: Arc::new(JournalPlace::within(within.to_owned())),
        now,
        sources: None,
        source: None,
    })
}
