//! Remedies for requests that are refused.

/// The change of a request, or of the values given with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Request {
    /// Make a request with a new key of this type.
    NewKeyLike(String),
    /// Make a request with a new key, or state that the subscriber is the same under another name.
    NewKeyOrSameHolder,
    /// Give a revoked CA a new key, by a new generation or by a request.
    NewKeyOrNewGeneration,
    /// Release the hold, or revoke the certificate and replace the key.
    ReleaseOrRevoke,
    /// Leave out the name constraints.
    NoNameConstraints,
    /// Give name constraints.
    NameConstraints,
    /// Permit no more than the certificate permits, or leave out its constraints.
    PermitWhatIsPermitted,
    /// Permit names below this DNS name, without the leading dot.
    PermitBelow,
    /// Obtain a certificate with constraints that can be repeated, or leave them out.
    RepeatableLimits,
    /// Ask for less, or leave out the constraints of the certificate.
    LessOrUnconstrained,
    /// Choose another profile, or leave out the constraints of the certificate.
    OtherProfileOrUnconstrained,
    /// Choose a CA for this purpose, or another profile.
    OtherCaOrProfile,
    /// Give a subject.
    Subject,
    /// Give a subject or an alternative name.
    SubjectOrName,
    /// Give a subject, or a shorter name of the CA.
    SubjectOrShorterName,
    /// Give a subject for the new generation.
    SubjectOfItsOwn,
    /// Give a subject with fewer attributes.
    ShorterSubject,
    /// Leave this attribute out of the subject.
    WithoutAttribute(String),
    /// Leave this attribute out of the subject, or list it in the profile.
    WithoutAttributeOrListed(String),
    /// Give this attribute in the subject.
    Attribute(String),
    /// Make another request, or give another subject.
    AnewOrOtherSubject,
    /// Correct the subject.
    CorrectSubject,
    /// Give a subject that no other CA has.
    OtherNameOfTheCa,
    /// Make another request, or give other alternative names.
    AnewOrOtherNames,
    /// Correct the alternative name.
    CorrectName,
    /// Leave out this alternative name.
    WithoutName,
    /// Give an alternative name, for example this one.
    NameLike(String),
    /// Add this alternative name, or give another common name.
    NameOrOtherCommonName(String),
    /// Give a mail address as the contact.
    Contact,
}
