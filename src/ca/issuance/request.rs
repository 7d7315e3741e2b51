//! What an applicant and an administrator request of a CA.
use crate::index::IntendedAuthority;
use crate::profile::{Applicant, RequestedValues};

/// A request for one certificate.
#[derive(Clone, Debug)]
pub struct IssuanceRequest {
    /// Label in messages, for example the name of the request's file.
    pub label: String,
    /// Subject, key and names.
    pub applicant: Applicant,
    /// Values that the administrator requests beyond the applicant's.
    pub values: RequestedValues,
    /// The CA that the certificate creates or renews, if it is a CA certificate of this home.
    pub authority: Option<IntendedAuthority>,
}
