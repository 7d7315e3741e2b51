//! The index: what was issued and what became of it.
//!
//! A small trait for each use, and [`Index`] and [`IndexReader`] as their sums; whoever is given one is given the
//! least of them. Every method is one use case and one transaction; those that change something carry their audit
//! events. Whatever an adapter stores, it passes the suite in `contract`.
mod audit;
mod authorities;
#[cfg(test)]
pub(crate) mod contract;
mod contradiction;
mod error;
mod examination;
mod import;
mod index_txt;
mod issuance;
mod key_rule;
#[cfg(test)]
pub(crate) mod memory;
mod reading;
mod record;
mod recorded;
mod restoration;
mod revocation;
pub mod sqlite;
mod state;
mod store_error;
mod stored;

pub use audit::{AuditIndex, AuditReader};
pub use authorities::{AuthorityIndex, AuthorityReader};
pub use contradiction::contradicting;
pub(crate) use contradiction::{Comparison, is_final, need_not_be_listed};
pub use error::IndexError;
pub use examination::{Damage, DamageKind, Examined};
pub use import::{Import, Imported, ImportedCertificate, ImportedContents, Supplement};
pub use index_txt::{INDEX_TXT_ATTRIBUTES, index_txt};
pub use issuance::{Guard, IssuanceIndex, IssuanceReader};
pub use key_rule::{KeyConflict, check_key};
pub use reading::{CertificateReader, ChangeReader, IndexReader};
pub use record::{
    Authority, CertificateRecord, CrlRecord, Filter, Intent, Issued, KeyUse, NewAuthority, NewestSigned,
    ResponderRecord, Selector, StatusRow, StatusValue,
};
pub use recorded::Recorded;
pub use restoration::{
    FoundCertificate, FoundRevocation, Restoration, RestorationIndex, RestorationReader, Restored, TakenOver,
};
pub use revocation::{CrlReader, RevocationIndex};
pub use state::{CertificateState, Revocation, TransitionError};
pub use store_error::StoreError;
pub use stored::StoredIndex;

/// Everything, for whoever has all of it to do. Each method is one transaction with its audit events.
pub trait Index:
    IndexReader + IssuanceIndex + RevocationIndex + AuthorityIndex + RestorationIndex + AuditIndex
{
}

impl<T> Index for T where
    T: IndexReader
        + IssuanceIndex
        + RevocationIndex
        + AuthorityIndex
        + RestorationIndex
        + AuditIndex
        + ?Sized
{
}

/// Every trait, for whoever holds an adapter itself.
pub mod prelude {
    pub use super::{
        AuditIndex, AuditReader, AuthorityIndex, AuthorityReader, CertificateReader, ChangeReader, CrlReader,
        Index, IndexReader, IssuanceIndex, IssuanceReader, RestorationIndex, RestorationReader,
        RevocationIndex, StoredIndex,
    };
}
