//! Remedies that concern CAs, as commands and options.
use genfic_ca::error::remedy::Authority as R;
use std::borrow::Cow;

pub(super) fn text(remedy: &R) -> Cow<'static, str> {
    Cow::Borrowed(match remedy {
        R::List => "`genfic-ca authorities` lists the CAs of this home",
        R::ListOwn => "`genfic-ca authorities` shows the CAs of this home",
        R::Standing => "`genfic-ca authorities` shows how the CAs stand",
        R::Hierarchy => "`genfic-ca authorities --tree` shows the hierarchy",
        R::GoByCrl => "clients go by its CRL; `genfic-ca authorities --tree` shows where it stands",
        R::AskItsOwners => "ask those who run it; what it signs is taken in by `genfic-ca adopt`",
        R::TakeAnswerIn => {
            "take in what it signed, with `genfic-ca ceremony import ANSWER`, and make a new request; where the home was \
             restored from an older backup, restore a newer one"
        }
        R::HaveCeremony(name) => {
            return format!("make a request: genfic-ca ceremony request {name} -o FILE").into();
        }
        R::NameGeneration(fingerprint) => {
            return format!(
                "the request brings a certificate with the fingerprint {fingerprint}: compare it with what `genfic-ca \
                 ceremony request` and `genfic-ca show` said where the new generation was made; only if it is the same, \
                 --generation {fingerprint}"
            )
            .into();
        }
        R::ForResponders => {
            "`genfic-ca ocsp responder CA` makes that of this home; for a key on another host: genfic-ca sign \
             FILE --responder-for CA"
        }
        R::SignRequests => "cross-sign takes the certificate of a CA; `genfic-ca sign` takes requests",
        R::RenewInstead => "`genfic-ca renew-ca` gives a CA a new certificate",
        R::CertificateInForce => {
            "have the CA show one that is valid; a CA of this home gets it by `genfic-ca renew-ca`"
        }
        R::ConstrainAndRevoke(certificate) => {
            return format!(
                "if that is too much, cross-sign it once more with what it may certify (--permit DOMAIN), \
                     and then revoke this one: genfic-ca revoke {certificate}"
            )
            .into();
        }
        R::ShowIssuers => {
            "import that CA first; or, when others run it, show the certificates above, up to the root, with \
             --chain FILE"
        }
        R::NewKey(authority) => {
            return format!("genfic-ca renew-ca {authority} --rekey gives it a new key").into();
        }
        R::NewKeyElsewhere(authority) => {
            return format!(
                "the CA moves out of the token by a new key: genfic-ca renew-ca {authority} --rekey --keystore file"
            )
            .into();
        }
        R::NewKeyInToken(authority) => {
            return format!(
                "a new key comes there: genfic-ca renew-ca {authority} --rekey makes it in the same token, through the \
                 signer that listens where the configuration names its socket; --keystore names another place"
            )
            .into();
        }
        R::SetEnvelopeAsAdministrator(authority) => {
            return format!(
                "as an administrator, as yourself: genfic-ca key envelope {authority} --service --set FIELD=VALUE"
            )
            .into();
        }
        R::BindLeftKey(name) => {
            return format!(
                "a command that was cut short may have left it: then an administrator says again what it is for, as \
                 yourself: genfic-ca key unlock {name} --new --profile PROFILE; and this is run again. But if {name} \
                 was a CA and its index is lost, restore the index"
            )
            .into();
        }
        R::AdoptPending(authority) => {
            return format!(
                "its request is in requests/{authority}.waiting of the home, PEM after a few words; when the \
                     certificate has come: genfic-ca adopt {authority} CERTIFICATE"
            )
            .into();
        }
        R::ProfileBelow => "for example --profile user-ca",
        R::ProfileOfCas => "for example --profile system-ca",
        R::NameProfile => "add --profile, for example system-ca",
        R::RequestOrKey => {
            "`genfic-ca create-child NAME --csr-only` makes a key and a request, `genfic-ca key import NAME \
             FILE` brings a key"
        }
        R::Show(authority) => {
            return format!("`genfic-ca show {authority}` shows it").into();
        }
        R::AnswerToRenewal(authority) => {
            return format!(
                "it must be the answer to a request of `genfic-ca renew-ca {authority} --csr-only`; that of \
                     a new key is adopted under the name of the new generation"
            )
            .into();
        }
        R::SignAsACa => {
            "it needs basicConstraints CA:TRUE and keyUsage keyCertSign and cRLSign; in the home of its parent: \
             genfic-ca sign FILE -p PARENT --profile user-ca"
        }
        R::SignAsThatOfACa => {
            "have the request signed as that of a CA: genfic-ca sign FILE --profile user-ca"
        }
        R::TakeOverAs(authority) => {
            return format!("take it over under that name: --as {authority}").into();
        }
        R::ImportAgain(authority) => {
            return format!("nothing was changed; what it issued and revoked elsewhere since then is added by the same \
                     import --as {authority}, and genfic-ca revoke {authority}/SERIAL revokes a number that is \
                     not on record").into();
        }
        R::NothingCame(authority) => {
            return format!("nothing was changed; `genfic-ca list -p {authority}` shows what is on record")
                .into();
        }
        R::IssueHere => "leave out --csr-only",
        R::RequestFromOthers => {
            "add --csr-only: it makes a request for them; `genfic-ca adopt` takes in what they sign"
        }
        R::BringKey(authority) => {
            return format!("bring it by `genfic-ca key import {authority} FILE`").into();
        }
        R::BringKeyToSigner(authority) => {
            return format!(
                "an administrator brings it, as oneself and in the same login: genfic-ca key import {authority} FILE \
                 --service --cert CERT --profile PROFILE; or give FILE, and the key comes into the home"
            )
            .into();
        }
        R::Finish(authority) => {
            return format!(
                "the CA {authority} is on record; its certificate is published by the next command, and what \
                     it still lacks by `genfic-ca crl publish {authority}` and, if it has a responder, \
                     `genfic-ca ocsp responder {authority}`"
            )
            .into();
        }
        R::WithoutRollover => "if the old key is lost, add --no-links",
        R::RetireFirst(below) => {
            return format!("first: genfic-ca retire {below}, or genfic-ca revoke-ca {below}").into();
        }
        R::Retired => {
            "genfic-ca authorities --all lists retired CAs too"
        }
        R::FreeName(name) => return format!(
            "choose another name; when the last of these certificates has ended, `genfic-ca retire {name}` frees this one"
        ).into(),
        R::MakeRollover(newer, older) => {
            return format!(
                "{newer} is there; what it lacks are the links: `genfic-ca cross-sign {newer} -p {older}` \
                     makes both"
            )
            .into();
        }
    })
}
