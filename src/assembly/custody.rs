//! What the custody of keys takes from a home: its configuration, and its record of what was done to a key.
use super::{Assembly, SignerKeys, passphrase_orders, read_config};
use crate::ceremony;
use crate::config::Config;
use crate::error::Problem;
use crate::home::Home;
use crate::signing::{NewPassphrases, PassphraseSources, SecretSource, SecretSpec};
use std::path::{Path, PathBuf};

/// The home of a key, checked and configured as for every command.
pub struct CustodyHome {
    home: Home,
    file: Option<PathBuf>,
    config: Config,
}

impl CustodyHome {
    /// Checks owners and modes of a home, and reads its configuration, or the one in `file`.
    ///
    /// # Errors
    /// When there is no home, its permissions are unsafe (exit 10), or the configuration is wrong.
    pub fn open(home: Home, file: Option<&Path>) -> Result<Self, Problem> {
        home.verify()?;
        let config = read_config(&home, file)?;
        Ok(Self { home, file: file.map(Path::to_owned), config })
    }

    /// Returns the scrypt work factor of new key files: the base 2 logarithm of N.
    #[must_use]
    pub fn scrypt_log_n(&self) -> u8 {
        self.config.keys.scrypt_log_n
    }

    /// Returns the sources of passphrases: the one given, or those of the configuration.
    #[must_use]
    pub fn sources<'a>(
        &self,
        given: Option<SecretSpec>,
        new: NewPassphrases,
        prompt: impl SecretSource + 'a,
    ) -> PassphraseSources<'a> {
        passphrase_orders(&self.config, given, new, true).sources(prompt)
    }

    /// Puts on record that the key of a CA is protected anew: in the signer's journal, then in the audit record. Done
    /// before the key file is replaced, so that no file is replaced without a trace.
    ///
    /// # Errors
    /// When there is no such CA, or the journal or the index cannot be written.
    pub fn note_protection(&self, authority: &str, how: &str) -> Result<(), Problem> {
        let assembly = Assembly::open(self.home.clone(), self.file.as_deref())?;
        let engine = assembly.engine(&SignerKeys::closed(&self.home, &self.config));
        engine.lifecycle().note_protection(authority, how)
    }
}

/// Keeps the memory of this process out of the swap, as far as the limit of locked memory allows: the largest key file
/// that is opened has to fit. Call it before another thread starts.
pub fn lock_memory() {
    let _ = crate::signer::lock_memory();
}

/// Has the list of files beside a key file, if there is one as on media, say what the key file is now. Returns what is wrong
/// where it could not be written.
#[must_use]
pub fn listed_on_medium(key: &Path) -> Option<String> {
    ceremony::listed_on_medium(key)
}

/// Confines the calling thread and the plugins of age that it executes from then on: they look into no other process, get
/// no further privileges, reach local sockets alone, and have no descriptor that this process was started with but the
/// three standard ones, which are closed here too. Returns whether the kernel also keeps them from executing other programs
/// and from signals to others (Landlock).
///
/// # Errors
/// When the kernel does not do that.
pub fn confine_plugins() -> std::io::Result<bool> {
    crate::signer::confine_plugins()
}
