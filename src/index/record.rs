//! The values on record.
use super::{CertificateState, Revocation};
use crate::audit::AuditEvent;
use crate::lint::Linted;
use crate::x509::extension::CrlNumber;
use crate::x509::{
    Certificate, CertificateId, Fingerprint, GeneralName, IssuerId, Name, SerialNumber, TbsCertificate,
    UnixTime, Validity,
};

/// A CA of this home.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authority {
    /// The name that users type and that files have.
    pub name: String,
    /// The CA's identity as an issuer.
    pub issuer: IssuerId,
    /// The name of the CA that issued this CA's certificate; `None` for a root.
    pub parent: Option<String>,
    /// The profile of the CA's certificate.
    pub profile: String,
    /// The CA's certificate.
    pub certificate: Certificate,
    /// The location of the CA's key: a URI whose scheme names the key store. Empty for an external CA.
    pub key: String,
    /// Whether this is an external CA, recorded for the CAs below it. Neither its key nor its CRLs are ever in
    /// this home.
    pub external: bool,
    /// Whether certificates of this CA name an OCSP responder.
    pub serves_ocsp: bool,
    /// The name of the previous generation: the same CA with an older key.
    pub succeeds: Option<String>,
    /// The latest notAfter of the certificates that the CA issued, except those of its responder; `None` when
    /// it issued none.
    pub last_end: Option<UnixTime>,
    /// When somebody retired the CA, and the name that it had then. Nothing is due for it any more.
    pub retired: Option<Retirement>,
}

/// The retirement of a CA.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Retirement {
    /// The time.
    pub at: UnixTime,
    /// The name of the CA before it.
    pub name: String,
    /// Whether files and key have the name on record, so that the former name is nobody's.
    pub is_complete: bool,
}

/// A CA that is to be retired.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Retiring {
    /// The CA.
    pub issuer: IssuerId,
    /// The name that the CA has on record from now on.
    pub name: String,
    /// The location of its key from now on.
    pub key: String,
    /// The time.
    pub at: UnixTime,
}

impl Authority {
    /// Returns whether this is an external CA. Neither its key nor its CRLs are ever in this home.
    #[must_use]
    pub fn is_external(&self) -> bool {
        self.external
    }

    /// Returns whether the CA's key counts as kept offline where the configuration does not say: a root's, and one
    /// that is not in this home.
    #[must_use]
    pub fn is_offline_unless_configured(&self) -> bool {
        self.parent.is_none() || self.external || self.has_key_on_media()
    }
}

/// A CA of this home with the digests of its certificates in place of the certificates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthoritySummary {
    /// As [`Authority::name`].
    pub name: String,
    /// As [`Authority::issuer`].
    pub issuer: IssuerId,
    /// As [`Authority::parent`].
    pub parent: Option<String>,
    /// The digest of the CA's certificate.
    pub certificate: Fingerprint,
    /// notBefore of the CA's certificate.
    pub not_before: UnixTime,
    /// The digests of the CA's unrevoked cross-certificates, oldest first: certificates of its name and key by
    /// other issuers than the issuer of its own certificate.
    pub cross_certificates: Vec<Fingerprint>,
    /// As [`super::AuthorityReader::names_of_issuer`], in the order of their octets.
    pub names: Vec<Name>,
    /// As [`Authority::serves_ocsp`].
    pub serves_ocsp: bool,
    /// As [`Authority::succeeds`].
    pub succeeds: Option<String>,
    /// As [`Authority::last_end`].
    pub last_end: Option<UnixTime>,
    /// As [`Authority::retired`].
    pub retired: Option<Retirement>,
}

/// A CA whose certificate is not signed yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IntendedAuthority {
    /// The name that users type and that files have.
    pub name: String,
    /// The location of the CA's key: a URI whose scheme names the key store. `None` for an external CA.
    pub key: Option<String>,
    /// Whether certificates of this CA name an OCSP responder.
    pub serves_ocsp: bool,
    /// The name of the previous generation.
    pub succeeds: Option<String>,
    /// Whether the CA is on record already, with this name and key. If so, the new certificate replaces the
    /// present one as soon as it is recorded as issued, and all other values stay as they are on record.
    pub renews: bool,
}

