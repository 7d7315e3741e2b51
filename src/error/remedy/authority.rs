//! CAs that do not allow what is asked.

/// What is to be done about a CA, or with its certificates and requests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Authority {
    /// The CAs of this home looked at.
    List,
    /// The same, where others may answer for a CA.
    ListOwn,
    /// How the CAs stand looked at.
    Standing,
    /// The hierarchy looked at.
    Hierarchy,
    /// The CA's CRL gone by, since it can have no responder.
    GoByCrl,
    /// Those asked who run the CA.
    AskItsOwners,
    /// A responder's certificate asked for as such.
    ForResponders,
    /// A request signed; only a CA's certificate is cross-signed.
    SignRequests,
    /// The CA renewed in place of certifying itself.
    RenewInstead,
    /// A certificate of the CA that is in force.
    CertificateInForce,
    /// The CA certified once more with constraints, and this certificate, `CA/SERIAL`, revoked.
    ConstrainAndRevoke(String),
    /// The CA above imported, or the certificates above shown.
    ShowAbove,
    /// A new key for this CA.
    NewKey(String),
    /// The certificate that this CA waits for adopted when it has come.
    AdoptWaiting(String),
    /// A profile of CAs below another.
    ProfileBelow,
    /// A profile of CAs.
    ProfileOfCas,
    /// The profile of the CA.
    NameProfile,
    /// A key and a request made, or a key brought.
    RequestOrKey,
    /// This CA looked at.
    Show(String),
    /// The answer to a request of this CA's renewal.
    AnswerToRenewal(String),
    /// The certificate of a CA that signs certificates and CRLs.
    SignAsACa,
    /// The request signed as that of a CA.
    SignAsThatOfACa,
    /// The CA taken over under the name that it is on record by.
    TakeOverAs(String),
    /// What came since taken over by the same import.
    ImportAgain(String),
    /// What is on record of this CA looked at.
    NothingCame(String),
    /// The certificate issued here, with no request for others.
    IssueHere,
    /// A request made for those who run the CA above.
    RequestFromOthers,
    /// The key of this CA brought.
    BringKey(String),
    /// What this CA still lacks published; it is on record.
    Finish(String),
    /// The links left out, if the old key is lost.
    WithoutLinks,
    /// The links of this new generation and the old one made.
    MakeLinks(String, String),
}
