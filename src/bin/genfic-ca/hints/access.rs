//! Remedies for missing access to a key or a responder, as command-line options.
use genfic_ca::error::Shown as _;
use genfic_ca::error::remedy::Access as R;
use genfic_ca::home::Home;
use std::borrow::Cow;

pub(super) fn text(remedy: &R) -> Cow<'static, str> {
    Cow::Borrowed(match remedy {
        R::PassphraseSource => "see that the source named by --passphrase-from has the passphrase",
        R::NamePassphraseSource => "use --passphrase-from file:PATH, env:VAR, fd:N or cred:NAME",
        R::NameNewPassphraseSource => "use --new-passphrase-from file:PATH, env:VAR, fd:N or cred:NAME",
        R::NameFileForNewPassphrase => {
            "it is shown on a terminal only; without one, --new-passphrase-from file:PATH has it written into a new file"
        }
        R::StrongerPassphrase => {
            "choose several uncommon words, or add --generate for six by chance; --weak-passphrase takes it all the same"
        }
        R::Signer => "install genfic-signer of the same version beside genfic-ca, then try again",
        R::SignerLimits => {
            "set LimitMEMLOCK=768M in its unit, or ulimit -l 786432 before it is started by hand"
        }
        R::SignerSocket => {
            "as root: systemctl start genfic-signer.socket; be a member of the group genfic-ca-admins; or name another \
             socket with --socket PATH"
        }
        R::SignerService => {
            "as root: systemctl start genfic-signer.socket (OpenRC: rc-service genfic-signer start); where it does not \
             start, journalctl -u genfic-signer says why; only the CA's user may connect"
        }
        R::PassphraseInService(name) => {
            return format!(
                "nothing was changed; as yourself, without sudo -u: genfic-ca key passphrase {name} --service"
            )
            .into();
        }
        R::NameSigner => {
            "name it below [keys] in genfic-ca.toml: signer_socket = \"/run/genfic-signer/ca.socket\""
        }
        R::Unlock(_, Some(scope)) if scope == "custody" => {
            "genfic-key unlocks the key for itself, once: run the command again"
        }
        R::Unlock(key, scope) => {
            let scope = match scope.as_deref() {
                Some("new") => " --new --profile PROFILE".to_owned(),
                Some(scope) => format!(" --scope {scope}"),
                None => String::new(),
            };
            // a URI has characters that a shell takes for its own
            let key = if key.contains(':') { format!("\"{key}\"") } else { key.clone() };
            return format!("as yourself, without sudo -u: genfic-ca key unlock {key} --for 15m{scope}")
                .into();
        }
        R::Identity => "give the identity that belongs to one of its recipients with --identity FILE",
        R::KeyIdentity => {
            "the key is encrypted to recipients: give the identity of one of them, for example --passphrase-from \
             file:IDENTITIES; that of a plugin is for `genfic-key open KEY --identity FILE | genfic-ca ... --passphrase-from \
             fd:0`"
        }
        R::OpenByPlugin => {
            "`genfic-key open` executes it: genfic-key open KEY --identity FILE | genfic-ca ... --passphrase-from fd:0; for \
             the signer that listens: genfic-key open KEY --service --identity FILE | genfic-ca key unlock KEY \
             --passphrase-from fd:0"
        }
        R::BringMedium(name) => {
            return format!(
                "bring a medium and add --keys DIR; for a key that never comes here: genfic-ca ceremony request {name} \
                 -o FILE"
            )
            .into();
        }
        R::BringKeyBack(name) => {
            return format!("bring the key back first: genfic-ca key import-bundle {name} --from DIR").into();
        }
        R::MoveKeyHome(name) => {
            return format!("move it into the home first: genfic-ca key move {name} --to home").into();
        }
        R::TakeKeyToMedia(name) => {
            return format!(
                "as yourself, without sudo -u: genfic-key export-bundle {name} --service --to DIR; then have the record say \
                 so with this command"
            )
            .into();
        }
        R::ReadableMedium(name) => {
            return format!(
                "name a medium with it that this user may read: genfic-ca key export-bundle {name} --to DIR; a key that \
                 is lost comes back from a backup of the signer"
            )
            .into();
        }
        R::FinishMove(name, to_signer) => {
            let (on, back) = if *to_signer { ("signer", "home") } else { ("home", "signer") };
            return format!(
                "go on: genfic-ca key move {name} --to {on}; or give it up: genfic-ca key move {name} --to {back}"
            )
            .into();
        }
        R::OtherMedium => "nothing was removed here; name another directory or medium with --to DIR",
        R::OtherAddress => "stop what listens there, or choose another address with --listen",
        R::Address => "name one with --listen ADDR:PORT",
        R::ExamineHome => "`genfic-ca doctor` says what is wrong with the home and repairs it with --fix",
        R::IssueResponder(name) => return format!("genfic-ca ocsp responder {name}").into(),
        R::RenewResponder => "renew it with `genfic-ca ocsp responder CA`",
        R::ResponderUrl => "name the responder's URL with --url",
        R::SharedDirectory => {
            return format!(
                "it belongs to another user: work in {}, which both may use; or where a command takes - for a \
                 file, have the shell open it: genfic-ca sign - -o - <x.req >x.crt",
                Home::work_directory().shown()
            )
            .into();
        }
    })
}
