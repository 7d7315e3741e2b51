//! Attribute types of names, their string types and upper bounds (RFC 5280 Appendix A, RFC 4519).
use der::asn1::ObjectIdentifier;

/// How an attribute's value is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StringKind {
    /// `UTF8String`: used for every DirectoryString that is written.
    Utf8,
    /// `PrintableString`: countries, serial numbers and DN qualifiers.
    Printable,
    /// `IA5String`: domain components and e-mail addresses.
    Ia5,
}

/// An attribute type that names are made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AttributeType {
    /// Object identifier.
    pub oid: ObjectIdentifier,
    /// Short name that people type, for example `CN`.
    pub short: &'static str,
    /// Name in RFC 5280, for example `commonName`.
    pub long: &'static str,
    /// String type in which values are written.
    pub kind: StringKind,
    /// Maximum length of a value in characters.
    pub upper_bound: usize,
}

const fn row(
    oid: &'static str,
    short: &'static str,
    long: &'static str,
    kind: StringKind,
    upper_bound: usize,
) -> AttributeType {
    AttributeType { oid: ObjectIdentifier::new_unwrap(oid), short, long, kind, upper_bound }
}

use StringKind::{Ia5, Printable, Utf8};

impl AttributeType {
    /// Attribute types that are known by name.
    pub const ALL: [Self; 20] = [
        row("2.5.4.6", "C", "countryName", Printable, 2),
        row("2.5.4.8", "ST", "stateOrProvinceName", Utf8, 128),
        row("2.5.4.7", "L", "localityName", Utf8, 128),
        row("2.5.4.10", "O", "organizationName", Utf8, 64),
        row("2.5.4.11", "OU", "organizationalUnitName", Utf8, 64),
        row("2.5.4.3", "CN", "commonName", Utf8, 64),
        row("1.2.840.113549.1.9.1", "emailAddress", "emailAddress", Ia5, 255),
        row("0.9.2342.19200300.100.1.25", "DC", "domainComponent", Ia5, 63),
        row("0.9.2342.19200300.100.1.1", "UID", "userId", Utf8, 256),
        row("2.5.4.5", "serialNumber", "serialNumber", Printable, 64),
        row("2.5.4.4", "SN", "surname", Utf8, 32_768),
        row("2.5.4.42", "GN", "givenName", Utf8, 32_768),
        row("2.5.4.43", "initials", "initials", Utf8, 32_768),
        row("2.5.4.44", "generationQualifier", "generationQualifier", Utf8, 32_768),
        row("2.5.4.12", "title", "title", Utf8, 64),
        row("2.5.4.65", "pseudonym", "pseudonym", Utf8, 128),
        row("2.5.4.46", "dnQualifier", "dnQualifier", Printable, 64),
        row("2.5.4.9", "street", "streetAddress", Utf8, 128),
        row("2.5.4.17", "postalCode", "postalCode", Utf8, 40),
        row("2.5.4.97", "organizationIdentifier", "organizationIdentifier", Utf8, 256),
    ];

    /// Returns the type with this short or long name, in any case. `E` is read as `emailAddress`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let name = if name.eq_ignore_ascii_case("E") { "emailAddress" } else { name };
        Self::ALL
            .into_iter()
            .find(|row| row.short.eq_ignore_ascii_case(name) || row.long.eq_ignore_ascii_case(name))
    }

    /// Returns the type with this object identifier.
    #[must_use]
    pub(crate) fn by_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.oid == oid)
    }

    /// Returns why the text cannot be a value of this type, or `None` when it can.
    #[must_use]
    pub fn refuses(&self, value: &str) -> Option<String> {
        let length = value.chars().count();
        if length == 0 {
            return Some("is empty".into());
        }
        if value.chars().any(is_invisible) {
            return Some("has control characters, or others that cannot be seen".into());
        }
        if length > self.upper_bound {
            return Some(format!("has {length} characters, at most {} are allowed", self.upper_bound));
        }
        if self.short == "C" && !(length == 2 && value.chars().all(|c| c.is_ascii_uppercase())) {
            return Some("must be two capital letters (ISO 3166)".into());
        }
        let allowed = match self.kind {
            Utf8 => true,
            Ia5 => value.is_ascii(),
            Printable => value.chars().all(is_printable),
        };
        (!allowed).then(|| "has characters that its string type cannot hold".into())
    }
}

/// Tells whether a character is invisible and changes how the text around it is displayed: controls, line and
/// paragraph separators, direction marks, zero-width spaces and the like (RFC 5280 §8, Unicode TR 36). The joiners
/// U+200C and U+200D do not count, because some scripts need them within words.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Tells whether a character is in the set of `PrintableString` (X.680 §41.4).
pub(crate) fn is_printable(character: char) -> bool {
    character.is_ascii_alphanumeric() || " '()+,-./:=?".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_to_the_upper_bounds_of_the_rfc() {
        // X4
        let cn = AttributeType::by_name("cn").unwrap();
        assert_eq!(cn.refuses(&"x".repeat(64)), None);
        assert!(cn.refuses(&"x".repeat(65)).unwrap().contains("at most 64"));
        let country = AttributeType::by_name("countryName").unwrap();
        assert_eq!(country.refuses("BE"), None);
        assert!(country.refuses("be").is_some() && country.refuses("BEL").is_some());
        assert!(AttributeType::by_name("DC").unwrap().refuses("é").is_some());
        assert!(cn.refuses("a\0b").is_some());
        for unseen in ["a\u{202e}b", "a\u{200b}b", "\u{feff}a", "a\u{2066}b", "a\u{2028}b"] {
            assert!(cn.refuses(unseen).unwrap().contains("cannot be seen"), "{unseen:?}");
        }
        assert_eq!(cn.refuses("می\u{200c}خواهم"), None, "a joiner within a word");
    }
}
