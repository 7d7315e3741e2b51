//! The use cases, the only place where order matters: check, lint, record, sign, record again, publish.
//!
//! An [`Engine`] is what they act on and through; they are in four rooms, of which each uses those below it alone:
//!
//! ```text
//! Engine::run                  what is done around every command
//! ----------------------------
//! Lifecycle                    CAs: made, renewed, given new keys, taken over, certified once more
//! Revocations                   certificates and CAs: revoked, held, released
//! Maintenance                  what is owed and due: abandoned, published again, CRLs, responders, the clock
//! Issuance                     certificates: granted, recorded, signed, recorded again, published
//! ----------------------------
//! Publication                  what others see, and in which order they come to see it
//! Hierarchy                    the CAs on record: paths, generations, how they stand
//! Engine                       index, keys, files, clock, settings
//! ```
mod abreast;
mod authority;
mod engine;
mod hierarchy;
mod issuance;
mod lifecycle;
mod maintenance;
mod practices;
mod problems;
mod publication;
mod published;
mod revocation;
mod run;
#[cfg(test)]
mod tests;
mod time;

pub use abreast::abreast;
pub(crate) use authority::CrlAuthority;
pub use authority::IssuingAuthority;
pub use engine::Engine;
pub(crate) use engine::{EngineParts, SerialSource};
pub(crate) use hierarchy::Hierarchy;
pub(crate) use issuance::Issuance;
pub use issuance::{IssuanceOutcome, IssuedCertificate, Order, Refusal};
pub(crate) use lifecycle::Lifecycle;
pub use lifecycle::{
    AdoptedAuthority, AdoptedKey, Adoption, AdoptionPlan, Arrival, AuthorityRekeying, AuthorityRenewal,
    CreatedAuthority, Crossing, Links, NewAuthority, PriorCertificate,
};
#[cfg(test)]
pub(crate) use lifecycle::{RekeyedAuthority, RenewedAuthority};
pub(crate) use maintenance::Maintenance;
pub use maintenance::{PublishedCrl, Recovered};
pub(crate) use practices::Practices;
pub(crate) use publication::Publication;
pub use published::Published;
pub(crate) use revocation::Revocations;
pub use revocation::{Fallen, KeyRevocation, Revoked, RevokedAuthority, Unrecorded};
pub use run::{Begun, Conclusion, Purpose, Task};
pub(crate) use run::{DiskReserve, Room};
pub use time::{ClockStanding, ClockState, ClockWatch};
