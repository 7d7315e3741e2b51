//! Remedies that concern certificates on record, as commands.
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
        R::SyncStatus => "run `genfic-ca ocsp sync`, which publishes it or says why it cannot be",
        R::CrlInForce => {
            "another process published meanwhile; `genfic-ca crl show CA` shows the list in force"
        }
        R::MoveAside => {
            "move the file away if it is not one of this CA's, then try again; `genfic-ca doctor` names the \
             command"
        }
        R::PublishCrlAgain(authority) => {
            return format!("`genfic-ca crl publish {authority}` tries again").into();
        }
        R::IssueResponderAgain(authority) => {
            return format!("`genfic-ca ocsp responder {authority}` tries again").into();
        }
        R::IssueResponderInFull(authority) => {
            return format!(
                "`genfic-ca key unlock {authority} --scope ca` and `genfic-ca ocsp responder {authority}` give the \
                 full time"
            )
            .into();
        }
        R::NotSignedAgain => {
            "what was signed is on record and not handed out; the next command publishes it, and `genfic-ca \
             list` shows it: do not sign it again"
        }
        R::RevokedByItsOwners => {
            "whoever runs that CA revokes it; `genfic-ca authorities` lists those of this home"
        }
        R::ShowCertificate(certificate) => {
            return format!("`genfic-ca show {certificate}` shows what is on record").into();
        }
        R::RevokeNumber(certificate) => {
            return format!("a CRL lists numbers: `genfic-ca revoke {certificate}` revokes both").into();
        }
        R::RevokeLeft => "`genfic-ca doctor` names those that are left, and the command that revokes them",
        R::RevokeHeld(certificate) => {
            return format!("revoke it: genfic-ca revoke {certificate} --reason key-compromise").into();
        }
    })
}
