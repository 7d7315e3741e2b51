//! What is on record, in commands.
use genfic_ca::error::remedy::Record as R;
use std::borrow::Cow;

pub(super) fn text(remedy: &R) -> Cow<'static, str> {
    Cow::Borrowed(match remedy {
        R::List => "`genfic-ca list` shows what is on record",
        R::Show => "`genfic-ca show` says where it stands",
        R::Authorities => "`genfic-ca authorities` lists the CAs",
        R::OtherAuthorityName => "choose another name; `genfic-ca authorities` lists those that are taken",
        R::OtherIssuer => "use another CA; `genfic-ca authorities --tree` shows them",
        R::NextCrlNumber => {
            "run `genfic-ca crl publish` again, which takes a new number; where that is refused too, the number \
             noted beside the CA's key is too large, and `genfic-ca doctor` says how to go on"
        }
        R::PublishStatus => {
            "see that status/ can be written, then run `genfic-ca ocsp sync`; what is not published is not \
             handed out"
        }
    })
}
