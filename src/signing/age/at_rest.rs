//! The contents of key files: PKCS#8 in PEM, encrypted.
use super::AgeFileStore;
use super::file_key::{Given, Noting};
use super::recipient::{
    KeyRecipient, Plugins, identities, names_plugin, not_opened, not_sealed, on_one_line, recipients,
};
use super::sealed_key::SealKeyFor;
use super::store::at;
use crate::signing::file_key_text::{file_key_in, is_file_key};
use crate::signing::octets::read_up_to;
use crate::signing::soft_key::SoftKey;
use crate::signing::{KeyError, KeyPlace, Mistyped, Secret};
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor};
use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use zeroize::Zeroizing;

/// Encrypts a key for its readers.
pub(super) fn encrypt(
    place: &KeyPlace,
    plain: &[u8],
    readers: &SealKeyFor,
    plugins: Option<&Plugins>,
) -> Result<Vec<u8>, KeyError> {
    let is_of_plugin =
        matches!(readers, SealKeyFor::Recipients(all) if all.iter().any(KeyRecipient::is_of_plugin));
    match plugins.filter(|_| is_of_plugin) {
        Some(plugins) => plugins.confined(place, || encrypted(place, plain, readers, Some(plugins))),
        None => encrypted(place, plain, readers, None),
    }
}

fn encrypted(
    place: &KeyPlace,
    plain: &[u8],
    readers: &SealKeyFor,
    plugins: Option<&Plugins>,
) -> Result<Vec<u8>, KeyError> {
    let all: Vec<Box<dyn age::Recipient>> = match readers {
        SealKeyFor::Passphrase { secret, .. } if is_file_key(secret) => {
            return Err(KeyError::Mistyped(place.to_string(), Mistyped::FileKey));
        }
        SealKeyFor::Passphrase { secret, scrypt_log_n } => {
            let mut recipient = age::scrypt::Recipient::new(SecretString::from(secret.as_str()));
            recipient.set_work_factor(*scrypt_log_n);
            vec![Box::new(recipient)]
        }
        SealKeyFor::Recipients(all) => recipients(place, all, plugins)?,
    };
    let encryptor = Encryptor::with_recipients(all.iter().map(|one| one.as_ref()));
    let encryptor = encryptor.map_err(|error| not_sealed(place, &error))?;
    let mut out = Vec::new();
    let written = encryptor.wrap_output(&mut out).and_then(|mut writer| {
        writer.write_all(plain)?;
        writer.finish().map(drop)
    });
    written.map(|()| out).map_err(|_| KeyError::Cryptography("encrypting the key".into()))
}

/// Decrypts the contents of a key file with the passphrase from `ask`, or the identities from it. No plugin is executed.
pub(super) fn decrypt(
    path: &Path,
    encrypted: &[u8],
    ask: &mut dyn FnMut() -> Result<Secret, KeyError>,
) -> Result<SoftKey, KeyError> {
    decrypt_with(path, encrypted, None, ask)
}

/// Decrypts the contents of a key file, by plugins too where they are permitted.
pub(super) fn decrypt_with(
    path: &Path,
    encrypted: &[u8],
    plugins: Option<&Plugins>,
    ask: &mut dyn FnMut() -> Result<Secret, KeyError>,
) -> Result<SoftKey, KeyError> {
    let is_scrypt = decryptor(path, encrypted)?.is_scrypt();
    let secret = ask()?;
    match plugins.filter(|_| !is_scrypt && names_plugin(&secret)) {
        Some(plugins) => plugins.confined(&at(path), || decrypted(path, encrypted, Some(plugins), &secret)),
        None => decrypted(path, encrypted, None, &secret),
    }
}

