//! Result of a profile's decision: every field of a certificate except its serial number and its issuer's name.
use crate::x509::{
    Extension, GeneralName, Name, SerialNumber, SignatureAlgorithm, SubjectPublicKeyInfo, TbsCertificate,
    Validity,
};

/// Granted contents of a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CertificateTemplate {
    /// Name of the profile that granted it.
    pub profile: String,
    /// `subject`
    pub subject: Name,
    /// `subjectPublicKeyInfo`
    pub public_key: SubjectPublicKeyInfo,
    /// `validity`
    pub validity: Validity,
    /// All extensions, in the order in which they are encoded.
    pub extensions: Vec<Extension>,
    /// Names in the subjectAltName.
    pub alt_names: Vec<GeneralName>,
    /// Mail address for notices about this certificate: the one given, otherwise one that the certificate contains.
    pub contact: Option<String>,
    /// What was left out, added or cut, one sentence each without a full stop.
    pub notices: Vec<String>,
}

impl CertificateTemplate {
    /// Returns the certificate to be signed. `issuer` is the subject of the issuer's certificate with its octets, or
    /// the template's own subject for a self-signed root.
    #[must_use]
    pub(crate) fn assemble(
        &self,
        serial_number: SerialNumber,
        algorithm: SignatureAlgorithm,
        issuer: &Name,
    ) -> TbsCertificate {
        TbsCertificate::encode(
            serial_number,
            algorithm,
            issuer.clone(),
            self.validity,
            self.subject.clone(),
            self.public_key.clone(),
            self.extensions.clone(),
        )
    }
}
