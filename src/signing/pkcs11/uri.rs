//! URIs of tokens and of objects in them: `pkcs11:token=Office;object=root` (RFC 7512).
use crate::error::{Code, Problem};
use crate::signing::SecretSpec;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Scheme of the URIs, without the colon.
pub(super) const SCHEME: &str = "pkcs11";

/// Reasons why a text is no URI of a token. The value of an attribute is not repeated, as it may be a PIN.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidTokenUri {
    /// It begins otherwise.
    #[error("it does not begin with pkcs11:")]
    Scheme,
    /// A part is no `attribute=value`.
    #[error("each part is an attribute, `=` and a value")]
    NoValue,
    /// An attribute that this program does not know.
    #[error("`{0}` is no attribute that is known here")]
    Unknown(String),
    /// An attribute is there twice.
    #[error("`{0}` is there twice")]
    Twice(&'static str),
    /// The value of this attribute has a character that is not allowed unless it is percent-encoded, or a wrong
    /// encoding.
    #[error("the value of `{0}` has a character that is to be percent-encoded, or is encoded wrongly")]
    Encoding(&'static str),
    /// The value of this attribute is none of those that it can have.
    #[error("`{0}` has no value that makes sense")]
    Value(&'static str),
    /// `pin-value` shows in process lists.
    #[error("a PIN is never written out: `pin-value` shows in process lists and histories")]
    PinValue,
    /// The value of `pin-source` is no source of passphrases.
    #[error("`pin-source` is file:PATH, env:VAR, fd:N or cred:NAME")]
    PinSource,
    /// It is about another kind of object than a key.
    #[error("`type` is private or public: other objects are no keys")]
    NotAKey,
}

impl From<InvalidTokenUri> for Problem {
    fn from(error: InvalidTokenUri) -> Self {
        let message = format!("not the URI of a token: {error}");
        Self::new(Code::UsageToken, message).hint("for example pkcs11:token=Office;object=root")
    }
}

/// A URI that says which token, and which object in it. What it does not say matches anything.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct TokenUri {
    /// CKA_LABEL of the object.
    pub(super) object: Option<String>,
    /// CKA_ID of the object.
    pub(super) id: Option<Vec<u8>>,
    /// Attributes of the token, its slot and its library, in the order of [`MATCHED`].
    matched: [Option<String>; MATCHED.len()],
    /// Number of the slot.
    pub(super) slot: Option<u64>,
    /// Path of the module.
    pub(super) module: Option<PathBuf>,
    /// Source of the PIN.
    pin: Option<SecretSpec>,
}

/// Attributes whose values are compared as text.
const MATCHED: [&str; 9] = [
    "token",
    "serial",
    "manufacturer",
    "model",
    "slot-manufacturer",
    "slot-description",
    "library-manufacturer",
    "library-description",
    "library-version",
];

/// What a token says of itself, its slot and its library.
pub(super) trait Described {
    /// Returns the value of this attribute; `None` when the module does not tell.
    fn text(&self, attribute: &str) -> Option<String>;
}

impl TokenUri {
    /// Returns the source of the PIN that the URI names.
    #[must_use]
    pub fn pin_source(&self) -> Option<&SecretSpec> {
        self.pin.as_ref()
    }

    /// Returns the path of the module that is to be used.
    #[must_use]
    pub(crate) fn module(&self) -> Option<&Path> {
        self.module.as_deref()
    }

    /// Returns the label of the object.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// Returns the URI as it is put on record for a key of this name: without a source of a PIN, which is the
    /// command's and not the key's.
    #[must_use]
    pub fn for_key(&self, name: &str) -> Self {
        let object = self.object.clone().unwrap_or_else(|| name.to_owned());
        Self { object: Some(object), pin: None, ..self.clone() }
    }

    /// Returns the URI of the token without an object in it.
    #[must_use]
    pub(crate) fn without_object(&self) -> Self {
        Self { object: None, id: None, ..self.clone() }
    }

    /// Returns the URI of the object with this CKA_ID; an empty one says nothing.
    pub(super) fn with_id(self, id: Vec<u8>) -> Self {
        if id.is_empty() { self } else { Self { id: Some(id), ..self } }
    }

    /// Returns whether these are the token, the slot and the library that the URI describes.
    pub(super) fn describes(&self, found: &dyn Described) -> bool {
        let mut wanted =
            MATCHED.iter().zip(&self.matched).filter_map(|(name, value)| Some((name, value.as_ref()?)));
        wanted.all(|(name, value)| found.text(name).as_ref() == Some(value))
    }

    /// Returns whether the URI says anything of the token.
    #[must_use]
    pub fn names_a_token(&self) -> bool {
        self.slot.is_some() || self.matched.iter().any(Option::is_some)
    }

    fn set_path(&mut self, name: &str, value: &str) -> Result<(), InvalidTokenUri> {
        let Some(&known) = MATCHED.iter().find(|known| **known == name) else {
            return self.set_other(name, value);
        };
        let text = text(known, value, PATH)?;
        let at = MATCHED.iter().position(|one| *one == known);
        match at.and_then(|at| self.matched.get_mut(at)) {
            Some(slot) => once(slot, known, text),
            None => Err(InvalidTokenUri::Unknown(name.to_owned())),
        }
    }

    fn set_other(&mut self, name: &str, value: &str) -> Result<(), InvalidTokenUri> {
        match name {
            "object" => once(&mut self.object, "object", text("object", value, PATH)?),
            "id" => once(&mut self.id, "id", octets("id", value, PATH)?),
            "slot-id" => {
                let number = value.parse().map_err(|_| InvalidTokenUri::Value("slot-id"))?;
                once(&mut self.slot, "slot-id", number)
            }
            "type" if ["private", "public"].contains(&value) => Ok(()),
            "type" => Err(InvalidTokenUri::NotAKey),
            other => Err(InvalidTokenUri::Unknown(shortened(other))),
        }
    }

    fn set_query(&mut self, name: &str, value: &str) -> Result<(), InvalidTokenUri> {
        match name {
            "module-path" => {
                let path = text("module-path", value, QUERY)?;
                once(&mut self.module, "module-path", path.into())
            }
            "pin-source" => {
                let said = text("pin-source", value, QUERY).map_err(|_| InvalidTokenUri::PinSource)?;
                once(&mut self.pin, "pin-source", source(&said)?)
            }
            "pin-value" => Err(InvalidTokenUri::PinValue),
            other => Err(InvalidTokenUri::Unknown(shortened(other))),
        }
    }
}

/// Returns the source of a PIN. RFC 7512 has `file:` URIs there, absolute paths and `|commands`; commands are not run.
fn source(text: &str) -> Result<SecretSpec, InvalidTokenUri> {
    let path = text.strip_prefix("file://").unwrap_or(text);
    let spec = if path.starts_with('/') { format!("file:{path}") } else { text.to_owned() };
    match spec.parse() {
        Ok(SecretSpec::Prompt) | Err(_) => Err(InvalidTokenUri::PinSource),
        Ok(spec) => Ok(spec),
    }
}

fn once<T>(slot: &mut Option<T>, name: &'static str, value: T) -> Result<(), InvalidTokenUri> {
    if slot.replace(value).is_some() { Err(InvalidTokenUri::Twice(name)) } else { Ok(()) }
}

/// Returns an unknown attribute as it may be repeated: names are short and plain.
fn shortened(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
    name.chars().filter(plain).take(32).collect()
}

/// Characters of values in the path that stand for themselves, besides letters and digits (`pk11-pchar`).
const PATH: &str = "-._~:[]@!$'()*+,=&";
/// The same of values in the query (`pk11-qchar`).
const QUERY: &str = "-._~:[]@!$'()*+,=/?|";

/// Decodes a value.
fn octets(name: &'static str, value: &str, plain: &str) -> Result<Vec<u8>, InvalidTokenUri> {
    let wrong = || InvalidTokenUri::Encoding(name);
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(octet) = rest.next() {
        out.push(match octet {
            b'%' => {
                let digits = [rest.next().ok_or_else(wrong)?, rest.next().ok_or_else(wrong)?];
                let mut decoded = [0];
                base16ct::mixed::decode(digits, &mut decoded).map_err(|_| wrong())?;
                let [octet] = decoded;
                octet
            }
            octet if octet.is_ascii_alphanumeric() || plain.as_bytes().contains(&octet) => octet,
            _ => return Err(wrong()),
        });
    }
    Ok(out)
}

fn text(name: &'static str, value: &str, plain: &str) -> Result<String, InvalidTokenUri> {
    let text = String::from_utf8(octets(name, value, plain)?).map_err(|_| InvalidTokenUri::Encoding(name))?;
    if text.is_empty() || text.contains('\0') { Err(InvalidTokenUri::Value(name)) } else { Ok(text) }
}

impl FromStr for TokenUri {
    type Err = InvalidTokenUri;

    fn from_str(text: &str) -> Result<Self, InvalidTokenUri> {
        let rest = text.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix(':'));
        let rest = rest.ok_or(InvalidTokenUri::Scheme)?;
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let mut uri = Self::default();
        for part in path.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(InvalidTokenUri::NoValue)?;
            uri.set_path(name, value)?;
        }
        for part in query.unwrap_or_default().split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(InvalidTokenUri::NoValue)?;
            uri.set_query(name, value)?;
        }
        Ok(uri)
    }
}

