//! Requests that are refused.

/// What is to be asked for otherwise, or given with the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Request {
    /// A request with a new key, of this type.
    NewKeyLike(String),
    /// A request with a new key, or the certificate of the same holder under another name.
    NewKeyOrSameHolder,
    /// A new key for a CA that was revoked, by a new generation or by a request.
    NewKeyOrNewGeneration,
    /// The hold lifted, or the certificate revoked and the key replaced.
    ReleaseOrRevoke,
    /// No name constraints.
    NoNameConstraints,
    /// Name constraints: what the CA may certify.
    NameConstraints,
    /// No more than the certificate permits, or none of its limits.
    PermitWhatIsPermitted,
    /// The names below a DNS name with a leading dot.
    PermitBelow,
    /// A certificate whose limits can be repeated, or none of its limits.
    RepeatableLimits,
    /// Less, or none of the certificate's limits.
    LessOrUnconstrained,
    /// Another profile, or none of the certificate's limits.
    OtherProfileOrUnconstrained,
    /// A CA for this purpose, or another profile.
    OtherCaOrProfile,
    /// A subject.
    Subject,
    /// A subject or an alternative name.
    SubjectOrName,
    /// A subject, or a shorter name of the CA.
    SubjectOrShorterName,
    /// A subject for the new generation.
    SubjectOfItsOwn,
    /// A subject with fewer attributes.
    ShorterSubject,
    /// The subject without this attribute.
    WithoutAttribute(String),
    /// The subject without this attribute, or a profile that lists it.
    WithoutAttributeOrListed(String),
    /// The subject with this attribute.
    Attribute(String),
    /// Another request, or another subject.
    AnewOrOtherSubject,
    /// The subject corrected.
    CorrectSubject,
    /// A subject that no other CA has.
    OtherNameOfTheCa,
    /// Another request, or other alternative names.
    AnewOrOtherNames,
    /// The alternative name corrected.
    CorrectName,
    /// The request without this alternative name.
    WithoutName,
    /// An alternative name, as in this example.
    NameLike(String),
    /// This alternative name, or another common name.
    NameOrOtherCommonName(String),
    /// A mail address as the contact.
    Contact,
}
