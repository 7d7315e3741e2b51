//! Records that do not allow what is asked.

/// What is to be done about what is on record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Record {
    /// What is on record looked at.
    List,
    /// The state of the certificate looked at.
    Show,
    /// The CAs looked at.
    Authorities,
    /// Another name for the CA.
    OtherAuthorityName,
    /// Another CA.
    OtherIssuer,
    /// The CRL published under the next number.
    NextCrlNumber,
    /// The directory of the status looked at, and the status published.
    PublishStatus,
}
