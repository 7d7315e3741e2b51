//! Private keys of responders and end entities: PKCS#8 in PEM (RFC 7468 §10, §11), unencrypted or encrypted with
//! PBES2.
use crate::error::Reason;
use crate::home::{AccessRule, FileKind, OpenError, Owners, open_checked};
use crate::signing::{KeyError, KeyPlace, OpenedKey, Secret, SubscriberKey, random_octets, read_up_to};
use der::pem::LineEnding;
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use std::path::Path;
use zeroize::Zeroizing;

const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// Iterations of PBKDF2-HMAC-SHA256 for new files, as OWASP recommends; they take about a fifth of a second.
const PBKDF2_ITERATIONS: u32 = 600_000;

/// Bounds of the work for a file that another program made. Of PBKDF2 they allow some seconds. Of scrypt they allow
/// 32 times the memory of OpenSSL's own files, which the signer may lock, and eight times as much in all.
const MOST_ITERATIONS: u32 = 10_000_000;
const MOST_MEMORY: u64 = 512 << 20;
const MOST_WORK: u64 = 4 << 30;

/// Bound of the octets that are read of a key file, 64 KiB.
const LARGEST_FILE: usize = 64 * 1024;

/// Returns the key as PEM, `ENCRYPTED PRIVATE KEY`: AES-256-CBC with a key from PBKDF2-HMAC-SHA256 (RFC 8018), which
/// every tool reads.
///
/// # Errors
/// [`KeyError::SecretUnavailable`] for an empty passphrase, [`KeyError::Cryptography`] when the random generator
/// fails or the key cannot be encoded.
pub fn encrypted_private_key_pem(
    key: &SubscriberKey,
    passphrase: &Secret,
) -> Result<Zeroizing<String>, KeyError> {
    encrypted_pem(&key.to_pkcs8_der()?, passphrase)
}

/// Returns the key of a CA likewise.
///
/// # Errors
/// As [`encrypted_private_key_pem`].
pub(crate) fn encrypted_ca_key_pem(
    key: &OpenedKey,
    passphrase: &Secret,
) -> Result<Zeroizing<String>, KeyError> {
    encrypted_pem(&key.to_pkcs8_der()?, passphrase)
}

fn encrypted_pem(plain: &[u8], passphrase: &Secret) -> Result<Zeroizing<String>, KeyError> {
    if passphrase.is_empty() {
        return Err(KeyError::SecretUnavailable("an empty passphrase protects nothing".into()));
    }
    let (salt, vector) = (random_octets::<16>()?, random_octets::<16>()?);
    Parameters::generate_pbkdf2_sha256_aes256cbc(PBKDF2_ITERATIONS, &salt, vector)
        .map_err(pkcs8::Error::from)
        .and_then(|parameters| {
            PrivateKeyInfoRef::try_from(plain)?.encrypt_with_params(parameters, passphrase.as_bytes())
        })
        .and_then(|document| Ok(document.to_pem(ENCRYPTED, LineEnding::LF)?))
        .map_err(|_| KeyError::Cryptography("encrypting the private key".into()))
}

/// Reads a key file into memory that is not reallocated.
pub(super) fn read_checked(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let key = KeyPlace::File(path.to_owned());
    let unusable = |reason: String| KeyError::Backend(key.clone(), reason);
    let rule = AccessRule { kind: FileKind::File, owners: Owners::Anybody, forbidden: 0o027 };
    let file = open_checked(path, rule).map_err(|error| match error {
        OpenError::Unsafe(finding) => KeyError::Unsafe(finding),
        OpenError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            KeyError::NotFound(key.clone())
        }
        OpenError::Io(error) => unusable(error.to_string()),
    })?;
    let mut octets = Zeroizing::new(vec![0; LARGEST_FILE]);
    let length = read_up_to(file, &mut octets).map_err(|error| unusable(error.to_string()))?;
    octets.truncate(length);
    Ok(octets)
}

