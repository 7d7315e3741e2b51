//! What a client shows beside what is to be signed.
use super::answers::{certificate, signer};
use crate::signer::Enrolment;
use crate::signer::protocol::Failure;
use crate::x509::Certificate;

/// What a client shows beside what is to be signed.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) issuer: Option<Certificate>,
    pub(super) profile: Option<String>,
    pub(super) enrolment: Option<Enrolment>,
}

impl Shown {
    /// Takes what is shown from the end of the parts.
    pub(super) fn behind(
        parts: &mut Vec<Vec<u8>>,
        has_issuer: bool,
        has_enrolment: bool,
    ) -> Result<Self, Failure> {
        let mut last =
            || parts.pop().ok_or_else(|| signer("something is missing behind what is to be signed"));
        let mut shown = Self::default();
        if has_enrolment {
            let signature = last()?;
            shown.enrolment = Some(Enrolment { former: certificate(&last()?)?, signature });
        }
        if has_issuer {
            shown.issuer = Some(certificate(&last()?)?);
        }
        Ok(shown)
    }

    /// Returns the same with the profile of the CA.
    pub(super) fn with_profile(self, profile: Option<String>) -> Self {
        Self { profile, ..self }
    }
}
