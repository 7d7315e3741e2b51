//! Shamir's secret sharing over GF(256): a new random passphrase and its shares.
use super::share::{SET, Share, VALUE};
use crate::error::{Code, Problem};
use crate::signing::{KeyError, Secret, random_octets};
use blahaj::Sharks;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use std::fmt;
use zeroize::Zeroizing;

/// How many shares there are, and how many restore the key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Numbers {
    threshold: u8,
    count: u8,
}

/// The numbers make no sense.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{threshold} of {count} shares: at least 2 are needed to restore the key, and no more than there are"
)]
pub struct InvalidNumbers {
    threshold: u8,
    count: u8,
}

impl From<InvalidNumbers> for Problem {
    fn from(error: InvalidNumbers) -> Self {
        Self::of(Code::ShareNumbers, error).hint("for example 3 of 5, or 2 of 3")
    }
}

impl Numbers {
    /// Returns `threshold` of `count` shares.
    ///
    /// # Errors
    /// When the threshold is less than 2 or more than the count.
    pub fn new(threshold: u8, count: u8) -> Result<Self, InvalidNumbers> {
        if threshold >= 2 && threshold <= count {
            Ok(Self { threshold, count })
        } else {
            Err(InvalidNumbers { threshold, count })
        }
    }

    /// Returns how many shares restore the key.
    #[must_use]
    pub fn threshold(self) -> u8 {
        self.threshold
    }

    /// Returns how many shares there are.
    #[must_use]
    pub fn count(self) -> u8 {
        self.count
    }
}

/// Writes `3 of 5`.
impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.threshold, self.count)
    }
}

/// Binary logarithm of the scrypt cost of a passphrase that is split. It has 256 random bits, so a
/// higher cost would protect from nothing more.
pub const SPLIT_WORK: u8 = 14;

/// Returns a new passphrase and its shares. The passphrase is the 256 random bits that are split, in 64 hexadecimal
/// digits.
///
/// # Errors
/// [`KeyError::Cryptography`] when the random generator fails.
pub fn split(numbers: Numbers) -> Result<(Secret, Vec<Share>), KeyError> {
    let secret = Zeroizing::new(random_octets::<VALUE>()?);
    let set = random_octets::<SET>()?;
    // the crate takes a generator that cannot fail; that of the system has just worked
    let dealt = Sharks(numbers.threshold).dealer_rng(secret.as_slice(), &mut UnwrapErr(SysRng));
    let dealt = dealt.take(usize::from(numbers.count));
    let mut shares = Vec::with_capacity(usize::from(numbers.count));
    for share in dealt {
        let octets = Zeroizing::new(Vec::from(&share));
        let Some((index, value)) = octets.split_first() else {
            return Err(KeyError::Cryptography("splitting".into()));
        };
        let mut own = Zeroizing::new([0; VALUE]);
        own.copy_from_slice(value.get(..VALUE).ok_or(KeyError::Cryptography("splitting".into()))?);
        shares.push(Share::new(set, numbers, *index, own));
    }
    Ok((passphrase(secret.as_slice()), shares))
}

/// Returns the secret as the passphrase that opens the key file.
pub(super) fn passphrase(secret: &[u8]) -> Secret {
    Secret::new(base16ct::lower::encode_string(secret))
}
