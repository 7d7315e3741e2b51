//! What comes of looking at what is stored.
use super::CertificateRecord;

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
