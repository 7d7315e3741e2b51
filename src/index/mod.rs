//! The index: a record of what was issued and of the state of each certificate.
//!
//! There is a small trait for each use; [`Index`] and [`IndexReader`] are their sums. A function takes the
//! smallest trait that serves it. Every method is one use case and one transaction, and methods that change
//! something take their audit events. Every adapter passes the suite in `contract`.
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
mod key_location;
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
pub use audit::{AuditReader, first_audit_at};
pub use authorities::{AuthorityIndex, AuthorityReader};
pub(crate) use contradiction::{Comparison, contradicting, is_final, need_not_be_listed};
pub use error::IndexError;
pub(crate) use examination::{Damage, DamageKind, Examined};
pub use import::{Import, Imported, ImportedContents};
pub(crate) use import::{ImportedCertificate, Supplement};
pub use index_txt::{INDEX_TXT_ATTRIBUTES, index_txt};
pub use issuance::IssuanceReader;
pub(crate) use issuance::{Guard, IssuanceIndex};
pub use key_location::KeyLocation;
pub(crate) use key_rule::{KeyConflict, check_key};
pub use reading::{CertificateReader, ChangeReader, IndexReader};
pub use record::{
    Authority, CertificateRecord, Ending, Filter, IntendedAuthority, Issued, ResponderRecord, Retirement,
    Retiring, Selector, StatusValue,
};
pub(crate) use record::{AuthoritySummary, CrlRecord, Intent, KeyUse, NewestSigned, StatusRow};
pub use recorded::Recorded;
pub(crate) use recorded::recorded_on_medium;
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

/// All uses of an index, for callers that need all of them. Each method is one transaction with its audit
/// events.
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

/// Every trait that reads, for callers that hold an adapter itself, and the trait for an import. The traits
/// that record are visible in this crate only: a foreign index could claim to have recorded what it has not.
pub mod prelude {
    #[cfg(test)]
    pub(crate) use super::Index;
    pub(crate) use super::{AuditIndex, IssuanceIndex, RestorationIndex, RevocationIndex};
    pub use super::{
        AuditReader, AuthorityIndex, AuthorityReader, CertificateReader, ChangeReader, CrlReader,
        IndexReader, IssuanceReader, RestorationReader, StoredIndex,
    };
}
