//! `CRLReason` (RFC 5280 §5.3.1).
use crate::error::{Reason, did_you_mean};
use std::fmt;
use std::str::FromStr;

/// Reason of a revocation. Value 7 is not used.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the RFC's")]
pub enum CrlReason {
    Unspecified,
    KeyCompromise,
    CaCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    CertificateHold,
    RemoveFromCrl,
    PrivilegeWithdrawn,
    AaCompromise,
}

impl CrlReason {
    /// Every reason, with its number and the name that people type.
    pub const ALL: [(Self, u8, &'static str); 10] = [
        (Self::Unspecified, 0, "unspecified"),
        (Self::KeyCompromise, 1, "key-compromise"),
        (Self::CaCompromise, 2, "ca-compromise"),
        (Self::AffiliationChanged, 3, "affiliation-changed"),
        (Self::Superseded, 4, "superseded"),
        (Self::CessationOfOperation, 5, "cessation-of-operation"),
        (Self::CertificateHold, 6, "certificate-hold"),
        (Self::RemoveFromCrl, 8, "remove-from-crl"),
        (Self::PrivilegeWithdrawn, 9, "privilege-withdrawn"),
        (Self::AaCompromise, 10, "aa-compromise"),
    ];

    fn row(self) -> (u8, &'static str) {
        Self::ALL.iter().find(|row| row.0 == self).map_or((0, "unspecified"), |row| (row.1, row.2))
    }

    /// Returns the ENUMERATED value.
    #[must_use]
    pub fn number(self) -> u8 {
        self.row().0
    }

    /// Tells whether the reason says that somebody else has the private key.
    #[must_use]
    pub fn is_of_the_key(self) -> bool {
        matches!(self, Self::KeyCompromise | Self::CaCompromise | Self::AaCompromise)
    }

    /// Returns the reason with this ENUMERATED value.
    #[must_use]
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == number).map(|row| row.0)
    }
}

/// Writes the name that people type, for example `key-compromise`.
impl fmt::Display for CrlReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().1)
    }
}

impl FromStr for CrlReason {
    type Err = Reason;

    /// Reads `key-compromise`, and `keyCompromise` as OpenSSL writes it.
    fn from_str(text: &str) -> Result<Self, Reason> {
        let plain = |name: &str| name.replace('-', "").to_ascii_lowercase();
        Self::ALL
            .iter()
            .find(|row| plain(row.2) == plain(text))
            .map(|row| row.0)
            .ok_or_else(|| {
                let lifts = |row: &&(Self, u8, &'static str)| row.0 == Self::RemoveFromCrl;
                let names: Vec<&str> = Self::ALL.iter().filter(|row| !lifts(row)).map(|row| row.2).collect();
                let meant = did_you_mean(text, &names).map(|question| format!(" ({question})"));
                format!("`{text}` is not a reason; one of {}{}", names.join(", "), meant.unwrap_or_default())
            })
            .map_err(Reason::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_number_and_its_name() {
        for (reason, number, name) in CrlReason::ALL {
            assert_eq!(CrlReason::from_number(number), Some(reason));
            assert_eq!(name.parse(), Ok(reason));
        }
        assert_eq!("keyCompromise".parse(), Ok(CrlReason::KeyCompromise));
        assert_eq!(CrlReason::from_number(7), None);
        let said = "key-comprimise".parse::<CrlReason>().unwrap_err().to_string();
        assert!(said.ends_with("aa-compromise (did you mean `key-compromise`?)"), "{said}");
    }
}
