//! What is owed and what is due: abandoned, published again, renewed.
mod answering;
mod clock;
mod crl;
mod own_signatures;
mod recover;
mod responder_due;
mod upkeep;

pub use crl::PublishedCrl;
pub(in crate::ca) use own_signatures::{OwnSignatures, WithoutCrl};
pub use recover::Recovered;

use super::Engine;
use crate::error::Problem;

/// What commands that were cut short left behind, and what time makes due.
#[derive(Clone, Copy)]
pub struct Maintenance<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// What is owed and what is due.
    #[must_use]
    pub fn maintenance(&self) -> Maintenance<'_> {
        Maintenance { engine: self }
    }
}

impl Maintenance<'_> {
    /// Lets certificates be issued again after a restore; false when there was nothing to accept.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn accept_restored(&self) -> Result<bool, Problem> {
        let event = self.engine.event(self.engine.now(), "home.accepted", "home");
        Ok(self.engine.index().accept_restored(event)?)
    }
}
