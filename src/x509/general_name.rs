//! `GeneralName` (RFC 5280 §4.2.1.6; RFC 9598 for mailboxes with non-ASCII local parts).
use super::name::Name;
use super::octets::tlv;
use super::other_name::other_name_text;
use super::{MalformedDer, octets};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Reader, SliceReader};
use std::fmt;
use std::net::IpAddr;

/// `id-on-SmtpUTF8Mailbox` (RFC 9598 §3).
pub(crate) const SMTP_UTF8_MAILBOX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.9");

/// A name in a subjectAltName, a distribution point or an access description.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum GeneralName {
    /// `dNSName`, in A-labels.
    Dns(String),
    /// `iPAddress` of 4 or 16 octets.
    Ip(IpAddr),
    /// `rfc822Name`, ASCII.
    Email(String),
    /// `otherName` of type SmtpUTF8Mailbox.
    SmtpUtf8Mailbox(String),
    /// `uniformResourceIdentifier`, ASCII.
    Uri(String),
    /// `directoryName`.
    Directory(Name),
    /// Any other form, as one whole DER element.
    Other(Vec<u8>),
}

impl GeneralName {
    /// Encodes the name as one DER element with its context tag.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        match self {
            Self::Email(text) => tlv(0x81, text.as_bytes()),
            Self::Dns(text) => tlv(0x82, text.as_bytes()),
            Self::Directory(name) => tlv(0xa4, name.as_der()),
            Self::Uri(text) => tlv(0x86, text.as_bytes()),
            Self::Ip(IpAddr::V4(address)) => tlv(0x87, &address.octets()),
            Self::Ip(IpAddr::V6(address)) => tlv(0x87, &address.octets()),
            Self::SmtpUtf8Mailbox(text) => {
                let oid = SMTP_UTF8_MAILBOX.to_der().unwrap_or_default();
                tlv(0xa0, &[oid, tlv(0xa0, &tlv(0x0c, text.as_bytes()))].concat())
            }
            Self::Other(octets) => octets.clone(),
        }
    }

    /// Reads one DER element with its context tag.
    ///
    /// # Errors
    /// When the contents do not match the tag.
    pub fn from_der(element: &[u8]) -> Result<Self, MalformedDer> {
        let malformed = |reason: &str| MalformedDer::new("GeneralName", reason);
        let (tag, contents) = split(element).map_err(|error| error.reading("GeneralName"))?;
        let text = || match std::str::from_utf8(contents) {
            Ok(text) if text.is_ascii() => Ok(text.to_owned()),
            _ => Err(malformed("not an IA5String")),
        };
        Ok(match tag {
            0x81 => Self::Email(text()?),
            0x82 => Self::Dns(text()?),
            0x86 => Self::Uri(text()?),
            0xa4 => Self::Directory(Name::from_der(contents)?),
            0x87 => Self::Ip(
                <[u8; 4]>::try_from(contents)
                    .map(IpAddr::from)
                    .or_else(|_| <[u8; 16]>::try_from(contents).map(IpAddr::from))
                    .map_err(|_| malformed("an IP address has 4 or 16 octets"))?,
            ),
            0xa0 => smtp_utf8(contents).map_or_else(|| Self::Other(element.to_vec()), Self::SmtpUtf8Mailbox),
            0xa3 | 0xa5 | 0x88 => Self::Other(element.to_vec()),
            _ => return Err(malformed("not a known form")),
        })
    }

    /// Reads `GeneralNames`, one whole `SEQUENCE OF GeneralName`.
    ///
    /// # Errors
    /// When an element is malformed or octets follow the sequence.
    pub(crate) fn list_from_der(octets: &[u8]) -> Result<Vec<Self>, MalformedDer> {
        octets::elements_of(octets)?.into_iter().map(Self::from_der).collect()
    }

    /// Encodes `GeneralNames`, DER.
    #[must_use]
    pub(crate) fn list_to_der(names: &[Self]) -> Vec<u8> {
        let elements: Vec<Vec<u8>> = names.iter().map(Self::to_der).collect();
        tlv(octets::SEQUENCE, &elements.concat())
    }

    /// Returns the word before the colon in the text form: `DNS`, `IP`, `email`, `URI`, `dirName`, `other`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "DNS",
            Self::Ip(_) => "IP",
            Self::Email(_) | Self::SmtpUtf8Mailbox(_) => "email",
            Self::Uri(_) => "URI",
            Self::Directory(_) => "dirName",
            Self::Other(_) => "other",
        }
    }

    /// Returns the part after the colon in the text form.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Dns(text) | Self::Email(text) | Self::SmtpUtf8Mailbox(text) | Self::Uri(text) => {
                text.clone()
            }
            Self::Ip(address) => address.to_string(),
            Self::Directory(name) => name.to_string(),
            Self::Other(octets) => base16ct::lower::encode_string(octets),
        }
    }
}

/// Returns the tag octet and the contents of exactly one element with a one-octet tag.
pub(crate) fn split(element: &[u8]) -> Result<(u8, &[u8]), MalformedDer> {
    let tag = *element.first().ok_or_else(|| MalformedDer::new("element", "is empty"))?;
    let any = AnyRef::from_der(element)?;
    Ok((tag, any.value()))
}

fn smtp_utf8(contents: &[u8]) -> Option<String> {
    let mut reader = SliceReader::new(contents).ok()?;
    let oid = ObjectIdentifier::decode(&mut reader).ok()?;
    let explicit = reader.tlv_bytes().ok()?;
    reader.finish().ok()?;
    let (tag, inner) = split(explicit).ok()?;
    let (inner_tag, text) = split(inner).ok()?;
    (oid == SMTP_UTF8_MAILBOX && tag == 0xa0 && inner_tag == 0x0c)
        .then(|| String::from_utf8(text.to_vec()).ok())
        .flatten()
}

/// Writes `DNS:a.example`, `IP:192.0.2.1`, `email:a@b.example`, `URI:http://…`, and the otherNames that are known as
/// text: `other:UPN:a@b.example`, `other:KRB5:krbtgt/A@A`.
impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Other(octets) = self
            && let Some((word, text)) = other_name_text(octets)
        {
            return write!(f, "{}:{word}:{text}", self.kind());
        }
        write!(f, "{}:{}", self.kind(), self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_survives_a_round_trip() {
        // X7
        let names = vec![
            GeneralName::Dns("a.example".into()),
            GeneralName::Ip("192.0.2.1".parse().unwrap()),
            GeneralName::Ip("2001:db8::1".parse().unwrap()),
            GeneralName::Email("a@b.example".into()),
            GeneralName::SmtpUtf8Mailbox("é@b.example".into()),
            GeneralName::Uri("http://a.example/x".into()),
            GeneralName::Directory(Name::parse("CN=a").unwrap()),
        ];
        assert_eq!(GeneralName::list_from_der(&GeneralName::list_to_der(&names)).unwrap(), names);
    }

    #[test]
    fn an_address_of_odd_length_and_text_beyond_ascii_are_malformed() {
        assert!(GeneralName::from_der(&[0x87, 3, 1, 2, 3]).is_err());
        assert!(GeneralName::from_der(&[0x82, 2, 0xc3, 0xa9]).is_err());
        assert!(GeneralName::from_der(&[]).is_err());
    }
}
