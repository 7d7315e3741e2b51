//! The use cases. This is the only place that decides the order of steps: check, lint, record, sign, record again,
//! publish.
//!
//! An [`Engine`] holds the parts that the use cases work with. The use cases are in four modules: [`Lifecycle`],
//! [`Revocations`], [`Maintenance`] and [`Issuance`]. Each line names a module and the modules that it uses
//! (`tests/architecture/` draws this):
//!
//! ```text
//! run           lifecycle maintenance issuance engine disk_reserve
//! ----------------------
//! lifecycle     maintenance issuance authority publication engine difference hierarchy problems settings
//! revocation    maintenance issuance publication engine hierarchy settings
//! ----------------------
//! maintenance   issuance authority publication engine clock_watch hierarchy problems settings
//! ----------------------
//! issuance      authority publication engine difference hierarchy problems settings
//! ----------------------
//! ceremony      engine
//! authority     engine hierarchy
//! publication   engine hierarchy
//! time          engine clock_watch settings
//! ----------------------
//! engine        clock_watch disk_reserve hierarchy settings
//! ----------------------
//! difference
//! clock_watch
//! disk_reserve
//! hierarchy
//! settings
//! problems
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | `lifecycle` | CAs: creation, renewal, new keys, adoption, cross-certification |
//! | `revocation` | certificates and CAs: revocation, hold, release |
//! | `run` | the steps around every command |
//! | `maintenance` | outstanding and due work: abandoning, publishing again, CRLs, responders, the clock |
//! | `issuance` | certificates: granted, recorded, signed, recorded again, published |
//! | `publication` | the order in which status, files and chains are published, and the proof of it |
//! | `authority` | a CA's certificate with its key |
//! | `time`, `clock_watch` | the time of a signature, and whether the clock is trusted |
//! | `engine` | index, keys, files, clock, settings |
//! | `difference` | what is there beside what is asked for |
//! | `hierarchy` | the CAs on record: issuer paths, generations, and whether each may issue |
mod authority;
mod ceremony;
mod clock_watch;
mod difference;
mod disk_reserve;
mod engine;
mod hierarchy;
mod issuance;
mod lifecycle;
mod maintenance;
mod problems;
mod publication;
mod revocation;
mod run;
mod settings;
#[cfg(test)]
mod tests;
mod time;

pub use crate::par_map::par_map;
pub(crate) use authority::CrlAuthority;
pub use authority::IssuingAuthority;
pub(crate) use ceremony::{responder_is_asked_for, waits_for_ceremony};
pub use clock_watch::{ClockState, ClockStatus, ClockWatch};
pub use difference::{Difference, same_names};
pub use disk_reserve::CommandPurpose;
pub(crate) use disk_reserve::{DiskReserve, HeldReserve};
pub use engine::Engine;
pub(crate) use engine::{EngineParts, SerialSource};
pub use hierarchy::Hierarchy;
pub use issuance::{
    GrantedBefore, Issuance, IssuanceOutcome, IssuanceRequest, IssuedCertificate, IssuedResponder, Refusal,
    Renewal,
};
pub use lifecycle::{
    AdoptedAuthority, AdoptedKey, Adoption, AdoptionPlan, AuthorityRekeying, AuthorityRenewal,
    CeremonyOutcome, CeremonyPlan, CeremonyRequest, ConfirmEnvelope, CreatedAuthority, CrossCertification,
    ExpectedAuthority, KeyExport, KeyOnMedia, KeyRolloverCertificates, KeyTakenToMedia, KeyWhere, Lifecycle,
    ListedKey, MovedKey, NewAuthority, PriorCertificate, ProposedMove, ReencryptedKey, RetiredAuthority,
    RetirementImpact, SubordinateCertificate,
};
#[cfg(test)]
pub(crate) use lifecycle::{RekeyedAuthority, RenewedAuthority};
pub(crate) use maintenance::partial_scope;
pub use maintenance::{ExternalCrl, ImportedCrl, Maintenance, PublishedCrl, PublishedDelta, Recovered};
pub use publication::{Publication, Published};
pub use revocation::{
    AffectedAuthority, ChainStatuses, ChangedStates, KeyRevocation, Revocations, Revoked, RevokedAuthority,
    StateChange, Unrecorded,
};
pub use run::{Begun, Conclusion, Task};
pub(crate) use settings::CaSettings;
