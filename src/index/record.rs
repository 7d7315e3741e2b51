//! What is on record.
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
    /// The name that people type and that files bear.
    pub name: String,
    /// Its identity as an issuer.
    pub issuer: IssuerId,
    /// The name of the CA that issued its certificate; `None` for a root.
    pub parent: Option<String>,
    /// The profile it was issued under.
    pub profile: String,
    /// Its certificate.
    pub certificate: Certificate,
    /// Where its key is kept: a URI whose scheme names the store; empty when others keep it.
    pub key: String,
    /// Whether others run it, and it is here for those below it: neither its key nor its CRLs are ever here.
    pub external: bool,
    /// Whether its certificates name an OCSP responder.
    pub serves_ocsp: bool,
    /// The name of the generation before it: the same CA with an older key.
    pub succeeds: Option<String>,
    /// When the last of the certificates that it issued ends, those of its responder aside; `None` when it issued
    /// none.
    pub last_end: Option<UnixTime>,
}

impl Authority {
    /// Whether others run it: neither its key nor its CRLs are ever here.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.external
    }

    /// Where its key is kept, as people know it: without the scheme of the store.
    #[must_use]
    pub fn key_name(&self) -> &str {
        self.key.split_once(':').map_or(&*self.key, |(_, name)| name)
    }
}

/// A CA of this home, its certificates known by their digests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthoritySummary {
    /// As [`Authority::name`].
    pub name: String,
    /// As [`Authority::issuer`].
    pub issuer: IssuerId,
    /// As [`Authority::parent`].
    pub parent: Option<String>,
    /// The digest of its certificate.
    pub certificate: Fingerprint,
    /// When that begins.
    pub not_before: UnixTime,
    /// The digests of the unrevoked certificates of its name and key by other issuers than that of the one it has,
    /// oldest first.
    pub crossed: Vec<Fingerprint>,
    /// As [`super::AuthorityReader::names_of_issuer`], in the order of their octets.
    pub names: Vec<Name>,
    /// As [`Authority::serves_ocsp`].
    pub serves_ocsp: bool,
    /// As [`Authority::succeeds`].
    pub succeeds: Option<String>,
    /// As [`Authority::last_end`].
    pub last_end: Option<UnixTime>,
}

/// What is known of a CA before its certificate is signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewAuthority {
    /// The name that people type and that files bear.
    pub name: String,
    /// Where its key is kept: a URI whose scheme names the store; `None` when others keep it.
    pub key: Option<String>,
    /// Whether its certificates name an OCSP responder.
    pub serves_ocsp: bool,
    /// The name of the generation before it.
    pub succeeds: Option<String>,
    /// Whether the CA is there already, with this name and this key: then the certificate takes the place of the
    /// one it has as soon as it is recorded as issued, and all else stays as it is on record.
    pub renews: bool,
}

/// A certificate that is about to be signed, and what is recorded with it.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The issuer; for a root, the root itself ([`TbsCertificate::as_issuer`]).
    pub issuer: IssuerId,
    /// What will be signed.
    pub tbs: Linted<TbsCertificate>,
    /// The profile it was granted under.
    pub profile: String,
    /// Whom to write to about it; not part of the certificate.
    pub contact: Option<String>,
    /// A subject under which the same holder had the key before, whose name has changed since: by the word of
    /// whoever acts, the two are one from now on.
    pub same_holder_as: Option<Name>,
    /// The CA that this certificate makes. Its name and identity are taken from now on; it is a CA of this
    /// home as soon as the certificate is recorded as issued, and its name is free again when it is
    /// abandoned.
    pub authority: Option<NewAuthority>,
    /// Whether its key came with a request from elsewhere.
    pub requested: bool,
    /// The record of the intent.
    pub event: AuditEvent,
}

/// The certificate of a delegated responder (RFC 6960 §4.2.2.2).
#[derive(Clone, Debug)]
pub struct ResponderRecord {
    /// The certificate.
    pub record: CertificateRecord,
    /// Whether it was made for a request: its key is elsewhere.
    pub requested: bool,
}

/// A certificate that was signed against its intent.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The issuer of the intent.
    pub issuer: IssuerId,
    /// The certificate.
    pub certificate: Certificate,
    /// The record of its issuance.
    pub event: AuditEvent,
}

