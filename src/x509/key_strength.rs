//! Key strength (X13): what makes a public key unfit to be certified.
use super::SubjectPublicKeyInfo;
use super::algorithm::rsa::{self, MODULUS_BITS};
use aws_lc_rs::signature::ParsedPublicKey;
use num_bigint::BigUint;
use std::sync::LazyLock;

/// Trial division goes up to here.
const SMALL_PRIME_BOUND: u32 = 10_000;
/// The primes up to this one tell a modulus with the ROCA flaw.
const ROCA_BOUND: u32 = 167;
/// How many steps of Fermat's factorisation are tried.
const FERMAT_ROUNDS: u32 = 100;

/// Why a public key is too weak to be certified.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyWeakness {
    /// RSA modulus length out of bounds.
    #[error("an RSA modulus of {0} bits; 2048 to 8192 are accepted")]
    ModulusLength(u32),
    /// RSA public exponent even, or not between 2^16 and 2^256.
    #[error("the RSA public exponent must be odd, above 65536 and below 2^256; 65537 is usual")]
    Exponent,
    /// The RSA modulus has a small prime factor.
    #[error("the RSA modulus is divisible by {0}")]
    SmallFactor(u32),
    /// Made by the library with the ROCA flaw (CVE-2017-15361).
    #[error("the RSA modulus has the ROCA fingerprint (CVE-2017-15361): it can be factored")]
    Roca,
    /// The primes are so close to each other that Fermat's method finds them.
    #[error("the two primes of the RSA modulus are close together: it can be factored")]
    ClosePrimes,
    /// Not a point of the curve.
    #[error("the key is not a point of its curve")]
    NotOnCurve,
    /// An Ed25519 point of order 1, 2, 4 or 8.
    #[error("the Ed25519 key is a point of small order: it has no private key")]
    SmallOrder,
}

/// Everything that is wrong with a key; empty when nothing is.
#[must_use]
pub fn key_weaknesses(key: &SubjectPublicKeyInfo) -> Vec<KeyWeakness> {
    key.algorithm().scheme().weaknesses(key)
}

/// Whether it is a point beside its curve.
pub(super) fn off_its_curve(key: &SubjectPublicKeyInfo) -> Vec<KeyWeakness> {
    let mut signatures = key.algorithm().scheme().signatures();
    match signatures.next().map(|(_, by)| ParsedPublicKey::new(by, key.key_octets())) {
        Some(Ok(_)) => Vec::new(),
        _ => vec![KeyWeakness::NotOnCurve],
    }
}

/// What is known of bad RSA keys.
pub(super) fn rsa_weaknesses(key: &SubjectPublicKeyInfo) -> Vec<KeyWeakness> {
    let (modulus, exponent) = rsa::parts(key.key_octets()).unwrap_or_default();
    let bits = key.algorithm().length().unwrap_or_default();
    let mut found = Vec::new();
    let exponent = BigUint::from_bytes_be(&exponent);
    if !exponent.bit(0) || exponent.bits() > 256 || exponent <= BigUint::from(1_u32 << 16) {
        found.push(KeyWeakness::Exponent);
    }
    if !MODULUS_BITS.contains(&bits) {
        // The checks below could take long, or fail for want of size alone.
        found.push(KeyWeakness::ModulusLength(bits));
        return found;
    }
    let modulus = BigUint::from_bytes_be(&modulus);
    if let Some(prime) = SMALL_PRIMES.iter().find(|prime| remainder(&modulus, **prime) == 0) {
        found.push(KeyWeakness::SmallFactor(*prime));
    }
    if has_roca_fingerprint(&modulus) {
        found.push(KeyWeakness::Roca);
    }
    if modulus.bit(0) && has_close_factors(&modulus) {
        found.push(KeyWeakness::ClosePrimes);
    }
    found
}

static SMALL_PRIMES: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut primes: Vec<u32> = Vec::new();
    for candidate in 2..SMALL_PRIME_BOUND {
        let mut divisors = primes.iter().take_while(|prime| **prime * **prime <= candidate);
        if divisors.all(|prime| candidate % prime != 0) {
            primes.push(candidate);
        }
    }
    primes
});

fn remainder(number: &BigUint, divisor: u32) -> u32 {
    u32::try_from(number % divisor).unwrap_or_default()
}

/// The flawed library's primes are `k * M + (65537^a mod M)`, `M` being a product of small primes; so modulo
/// each of them the modulus is a power of 65537 (Nemec et al., "The Return of Coppersmith's Attack", §3).
/// A sound modulus looks so once in 2^27.
fn has_roca_fingerprint(modulus: &BigUint) -> bool {
    let primes = SMALL_PRIMES.iter().filter(|prime| (3..=ROCA_BOUND).contains(*prime));
    primes.into_iter().all(|prime| {
        let (residue, mut power) = (remainder(modulus, *prime), 1);
        loop {
            if power == residue {
                return true;
            }
            power = power * (65_537 % prime) % prime;
            if power == 1 {
                return false;
            }
        }
    })
}