fn decrypted(
    path: &Path,
    encrypted: &[u8],
    plugins: Option<&Plugins>,
    secret: &Secret,
) -> Result<SoftKey, KeyError> {
    let decryptor = decryptor(path, encrypted)?;
    let file_key = file_key_in(secret).filter(|_| !decryptor.is_scrypt());
    let by_file_key = file_key.is_some();
    let all: Vec<Box<dyn age::Identity>> = if let Some(key) = file_key {
        vec![Box::new(Given(key))]
    } else if decryptor.is_scrypt() {
        let mut identity = age::scrypt::Identity::new(SecretString::from(secret.as_str()));
        identity.set_max_work_factor(AgeFileStore::MOST_WORK);
        vec![Box::new(identity)]
    } else {
        identities(&at(path), secret, plugins)?
    };
    let reader = decryptor.decrypt(all.iter().map(|one| one.as_ref())).map_err(|error| match error {
        // that of another file, or of a former one
        DecryptError::InvalidMac if by_file_key => KeyError::SecretRejected(at(path)),
        error => unopened(path, &error),
    })?;
    // The buffer never grows, so no copy of the key stays behind in freed memory.
    let mut plain = Zeroizing::new(vec![0; encrypted.len()]);
    let length = read_up_to(reader, &mut plain)
        .map_err(|error| KeyError::Backend(at(path), format!("the file is damaged: {error}")))?;
    let plain = plain.get(..length).unwrap_or_default();
    let text = std::str::from_utf8(plain)
        .map_err(|_| KeyError::Backend(at(path), "what is encrypted in it is not PEM".into()))?;
    SoftKey::from_pem(text).map_err(|reason| KeyError::Backend(at(path), reason.into()))
}

/// Returns the file key of a key file, as text, by these identities, of plugins too where they are permitted. The key in it
/// is not decrypted.
pub(super) fn file_key(
    path: &Path,
    encrypted: &[u8],
    plugins: Option<&Plugins>,
    secret: &Secret,
) -> Result<Secret, KeyError> {
    let unwrap = |plugins: Option<&Plugins>| {
        let all = identities(&at(path), secret, plugins)?;
        let found = RefCell::default();
        let noting: Vec<_> = all.iter().map(|one| Noting { identity: one.as_ref(), found: &found }).collect();
        let noting = noting.iter().map(|one| -> &dyn age::Identity { one });
        // this compares the header's MAC
        decryptor(path, encrypted)?.decrypt(noting).map_err(|error| unopened(path, &error))?;
        found.take().ok_or_else(|| KeyError::IdentityRejected(at(path)))
    };
    match plugins.filter(|_| names_plugin(secret)) {
        Some(plugins) => plugins.confined(&at(path), || unwrap(Some(plugins))),
        None => unwrap(None),
    }
}

pub(super) fn decryptor<'e>(path: &Path, encrypted: &'e [u8]) -> Result<Decryptor<&'e [u8]>, KeyError> {
    Decryptor::new_buffered(encrypted).map_err(|error| unusable(path, &error))
}

/// Returns the reason why a file whose header was read was not opened.
fn unopened(path: &Path, error: &DecryptError) -> KeyError {
    match error {
        // the file is in memory: it is a plugin that ended, or was not started
        DecryptError::Io(error) => KeyError::Plugin(at(path), on_one_line(&error.to_string())),
        error => unusable(path, error),
    }
}

fn unusable(path: &Path, error: &DecryptError) -> KeyError {
    if let Some(error) = not_opened(&at(path), error) {
        return error;
    }
    let backend = |reason: String| KeyError::Backend(at(path), reason);
    match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            KeyError::SecretRejected(at(path))
        }
        DecryptError::NoMatchingKeys => KeyError::IdentityRejected(at(path)),
        // The library's own message computes a duration that overflows.
        DecryptError::ExcessiveWork { required, .. } => backend(format!(
            "it asks for a scrypt work factor of {required}; at most {} is done, since each step doubles time \
             and memory",
            AgeFileStore::MOST_WORK
        )),
        DecryptError::InvalidHeader | DecryptError::InvalidMac => backend("the file is damaged".into()),
        DecryptError::UnknownFormat => backend("a later format of age than this program knows".into()),
        DecryptError::Io(error) => backend(format!("the file is damaged: {error}")),
        other => backend(other.to_string()),
    }
}
