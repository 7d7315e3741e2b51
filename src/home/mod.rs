//! The home of the CAs: where everything is, who may get at it, and who is at it.
//!
//! Owners and modes; [`Home::create`] sets the modes whatever the umask is, [`Home::findings`] looks for
//! anything looser. `~` stands for the home; in the [system's](Home::system) it is `/var/lib/genfic-ca`, and
//! the configuration is in `/etc/genfic-ca`. The owner is the user who runs `genfic-ca`; root may own the
//! configuration and what is above the home.
//!
//! | path | mode | why |
//! |---|---|---|
//! | what is above `~` | not writable by others (the group that only the user is in aside), or sticky; links on the way are the user's or root's | who can rename there, or turn a link, can put another home in place |
//! | `~` | 0711 | the daemon and the web server pass through, nobody lists it |
//! | `~/genfic-ca.toml`, `~/policy/`, `~/policy/*.toml` | 0644, 0755 | no secrets in them; the owner alone changes policy |
//! | `~/index.db` with its `-wal` and `-shm` | 0600 | names and mail addresses of holders |
//! | `~/index.db-signing`, `~/home.lock` | 0600 | locked by whoever signs, and by whoever publishes |
//! | `~/reserve` | 0600 | nothing in it; [space](Reserve) that revoking may use on a full disk |
//! | `~/keys/`, `~/keys/NAME.age`, `~/keys/NAME.mark` | 0700, 0600 | K1; the highest CRL number taken |
//! | `~/requests/`, `~/requests/NAME.waiting` | 0700, 0600 | CAs without their certificates |
//! | `~/issued/`, `~/issued/NAME/` | 0700 | names of holders |
//! | `~/status/` | 2750 | for the daemon's group, which new files take over from the directory |
//! | `~/ocsp/`, `~/ocsp/NAME/` | 2750 | the same |
//! | `~/ocsp/NAME/responder.key` | 0640 | the one key that the daemon reads |
//! | `~/public/` | 0755 | what anyone may fetch |
//!
//! What is for the daemon's group is 2700 and 0600 where the group is neither `genfic-ocsp` nor one that nobody but the
//! user is in ([`Accounts::is_confined`]).
mod access;
mod accounts;
mod actor;
mod aside;
mod atomic;
mod authority_name;
mod check;
mod create;
mod former;
mod given;
mod group;
mod layout;
mod open;
mod reserve;
mod survey;
mod trail;

pub(crate) use access::{Cause, FileStatus, Owners, Rule};
pub use access::{FileKind, Finding, quoted};
pub(crate) use accounts::Accounts;
pub(crate) use actor::current_actor;
pub(crate) use aside::{ASIDE, Writing, remove_left};
pub(crate) use atomic::Aside;
pub(crate) use atomic::replace_alone;
pub use atomic::{Mode, WriteError, replace, sync_directory, write_new};
pub use authority_name::AuthorityName;
pub(crate) use authority_name::InvalidAuthorityName;
pub(crate) use given::GivenError;
pub(crate) use group::put_all;
pub use group::{Replacement, replace_all};
pub use layout::{Home, PublicFile};
pub(crate) use open::{OpenError, open_checked, open_file};
pub use open::{ReadError, read_file, read_most};
pub(crate) use reserve::{GivenBack, Reserve};
