//! Issuing certificates: granted, linted, recorded, signed, recorded again, published.
mod before;
mod evaluation;
mod issue;
mod pipeline;
mod refused;
mod request;
mod responder;
mod self_issue;
mod stagger;

pub use before::GrantedBefore;
pub(in crate::ca) use evaluation::{Known, others};
pub use issue::{IssuanceOutcome, IssuedCertificate, Refusal};
pub(in crate::ca) use pipeline::on_record;
pub use request::{IssuanceRequest, Renewal};
pub use responder::IssuedResponder;
pub(in crate::ca) use responder::PROFILE as RESPONDER_PROFILE;
pub(in crate::ca) use self_issue::SelfIssuance;
pub(in crate::ca) use stagger::Parent;

use super::{Engine, IssuingAuthority};
use crate::error::Problem;

/// Issuance of certificates to applicants.
#[derive(Clone, Copy)]
pub struct Issuance<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// Issuance: certificates are granted, recorded, signed, published.
    #[must_use]
    pub fn issuance(&self) -> Issuance<'_> {
        Issuance { engine: self }
    }
}

impl Issuance<'_> {
    /// Unlocks a CA for issuing.
    ///
    /// # Errors
    /// When the clock is not trusted (exit status 13), the CA may not issue, its key is not in this home, or
    /// the passphrase is not available or wrong.
    pub fn unlock_issuer(&self, name: &str) -> Result<IssuingAuthority, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        // checked before a passphrase is asked for
        let now = self.engine.signing_time()?;
        self.engine.hierarchy().check_usable(&authority, now)?;
        let signer = self.engine.open(&authority)?;
        self.engine.show_last_crl(&authority)?;
        IssuingAuthority::new(&self.engine.hierarchy(), authority, signer, self.engine.now())
    }
}
