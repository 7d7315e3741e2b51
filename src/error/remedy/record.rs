//! Remedies about records that do not allow an operation.

/// The remedy for a problem with the records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Record {
    /// List the records.
    List,
    /// Look at the state of the certificate.
    Show,
    /// List the CAs.
    Authorities,
    /// Choose another name for the CA.
    OtherAuthorityName,
    /// Choose another CA.
    OtherIssuer,
    /// Publish the CRL under the next number.
    NextCrlNumber,
    /// Check the directory of the published status, then publish the status.
    PublishStatus,
    /// Publish the status, or learn why that is not possible.
    SyncStatus,
    /// Look at the current CRL, which another process published.
    CrlInForce,
    /// Move a file away that does not belong to the CA.
    MoveAside,
    /// Publish the CRL of this CA.
    PublishCrlAgain(String),
    /// Issue the responder certificate of this CA.
    IssueResponderAgain(String),
    /// Unlock the key of this CA for certificates of responders, and issue its responder certificate.
    IssueResponderInFull(String),
    /// Do not sign again: the certificate is on record.
    NotSignedAgain,
    /// Have the certificate revoked by those who run its CA.
    RevokedByItsOwners,
    /// Look at the record of `CA/SERIAL`.
    ShowCertificate(String),
    /// Revoke both certificates with the serial number of `CA/SERIAL`.
    RevokeNumber(String),
    /// Find the certificates that are still to be revoked.
    RevokeLeft,
    /// Revoke the certificate `CA/SERIAL`, which is on hold, since its key is compromised.
    RevokeHeld(String),
}
