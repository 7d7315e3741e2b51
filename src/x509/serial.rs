//! `CertificateSerialNumber` (RFC 5280 §4.1.2.2).
use super::octets::{INTEGER, put_header};
use num_bigint::BigUint;
use std::fmt;
use std::str::FromStr;

/// A positive integer of at most 20 octets, including the sign octet.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SerialNumber(Box<[u8]>);

/// Reason why octets or a text are not a serial number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidSerialNumber {
    /// The number is zero, which is not positive.
    #[error("a serial number is never zero")]
    Zero,
    /// The number is negative.
    #[error("a serial number is never negative")]
    Negative,
    /// The number has more than 20 octets.
    #[error("a serial number has at most 20 octets")]
    TooLong,
    /// The text is not hexadecimal.
    #[error("a serial number is written in hexadecimal digits")]
    NotHexadecimal,
    /// The text is not decimal.
    #[error("a serial number in decimal is written in the digits 0 to 9")]
    NotDecimal,
}

impl SerialNumber {
    /// Reads big-endian unsigned octets. Leading zeros are dropped.
    ///
    /// # Errors
    /// When the value is zero, or needs more than 20 octets as a DER INTEGER.
    pub fn from_be_octets(octets: &[u8]) -> Result<Self, InvalidSerialNumber> {
        let start = octets.iter().position(|&octet| octet != 0).ok_or(InvalidSerialNumber::Zero)?;
        let value = octets.get(start..).unwrap_or_default();
        let sign_octet = usize::from(value.first().is_some_and(|&octet| octet >= 0x80));
        if value.len() + sign_octet > 20 {
            return Err(InvalidSerialNumber::TooLong);
        }
        Ok(Self(value.into()))
    }

    /// Reads the contents octets of a DER INTEGER.
    ///
    /// # Errors
    /// When the value is negative, zero or too long.
    pub(crate) fn from_integer_contents(contents: &[u8]) -> Result<Self, InvalidSerialNumber> {
        if contents.first().is_some_and(|&octet| octet >= 0x80) {
            return Err(InvalidSerialNumber::Negative);
        }
        Self::from_be_octets(contents)
    }

    /// Reads decimal digits.
    ///
    /// # Errors
    /// When there are other characters, or the value is zero or too long.
    pub fn from_decimal(text: &str) -> Result<Self, InvalidSerialNumber> {
        /// Number of digits of the largest number of 20 octets.
        const MOST: usize = 49;
        if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(InvalidSerialNumber::NotDecimal);
        }
        let digits = text.trim_start_matches('0');
        if digits.len() > MOST {
            return Err(InvalidSerialNumber::TooLong);
        }
        let number = BigUint::parse_bytes(digits.as_bytes(), 10).unwrap_or_default();
        Self::from_be_octets(&number.to_bytes_be())
    }

    /// Returns a serial number with 128 random bits. A leading octet of `0x01`..`0x7f` makes it positive and of fixed
    /// length.
    #[must_use]
    pub(crate) fn from_random(octets: [u8; 17]) -> Self {
        let mut octets = octets;
        if let Some(first) = octets.first_mut() {
            *first = (*first & 0x3f) | 0x40;
        }
        Self(octets.into())
    }

    /// Returns the number in big-endian octets, without leading zeros: 1 to 20 octets.
    #[must_use]
    pub fn as_be_octets(&self) -> &[u8] {
        &self.0
    }

    /// Encodes the number as `INTEGER`, DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() + 3);
        self.put(&mut out);
        out
    }

    /// Appends the DER `INTEGER` to `out`.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let sign_octet: &[u8] = if self.0.first().is_some_and(|&octet| octet >= 0x80) { &[0] } else { &[] };
        put_header(out, INTEGER, sign_octet.len() + self.0.len());
        out.extend_from_slice(sign_octet);
        out.extend_from_slice(&self.0);
    }
}

/// Writes lower-case hexadecimal without separators, two digits an octet.
impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", base16ct::HexDisplay(&self.0))
    }
}

impl FromStr for SerialNumber {
    type Err = InvalidSerialNumber;

    /// Reads hexadecimal in any case. Colons and an odd number of digits are accepted.
    fn from_str(text: &str) -> Result<Self, InvalidSerialNumber> {
        let digits: String = text.trim_start_matches("0x").chars().filter(|c| *c != ':').collect();
        let even = if digits.len().is_multiple_of(2) { digits } else { format!("0{digits}") };
        let octets = base16ct::mixed::decode_vec(&even).ok().filter(|octets| !octets.is_empty());
        Self::from_be_octets(&octets.ok_or(InvalidSerialNumber::NotHexadecimal)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_positive_and_has_at_most_20_octets() {
        // X1
        assert_eq!(SerialNumber::from_be_octets(&[0; 20]), Err(InvalidSerialNumber::Zero));
        assert_eq!(SerialNumber::from_be_octets(&[0x80; 20]), Err(InvalidSerialNumber::TooLong));
        assert_eq!(SerialNumber::from_integer_contents(&[0x80]), Err(InvalidSerialNumber::Negative));
        assert!(SerialNumber::from_be_octets(&[0x7f; 20]).is_ok());
    }

    #[test]
    fn a_random_serial_number_keeps_128_random_bits_and_its_sign() {
        // X1
        let low = SerialNumber::from_random([0; 17]);
        let high = SerialNumber::from_random([0xff; 17]);
        assert_eq!((low.as_be_octets().len(), high.as_be_octets().len()), (17, 17));
        assert_eq!(low.as_be_octets()[1..], [0; 16]);
        assert_eq!(high.as_be_octets()[1..], [0xff; 16]);
        assert_eq!(high.to_der()[..3], [2, 17, 0x7f]);
    }

    #[test]
    fn hexadecimal_is_read_as_people_paste_it() {
        let serial: SerialNumber = "0A:bc".parse().unwrap();
        assert_eq!(serial.to_string(), "0abc");
        assert_eq!("abc".parse(), Ok(serial));
        assert_eq!("xyz".parse::<SerialNumber>(), Err(InvalidSerialNumber::NotHexadecimal));
        for (decimal, hexadecimal) in
            [("2748", "0abc"), ("0255", "ff"), ("1208925819614629174706175", "ff".repeat(10).as_str())]
        {
            assert_eq!(SerialNumber::from_decimal(decimal).unwrap().to_string(), hexadecimal);
        }
        let most = "730750818665451459101842416358141509827966271487";
        assert_eq!(
            SerialNumber::from_decimal(most),
            SerialNumber::from_be_octets(&[0x7f].into_iter().chain([0xff; 19]).collect::<Vec<u8>>())
        );
        for (text, reason) in [
            ("", InvalidSerialNumber::NotDecimal),
            ("-1", InvalidSerialNumber::NotDecimal),
            ("1a", InvalidSerialNumber::NotDecimal),
            ("000", InvalidSerialNumber::Zero),
            ("730750818665451459101842416358141509827966271488", InvalidSerialNumber::TooLong),
            (&"9".repeat(1000), InvalidSerialNumber::TooLong),
        ] {
            assert_eq!(SerialNumber::from_decimal(text), Err(reason), "{text}");
        }
        assert_eq!("é1".parse::<SerialNumber>(), Err(InvalidSerialNumber::NotHexadecimal));
    }
}
