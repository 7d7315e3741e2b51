//! Remedies for a home, as commands.
use genfic_ca::error::remedy::Home as R;
use std::borrow::Cow;

pub(super) fn text(remedy: &R) -> Cow<'static, str> {
    Cow::Borrowed(match remedy {
        R::OtherDirectory => {
            "choose a directory that you may write to with --home DIR, or run as the service user"
        }
        R::MakeOrName => "make one with `genfic-ca init`, or name another with --home DIR",
        R::MakeOrSet => "make one with `genfic-ca init`, or name another with --home or GENFIC_CA_HOME",
        R::AsOwner => "run as the user who owns it: sudo -u genfic-ca genfic-ca ...",
        R::As(user) => {
            return format!("run: sudo -u {user} genfic-ca ...").into();
        }
        R::Mend(commands) => {
            return format!(
                "run: {}\nor let `genfic-ca doctor --fix` do what is safe",
                commands.join("\nrun: ")
            )
            .into();
        }
        R::Examine => "`genfic-ca doctor` says what mends it",
        R::PutBackPolicy => "`genfic-ca init` puts back what is missing of configuration and profiles",
        R::NamePolicyFile => "name a file; `genfic-ca init` makes configuration and profiles",
        R::InitValues => "see --org, --country and --url",
        R::EmptyTarget => {
            "a backup is restored into a home that is absent or empty: name another with --home, or move this \
             one aside; show it with --published, so that what it knows is not lost"
        }
        R::MakeIndex => {
            "run `genfic-ca init` in a new home, or name the home with --home; where there were CAs, `genfic-ca \
             doctor` says more"
        }
        R::DamagedIndex => {
            "run `genfic-ca doctor`, which says what is damaged; keep the files as they are, and restore the \
             index from a backup"
        }
        R::UnusableIndex => {
            "look at owner and mode of the file, free space and the limit of open files, or run `genfic-ca \
             doctor`; then try again"
        }
        R::OlderIndex => {
            "bring the newest index back; or, when it is lost for good, move the home aside and run `genfic-ca \
             backup restore` with --published naming what was moved; `genfic-ca doctor` prints the commands"
        }
        R::TakeOverRevocations => {
            "nothing that takes a revocation back is published; `genfic-ca doctor --fix` takes the CRL's entries \
             over as revoked; find out who changed the index: `genfic-ca audit verify`, `genfic-ca audit show`"
        }
        R::RevokeAgain => {
            "nothing that takes a revocation back is published; find out who changed the index: `genfic-ca audit \
             show`; then revoke them again, or bring the right index back"
        }
        R::AcceptRestored => {
            "revoking, CRLs and OCSP work; see what `genfic-ca audit show` says was restored, then run \
             `genfic-ca backup accept`"
        }
        R::SetClock => {
            "set the clock; nothing is signed with a clock that stands before what was signed. `genfic-ca clock \
             status` says more"
        }
        R::ConfirmClock => {
            "set the clock if it is wrong; if it is right: genfic-ca clock accept. `genfic-ca clock status` says \
             more"
        }
    })
}