fn put(out: &mut Vec<String>, name: &str, value: &[u8], plain: &str) {
    let mut text = format!("{name}=");
    for octet in value {
        if octet.is_ascii_alphanumeric() || plain.as_bytes().contains(octet) {
            text.push(char::from(*octet));
        } else {
            text.push_str(&format!("%{octet:02X}"));
        }
    }
    out.push(text);
}

/// Writes the URI, with its attributes in one order.
impl fmt::Display for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = Vec::new();
        for (name, value) in MATCHED.iter().zip(&self.matched) {
            if let Some(value) = value {
                put(&mut path, name, value.as_bytes(), PATH);
            }
        }
        path.extend(self.slot.map(|slot| format!("slot-id={slot}")));
        if let Some(object) = &self.object {
            put(&mut path, "object", object.as_bytes(), PATH);
        }
        if let Some(id) = &self.id {
            // all of it encoded, as it is binary
            put(&mut path, "id", id, "");
        }
        let mut query = Vec::new();
        if let Some(module) = &self.module {
            put(&mut query, "module-path", module.as_os_str().as_encoded_bytes(), QUERY);
        }
        if let Some(pin) = &self.pin {
            put(&mut query, "pin-source", pin.to_string().as_bytes(), QUERY);
        }
        write!(f, "{SCHEME}:{}", path.join(";"))?;
        if query.is_empty() { Ok(()) } else { write!(f, "?{}", query.join("&")) }
    }
}

/// Writes the URI.
impl fmt::Debug for TokenUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenUri({self})")
    }
}

#[cfg(test)]
#[path = "uri_tests.rs"]
mod tests;
