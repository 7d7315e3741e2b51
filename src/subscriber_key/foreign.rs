//! Private keys in the files of other programs, for import: PKCS#8, PKCS#1 and SEC 1, in DER or PEM, unencrypted or
//! encrypted with PBES2 or the older encryption of PEM (RFC 1421).
use super::legacy_pem::LegacyEncryption;
use super::pkcs8_file::must_be_bearable;
use crate::error::Reason;
use crate::signing::{KeyError, KeyPlace, OpenedKey, Secret};
use crate::x509::octets::{INTEGER, OCTET_STRING, SEQUENCE, contents_of, elements_of, first_element};
use crate::x509::pem;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// A private key that was found in a file and is not decrypted yet.
pub struct ForeignKey {
    form: Form,
    octets: Zeroizing<Vec<u8>>,
    encryption: Option<LegacyEncryption>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Pkcs8,
    EncryptedPkcs8,
    /// `RSAPrivateKey` (RFC 8017 A.1.2).
    Pkcs1,
    /// `ECPrivateKey` (RFC 5915).
    Sec1,
}

/// PEM labels, and the structure in a block with each label.
const LABELS: [(&str, Form); 4] = [
    ("PRIVATE KEY", Form::Pkcs8),
    ("ENCRYPTED PRIVATE KEY", Form::EncryptedPkcs8),
    ("RSA PRIVATE KEY", Form::Pkcs1),
    ("EC PRIVATE KEY", Form::Sec1),
];

impl ForeignKey {
    /// Returns the first private key in the contents of a file; `None` when there is none. Errors name `file`.
    ///
    /// # Errors
    /// [`KeyError::Backend`] for a private key that is damaged, or of an unsupported type or encryption.
    pub fn find(contents: &[u8], file: &Path) -> Result<Option<Self>, KeyError> {
        let unusable = |reason: String| KeyError::Backend(KeyPlace::File(file.to_owned()), reason);
        match std::str::from_utf8(contents) {
            Ok(text) if text.contains(pem::BEGIN) => from_pem(text)
                .transpose()
                .map(|key| key.map_err(|reason| unusable(reason.into())))
                .transpose(),
            _ => Ok(from_der(contents)),
        }
    }

    /// Returns whether a passphrase is needed.
    #[must_use]
    pub(crate) fn is_encrypted(&self) -> bool {
        self.encryption.is_some() || self.form == Form::EncryptedPkcs8
    }

    /// Decodes the key, and decrypts it with the passphrase from `ask` when it is encrypted.
    ///
    /// # Errors
    /// [`KeyError::SecretRejected`] for a wrong passphrase, [`KeyError::Backend`] when the key cannot be used, and
    /// the errors of `ask`.
    pub fn open(
        &self,
        file: &Path,
        ask: &mut dyn FnMut() -> Result<Secret, KeyError>,
    ) -> Result<OpenedKey, KeyError> {
        let name = KeyPlace::File(file.to_owned());
        let plain;
        let mut octets = self.octets.as_slice();
        let mut form = self.form;
        if let Some(encryption) = &self.encryption {
            let opened = encryption.decrypt(octets, &ask()?);
            // a wrong passphrase that leaves valid padding leaves invalid DER
            plain =
                opened.filter(|octets| is_sequence(octets)).ok_or(KeyError::SecretRejected(name.clone()))?;
            octets = plain.as_slice();
        } else if form == Form::EncryptedPkcs8 {
            plain = open_pkcs8(octets, &name, ask)?;
            octets = plain.as_slice();
            form = Form::Pkcs8;
        }
        let key = match form {
            Form::Pkcs8 | Form::EncryptedPkcs8 => OpenedKey::from_pkcs8_der(octets),
            Form::Pkcs1 => OpenedKey::from_pkcs1_der(octets),
            Form::Sec1 => OpenedKey::from_sec1_der(octets),
        };
        key.map_err(|error| KeyError::Backend(name, error.to_string()))
    }
}

fn open_pkcs8(
    octets: &[u8],
    name: &KeyPlace,
    ask: &mut dyn FnMut() -> Result<Secret, KeyError>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unusable = |reason: String| KeyError::Backend(name.clone(), reason);
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(octets);
    let encrypted =
        encrypted.ok().filter(|one| one.encryption_algorithm.pbes2().is_some()).ok_or_else(|| {
            let advice = "openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW";
            unusable(format!("its encryption is not supported (only PBES2 is); convert it with: {advice}"))
        })?;
    must_be_bearable(&encrypted).map_err(|reason| unusable(reason.into()))?;
    let passphrase = ask()?;
    let plain = encrypted.decrypt(passphrase.as_bytes()).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(
            pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. }
            | pkcs8::pkcs5::Error::AlgorithmParametersInvalid { .. },
        ) => unusable(format!("its encryption is not supported: {error}")),
        _ => KeyError::SecretRejected(name.clone()),
    })?;
    Ok(Zeroizing::new(plain.as_bytes().to_vec()))
}

