//! Private keys with the older encryption of PEM (RFC 1421 §4.6.1.1, §4.6.1.3, as OpenSSL used it before PKCS#8).
//! They are read, never written: the encryption key is a single MD5 over passphrase and salt, so guesses are cheap.
use crate::error::Reason;
use crate::signing::Secret;
use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use des::TdesEde3;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// The headers of such a PEM block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LegacyEncryption {
    cipher: &'static str,
    key_length: usize,
    vector: Vec<u8>,
}

/// Names of ciphers in DEK-Info, with the lengths of key and initialization vector in octets.
const CIPHERS: [(&str, usize, usize); 4] =
    [("DES-EDE3-CBC", 24, 8), ("AES-128-CBC", 16, 16), ("AES-192-CBC", 24, 16), ("AES-256-CBC", 32, 16)];

impl LegacyEncryption {
    /// Reads the value of `DEK-Info`: `CIPHER,HEX`.
    pub(super) fn parse(info: &str) -> Result<Self, Reason> {
        let (name, vector) = info.split_once(',').unwrap_or((info, ""));
        let name = name.trim();
        let row = CIPHERS.iter().find(|row| row.0.eq_ignore_ascii_case(name));
        let (cipher, key_length, length) = row.copied().ok_or_else(|| {
            let shown: String = name.chars().take(40).collect();
            format!("its encryption, {shown}, is not supported")
        })?;
        match base16ct::mixed::decode_vec(vector.trim()) {
            Ok(vector) if vector.len() == length => Ok(Self { cipher, key_length, vector }),
            _ => Err("its DEK-Info is damaged".into()),
        }
    }

    /// Returns the name of the cipher in DEK-Info.
    pub(super) fn cipher(&self) -> &'static str {
        self.cipher
    }

    /// Returns the decrypted octets; `None` when the passphrase is found to be wrong, which the padding does not
    /// always show.
    pub(super) fn decrypt(&self, encrypted: &[u8], passphrase: &Secret) -> Option<Zeroizing<Vec<u8>>> {
        let key = self.key(passphrase);
        let mut octets = Zeroizing::new(encrypted.to_vec());
        let plain = match (self.cipher, self.key_length) {
            ("DES-EDE3-CBC", _) => open::<Decryptor<TdesEde3>>(&key, &self.vector, &mut octets),
            (_, 16) => open::<Decryptor<Aes128>>(&key, &self.vector, &mut octets),
            (_, 24) => open::<Decryptor<Aes192>>(&key, &self.vector, &mut octets),
            _ => open::<Decryptor<Aes256>>(&key, &self.vector, &mut octets),
        }?;
        octets.truncate(plain);
        Some(octets)
    }

    /// Derives the key as `EVP_BytesToKey` with MD5 and one round; the salt is the first octets of the initialization
    /// vector.
    fn key(&self, passphrase: &Secret) -> Zeroizing<Vec<u8>> {
        let salt = self.vector.get(..8).unwrap_or_default();
        let mut key = Zeroizing::new(Vec::with_capacity(48));
        let mut last = Zeroizing::new(Vec::with_capacity(16));
        while key.len() < self.key_length {
            let mut hash = Md5::new();
            hash.update(last.as_slice());
            hash.update(passphrase.as_bytes());
            hash.update(salt);
            last.clear();
            last.extend_from_slice(&hash.finalize());
            key.extend_from_slice(&last);
        }
        key.truncate(self.key_length);
        key
    }
}

/// Decrypts in place and returns the length of the plain octets; `None` for invalid padding.
fn open<C: KeyIvInit + BlockModeDecrypt>(key: &[u8], vector: &[u8], octets: &mut [u8]) -> Option<usize> {
    let cipher = C::new_from_slices(key, vector).ok()?;
    cipher.decrypt_padded::<Pkcs7>(octets).ok().map(<[u8]>::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_others_refused() {
        let read = LegacyEncryption::parse("DES-EDE3-CBC,0102030405060708").unwrap();
        assert_eq!((read.cipher(), read.vector.len(), read.key_length), ("DES-EDE3-CBC", 8, 24));
        assert!(LegacyEncryption::parse("AES-256-CBC,000102030405060708090A0B0C0D0E0F").is_ok());
        for (info, told) in [
            ("DES-CBC,0102030405060708", "DES-CBC, is not supported"),
            ("", "not supported"),
            ("DES-EDE3-CBC", "damaged"),
            ("DES-EDE3-CBC,01020304", "damaged"),
            ("AES-128-CBC,0102030405060708", "damaged"),
            ("DES-EDE3-CBC,01020304050607é", "damaged"),
        ] {
            assert!(LegacyEncryption::parse(info).unwrap_err().to_string().contains(told), "{info}");
        }
    }

    #[test]
    fn an_initialization_vector_with_a_sign_is_refused() {
        for octet in ["+f", "-f", "f "] {
            let refused = LegacyEncryption::parse(&format!("DES-EDE3-CBC,{octet}02030405060708"));
            assert_eq!(refused.unwrap_err().to_string(), "its DEK-Info is damaged", "{octet}");
        }
    }
}
