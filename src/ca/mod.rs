//! The use cases, the only place where order matters: check, lint, record, sign, record again, publish.
mod above;
mod abreast;
mod adopt;
mod adopted;
mod answering;
mod authority;
mod certify;
mod coming_back;
mod crl;
mod crossing;
mod elsewhere;
mod falling;
mod generation;
mod groups;
mod hierarchy;
mod issue;
mod key_revocation;
mod new_key;
mod order;
mod practices;
mod problems;
mod published;
mod recover;
mod registration;
mod rekeying;
mod renewal;
mod responder;
mod revoke;
mod stagger;
mod supplementing;
mod taking_over;
#[cfg(test)]
mod tests;
mod time;
mod upkeep;
mod waiting;

pub use abreast::abreast;
pub use adopt::{AdoptedAuthority, AdoptedKey, Adoption, AdoptionPlan, PriorCertificate};
pub use authority::{CrlAuthority, IssuingAuthority};
pub use crl::PublishedCrl;
pub use crossing::{Crossing, Links};
pub use elsewhere::AuthorityRequest;
pub use falling::{Fallen, RevokedAuthority, Standings};
pub use hierarchy::{CreatedAuthority, NewAuthority};
pub use issue::{Issuance, IssuedCertificate, Refusal};
pub use key_revocation::{KeyRevocation, Unrecorded};
pub use order::Order;
pub use practices::Practices;
pub use recover::Recovered;
pub use rekeying::{AuthorityRekeying, NextGeneration, RekeyedAuthority};
pub use renewal::{AuthorityRenewal, RenewedAuthority};
pub use responder::IssuedResponder;
pub use revoke::{Revoked, find_revocable};
pub use supplementing::Supplemented;
pub use time::{ClockStanding, ClockState, ClockWatch};
pub use waiting::Arrival;

use crate::audit::{Actor, AuditEvent, Outcome};
use crate::clock::Clock;
use crate::error::Problem;
use crate::index::{Index, StatusPublisher};
use crate::repository::Publisher;
use crate::signing::CaKeys;
use crate::x509::{SerialNumber, UnixTime};

/// Draws serial numbers.
pub trait SerialSource: Send + Sync {
    /// A fresh serial number with 128 random bits.
    ///
    /// # Errors
    /// When the system's generator fails.
    fn serial_number(&self) -> Result<SerialNumber, Problem>;
}

/// Everything that the use cases act on and through. It is put together from a home alone, and nobody outside
/// gets at the keys in it:
///
/// ```compile_fail,E0616
/// fn keys<'a>(pki: &genfic_ca::ca::Pki<'a>) -> &'a dyn genfic_ca::signing::CaKeys {
///     pki.keys
/// }
/// ```
pub struct Pki<'a> {
    /// The record.
    pub index: &'a dyn Index,
    /// The keys, which ask for their passphrases themselves.
    pub(crate) keys: &'a dyn CaKeys,
    /// Where certificates and CRLs go.
    pub publisher: &'a dyn Publisher,
    /// Where statuses go.
    pub status: &'a dyn StatusPublisher,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Who says that it is right when it is far from what it was.
    pub(crate) watch: &'a ClockWatch,
    /// Serial numbers.
    pub(crate) serials: &'a dyn SerialSource,
    /// Profiles and settings.
    pub practices: &'a Practices,
    /// Who acts.
    pub(crate) actor: Actor,
}

fn event(actor: &Actor, at: UnixTime, action: &str, object: impl Into<String>) -> AuditEvent {
    AuditEvent {
        at,
        actor: actor.clone(),
        action: action.into(),
        object: object.into(),
        outcome: Outcome::Done,
        details: Vec::new(),
    }
}

impl Pki<'_> {
    fn event(&self, at: UnixTime, action: &str, object: impl Into<String>) -> AuditEvent {
        event(&self.actor, at, action, object)
    }

    /// Lets certificates be issued again after a restore; false when there was nothing to accept.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn accept_restored(&self) -> Result<bool, Problem> {
        let event = self.event(self.clock.now(), "home.accepted", "home");
        Ok(self.index.accept_restored(event)?)
    }

    /// Records that a command was refused or failed (G15).
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn record_refusal(&self, command: &str, object: &str, problem: &Problem) -> Result<(), Problem> {
        Ok(self.index.record_event(self.refusal(command, object, problem))?)
    }

    /// Records what of one command was refused (G15): together, since there may be many.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn record_refusals(&self, command: &str, refused: &[Refusal]) -> Result<(), Problem> {
        let events = refused.iter().map(|refusal| self.refusal(command, &refusal.label, &refusal.problem));
        Ok(self.index.record_events(events.collect())?)
    }

    fn refusal(&self, command: &str, object: &str, problem: &Problem) -> AuditEvent {
        let mut event = self.event(self.clock.now(), command, object);
        event.outcome = Outcome::Refused(problem.code.code().into());
        event.details.push(("message".into(), problem.message.clone()));
        event
    }
}
