//! Comparison of names by RFC 5280 §7.1: their strings are prepared by RFC 4518, and their RDNs are sets.
//!
//! Names are written and copied as octets; the prepared form serves comparison only. Characters that RFC 4518 §2.4
//! prohibits are kept as they are, because the name exists all the same.
use super::attribute::AttributeType;
use super::attribute_value::AttributeValue;
use super::name::{Attribute, Name};
use super::octets::{OCTET_STRING, SEQUENCE, SET, sequence, tlv};
use super::sha256;
use der::Encode;
use der::asn1::ObjectIdentifier;
use stringprep::tables::{case_fold_for_nfkc, x520_mapped_to_nothing, x520_mapped_to_space};
use unicode_normalization::UnicodeNormalization;

/// `domainComponent`, whose labels are compared as DNS labels (RFC 5280 §7.3).
const DOMAIN_COMPONENT: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.25");

/// Arcs of attribute types whose strings are compared without regard to case, besides the types known by name: X.520,
/// RFC 4524, and the arc of Microsoft that the CA/Browser Forum uses for extended validation.
const FAMILIAR: [&[u32]; 3] =
    [&[2, 5, 4], &[0, 9, 2342, 19_200_300, 100, 1], &[1, 3, 6, 1, 4, 1, 311, 60, 2, 1]];

/// A name prepared for comparison. Two of them are equal exactly when the names match by RFC 5280 §7.1.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PreparedName(Vec<u8>);

impl PreparedName {
    /// Returns the prepared form, one DER element.
    #[must_use]
    pub(crate) fn as_octets(&self) -> &[u8] {
        &self.0
    }

    /// Returns the SHA-256 of the prepared form.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}

impl Name {
    /// Returns the name in the form in which names are compared.
    #[must_use]
    pub(crate) fn prepared(&self) -> PreparedName {
        PreparedName(tlv(SEQUENCE, &prepared_rdns(self).concat()))
    }

    /// Tells whether both are the same name (RFC 5280 §7.1), whatever their string types.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.as_der() == other.as_der() || {
            let (own, other) = (self.rdns(), other.rdns());
            let is_same = |(own, other): (&Vec<Attribute>, &Vec<Attribute>)| {
                own == other || prepared_rdn(own) == prepared_rdn(other)
            };
            own.len() == other.len() && own.iter().zip(&other).all(is_same)
        }
    }

    /// Tells whether the first RDNs of this name are those of `base`.
    #[must_use]
    pub(crate) fn begins_with(&self, base: &Self) -> bool {
        prepared_rdns(self).starts_with(&prepared_rdns(base))
    }

    /// Returns both names for one message. When their texts are the same, the second one says what differs.
    #[must_use]
    pub fn beside(&self, other: &Self) -> (String, String) {
        if self.to_string() != other.to_string() {
            return (format!("`{self}`"), format!("`{other}`"));
        }
        let (one, two) = (self.attributes(), other.attributes());
        let differing =
            one.iter().zip(&two).find(|(one, two)| one.oid == two.oid && one.value.tag() != two.value.tag());
        match differing {
            Some((one, two)) => (
                format!("`{self}` with {} as {}", one.label(), one.value.type_name()),
                format!("the same with {} as {}", two.label(), two.value.type_name()),
            ),
            None if self == other => (format!("`{self}`"), "this name".to_owned()),
            None => (format!("`{self}`"), "a name of the same text in other octets".to_owned()),
        }
    }
}

/// Returns each RDN as one element.
fn prepared_rdns(name: &Name) -> Vec<Vec<u8>> {
    name.rdns().iter().map(|rdn| prepared_rdn(rdn)).collect()
}

/// Returns an RDN as one element. Its attributes are sorted by their prepared form.
fn prepared_rdn(rdn: &[Attribute]) -> Vec<u8> {
    let mut attributes: Vec<Vec<u8>> = rdn.iter().map(prepared_attribute).collect();
    attributes.sort();
    tlv(SET, &attributes.concat())
}

