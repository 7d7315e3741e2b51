//! What an applicant and an administrator request of a CA.
use crate::index::NewAuthority;
use crate::profile::{Applicant, Ask};

/// A request for one certificate.
#[derive(Clone, Debug)]
pub struct Order {
    /// Label in messages, for example the name of the request's file.
    pub label: String,
    /// Subject, key and names.
    pub applicant: Applicant,
    /// Values that the administrator requests beyond the applicant's.
    pub ask: Ask,
    /// The CA that the certificate creates or renews, if it is a CA certificate of this home.
    pub authority: Option<NewAuthority>,
}
