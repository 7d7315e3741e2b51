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
    SystemRandom::new()
        .fill(&mut octets)
        .map_err(|_| KeyError::Cryptography("the random generator".into()))?;
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

/// Number of words of a generated passphrase: six of 7776 are 77 bits.
const WORDS: usize = 6;

/// Returns a passphrase of six words of the EFF's long list, one space between them: 77 random bits that a person can
/// write down and type.
///
/// # Errors
/// [`KeyError::Cryptography`] when the generator fails.
pub(crate) fn random_words() -> Result<Secret, KeyError> {
    let list = &diceware_wordlists::EFF_LONG_WORDLIST;
    // no reallocation, which would leave a copy behind
    let mut words = Secret::new(String::with_capacity(WORDS * 16));
    for at in 0..WORDS {
        if at > 0 {
            words.push(' ');
        }
        words.push_str(list.get(random_below(list.len())?).copied().unwrap_or_default());
    }
    Ok(words)
}

/// Returns a random number below `bound`, each with the same probability; `bound` is from 1 to 65536.
fn random_below(bound: usize) -> Result<usize, KeyError> {
    // numbers of the last, incomplete multiple of `bound` would make some results more frequent
    let whole = (1 << 16) / bound * bound;
    loop {
        let octets = Zeroizing::new(random_octets::<2>()?);
        let number = usize::from(u16::from_be_bytes(*octets));
        if number < whole {
            return Ok(number % bound);
        }
    }
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

    #[test]
    fn a_generated_passphrase_has_77_bits_in_words_that_are_all_equally_frequent() {
        // K2
        let list = &diceware_wordlists::EFF_LONG_WORDLIST;
        let all: HashSet<&str> = list.iter().copied().collect();
        assert_eq!(all.len(), 7776, "each word is there once");
        assert!(7776_u128.pow(u32::try_from(WORDS).unwrap()) >= 1 << 77);
        assert!(all.iter().all(|word| word.len() < 16 && !word.contains(' ') && word.is_ascii()));
        for _ in 0..50 {
            let words = random_words().unwrap();
            assert_eq!(words.split(' ').count(), WORDS, "{}", words.as_str());
            assert!(words.split(' ').all(|word| all.contains(word)), "{}", words.as_str());
        }
    }

    #[test]
    fn numbers_below_a_bound_are_equally_frequent() {
        // 40000 of 65536: without rejection the lower numbers would come twice as often
        let (bound, drawn) = (40_000, 20_000);
        let low = (0..drawn).filter(|_| random_below(bound).unwrap() < bound / 2).count();
        assert!((9_500..=10_500).contains(&low), "{low}");
        assert!((0..200).all(|_| random_below(7776).unwrap() < 7776));
        assert_eq!(random_below(1).unwrap(), 0);
    }
}
