//! Remedies for imports of other programs' CAs.
use std::borrow::Cow;

/// The value that has to be given to import a CA from another program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Import {
    /// Name the directory of the CA, or its record (`index.txt`).
    Directory,
    /// Import the CAs one by one.
    OneByOne,
    /// Name the file of the CA's certificate.
    Certificate,
    /// Name the file of the CA's certificate; the text says what to do if the certificate that was found is meant.
    CertificateOr(Cow<'static, str>),
    /// Name the file of the CA's certificate, which must fulfil the requirements of a CA certificate.
    CaCertificate,
    /// Name the file of the CA's certificate instead of another certificate.
    CertificateOfTheCa,
    /// Name the file of the CA's key.
    Key,
    /// Name the file of the CA's key, or import it later.
    KeyOrLater,
    /// Import the records alone, since the key cannot be used.
    WithoutKey,
    /// Name a corrected copy of the record.
    MendedIndex,
}
