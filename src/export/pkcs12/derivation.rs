//! Derivation of keys from passphrases as PKCS#12 defines it (RFC 7292 appendix B.2).
use super::Passphrase;
use aws_lc_rs::digest::{Algorithm, Context};
use zeroize::Zeroizing;

/// Use of the derived octets (RFC 7292 appendix B.3).
#[derive(Clone, Copy, Debug)]
pub(super) enum DerivationPurpose {
    Key,
    InitialVector,
    Mac,
}

/// Block length of SHA-1 and SHA-256 in octets, the `v` of the RFC.
const BLOCK: usize = 64;

/// Derives a number of octets for one use.
pub(super) fn derive(
    algorithm: &'static Algorithm,
    passphrase: &Passphrase,
    salt: &[u8],
    iterations: u32,
    purpose: DerivationPurpose,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let diversifier = [match purpose {
        DerivationPurpose::Key => 1_u8,
        DerivationPurpose::InitialVector => 2,
        DerivationPurpose::Mac => 3,
    }; BLOCK];
    // UTF-16 with a terminating zero; the passphrase is ASCII
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(passphrase.as_bytes().iter().chain([&0]).flat_map(|octet| [0, *octet]).collect());
    let mut input = Zeroizing::new([filled(salt), filled(&text)].concat());
    let mut out = Zeroizing::new(Vec::with_capacity(length.next_multiple_of(BLOCK)));
    loop {
        let mut context = Context::new(algorithm);
        context.update(&diversifier);
        context.update(&input);
        let mut digest = context.finish();
        for _ in 1..iterations {
            digest = aws_lc_rs::digest::digest(algorithm, digest.as_ref());
        }
        out.extend_from_slice(digest.as_ref());
        if out.len() >= length {
            out.truncate(length);
            return out;
        }
        let block = Zeroizing::new(repeated(digest.as_ref(), BLOCK));
        for part in input.chunks_mut(BLOCK) {
            add_and_one(part, &block);
        }
    }
}

/// Repeats the octets until they fill whole blocks. No octets stay no octets.
fn filled(octets: &[u8]) -> Vec<u8> {
    repeated(octets, octets.len().next_multiple_of(BLOCK))
}

fn repeated(octets: &[u8], length: usize) -> Vec<u8> {
    octets.iter().copied().cycle().take(if octets.is_empty() { 0 } else { length }).collect()
}

/// Sets `part` to `part + block + 1`, big-endian, modulo its length.
fn add_and_one(part: &mut [u8], block: &[u8]) {
    let mut carry = 1_u16;
    for (to, add) in part.iter_mut().rev().zip(block.iter().rev()) {
        let sum = u16::from(*to) + u16::from(*add) + carry;
        let [high, low] = sum.to_be_bytes();
        *to = low;
        carry = u16::from(high);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::Secret;
    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256};
    use base16ct::lower::encode_string as hex;

    #[test]
    fn keys_are_those_of_known_vectors() {
        // of OpenSSL's test suite for its PKCS12KDF (test/recipes/30-test_evp_data/evpkdf_pkcs12.txt), "smeg"
        let passphrase = Passphrase::new(Secret::new("smeg".into())).unwrap();
        let derived = |salt: [u8; 8], purpose, length| {
            hex(&derive(&SHA1_FOR_LEGACY_USE_ONLY, &passphrase, &salt, 1, purpose, length))
        };
        let salt = [0x0a, 0x58, 0xcf, 0x64, 0x53, 0x0d, 0x82, 0x3f];
        assert_eq!(
            derived(salt, DerivationPurpose::Key, 24),
            "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"
        );
        assert_eq!(derived(salt, DerivationPurpose::InitialVector, 8), "79993dfe048d3b76");
        let salt = [0x3d, 0x83, 0xc0, 0xe4, 0x54, 0x6a, 0xc1, 0x40];
        assert_eq!(derived(salt, DerivationPurpose::Mac, 20), "8d967d88f6caa9d714800ab3d48051d63f73a312");
    }

    #[test]
    fn long_salts_and_keys_of_several_digests_are_made_too() {
        let passphrase = Passphrase::new(Secret::new("x".repeat(40))).unwrap();
        let long = derive(&SHA256, &passphrase, &[7; 70], 3, DerivationPurpose::Key, 100);
        assert_eq!(long.len(), 100);
        assert_eq!(long[..32], derive(&SHA256, &passphrase, &[7; 70], 3, DerivationPurpose::Key, 32)[..]);
        assert_ne!(long[..32], long[32..64]);
    }
}
