//! Remedies for requests, as command-line options.
use genfic_ca::error::remedy::Request as R;
use std::borrow::Cow;

pub(super) fn text(remedy: &R) -> Cow<'static, str> {
    Cow::Borrowed(match remedy {
        R::NewKeyLike(scheme) => {
            return format!("make a request with a new key, for example --key {scheme}").into();
        }
        R::NewKeyOrSameHolder => {
            "make a request with a new key; or, where the holder is the same and has a new name: \
             --same-holder-as CERT"
        }
        R::NewKeyOrNewGeneration => {
            "a CA that was revoked is given a new key: `genfic-ca renew-ca NAME --rekey`, or a request with a \
             new key"
        }
        R::ReleaseOrRevoke => {
            "lift the hold (`genfic-ca release`), or revoke it and make a request with a new key"
        }
        R::NoNameConstraints => "leave --permit and --exclude out",
        R::NameConstraints => "say what the CA may certify, for example --permit dns:host.example",
        R::PermitWhatIsPermitted => {
            "permit only what its certificate permits, or leave its limits out by --unconstrained"
        }
        R::PermitBelow => "name what it may certify below it, for example --permit www.host.example",
        R::RepeatableLimits => {
            "have the CA show a certificate whose limits can be repeated; --unconstrained leaves them out"
        }
        R::LessOrUnconstrained => "ask for less, or leave its limits out by --unconstrained",
        R::OtherProfileOrUnconstrained => "use another profile, or leave its limits out by --unconstrained",
        R::OtherCaOrProfile => "name a CA for this purpose (-p), or another profile (--profile)",
        R::Subject => "give one by --subject",
        R::SubjectOrName => "give a subject by --subject or a name by --san",
        R::SubjectOrShorterName => "give a --subject, or a shorter name",
        R::SubjectOfItsOwn => "give one: --subject DN",
        R::ShorterSubject => "shorten the subject, or replace it by --subject",
        R::WithoutAttribute(label) => {
            return format!("leave {label} out of the subject (--subject replaces it)").into();
        }
        R::WithoutAttributeOrListed(label) => {
            return format!(
                "leave {label} out of the subject (--subject replaces it), or list it in the profile"
            )
            .into();
        }
        R::Attribute(label) => {
            return format!("give one in the request or by --subject, for example {label}=...").into();
        }
        R::AnewOrOtherSubject => "make the request anew, or replace the subject by --subject",
        R::CorrectSubject => "correct the subject; --subject replaces that of the request",
        R::OtherNameOfTheCa => {
            "clients find issuers by their names: give another subject (--subject), or make the request anew \
             with one"
        }
        R::AnewOrOtherNames => "make the request anew, or replace its names by --san",
        R::CorrectName => "correct the name; --san replaces those of the request",
        R::WithoutName => "leave the name out; --san replaces those of the request",
        R::NameLike(example) => {
            return format!("give one, for example --san {example}").into();
        }
        R::NameOrOtherCommonName(name) => {
            return format!("add --san {name}, or another common name by --subject").into();
        }
        R::Contact => "give a mail address, for example --contact name@host.example",
    })
}