/// Writes form and encryption, never the key.
impl fmt::Display for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.form {
            Form::Pkcs8 => "PKCS#8",
            Form::EncryptedPkcs8 => "PKCS#8, encrypted",
            Form::Pkcs1 => "PKCS#1",
            Form::Sec1 => "SEC 1",
        })?;
        match &self.encryption {
            Some(encryption) => write!(f, ", encrypted by PEM with {}", encryption.cipher()),
            None if self.is_encrypted() => Ok(()),
            None => f.write_str(", not encrypted"),
        }
    }
}

/// As [`fmt::Display`].
impl fmt::Debug for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignKey({self})")
    }
}

fn is_sequence(octets: &[u8]) -> bool {
    contents_of(octets, SEQUENCE).is_ok()
}

fn from_der(octets: &[u8]) -> Option<ForeignKey> {
    let form = form_of(octets)?;
    Some(ForeignKey { form, octets: Zeroizing::new(octets.to_vec()), encryption: None })
}

/// Returns the form of a private key in DER, recognized by its first elements.
fn form_of(octets: &[u8]) -> Option<Form> {
    if PrivateKeyInfoRef::try_from(octets).is_ok() {
        return Some(Form::Pkcs8);
    }
    if EncryptedPrivateKeyInfoRef::try_from(octets).is_ok() {
        return Some(Form::EncryptedPkcs8);
    }
    match elements_of(first_element(octets).ok()?).ok()?.as_slice() {
        [[INTEGER, 1, 0], [INTEGER, ..], ..] => Some(Form::Pkcs1),
        [[INTEGER, 1, 1], [OCTET_STRING, ..], ..] => Some(Form::Sec1),
        _ => None,
    }
}

fn from_pem(text: &str) -> Result<Option<ForeignKey>, Reason> {
    let Some(block) = pem::frames(text).find(|block| block.label.ends_with("PRIVATE KEY")) else {
        return Ok(None);
    };
    let body = block.body().ok_or("the private key in it has no end")?;
    let Some((_, form)) = LABELS.iter().find(|row| row.0 == block.label) else {
        return Err(format!("a {} is not supported", block.label).into());
    };
    let (headers, contents): (Vec<&str>, Vec<&str>) = body.lines().partition(|line| line.contains(':'));
    let mut encryption = None;
    for info in headers.into_iter().filter_map(|header| header.strip_prefix("DEK-Info:")) {
        encryption = Some(LegacyEncryption::parse(info.trim())?);
    }
    let octets = pem::decode_lines(&contents).ok_or("the private key in it is not base64")?;
    Ok(Some(ForeignKey { form: *form, octets: Zeroizing::new(octets), encryption }))
}

/// Ending of the labels of private keys.
const KEY: &str = "PRIVATE KEY";

/// Returns whether the contents of a file have a private key, PEM or DER.
#[must_use]
pub(crate) fn has_private_key(contents: &[u8]) -> bool {
    let text = Lossy::of(contents);
    match text.as_str().contains(pem::BEGIN) {
        true => pem::frames(text.as_str()).any(|block| block.label.ends_with(KEY)),
        false => contents.first() == Some(&SEQUENCE) && form_of(contents).is_some(),
    }
}

/// Returns the blocks of PEM that are no private keys, and nothing that is between them.
#[must_use]
pub(crate) fn without_private_keys(contents: &[u8]) -> Vec<u8> {
    let text = Lossy::of(contents);
    let text = text.as_str();
    let (mut others, mut read) = (Vec::new(), 0);
    for block in pem::frames(text) {
        let at = text.len() - block.from.len();
        if at < read {
            continue;
        }
        let whole = block.whole();
        // one without an end goes on to the next
        let next = whole.get(pem::BEGIN.len()..).and_then(|rest| rest.find(pem::BEGIN));
        let whole = next.and_then(|next| whole.get(..pem::BEGIN.len() + next)).unwrap_or(whole);
        read = at + whole.len();
        if !block.label.ends_with(KEY) {
            others.extend_from_slice(whole.as_bytes());
            if !whole.ends_with('\n') {
                others.push(b'\n');
            }
        }
    }
    others
}

/// Text that may have a key in it, with what is no UTF-8 replaced.
enum Lossy<'a> {
    AsItStands(&'a str),
    Replaced(Zeroizing<String>),
}

impl<'a> Lossy<'a> {
    fn of(contents: &'a [u8]) -> Self {
        match std::str::from_utf8(contents) {
            Ok(text) => Self::AsItStands(text),
            Err(_) => Self::Replaced(Zeroizing::new(String::from_utf8_lossy(contents).into_owned())),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::AsItStands(text) => text,
            Self::Replaced(text) => text,
        }
    }
}

#[cfg(test)]
mod tests;
