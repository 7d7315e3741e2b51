//! `Name` (RFC 5280 §4.1.2.4), kept as the octets in which it was received.
use super::MalformedDer;
use super::attribute::{AttributeType, StringKind};
use super::attribute_value::AttributeValue;
use super::octets::{SEQUENCE, SET, sequence, tlv};
use der::asn1::ObjectIdentifier;
use der::{Decode, Encode, Reader, SliceReader, Tag, Tagged};

/// `AttributeTypeAndValue`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attribute {
    /// `type`
    pub oid: ObjectIdentifier,
    /// `value`, with the string type in which it was received.
    pub value: AttributeValue,
}

/// A distinguished name: an RDNSequence in DER.
///
/// `==` compares the octets, which suits a field that must repeat another. [`Name::is_same_as`] and
/// [`Name::prepared`] compare two names by their values.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Name(Vec<u8>);

/// Reason why a text is not a name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// A part is not `TYPE=value`.
    #[error(
        "`{0}` is not TYPE=value; write a subject as C=BE,O=Example,CN=name, with \\, and \\+ for the signs themselves"
    )]
    Syntax(String),
    /// The type is neither known nor an object identifier.
    #[error(
        "`{0}` is not an attribute type; one of C, ST, L, O, OU, CN, DC, emailAddress, serialNumber, UID or an OID"
    )]
    UnknownType(String),
    /// The attribute type does not allow the value.
    #[error("{attribute} `{value}` {reason}")]
    Value {
        /// Attribute type.
        attribute: String,
        /// Value.
        value: String,
        /// Rule that the value breaks.
        reason: String,
    },
}

impl Attribute {
    /// Returns an attribute of a known type, in the string type that RFC 5280 requires.
    ///
    /// # Errors
    /// When the value is longer than the type allows or has characters that it does not allow.
    pub fn new(kind: AttributeType, value: &str) -> Result<Self, NameError> {
        let refused =
            |reason: String| NameError::Value { attribute: kind.short.into(), value: value.into(), reason };
        if let Some(reason) = kind.refuses(value) {
            return Err(refused(reason));
        }
        let tag = match kind.kind {
            StringKind::Utf8 => AttributeValue::UTF8_STRING,
            StringKind::Printable => AttributeValue::PRINTABLE_STRING,
            StringKind::Ia5 => AttributeValue::IA5_STRING,
        };
        Ok(Self { oid: kind.oid, value: AttributeValue::new(tag, value.as_bytes()) })
    }

    /// Returns the attribute type, when it is known by name.
    #[must_use]
    pub fn kind(&self) -> Option<AttributeType> {
        AttributeType::by_oid(self.oid)
    }

    /// Returns the short name of the type, or its object identifier in dots.
    #[must_use]
    pub fn label(&self) -> String {
        self.kind().map_or_else(|| self.oid.to_string(), |kind| kind.short.to_owned())
    }

    /// Returns the value as text, for every string type; `None` when the value is not a string or is malformed.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.value.text()
    }

    fn to_der(&self) -> Vec<u8> {
        let oid = self.oid.to_der().unwrap_or_default();
        sequence(&[&oid, self.value.as_der()])
    }
}

impl Name {
    /// Returns the name without attributes.
    #[must_use]
    pub fn empty() -> Self {
        Self(vec![SEQUENCE, 0])
    }

    /// Returns a name with one attribute in each RDN, in this order.
    #[must_use]
    pub fn from_attributes(attributes: &[Attribute]) -> Self {
        let rdns: Vec<Vec<u8>> = attributes.iter().map(|attribute| tlv(SET, &attribute.to_der())).collect();
        Self(tlv(SEQUENCE, &rdns.concat()))
    }

    /// Returns a name with these RDNs in this order. The attributes within an RDN are sorted as DER requires.
    #[must_use]
    pub(crate) fn from_rdns(rdns: &[Vec<Attribute>]) -> Self {
        let sets: Vec<Vec<u8>> = rdns
            .iter()
            .map(|rdn| {
                let mut elements: Vec<Vec<u8>> = rdn.iter().map(Attribute::to_der).collect();
                elements.sort();
                tlv(SET, &elements.concat())
            })
            .collect();
        Self(tlv(SEQUENCE, &sets.concat()))
    }

    /// Reads an RDNSequence and keeps its octets.
    ///
    /// # Errors
    /// When the octets are not exactly one RDNSequence with non-empty RDNs.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let name = Self(octets.to_vec());
        name.read().map_err(|error| MalformedDer::from(error).reading("Name"))?;
        Ok(name)
    }

    /// Returns the DER octets.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    /// Tells whether the name has no attributes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [SEQUENCE, 0]
    }

    fn read(&self) -> der::Result<Vec<Vec<Attribute>>> {
        let mut reader = SliceReader::new(&self.0)?;
        let rdns = reader.sequence(|rdns| {
            let mut out = Vec::new();
            while !rdns.is_finished() {
                let set = der::asn1::AnyRef::decode(rdns)?;
                set.tag().assert_eq(Tag::Set)?;
                out.push(read_rdn(set.value())?);
            }
            Ok::<_, der::Error>(out)
        })?;
        reader.finish()?;
        Ok(rdns)
    }

    /// Returns the relative distinguished names in order, each with its attributes in order.
    #[must_use]
    pub fn rdns(&self) -> Vec<Vec<Attribute>> {
        self.read().unwrap_or_default()
    }

    /// Returns the label of an attribute type that occurs twice in one RDN, which X.501 §9.3 forbids.
    #[must_use]
    pub(crate) fn repeated_within_an_rdn(&self) -> Option<String> {
        self.rdns().iter().find_map(|rdn| {
            let twice = |one: &&Attribute| rdn.iter().filter(|other| other.oid == one.oid).count() > 1;
            rdn.iter().find(twice).map(Attribute::label)
        })
    }

    /// Returns all attributes in order, without the division into RDNs.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute> {
        self.rdns().into_iter().flatten().collect()
    }

    /// Returns the texts of all attributes of this type in order. The type is given by its short or long name.
    #[must_use]
    pub fn texts(&self, kind: &str) -> Vec<String> {
        let Some(kind) = AttributeType::by_name(kind) else { return Vec::new() };
        self.attributes()
            .into_iter()
            .filter(|attribute| attribute.oid == kind.oid)
            .filter_map(|attribute| attribute.text())
            .collect()
    }

    /// Returns the last commonName, if there is one.
    #[must_use]
    pub fn common_name(&self) -> Option<String> {
        self.texts("CN").pop()
    }
}

