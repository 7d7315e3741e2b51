//! Names in the form of `X509_NAME_oneline`. The form is ambiguous, since a value may contain `/CN=`. Names read from
//! it are shown and searched, and are never put into a certificate.
use crate::x509::{Attribute, AttributeType, Name};

/// Returns the name, as far as it can be read. Attributes of an unknown type are left out.
pub(super) fn subject(text: &str) -> Name {
    let text = decoded(text);
    let mut attributes: Vec<(AttributeType, String)> = Vec::new();
    for part in text.trim_start_matches('/').split('/') {
        let pair =
            part.split_once('=').and_then(|(kind, value)| Some((AttributeType::by_name(kind)?, value)));
        match (pair, attributes.last_mut()) {
            (Some((kind, value)), _) => attributes.push((kind, value.to_owned())),
            // the slash belonged to the value
            (None, Some((_, value))) => {
                value.push('/');
                value.push_str(part);
            }
            (None, None) => {}
        }
    }
    let attributes: Vec<Attribute> =
        attributes.into_iter().filter_map(|(kind, value)| Attribute::new(kind, &value).ok()).collect();
    Name::from_attributes(&attributes)
}

/// Replaces each `\xHH` by its octet. Octets that are not UTF-8 then are taken as Latin-1.
fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        octets.extend_from_slice(rest.get(..at).unwrap_or_default().as_bytes());
        rest = rest.get(at..).unwrap_or_default();
        let digits = rest.get(2..4).filter(|two| two.chars().all(|digit| digit.is_ascii_hexdigit()));
        let octet = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        let length = match octet {
            Some(octet) => {
                octets.push(octet);
                4
            }
            None => {
                octets.extend_from_slice(b"\\x");
                2
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    octets.extend_from_slice(rest.as_bytes());
    match String::from_utf8(octets) {
        Ok(text) => text,
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_far_as_they_can_be() {
        for (text, read) in [
            (
                "/C=BE/O=Gentoo Fictional, Inc./CN=Amber McStone",
                r"C=BE,O=Gentoo Fictional\, Inc.,CN=Amber McStone",
            ),
            ("/CN=a/emailAddress=a@b.example", "CN=a,emailAddress=a@b.example"),
            ("/CN=http://a.example/b", "CN=http://a.example/b"),
            ("/O=\\xC3\\x9Cber/CN=x", "O=Über,CN=x"),
            ("/O=\\xDCber/CN=x", "O=Über,CN=x"),
            ("/CN=a+UID=b", r"CN=a\+UID=b"),
            ("/1.2.3.4=x/CN=a", "CN=a"),
            ("/CN=\\xZZ", r"CN=\\xZZ"),
            ("", ""),
            ("nonsense", ""),
        ] {
            assert_eq!(subject(text), Name::parse(read).unwrap_or_else(|_| Name::empty()), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_brings_it_down(text: String) {
            let _ = subject(&text);
        }

        /// The index keeps names as text, and reports names that do not read back as damage.
        #[test]
        fn what_is_read_is_read_again_from_its_own_text(text in "(/(CN|O|UID|emailAddress)=[ -~\u{c0}-\u{17f}\t]{0,12}){0,4}") {
            let name = subject(&text);
            let again = Name::parse(&name.to_string()).unwrap_or_else(|_| Name::empty());
            proptest::prop_assert_eq!(again.texts("CN"), name.texts("CN"));
        }
    }
}
