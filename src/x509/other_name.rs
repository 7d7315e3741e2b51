//! `otherName` (RFC 5280 §4.2.1.6) as text, for the types that people meet.
use super::general_name::split;
use super::octets::elements_of;
use der::asn1::ObjectIdentifier;
use der::{Decode, Reader, SliceReader};

const UTF8_STRING: u8 = 0x0c;
const IA5_STRING: u8 = 0x16;
const GENERAL_STRING: u8 = 0x1b;
const OCTET_STRING: u8 = 0x04;

/// Reads the value of one type, without its explicit tag.
type ReadValue = fn(&[u8]) -> Option<String>;

/// Types with the word for each before the colon.
const TYPES: [(ObjectIdentifier, &str, ReadValue); 5] = [
    // userPrincipalName and objectGUID of Active Directory
    (ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.20.2.3"), "UPN", utf8_string),
    (ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.25.1"), "GUID", guid),
    // KRB5PrincipalName (RFC 4556 §3.2.2)
    (ObjectIdentifier::new_unwrap("1.3.6.1.5.2.2"), "KRB5", principal),
    // id-on-dnsSRV (RFC 4985), id-on-xmppAddr (RFC 6120 §13.7.1.4)
    (ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.7"), "SRV", ia5_string),
    (ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.5"), "XMPP", utf8_string),
];

/// Returns the word for the type and the value as text; `None` for other types and for malformed values.
#[must_use]
pub(super) fn other_name_text(element: &[u8]) -> Option<(&'static str, String)> {
    let (0xa0, contents) = split(element).ok()? else { return None };
    let mut reader = SliceReader::new(contents).ok()?;
    let oid = ObjectIdentifier::decode(&mut reader).ok()?;
    let explicit = reader.tlv_bytes().ok()?;
    reader.finish().ok()?;
    let (_, word, read) = TYPES.iter().find(|row| row.0 == oid)?;
    let (0xa0, value) = split(explicit).ok()? else { return None };
    Some((word, read(value)?))
}

fn string(element: &[u8], tag: u8) -> Option<String> {
    let (found, octets) = split(element).ok()?;
    if found != tag || tag != UTF8_STRING && !octets.is_ascii() {
        return None;
    }
    String::from_utf8(octets.to_vec()).ok()
}

fn utf8_string(element: &[u8]) -> Option<String> {
    string(element, UTF8_STRING)
}

fn ia5_string(element: &[u8]) -> Option<String> {
    string(element, IA5_STRING)
}

/// Returns a GUID as Active Directory writes it: its first three groups are in the other order of octets.
fn guid(element: &[u8]) -> Option<String> {
    let (OCTET_STRING, octets) = split(element).ok()? else { return None };
    let [a, b, c, d, e, f, g, h, rest @ ..] = <[u8; 16]>::try_from(octets).ok()?;
    let (first, rest) = rest.split_at(2);
    let hex = |octets: &[u8]| base16ct::lower::encode_string(octets);
    let groups = [hex(&[d, c, b, a]), hex(&[f, e]), hex(&[h, g]), hex(first), hex(rest)];
    Some(groups.join("-"))
}

/// Returns `component/component@REALM`, the separators within them escaped as Kerberos does.
fn principal(element: &[u8]) -> Option<String> {
    let fields = elements_of(element).ok()?;
    let [realm, name] = fields.as_slice() else { return None };
    let explicit = |element: &[u8], number: u8| -> Option<Vec<u8>> {
        let (tag, contents) = split(element).ok()?;
        (tag == 0xa0 | number).then(|| contents.to_vec())
    };
    let realm = escaped(&string(&explicit(realm, 0)?, GENERAL_STRING)?);
    let name = explicit(name, 1)?;
    let fields = elements_of(&name).ok()?;
    let [_type, components] = fields.as_slice() else { return None };
    let components = explicit(components, 1)?;
    let components: Option<Vec<String>> = elements_of(&components)
        .ok()?
        .into_iter()
        .map(|one| Some(escaped(&string(one, GENERAL_STRING)?)))
        .collect();
    Some(format!("{}@{realm}", components?.join("/")))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '/' | '@' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::GeneralName;
    use crate::x509::octets::{SEQUENCE, tlv};
    use der::Encode;

    fn other(oid: &str, value: &[u8]) -> Vec<u8> {
        let oid = ObjectIdentifier::new_unwrap(oid).to_der().unwrap();
        tlv(0xa0, &[oid, tlv(0xa0, value)].concat())
    }

    fn principal_of(components: &[&str]) -> Vec<u8> {
        let strings: Vec<u8> =
            components.iter().flat_map(|one| tlv(GENERAL_STRING, one.as_bytes())).collect();
        let name = [tlv(0xa0, &[2, 1, 1]), tlv(0xa1, &tlv(SEQUENCE, &strings))].concat();
        let realm = tlv(0xa0, &tlv(GENERAL_STRING, b"GENFIC.EXAMPLE"));
        tlv(SEQUENCE, &[realm, tlv(0xa1, &tlv(SEQUENCE, &name))].concat())
    }

    #[test]
    fn names_of_active_directory_kerberos_and_services_are_shown_as_text() {
        // X7
        let number: Vec<u8> = (0..16).collect();
        for (oid, value, text) in [
            (
                "1.3.6.1.4.1.311.20.2.3",
                tlv(UTF8_STRING, "ambér@genfic.example".as_bytes()),
                "UPN:ambér@genfic.example",
            ),
            ("1.3.6.1.4.1.311.25.1", tlv(OCTET_STRING, &number), "GUID:03020100-0504-0706-0809-0a0b0c0d0e0f"),
            (
                "1.3.6.1.5.2.2",
                principal_of(&["krbtgt", "GENFIC.EXAMPLE"]),
                "KRB5:krbtgt/GENFIC.EXAMPLE@GENFIC.EXAMPLE",
            ),
            ("1.3.6.1.5.2.2", principal_of(&["a/b@c"]), "KRB5:a\\/b\\@c@GENFIC.EXAMPLE"),
            ("1.3.6.1.5.5.7.8.7", tlv(IA5_STRING, b"_ldap.genfic.example"), "SRV:_ldap.genfic.example"),
            ("1.3.6.1.5.5.7.8.5", tlv(UTF8_STRING, b"a@b.example"), "XMPP:a@b.example"),
        ] {
            let name = GeneralName::from_der(&other(oid, &value)).unwrap();
            assert_eq!(name.to_string(), format!("other:{text}"));
            assert_eq!(name.to_der(), other(oid, &value), "the octets are kept");
        }
    }

    #[test]
    fn other_types_and_malformed_values_are_shown_in_hexadecimal() {
        let text = tlv(UTF8_STRING, b"a");
        for element in [
            other("1.2.3.4", &text),
            other("1.3.6.1.5.2.2", &text),
            other("1.3.6.1.4.1.311.20.2.3", &tlv(UTF8_STRING, b"\xff")),
            other("1.3.6.1.4.1.311.20.2.3", &[]),
            other("1.3.6.1.4.1.311.25.1", &tlv(OCTET_STRING, &[1; 15])),
            other("1.3.6.1.5.5.7.8.7", &tlv(IA5_STRING, "é".as_bytes())),
            tlv(0xa0, &[]),
            tlv(0xa3, &[5, 0]),
        ] {
            let name = GeneralName::from_der(&element).unwrap();
            assert!(name.to_string().starts_with("other:a"), "{name}");
        }
    }
}
