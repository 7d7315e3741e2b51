//! The proof that responders know of what is handed out (O12). This file alone makes one, from what says that the status
//! was published.
use super::publication::Places;
use std::ops::Deref;

/// Something whose status responders have. Only what is published is handed out:
///
/// ```compile_fail,E0423
/// # use genfic_ca::{ca::Published, x509::Certificate};
/// fn unpublished(certificate: Certificate) -> Published<Certificate> {
///     Published(certificate)
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use genfic_ca::{ca::IssuedCertificate, x509::Certificate};
/// fn hand_out(issued: &mut IssuedCertificate, certificate: Certificate) {
///     issued.certificate = certificate;
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Published<T>(T);

impl<T> Published<T> {
    /// What was on record when the status was published that `_by` comes of.
    pub(super) fn new(published: T, _by: &Places) -> Self {
        Self(published)
    }

    /// What is published.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Published<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
