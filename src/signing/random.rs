//! Random values from the system's generator.
use super::{KeyError, Secret};
use crate::x509::SerialNumber;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// Returns `N` random octets.
///
/// # Errors
/// [`KeyError::Cryptography`] when the generator fails.
pub(crate) fn random_octets<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut octets = [0; N];
    SystemRandom::new().fill(&mut octets).map_err(|_| KeyError::Cryptography("the random generator"))?;
    Ok(octets)
}

/// Returns a new serial number with 128 random bits (RFC 5280 §4.1.2.2).
///
/// # Errors
/// [`KeyError::Cryptography`] when the generator fails.
pub(crate) fn random_serial() -> Result<SerialNumber, KeyError> {
    random_octets().map(SerialNumber::from_random)
}

/// Returns a nonce for an OCSP request: 32 octets, as RFC 9654 §2.1 recommends.
///
/// # Errors
/// [`KeyError::Cryptography`] when the generator fails.
pub fn random_nonce() -> Result<Vec<u8>, KeyError> {
    Ok(random_octets::<32>()?.to_vec())
}

/// Returns a salt of 128 random bits for the derivation of keys from passphrases.
///
/// # Errors
/// [`KeyError::Cryptography`] when the generator fails.
pub(crate) fn random_salt() -> Result<[u8; 16], KeyError> {
    random_octets()
}

/// Returns a passphrase of 128 random bits in 32 hexadecimal digits.
///
/// # Errors
/// [`KeyError::Cryptography`] when the generator fails.
pub fn random_passphrase() -> Result<Secret, KeyError> {
    let octets = Zeroizing::new(random_octets::<16>()?);
    Ok(Secret::new(base16ct::lower::encode_string(&*octets)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn serial_numbers_do_not_repeat_and_fit_into_20_octets() {
        // X1
        let serials: HashSet<SerialNumber> = (0..1000).map(|_| random_serial().unwrap()).collect();
        assert_eq!(serials.len(), 1000);
        assert!(
            serials.iter().all(|serial| serial.as_be_octets().len() == 17 && serial.to_der().len() == 19)
        );
    }
}