/// A certificate that is about to be signed, with the values that are recorded beside it.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The issuer; for a root, the root itself ([`TbsCertificate::as_issuer`]).
    pub issuer: IssuerId,
    /// The TBSCertificate that will be signed.
    pub tbs: Linted<TbsCertificate>,
    /// The profile under which the certificate was granted.
    pub profile: String,
    /// The contact address for the certificate; not part of the certificate.
    pub contact: Option<String>,
    /// A former subject of the same subscriber with the same key. The operator asserts that both subjects are
    /// one subscriber, and they are recorded as such.
    pub same_holder_as: Option<Name>,
    /// For a renewal, the certificates for its key that were on record when it was decided. When there is
    /// another one by now, the intent is refused.
    pub decided_beside: Option<Vec<CertificateId>>,
    /// The CA that this certificate creates. Its name and identity are in use from now on. It is a CA of this
    /// home as soon as the certificate is recorded as issued. Its name is free again when the certificate is
    /// abandoned.
    pub authority: Option<IntendedAuthority>,
    /// Whether the key came with a request, so that the private key is not in this home.
    pub requested: bool,
    /// The audit event of the intent.
    pub event: AuditEvent,
}

/// The certificate of a delegated responder (RFC 6960 §4.2.2.2).
#[derive(Clone, Debug)]
pub struct ResponderRecord {
    /// The certificate.
    pub record: CertificateRecord,
    /// Whether it was issued for a request, so that the private key is not in this home.
    pub requested: bool,
}

/// A certificate that was signed after its intent was recorded.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The issuer of the intent.
    pub issuer: IssuerId,
    /// The certificate.
    pub certificate: Certificate,
    /// The audit event of the issuance.
    pub event: AuditEvent,
}

impl Issued {
    /// Returns issuer and serial number.
    #[must_use]
    pub fn id(&self) -> CertificateId {
        CertificateId { issuer: self.issuer, serial_number: self.certificate.tbs().serial_number().clone() }
    }
}

/// One certificate on record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateRecord {
    /// Issuer and serial number.
    pub id: CertificateId,
    /// The issuing CA's name. Empty for the certificate of a root that was abandoned, so that the CA does not
    /// exist.
    pub authority: String,
    /// `subject`
    pub subject: Name,
    /// The names of subjectAltName.
    pub subject_alt_names: Vec<GeneralName>,
    /// `validity`
    pub validity: Validity,
    /// The profile under which the certificate was granted.
    pub profile: String,
    /// The contact address for the certificate.
    pub contact: Option<String>,
    /// The state of the certificate.
    pub state: CertificateState,
    /// SHA-256 of the SubjectPublicKeyInfo; `None` when only the serial number is known.
    pub key: Option<[u8; 32]>,
    /// The certificate. `None` while it is pending, and always when it is abandoned or only the serial number
    /// is known.
    pub certificate: Option<Certificate>,
    /// SHA-256 of the TBSCertificate that was to be signed, of one that is pending or abandoned.
    pub intended: Option<[u8; 32]>,
    /// Whether the octets of the certificate are not known, only its serial number, its state, and the entry in
    /// an imported CA's database. Then the names and the profile are empty, and the subject may be. notBefore
    /// is the earliest time, and an unknown notAfter is the one that means no expiration (RFC 5280 §4.1.2.5).
    pub serial_only: bool,
}

impl CertificateRecord {
    /// Returns whether the certificate was abandoned before its signature was recorded.
    #[must_use]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.certificate.is_none() && !self.serial_only && matches!(self.state, CertificateState::Revoked(_))
    }

    /// Returns the status at `now`: `valid`, `expired`, `revoked`, `held`, `pending` or `abandoned`.
    #[must_use]
    pub fn status(&self, now: UnixTime) -> StatusValue {
        match &self.state {
            CertificateState::Pending => StatusValue::Pending,
            CertificateState::Revoked(_) if self.is_abandoned() => StatusValue::Abandoned,
            CertificateState::Revoked(revocation) if revocation.is_hold() => StatusValue::Held,
            CertificateState::Revoked(_) => StatusValue::Revoked,
            CertificateState::Issued if now > self.validity.not_after => StatusValue::Expired,
            CertificateState::Issued => StatusValue::Valid,
        }
    }

    /// Returns time and reason of the revocation.
    #[must_use]
    pub fn revocation(&self) -> Option<&Revocation> {
        match &self.state {
            CertificateState::Revoked(revocation) => Some(revocation),
            CertificateState::Pending | CertificateState::Issued => None,
        }
    }
}

