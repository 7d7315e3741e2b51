//! Results of an examination of everything that is stored.
use super::CertificateRecord;

/// Result for one stored item.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Examined {
    /// The item contradicts itself.
    Damage(Damage),
    /// The item is a certificate that can be read.
    Certificate(Box<CertificateRecord>),
}

/// A stored item that contradicts itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Damage {
    /// The kind of damage.
    pub kind: DamageKind,
    /// The item: a certificate or a table.
    pub place: String,
    /// The fault, worded to follow `place`.
    pub fault: String,
}

/// Kind of damage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DamageKind {
    /// The store itself is damaged: pages, indexes or constraints.
    Storage,
    /// A row refers to a row that does not exist.
    Reference,
    /// The columns of a record disagree with its certificate.
    Record,
}
