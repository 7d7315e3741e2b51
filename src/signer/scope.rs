//! What a key is unlocked for.
use std::fmt;
use std::str::FromStr;

/// A kind of signature that a key can be unlocked for. Each is counted apart.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Scope {
    /// Certificates of end entities, apart from those of OCSP responders.
    Leaf,
    /// Certificates with CA:TRUE or the extended key usage id-kp-OCSPSigning, and requests for the key itself.
    Ca,
    /// Certificate revocation lists.
    Crl,
    /// Moving of the key into the signer, or out of it: no signature.
    Move,
    /// Lending of the encrypted key to the administrator who unlocked it, and taking it back protected anew: no signature.
    Custody,
    /// Certificates of responders that renew themselves ([`crate::signer::Enrolment`]). A key is not unlocked for these:
    /// timers may have them, and whoever may have certificates of responders or CRLs.
    Renewal,
}

impl Scope {
    /// Every scope for which a key is unlocked, with its name in options and messages.
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Leaf, "leaf"),
        (Self::Ca, "ca"),
        (Self::Crl, "crl"),
        (Self::Move, "move"),
        (Self::Custody, "custody"),
    ];

    /// Returns the name, as options and messages have it.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(scope, _)| *scope == self).map_or("", |(_, name)| name)
    }
}

/// Says what is signed, in words.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leaf => "certificates of end entities",
            Self::Ca => "certificates of CAs and responders",
            Self::Crl => "CRLs",
            Self::Move => "moving the key",
            Self::Custody => "custody of the key",
            Self::Renewal => "certificates of responders that renew themselves",
        })
    }
}

/// The text is no name of a scope.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a key is unlocked for leaf, ca, crl, move or custody")]
pub(crate) struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let named = Self::NAMES.iter().find(|(_, name)| *name == text);
        named.map(|(scope, _)| *scope).ok_or(UnknownScope)
    }
}
