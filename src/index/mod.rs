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

pub(crate) use audit::AuditIndex;
pub use audit::AuditReader;
pub use authorities::{AuthorityIndex, AuthorityReader};
pub(crate) use contradiction::{Comparison, contradicting, is_final, need_not_be_listed};
pub use error::IndexError;
pub(crate) use examination::{Damage, DamageKind, Examined};
pub use import::{Import, Imported, ImportedContents};
pub(crate) use import::{ImportedCertificate, Supplement};
pub use index_txt::{INDEX_TXT_ATTRIBUTES, index_txt};
pub use issuance::IssuanceReader;
pub(crate) use issuance::{Guard, IssuanceIndex};
pub(crate) use key_rule::{KeyConflict, check_key};
pub use reading::{CertificateReader, ChangeReader, IndexReader};
pub use record::{
    Authority, CertificateRecord, Filter, Issued, NewAuthority, ResponderRecord, Selector, StatusValue,
};
pub(crate) use record::{AuthoritySummary, CrlRecord, Intent, KeyUse, NewestSigned, StatusRow};
pub use recorded::Recorded;
pub use restoration::RestorationReader;
pub(crate) use restoration::{
    FoundCertificate, FoundRevocation, Restoration, RestorationIndex, Restored, TakenOver,
};
pub use revocation::CrlReader;
pub(crate) use revocation::RevocationIndex;
pub(crate) use state::TransitionError;
pub use state::{CertificateState, Revocation};
pub(crate) use store_error::StoreError;
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

/// Every trait that reads, for whoever holds an adapter itself, and what an import takes. What records, and with it an
/// index of one's own that only says that it has recorded, is for this crate alone.
pub mod prelude {
    #[cfg(test)]
    pub(crate) use super::Index;
    pub(crate) use super::{AuditIndex, IssuanceIndex, RestorationIndex, RevocationIndex};
    pub use super::{
        AuditReader, AuthorityIndex, AuthorityReader, CertificateReader, ChangeReader, CrlReader,
        IndexReader, IssuanceReader, RestorationReader, StoredIndex,
    };
}
