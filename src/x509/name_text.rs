//! Text form of names, as people type and read them (RFC 4514, but in the order of the octets).
use super::attribute::AttributeType;
use super::name::{Attribute, Name, NameError};
use std::fmt;

impl Name {
    /// Reads `C=BE,O=Example,CN=name` or `/C=BE/O=Example/CN=name`, in the order written. A backslash takes the next
    /// character literally, so `O=Gentoo Fictional\, Inc.` is one attribute. In the first form, `CN=a+UID=b` is one
    /// RDN of two attributes.
    ///
    /// # Errors
    /// When a part is not `TYPE=value`, the type is unknown, or the type does not allow the value.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (rest, separator) = match text.strip_prefix('/') {
            Some(rest) => (rest, '/'),
            None => (text, ','),
        };
        let mut rdns = Vec::new();
        for part in split_unescaped(rest, separator) {
            let pairs = if separator == ',' { split_unescaped(&part, '+') } else { vec![part] };
            if pairs.is_empty() {
                return Err(NameError::Syntax("+".into()));
            }
            rdns.push(pairs.iter().map(|pair| parse_pair(pair)).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(Self::from_rdns(&rdns))
    }
}

fn parse_pair(pair: &str) -> Result<Attribute, NameError> {
    let (kind, value) = pair.split_once('=').ok_or_else(|| NameError::Syntax(pair.to_owned()))?;
    let kind = kind.trim();
    let known = AttributeType::by_name(kind).ok_or_else(|| NameError::UnknownType(kind.to_owned()))?;
    Attribute::new(known, &unescape(trim_unescaped(value)))
}

fn split_unescaped(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if character == separator && !escaped {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(character);
        }
        escaped = character == '\\' && !escaped;
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// Removes the spaces around the text. An escaped space at the end belongs to the value and stays.
fn trim_unescaped(text: &str) -> &str {
    let trimmed = text.trim();
    let backslashes = trimmed.chars().rev().take_while(|character| *character == '\\').count();
    if backslashes.is_multiple_of(2) {
        return trimmed;
    }
    let kept = text.trim_start();
    let escaped = kept.get(trimmed.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    kept.get(..trimmed.len() + escaped).unwrap_or(trimmed)
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        out.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    out
}

/// Escapes a value as in RFC 4514 §2.4, so that [`Name::parse`] reads it back.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let inner = text.trim_start().len();
    let end = text.trim_end().len();
    for (at, character) in text.char_indices() {
        let is_outer = at < text.len() - inner || at >= end;
        match character {
            '#' if at == 0 => out.push_str("\\#"),
            space if is_outer && !space.is_control() => {
                out.push('\\');
                out.push(space);
            }
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => {
                out.push('\\');
                out.push(character);
            }
            control if control.is_control() => out.extend(control.escape_default()),
            other => out.push(other),
        }
    }
    out
}

/// Writes `C=BE, O=Gentoo Fictional\, Inc., CN=GenFic Root CA`, in the order of the octets, with `+` within an RDN.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rdns: Vec<String> = self
            .rdns()
            .iter()
            .map(|rdn| {
                let parts: Vec<String> = rdn
                    .iter()
                    .map(|attribute| {
                        let value = attribute.text().map_or_else(
                            || format!("#{:x}", base16ct::HexDisplay(attribute.value.as_der())),
                            |text| escape(&text),
                        );
                        format!("{}={value}", attribute.label())
                    })
                    .collect();
                parts.join("+")
            })
            .collect();
        f.write_str(&rdns.join(", "))
    }
}
