//! `keyUsage` and `extKeyUsage` (RFC 5280 §4.2.1.3, §4.2.1.12).
use super::{EXTENDED_KEY_USAGE, Extension, KEY_USAGE};
use crate::error::Reason;
use crate::x509::octets::{SEQUENCE, tlv};
use crate::x509::{MalformedDer, TbsCertificate};
use der::asn1::{BitStringRef, ObjectIdentifier};
use der::{Decode, Encode};
use std::fmt;
use std::str::FromStr;

/// `KeyUsage`: a set of usages. Bit 0 (digitalSignature) is the highest of the nine bits.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// `digitalSignature`
    pub const DIGITAL_SIGNATURE: Self = Self(0x8000);
    /// `nonRepudiation`, also called contentCommitment.
    pub(crate) const NON_REPUDIATION: Self = Self(0x4000);
    /// `keyEncipherment`
    pub(crate) const KEY_ENCIPHERMENT: Self = Self(0x2000);
    /// `dataEncipherment`
    pub(crate) const DATA_ENCIPHERMENT: Self = Self(0x1000);
    /// `keyAgreement`
    pub(crate) const KEY_AGREEMENT: Self = Self(0x0800);
    /// `keyCertSign`
    pub const KEY_CERT_SIGN: Self = Self(0x0400);
    /// `cRLSign`
    pub const CRL_SIGN: Self = Self(0x0200);
    /// `encipherOnly`
    pub(crate) const ENCIPHER_ONLY: Self = Self(0x0100);
    /// `decipherOnly`
    pub(crate) const DECIPHER_ONLY: Self = Self(0x0080);

    /// Usages that are possible with every signature scheme.
    pub(crate) const SIGNATURES: Self =
        Self::DIGITAL_SIGNATURE.with(Self::NON_REPUDIATION).with(Self::KEY_CERT_SIGN).with(Self::CRL_SIGN);

    const NAMES: [(Self, &'static str); 9] = [
        (Self::DIGITAL_SIGNATURE, "digitalSignature"),
        (Self::NON_REPUDIATION, "nonRepudiation"),
        (Self::KEY_ENCIPHERMENT, "keyEncipherment"),
        (Self::DATA_ENCIPHERMENT, "dataEncipherment"),
        (Self::KEY_AGREEMENT, "keyAgreement"),
        (Self::KEY_CERT_SIGN, "keyCertSign"),
        (Self::CRL_SIGN, "cRLSign"),
        (Self::ENCIPHER_ONLY, "encipherOnly"),
        (Self::DECIPHER_ONLY, "decipherOnly"),
    ];

    /// Returns the union of both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns this set without the usages of the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Tells whether every usage of `other` is in this set.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Tells whether the set is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns a usage by its RFC name, for example `keyCertSign`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Returns the extension, critical, as a named-bit-list without trailing zero bits.
    #[must_use]
    pub fn to_extension(self) -> Extension {
        let [high, low] = self.0.to_be_bytes();
        let contents = match (high, low) {
            (0, 0) => vec![0],
            (_, 0) => vec![u8::try_from(high.trailing_zeros()).unwrap_or(0), high],
            _ => vec![u8::try_from(low.trailing_zeros()).unwrap_or(0), high, low],
        };
        Extension::new(KEY_USAGE, true, tlv(0x03, &contents))
    }

    /// Reads the extension's value.
    ///
    /// # Errors
    /// When the value is not a BIT STRING of at most nine bits.
    pub(crate) fn from_value(value: &[u8]) -> Result<Self, MalformedDer> {
        let malformed = || MalformedDer::new("keyUsage", "not a list of the nine uses");
        let bits = BitStringRef::from_der(value).map_err(|_| malformed())?;
        let (high, low) = match bits.raw_bytes() {
            [] => (0, 0),
            [high] => (*high, 0),
            [high, low] if low & 0x7f == 0 => (*high, *low),
            _ => return Err(malformed()),
        };
        Ok(Self(u16::from_be_bytes([high, low])))
    }

    /// Returns the keyUsage of a certificate; `None` when absent or malformed.
    #[must_use]
    pub fn of(tbs: &TbsCertificate) -> Option<Self> {
        Self::from_value(&tbs.extension(KEY_USAGE)?.value).ok()
    }
}

/// Writes the RFC names in the order of the RFC, with commas.
impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Self::NAMES.iter().filter(|row| self.has(row.0)).map(|row| row.1).collect();
        f.write_str(&names.join(", "))
    }
}

/// `KeyPurposeId`: one purpose of an extended key usage.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Purpose(pub ObjectIdentifier);

