//! Findings of an examination.
use std::path::PathBuf;

/// What mends what an examination found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Repair {
    /// What is safe to mend mended.
    Fix,
    /// Room made, and then the same.
    RoomThenFix,
    /// The home looked at as this user, as `sudo` takes it.
    ExamineAs(String),
    /// The home looked at as the owner, who is not known.
    ExamineAsOwner,
    /// What is missing of the home made.
    Init(Box<Origin>),
    /// A file that came with the program brought back, or made as it is shipped.
    BringBackOrInit(PathBuf, Box<Origin>),
    /// This home moved aside, and a backup restored.
    Restore(PathBuf),
    /// The newest index brought back, or the same.
    BringBackOrRestore(PathBuf),
    /// The index that is gone brought back, or the same.
    BringIndexBack(PathBuf),
    /// What was revoked since the backup revoked again, and the index accepted.
    AcceptRestored,
    /// The index compared with a backup.
    CompareIndex,
    /// What is going on looked at.
    LookAtStatus,
    /// The time of the clock confirmed.
    ConfirmClock,
    /// The status published.
    PublishStatus,
    /// A CRL of this CA published.
    PublishCrl(String),
    /// A file moved aside, and a CRL of this CA published.
    MoveAsideThenPublishCrl(PathBuf, String),
    /// A responder certificate of this CA issued.
    Responder(String),
    /// The key of this CA replaced and its certificate revoked, if others may answer for it.
    ReplaceKey(String),
    /// The hierarchy of the CAs looked at.
    Hierarchy,
    /// This CA renewed.
    Renew(String),
    /// A request made for this CA, which others issued.
    RequestRenewal(String),
    /// The next certificate of this CA, which others run, asked for.
    AskForNext(String),
    /// This generation finished without links to the one before it, whose key is gone.
    GiveUpLinks(String),
    /// This generation and the one before it linked.
    CrossSign(String, String),
    /// The certificate of this number revoked, below a CA that is.
    RevokeFallen(String, String),
    /// This CA revoked, since others have its key.
    RevokeAuthority(String),
    /// The certificate of a CA, `CA/SERIAL`, revoked, since others have its key.
    RevokeCa(String),
    /// The certificate of a holder, `CA/SERIAL`, revoked, since others have its key.
    RevokeHolder(String),
    /// A certificate that this CA signed and that is not on record looked at.
    Unrecorded(PathBuf, String),
}

/// What a home was made with, as far as it can be read off its certificates.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origin {
    /// The organization.
    pub organization: Option<String>,
    /// The country.
    pub country: Option<String>,
    /// The URL that everybody gets CRLs and CA certificates from.
    pub url: Option<String>,
}
