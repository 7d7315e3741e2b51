//! Maintenance: abandoning interrupted issuance, repeating outstanding publication, renewing what is due.
mod answering;
mod clock;
mod crl;
mod maintain;
mod own_signatures;
mod recover;
mod responder_due;

pub use crl::PublishedCrl;
pub(in crate::ca) use own_signatures::{OwnSignatures, WithoutCrl};
pub use recover::Recovered;

use super::Engine;
use crate::error::Problem;

/// Maintenance: what interrupted commands left behind, and what becomes due with time.
#[derive(Clone, Copy)]
pub struct Maintenance<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// Maintenance: outstanding and due work.
    #[must_use]
    pub fn maintenance(&self) -> Maintenance<'_> {
        Maintenance { engine: self }
    }
}

impl Maintenance<'_> {
    /// Allows issuance again after a restore; returns false when there was nothing to accept.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn accept_restored(&self) -> Result<bool, Problem> {
        let event = self.engine.event(self.engine.now(), "home.accepted", "home");
        Ok(self.engine.index().accept_restored(event)?)
    }
}
