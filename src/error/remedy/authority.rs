//! Remedies about CAs that do not allow an operation.

/// The remedy for a problem of a CA, or of its certificates and requests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Authority {
    /// List the CAs of this home.
    List,
    /// List the CAs of this home, where the CA in question may be an external CA.
    ListOwn,
    /// Look at the states of the CAs.
    Standing,
    /// Look at the hierarchy.
    Hierarchy,
    /// Use the CA's CRL, since the CA can have no responder.
    GoByCrl,
    /// Take the answer of the last ceremony in, then make a new request.
    TakeAnswerIn,
    /// Have a ceremony for this CA.
    HaveCeremony(String),
    /// Compare this fingerprint of a certificate that a request for a ceremony brings with what was said where the other
    /// generation was made, and name it.
    NameGeneration(String),
    /// Ask those who run the external CA.
    AskItsOwners,
    /// Request a responder's certificate as such.
    ForResponders,
    /// Sign the request; only a CA's certificate is cross-certified.
    SignRequests,
    /// Renew the CA instead of having it certify itself.
    RenewInstead,
    /// Obtain a certificate of the CA that is valid now.
    CertificateInForce,
    /// Cross-certify the CA once more with name constraints, then revoke this certificate, `CA/SERIAL`.
    ConstrainAndRevoke(String),
    /// Import the issuer, or give the certificates of the issuer path.
    ShowIssuers,
    /// Generate a new key for this CA.
    NewKey(String),
    /// Make a key of this CA in another place: by a new key.
    NewKeyElsewhere(String),
    /// Have a new key of this CA made in its token, by whoever makes keys there now.
    NewKeyInToken(String),
    /// Set the envelope of this CA's key as an administrator of the service.
    SetEnvelopeAsAdministrator(String),
    /// Have an administrator bind the key of this name, which a command that was cut short left at the signer, to
    /// what it is for.
    BindLeftKey(String),
    /// Adopt the certificate that this CA has requested once it is issued.
    AdoptPending(String),
    /// Choose a profile for subordinate CAs.
    ProfileBelow,
    /// Choose a profile for CAs.
    ProfileOfCas,
    /// Name the profile of the CA.
    NameProfile,
    /// Create a key and a request, or import a key.
    RequestOrKey,
    /// Look at this CA.
    Show(String),
    /// Give the certificate that answers a renewal request of this CA.
    AnswerToRenewal(String),
    /// Issue the certificate as that of a CA that signs certificates and CRLs.
    SignAsACa,
    /// Sign the request as that of a CA.
    SignAsThatOfACa,
    /// Import the CA under the name that is on record.
    TakeOverAs(String),
    /// Add what was issued and revoked since, by the same import.
    ImportAgain(String),
    /// Look at what is on record of this CA; the import added nothing.
    NothingCame(String),
    /// Issue the certificate here, without a request to an external CA.
    IssueHere,
    /// Make a request to those who run the external issuer.
    RequestFromOthers,
    /// Import the key of this CA.
    BringKey(String),
    /// Have an administrator bring the key of this CA to the signer, for the profile that the CA has.
    BringKeyToSigner(String),
    /// Publish what is missing of this CA, which is on record.
    Finish(String),
    /// Leave out the key rollover certificates (RFC 9810 §4.4) if the old key is lost.
    WithoutRollover,
    /// Retire this CA first, or revoke it.
    RetireFirst(String),
    /// Retired CAs are listed on request.
    Retired,
    /// Free the name of this retired CA when no certificate names its files any more, or choose another name.
    FreeName(String),
    /// Issue the key rollover certificates between this new generation and the old one.
    MakeRollover(String, String),
}
