//! The file key of one key file as text. It is given in the place of a passphrase by whoever opened the file otherwise, such
//! as by a plugin of age, to a signer that does not. The form is known here, without the code that opens files.
//!
//! It is Bech32 in capitals, as age writes its own secrets: `GENFIC-FILE-KEY-1`, 26 digits and a checksum of 6.
use super::Secret;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::primitives::iter::{ByteIterExt as _, Fe32IterExt as _};
use bech32::{Bech32, Hrp};
use zeroize::Zeroizing;

/// What the checksum covers before the digits.
const NAME: &str = "genfic-file-key-";
/// How the text begins.
const BEGINNING: &str = "GENFIC-FILE-KEY-1";
/// Length of the text.
const LENGTH: usize = BEGINNING.len() + 26 + 6;

/// The octets of a file key, wiped after use.
pub(super) type FileKeyOctets = Zeroizing<[u8; 16]>;

/// Writes a file key as text.
pub(super) fn file_key_text(key: &[u8; 16]) -> Secret {
    // it never grows, so no copy of the key stays behind in freed memory
    let mut text = Secret::new(String::with_capacity(LENGTH));
    let name = Hrp::parse_unchecked(NAME);
    let digits = key.iter().copied().bytes_to_fes().with_checksum::<Bech32>(&name).chars();
    digits.for_each(|digit| text.push(digit.to_ascii_uppercase()));
    text
}

/// Reads a file key; `None` for any other text. There is one spelling of each.
pub(super) fn file_key_in(text: &str) -> Option<FileKeyOctets> {
    if !text.starts_with(BEGINNING) {
        return None;
    }
    let read = CheckedHrpstring::new::<Bech32>(text).ok()?;
    let (mut octets, mut digits) = (FileKeyOctets::default(), read.byte_iter());
    for octet in octets.iter_mut() {
        *octet = digits.next()?;
    }
    (*file_key_text(&octets) == text).then_some(octets)
}

/// Returns whether a text is a file key or was meant to be one. It opens one file until that is replaced, and protects none.
pub(crate) fn is_file_key(text: &str) -> bool {
    let beginning = text.trim_start().get(..BEGINNING.len());
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(BEGINNING))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_file_key_is_read_as_it_was_written_and_in_no_other_spelling(
            key in any::<[u8; 16]>(),
            at in 0..LENGTH,
            other in any::<char>(),
            octet in any::<u8>(),
        ) {
            // K2
            let text = file_key_text(&key);
            prop_assert_eq!(text.len(), LENGTH);
            prop_assert!(text.starts_with(BEGINNING) && is_file_key(&text));
            prop_assert_eq!(*file_key_in(&text).unwrap(), key);
            let changed = |with: char| format!("{}{with}{}", &text[..at], &text[at + 1..]);
            for with in [other, char::from(octet)] {
                let is_same = text[at..].starts_with(with);
                prop_assert_eq!(file_key_in(&changed(with)).is_some(), is_same, "{}", with);
            }
            let small = text.to_ascii_lowercase();
            prop_assert!(is_file_key(&small));
            for spelling in [small, format!(" {}", *text), format!("{}\n", *text), text[..at].to_owned()] {
                prop_assert!(file_key_in(&spelling).is_none());
            }
        }

        #[test]
        fn no_other_text_is_a_file_key(text in any::<String>(), digits in "[A-Z0-9]{0,40}") {
            prop_assert!(file_key_in(&text).is_none() && !is_file_key(&text));
            let begun = format!("{BEGINNING}{digits}");
            prop_assert!(file_key_in(&begun).is_none());
            let _ = is_file_key(&format!("{}{text}", &BEGINNING[..9]));
        }
    }

    #[test]
    fn a_text_that_another_length_or_other_bits_at_its_end_make_is_no_file_key() {
        // the checksums are right
        let encoded = |octets: &[u8]| {
            let name = Hrp::parse_unchecked(NAME);
            let digits = octets.iter().copied().bytes_to_fes().with_checksum::<Bech32>(&name).chars();
            digits.map(|digit| digit.to_ascii_uppercase()).collect::<String>()
        };
        assert!(file_key_in(&encoded(&[7; 16])).is_some());
        for length in [0, 15, 17, 32] {
            assert!(file_key_in(&encoded(&vec![7; length])).is_none(), "{length}");
        }
        let bits = [bech32::Fe32::P; 26];
        let name = Hrp::parse_unchecked(NAME);
        let other = bits.iter().copied().with_checksum::<Bech32>(&name).chars();
        assert!(file_key_in(&other.map(|digit| digit.to_ascii_uppercase()).collect::<String>()).is_none());
    }

    #[test]
    fn the_form_stays_as_it_is() {
        let text = file_key_text(&[0; 16]);
        assert_eq!(&text[..LENGTH - 6], "GENFIC-FILE-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQ");
    }
}
