//! What a profile is asked to decide: who wants a certificate, from which CA, with what wishes.
use super::Limits;
use super::alt_name::printable;
use crate::x509::extension::{BASIC_CONSTRAINTS, BasicConstraints, NameConstraints, SUBJECT_ALT_NAME};
use crate::x509::octets::elements_of;
use crate::x509::{
    Certificate, Extension, GeneralName, Name, PreparedName, SubjectPublicKeyInfo, UnixTime, VerifiedCsr,
};
use der::Decode;
use der::asn1::AnyRef;

/// Who a certificate is for, and what their request says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Applicant {
    /// The subject asked for.
    pub subject: Name,
    /// The key to be certified.
    pub public_key: SubjectPublicKeyInfo,
    /// Alternative names asked for: candidates, nothing more.
    pub alt_names: Vec<GeneralName>,
    /// Alternative names asked for that are malformed, each as a sentence's end: `dNSName "é": …`.
    pub malformed_names: Vec<String>,
    /// The other extensions asked for; they are never copied.
    pub extensions: Vec<Extension>,
    /// Whether the request has a challengePassword.
    pub has_challenge_password: bool,
    /// What the key was used for before, as far as it is on record.
    pub prior_uses: Vec<PriorUse>,
    /// Whether the key is on the list of compromised keys.
    pub is_known_compromised: bool,
    /// CAs whose names nobody else may bear.
    pub authorities: Vec<KnownAuthority>,
}

/// A CA whose name is its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownAuthority {
    /// What it is called here.
    pub name: String,
    /// Its subject, as names are compared.
    pub subject: PreparedName,
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub key: [u8; 32],
}

/// An earlier certificate with the same public key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PriorUse {
    /// Its subject.
    pub subject: Name,
    /// The name of the CA whose certificate it is, if it is one's.
    pub authority: Option<String>,
    /// Whether it was revoked because the key was compromised.
    pub compromised: bool,
    /// Whether its subject and the applicant's are on record as one holder's.
    pub is_one_holder: bool,
}

impl Applicant {
    /// One of our own keys: of a CA, a responder, or made together with its certificate.
    #[must_use]
    pub fn new(subject: Name, public_key: SubjectPublicKeyInfo) -> Self {
        Self {
            subject,
            public_key,
            alt_names: Vec::new(),
            malformed_names: Vec::new(),
            extensions: Vec::new(),
            has_challenge_password: false,
            prior_uses: Vec::new(),
            is_known_compromised: false,
            authorities: Vec::new(),
        }
    }

    /// Whether the request wants `cA` TRUE.
    #[must_use]
    pub(crate) fn asks_for_ca(&self) -> bool {
        self.extensions.iter().any(|extension| {
            extension.oid == BASIC_CONSTRAINTS
                && BasicConstraints::from_value(&extension.value).is_ok_and(|constraints| constraints.ca)
        })
    }
}

impl From<&VerifiedCsr> for Applicant {
    fn from(request: &VerifiedCsr) -> Self {
        let mut applicant = Self::new(request.subject().clone(), request.public_key().clone());
        applicant.has_challenge_password = request.has_challenge_password();
        for extension in request.extensions() {
            if extension.oid == SUBJECT_ALT_NAME {
                (applicant.alt_names, applicant.malformed_names) = candidates(&extension.value);
            } else {
                applicant.extensions.push(extension.clone());
            }
        }
        applicant
    }
}

/// Reads each name for itself, so that the one that is malformed can be told.
fn candidates(value: &[u8]) -> (Vec<GeneralName>, Vec<String>) {
    let elements = match elements_of(value) {
        Ok(elements) => elements,
        Err(error) => return (Vec::new(), vec![format!("the whole extension: {error}")]),
    };
    if elements.is_empty() {
        return (Vec::new(), vec!["the whole extension: the list is empty".into()]);
    }
    let (mut names, mut malformed) = (Vec::new(), Vec::new());
    for element in elements {
        match GeneralName::from_der(element) {
            Ok(name) => names.push(name),
            Err(error) => {
                let contents = AnyRef::from_der(element).map(|any| any.value().to_vec()).unwrap_or_default();
                let text = printable(&String::from_utf8_lossy(&contents));
                malformed.push(format!("`{text}`: {}", error.reason));
            }
        }
    }
    (names, malformed)
}

/// The CA that would issue.
#[derive(Clone, Debug)]
pub struct IssuerView<'a> {
    /// Its certificate.
    pub certificate: &'a Certificate,
    /// Those above it, from its issuer up to the root.
    pub ancestors: &'a [Certificate],
    /// The profile it was made under.
    pub profile: &'a str,
    /// Where its CRLs are; empty when they are not published.
    pub crl_urls: Vec<String>,
    /// Where its certificate can be fetched.
    pub ca_issuers_url: Option<String>,
    /// Where a responder answers for it.
    pub ocsp_url: Option<String>,
}

impl IssuerView<'_> {
    /// The issuer and those above it, upwards.
    pub(super) fn chain(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(self.certificate).chain(self.ancestors)
    }

    /// The last second in which the issuer and all above it are valid.
    #[must_use]
    pub fn end(&self) -> UnixTime {
        self.chain().map(|one| one.tbs().validity().not_after).min().unwrap_or_default()
    }
}

/// How long a certificate is to be valid.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Length {
    /// As the profile says, cut to the issuer's end with a notice.
    #[default]
    Default,
    /// This many days of 86,400 seconds, counted from notBefore; refused beyond the issuer's end.
    Days(i64),
    /// Through this second; refused beyond the issuer's end.
    Until(UnixTime),
    /// As long as profile and issuer allow.
    Max,
}

/// What the CA administrator wishes for this certificate.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ask {
    /// Replaces the subject of the request.
    pub subject: Option<Name>,
    /// Replaces the alternative names of the request.
    pub alt_names: Option<Vec<GeneralName>>,
    /// How long.
    pub length: Length,
    /// Name constraints for a CA certificate, besides those of its profile.
    pub name_constraints: NameConstraints,
    /// What else limits a CA certificate, by another of the same name and key.
    pub limits: Option<Limits>,
    /// The end of that other one, which the certificate does not outlive.
    pub until: Option<UnixTime>,
    /// Path length for a CA certificate; `None` leaves it to the profile.
    pub path_length: Option<u8>,
    /// Mail address of whoever answers for the certificate.
    pub contact: Option<String>,
    /// A subject under which the same holder had the key before.
    pub same_holder_as: Option<Name>,
    /// How many seconds notBefore lies before now.
    pub backdate: i64,
    /// A CA's certificate that the new one stands beside, for the same key and the same name: its subject is
    /// repeated octet for octet and its subjectKeyIdentifier is kept, whatever method made it (X3, X6).
    pub of: Option<Certificate>,
}
