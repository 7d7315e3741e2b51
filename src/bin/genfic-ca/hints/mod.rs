//! Remedies in the terms of the command line. This is the one place where a remedy becomes text.
mod access;
mod authority;
mod home;
mod import;
mod record;
mod repair;
mod request;

use genfic_ca::error::Remedy;
use std::borrow::Cow;

/// Returns the text of a remedy, for people and programs; empty for no remedy.
pub(crate) fn text(remedy: &Remedy) -> Cow<'_, str> {
    match remedy {
        Remedy::Words(words) => Cow::Borrowed(words),
        Remedy::Several(each) => {
            let lines: Vec<Cow<'_, str>> = each.iter().map(text).collect();
            Cow::Owned(lines.join("\n"))
        }
        Remedy::Request(remedy) => request::text(remedy),
        Remedy::Home(remedy) => home::text(remedy),
        Remedy::Import(remedy) => import::text(remedy),
        Remedy::Access(remedy) => access::text(remedy),
        Remedy::Repair(remedy) => repair::text(remedy),
        Remedy::Authority(remedy) => authority::text(remedy),
        Remedy::Record(remedy) => record::text(remedy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use genfic_ca::error::remedy::{Access, Authority, Home, Origin, Record, Repair, Request};
    use std::path::PathBuf;

    #[test]
    fn a_remedy_names_the_command_that_does_it() {
        let ca = || "genfic".to_owned();
        let remedies: [(Remedy, &str); 19] = [
            (Home::MakeOrName.into(), "make one with `genfic-ca init`, or name another with --home DIR"),
            (Home::As("genfic-ca".into()).into(), "run: sudo -u genfic-ca genfic-ca ..."),
            (Home::As("'#4242'".into()).into(), "run: sudo -u '#4242' genfic-ca ..."),
            (
                Home::TakeOverRevocations.into(),
                "nothing that takes a revocation back is published; `genfic-ca doctor --fix` takes the CRL's \
                 entries over as revoked; find out who changed the index: `genfic-ca audit verify`, `genfic-ca \
                 audit show`",
            ),
            (
                Home::Mend(vec!["chmod go-rwx /k".into(), "mv /a /b".into()]).into(),
                "run: chmod go-rwx /k\nrun: mv /a /b\nor let `genfic-ca doctor --fix` do what is safe",
            ),
            (Repair::Init(Box::default()).into(), "genfic-ca init"),
            (
                Repair::Init(Box::new(Origin {
                    organization: Some("A & Co".into()),
                    country: None,
                    url: Some("http://pki.example".into()),
                }))
                .into(),
                "genfic-ca init --org 'A & Co' --url http://pki.example",
            ),
            (
                Repair::BringBackOrRestore(PathBuf::from("/it's")).into(),
                "bring the newest index back; or, when it is lost for good: mv '/it'\\''s' '/it'\\''s'.damaged, then \
                 genfic-ca backup restore BACKUP --published '/it'\\''s'.damaged, and put back \
                 '/it'\\''s'.damaged/keys/*.age",
            ),
            (
                Repair::MoveAsideThenPublishCrl(PathBuf::from("/p/a.crl"), ca()).into(),
                "mv /p/a.crl /p/a.crl.aside && genfic-ca crl publish genfic",
            ),
            (
                Access::SharedDirectory.into(),
                "it belongs to another user: work in /var/spool/genfic-ca, which both may use; or where a command \
                 takes - for a file, have the shell open it: genfic-ca sign - -o - <x.req >x.crt",
            ),
            (Repair::RequestRenewal(ca()).into(), "genfic-ca renew-ca genfic --csr-only"),
            (Authority::NewKey(ca()).into(), "genfic-ca renew-ca genfic --rekey gives it a new key"),
            (Authority::WithoutRollover.into(), "if the old key is lost, add --no-links"),
            (
                Authority::MakeRollover("genfic-g2".into(), ca()).into(),
                "genfic-g2 is there; what it lacks are the links: `genfic-ca cross-sign genfic-g2 -p genfic` makes \
                 both",
            ),
            (Record::PublishCrlAgain(ca()).into(), "`genfic-ca crl publish genfic` tries again"),
            (Record::IssueResponderAgain(ca()).into(), "`genfic-ca ocsp responder genfic` tries again"),
            (
                Record::IssueResponderInFull(ca()).into(),
                "`genfic-ca key unlock genfic --scope ca` and `genfic-ca ocsp responder genfic` give the full time",
            ),
            (
                Record::NotSignedAgain.into(),
                "what was signed is on record and not handed out; the next command publishes it, and `genfic-ca list` \
                 shows it: do not sign it again",
            ),
            (
                Request::NewKeyLike("p256".into()).into(),
                "make a request with a new key, for example --key p256",
            ),
        ];
        for (remedy, told) in remedies {
            assert_eq!(text(&remedy), told);
        }
    }

    #[test]
    fn several_remedies_are_a_line_each() {
        let several = Remedy::from("make room").and(Repair::Fix);
        assert_eq!(text(&several), "make room\ngenfic-ca doctor --fix");
        assert_eq!(text(&Remedy::NONE), "");
    }
}
