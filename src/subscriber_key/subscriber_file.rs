//! Files with the private keys of subscribers, which are handed out with their certificates: any form that
//! [`ForeignKey`] reads, also within an age file.
use super::ForeignKey;
use super::pkcs8_file::read_checked;
use crate::signing::{
    Envelope, EnvelopeError, KeyError, KeyPlace, OpenWith, Secret, SecretPurpose, SecretSource,
    SubscriberKey, open_with, read_up_to,
};
use std::path::Path;
use zeroize::Zeroizing;

/// First octets of an age file.
const AGE: &[u8] = b"age-encryption.org/v1";

/// Reads a key from a file that only its owner and group can read. `secrets` is asked for the passphrase of an
/// encrypted key.
///
/// # Errors
/// [`KeyError::NotFound`], [`KeyError::Unsafe`], [`KeyError::SecretRejected`], the errors of `secrets`, and
/// [`KeyError::Backend`] for a file that contains no usable key.
pub fn read_subscriber_key_file(path: &Path, secrets: &dyn SecretSource) -> Result<SubscriberKey, KeyError> {
    let key = KeyPlace::File(path.to_owned());
    let unusable = |reason: String| KeyError::Backend(key.clone(), reason);
    let contents = read_checked(path)?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let purpose = SecretPurpose::Open(name);
    let opened;
    let mut octets = contents.as_slice();
    if octets.starts_with(AGE) {
        opened = open_with(secrets, &purpose, |ask| open(octets, &key, ask))?;
        octets = opened.as_slice();
    }
    let found =
        ForeignKey::find(octets, path)?.ok_or_else(|| unusable("there is no private key in it".into()))?;
    open_with(secrets, &purpose, |ask| found.open(path, ask)).map(SubscriberKey::from)
}

fn open(
    octets: &[u8],
    key: &KeyPlace,
    ask: &mut dyn FnMut() -> Result<Secret, KeyError>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unusable = |reason: String| KeyError::Backend(key.clone(), reason);
    let envelope = Envelope::new(octets).map_err(|error| unusable(error.to_string()))?;
    if !envelope.takes_passphrase() {
        return Err(unusable("it is encrypted to an age recipient; open it with: age -d -i IDENTITY".into()));
    }
    let reader = envelope.open(&OpenWith::Passphrase(ask()?)).map_err(|error| match error {
        EnvelopeError::WrongPassphrase => KeyError::SecretRejected(key.clone()),
        other => unusable(other.to_string()),
    })?;
    // the buffer never grows, so no copy of the key stays behind in freed memory
    let mut plain = Zeroizing::new(vec![0; octets.len()]);
    let length =
        read_up_to(reader, &mut plain).map_err(|error| unusable(format!("the file is damaged: {error}")))?;
    plain.truncate(length);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::{Mode, write_new};
    use crate::signing::{AgeFileStore, CaKeys};
    use crate::subscriber_key::encrypted_private_key_pem;
    use crate::x509::KeyAlgorithm;
    use std::sync::Arc;

    struct Given(&'static str);

    impl SecretSource for Given {
        fn secret(&self, _: &SecretPurpose) -> Result<Secret, KeyError> {
            Ok(Secret::new(self.0.into()))
        }
    }

    #[test]
    fn a_holders_key_is_read_plain_encrypted_and_from_an_age_file() {
        // G19
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let key = SubscriberKey::generate(KeyAlgorithm::P256).unwrap();
        let secret = Secret::new("of the key".into());
        write_new(&at("plain"), key.to_pem().unwrap().as_bytes(), Mode::Private).unwrap();
        let encrypted = encrypted_private_key_pem(&key, &secret).unwrap();
        write_new(&at("encrypted"), encrypted.as_bytes(), Mode::Private).unwrap();
        for name in ["plain", "encrypted"] {
            let read = read_subscriber_key_file(&at(name), &Given("of the key")).unwrap();
            assert_eq!(read.public_key(), key.public_key(), "{name}");
        }
        std::fs::create_dir(at("keys")).unwrap();
        std::fs::set_permissions(at("keys"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let asked = Arc::new(Given("of the key"));
        let store = AgeFileStore::new(at("keys"), AgeFileStore::LEAST_WORK, asked).unwrap();
        let path = at("keys/one.age");
        let made = store.generate(&store.new_key("one"), KeyAlgorithm::P256).unwrap();
        let read = read_subscriber_key_file(&path, &Given("of the key")).unwrap();
        assert_eq!(read.public_key(), made.public_key());
        for path in [path, at("encrypted")] {
            let wrong = read_subscriber_key_file(&path, &Given("another")).unwrap_err();
            assert!(matches!(wrong, KeyError::SecretRejected(_)), "{wrong}");
        }
    }
}
