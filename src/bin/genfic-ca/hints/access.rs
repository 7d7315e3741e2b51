//! Remedies for missing access to a key or a responder, as command-line options.
use genfic_ca::error::remedy::Access as R;
use std::borrow::Cow;

pub(super) fn text(remedy: &R) -> Cow<'static, str> {
    Cow::Borrowed(match remedy {
        R::PassphraseSource => "see that the source named by --passphrase-from has the passphrase",
        R::NamePassphraseSource => "use --passphrase-from file:PATH, env:VAR, fd:N or cred:NAME",
        R::Identity => "give the identity that belongs to one of its recipients with --identity FILE",
        R::OtherAddress => "stop what listens there, or choose another address with --listen",
        R::Address => "name one with --listen ADDR:PORT",
        R::RenewResponder => "renew it with `genfic-ca ocsp responder CA`",
        R::ResponderUrl => "name the responder's URL with --url",
    })
}
