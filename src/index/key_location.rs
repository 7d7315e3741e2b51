//! Where the key of a CA is, as its URI on record says.
use super::Authority;
use std::fmt;

/// Where the key of a CA is, as its URI says. This alone takes such URIs apart and makes them; each variant has what it
/// names there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyLocation<'a> {
    /// `age:NAME.age`: in a file of the directory of keys, that of the home or of the signer that is asked.
    File(&'a str),
    /// `offline:NAME.age`: in a file on media outside of this home.
    Media(&'a str),
    /// `pkcs11:...`: in a token, the URI of RFC 7512.
    Token(&'a str),
    /// `signer:NAME.age`: in a file that the signer which listens has.
    FileOfService(&'a str),
    /// `signer:pkcs11:...`: in a token that the signer which listens reaches, the URI of RFC 7512.
    TokenOfService(&'a str),
    /// In no place that is known.
    Unknown,
}

/// Scheme of keys in files.
const FILE: &str = "age";
/// Scheme of keys on media.
const MEDIA: &str = "offline";
/// Scheme of keys in tokens.
const TOKEN: &str = "pkcs11";
/// Scheme of keys that the signer which listens has.
const SERVICE: &str = "signer";

impl<'a> KeyLocation<'a> {
    /// Returns the location that a URI names.
    #[must_use]
    pub fn of(uri: &'a str) -> Self {
        match uri.split_once(':') {
            Some((FILE, name)) => Self::File(name),
            Some((MEDIA, name)) => Self::Media(name),
            Some((TOKEN, _)) => Self::Token(uri),
            Some((SERVICE, inner)) => match inner.split_once(':') {
                Some((TOKEN, _)) => Self::TokenOfService(inner),
                _ => Self::FileOfService(inner),
            },
            _ => Self::Unknown,
        }
    }

    /// Returns whether the signer that listens has the key.
    #[must_use]
    pub fn is_in_service(self) -> bool {
        matches!(self, Self::FileOfService(_) | Self::TokenOfService(_))
    }

    /// Returns the URI of RFC 7512 of a key in a token, whoever reaches the token.
    #[must_use]
    pub fn token(self) -> Option<&'a str> {
        match self {
            Self::Token(uri) | Self::TokenOfService(uri) => Some(uri),
            _ => None,
        }
    }

    /// Returns the name of the file of a key in a file, wherever the file is.
    #[must_use]
    pub fn file(self) -> Option<&'a str> {
        match self {
            Self::File(name) | Self::Media(name) | Self::FileOfService(name) => Some(name),
            _ => None,
        }
    }

    /// Returns the location as the signer that listens knows it, for a key that it has.
    #[must_use]
    pub(crate) fn within_service(self) -> Option<Self> {
        match self {
            Self::FileOfService(name) => Some(Self::File(name)),
            Self::TokenOfService(uri) => Some(Self::Token(uri)),
            _ => None,
        }
    }
}

/// Writes the URI.
impl fmt::Display for KeyLocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) => write!(f, "{FILE}:{name}"),
            Self::Media(name) => write!(f, "{MEDIA}:{name}"),
            Self::Token(uri) => f.write_str(uri),
            Self::FileOfService(inner) | Self::TokenOfService(inner) => write!(f, "{SERVICE}:{inner}"),
            Self::Unknown => Ok(()),
        }
    }
}

impl Authority {
    /// Returns where the CA's key is.
    #[must_use]
    pub fn key_location(&self) -> KeyLocation<'_> {
        KeyLocation::of(&self.key)
    }

    /// Returns whether the CA's key was moved to media outside of this home.
    #[must_use]
    pub fn has_key_on_media(&self) -> bool {
        matches!(self.key_location(), KeyLocation::Media(_))
    }

    /// Returns whether the signer that listens has the CA's key.
    #[must_use]
    pub fn has_key_in_service(&self) -> bool {
        self.key_location().is_in_service()
    }

    /// Returns the location of the key without the scheme of the key store, for display.
    #[must_use]
    pub fn key_name(&self) -> &str {
        self.key.split_once(':').map_or(&*self.key, |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_uri_names_one_location_and_is_written_as_it_was() {
        let token = "pkcs11:token=Office;object=genfic";
        let of_service = format!("signer:{token}");
        for (uri, location) in [
            ("age:genfic-g2.age", KeyLocation::File("genfic-g2.age")),
            ("offline:genfic.age", KeyLocation::Media("genfic.age")),
            (token, KeyLocation::Token(token)),
            ("signer:genfic.age", KeyLocation::FileOfService("genfic.age")),
            (&of_service, KeyLocation::TokenOfService(token)),
        ] {
            assert_eq!((KeyLocation::of(uri), location.to_string()), (location, uri.to_owned()));
            let in_service = uri.starts_with("signer");
            assert_eq!(
                (location.is_in_service(), location.within_service().is_some()),
                (in_service, in_service)
            );
            assert_eq!(
                (location.token().is_some(), location.file().is_some()),
                (uri.contains("token"), uri.contains(".age"))
            );
        }
        for other in ["", "genfic.age", "agent:a.age", "pkcs8:age:a"] {
            assert_eq!(KeyLocation::of(other), KeyLocation::Unknown, "{other}");
        }
    }
}
