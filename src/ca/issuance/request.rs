//! What an applicant and an administrator request of a CA.
use crate::index::IntendedAuthority;
use crate::profile::{Applicant, RequestedValues};
use crate::x509::CertificateId;

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
    /// The certificate that is renewed, when it is not to be renewed by another command at the same time too.
    pub renewal: Option<Renewal>,
}

/// A certificate that is renewed with its key.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// The certificate.
    pub former: CertificateId,
    /// The certificates for its key that were on record when the renewal was decided. When another one of the same
    /// holder is there by the time of the record, `renewal.meanwhile` refuses this one.
    pub decided_beside: Vec<CertificateId>,
}