/// A certificate's status in one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum StatusValue {
    Valid,
    Expired,
    Revoked,
    Held,
    Pending,
    Abandoned,
}

impl std::fmt::Display for StatusValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Held => "held",
            Self::Pending => "pending",
            Self::Abandoned => "abandoned",
        })
    }
}

/// A user's choice of certificates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Selector {
    /// Any issuer's certificate with this serial number.
    Serial(SerialNumber),
    /// This CA's certificate with this serial number.
    AuthoritySerial(String, SerialNumber),
    /// Certificates whose serial number, as it is written, begins with these hexadecimal digits: of any issuer, or
    /// of the CA of this name. Where more match than are asked for, those with the shortest numbers are returned.
    SerialBeginning(Option<String>, String),
    /// Certificates whose SHA-256 fingerprint begins with these hexadecimal digits.
    Fingerprint(String),
    /// Certificates with exactly this commonName or subjectAltName value, ignoring case.
    Name(String),
    /// The certificate with this fingerprint.
    Exact(Fingerprint),
}

/// A filter of certificates. Every member that is `Some` must match.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// Matches certificates that this CA issued.
    pub authority: Option<String>,
    /// Matches certificates of this status at this time.
    pub status: Option<(StatusValue, UnixTime)>,
    /// Matches unrevoked issued certificates whose notAfter is from the first time through the second. They come
    /// soonest first.
    pub ending: Option<(UnixTime, UnixTime)>,
    /// A glob with `*` and `?` over the subject as text and over every name, ignoring case.
    pub subject: Option<String>,
    /// Matches certificates that were granted under this profile.
    pub profile: Option<String>,
}

impl Filter {
    /// Returns the same filter for each of these CAs, or the filter itself when there are none.
    #[must_use]
    pub fn of_each(self, authorities: &[String]) -> Vec<Self> {
        if authorities.is_empty() {
            return vec![self];
        }
        let of = |name: &String| Self { authority: Some(name.clone()), ..self.clone() };
        authorities.iter().map(of).collect()
    }
}

/// An earlier certificate for a public key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyUse {
    /// Issuer and serial number of the certificate that has the key.
    pub id: CertificateId,
    /// The certificate's subject.
    pub subject: Name,
    /// The name of the CA of this home whose certificate this is, if there is one.
    pub authority: Option<String>,
    /// The certificate's state.
    pub state: CertificateState,
    /// Whether the certificate is a CA certificate (basicConstraints).
    pub is_ca: bool,
    /// notAfter of the certificate.
    pub not_after: UnixTime,
    /// Whether the certificate was abandoned before its signature was recorded.
    pub is_abandoned: bool,
}

impl KeyUse {
    /// Returns whether the certificate is for this subject.
    #[must_use]
    pub(crate) fn is_of(&self, subject: &Name) -> bool {
        self.subject.is_same_as(subject)
    }

    /// Returns whether relying parties can accept the certificate at `now`, on hold or about to be signed
    /// included.
    #[must_use]
    pub(crate) fn is_live(&self, now: UnixTime) -> bool {
        let is_gone = matches!(&self.state, CertificateState::Revoked(revocation) if !revocation.is_hold());
        !is_gone && now <= self.not_after
    }
}

/// The newest signature on record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewestSigned {
    /// The time of the signature, by the clock of the command that signed.
    pub at: UnixTime,
    /// A description of what was signed, for messages.
    pub what: String,
}

/// A CRL on record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CrlRecord {
    /// `cRLNumber`
    pub number: CrlNumber,
    /// `thisUpdate`
    pub this_update: UnixTime,
    /// `nextUpdate`
    pub next_update: UnixTime,
}

/// One row of the status that is published for OCSP responders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusRow {
    /// Issuer and serial number.
    pub id: CertificateId,
    /// The state of the certificate.
    pub state: CertificateState,
    /// The number of the change that gave the certificate this state.
    pub change: u64,
    /// notAfter of the certificate.
    pub not_after: UnixTime,
}

/// Number of certificates that end on one day.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Ending {
    /// First second of the day, in UTC.
    pub day: UnixTime,
    /// Name of the CA that issued them.
    pub authority: String,
    /// Profile under which they were granted; empty where none is on record.
    pub profile: String,
    /// Number of certificates.
    pub count: u64,
}
