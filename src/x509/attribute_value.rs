//! Values of attributes: the string type in which they were received, and their text (X.680 §41, RFC 5280 §4.1.2.4).
use super::octets::tlv;
use der::asn1::AnyRef;
use der::{Decode, Encode, Length, Reader};

const UTF8_STRING: u8 = 0x0c;
const NUMERIC_STRING: u8 = 0x12;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;

/// Tags and X.680 names of the string types that are read as text.
const STRINGS: [(u8, &str); 8] = [
    (UTF8_STRING, "UTF8String"),
    (NUMERIC_STRING, "NumericString"),
    (PRINTABLE_STRING, "PrintableString"),
    (TELETEX_STRING, "TeletexString"),
    (IA5_STRING, "IA5String"),
    (VISIBLE_STRING, "VisibleString"),
    (UNIVERSAL_STRING, "UniversalString"),
    (BMP_STRING, "BMPString"),
];

/// Value of an attribute: one DER element, as received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AttributeValue {
    der: Vec<u8>,
    /// Number of octets before the contents: identifier and length.
    header: usize,
}

impl AttributeValue {
    /// Identifier octet of `UTF8String`.
    pub(crate) const UTF8_STRING: u8 = UTF8_STRING;
    /// Identifier octet of `PrintableString`.
    pub(crate) const PRINTABLE_STRING: u8 = PRINTABLE_STRING;
    /// Identifier octet of `IA5String`.
    pub(crate) const IA5_STRING: u8 = IA5_STRING;
    /// Identifier octet of `NumericString`.
    pub(crate) const NUMERIC_STRING: u8 = NUMERIC_STRING;

    /// Returns a value with this tag and these contents.
    #[must_use]
    pub fn new(tag: u8, contents: &[u8]) -> Self {
        let der = tlv(tag, contents);
        Self { header: der.len().saturating_sub(contents.len()), der }
    }

    /// Reads one element. UniversalString is read here, because the decoder of `der` does not know it and RFC 5280
    /// does.
    pub(super) fn read<'r>(reader: &mut impl Reader<'r>) -> der::Result<Self> {
        if reader.peek_byte() != Some(UNIVERSAL_STRING) {
            let any = AnyRef::decode(reader)?;
            let der = any.to_der()?;
            return Ok(Self { header: der.len().saturating_sub(any.value().len()), der });
        }
        reader.read_byte()?;
        let length = Length::decode(reader)?;
        Ok(Self::new(UNIVERSAL_STRING, reader.read_slice(length)?))
    }

    /// Returns the first identifier octet. The tags of string types have one only.
    #[must_use]
    pub fn tag(&self) -> u8 {
        self.der.first().copied().unwrap_or_default()
    }

    /// Returns the contents octets.
    #[must_use]
    pub fn contents(&self) -> &[u8] {
        self.der.get(self.header..).unwrap_or_default()
    }

    /// Returns the whole element, DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the name of the string type, for example `PrintableString`.
    #[must_use]
    pub(crate) fn type_name(&self) -> String {
        let known = STRINGS.iter().find(|(tag, _)| *tag == self.tag());
        known.map_or_else(
            || format!("no string but of the tag {}", self.tag()),
            |(_, name)| (*name).to_owned(),
        )
    }

    /// Returns the value as text, for every string type. Returns `None` when the value is not a string or is
    /// malformed. TeletexString is read as ISO 8859-1, which is what is written in practice.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let octets = self.contents();
        match self.tag() {
            UTF8_STRING => String::from_utf8(octets.to_vec()).ok(),
            PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING | NUMERIC_STRING => {
                octets.is_ascii().then(|| String::from_utf8_lossy(octets).into_owned())
            }
            TELETEX_STRING => Some(octets.iter().map(|octet| char::from(*octet)).collect()),
            BMP_STRING => {
                let (units, []) = octets.as_chunks::<2>() else { return None };
                let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
                String::from_utf16(&units).ok()
            }
            UNIVERSAL_STRING => {
                let (units, []) = octets.as_chunks::<4>() else { return None };
                units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit))).collect()
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::SliceReader;

    fn read(octets: &[u8]) -> der::Result<AttributeValue> {
        let mut reader = SliceReader::new(octets)?;
        let value = AttributeValue::read(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }

    #[test]
    fn every_string_type_is_read_as_the_same_text_and_kept_as_it_is() {
        // X3
        for (octets, name) in [
            (&[0x0c, 2, 0xc3, 0xa9][..], "UTF8String"),
            (&[0x14, 1, 0xe9], "TeletexString"),
            (&[0x1e, 2, 0, 0xe9], "BMPString"),
            (&[0x1c, 4, 0, 0, 0, 0xe9], "UniversalString"),
        ] {
            let value = read(octets).unwrap();
            assert_eq!((value.text().as_deref(), value.type_name().as_str()), (Some("é"), name));
            assert_eq!(value.as_der(), octets);
        }
        for (octets, name) in [(&[0x13, 1, b'a'][..], "PrintableString"), (&[0x16, 1, b'a'], "IA5String")] {
            let value = read(octets).unwrap();
            assert_eq!((value.text().as_deref(), value.type_name().as_str()), (Some("a"), name));
        }
    }

    #[test]
    fn what_is_no_text_of_its_type_is_none_and_what_is_cut_short_is_refused() {
        for octets in
            [&[0x1e, 1, 0][..], &[0x1c, 4, 0, 0, 0xd8, 0], &[0x1c, 3, 0, 0, 0], &[0x0c, 1, 0xff], &[5, 0]]
        {
            assert_eq!(read(octets).unwrap().text(), None, "{octets:?}");
        }
        for octets in [&[0x1c, 4, 0][..], &[0x1c], &[0x1c, 0x80, 0, 0]] {
            assert!(read(octets).is_err(), "{octets:?}");
        }
    }
}
