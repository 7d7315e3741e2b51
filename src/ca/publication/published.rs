//! The proof that responders have the status of what is handed out (O12). This file alone makes one, for what
//! was on record when the status was published, or for what is looked up and found to be published.
use crate::ca::Engine;
use crate::error::{Code, Problem, remedy};
use crate::index::{Authority, CertificateRecord};
use crate::status::StatusError;
use crate::x509::{Certificate, CertificateId};
use std::ops::Deref;

/// A value whose status responders have. Only published values are handed out. No other code makes one,
///
/// ```compile_fail,E0423
/// # use genfic_ca::{ca::Published, x509::Certificate};
/// fn unpublished(certificate: Certificate) -> Published<Certificate> {
///     Published(certificate)
/// }
/// ```
///
/// what is looked up is read here and not taken from a caller,
///
/// ```compile_fail,E0308
/// # use genfic_ca::{ca::Publication, index::CertificateRecord, x509::CertificateId};
/// fn pass_off(publication: Publication<'_>, record: CertificateRecord, other: CertificateId) {
///     let _ = publication.check_published(CertificateRecord { id: other, ..record });
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use genfic_ca::{ca::Publication, index::Authority};
/// fn pass_off(publication: Publication<'_>, authority: Authority) {
///     let _ = publication.check_authority_published(Authority { parent: None, ..authority });
/// }
/// ```
///
/// results of commands contain them,
///
/// ```compile_fail,E0308
/// # use genfic_ca::{ca::IssuedCertificate, x509::Certificate};
/// fn hand_out(issued: &mut IssuedCertificate, certificate: Certificate) {
///     issued.certificate = certificate;
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use genfic_ca::{ca::CreatedAuthority, index::Authority};
/// fn hand_out(created: &mut CreatedAuthority, authority: Authority) {
///     created.authority = authority;
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use genfic_ca::{ca::KeyRolloverCertificates, x509::Certificate};
/// fn hand_out(links: &mut KeyRolloverCertificates, certificate: Certificate) {
///     links.new_with_old = certificate;
/// }
/// ```
///
/// the value in one cannot be replaced,
///
/// ```compile_fail,E0594
/// # use genfic_ca::{ca::Published, index::Authority, x509::Certificate};
/// fn exchange(published: &mut Published<Authority>, certificate: Certificate) {
///     published.certificate = certificate;
/// }
/// ```
///
/// and only a published certificate gives out its octets, in DER or PEM
///
/// ```
/// # use genfic_ca::{ca::Published, x509::Certificate};
/// fn published(certificate: &Published<Certificate>) -> String {
///     certificate.to_pem()
/// }
/// ```
///
/// ```compile_fail,E0624
/// # use genfic_ca::x509::Certificate;
/// fn unpublished(certificate: &Certificate) -> String {
///     certificate.to_pem()
/// }
/// ```
///
/// ```compile_fail,E0624
/// # use genfic_ca::x509::Certificate;
/// fn unpublished(certificate: &Certificate) -> Vec<u8> {
///     certificate.as_der().to_vec()
/// }
/// ```
///
/// or in another program's format:
///
/// ```
/// # use genfic_ca::{ca::Published, export::certificates_only, x509::Certificate};
/// fn published(certificates: &[Published<Certificate>]) -> Vec<u8> {
///     certificates_only(certificates)
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use genfic_ca::{export::certificates_only, x509::Certificate};
/// fn unpublished(certificates: &[Certificate]) -> Vec<u8> {
///     certificates_only(certificates)
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Published<T>(T);

/// The proof that the status of everything on record before has been published.
pub(in crate::ca) struct StatusPublished(());

impl StatusPublished {
    /// Publishes the status.
    pub(super) fn by(engine: &Engine) -> Result<Self, StatusError> {
        engine.timekeeper().publish_status()?;
        Ok(Self(()))
    }

    /// Publishes the status unless it is current; returns whether it was not.
    pub(in crate::ca) fn unless_current(engine: &Engine) -> Result<(Self, bool), StatusError> {
        if engine.status().is_current(engine.index())? {
            return Ok((Self(()), false));
        }
        Ok((Self::by(engine)?, true))
    }
}

impl<T> Published<T> {
    /// Wraps what was on record before the status was published.
    pub(super) fn on_record(known: T, _before: &StatusPublished) -> Self {
        Self(known)
    }
}

impl Published<CertificateRecord> {
    /// Reads a record, unless its latest change is not published. It is read here, since a record from
    /// elsewhere could be of another certificate than its identifier says.
    pub(super) fn looked_up(engine: &Engine, id: &CertificateId) -> Result<Self, Problem> {
        let unknown = || {
            let message = format!("no certificate {} of this issuer is on record", id.serial_number);
            Problem::new(Code::CertificateNotFound, message)
        };
        let record = engine.index().certificate(id)?.ok_or_else(unknown)?;
        check(engine, id)?;
        Ok(Self(record))
    }

    /// Returns the certificate; `None` when only its serial number is known, or when it was never signed.
    #[must_use]
    pub fn certificate(&self) -> Option<Published<Certificate>> {
        self.0.certificate.clone().map(Published)
    }
}

impl Published<Authority> {
    /// Reads a CA, unless the latest change of its certificate is not published.
    pub(super) fn looked_up(engine: &Engine, name: &str) -> Result<Self, Problem> {
        let authority = engine.hierarchy().authority(name)?;
        check(engine, &engine.hierarchy().certificate_id(&authority)?)?;
        Ok(Self(authority))
    }

    /// Returns the CA's certificate.
    #[must_use]
    pub fn certificate(&self) -> Published<Certificate> {
        Published(self.0.certificate.clone())
    }
}

impl Published<Certificate> {
    /// The certificate in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        self.0.as_der()
    }

    /// The certificate as one `CERTIFICATE` block of PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.0.to_pem()
    }
}

impl<T> Deref for Published<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Refuses what responders would answer "unknown". A certificate that is not on record passes, such as that
/// of an external CA: responders here do not answer for it.
fn check(engine: &Engine, id: &CertificateId) -> Result<(), Problem> {
    let Some(change) = engine.index().change_of(id)? else { return Ok(()) };
    // a published status that cannot be read does not serve responders either
    let published = engine.status().published_change().ok().flatten();
    if published.is_some_and(|published| change <= published) {
        return Ok(());
    }
    let serial = &id.serial_number;
    let message = format!("the status of {serial} is not published, and before that it is not handed out");
    Err(Problem::new(Code::StatusNotPublished, message).hint(remedy::Record::SyncStatus))
}