fn prepared_attribute(attribute: &Attribute) -> Vec<u8> {
    let oid = attribute.oid.to_der().unwrap_or_default();
    let value = match attribute.text().filter(|_| is_familiar(attribute.oid)) {
        Some(text) if attribute.oid == DOMAIN_COMPONENT => domain_label(&text),
        Some(text) => prepared_text(&text),
        // RFC 5280 §7.1: values whose syntax is not known are compared as they are
        None => return sequence(&[&oid, &tlv(OCTET_STRING, attribute.value.as_der())]),
    };
    sequence(&[&oid, &tlv(AttributeValue::UTF8_STRING, value.as_bytes())])
}

fn is_familiar(oid: ObjectIdentifier) -> bool {
    let arcs: Vec<u32> = oid.arcs().collect();
    AttributeType::by_oid(oid).is_some() || FAMILIAR.iter().any(|known| arcs.starts_with(known))
}

fn domain_label(text: &str) -> String {
    if text.is_ascii() {
        return prepared_text(text);
    }
    idna::domain_to_ascii(text).unwrap_or_else(|_| prepared_text(text))
}

/// Prepares a string by RFC 4518: mapped and case-folded (§2.2), in normalization form KC (§2.3), without
/// insignificant spaces (§2.6.1).
fn prepared_text(text: &str) -> String {
    if text.bytes().all(|octet| (b' '..=b'~').contains(&octet)) {
        // the tables change only the letter case of these
        return single_spaced(&text.to_ascii_lowercase());
    }
    prepared_by_tables(text)
}

fn prepared_by_tables(text: &str) -> String {
    let mapped = text
        .chars()
        .filter(|character| !x520_mapped_to_nothing(*character) && !is_ignored(*character))
        .map(|character| if x520_mapped_to_space(character) { ' ' } else { character })
        .flat_map(case_fold_for_nfkc);
    single_spaced(&mapped.nfkc().collect::<String>())
}

