//! What comes of looking at what is stored and at what is published.
use super::CertificateRecord;
use crate::x509::{CertificateId, UnixTime};

/// Something that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Examined {
    /// It contradicts itself.
    Damage(Damage),
    /// A certificate that can be read.
    Certificate(Box<CertificateRecord>),
}

/// Something stored that contradicts itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Damage {
    /// What kind of thing.
    pub kind: DamageKind,
    /// Which: a certificate, a table.
    pub place: String,
    /// What is wrong, to follow the place.
    pub fault: String,
}

/// The kinds of damage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DamageKind {
    /// The store itself: pages, indexes, constraints.
    Storage,
    /// Something refers to what is not there.
    Reference,
    /// A record and the octets of its certificate say different things.
    Record,
}

/// How what is published and what is on record compare. Of many certificates a few are named.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusComparison {
    /// When what is published was last confirmed.
    pub time: UnixTime,
    /// Whether it is of the latest change.
    pub is_current: bool,
    /// How many certificates were compared.
    pub compared: u64,
    /// Published otherwise than they are on record, changes since aside.
    pub differing: Vec<CertificateId>,
    /// Published as revoked for good, and not so on record: the index has lost a revocation.
    pub lost: Vec<CertificateId>,
    /// CAs that are published otherwise than they are on record, changes since aside.
    pub authorities: Vec<String>,
}
