//! `subjectAltName` (RFC 5280 §4.2.1.6).
use super::{Extension, SUBJECT_ALT_NAME};
use crate::x509::{GeneralName, Name};

/// Returns `subjectAltName` with these names. The extension is critical only when the subject is empty.
#[must_use]
pub(crate) fn subject_alt_name(names: &[GeneralName], subject: &Name) -> Extension {
    Extension::new(SUBJECT_ALT_NAME, subject.is_empty(), GeneralName::list_to_der(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_critical_only_when_the_subject_is_empty() {
        // X7
        let names = [GeneralName::Dns("a.example".into())];
        assert!(subject_alt_name(&names, &Name::empty()).critical);
        assert!(!subject_alt_name(&names, &Name::parse("CN=a").unwrap()).critical);
    }
}