/// Fermat's factorisation: looks for `a` and `b` with `n = a² - b²`, `a` from the square root of `n` upwards.
fn has_close_factors(modulus: &BigUint) -> bool {
    let root = modulus.sqrt();
    if &root * &root == *modulus {
        return true;
    }
    for step in 1..=FERMAT_ROUNDS {
        let a = &root + step;
        let difference = &a * &a - modulus;
        // Squares end in one of four of the sixteen hexadecimal digits: most others need no root.
        if matches!(remainder(&difference, 16), 0 | 1 | 4 | 9) {
            let b = difference.sqrt();
            if &b * &b == difference {
                return true;
            }
        }
    }
    false
}

/// Whether it is an Ed25519 point that has no private key.
pub(super) fn of_small_order(key: &SubjectPublicKeyInfo) -> Vec<KeyWeakness> {
    ed25519_weakness(key.key_octets()).into_iter().collect()
}

/// RFC 8032 §5.1.3 decodes the point; only its `y` is needed here.
fn ed25519_weakness(key: &[u8]) -> Option<KeyWeakness> {
    let mut octets = key.to_vec();
    if let Some(last) = octets.last_mut() {
        *last &= 0x7f;
    }
    let prime = (BigUint::from(1_u8) << 255_u32) - 19_u32;
    let y = BigUint::from_bytes_le(&octets);
    if y >= prime || key.len() != 32 {
        return Some(KeyWeakness::NotOnCurve);
    }
    let inverse = |value: BigUint| value.modpow(&(&prime - 2_u32), &prime);
    let d = (&prime - 121_665_u32) * inverse(BigUint::from(121_666_u32)) % &prime;
    let squares = |y: &BigUint| {
        let y_squared = y * y % &prime;
        let denominator = (&d * &y_squared + 1_u32) % &prime;
        let x_squared = (&y_squared + &prime - 1_u32) * inverse(denominator) % &prime;
        (x_squared, y_squared)
    };
    let (x_squared, _) = squares(&y);
    if x_squared.modpow(&((&prime - 1_u32) >> 1_u32), &prime) == &prime - 1_u32 {
        return Some(KeyWeakness::NotOnCurve);
    }
    let mut multiple = y;
    for _doubling in 0..3 {
        let (x_squared, y_squared) = squares(&multiple);
        let product = &d * &x_squared * &y_squared % &prime;
        multiple = (x_squared + y_squared) * inverse(&prime + 1_u32 - product) % &prime;
    }
    (multiple == BigUint::from(1_u8)).then_some(KeyWeakness::SmallOrder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ED25519, RSA, public_key};
    use crate::x509::octets::{INTEGER, sequence, tlv};

    fn integer(number: &BigUint) -> Vec<u8> {
        let octets = number.to_bytes_be();
        let sign: &[u8] = if octets[0] >= 0x80 { &[0] } else { &[] };
        tlv(INTEGER, &[sign, &octets].concat())
    }

    fn rsa(modulus: &BigUint, exponent: u64) -> SubjectPublicKeyInfo {
        let key = sequence(&[&integer(modulus), &integer(&BigUint::from(exponent))]);
        SubjectPublicKeyInfo::from_der(&public_key(RSA, &[5, 0], &key)).unwrap()
    }

    fn ed25519(key: &[u8; 32]) -> SubjectPublicKeyInfo {
        SubjectPublicKeyInfo::from_der(&public_key(ED25519, &[], key)).unwrap()
    }

    /// An odd number of so many bits, by repeated digests: not prime, but nothing is known of its factors.
    fn arbitrary(seed: &str, bits: u64) -> BigUint {
        let mut octets = Vec::new();
        let mut block = crate::x509::sha256(seed.as_bytes()).to_vec();
        while octets.len() < 1056 {
            block = crate::x509::sha256(&block).to_vec();
            octets.extend_from_slice(&block);
        }
        let mut number = BigUint::from_bytes_be(&octets) >> (8 * 1056 - bits);
        for bit in [0, bits - 1, bits - 2] {
            number.set_bit(bit, true);
        }
        number
    }

    /// The next number that no small prime divides.
    fn without_small_factors(mut number: BigUint) -> BigUint {
        while SMALL_PRIMES.iter().any(|prime| remainder(&number, *prime) == 0) {
            number += 2_u32;
        }
        number
    }

    fn sound(bits: u64) -> BigUint {
        without_small_factors(arbitrary("sound", bits))
    }

    #[test]
    fn a_sound_rsa_key_has_no_weakness() {
        // X13
        assert_eq!(key_weaknesses(&rsa(&sound(2048), 65_537)), []);
        assert_eq!(key_weaknesses(&rsa(&sound(8192), 65_537)), []);
    }

    #[test]
    fn a_modulus_that_is_too_short_or_too_long_is_weak() {
        // X13
        for bits in [1024, 2047, 8193] {
            let found = key_weaknesses(&rsa(&arbitrary("length", bits), 65_537));
            assert_eq!(found, [KeyWeakness::ModulusLength(u32::try_from(bits).unwrap())]);
        }
    }

    #[test]
    fn an_exponent_that_is_small_or_even_is_weak() {
        // X13
        for (exponent, weak) in [(1, true), (3, true), (65_536, true), (65_538, true), (65_539, false)] {
            let found = key_weaknesses(&rsa(&sound(2048), exponent));
            assert_eq!(found.contains(&KeyWeakness::Exponent), weak, "{exponent}");
        }
    }

    #[test]
    fn an_even_modulus_and_one_with_a_small_prime_factor_are_weak() {
        // X13
        let even = sound(2048) - 1_u32;
        assert!(key_weaknesses(&rsa(&even, 65_537)).contains(&KeyWeakness::SmallFactor(2)));
        let divisible = sound(2036) * 9973_u32;
        assert_eq!(key_weaknesses(&rsa(&divisible, 65_537)), [KeyWeakness::SmallFactor(9973)]);
    }

    #[test]
    fn a_modulus_made_as_the_flawed_library_makes_them_is_weak() {
        // X13: for 2048 bits its M is the product of the first 71 primes
        let m: BigUint = SMALL_PRIMES.iter().take(71).fold(BigUint::from(1_u8), |m, prime| m * prime);
        let factor = |seed: &str, power: u32| {
            let multiple = arbitrary(seed, 1024 - m.bits()) * &m;
            multiple + BigUint::from(65_537_u32).modpow(&BigUint::from(power), &m)
        };
        let found = key_weaknesses(&rsa(&(factor("p", 123_457) * factor("q", 7_654_321)), 65_537));
        assert!(found.contains(&KeyWeakness::Roca), "{found:?}");
    }

    #[test]
    fn a_modulus_of_two_close_factors_is_weak() {
        // X13
        let one = without_small_factors(arbitrary("close", 1024));
        let other = without_small_factors(&one + 1_000_002_u32);
        assert_eq!(key_weaknesses(&rsa(&(&one * &other), 65_537)), [KeyWeakness::ClosePrimes]);
        assert_eq!(key_weaknesses(&rsa(&(&one * &one), 65_537)), [KeyWeakness::ClosePrimes]);
    }

    #[test]
    fn a_point_beside_its_curve_is_weak() {
        // X13
        let curve = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
        let identifier = sequence(&[&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], &curve]);
        let key = |point: &[u8]| {
            let bits = tlv(3, &[&[0][..], point].concat());
            SubjectPublicKeyInfo::from_der(&sequence(&[&identifier, &bits])).unwrap()
        };
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut point = pair.public_key_raw().to_vec();
        assert_eq!(key_weaknesses(&key(&point)), []);
        point[64] ^= 1;
        assert_eq!(key_weaknesses(&key(&point)), [KeyWeakness::NotOnCurve]);
    }

    #[test]
    fn ed25519_keys_of_small_order_or_off_the_curve_are_weak() {
        // X13: the public key of RFC 8032 §7.1 test 1, then points of order 1, 2, 4 and 8
        let hex = |text: &str| {
            <[u8; 32]>::try_from(BigUint::parse_bytes(text.as_bytes(), 16).unwrap().to_bytes_be())
        };
        let sound = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
        assert_eq!(key_weaknesses(&ed25519(&sound)), []);
        let (mut one, mut minus_one) = ([0; 32], [0xff; 32]);
        one[0] = 1;
        (minus_one[0], minus_one[31]) = (0xec, 0x7f);
        let eight = hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05").unwrap();
        for key in [[0; 32], one, minus_one, eight] {
            assert_eq!(key_weaknesses(&ed25519(&key)), [KeyWeakness::SmallOrder], "{key:?}");
        }
        let (mut two, mut beyond) = ([0; 32], [0xff; 32]);
        two[0] = 2;
        beyond[31] = 0x7f;
        for key in [two, beyond] {
            assert_eq!(key_weaknesses(&ed25519(&key)), [KeyWeakness::NotOnCurve], "{key:?}");
        }
    }
}