fn single_spaced(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Tells whether RFC 4518 §2.2 maps the character to nothing, where X.520 does not: format characters.
fn is_ignored(character: char) -> bool {
    matches!(character,
        '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2063}' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CN: [u8; 5] = [6, 3, 0x55, 4, 3];

    fn one(oid: &[u8], tag: u8, text: &[u8]) -> Name {
        Name::from_der(&tlv(SEQUENCE, &tlv(SET, &sequence(&[oid, &tlv(tag, text)])))).unwrap()
    }

    fn wide(text: &str, octets: usize) -> Vec<u8> {
        text.chars().flat_map(|c| u32::from(c).to_be_bytes()[4 - octets..].to_vec()).collect()
    }

    #[test]
    fn string_types_letter_case_and_insignificant_spaces_make_no_other_name() {
        // X3
        let name = one(&CN, 0x0c, "Été  Corp".as_bytes());
        for same in [
            one(&CN, 0x14, b"\xc9t\xe9 Corp"),
            one(&CN, 0x1e, &wide("ÉTÉ CORP", 2)),
            one(&CN, 0x1c, &wide("été corp", 4)),
            one(&CN, 0x0c, "  e\u{301}te\u{301}\u{a0}\u{2003}corp ".as_bytes()),
            one(&CN, 0x0c, "\u{ff25}\u{301}t\u{ad}é\tcorp\u{200b}".as_bytes()),
        ] {
            assert!(name.is_same_as(&same), "{same}");
            assert_eq!(name.prepared().digest(), same.prepared().digest());
            assert_ne!(name, same, "the octets are kept");
        }
        assert!(one(&CN, 0x13, b"Partner Root").is_same_as(&one(&CN, 0x0c, b"partner  root")));
        assert!(one(&CN, 0x0c, "stra\u{df}e".as_bytes()).is_same_as(&one(&CN, 0x0c, b"STRASSE")));
    }

    proptest! {
        #[test]
        fn printable_ascii_is_prepared_as_by_the_tables(text in "[ -~]{0,40}") {
            prop_assert_eq!(prepared_text(&text), prepared_by_tables(&text));
        }

        #[test]
        fn names_are_the_same_when_their_prepared_forms_are(
            one in "(C=BE,)?(O=[abAB ]{1,3}[+])?CN=[abAB]{1,2}",
            other in "(C=be,)?(O=[abAB ]{1,3}[+])?CN=[abAB]{1,2}",
        ) {
            let (Ok(one), Ok(other)) = (Name::parse(&one), Name::parse(&other)) else { return Ok(()) };
            prop_assert_eq!(one.is_same_as(&other), one.prepared() == other.prepared());
        }
    }

    #[test]
    fn other_text_other_types_and_another_order_make_another_name() {
        // X3
        let parsed = |text: &str| Name::parse(text).unwrap();
        for (one, other) in [
            ("CN=a b", "CN=ab"),
            ("CN=a", "O=a"),
            ("O=a,CN=b", "CN=b,O=a"),
            ("O=a+CN=b", "O=a,CN=b"),
            ("CN=a,CN=a", "CN=a"),
            ("CN=\u{430}", "CN=a"),
        ] {
            assert!(!parsed(one).is_same_as(&parsed(other)), "{one} and {other}");
        }
        assert!(!Name::empty().is_same_as(&parsed("CN=a")) && Name::empty().is_same_as(&Name::empty()));
    }

    #[test]
    fn the_attributes_of_an_rdn_are_a_set() {
        // X3
        let (o, cn) = ([6, 3, 0x55, 4, 10], tlv(0x13, b"Long enough to sort last"));
        let (o, cn) = (sequence(&[&o, &tlv(0x0c, b"b")]), sequence(&[&CN, &cn]));
        let rdn = |list: &[&[u8]]| Name::from_der(&tlv(SEQUENCE, &tlv(SET, &list.concat()))).unwrap();
        assert!(rdn(&[&o, &cn]).is_same_as(&rdn(&[&cn, &o])));
    }

    #[test]
    fn mail_addresses_and_domain_components_are_compared_without_letter_case() {
        // X3
        let mail = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 9, 1];
        let dc = [6, 10, 9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25];
        assert!(one(&mail, 0x16, b"A@B.example").is_same_as(&one(&mail, 0x0c, b"a@b.EXAMPLE")));
        assert!(one(&dc, 0x16, b"Example").is_same_as(&one(&dc, 0x0c, b"example")));
        assert!(one(&dc, 0x16, b"xn--bcher-kva").is_same_as(&one(&dc, 0x0c, "Bücher".as_bytes())));
    }

    #[test]
    fn unfamiliar_attributes_and_values_that_are_no_text_are_compared_by_octets() {
        // X3
        let odd = [6, 3, 0x2a, 3, 4];
        assert!(one(&odd, 0x13, b"a").is_same_as(&one(&odd, 0x13, b"a")));
        assert!(!one(&odd, 0x13, b"a").is_same_as(&one(&odd, 0x0c, b"a")));
        assert!(!one(&CN, 0x0c, b"\xff").is_same_as(&one(&CN, 0x14, b"\xff")));
        assert!(!one(&CN, 0x03, b"a").is_same_as(&one(&CN, 0x04, b"a")));
    }

    #[test]
    fn a_message_with_two_names_never_says_the_same_twice() {
        let (old, new) = (one(&CN, 0x13, b"a"), one(&CN, 0x0c, b"a"));
        let (granted, is) = new.beside(&old);
        assert_eq!(
            (granted.as_str(), is.as_str()),
            ("`CN=a` with CN as UTF8String", "the same with CN as PrintableString")
        );
        for other in [one(&CN, 0x0c, b"b"), new.clone()] {
            let (one, two) = new.beside(&other);
            assert_ne!(one, two);
        }
    }
}
