//! Input of a profile's decision: who requests a certificate, from which CA, and with which values.
use super::Limits;
use super::alt_name::printable;
use crate::x509::extension::{BASIC_CONSTRAINTS, BasicConstraints, NameConstraints, SUBJECT_ALT_NAME};
use crate::x509::octets::elements_of;
use crate::x509::{
    Certificate, Extension, GeneralName, Name, PreparedName, SubjectPublicKeyInfo, UnixTime, VerifiedCsr,
    sha256,
};
use der::Decode;
use der::asn1::AnyRef;

/// Who a certificate is for, and what the request contains.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Applicant {
    /// Requested subject.
    pub subject: Name,
    /// Key to be certified.
    pub public_key: SubjectPublicKeyInfo,
    /// Requested alternative names. They are candidates only.
    pub alt_names: Vec<GeneralName>,
    /// Requested alternative names that are malformed, each as the end of a sentence: `dNSName "é": …`.
    pub malformed_names: Vec<String>,
    /// Other requested extensions. They are never copied.
    pub extensions: Vec<Extension>,
    /// Whether the request has a challengePassword.
    pub has_challenge_password: bool,
    /// Earlier certificates for the key, as far as they are on record.
    pub prior_uses: Vec<PriorUse>,
    /// Whether the key is on the list of compromised keys.
    pub is_known_compromised: bool,
    /// CAs whose names no other key may have.
    pub authorities: Vec<KnownAuthority>,
    /// SHA-256 of the request in DER, if there is one.
    pub request: Option<[u8; 32]>,
}

/// A CA, whose name no other key may have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownAuthority {
    /// Name in this home.
    pub name: String,
    /// Subject, as names are compared.
    pub subject: PreparedName,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub key: [u8; 32],
}

/// An earlier certificate with the same public key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PriorUse {
    /// Subject of that certificate.
    pub subject: Name,
    /// Name of the CA whose certificate it is; `None` when it is not a CA certificate.
    pub authority: Option<String>,
    /// Whether the certificate was revoked because the key was compromised.
    pub compromised: bool,
    /// Whether its subject and the applicant's are on record as those of one subscriber.
    pub is_one_subscriber: bool,
}

impl Applicant {
    /// Returns an applicant for one of our own keys: of a CA, of a responder, or generated together with its
    /// certificate.
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
            request: None,
        }
    }

    /// Tells whether the request has `cA` TRUE.
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
        applicant.request = Some(sha256(request.as_der()));
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

/// Reads each name on its own, so that a message can quote the malformed ones. Returns the names, and the malformed
/// ones as text.
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

/// The CA that is to issue.
#[derive(Clone, Debug)]
pub struct IssuerView<'a> {
    /// Certificate of the CA.
    pub certificate: &'a Certificate,
    /// Issuer path above the CA, from its issuer up to the root.
    pub ancestors: &'a [Certificate],
    /// Profile under which the CA was created.
    pub profile: &'a str,
    /// URLs of its CRLs; empty when they are not published.
    pub crl_urls: Vec<String>,
    /// URL of its certificate.
    pub ca_issuers_url: Option<String>,
    /// URL of its OCSP responder.
    pub ocsp_url: Option<String>,
}

impl IssuerView<'_> {
    /// Returns the certificates of the CA and of its issuers, upwards to the root.
    pub(super) fn chain(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(self.certificate).chain(self.ancestors)
    }

    /// Returns the last second in which the CA and all its issuers are valid.
    #[must_use]
    pub fn end(&self) -> UnixTime {
        self.chain().map(|one| one.tbs().validity().not_after).min().unwrap_or_default()
    }
}

/// Requested validity.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RequestedValidity {
    /// The profile's validity, cut to the issuer's end with a notice.
    #[default]
    Default,
    /// This many days of 86,400 seconds, counted from notBefore. Refused when it exceeds the issuer's end.
    Days(i64),
    /// Until this second, inclusive. Refused when it exceeds the issuer's end.
    Until(UnixTime),
    /// As long as the profile and the issuer allow.
    Max,
}

/// Values that the CA administrator requests for this certificate.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RequestedValues {
    /// The certificate that is renewed, as `CA/SERIAL`, for the record.
    pub renews: Option<String>,
    /// Subject, which replaces that of the request.
    pub subject: Option<Name>,
    /// Alternative names, which replace those of the request.
    pub alt_names: Option<Vec<GeneralName>>,
    /// Validity.
    pub validity: RequestedValidity,
    /// Name constraints for a CA certificate, in addition to those of its profile.
    pub name_constraints: NameConstraints,
    /// Further limits of a CA certificate, taken from another certificate with the same name and key.
    pub limits: Option<Limits>,
    /// notAfter of that other certificate, which the new one must not exceed.
    pub until: Option<UnixTime>,
    /// pathLenConstraint for a CA certificate; `None` leaves it to the profile.
    pub path_length: Option<u8>,
    /// Mail address of the contact for the certificate.
    pub contact: Option<String>,
    /// Subject under which the same subscriber had the key before.
    pub same_holder_as: Option<Name>,
    /// Number of seconds by which notBefore is before now.
    pub backdate: i64,
    /// Another certificate of the CA with the same key and name, beside which the new one is issued. Its subject is
    /// repeated octet for octet, and its subjectKeyIdentifier is kept whatever its method (X3, X6).
    pub of: Option<Certificate>,
}
