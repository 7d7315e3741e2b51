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
    /// The status published, or what keeps it from that looked for.
    SyncStatus,
    /// The CRL looked at that another process published.
    CrlInForce,
    /// A file moved away that is none of the CA's.
    MoveAside,
    /// The CRL of this CA published.
    PublishCrlAgain(String),
    /// The responder certificate of this CA issued.
    IssueResponderAgain(String),
    /// Nothing signed once more: it is on record.
    NotSignedAgain,
    /// The certificate revoked by those who run its CA.
    RevokedByItsOwners,
    /// What is on record of `CA/SERIAL` looked at.
    ShowCertificate(String),
    /// Both certificates of the number, `CA/SERIAL`, revoked.
    RevokeNumber(String),
    /// The certificates looked for that are left to be revoked.
    RevokeLeft,
    /// The certificate on hold, `CA/SERIAL`, revoked, since others have its key.
    RevokeHeld(String),
}
