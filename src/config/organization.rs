//! `[organization]`: default attributes of subjects.
use crate::document::Section;
use crate::x509::{Attribute, AttributeType, Name, NameError};

/// The attributes that precede the common name when no subject is given.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Organization {
    /// `C`, two letters.
    pub country: Option<String>,
    /// `ST`
    pub state: Option<String>,
    /// `L`
    pub locality: Option<String>,
    /// `O`
    pub organization: Option<String>,
    /// `OU`
    pub unit: Option<String>,
}

impl Organization {
    pub(super) fn read(section: &mut Section) -> Self {
        let mut value = |key: &str, kind: &str| {
            section.get_as(key, |text: String| {
                match AttributeType::by_name(kind).and_then(|kind| kind.refuses(&text)) {
                    Some(reason) => Err(format!("`{text}` {reason}")),
                    None => Ok(text),
                }
            })
        };
        Self {
            country: value("country", "C"),
            state: value("state", "ST"),
            locality: value("locality", "L"),
            organization: value("organization", "O"),
            unit: value("unit", "OU"),
        }
    }

    /// Returns a subject with these attributes and a common name.
    ///
    /// # Errors
    /// When the common name is too long or contains characters that are not allowed.
    pub fn subject(&self, common_name: &str) -> Result<Name, NameError> {
        let common_name = Some(common_name.to_owned());
        let rows = [
            ("C", &self.country),
            ("ST", &self.state),
            ("L", &self.locality),
            ("O", &self.organization),
            ("OU", &self.unit),
            ("CN", &common_name),
        ];
        let mut attributes = Vec::new();
        for (kind, value) in rows {
            if let (Some(kind), Some(value)) = (AttributeType::by_name(kind), value) {
                attributes.push(Attribute::new(kind, value)?);
            }
        }
        Ok(Name::from_attributes(&attributes))
    }
}
