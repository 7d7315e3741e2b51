//! The file key of an age file, which encrypts what is in it: the header has it, wrapped for each reader. Whoever is given it
//! opens this one file, and needs neither a passphrase nor an identity. The header's MAC says whether it is the right one.
use crate::signing::Secret;
use crate::signing::file_key_text::{FileKeyOctets, file_key_text};
use age::secrecy::ExposeSecret as _;
use age::{DecryptError, Identity};
use age_core::format::{FileKey, Stanza};
use std::cell::RefCell;

/// What unwraps a file key, or says why not; `None` where no stanza is for it.
type Unwrapped = Option<Result<FileKey, DecryptError>>;

/// Opens a file by the file key that was given.
pub(super) struct Given(pub(super) FileKeyOctets);

impl Identity for Given {
    fn unwrap_stanza(&self, _: &Stanza) -> Unwrapped {
        Some(Ok(FileKey::init_with_mut(|key| key.copy_from_slice(self.0.as_slice()))))
    }
}

/// Opens a file by an identity, and notes what it unwraps.
pub(super) struct Noting<'a> {
    pub(super) identity: &'a dyn Identity,
    pub(super) found: &'a RefCell<Option<Secret>>,
}

impl Noting<'_> {
    fn noted(&self, unwrapped: Unwrapped) -> Unwrapped {
        if let Some(Ok(key)) = &unwrapped {
            self.found.replace(Some(file_key_text(key.expose_secret())));
        }
        unwrapped
    }
}

impl Identity for Noting<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Unwrapped {
        self.noted(self.identity.unwrap_stanza(stanza))
    }

    // a plugin is asked once for all of them
    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Unwrapped {
        self.noted(self.identity.unwrap_stanzas(stanzas))
    }
}
