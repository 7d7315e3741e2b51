//! CAs of other programs.
use std::borrow::Cow;

/// What is to be named for a CA that comes from another program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Import {
    /// The directory that the CA's programs use, or its record.
    Directory,
    /// One CA after the other.
    OneByOne,
    /// The file of the CA's certificate.
    Certificate,
    /// The file of the CA's certificate; or, of the one that was found, this.
    CertificateOr(Cow<'static, str>),
    /// The file of the CA's certificate, and what it must be.
    CaCertificate,
    /// The file of the CA's certificate in place of another's.
    CertificateOfTheCa,
    /// The file of the CA's key.
    Key,
    /// The file of the CA's key, now or later.
    KeyOrLater,
    /// The records alone, where the key is of no use.
    WithoutKey,
    /// A copy of the record with its lines mended.
    MendedIndex,
}