fn read_rdn(contents: &[u8]) -> der::Result<Vec<Attribute>> {
    let mut reader = SliceReader::new(contents)?;
    let mut out = Vec::new();
    while !reader.is_finished() {
        out.push(reader.sequence(|pair| {
            Ok::<_, der::Error>(Attribute {
                oid: ObjectIdentifier::decode(pair)?,
                value: AttributeValue::read(pair)?,
            })
        })?);
    }
    if out.is_empty() {
        return Err(Tag::Set.value_error().into());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_octets_whatever_they_are() {
        // X3: two OUs, a multi-valued RDN that is not sorted, and a TeletexString
        let ou = Attribute::new(AttributeType::by_name("OU").unwrap(), "a").unwrap().to_der();
        let dc = Attribute::new(AttributeType::by_name("DC").unwrap(), "b").unwrap().to_der();
        let odd = [0x30, 8, 6, 3, 0x55, 4, 3, 0x14, 1, 0xe9];
        let octets = tlv(
            SEQUENCE,
            &[tlv(SET, &ou), tlv(SET, &ou), tlv(SET, &[ou.clone(), dc].concat()), tlv(SET, &odd)].concat(),
        );
        let name = Name::from_der(&octets).unwrap();
        assert_eq!(name.as_der(), octets);
        assert_eq!(name.to_string(), "OU=a, OU=a, OU=a+DC=b, CN=é");
    }

    #[test]
    fn text_is_read_in_both_styles_with_commas_escaped() {
        let comma = Name::parse(r"C=BE,O=Gentoo Fictional\, Inc.,CN=GenFic Root CA").unwrap();
        let slash = Name::parse("/C=BE/O=Gentoo Fictional, Inc./CN=GenFic Root CA").unwrap();
        assert_eq!(comma, slash);
        assert_eq!(comma.to_string(), r"C=BE, O=Gentoo Fictional\, Inc., CN=GenFic Root CA");
        assert_eq!(Name::parse(&comma.to_string()).unwrap(), comma);
        assert_eq!(comma.common_name().as_deref(), Some("GenFic Root CA"));
    }

    #[test]
    fn spaces_at_the_ends_and_a_leading_number_sign_are_shown_so_that_they_can_be_typed() {
        for (typed, value) in [
            (r"CN=\ a b\ ", " a b "),
            (r"CN=\ \ a\\", "  a\\"),
            (r"CN=\#0c", "#0c"),
            (r"CN=a\ ,O=x", "a "),
            ("CN= a ", "a"),
        ] {
            let name = Name::parse(typed).unwrap();
            assert_eq!(name.common_name().as_deref(), Some(value), "{typed}");
            assert_eq!(Name::parse(&name.to_string()).unwrap(), name, "{name}");
        }
    }

    #[test]
    fn an_attribute_that_one_rdn_has_twice_is_told() {
        // X4
        let told = |text: &str| Name::parse(text).unwrap().repeated_within_an_rdn();
        assert_eq!(told("O=a,OU=x+OU=y").as_deref(), Some("OU"));
        assert_eq!(told("OU=x,OU=y,CN=a+UID=b"), None);
    }

    #[test]
    fn a_plus_sign_joins_attributes_unless_it_is_escaped() {
        // X4
        let joined = Name::parse("O=Example,CN=a+UID=b").unwrap();
        assert_eq!(joined.rdns().iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(Name::parse(&joined.to_string()).unwrap(), joined);
        assert_eq!(Name::parse(r"CN=C\+\+ team").unwrap().common_name().as_deref(), Some("C++ team"));
        assert!(matches!(Name::parse("CN=C++ team"), Err(NameError::Syntax(_))));
        assert_eq!(Name::parse("/CN=C++ team").unwrap().common_name().as_deref(), Some("C++ team"));
    }

    #[test]
    fn country_is_a_printable_string_and_other_text_is_utf8() {
        // X4
        let name = Name::parse("C=BE,O=é,DC=example,emailAddress=a@b.example").unwrap();
        let types: Vec<String> =
            name.attributes().iter().map(|attribute| attribute.value.type_name()).collect();
        assert_eq!(types, ["PrintableString", "UTF8String", "IA5String", "IA5String"]);
    }

    #[test]
    fn what_is_not_a_name_is_refused_with_the_reason() {
        assert!(matches!(Name::parse("nonsense"), Err(NameError::Syntax(_))));
        assert!(matches!(Name::parse("XX=a"), Err(NameError::UnknownType(_))));
        assert!(matches!(Name::parse("C=Belgium"), Err(NameError::Value { .. })));
        assert!(Name::from_der(&[0x30, 2, 0x31, 0]).is_err(), "an empty RDN");
        assert!(Name::from_der(&[0x30, 0, 0]).is_err(), "trailing octets");
    }
}
