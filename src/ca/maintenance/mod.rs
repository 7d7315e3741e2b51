//! Maintenance: abandoning interrupted issuance, repeating outstanding publication, renewing what is due.
mod answering;
mod clock;
mod crl;
mod delta;
mod difference;
mod external_crl;
mod foreign_crl;
mod maintain;
mod next_list;
mod own_signatures;
mod recover;
mod responder_due;
mod retired;
mod signer_memory;

pub use crl::PublishedCrl;
pub use delta::PublishedDelta;
pub use external_crl::ExternalCrl;
pub use foreign_crl::ImportedCrl;
pub(crate) use foreign_crl::partial_scope;
pub(in crate::ca) use next_list::NextList;
pub(in crate::ca) use own_signatures::{OwnSignatures, WithoutCrl};
pub use recover::Recovered;
pub(in crate::ca) use retired::Unexpired;

pub(in crate::ca) use super::issuance::IssuedResponder;

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
        // the signer first: what fails is tried again as long as the index is locked
        if let Some(signer) = self.engine.keys().remembering() {
            signer.accept_gap()?;
        }
        let event = self.engine.event(self.engine.now(), "home.accepted", "home");
        Ok(self.engine.index().accept_restored(event)?)
    }
}