/// Refuses a file whose key derivation exceeds the bounds, before any work is done. It would take hours, or more
/// memory than there is.
pub(super) fn must_be_bearable(encrypted: &EncryptedPrivateKeyInfoRef<'_>) -> Result<(), Reason> {
    let Some(parameters) = encrypted.encryption_algorithm.pbes2() else { return Ok(()) };
    match &parameters.kdf {
        Kdf::Pbkdf2(asked) if asked.iteration_count > MOST_ITERATIONS => Err(format!(
            "it asks for {} iterations of PBKDF2, and at most {MOST_ITERATIONS} are done",
            asked.iteration_count
        )
        .into()),
        Kdf::Scrypt(asked) => {
            let block = u64::from(asked.block_size).saturating_mul(128);
            let memory = asked.cost_parameter.saturating_mul(block);
            let work = memory.saturating_mul(asked.parallelization.into());
            if memory > MOST_MEMORY || work > MOST_WORK {
                return Err(format!(
                    "it asks for {} MiB of scrypt, {} times, and at most {} MiB are done, {} in all",
                    memory >> 20,
                    asked.parallelization,
                    MOST_MEMORY >> 20,
                    MOST_WORK >> 20
                )
                .into());
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::{Mode, write_new};
    use crate::signing::{SecretPurpose, SecretSource};
    use crate::subscriber_key::{ForeignKey, read_subscriber_key_file};
    use crate::x509::KeyAlgorithm;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Command, Output};

    struct Given(&'static str);

    impl SecretSource for Given {
        fn secret(&self, _: &SecretPurpose) -> Result<Secret, KeyError> {
            Ok(Secret::new(self.0.into()))
        }
    }

    fn openssl_reads(path: &Path, passphrase: &str) -> Output {
        Command::new("openssl")
            .args(["pkey", "-pubout", "-outform", "DER", "-passin", &format!("pass:{passphrase}"), "-in"])
            .arg(path)
            .output()
            .unwrap()
    }

    #[test]
    fn openssl_reads_plain_and_encrypted_keys_and_so_does_this_program() {
        // K1
        let directory = tempfile::tempdir().unwrap();
        for algorithm in KeyAlgorithm::generated() {
            let key = SubscriberKey::generate(algorithm).unwrap();
            let plain = directory.path().join(format!("{algorithm}.key"));
            write_new(&plain, key.to_pem().unwrap().as_bytes(), Mode::Private).unwrap();
            assert_eq!(read_subscriber_key_file(&plain, &Given("")).unwrap().public_key(), key.public_key());
            // OpenSSL 3.0 does not know ML-DSA
            if !algorithm.to_string().starts_with("ml-dsa") {
                assert_eq!(openssl_reads(&plain, "").stdout, key.public_key().as_der(), "{algorithm}");
            }
        }
        let key = SubscriberKey::generate(KeyAlgorithm::P256).unwrap();
        let encrypted = directory.path().join("encrypted.key");
        let text = encrypted_private_key_pem(&key, &Secret::new("s3cret é".into())).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        write_new(&encrypted, text.as_bytes(), Mode::Private).unwrap();
        assert_eq!(openssl_reads(&encrypted, "s3cret é").stdout, key.public_key().as_der());
        assert!(!openssl_reads(&encrypted, "wrong").status.success());
        let read = read_subscriber_key_file(&encrypted, &Given("s3cret é")).unwrap();
        assert_eq!(read.public_key(), key.public_key());
        let error = read_subscriber_key_file(&encrypted, &Given("wrong")).unwrap_err();
        assert!(error.to_string().contains("encrypted.key"), "{error}");
        assert!(matches!(error, KeyError::SecretRejected(_)));
    }

    #[test]
    fn keys_that_openssl_encrypted_are_read() {
        let directory = tempfile::tempdir().unwrap();
        for (number, options) in [&["-v2", "aes-256-cbc"][..], &["-scrypt"][..]].into_iter().enumerate() {
            let path = directory.path().join(format!("{number}.key"));
            let key = SubscriberKey::generate(KeyAlgorithm::ED25519).unwrap();
            let plain = directory.path().join(format!("{number}.plain"));
            fs::write(&plain, key.to_pem().unwrap().as_bytes()).unwrap();
            let made = Command::new("openssl")
                .args(["pkcs8", "-topk8", "-passout", "pass:abc", "-in"])
                .arg(plain)
                .arg("-out")
                .arg(&path)
                .args(options)
                .status()
                .unwrap();
            assert!(made.success());
            assert_eq!(
                read_subscriber_key_file(&path, &Given("abc")).unwrap().public_key(),
                key.public_key()
            );
        }
    }

    /// Returns a PBES2 file with these parameters and no contents, as anybody can write it.
    fn asking_for(parameters: pkcs8::pkcs5::pbes2::Kdf) -> String {
        let mut scheme = Parameters::generate_pbkdf2_sha256_aes256cbc(1, &[7; 16], [7; 16]).unwrap();
        scheme.kdf = parameters;
        let info = pkcs8::EncryptedPrivateKeyInfoOwned {
            encryption_algorithm: scheme.into(),
            encrypted_data: der::asn1::OctetString::new([7; 64]).unwrap(),
        };
        let document = pkcs8::SecretDocument::try_from(info).unwrap();
        document.to_pem(ENCRYPTED, LineEnding::LF).unwrap().to_string()
    }

    #[test]
    fn a_key_that_asks_for_absurd_work_is_refused_before_any_is_done() {
        // K1: the first parameters would take 1 TiB, which no allocator has
        use pkcs8::pkcs5::pbes2::{Pbkdf2Params, Salt, ScryptParams};
        let scrypt = |cost, block_size, parallelization| {
            let salt = Salt::new([7; 16]).unwrap();
            let cost_parameter = cost;
            Kdf::Scrypt(ScryptParams { salt, cost_parameter, block_size, parallelization, key_length: None })
        };
        let pbkdf2 = |count| {
            let mut parameters = Pbkdf2Params::hmac_sha256(1, &[7; 16]).unwrap();
            parameters.iteration_count = count;
            Kdf::Pbkdf2(parameters)
        };
        let path = Path::new("a.key");
        let found = |text: &str| ForeignKey::find(text.as_bytes(), path).unwrap().unwrap();
        let mut never = || -> Result<Secret, KeyError> { panic!("nobody is asked") };
        for parameters in [
            scrypt(1 << 30, 8, 1),
            scrypt(1 << 21, 8, 1),
            scrypt(1 << 14, u16::MAX, 1),
            scrypt(1 << 14, 8, u16::MAX),
            scrypt(u64::MAX, u16::MAX, u16::MAX),
            pbkdf2(u32::MAX),
            pbkdf2(MOST_ITERATIONS + 1),
        ] {
            let found = found(&asking_for(parameters));
            let error = found.open(path, &mut never).unwrap_err().to_string();
            assert!(error.contains("it asks for"), "{error}");
        }
        for parameters in [scrypt(1 << 14, 8, 1), pbkdf2(2048)] {
            let mut given = || Ok(Secret::new("x".into()));
            let error = found(&asking_for(parameters)).open(path, &mut given).unwrap_err();
            assert!(matches!(error, KeyError::SecretRejected(_)), "{error}");
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        // P2
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("responder.key");
        let key = SubscriberKey::generate(KeyAlgorithm::P256).unwrap();
        write_new(&path, key.to_pem().unwrap().as_bytes(), Mode::Group).unwrap();
        assert!(read_subscriber_key_file(&path, &Given("")).is_ok());
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let Err(KeyError::Unsafe(finding)) = read_subscriber_key_file(&path, &Given("")) else { panic!() };
        assert_eq!(finding.remedy, format!("chmod g-w,o-rwx {}", path.display()));
    }

    #[test]
    fn what_is_no_key_is_told_from_what_is_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.key");
        assert!(matches!(read_subscriber_key_file(&path, &Given("")), Err(KeyError::NotFound(_))));
        for contents in
            ["", "nonsense", "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n"]
        {
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let error = read_subscriber_key_file(&path, &Given("")).unwrap_err();
            assert!(matches!(error, KeyError::Backend(..)), "{error}");
        }
        let key = SubscriberKey::generate(KeyAlgorithm::P256).unwrap();
        assert!(encrypted_private_key_pem(&key, &Secret::default()).is_err());
    }
}
