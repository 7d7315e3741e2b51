//! The use cases. This is the only place that decides the order of steps: check, lint, record, sign, record again,
//! publish.
//!
//! An [`Engine`] holds the parts that the use cases work with. The use cases are in four modules: [`Lifecycle`],
//! [`Revocations`], [`Maintenance`] and [`Issuance`]. Each line names a module and the modules that it uses
//! (`tests/architecture/` draws this):
//!
//! ```text
//! lifecycle     maintenance issuance authority publication engine hierarchy practices problems
//! revocation    maintenance publication engine hierarchy practices
//! run           maintenance issuance engine disk_reserve
//! ----------------------
//! maintenance   issuance authority publication engine clock_watch hierarchy practices problems
//! ----------------------
//! issuance      authority publication engine abreast hierarchy practices problems
//! ----------------------
//! authority     engine hierarchy
//! publication   engine hierarchy
//! time          engine clock_watch practices
//! ----------------------
//! engine        clock_watch disk_reserve hierarchy practices
//! ----------------------
//! abreast
//! clock_watch
//! disk_reserve
//! hierarchy
//! practices
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
//! | `hierarchy` | the CAs on record: issuer paths, generations, and whether each may issue |
mod abreast;
mod authority;
mod clock_watch;
mod disk_reserve;
mod engine;
mod hierarchy;
mod issuance;
mod lifecycle;
mod maintenance;
mod practices;
mod problems;
mod publication;
mod revocation;
mod run;
#[cfg(test)]
mod tests;
mod time;

pub use abreast::abreast;
pub(crate) use authority::CrlAuthority;
pub use authority::IssuingAuthority;
pub use clock_watch::{ClockStanding, ClockState, ClockWatch};
pub use disk_reserve::Purpose;
pub(crate) use disk_reserve::{DiskReserve, Room};
pub use engine::Engine;
pub(crate) use engine::{EngineParts, SerialSource};
pub use hierarchy::Hierarchy;
pub use issuance::{Issuance, IssuanceOutcome, IssuedCertificate, Order, Refusal};
pub use lifecycle::{
    AdoptedAuthority, AdoptedKey, Adoption, AdoptionPlan, Arrival, AuthorityRekeying, AuthorityRenewal,
    CreatedAuthority, Crossing, Lifecycle, Links, NewAuthority, PriorCertificate,
};
#[cfg(test)]
pub(crate) use lifecycle::{RekeyedAuthority, RenewedAuthority};
pub use maintenance::{Maintenance, PublishedCrl, Recovered};
pub(crate) use practices::Practices;
pub use publication::{Publication, Published};
pub use revocation::{Fallen, KeyRevocation, Revocations, Revoked, RevokedAuthority, Unrecorded};
pub use run::{Begun, Conclusion, Task};