impl Purpose {
    /// `id-kp-serverAuth`
    pub(crate) const SERVER_AUTH: Self = Self(ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1"));
    /// `id-kp-clientAuth`
    pub(crate) const CLIENT_AUTH: Self = Self(ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2"));
    /// `id-kp-codeSigning`
    pub(crate) const CODE_SIGNING: Self = Self(ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3"));
    /// `id-kp-emailProtection`
    pub(crate) const EMAIL_PROTECTION: Self = Self(ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4"));
    /// `id-kp-timeStamping`
    pub(crate) const TIME_STAMPING: Self = Self(ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8"));
    /// `id-kp-OCSPSigning`
    pub const OCSP_SIGNING: Self = Self(ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9"));
    /// `anyExtendedKeyUsage`, which is never issued.
    pub const ANY: Self = Self(ObjectIdentifier::new_unwrap("2.5.29.37.0"));

    const NAMES: [(Self, &'static str); 7] = [
        (Self::SERVER_AUTH, "serverAuth"),
        (Self::CLIENT_AUTH, "clientAuth"),
        (Self::CODE_SIGNING, "codeSigning"),
        (Self::EMAIL_PROTECTION, "emailProtection"),
        (Self::TIME_STAMPING, "timeStamping"),
        (Self::OCSP_SIGNING, "OCSPSigning"),
        (Self::ANY, "anyExtendedKeyUsage"),
    ];
}

/// Writes the RFC name without `id-kp-`, or the object identifier in dots.
impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.iter().find(|row| row.0 == *self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Purpose {
    type Err = Reason;

    /// Reads an RFC name such as `serverAuth`, or an object identifier in dots.
    fn from_str(text: &str) -> Result<Self, Reason> {
        if let Some((purpose, _)) = Self::NAMES.iter().find(|row| row.1 == text) {
            return Ok(*purpose);
        }
        ObjectIdentifier::new(text)
            .map(Self)
            .map_err(|_| {
                let names: Vec<&str> = Self::NAMES.iter().map(|row| row.1).collect();
                format!("`{text}` is not a key purpose; one of {}, or an OID", names.join(", "))
            })
            .map_err(Reason::from)
    }
}

/// `ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId`
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExtendedKeyUsage(pub Vec<Purpose>);

impl ExtendedKeyUsage {
    /// Returns the extension, not critical, as most clients expect.
    #[must_use]
    pub fn to_extension(&self) -> Extension {
        let list: Vec<Vec<u8>> =
            self.0.iter().map(|purpose| purpose.0.to_der().unwrap_or_default()).collect();
        Extension::new(EXTENDED_KEY_USAGE, false, tlv(SEQUENCE, &list.concat()))
    }

    /// Reads the extension's value.
    ///
    /// # Errors
    /// When the value is not a list of object identifiers.
    pub(crate) fn from_value(value: &[u8]) -> Result<Self, MalformedDer> {
        let list = Vec::<ObjectIdentifier>::from_der(value)
            .map_err(|error| MalformedDer::from(error).reading("extKeyUsage"))?;
        Ok(Self(list.into_iter().map(Purpose).collect()))
    }

    /// Returns the extKeyUsage of a certificate; `None` when absent or malformed.
    #[must_use]
    pub fn of(tbs: &TbsCertificate) -> Option<Self> {
        Self::from_value(&tbs.extension(EXTENDED_KEY_USAGE)?.value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_usage_is_a_named_bit_list_without_trailing_zeros() {
        // X5
        let ca = KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN).to_extension();
        assert_eq!((ca.critical, ca.value.as_slice()), (true, &[3, 2, 1, 6][..]));
        let decipher = KeyUsage::DIGITAL_SIGNATURE.with(KeyUsage::DECIPHER_ONLY);
        assert_eq!(decipher.to_extension().value, [3, 3, 7, 0x80, 0x80]);
        assert_eq!(KeyUsage::from_value(&decipher.to_extension().value), Ok(decipher));
        assert!(KeyUsage::from_value(&[3, 3, 0, 0x80, 1]).is_err());
    }

    #[test]
    fn purposes_have_the_names_of_the_rfc() {
        // X9
        let usage = ExtendedKeyUsage(vec!["serverAuth".parse().unwrap(), "1.2.3.4".parse().unwrap()]);
        assert_eq!(ExtendedKeyUsage::from_value(&usage.to_extension().value), Ok(usage.clone()));
        assert_eq!(usage.0[0].to_string(), "serverAuth");
        assert!("server".parse::<Purpose>().is_err());
    }
}