impl Issued {
    /// Issuer and serial number.
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
    /// The issuing CA's name; empty for the abandoned certificate of a root that never came to be.
    pub authority: String,
    /// `subject`
    pub subject: Name,
    /// Names of the subjectAltName.
    pub subject_alt_names: Vec<GeneralName>,
    /// `validity`
    pub validity: Validity,
    /// The profile it was granted under.
    pub profile: String,
    /// Whom to write to about it.
    pub contact: Option<String>,
    /// Where it stands.
    pub state: CertificateState,
    /// SHA-256 of its SubjectPublicKeyInfo; `None` when it is known by its number alone.
    pub key: Option<[u8; 32]>,
    /// The certificate; `None` while pending, and for good when abandoned or known by its number alone.
    pub certificate: Option<Certificate>,
    /// Whether its octets are not known, only its number, what became of it, and what an imported CA's record
    /// says: names and profile are empty, the subject may be; it begins with all time, and where its end is not
    /// known it has none (RFC 5280 §4.1.2.5).
    pub known_by_number: bool,
}

impl CertificateRecord {
    /// Whether it was given up before its signature was recorded.
    #[must_use]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.certificate.is_none()
            && !self.known_by_number
            && matches!(self.state, CertificateState::Revoked(_))
    }

    /// The word for its status at `now`: `valid`, `expired`, `revoked`, `held`, `pending`, `abandoned`.
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

    /// When and why it was revoked.
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

/// Which certificate is meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Selector {
    /// Any issuer's certificate with this serial number.
    Serial(SerialNumber),
    /// This CA's certificate with this serial number.
    AuthoritySerial(String, SerialNumber),
    /// SHA-256 fingerprint beginning with these hexadecimal digits.
    Fingerprint(String),
    /// Exactly this commonName or subjectAltName value, letter case aside.
    Name(String),
    /// Exactly this certificate.
    Exact(Fingerprint),
}

/// Which certificates to list; everything that is `Some` must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// Issued by this CA.
    pub authority: Option<String>,
    /// Of this status at this time.
    pub status: Option<(StatusValue, UnixTime)>,
    /// Issued, unrevoked, and ending from the first time through the second.
    pub ending: Option<(UnixTime, UnixTime)>,
    /// A glob with `*` and `?` over the subject as written and over every name, letter case aside.
    pub subject: Option<String>,
    /// Granted under this profile.
    pub profile: Option<String>,
}

impl Filter {
    /// The same filter for each of these CAs, one after the other; itself when there are none.
    #[must_use]
    pub fn of_each(self, authorities: &[String]) -> Vec<Self> {
        if authorities.is_empty() {
            return vec![self];
        }
        let of = |name: &String| Self { authority: Some(name.clone()), ..self.clone() };
        authorities.iter().map(of).collect()
    }
}

/// What a public key was used for before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyUse {
    /// Issuer and serial number of the certificate that has the key.
    pub id: CertificateId,
    /// Its subject.
    pub subject: Name,
    /// Whether it is the certificate of one of this home's CAs, and the CA's name.
    pub authority: Option<String>,
    /// Where it stands.
    pub state: CertificateState,
    /// Whether it is that of a CA.
    pub is_ca: bool,
    /// When it ends.
    pub not_after: UnixTime,
    /// Whether it was given up before its signature was recorded.
    pub is_abandoned: bool,
}

impl KeyUse {
    /// Whether the certificate is for this subject.
    #[must_use]
    pub(crate) fn is_of(&self, subject: &Name) -> bool {
        self.subject.is_same_as(subject)
    }

    /// Whether it can be relied on at `now`, on hold or about to be signed included.
    #[must_use]
    pub(crate) fn is_live(&self, now: UnixTime) -> bool {
        let is_gone = matches!(&self.state, CertificateState::Revoked(revocation) if !revocation.is_hold());
        !is_gone && now <= self.not_after
    }
}

/// What was signed last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewestSigned {
    /// When, by the clock of the command that signed it.
    pub at: UnixTime,
    /// What it is, for people.
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

/// One row of what is published for OCSP responders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusRow {
    /// Issuer and serial number.
    pub id: CertificateId,
    /// Where it stands.
    pub state: CertificateState,
    /// The change that made it so.
    pub change: u64,
}
