//! A share of a passphrase, as a custodian keeps it.
//!
//! Fifty octets: the kind (1, or 2 with a passphrase of the custodian), the threshold k, the number of shares n, the
//! index x, six random octets that name the set; the value of the polynomials at x, 32 octets; eight octets of SHA-256
//! over the first ten, with kind 1, and the value. With a passphrase the value is covered by 32 octets of scrypt.
use super::split::Numbers;
use crate::signing::{KeyError, Secret};
use crate::x509::sha256;
use std::fmt;
use zeroize::Zeroizing;

/// Octets of a share, of its beginning and of what it is a share of.
pub(super) const OCTETS: usize = HEAD + VALUE + CHECK;
const HEAD: usize = 10;
/// Octets of the secret.
pub(super) const VALUE: usize = 32;
const CHECK: usize = 8;
/// Octets of the name of a set.
pub(super) const SET: usize = 6;
/// The kinds.
pub(super) const PLAIN: u8 = 1;
pub(super) const LOCKED: u8 = 2;
/// Cost of a custodian's passphrase: 64 MiB and a fifth of a second. A share alone opens nothing.
const LOG_N: u8 = 16;

/// One of the shares that a passphrase was split into.
#[derive(Clone)]
pub struct Share {
    set: [u8; SET],
    numbers: Numbers,
    index: u8,
    is_locked: bool,
    value: Zeroizing<[u8; VALUE]>,
    check: [u8; CHECK],
}

/// The custodian's passphrase does not open the share.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the passphrase does not open the share")]
pub struct WrongPassphrase;

impl Share {
    pub(super) fn new(set: [u8; SET], numbers: Numbers, index: u8, value: Zeroizing<[u8; VALUE]>) -> Self {
        let mut share = Self { set, numbers, index, is_locked: false, value, check: [0; CHECK] };
        share.check = share.digest_of_value();
        share
    }

    /// Reads the octets of a share; returns the reason otherwise.
    pub(super) fn from_octets(octets: &[u8; OCTETS]) -> Result<Self, &'static str> {
        let [kind, threshold, count, index, rest @ ..] = octets;
        let (set, rest) = rest.split_first_chunk().ok_or("it is cut short")?;
        let (value, rest) = rest.split_first_chunk().ok_or("it is cut short")?;
        let check = rest.try_into().map_err(|_| "it is cut short")?;
        let numbers = Numbers::new(*threshold, *count).map_err(|_| "its numbers are those of no share")?;
        if *index == 0 || index > count {
            return Err("its index is that of no share");
        }
        let is_locked = match *kind {
            PLAIN => false,
            LOCKED => true,
            _ => return Err("it is no share, or of a later version"),
        };
        let value = Zeroizing::new(*value);
        let share = Self { set: *set, numbers, index: *index, is_locked, value, check };
        if !is_locked && share.digest_of_value() != check {
            return Err("each line is right, but they do not belong together");
        }
        Ok(share)
    }

    pub(super) fn to_octets(&self) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(OCTETS));
        octets.extend(self.head(if self.is_locked { LOCKED } else { PLAIN }));
        octets.extend(self.value.iter());
        octets.extend(self.check);
        octets
    }

    fn head(&self, kind: u8) -> [u8; HEAD] {
        let [a, b, c, d, e, f] = self.set;
        [kind, self.numbers.threshold(), self.numbers.count(), self.index, a, b, c, d, e, f]
    }

    fn digest_of_value(&self) -> [u8; CHECK] {
        let whole = self.digest();
        whole.first_chunk().copied().unwrap_or_default()
    }

    /// Returns SHA-256 over the first ten octets and the value, of a share that is not locked: it tells the share from
    /// any other, and nothing of it.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut octets = Zeroizing::new(Vec::with_capacity(HEAD + VALUE));
        octets.extend(self.head(PLAIN));
        octets.extend(self.value.iter());
        sha256(&octets)
    }

    /// Returns the name of the set in hexadecimal digits.
    #[must_use]
    pub fn set(&self) -> String {
        base16ct::lower::encode_string(&self.set)
    }

    /// Returns how many shares there are, and how many of them restore the key.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// Returns the index, from 1.
    #[must_use]
    pub fn index(&self) -> u8 {
        self.index
    }

    /// Whether the custodian's passphrase is needed.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.is_locked
    }

    pub(super) fn value(&self) -> &Zeroizing<[u8; VALUE]> {
        &self.value
    }

    /// Covers the share with the custodian's passphrase.
    ///
    /// # Errors
    /// When scrypt fails.
    pub fn locked(&self, passphrase: &Secret) -> Result<Self, KeyError> {
        if self.is_locked {
            return Ok(self.clone());
        }
        Ok(Self { is_locked: true, value: self.covered(passphrase)?, ..self.clone() })
    }

    /// Takes the cover off.
    ///
    /// # Errors
    /// [`WrongPassphrase`]; when scrypt fails, too.
    pub fn unlocked(&self, passphrase: &Secret) -> Result<Self, WrongPassphrase> {
        if !self.is_locked {
            return Ok(self.clone());
        }
        let value = self.covered(passphrase).map_err(|_| WrongPassphrase)?;
        let share = Self { is_locked: false, value, ..self.clone() };
        if share.digest_of_value() == share.check { Ok(share) } else { Err(WrongPassphrase) }
    }

    fn covered(&self, passphrase: &Secret) -> Result<Zeroizing<[u8; VALUE]>, KeyError> {
        let failed = KeyError::Cryptography("scrypt".into());
        let Ok(cost) = scrypt::Params::new(LOG_N, 8, 1) else { return Err(failed) };
        let mut out = Zeroizing::new([0; VALUE]);
        scrypt::scrypt(passphrase.as_bytes(), &self.head(PLAIN), &cost, out.as_mut_slice())
            .map_err(|_| failed)?;
        for (cover, octet) in out.iter_mut().zip(self.value.iter()) {
            *cover ^= octet;
        }
        Ok(out)
    }
}

/// Writes nothing that is secret.
impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} of {}, set {})", self.index, self.numbers.count(), self.set())
    }
}

impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        *self.to_octets() == *other.to_octets()
    }
}

impl Eq for Share {}
