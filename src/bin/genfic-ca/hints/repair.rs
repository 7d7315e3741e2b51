//! Repairs of findings. Where there is a command, it can be run unchanged.
use genfic_ca::error::remedy::{Origin, Repair as R};
use genfic_ca::home::quoted;
use std::borrow::Cow;
use std::path::Path;

pub(super) fn text(remedy: &R) -> Cow<'static, str> {
    Cow::Borrowed(match remedy {
        R::Fix => {
            "genfic-ca doctor --fix"
        }
        R::SpaceThenFix => {
            "make room, then genfic-ca doctor --fix"
        }
        R::ExamineAs(user) => {
            return format!("sudo -u {user} genfic-ca doctor").into();
        }
        R::ExamineAsOwner => {
            "run as the user who owns it: sudo -u genfic-ca genfic-ca doctor"
        }
        R::Init(origin) => return init(origin).into(),
        R::BringBackOrInit(file, origin) => return format!(
            "bring {} back from a backup; or, if the one that is shipped with genfic-ca may take its place, which may \
             allow more: {}",
            quoted(file),
            init(origin)
        ).into(),
        R::Restore(home) => return restore(home).into(),
        R::BringBackOrRestore(home) => return format!("bring the newest index back; or, when it is lost for good: {}", restore(home)).into(),
        R::BringIndexBack(home) => return format!(
            "bring index.db back, or {}; `genfic-ca init` would begin an empty one, which knows of no certificate",
            restore(home)
        ).into(),
        R::AcceptRestored => {
            "revoke again what was revoked in that time and is not on record, then genfic-ca backup accept"
        }
        R::CompareIndex => {
            "keep a copy of index.db, and compare it with a backup: genfic-ca audit verify"
        }
        R::LookAtStatus => {
            "genfic-ca status"
        }
        R::ConfirmClock => {
            "genfic-ca clock accept"
        }
        R::PublishStatus => {
            "genfic-ca ocsp sync"
        }
        R::PublishCrl(authority) => {
            return format!("genfic-ca crl publish {authority}").into();
        }
        R::ExportKeyAgain(authority) => {
            return format!("genfic-ca key export-bundle {authority} --to DIR").into();
        }
        R::BringCrl(authority, file) => return format!(
            "bring the newest CRL of {authority} from where its key is, and put it here: install -m 644 {authority}.crl {0}; \
             one in PEM: openssl crl -in {authority}.crl.pem -outform DER -out {0}",
            quoted(file)
        ).into(),
        R::MoveAsideThenPublishCrl(file, authority) => return format!("mv {0} {0}.aside && genfic-ca crl publish {authority}", quoted(file)).into(),
        R::Responder(authority) => {
            return format!("genfic-ca ocsp responder {authority}").into();
        }
        R::ReplaceKey(authority) => {
            return format!("if that should not be: genfic-ca renew-ca {authority} --rekey, then revoke-ca {authority}").into();
        }
        R::Hierarchy => {
            "genfic-ca authorities --tree"
        }
        R::Renew(authority) => {
            return format!("genfic-ca renew-ca {authority}").into();
        }
        R::RequestRenewal(authority) => {
            return format!("genfic-ca renew-ca {authority} --csr-only").into();
        }
        R::AskForNext(authority) => {
            return format!("ask those who run {authority} for its next certificate, and show it to adopt with --chain").into();
        }
        R::GiveUpRollover(authority) => {
            return format!("genfic-ca renew-ca {authority} --rekey --no-links").into();
        }
        R::CrossSign(newer, older) => {
            return format!("genfic-ca cross-sign {newer} -p {older}").into();
        }
        R::RevokeAffected(serial, issuer) => {
            return format!("genfic-ca revoke serial:{serial} -p {issuer} --reason ca-compromise").into();
        }
        R::RevokeAuthority(authority) => {
            return format!("genfic-ca revoke-ca {authority} --reason ca-compromise").into();
        }
        R::RevokeCa(certificate) => {
            return format!("genfic-ca revoke {certificate} --reason ca-compromise").into();
        }
        R::RevokeSubscriber(certificate) => {
            return format!("genfic-ca revoke {certificate} --reason key-compromise").into();
        }
        R::Unrecorded(file, authority) => return format!(
            "genfic-ca show {0}; bring the newer index back, else treat the key of {authority} as stolen; genfic-ca revoke \
             {0} puts it on record as revoked",
            quoted(file)
        ).into(),
    })
}

fn init(origin: &Origin) -> String {
    let given = [("--org", &origin.organization), ("--country", &origin.country), ("--url", &origin.url)];
    let mut command = String::from("genfic-ca init");
    for (option, value) in given {
        if let Some(value) = value {
            command.push_str(&format!(" {option} {}", quoted(Path::new(value))));
        }
    }
    command
}

fn restore(home: &Path) -> String {
    let home = quoted(home);
    format!(
        "mv {home} {home}.damaged, then genfic-ca backup restore BACKUP --published {home}.damaged, and put back \
         {home}.damaged/keys/*.age"
    )
}
