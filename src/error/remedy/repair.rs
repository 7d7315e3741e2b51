//! Remedies for the findings of an examination.
use std::path::PathBuf;

/// The repair of a finding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Repair {
    /// Have the safe repairs done.
    Fix,
    /// Free disk space, then have the safe repairs done.
    SpaceThenFix,
    /// Examine the home as this user, in the form that `sudo` takes.
    ExamineAs(String),
    /// Examine the home as the owner, whose name is unknown.
    ExamineAsOwner,
    /// Restore what is missing of the home.
    Init(Box<Origin>),
    /// Put a file of the program back from a backup, or write it as it is shipped.
    BringBackOrInit(PathBuf, Box<Origin>),
    /// Move this home aside, and restore a backup.
    Restore(PathBuf),
    /// Put the newest index back, or move this home aside and restore a backup.
    BringBackOrRestore(PathBuf),
    /// Put the missing index back, or move this home aside and restore a backup.
    BringIndexBack(PathBuf),
    /// Revoke again what was revoked since the backup, then accept the restored index.
    AcceptRestored,
    /// Compare the index with a backup.
    CompareIndex,
    /// Look at the status of the home.
    LookAtStatus,
    /// Confirm the time of the clock.
    ConfirmClock,
    /// Publish the status.
    PublishStatus,
    /// Publish a CRL of this CA.
    PublishCrl(String),
    /// Export the key of this CA once more, which removes it here.
    ExportKeyAgain(String),
    /// Bring the newest CRL of this external CA from where its key is, as this file.
    BringCrl(String, PathBuf),
    /// Move a file aside, then publish a CRL of this CA.
    MoveAsideThenPublishCrl(PathBuf, String),
    /// Issue a responder certificate of this CA.
    Responder(String),
    /// Replace the key of this CA and revoke its certificate, unless the holder of the requested key may answer for
    /// the CA.
    ReplaceKey(String),
    /// Look at the hierarchy of the CAs.
    Hierarchy,
    /// Renew this CA.
    Renew(String),
    /// Make a renewal request for this CA, which an external CA issued.
    RequestRenewal(String),
    /// Ask those who run this external CA for its next certificate.
    AskForNext(String),
    /// Complete this generation without key rollover certificates, since the key of the one before it is lost.
    GiveUpRollover(String),
    /// Issue the key rollover certificates between this generation and the one before it.
    CrossSign(String, String),
    /// Revoke the CA certificate with this serial number, issued by this CA, since one of its issuers is revoked.
    RevokeAffected(String, String),
    /// Revoke this CA, since its key is compromised.
    RevokeAuthority(String),
    /// Revoke the certificate of a CA, `CA/SERIAL`, since its key is compromised.
    RevokeCa(String),
    /// Revoke the certificate of a subscriber, `CA/SERIAL`, since its key is compromised.
    RevokeSubscriber(String),
    /// Look at a certificate in a file that this CA signed and that is not on record.
    Unrecorded(PathBuf, String),
}

/// The values that a home was initialized with, as far as its certificates contain them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origin {
    /// The organization.
    pub organization: Option<String>,
    /// The country.
    pub country: Option<String>,
    /// The URL under which CRLs and CA certificates are published.
    pub url: Option<String>,
}
